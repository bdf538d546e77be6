package node

import (
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
)

// departures tells the operator why connections ended. That a client closed its own is
// nothing to report; of all else the first few are logged in full, and the rest of a flood
// as counts by reason, so that ten thousand bad clients cost a line and not a disk.
type departures struct {
	log *slog.Logger

	mu     sync.Mutex  // guards what follows
	window *time.Timer // runs while something was logged lately
	logged int
	counts map[string]int // what was not logged, by the reason without its numbers
	closed bool
}

func newDepartures(log *slog.Logger) *departures {
	return &departures{log: log, counts: map[string]int{}}
}

// note takes a connection's end. Any goroutine may call it.
func (d *departures) note(info env.ConnInfo, why string) {
	if why == broker.ClosedByPeer {
		return
	}
	if d.admit(why) {
		d.log.Warn("connection closed", "client", info.Remote, "listener", info.Listener, "why", why)
	}
}

// admit decides whether this one is logged in full.
func (d *departures) admit(why string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if d.window == nil {
		d.window = time.AfterFunc(departureWindow, d.windowOver)
	}
	if d.logged < departuresLogged {
		d.logged++
		return true
	}
	kind := numbers.ReplaceAllString(why, "#")
	if _, known := d.counts[kind]; !known && len(d.counts) >= departureReasonsMax {
		kind = "for other reasons"
	}
	d.counts[kind]++
	return false
}

// numbers are addresses, ports, sizes, versions: what makes two lines of one reason differ.
var numbers = regexp.MustCompile(`[0-9]+([.:][0-9]+)*`)

func (d *departures) windowOver() {
	d.mu.Lock()
	counts := d.counts
	d.counts, d.logged, d.window = map[string]int{}, 0, nil
	d.mu.Unlock()
	if len(counts) > 0 {
		attrs := make([]any, 0, 2*len(counts))
		total := 0
		for _, why := range slices.Sorted(maps.Keys(counts)) {
			attrs = append(attrs, why, counts[why])
			total += counts[why]
		}
		d.log.Warn("more connections closed", "count", total, slog.Group("why", attrs...))
	}
}

// close says what is left to say.
func (d *departures) close() {
	d.mu.Lock()
	d.closed = true
	if d.window != nil {
		d.window.Stop()
	}
	d.mu.Unlock()
	d.windowOver()
}
