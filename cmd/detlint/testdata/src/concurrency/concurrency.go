package concurrency

import (
	"context"
	"sync"        // want `import "sync": there is one goroutine`
	"sync/atomic" // want `import "sync/atomic": there is one goroutine`
)

type mailbox struct {
	in chan int // want `channel type`
	mu sync.Mutex
	n  atomic.Int64
}

func spawn(f func()) {
	go f() // want `go statement`
}

func wait(ctx context.Context, m mailbox) int {
	select { // want `select: its choice differs`
	case <-ctx.Done(): // want `channel receive`
		return 0
	case n := <-m.in: // want `channel receive`
		return n
	}
}

func send(m mailbox) {
	m.in <- 1 // want `channel send`
}

func drain(m mailbox) (sum int) {
	for n := range m.in { // want `range over a channel`
		sum += n
	}
	return sum
}

// Closures, defers and coroutine-like calls are one goroutine's business.
func fine(f func() func()) {
	defer f()()
}
