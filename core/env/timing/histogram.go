package timing

import "time"

// Bounds are the upper ends of the buckets, each one included. They reach from one write to
// a fast device to the timeouts of clients, in steps that people read easily.
var Bounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// Histogram counts durations. The zero value is empty.
type Histogram struct {
	// Counts are by bucket; the last one is what no bound holds.
	Counts [len(Bounds) + 1]uint64
	// Micros is the sum in microseconds, which does not overflow in this world.
	Micros uint64
}

// Add counts one duration. A negative one, of a clock that is not the monotonic one, counts
// as none.
func (h *Histogram) Add(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.Counts[i]++
	h.Micros += uint64(max(0, d.Microseconds()))
}

// Count is how many were added.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}
