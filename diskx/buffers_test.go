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

// The sizes in use now are the ones that stay when the bound is passed.
func TestPoolGivesUpSizesOfThePast(t *testing.T) {
	t.Parallel()
	p := NewBuffers(1 << 20)
	for range 2 {
		fill(p, 200<<10, 4)
	}
	p.Get(BufferMax).Release() // passes the bound, and what was used before it is older
	for range 3 {
		fill(p, 64<<10, 8)
	}
	if got := p.Retained(); got > 1<<20 {
		t.Fatalf("%d bytes retained", got)
	}
	was := p.Retained()
	live := take(p, 64<<10, 8)
	if took := was - p.Retained(); took != 8*64<<10 {
		t.Fatalf("%d bytes came from the pool", took)
	}
	release(live)
}

// Nothing stays behind a closed pool, whenever the last reference goes.
func TestClosedPoolRetainsNothing(t *testing.T) {
	t.Parallel()
	p := NewBuffers(0)
	live := take(p, 300_000, 3)
	p.Get(20_000).Release()
	if p.Held() == 0 || p.Retained() == 0 {
		t.Fatalf("held %d, retained %d", p.Held(), p.Retained())
	}
	p.Close()
	release(live)
	if p.Held() != 0 || p.Retained() != 0 {
		t.Fatalf("held %d, retained %d", p.Held(), p.Retained())
	}
}

func take(p *Buffers, size, n int) (live []env.Buffer) {
	for range n {
		b := p.Get(size)
		b.Bytes()[size-1] = 1 // the memory is there
		live = append(live, b)
	}
	return live
}

func release(live []env.Buffer) {
	for _, b := range live {
		b.Release()
	}
}

func fill(p *Buffers, size, n int) { release(take(p, size, n)) }
