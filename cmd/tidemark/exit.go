package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Exit codes, so that a script can tell a broken machine from a broken promise.
const (
	exitOK               = 0
	exitFailure          = 1   // the machine failed: no connection, no disk, no permission
	exitUsage            = 2   // the command line or a file given on it makes no sense
	exitSafety           = 10  // a safety promise was violated
	exitLiveness         = 11  // nothing lost, but progress stopped
	exitPanic            = 12  // the program under test panicked
	exitNondeterministic = 13  // two runs of one seed differed
	exitInconclusive     = 14  // a check timed out, or a coverage goal was never reached
	exitInterrupted      = 130 // stopped by a signal
)

// exitError carries the exit code a failed command ends with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageErrorf(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func exitErrorf(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

// exitCode says how the process ends after err, having told the user.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "tidemark: interrupted")
		return exitInterrupted
	}
	fmt.Fprintln(os.Stderr, "tidemark:", err)
	var coded *exitError
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitFailure
}
