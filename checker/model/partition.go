package model

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Op is an operation on the log of one partition.
type Op struct {
	ID int // of the operation in its history
	// Append takes the offsets [Lo, Hi). An observation saw the log's visible end at a value
	// from Lo to Hi, both included.
	Append         bool
	Lo, Hi         int64
	Invoke, Return int64 // unique stamps
}

// Outcome of a search.
type Outcome uint8

// The outcomes.
const (
	Legal Outcome = iota
	Illegal
	Unknown // the search took too long
)

// String is the outcome's word.
func (o Outcome) String() string { return [...]string{"legal", "illegal", "unknown"}[o] }

// Result of CheckPartition.
type Result struct {
	Outcome  Outcome
	Windows  int   // pieces the history was cut into
	Searched int   // pieces that needed porcupine
	Ops      []int // of the first illegal piece
}

// CheckPartition decides whether the operations are linearizable as a log whose end only
// grows. It sorts ops. The timeout is for each piece.
func CheckPartition(ops []Op, timeout time.Duration) Result {
	slices.SortFunc(ops, func(a, b Op) int { return compare(a.Invoke, b.Invoke) })
	var r Result
	for i := range ops {
		if ops[i].Return < ops[i].Invoke {
			// Seen before it was begun: no order can be legal.
			return Result{Outcome: Illegal, Ops: []int{ops[i].ID}}
		}
	}
	end := int64(0)
	for first := 0; first < len(ops); {
		last, open := first+1, ops[first].Return
		for last < len(ops) && ops[last].Invoke < open {
			open = max(open, ops[last].Return)
			last++
		}
		window := ops[first:last]
		r.Windows++
		if outcome := checkWindow(window, end, timeout, &r); outcome != Legal {
			r.Outcome = outcome
			for i := range window {
				r.Ops = append(r.Ops, window[i].ID)
			}
			return r
		}
		for i := range window {
			if window[i].Append {
				end = max(end, window[i].Hi)
			}
		}
		first = last
	}
	return r
}

func compare(a, b int64) int {
	if a < b {
		return -1
	}
	return 1
}

// checkWindow spares the search where there is nothing to search: one operation, or
// observations only, which commute.
func checkWindow(window []Op, end int64, timeout time.Duration, r *Result) Outcome {
	search := len(window) > 1
	if search {
		search = slices.ContainsFunc(window, func(o Op) bool { return o.Append })
	}
	if !search {
		for i := range window {
			if ok, _ := step(end, &window[i]); !ok {
				return Illegal
			}
		}
		return Legal
	}
	r.Searched++
	history := make([]porcupine.Operation, len(window))
	for i := range window {
		history[i] = porcupine.Operation{ClientId: i, Input: &window[i],
			Call: window[i].Invoke, Return: window[i].Return}
	}
	switch porcupine.CheckOperationsTimeout(partitionLog(end), history, timeout) {
	case porcupine.Ok:
		return Legal
	case porcupine.Illegal:
		return Illegal
	}
	return Unknown
}

// partitionLog is the sequential log. Its state is the visible end alone: which bytes stand
// at which offset was compared before, offset by offset.
func partitionLog(end int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return end },
		Step: func(state, input, _ any) (bool, any) {
			ok, next := step(state.(int64), input.(*Op))
			return ok, next
		},
		Equal: func(a, b any) bool { return a.(int64) == b.(int64) },
		Hash:  func(state any) uint64 { return uint64(state.(int64)) * 0x9e3779b97f4a7c15 },
		DescribeOperation: func(input, _ any) string {
			o := input.(*Op)
			if o.Append {
				return fmt.Sprintf("append [%d,%d)", o.Lo, o.Hi)
			}
			return fmt.Sprintf("see end in [%d,%d]", o.Lo, o.Hi)
		},
	}
}

func step(end int64, o *Op) (bool, int64) {
	if o.Append {
		return o.Lo >= end, o.Hi
	}
	return o.Lo <= end && end <= o.Hi, end
}
