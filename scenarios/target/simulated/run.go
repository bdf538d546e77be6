package simulated

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/checker"
	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/workload"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// Options change what a run shows, never what happens in it.
type Options struct {
	// Trace, if set, gets every trace event as a line.
	Trace io.Writer
	// Memory, if set, is used by this run and free again after it. Runs one after the other
	// are faster with the same one.
	Memory *sim.Memory
}

const (
	brokerID   = 1
	brokerName = "b1"
	brokerPort = 9092
	listener   = "PLAINTEXT"
)

// run is one run under way.
type run struct {
	s      *scenarios.Scenario
	choice engine.Choice

	world    *sim.World
	broker   *sim.Host
	process  *broker.Broker // of the last boot
	clients  *sim.Host
	workload *workload.Workload
	recorder *history.Recorder

	cond    *conditions
	nemesis *nemesis
	ledger  *ledger
	budget  *budget
	// how often the device deceived a process: so far, and before the boot under way
	deceived, deceivedBefore int
	refused                  bool  // the broker will not start any more, and is right
	kinds                    []int // trace events of the broker by kind
	counts                   map[string]int
	result                   *scenarios.Result
}

// Run runs the scenario with that seed. Two runs give equal results;
// Real is the caller's to measure.
func Run(s *scenarios.Scenario, seed uint64, opt Options) *scenarios.Result {
	r := &run{s: s, counts: map[string]int{}, result: &scenarios.Result{Scenario: s.Name, Seed: seed}}
	r.build(seed, opt.Memory)
	if opt.Trace != nil {
		r.world.TraceTo(opt.Trace)
	}
	r.drive()
	r.workload.Close() // again is harmless, and a run that ended early must free its fibers
	r.finish()
	return r.result
}

// Runner runs seeds of the scenario one after the other, in one memory.
func Runner(s *scenarios.Scenario) func(seed uint64) *scenarios.Result {
	opts := Options{Memory: new(sim.Memory)}
	return func(seed uint64) *scenarios.Result { return Run(s, seed, opts) }
}

// build makes the world of the seed.
func (r *run) build(seed uint64, memory *sim.Memory) {
	choice := engine.NewChoice(seed).Of("scenario")
	r.cond = drawConditions(r.s, choice)
	f := &r.cond.faults
	cfg := sim.Config{Seed: seed, RareOff: !f.Rare, Memory: memory,
		Net: r.cond.net, Clock: r.cond.clock, Process: r.cond.process,
		BootFailed: func(_ *sim.Host, err error) { r.bootFailed(err) }}
	cfg.Disk = simdisk.Config{FS: simdisk.Strict, WriteBackMean: time.Duration(f.WriteBack), Faults: r.cond.disk,
		Allow: func(ev simdisk.FaultEvent) bool { return r.budget.allowDisk(ev) }}
	if len(f.Script) > 0 { // a story whose end is known
		cfg.Disk.WriteBackMean, cfg.Disk.Survival = 0, simdisk.Survival{None: 1}
	}
	if f.FS == scenarios.FSExt4 || f.FS == scenarios.FSDrawn && choice.Of("fs").Chance(0, 0.5) {
		cfg.Disk.FS = simdisk.Ext4
	}
	r.choice = choice
	r.budget = &budget{run: r, mode: f.Budget, indexes: map[string]bool{}}
	r.world = sim.NewWorld(cfg)
	r.world.OnFault(r.budget.allow)
	r.recorder = history.NewRecorder(r.s.Name, seed, func() int64 { return int64(r.world.Now()) })
	r.ledger = newLedger(r)
	r.world.OnTrace(r.observe)
	r.broker = r.world.AddHost(sim.HostConfig{Name: brokerName, ID: brokerID, Boot: r.bootBroker,
		Volumes: r.s.Log.Directories, Decode: broker.Decode,
		Listen: []sim.Listener{{Class: env.ClassClient, Name: listener, Addr: r.addr()}}})
	r.nemesis = &nemesis{run: r, choice: choice.Of("nemesis")}

	mix := r.s.Workload(r.draw)
	mix.Bootstrap, mix.Patience = []string{r.addr()}, r.cond.clients.patience
	w, err := workload.New(mix, r.recorder)
	if err != nil {
		r.end(scenarios.Broken, err.Error(), "")
		w, _ = workload.New(workload.Config{Bootstrap: mix.Bootstrap}, r.recorder)
	}
	r.workload = w
	r.clients = r.world.AddHost(sim.HostConfig{Name: "clients", ID: -1, Boot: w.Boot})
}

func (r *run) addr() string { return brokerName + ":" + strconv.Itoa(brokerPort) }

// draw picks what the scenario leaves open.
func (r *run) draw(what string, n int) int {
	return int(r.choice.Of("config").Of(what).Below(0, uint64(n)))
}

// bootBroker starts a life of the broker.
func (r *run) bootBroker(e *env.Env) (env.Handler, error) {
	static := scenarios.Pick(r.s.Config, "broker", r.draw)
	if _, said := static["log.retention.ms"]; !said { // clocks that are a year off may delete, lawfully
		static = maps.Clone(static)
		if static == nil {
			static = map[string]string{}
		}
		static["log.retention.ms"] = "-1"
	}
	b, err := broker.New(broker.Config{
		Env: e, NodeID: kafka.BrokerID(brokerID), LogDirs: r.logDirs(), Static: static,
		Listeners: []broker.Listener{{Name: listener, Host: brokerName, Port: brokerPort}},
		Log:       r.logSizes(),
	})
	if err != nil {
		return nil, err
	}
	r.process = b
	if err := b.Boot(); err != nil {
		return nil, err
	}
	return b, nil
}

// logSizes are small, so that journals and segments turn over within a run.
func (r *run) logSizes() log.DirConfig {
	cfg := log.DirConfig{
		JournalFileBytes: r.s.Log.JournalFileBytes.Pick("journal-file-bytes", r.draw),
		JournalFiles:     int(r.s.Log.JournalFiles.Pick("journal-files", r.draw)),
		TailCacheBytes:   r.s.Log.TailCacheBytes.Pick("tail-cache-bytes", r.draw),
	}
	if cfg.JournalFileBytes == 0 {
		cfg.JournalFileBytes = journalFileBytes
	}
	return cfg
}

// logDirs are the broker's log directories: its volumes, which the world names.
func (r *run) logDirs() []string {
	dirs := make([]string, r.s.Log.Directories)
	for i := range dirs {
		dirs[i] = "/disk" + strconv.Itoa(i)
	}
	return dirs
}

// logConfig is how a process with that environment opens a log directory.
func (r *run) logConfig(e *env.Env, dir string) log.DirConfig {
	cfg := r.logSizes()
	cfg.Path, cfg.Env, cfg.Node, cfg.TagBase = dir, e, kafka.BrokerID(brokerID), 1<<56
	return cfg.Defaults()
}

// drive lets the story happen: setup, faults, heal, rest, clean stop.
func (r *run) drive() {
	w := r.world
	r.broker.Start(0)
	r.clients.Start(0)
	ready, err := w.RunUntil(env.Instant(setupMax), func() bool {
		return r.workload.Ready() ||
			r.workload.Err() != nil
	})
	switch {
	case r.failed(err):
		return
	case r.workload.Err() != nil:
		r.end(scenarios.Broken, r.workload.Err().Error(), "")
		return
	case !ready:
		r.end(scenarios.Stuck, "the topics were not there after "+setupMax.String(), strings.Join(w.LastTrace(),
			"\n"))
		return
	}
	r.nemesis.begin()
	if r.failed(w.Run(w.Now().Add(time.Duration(r.s.Duration)))) {
		return
	}
	r.nemesis.heal()
	r.clients.Do(r.workload.Stop)
	rest, err := w.RunUntil(w.Now().Add(time.Duration(r.s.Recovery)), func() bool {
		return r.workload.Idle() || r.refused
	})
	if r.failed(err) || r.refused {
		return
	}
	if !rest && !r.s.Checks.MayStall && !r.budget.anyVoid() {
		r.end(scenarios.Stuck, fmt.Sprintf("not at rest %s after the last fault: %s", r.s.Recovery,
			strings.Join(r.workload.Waiting(), ", ")), strings.Join(w.LastTrace(), "\n"))
		return
	}
	r.stopBroker()
}

// stopBroker sends the clients away and stops cleanly; from then on all there is lies on the
// disk. A broker that is still busy may refuse: then it is started and asked again.
func (r *run) stopBroker() {
	w := r.world
	r.nemesis.over = true
	r.workload.Close()
	r.clients.Kill()
	for range stopsMax {
		live, err := w.RunUntil(w.Now().Add(stopMax), r.broker.Live)
		if r.failed(err) || !live || r.failed(w.Run(w.Now().Add(stopPause))) {
			break
		}
		quiet := false
		r.broker.Do(func() { r.process.Quiesce(func() { quiet = true }) })
		_, err = w.RunUntil(w.Now().Add(stopMax), func() bool { return quiet || !r.broker.Up() })
		if r.failed(err) {
			break
		}
		refused := false
		r.broker.Stop(func() error {
			err := r.process.Stop()
			refused = err != nil
			return err
		})
		down, err := w.RunUntil(w.Now().Add(stopMax), func() bool { return !r.broker.Up() })
		if r.failed(err) || down && !refused {
			return
		}
		r.counts["run/stop-refused"]++
		r.broker.Start(0)
	}
	r.end(scenarios.Stuck, "the broker did not stop cleanly", strings.Join(w.LastTrace(), "\n"))
}

// failed notes the world's failure, if err is one.
func (r *run) failed(err error) bool {
	if err == nil {
		return r.result.Status != ""
	}
	var f *sim.Failure
	if !errors.As(err, &f) {
		r.end(scenarios.Broken, err.Error(), "")
		return true
	}
	status := scenarios.Crashed
	switch {
	case f.Host == ghostHost:
		status = scenarios.Violated
	case f.Name == sim.FailureSpin:
		status = scenarios.Stuck
	}
	r.end(status, f.Name+": "+f.Detail, f.Report())
	return true
}

// ghostHost is how the world names what was not a host.
const ghostHost = "world"

func (r *run) end(status scenarios.Status, verdict, report string) {
	if r.result.Status == "" {
		r.result.Status, r.result.Verdict, r.result.Report = status, verdict, report
	}
}

// observe sees every trace event as it happens.
func (r *run) observe(ev *trace.Event) {
	if ev.Node != brokerID {
		return
	}
	for int(ev.Kind) >= len(r.kinds) {
		r.kinds = append(r.kinds, 0)
	}
	r.kinds[ev.Kind]++
	d := &r.cond.disk
	if d.WrongRead+d.SyncLie+d.LostWriteBack > 0 && (ev.Kind == kindHostStart || ev.Kind == kindRecovered) {
		r.noteDeceit(ev)
	}
	if ev.Kind == kindPowerLoss {
		r.counts["disk/ops-dropped"] += int(ev.N[1])
		r.counts["disk/ops-torn"] += int(ev.N[2])
	}
	r.ledger.observe(ev)
	r.nemesis.observe(ev)
}

// finish judges the run and counts what happened in it.
func (r *run) finish() {
	res := r.result
	res.Hash, res.Simulated = r.world.Hash(), time.Duration(r.world.Now())
	res.History = r.recorder.Finish()
	if res.Status == "" {
		r.judge()
	}
	r.count()
	if !r.failed(r.world.Release()) {
		res.Status = scenarios.Green
	}
	res.Counts = r.counts
}

// judge compares what the clients saw with what is stored.
func (r *run) judge() {
	res := r.result
	stored, err := r.readStored()
	if err != nil {
		r.end(scenarios.Violated, "stored: "+err.Error(), "")
		return
	}
	for _, note := range append(r.ledger.compare(stored), checkIndexes(stored, r.budget.indexes, r.counts)...) {
		r.end(scenarios.Violated, note, "")
	}
	r.honest()
	res.Final = stored.final()
	res.Checked = checker.Check(res.History, checker.Options{Final: res.Final, Fresh: !r.s.Checks.Prefix,
		Healed: !r.s.Checks.MayStall, Allowed: r.s.Checks.Allow, Voided: r.budget.voided(),
		AllVoid: r.budget.all})
	for _, a := range res.Checked.Anomalies {
		if a.Allowed {
			r.counts["void/"+a.Check]++
		}
	}
	switch outcome, verdict := res.Checked.Status(); outcome {
	case checker.Violated:
		r.end(scenarios.Violated, verdict, res.Checked.Render(res.History))
	case checker.Inconclusive:
		r.end(scenarios.Inconclusive, verdict, res.Checked.Render(res.History))
	}
}

// count gathers the coverage of the run under the names that goals use.
func (r *run) count() {
	for kind, n := range r.kinds {
		if n > 0 {
			r.counts["trace/"+trace.Kind(kind).Name()] = n
		}
	}
	for _, fc := range r.world.FaultCounts() {
		r.counts["fault/"+fc.Kind] += int(fc.Fired)
		r.counts["observed/"+fc.Kind] += int(fc.Observed)
	}
	for _, class := range r.cond.classes {
		r.counts["swarm/"+string(class)]++
	}
	for rule, n := range r.ledger.checked { // into a map again
		r.counts["ledger/"+rule] += n
	}
	for _, rc := range r.world.RareCounts() {
		r.counts["rare/"+rc.Name] = int(rc.Fired)
	}
	if r.result.Checked != nil {
		for _, c := range r.result.Checked.Counters {
			r.counts["check/"+c.Check] += c.N
		}
	}
	r.countOps()
}

// countOps counts what the history shows.
func (r *run) countOps() {
	found := map[history.Value]bool{}
	if r.result.Final != nil {
		for i := range r.result.Final.Partitions {
			p := &r.result.Final.Partitions[i]
			gapless := int64(len(p.Records)) == p.End && len(p.Records) > 0
			for _, rec := range p.Records {
				found[rec.Value] = true
			}
			if gapless {
				r.counts["run/offsets-without-gap"]++
			}
		}
	}
	type outcome struct {
		kind   history.Kind
		result history.Result
	}
	ended := map[outcome]int{}
	defer func() {
		for o, n := range ended { // into a map again
			r.counts["op/"+o.kind.String()+"-"+o.result.String()] += n
		}
	}()
	for i := range r.result.History.Ops {
		o := &r.result.History.Ops[i]
		ended[outcome{o.Kind, o.Result}]++
		if o.Kind != history.Produce {
			continue
		}
		for j := range o.Attempts {
			if r.cond.clients.patience > 0 && o.Attempts[j].Error == workload.GaveUp {
				r.counts["run/impatient"]++
			}
		}
		if len(o.Attempts) > 1 {
			r.counts["run/retried"]++
		}
		if o.Result == history.Info && found[o.Records[0].Value] {
			r.counts["run/unknown-found-in-log"]++
		}
	}
}
