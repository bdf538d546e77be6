package diskx

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
)

func TestPooledBuffersAreBuffers(t *testing.T) {
	envtest.TestBuffers(t, func() env.Buffers { return NewBuffers(0) })
}

// TestBufferClassesFitTightly: each length has the smallest class that holds it, and no
// class above the first wastes more than a fifth.
func TestBufferClassesFitTightly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, BufferMax).Draw(t, "n")
		class, size := classOf(n)
		if class < 0 || class >= classCount || size < n || (n > bufferMin && (size-n)*5 > size) {
			t.Fatalf("%d bytes: class %d of %d", n, class, size)
		}
		if again, same := classOf(size); again != class || same != size {
			t.Fatalf("class %d of %d is class %d of %d for itself", class, size, again, same)
		}
	})
	if class, size := classOf(BufferMax); class != classCount-1 || size != BufferMax {
		t.Fatalf("the last class is %d of %d", class, size)
	}
}

func TestPoolRetainsABoundedAmount(t *testing.T) {
	t.Parallel()
	p := NewBuffers(10_000)
	var live []env.Buffer
	for range 20 {
		live = append(live, p.Get(1000))
	}
	for _, b := range live {
		b.Release()
	}
	if got := p.Retained(); got == 0 || got > 10_000 {
		t.Fatalf("%d bytes retained", got)
	}
	p.Get(BufferMax + 1).Release()
	if got := p.Retained(); got > 10_000 {
		t.Fatalf("%d bytes retained", got)
	}
}

func TestPooledBuffersCostNoAllocation(t *testing.T) {
	p := NewBuffers(0)
	if n := testing.AllocsPerRun(100, func() { p.Get(1 << 20).Release() }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
