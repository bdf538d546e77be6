package sim

import "github.com/tidemark-log/tidemark/core/trace"

var (
	kindAt         = trace.Define("at")
	kindStart      = trace.Define("host-start", "life")
	kindLive       = trace.Define("host-live", "life")
	kindBootFailed = trace.Define("host-boot-failed", "life")
	kindKill       = trace.Define("host-kill", "life")
	kindPowerLoss  = trace.Define("host-power-loss", "life", "ops-dropped", "ops-torn")
	kindStop       = trace.Define("host-stop", "life")
	kindPause      = trace.Define("host-pause", "ms")
)

// trace takes an event of the world or of a host and stamps the world's time on it.
func (w *World) trace(ev trace.Event) {
	ev.At = int64(w.engine.Now())
	kept := w.ring.add(ev)
	w.hash.Add(kept)
	for _, fn := range w.onTrace {
		fn(kept)
	}
}

// ring keeps the last events unrendered.
type ring struct {
	events [TraceRing]trace.Event
	n      uint64
}

// add keeps an event; it stays where it is until TraceRing more have come.
func (r *ring) add(ev trace.Event) *trace.Event {
	kept := &r.events[r.n%TraceRing]
	*kept = ev
	r.n++
	return kept
}

func (r *ring) lines() []string {
	var out []string
	for i := r.n - min(r.n, TraceRing); i < r.n; i++ {
		out = append(out, r.events[i%TraceRing].String())
	}
	return out
}

// tracer is the env.Tracer of one life.
type tracer struct {
	world *World
	node  int32
}

func (t tracer) Trace(ev trace.Event) {
	ev.Node = t.node
	t.world.trace(ev)
}
