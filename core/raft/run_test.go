package raft_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// run lets time pass on a network and disks that work: whatever is under way arrives, then
// the next timer fires.
func (w *world) run(d time.Duration) {
	end := w.together().Add(d)
	for steps := 0; ; steps++ {
		if steps > 20_000 {
			w.t.Fatalf("timers fire without end:\n%s", w.describe())
		}
		w.settle()
		next := end
		for _, h := range w.hosts {
			if h.m != nil && h.due > 0 {
				next = min(next, max(h.due, h.now))
			}
		}
		for _, h := range w.hosts {
			h.now = next
		}
		if next >= end {
			return
		}
		for _, h := range w.hosts {
			if h.m != nil && h.due > 0 && h.due <= next {
				h.tick()
			}
		}
	}
}

// together sets all clocks to the latest.
func (w *world) together() env.Instant {
	now := env.Instant(0)
	for _, h := range w.hosts {
		now = max(now, h.now)
	}
	for _, h := range w.hosts {
		h.now = now
	}
	return now
}

// settle lets everything that is under way arrive.
func (w *world) settle() {
	for steps := 0; ; steps++ {
		if steps > 10_000 {
			w.t.Fatalf("no end of messages:\n%s", w.describe())
		}
		busy := false
		for _, h := range w.hosts {
			busy = busy || h.m != nil && len(h.todo)+len(h.read) > 0
			h.sync(len(h.todo))
			for len(h.read) > 0 {
				h.serve(0, 3)
			}
		}
		if len(w.net) > 0 {
			w.deliver(0, false)
			busy = true
		}
		if !busy {
			return
		}
	}
}

// describe shows every node in a line.
func (w *world) describe() string {
	var b strings.Builder
	for _, h := range w.hosts {
		if h.m == nil {
			fmt.Fprintf(&b, "%s down        durable=%d\n", name(h.me), h.disk.end())
			continue
		}
		fmt.Fprintf(&b, "%s %-11s epoch=%d leader=%d log=%d..%d durable=%d hw=%d voters=%s",
			name(h.me), h.m.Role(), h.m.Epoch(), h.m.Leader(), h.live.start, h.live.end(), h.disk.end(),
			h.m.HighWatermark(), names(h.m.VotersAt(h.live.end())))
		if h.m.Damaged() {
			b.WriteString(" damaged")
		}
		b.WriteString("\n")
	}
	return b.String()
}
