package netx_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/netx"
)

// tally counts completions and drains.
type tally struct {
	echo
	done    []env.Tag
	drained int
	undone  int // completions since the last Drained
}

func (t *tally) DiskDone(done env.Completion) { t.done = append(t.done, done.Tag); t.undone++ }
func (t *tally) Drained()                     { t.drained++; t.undone = 0 }

func TestLoopRunsEachSourceInItsOrderAndDrains(t *testing.T) {
	l, h := netx.NewLoop(), &tally{}
	var running sync.WaitGroup
	running.Go(func() { l.Run(h) })
	var posting sync.WaitGroup
	const sources, each = 4, 5000
	for s := range sources {
		posting.Go(func() {
			for i := range each {
				l.DiskDone(env.Completion{Tag: env.Tag(s*each + i)})
			}
		})
	}
	posting.Wait()
	require.True(t, l.Do(func() {}))
	l.Stop()
	running.Wait()
	require.Len(t, h.done, sources*each)
	var last [sources]env.Tag
	for _, tag := range h.done {
		s := int(tag) / each
		require.GreaterOrEqual(t, tag, last[s])
		last[s] = tag
	}
	require.Zero(t, h.undone, "Drained comes last")
	require.False(t, l.Do(func() {}), "after the end nothing runs")
	require.False(t, l.Call(func() {}))
}

// A handler that sets a timer to now from within TimerFired does not shut out the inbox.
func TestTimersDoNotStarveTheInbox(t *testing.T) {
	l := netx.NewLoop()
	h := &spinner{loop: l}
	l.SetTimer(env.TimerKey{}, 0) // before Run nobody else uses the loop's timers
	var running sync.WaitGroup
	running.Go(func() { l.Run(h) })
	for range 100 {
		require.True(t, l.Do(func() {}))
	}
	l.Do(func() { h.stop = true })
	l.Stop()
	running.Wait()
}

type spinner struct {
	echo
	loop *netx.Loop
	stop bool
}

func (s *spinner) TimerFired(key env.TimerKey) {
	if !s.stop {
		s.loop.SetTimer(key, 0)
	}
}

func BenchmarkLoop(b *testing.B) {
	l, h := netx.NewLoop(), &tally{}
	var running sync.WaitGroup
	running.Go(func() { l.Run(h) })
	n := 0
	for b.Loop() {
		l.DiskDone(env.Completion{})
		if n++; n%(1<<20) == 0 {
			l.Do(func() { h.done = h.done[:0] })
		}
	}
	l.Stop()
	running.Wait()
}
