package main

import (
	"fmt"
	"os"
)

func main() {
	patterns := os.Args[1:]
	if len(patterns) == 0 || patterns[0] == "-h" || patterns[0] == "--help" {
		const example = "go run ./cmd/detlint ./core/... ./sim/..."
		fmt.Fprintf(os.Stderr, "usage: detlint packages\n\n%s; for example\n\n\t%s\n", analyzer.Doc, example)
		os.Exit(2)
	}
	verdict, err := check(".", patterns)
	if err != nil {
		fmt.Fprintln(os.Stderr, "detlint:", err)
		os.Exit(2)
	}
	for _, f := range verdict.findings {
		fmt.Println(f)
	}
	for _, e := range verdict.exempt {
		fmt.Fprintf(os.Stderr, "exempt: %s: %s\n", e.pos, e.reason)
	}
	if len(verdict.findings) > 0 {
		os.Exit(1)
	}
}
