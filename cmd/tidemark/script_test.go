package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tidemark": main,
	})
}

// The scripts show each verb as a newcomer meets it: what it prints, what it says to a
// mistake, and how it exits. "exits N" checks the code.
func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serving": serving, "dev": dev, "signal": signalCommand, "ended": ended, "told": told,
			"occupied": occupied, "newer-journal": newerJournal,
		},
	})
}

// exits runs tidemark and demands an exit code: exits CODE ARGS…
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want := map[string]int{"usage": exitUsage, "failure": exitFailure, "safety": exitSafety}[args[0]]
	err := ts.Exec("tidemark", args[1:]...)
	code, ok := err.(interface{ ExitCode() int })
	if !ok || code.ExitCode() != want {
		ts.Fatalf("tidemark %v: %v, want exit code %d", args[1:], err, want)
	}
}
