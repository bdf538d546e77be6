package replica_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/replica"
)

// The stories of a follower alone: what a leader may answer, sensible or not, is the script.
func TestFollowerStories(t *testing.T) {
	tell(t, "testdata/follower", func() (*script, func()) {
		r := &followerRig{}
		return &r.script, r.command
	})
}

type followerRig struct {
	script

	now   env.Instant
	log   memLog
	f     *replica.Follower
	state replica.State
}

func (r *followerRig) number(key string, otherwise int) int { return arg(&r.script, key, otherwise) }

// runs reads key=(7:2:1,9:1:1): numbers in each of several groups.
func (r *followerRig) runs(key string) (runs [][]int) {
	for _, arg := range r.d.CmdArgs {
		if arg.Key != key {
			continue
		}
		for _, v := range arg.Vals {
			var run []int
			for _, s := range strings.Split(v, ":") {
				n, err := strconv.Atoi(s)
				if err != nil {
					r.d.Fatalf(r.t, "%s: %v", key, err)
				}
				run = append(run, n)
			}
			runs = append(runs, run)
		}
	}
	return runs
}

// command runs a command. An invariant that fires is part of the story.
func (r *followerRig) command() {
	defer func() {
		var v invariant.Violation
		if err, ok := recover().(error); ok && errors.As(err, &v) {
			r.printf("%s", v.Error())
		} else if err != nil {
			panic(err)
		}
	}()
	switch r.d.Cmd {
	case "follower":
		r.follow()
	case "answer":
		r.carryOut(r.f.Answered(r.now, r.answer()))
	case "state":
		r.state.PartitionEpoch++
		r.state.LeaderEpoch = kafka.LeaderEpoch(r.number("epoch", int(r.state.LeaderEpoch)))
		r.state.Leader = kafka.BrokerID(r.number("leader", 1))
		if r.d.HasArg("out") {
			r.state.ISR = []kafka.BrokerID{1}
		}
		r.carryOut(r.f.StateChanged(r.now, r.state))
	case "sync":
		r.log.durable = r.log.End()
		r.carryOut(r.f.Durable(r.now))
	case "damaged":
		var ranges []replica.Range
		for _, run := range r.runs("at") {
			ranges = append(ranges, replica.Range{From: kafka.Offset(run[0]), To: kafka.Offset(run[1])})
		}
		r.carryOut(r.f.Damaged(r.now, ranges))
	case "suspected":
		r.f.Suspected()
	case "fail":
		r.carryOut(r.f.LogFailed(r.now))
	case "truncated": // which nobody ordered
		r.log.truncate(kafka.Offset(r.number("to", 0)))
		r.carryOut(r.f.Truncated(r.now))
	case "pass":
		d, err := time.ParseDuration(r.d.CmdArgs[0].Key)
		if err != nil {
			r.d.Fatalf(r.t, "pass: %v", err)
		}
		r.now = r.now.Add(d)
		r.carryOut(r.f.Tick(r.now))
	default:
		r.d.Fatalf(r.t, "unknown command")
	}
	r.position()
}

// follow makes a follower whose log has runs of epoch:count.
func (r *followerRig) follow() {
	*r = followerRig{script: script{t: r.t, d: r.d}, now: r.now}
	r.log.restart(kafka.Offset(r.number("start", 0)))
	for _, run := range r.runs("log") {
		for range run[1] {
			r.log.append(memRecord{kafka.LeaderEpoch(run[0]), "x"})
		}
	}
	r.log.durable = r.log.End()
	r.state = replica.State{
		Leader: 1, LeaderEpoch: kafka.LeaderEpoch(r.number("epoch", 3)),
		Replicas: []kafka.BrokerID{1, 2}, ISR: []kafka.BrokerID{1, 2},
	}
	cfg := replica.FollowerConfig{Self: 2, BrokerEpoch: 20, Backoff: 320 * time.Millisecond}
	r.f = replica.NewFollower(r.now, cfg, r.state, &r.log, kafka.Offset(r.number("hw", 0)))
}

func (r *followerRig) answer() replica.Answer {
	at := r.log.End()
	if req, ok := r.f.Position(); ok {
		at = req.Offset
	}
	a := replica.Answer{
		Verdict: replica.Verdict{
			Diverging: replica.NoEpochEnd, HighWatermark: kafka.Offset(r.number("hw", 0)),
			LogStart: kafka.Offset(r.number("start", 0)), LogEnd: kafka.Offset(r.number("end", 100)),
		},
		LeaderEpoch: kafka.LeaderEpoch(r.number("epoch", int(r.state.LeaderEpoch))),
		From:        kafka.Offset(r.number("from", int(at))),
	}
	for _, run := range r.runs("diverging") {
		a.Diverging = replica.EpochEnd{Epoch: kafka.LeaderEpoch(run[0]), End: kafka.Offset(run[1])}
	}
	for _, run := range r.runs("batches") {
		a.Records = append(a.Records, batchOfMany(run[0], run[1], run[2])...)
	}
	for code, name := range map[kafka.ErrorCode]string{
		kafka.OffsetOutOfRange: "range", kafka.FencedLeaderEpoch: "fenced", kafka.UnknownLeaderEpoch: "unknown",
	} {
		if r.d.HasArg(name) {
			a.Code = code
		}
	}
	return a
}

func batchOfMany(base, count, epoch int) record.Batch {
	b := record.NewBuilder(record.Options{})
	for range count {
		b.Append(0, nil, []byte("y"), nil)
	}
	batch := slices.Clone(b.Build())
	batch.SetBaseOffset(kafka.Offset(base))
	batch.SetLeaderEpoch(kafka.LeaderEpoch(epoch))
	return batch
}

func (r *followerRig) carryOut(e *replica.FollowerEffects) {
	f, moved, again := r.f, e.HighWatermark, (*replica.FollowerEffects)(nil)
	if cut := e.Truncate; cut != nil {
		r.printf("truncate to %d restart=%t below-hw=%t", cut.To, cut.Restart, cut.BelowHighWatermark)
		if cut.Restart {
			r.log.restart(cut.To)
		} else {
			r.log.truncate(cut.To)
		}
		if e.Append == nil {
			again = f.Truncated(r.now)
		}
	}
	if e.RaiseStart != kafka.NoOffset {
		r.printf("log start to %d", e.RaiseStart)
		r.log.raiseStart(e.RaiseStart)
	}
	if e.Append != nil {
		for b := range batches(e.Append) {
			r.printf("append %d..%d epoch %d", b.BaseOffset(), b.LastOffset(), b.LeaderEpoch())
			for r.log.End() < b.NextOffset() {
				r.log.append(memRecord{b.LeaderEpoch(), "y"})
			}
		}
		again = f.Appended(r.now)
	}
	if e.Repair != nil {
		n := len(slices.Collect(batches(e.Repair.Records)))
		r.printf("repair %d..%d with %d batches", e.Repair.From, e.Repair.To, n)
		again = f.Repaired(r.now)
	}
	if moved {
		r.printf("hw=%d", f.HighWatermark())
	}
	if again != nil {
		r.carryOut(again)
	}
}

func (r *followerRig) position() {
	suspect := ""
	if r.f.Suspect() {
		suspect = ", suspect"
	}
	if req, ok := r.f.Position(); ok {
		r.printf("asks from %d after epoch %d, durable %d%s", req.Offset, req.LastEpoch, req.Durable, suspect)
	} else if reason, until, ok := r.f.Waits(); ok {
		r.printf("waits %s: %s%s", until.Sub(r.now), reason, suspect)
	} else {
		r.printf("asks nothing%s", suspect)
	}
}
