// Package museum keeps bugs of history as mutants of our own code, and shows that the
// simulator catches each.
//
//	NNN-slug/README.md      what the bug was, where it was seen
//	NNN-slug/mutant.patch   the small change that brings it back
//	NNN-slug/expect.yaml    the scenarios that must catch it, and within how many seeds
//
//	Load ──▶ Mutant ── Overlay ──▶ go build -overlay ──▶ a broken binary ── Hunt ──▶ seed
//
// The sources are never touched: a mutant exists only in the build's overlay. A patch is
// found by its context, not by its line numbers, so it survives edits elsewhere in the
// file; a test names those that no longer apply.
//
// Read mutant.go, overlay.go, hunt.go.
package museum
