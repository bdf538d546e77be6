package envtest

import (
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

// TestBuffers holds a source of buffers to the words of env.Buffers and env.Buffer.
func TestBuffers(t *testing.T, factory func() env.Buffers) {
	t.Run("GetGivesExactLengths", func(t *testing.T) {
		pool := factory()
		for _, n := range []int{0, 1, 61, 511, 512, 513, 4096, 4097, 100_000, 1 << 20, 1<<24 + 1} {
			b := pool.Get(n)
			if len(b.Bytes()) != n {
				t.Fatalf("%d bytes, want %d", len(b.Bytes()), n)
			}
			b.Release()
		}
	})
	t.Run("LiveBuffersShareNothing", func(t *testing.T) {
		pool := factory()
		var live []env.Buffer
		for round := range 3 {
			for i := range 50 {
				b := pool.Get(300 + i)
				copy(b.Bytes(), pattern(byte(len(live)), 300+i))
				live = append(live, b)
			}
			for i, b := range live {
				sameBytes(t, b.Bytes(), pattern(byte(i), len(b.Bytes())))
			}
			if round == 0 {
				for _, b := range live {
					b.Release()
				}
				live = live[:0]
			}
		}
	})
	t.Run("BytesStayUntilTheLastRelease", func(t *testing.T) {
		pool := factory()
		b := pool.Get(5000)
		copy(b.Bytes(), pattern(1, 5000))
		b.Retain()
		b.Release()
		for range 20 {
			other := pool.Get(5000)
			clear(other.Bytes())
			other.Release()
		}
		sameBytes(t, b.Bytes(), pattern(1, 5000))
		b.Release()
	})
	t.Run("AReleaseTooManyIsCaught", func(t *testing.T) {
		b := factory().Get(10)
		b.Release()
		defer func() {
			if recover() == nil {
				t.Fatal("released twice without complaint")
			}
		}()
		b.Release()
	})
}
