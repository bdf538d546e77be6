package simulated

import (
	"fmt"
	"path"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim"
)

// probe is L4, sampled: if the power failed now and nothing survived that was not synced,
// would recovery find everything that was called durable? It recovers a copy of the synced
// image in a world of its own, so the real one takes no notice.
func (r *run) probe() {
	if r.budget.anyVoid() {
		return
	}
	r.counts["ledger/probes-offered"]++
	n := uint64(r.counts["ledger/probes-offered"])
	if r.choice.Of("probe").Below(n, probeEvery) != 0 {
		return
	}
	dirs, err := r.recoverAside()
	if err != nil {
		r.world.Fail("ledger.L4", "the synced image cannot be recovered: "+err.Error())
		return
	}
	for _, rep := range r.ledger.order {
		if rep.deleted || rep.flushOS || rep.durable == rep.start {
			continue
		}
		r.ledger.saw("L4")
		l := findLog(dirs, rep.tp)
		if l == nil {
			r.ledger.report("L4", rep, "not in the synced image, durable end is %d", rep.durable)
			return
		}
		if got := int64(l.End()); got < rep.durable {
			r.ledger.report("L4", rep, "the synced image ends at %d, durable end is %d", got, rep.durable)
			return
		}
		r.sameBytes(rep, l)
	}
}

// sameBytes compares what the synced image gives below the durable end.
func (r *run) sameBytes(rep *replica, l *log.Log) {
	// A start that was asked for may be durable before it is announced.
	if start := int64(l.Start()); start < rep.begins || start > rep.durable {
		r.ledger.report("L15", rep, "the synced image starts at %d, the log at %d, durable end is %d", start,
			rep.begins, rep.durable)
	}
	i := rep.from(int64(l.Start()))
	err := l.Scan(l.Start(), func(b record.Batch) error {
		if i >= len(rep.batches) || rep.batches[i].next > rep.durable {
			return nil
		}
		got := written{int64(b.BaseOffset()), int64(b.NextOffset()), int64(b.LeaderEpoch()), int64(b.CRC())}
		if got != rep.batches[i] {
			return fmt.Errorf("the synced image has batch %v, appended was %v", got, rep.batches[i])
		}
		i++
		return nil
	})
	if err != nil {
		r.ledger.report("L4", rep, "%v", err)
	}
}

func findLog(dirs []*log.Dir, tp kafka.TopicPartition) *log.Log {
	for _, dir := range dirs {
		if l := dir.Log(tp); l != nil {
			return l
		}
	}
	return nil
}

// recoverAside opens the log directories of a copy of the synced image.
func (r *run) recoverAside() (dirs []*log.Dir, err error) {
	aside := sim.NewWorld(sim.Config{Seed: r.world.Seed(), RareOff: true,
		BootFailed: func(_ *sim.Host, e error) { err = e }})
	host := aside.AddHost(sim.HostConfig{Name: brokerName, ID: brokerID, Volumes: r.s.Log.Directories,
		Boot: func(e *env.Env) (env.Handler, error) {
			for _, path := range r.logDirs() {
				dir, err := log.OpenDir(r.logConfig(e, path))
				if err != nil {
					return nil, err
				}
				dirs = append(dirs, dir)
			}
			return idle{}, nil
		}})
	err = r.broker.Disk().CopyDurable(host.Disk(), func(file string) bool {
		return path.Ext(file) != ".log" // of what is made from the log, a sector may be unreadable
	})
	if err != nil {
		return nil, err
	}
	host.Start(0)
	if runErr := aside.Run(1); runErr != nil {
		return nil, runErr
	}
	return dirs, err
}

// idle is a process that does nothing.
type idle struct{}

func (idle) TimerFired(env.TimerKey)                    {}
func (idle) ConnAccepted(env.ConnID, env.ConnInfo)      {}
func (idle) ConnDialed(env.ConnID, error)               {}
func (idle) FrameReceived(_ env.ConnID, f env.Received) { f.Buffer.Release() }
func (idle) ConnWritable(env.ConnID)                    {}
func (idle) ConnClosed(env.ConnID, error)               {}
func (idle) DiskDone(env.Completion)                    {}
func (idle) Drained()                                   {}
