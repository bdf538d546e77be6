package sim

import (
	"errors"
	"fmt"
	"runtime/debug" //detlint:ok the stack of a failure is shown, and decides nothing
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Failure is why a world stopped: a host broke an invariant, panicked or could not boot.
type Failure struct {
	Host   string      // name of the host
	ID     int32       // its broker id
	At     env.Instant // when
	Name   string      // name of the invariant; "panic" or "boot"
	Detail string      // in words
	Trace  []string    // the last trace lines, oldest first
	Stack  string      // of the panic
	Err    error       // of the boot
}

// Error gives the first line; Report gives all.
func (f *Failure) Error() string {
	return fmt.Sprintf("sim: host %s at %s: %s: %s", f.Host, f.At, f.Name, f.Detail)
}

// Unwrap returns the error of a failed boot.
func (f *Failure) Unwrap() error { return f.Err }

// Report is the failure with the last trace lines and the stack.
func (f *Failure) Report() string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Error())
	for _, line := range f.Trace {
		fmt.Fprintln(&b, "  ", line)
	}
	b.WriteString(f.Stack)
	return b.String()
}

// Failure is the failure that stopped the world, or nil. It is a *Failure.
func (w *World) Failure() error {
	if w.failure == nil {
		return nil
	}
	return w.failure
}

// Fail stops the world, for checkers that watch it from outside of the hosts.
func (w *World) Fail(name, detail string) {
	w.fail(&Failure{Host: "world", ID: -1, Name: name, Detail: detail})
}

func (w *World) fail(f *Failure) {
	if w.failure == nil {
		f.At, f.Trace = w.engine.Now(), w.ring.lines()
		w.failure = f
	}
}

// guard runs fn as code of host h. A panic of it is the world's failure, unless the host
// has crashed by then; guard reports false.
func (h *Host) guard(fn func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			h.panicked(r)
		}
	}()
	fn()
	return true
}

// fire is guard for an event, without a closure.
func (h *Host) fire(target engine.Target, op uint32, arg uint64) {
	defer func() {
		if r := recover(); r != nil {
			h.panicked(r)
		}
	}()
	target.Fire(op, arg)
}

func (h *Host) panicked(r any) {
	if h.crashed() {
		return // it is dead already
	}
	f := &Failure{Host: h.cfg.Name, ID: h.cfg.ID, Name: "panic", Detail: fmt.Sprint(r)}
	f.Stack = string(debug.Stack())
	var v invariant.Violation
	if err, isErr := r.(error); isErr && errors.As(err, &v) {
		f.Name, f.Detail = v.Name, v.Detail
	}
	h.world.fail(f)
}
