// Package clients starts programs that use Kafka clients nobody here wrote, and talks to
// them in one contract, so that a test says once what every client must manage.
//
//	test ── {"do":"produce","topic":…,"codec":"zstd","file":…} ──▶ java/ python/ node/ go/
//	     ◀── {"acked":500} ─────────────────────────────────────── the client's own library
//
// A question is a line of JSON on standard input, its answer a line on standard output. The
// records themselves go through files, a line each, so that a test compares every field of
// every record and not a sum. What a program lacks it answers with "unsupported".
//
// Libraries come from their registries at pinned versions, into the user's cache directory;
// what cannot be had is a Missing error, and the tests that need it skip.
//
// The Go clients are programs too, in a module of their own (go/go.mod): as test-only
// dependencies in the product's go.mod they would be in every user's go.sum. franz-go is in
// the product's anyway and runs in the test (franz.go).
//
// Read contract.go, program.go, then install.go.
package clients
