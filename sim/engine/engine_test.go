package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Against a stable sort: events come by time, and those of one instant as they were put in.
func TestEventsComeByTimeAndThenInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q engine.Queue
		var want []engine.Event
		n := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "verb") > 0 {
				n++
				ev := engine.Event{At: env.Instant(rapid.IntRange(0, 20).Draw(t, "at")), Arg: n}
				q.Push(ev)
				want = append(want, ev)
				slices.SortStableFunc(want, func(a, b engine.Event) int { return int(a.At - b.At) })
				continue
			}
			got, ok := q.Pop()
			if ok != (len(want) > 0) {
				t.Fatalf("Pop says %v with %d events", ok, len(want))
			}
			if ok {
				if got != want[0] {
					t.Fatalf("got %+v, want %+v", got, want[0])
				}
				want = want[1:]
			}
			if q.Len() != len(want) {
				t.Fatalf("%d events, want %d", q.Len(), len(want))
			}
		}
	})
}

func TestNothingIsPostedIntoThePast(t *testing.T) {
	e := engine.New(1)
	e.Post(engine.Event{At: 100})
	e.Next()
	e.Post(engine.Event{At: 7})
	if ev, _ := e.Next(); ev.At != 100 || e.Now() != 100 {
		t.Fatalf("an event of the past at %v, now %v", ev.At, e.Now())
	}
}

// Decisions are uniform enough, and neighbours in any part of the key are independent.
func TestDecisionsAreUniformAndIndependent(t *testing.T) {
	const n = 20_000
	streams := map[string]func(i uint64) uint64{
		"ordinals": func(i uint64) uint64 { return engine.NewChoice(1).Of("p").Uint64(i) },
		"numbers":  func(i uint64) uint64 { return engine.NewChoice(1).Num(i).Uint64(0) },
		"seeds":    func(i uint64) uint64 { return engine.NewChoice(i).Uint64(0) },
		"names":    func(i uint64) uint64 { return engine.NewChoice(1).Of(fmt.Sprint(i)).Uint64(0) },
	}
	for name, at := range streams {
		var buckets [64]float64
		same := 0.0
		last := at(0)
		for i := range uint64(n) {
			v := at(i + 1)
			buckets[v>>58]++
			if v>>63 == last>>63 {
				same++
			}
			last = v
		}
		chi := 0.0
		for _, b := range buckets {
			chi += (b - n/64.0) * (b - n/64.0) / (n / 64.0)
		}
		if chi > 130 { // 63 degrees of freedom: beyond 1e-6
			t.Errorf("%s: chi² is %.0f", name, chi)
		}
		if math.Abs(same-n/2) > 5*math.Sqrt(n)/2 {
			t.Errorf("%s: %.0f of %d neighbours agree", name, same, n)
		}
	}
}

func TestDrawnValuesKeepTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := engine.NewChoice(rapid.Uint64().Draw(t, "seed"))
		n := rapid.Uint64().Draw(t, "n")
		lo := time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "lo"))
		hi := lo + time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "more"))
		if d := c.Between(n, lo, hi); d < lo || d > hi {
			t.Fatalf("Between %v %v: %v", lo, hi, d)
		}
		if d := c.LogBetween(n, lo, hi); d < lo-1 || d > hi+1 {
			t.Fatalf("LogBetween %v %v: %v", lo, hi, d)
		}
		if d := c.Exp(n, hi); d < 0 || d > 40*hi {
			t.Fatalf("Exp %v: %v", hi, d)
		}
		if d := c.Until(n, hi); d < 0 || d > 40*hi {
			t.Fatalf("Until %v: %v", hi, d)
		}
		if bound := uint64(hi); c.Below(n, bound) >= bound {
			t.Fatal("Below its bound is not")
		}
		if c.Chance(n, 0) || !c.Chance(n, 1) {
			t.Fatal("never and always")
		}
	})
}

func BenchmarkQueue(b *testing.B) {
	for _, waiting := range []int{16, 1000, 100_000} {
		b.Run(fmt.Sprint("waiting=", waiting), func(b *testing.B) {
			var q engine.Queue
			c := engine.NewChoice(1)
			for i := range uint64(waiting) {
				q.Push(engine.Event{At: env.Instant(c.Below(i, 1e6))})
			}
			n := uint64(0)
			for b.Loop() {
				ev, _ := q.Pop()
				n++
				ev.At += env.Instant(c.Below(n, 1e6))
				q.Push(ev)
			}
		})
	}
}

func BenchmarkDecision(b *testing.B) {
	c := engine.NewChoice(1).Of("net.delay")
	n := uint64(0)
	for b.Loop() {
		n += c.Uint64(n) & 1
	}
}
