package coordinator

import "github.com/tidemark-log/tidemark/core/kafka"

// parkedReply waits until the high watermark reaches rests: the end of the log when its
// decision was made, which covers its own records and all it can have read.
type parkedReply[T any] struct {
	rests  kafka.Offset
	ticket T
}

// queue is a first-in-first-out queue that reuses its memory. Since the end of a log only
// rises, it is ordered by rests as well.
type queue[T any] struct {
	items []parkedReply[T]
	head  int
}

func (q *queue[T]) len() int { return len(q.items) - q.head }

func (q *queue[T]) first() parkedReply[T] { return q.items[q.head] }

func (q *queue[T]) push(p parkedReply[T]) {
	if q.head*2 >= len(q.items) && len(q.items) == cap(q.items) && q.head > 0 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, p)
}

func (q *queue[T]) pop() parkedReply[T] {
	p := q.items[q.head]
	q.items[q.head] = parkedReply[T]{}
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return p
}
