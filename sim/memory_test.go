package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
)

// once runs a process for one event and ends its world.
func once(memory *sim.Memory, boot func(*env.Env)) error {
	w := sim.NewWorld(sim.Config{Memory: memory})
	h := w.AddHost(sim.HostConfig{Name: "b1", Boot: func(e *env.Env) (env.Handler, error) {
		boot(e)
		return silent{}, nil
	}})
	h.Start(0)
	_ = w.Run(1)
	return w.Release()
}

// What a buffer holds at first is the same in every world: a process that reads it by mistake
// does so by seed.
func TestBuffersOfAnotherWorldAreNotSeen(t *testing.T) {
	memory := new(sim.Memory)
	for range 3 {
		var got []byte
		require.NoError(t, once(memory, func(e *env.Env) {
			b := e.Buffers.Get(100)
			got = append(got, b.Bytes()...)
			copy(b.Bytes(), "precious")
			b.Release()
			e.Buffers.Get(60).Release() // another size of the same class
		}))
		for _, x := range got {
			require.EqualValues(t, 0xdb, x)
		}
	}
}

// A late write is found in the world that did it, never in the next.
func TestLateWriteIsFoundBeforeTheNextWorld(t *testing.T) {
	for _, memory := range []*sim.Memory{nil, new(sim.Memory)} {
		err := once(memory, func(e *env.Env) {
			b := e.Buffers.Get(100)
			late := b.Bytes()
			b.Release()
			late[99] = 1
		})
		require.ErrorContains(t, err, "sim.buffer-written-after-release")
	}
}

// Who appends to a buffer beyond its size gets other memory, as he may, and is not taken for
// one who writes late.
func TestAppendingBeyondABufferTouchesNoOther(t *testing.T) {
	memory := new(sim.Memory)
	for range 2 {
		require.NoError(t, once(memory, func(e *env.Env) {
			for i := range 6 * sim.BufferQuarantine {
				if i%3 == 0 {
					e.Buffers.Get(207).Release() // of the same class
					continue
				}
				b := e.Buffers.Get(160)
				_ = append(b.Bytes(), "more than it has room for"...)
				b.Release()
			}
		}))
	}
}

// The next world needs nothing from the runtime that the last one had.
func TestMemoryIsUsedAgain(t *testing.T) {
	memory := new(sim.Memory)
	use := func(e *env.Env) {
		for range 5 * sim.BufferQuarantine {
			e.Buffers.Get(64 << 10).Release()
		}
	}
	require.NoError(t, once(memory, use))
	first := testing.AllocsPerRun(1, func() { require.NoError(t, once(nil, use)) })
	next := testing.AllocsPerRun(1, func() { require.NoError(t, once(memory, use)) })
	require.Less(t, next, first-sim.BufferQuarantine/2)
}
