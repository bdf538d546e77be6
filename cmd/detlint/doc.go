// Command detlint refuses, in the rooms that the simulator runs, what would make two runs of
// one seed differ.
//
//	core/..., sim/... ──▶ analyzer ──▶ a sentence per place, with what to do instead
//	                         │
//	                         └─▶ //detlint:ok <reason> on the line, or alone on the line
//	                             above, exempts it; exemptions are counted and listed
//
// Refused: go statements, select, channels, sync, os, net and other doors to the outside;
// time.Now and its friends; global math/rand and crypto/rand; ranging over a map where the
// order can be seen, which includes sums of floats; pointers as map keys; pointers printed.
// _test.go files may do all of that.
//
// Deliberately absent: proofs. A map range is accepted when its body is on a short list of
// things whose order cannot matter (maporder.go), and refused otherwise; write the loop over
// slices.Sorted(maps.Keys(m)) when in doubt. Who calls into another room is judged there.
//
// Read main.go, then analyzer.go, outside.go (imports and calls), maporder.go, printing.go.
// The fixtures in testdata/src say what each rule accepts; detlint_test.go runs the analyzer
// over the module, so that `go test ./...` is enough.
package main
