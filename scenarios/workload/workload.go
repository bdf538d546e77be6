package workload

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/env"
)

// Workload is a mix of clients on one host.
type Workload struct {
	cfg  Config
	rec  *history.Recorder
	host *Host

	versions   map[kmsg.Key]int16
	bootstraps int
	topics     map[string]*topic
	ready      bool
	err        error

	stopping bool
	quietAt  env.Instant // when the last producer had finished; 0: not yet
	busy     map[int32]string
	decoder  *Decoder
}

// New makes a workload that records into rec.
func New(cfg Config, rec *history.Recorder) (*Workload, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Workload{cfg: cfg, rec: rec, topics: map[string]*topic{}, busy: map[int32]string{},
		decoder: NewDecoder()}, nil
}

// Boot starts the clients in the given world: topics are created first, then all begin.
func (w *Workload) Boot(e *env.Env) (env.Handler, error) {
	w.host = newHost(e)
	admin := w.rec.Process(history.RoleAdmin, "setup")
	w.host.Go("setup", 0, func(f *Fiber) { w.setup(&client{w: w, f: f, proc: admin}) })
	return w.host, nil
}

// Ready reports that the topics exist and the clients have begun.
func (w *Workload) Ready() bool { return w.ready }

// Err is why the workload cannot go on, or nil.
func (w *Workload) Err() error { return w.err }

func (w *Workload) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// Stop lets the producers finish what they have begun and begin no more.
func (w *Workload) Stop() {
	w.stopping = true
	w.settle()
}

// Idle reports that after Stop everything has come to rest: no send is open, and each reader
// that follows the log has read it to the end.
func (w *Workload) Idle() bool { return w.stopping && w.ready && len(w.busy) == 0 }

// Waiting names the clients that are not at rest and what they wait for.
func (w *Workload) Waiting() []string {
	var names []string
	for _, p := range slices.Sorted(maps.Keys(w.busy)) {
		names = append(names, fmt.Sprintf("p%d %s", p, w.busy[p]))
	}
	if !w.ready {
		names = append(names, "setup")
	}
	return names
}

// Sending counts the batches that are on the way: sent, and neither answered nor given up.
func (w *Workload) Sending() int {
	n := 0
	if w.host == nil {
		return n
	}
	for _, conn := range w.host.conns {
		for _, call := range conn.calls {
			if _, ok := call.req.(*kmsg.ProduceRequest); ok {
				n++
			}
		}
	}
	return n
}

// patience is how long a producer waits for a reply. In the end all must come to rest.
func (w *Workload) patience() time.Duration {
	if w.stopping || w.cfg.Patience == 0 {
		return requestTimeout
	}
	return w.cfg.Patience
}

// Close ends the clients. What they were doing stays open in the history.
func (w *Workload) Close() {
	if w.host != nil {
		w.host.Close()
	}
}

// working notes that a client has something to finish; rested that it has not.
func (w *Workload) working(proc int32, what string) { w.busy[proc] = what }

func (w *Workload) rested(proc int32) {
	delete(w.busy, proc)
	w.settle()
}

// producersPrefix starts what working is told by clients that write.
const producersPrefix = "producer"

// settle notes the moment from which no write comes any more: a reader that sees the end of
// its log in a poll begun later has seen everything.
func (w *Workload) settle() {
	if !w.stopping || w.quietAt != 0 || w.host == nil {
		return
	}
	for _, what := range w.busy {
		if what == producersPrefix {
			return
		}
	}
	w.quietAt = max(w.host.env.Clock.Now(), 1)
}

// setup creates the topics and starts everybody.
func (w *Workload) setup(c *client) {
	end := c.f.Now().Add(setupTimeout)
	for w.versions == nil {
		if !c.connect(w.bootstrap) {
			return
		}
		if err := c.negotiate(); errors.Is(err, errStopped) {
			return
		} else if err != nil && c.f.Now() > end {
			w.fail(err)
			return
		}
	}
	for _, t := range w.cfg.Topics {
		if !c.createTopic(t) || !w.awaitLeaders(c, t.Name, end) {
			return
		}
	}
	c.drop()
	w.ready = true
	w.start()
}

func (w *Workload) awaitLeaders(c *client, name string, end env.Instant) bool {
	for c.f.Now() < end {
		if !c.connect(w.bootstrap) {
			return false
		}
		if t := c.metadata(name, 0); t != nil && t.ready() {
			w.topics[name] = t
			c.calm()
			return true
		}
		if !c.pause() {
			return false
		}
	}
	w.fail(fmt.Errorf("workload: topic %s has no leaders after %s", name, setupTimeout))
	return false
}

// start begins all clients, each at a moment of its own.
func (w *Workload) start() {
	for i := range w.cfg.Producers {
		p := &w.cfg.Producers[i]
		w.perPartition(p.Topic, p.Count, history.RoleProducer, func(c *client, t *topic, part int32) {
			runProducer(c, p, t, part)
		})
	}
	for i := range w.cfg.Readers {
		r := &w.cfg.Readers[i]
		role, run := history.RoleTail, runTail
		if r.Kind == Reread {
			role, run = history.RoleReread, runReread
		}
		w.perPartition(r.Topic, r.Count, role, func(c *client, t *topic, part int32) { run(c, r, t, part) })
	}
	for i := range w.cfg.Listers {
		l := &w.cfg.Listers[i]
		w.perPartition(l.Topic, l.Count, history.RoleLister, func(c *client, t *topic, part int32) {
			runLister(c, l, t, part)
		})
	}
	for i := range w.cfg.Churn {
		ch := &w.cfg.Churn[i]
		for n := range ch.Count {
			name := ch.Topic + "-" + strconv.Itoa(n)
			w.spawn(history.RoleAdmin, "churn "+name, func(c *client) { runChurn(c, ch, name) })
		}
	}
}

func (w *Workload) perPartition(name string, count int, role history.Role, run func(*client, *topic, int32)) {
	t := w.topics[name]
	for part := range int32(len(t.leaders)) {
		for range count {
			w.spawn(role, fmt.Sprintf("%s %s-%d", role, name, part), func(c *client) { run(c, t, part) })
		}
	}
}

func (w *Workload) spawn(role history.Role, name string, run func(*client)) {
	proc := w.rec.Process(role, name)
	delay := time.Duration(w.host.env.Rand.Uint64("workload.start") % uint64(100*time.Millisecond))
	w.host.Go(name, delay, func(f *Fiber) {
		c := &client{w: w, f: f, proc: proc}
		run(c)
		if !f.stopped {
			c.drop()
			w.rested(proc)
		}
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
