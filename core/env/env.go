package env

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/trace"
)

// Instant is a reading of the monotonic clock: nanoseconds since the process (or its
// simulated counterpart) started. It never steps back and says nothing about the date.
type Instant int64

// Add returns the instant d later.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns the time that passed from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i - j) }

// String renders the instant in seconds, as trace lines show it.
func (i Instant) String() string {
	return strconv.FormatFloat(float64(i)/1e9, 'f', 3, 64) + "s"
}

// TimerKey names a timer. Kind says which duty it serves, ID which object of that duty.
type TimerKey struct {
	Kind string
	ID   int64
}

// Clock gives time and timers.
type Clock interface {
	// Now reads the monotonic clock. Within one Handler call it may return the same
	// instant each time.
	Now() Instant
	// WallMillis is the wall clock in milliseconds since 1970. It may step both ways;
	// use it for record timestamps and retention, never to measure a duration.
	WallMillis() int64
	// SetTimer arms the timer of that key, replacing an armed one in place. It is
	// delivered once through Handler.TimerFired, at or after at, never before.
	SetTimer(key TimerKey, at Instant)
	// ClearTimer disarms it; a timer already due may no longer be delivered after
	// ClearTimer or SetTimer returned.
	ClearTimer(key TimerKey)
}

// Rand is the source of every random choice a node makes. The purpose names the choice,
// so that the simulator can decide it by key: a new choice elsewhere shifts nothing.
type Rand interface {
	Uint64(purpose string) uint64
}

// Host tells what survives a restart.
type Host interface {
	// BootID is the same before and after a restart exactly when the page cache has
	// provably survived it: a process kill keeps it, a power loss changes it.
	BootID() string
}

// Tracer takes the decisions of a node, in order. Trace must not keep ev's strings'
// backing beyond what Go strings guarantee; it costs no formatting.
type Tracer interface {
	Trace(ev trace.Event)
}

// Rare marks a rare branch. In production it is always false and free. In simulation
// it sometimes forces the branch and counts that the point was reached; it may only
// choose between behaviours that are all legal.
type Rare interface {
	Rare(name string) bool
}

// Buffer is a reference-counted byte buffer. It starts with one reference, held by
// whoever got it. After the last Release its bytes belong to somebody else: the
// simulator poisons them, so that a use after release shows.
type Buffer interface {
	Bytes() []byte
	Retain()
	Release()
}

// Buffers hands out pooled buffers, because a fresh allocation of megabytes is the
// dearest thing a broker can do.
type Buffers interface {
	// Get returns a buffer of exactly n bytes with undefined contents.
	Get(n int) Buffer
}

// Env bundles the world of one node.
type Env struct {
	Clock   Clock
	Net     Net
	Disk    Disk
	Rand    Rand
	Host    Host
	Tracer  Tracer
	Rare    Rare
	Buffers Buffers
}

// Handler is a node's logic as the world sees it. Calls never overlap.
type Handler interface {
	// TimerFired reports that the timer's time has come; it is no longer armed.
	TimerFired(key TimerKey)
	// ConnAccepted reports a new inbound connection.
	ConnAccepted(c ConnID, info ConnInfo)
	// ConnDialed reports the outcome of Dial: err nil means open. After an error the
	// ConnID is dead and no ConnClosed follows.
	ConnDialed(c ConnID, err error)
	// FrameReceived hands over a whole frame. See Received for ownership.
	FrameReceived(c ConnID, f Received)
	// ConnWritable reports that the send queue of c, which had been full, has drained.
	ConnWritable(c ConnID)
	// ConnClosed is the last event of a connection, whichever side ended it, except
	// when this side called Net.Close: then there is no ConnClosed.
	ConnClosed(c ConnID, err error)
	// DiskDone reports a completed asynchronous disk operation.
	DiskDone(done Completion)
	// Drained tells that no further event is waiting just now: the moment to hand
	// collected work (a journal group, gathered replies) to the world. It comes after
	// every event or run of events.
	Drained()
}
