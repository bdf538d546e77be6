package node

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/node/admin"
	"github.com/tidemark-log/tidemark/node/metrics"
)

// phase is where a node is in its life.
type phase int32

const (
	phaseRecovering phase = iota // the loop does not run yet
	phaseStarting                // it runs; the broker is not registered
	phaseServing
	phaseStopping
)

// status is what other goroutines than the starting one may know of a node.
type status struct {
	phase    atomic.Int32
	progress atomic.Pointer[log.Progress]

	// the starting goroutine only
	toldAt time.Time    // when progress was told last
	logged time.Time    // when it was logged last
	last   log.Progress // what was told
}

func (s *status) enter(p phase) { s.phase.Store(int32(p)) }

func (s *status) in() phase { return phase(s.phase.Load()) }

// Progress is how far a recovery is.
type Progress = log.Progress

// recovering takes the progress of a boot. It comes with every few kilobytes; people want it
// a few times a second, and the log hears of it when it takes long.
func (n *Node) recovering(p Progress) {
	s, now := &n.status, time.Now()
	if s.logged.IsZero() {
		s.logged = now
	}
	if p.Phase == s.last.Phase && p.Path == s.last.Path && now.Sub(s.toldAt) < progressEvery {
		return
	}
	s.toldAt, s.last = now, p
	s.progress.Store(&p)
	if n.opts.Progress != nil {
		n.opts.Progress(p)
	}
	if now.Sub(s.logged) >= progressLogEvery {
		s.logged = now
		n.log.Info(ProgressText(p))
	}
}

// ProgressText says in a sentence how far recovery is.
func ProgressText(p Progress) string {
	var of []string
	if p.LogsTotal > 0 {
		of = append(of, fmt.Sprintf("%d of %d logs", p.Logs, p.LogsTotal))
	}
	if p.BytesTotal > 0 {
		of = append(of, fmt.Sprintf("%s of %s", bytesShown(p.Bytes), bytesShown(p.BytesTotal)))
	}
	return fmt.Sprintf("recovering %s: %s, %s", p.Path, p.Phase, strings.Join(of, ", "))
}

func bytesShown(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, prefixes := float64(n)/unit, "KMGTP"
	for v >= unit && len(prefixes) > 1 {
		v, prefixes = v/unit, prefixes[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, prefixes[0])
}

// listenAdmin opens the port for those who watch. One who runs two nodes on a machine and
// said nothing of this port gets the second without it.
func (n *Node) listenAdmin() (err error) {
	if n.cfg.Admin == "" {
		return nil
	}
	n.admin, err = admin.Listen(admin.Config{
		Address: n.cfg.Admin, Live: n.live, Ready: n.ready,
		Metrics: metrics.New(n.snapshot).Handler(),
	})
	switch {
	case admin.Taken(err) && !n.cfg.AdminChosen:
		n.log.Warn("no metrics and no health from this node: somebody else has their port",
			"address", n.cfg.Admin, "do", "set tidemark.admin.address to another host:port, or to nothing")
		return nil
	case err != nil:
		return fmt.Errorf("node: tidemark.admin.address: %w", err)
	}
	n.log.Info("metrics and health", "on", n.admin.Addr().String())
	return nil
}

// AdminAddr is where metrics and health are answered, "" if nowhere.
func (n *Node) AdminAddr() string {
	if n.admin == nil {
		return ""
	}
	return n.admin.Addr().String()
}

// ask has the event loop answer something, and waits for it: not for ever, because a loop that
// hangs is what those who ask want to hear of. It must run.
func ask[T any](n *Node, what func() T) (answer T, ok bool) {
	answered := make(chan T, 1) // the loop never waits for who asked
	if !n.loop.Call(func() { answered <- what() }) {
		return answer, false
	}
	alarm := time.NewTimer(answerMax)
	defer alarm.Stop()
	select {
	case answer = <-answered:
		return answer, true
	case <-alarm.C:
		return answer, false
	}
}

// Alive tells whether the event loop answers. Before it runs and while it ends it need not.
func (n *Node) Alive() bool {
	if p := n.status.in(); p == phaseRecovering || p == phaseStopping {
		return true
	}
	_, ok := ask(n, func() struct{} { return struct{}{} })
	return ok || n.status.in() == phaseStopping
}

func (n *Node) live() admin.Health {
	if !n.Alive() {
		return admin.Health{Lines: []string{hangs}}
	}
	return admin.Health{OK: true, Lines: []string{"alive"}}
}

var hangs = fmt.Sprintf("the event loop has not answered for %s: a disk may hang", answerMax)

// ready says whether clients are served, and what of them is not.
func (n *Node) ready() admin.Health {
	switch n.status.in() {
	case phaseRecovering:
		if p := n.status.progress.Load(); p != nil {
			return admin.Health{Lines: []string{ProgressText(*p)}}
		}
		return admin.Health{Lines: []string{"starting"}}
	case phaseStopping:
		return admin.Health{Lines: []string{"stopping"}}
	}
	s, ok := ask(n, func() *broker.Stats { return n.broker.Stats(0) })
	switch {
	case !ok:
		return admin.Health{Lines: []string{hangs}}
	case s.Failure != nil:
		return admin.Health{Lines: []string{"failed: " + s.Failure.Error()}}
	case !s.Ready:
		return admin.Health{Lines: []string{"starting: the broker is not registered yet"}}
	}
	h := admin.Health{OK: true, Lines: []string{"ready"}}
	for _, d := range s.Dirs {
		switch {
		case d.Err != nil:
			h.Lines = append(h.Lines, fmt.Sprintf("log directory %s is not served: %v", d.Path, d.Err))
		case d.Tight:
			h.Lines = append(h.Lines, fmt.Sprintf("log directory %s takes no records: its volume is nearly full",
				d.Path))
		}
	}
	return h
}

// snapshot is what a scrape shows.
func (n *Node) snapshot() *metrics.Snapshot {
	s := &metrics.Snapshot{
		Version: n.opts.Version, NodeID: n.cfg.NodeID, Answered: true,
		BuffersHeld: n.buffers.Held(), BuffersIdle: n.buffers.Retained(), ConnsRefused: n.net.Refused(),
	}
	if n.status.in() == phaseRecovering {
		s.Recovering = n.status.progress.Load()
		return s
	}
	s.Broker, s.Answered = ask(n, func() *broker.Stats { return n.broker.Stats(metrics.TopicsMax) })
	if s.Broker == nil {
		return s
	}
	for _, d := range s.Broker.Dirs { // not in the loop: a file system may take its time
		s.FreeBytes = append(s.FreeBytes, n.disk.Free(d.Path))
	}
	return s
}
