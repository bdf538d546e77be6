package diskx

import "sync"

// lane is a queue with its own workers. Order in it is that of submission, so that nothing
// starves; completion is in any order.
type lane struct {
	mu     sync.Mutex
	work   sync.Cond // something is queued, or the lane is closed
	room   sync.Cond // the queue is below its bound
	idle   sync.Cond // nothing is queued or running
	ring   []job     // guarded by mu; its length is a power of two
	head   int
	count  int
	active int
	closed bool
	done   sync.WaitGroup
}

// job is an operation to run on a worker.
type job struct {
	run func()
	// or, without a closure, because reads and writes are many:
	op ioOp
}

func newLane(workers int) *lane {
	l := &lane{ring: make([]job, 64)}
	l.work.L, l.room.L, l.idle.L = &l.mu, &l.mu, &l.mu
	l.done.Add(workers)
	for range workers {
		go l.serve()
	}
	return l
}

// submit queues a job; false: the lane is closed.
func (l *lane) submit(j job) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.count >= QueueMax && !l.closed {
		l.room.Wait()
	}
	if l.closed {
		return false
	}
	if l.count == len(l.ring) {
		l.grow()
	}
	l.ring[(l.head+l.count)&(len(l.ring)-1)] = j
	l.count++
	l.work.Signal()
	return true
}

func (l *lane) grow() {
	ring := make([]job, 2*len(l.ring))
	n := copy(ring, l.ring[l.head:])
	copy(ring[n:], l.ring[:l.head])
	l.ring, l.head = ring, 0
}

func (l *lane) serve() {
	defer l.done.Done()
	for {
		j, ok := l.take()
		if !ok {
			return
		}
		if j.run != nil {
			j.run()
		} else {
			j.op.run()
		}
		l.finish()
	}
}

func (l *lane) take() (job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.count == 0 {
		if l.closed {
			return job{}, false
		}
		l.work.Wait()
	}
	j := l.ring[l.head]
	l.ring[l.head] = job{}
	l.head = (l.head + 1) & (len(l.ring) - 1)
	l.count--
	l.active++
	l.room.Signal()
	return j, true
}

func (l *lane) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	if l.active == 0 && l.count == 0 {
		l.idle.Broadcast()
	}
}

// quiesce waits until nothing is queued or running.
func (l *lane) quiesce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.count > 0 || l.active > 0 {
		l.idle.Wait()
	}
}

// close lets the workers finish what is queued and end.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.work.Broadcast()
	l.room.Broadcast()
	l.mu.Unlock()
	l.done.Wait()
}
