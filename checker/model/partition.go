package model

import (
	"fmt"
	"math"
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

	after int64 // append: the end of the append before it in the log
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
	follow(ops)
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

// follow links the appends in the order of their offsets: that order is known, and a search
// that had to guess it would try every other one first.
func follow(ops []Op) {
	var appends []*Op
	for i := range ops {
		if ops[i].Append {
			appends = append(appends, &ops[i])
		}
	}
	slices.SortFunc(appends, func(a, b *Op) int { return compare(a.Lo, b.Lo) })
	for i := 1; i < len(appends); i++ {
		appends[i].after = appends[i-1].Hi
	}
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
	search := len(window) > 1 && slices.ContainsFunc(window, func(o Op) bool { return o.Append })
	var history []porcupine.Operation
	for i := range window {
		o := &window[i]
		switch {
		case search && (o.Append || o.Lo > end || o.Hi < math.MaxInt64):
			history = append(history, porcupine.Operation{ClientId: i, Input: o, Call: o.Invoke, Return: o.Return})
		case search: // it saw no more than there was before the window: legal at any moment
		default:
			if ok, _ := step(end, o); !ok {
				return Illegal
			}
		}
	}
	if !search {
		return Legal
	}
	r.Searched++
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
		return o.after == end, o.Hi
	}
	return o.Lo <= end && end <= o.Hi, end
}
