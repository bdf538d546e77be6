package replica_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// The stories of a leader alone: its followers, the controller and the disk are the script.
func TestLeaderStories(t *testing.T) {
	tell(t, "testdata/leader", func() (*script, func()) {
		r := &leaderRig{}
		return &r.script, r.command
	})
}

type leaderRig struct {
	script

	now      env.Instant
	log      memLog
	l        *replica.Leader
	state    replica.State
	cfg      replica.LeaderConfig
	hw       kafka.Offset
	proposal *replica.Proposal
}

func (r *leaderRig) text(key, otherwise string) string { return arg(&r.script, key, otherwise) }

func (r *leaderRig) number(key string, otherwise int64) int64 { return arg(&r.script, key, otherwise) }

// ids reads "1.2.3".
func (r *leaderRig) ids(key, otherwise string) (ids []kafka.BrokerID) {
	text := r.text(key, otherwise)
	if text == "" {
		return nil
	}
	for _, s := range strings.Split(text, ".") {
		n, err := strconv.Atoi(s)
		if err != nil {
			r.d.Fatalf(r.t, "%s: %v", key, err)
		}
		ids = append(ids, kafka.BrokerID(n))
	}
	return ids
}

// command runs a command. An invariant that fires is part of the story.
func (r *leaderRig) command() {
	defer func() {
		var v invariant.Violation
		if err, ok := recover().(error); ok && errors.As(err, &v) {
			r.printf("%s", v.Error())
		} else if err != nil {
			panic(err)
		}
	}()
	if wait := r.text("after", ""); wait != "" {
		d, err := time.ParseDuration(wait)
		if err != nil {
			r.d.Fatalf(r.t, "after: %v", err)
		}
		r.now = r.now.Add(d)
	}
	switch r.d.Cmd {
	case "leader":
		r.lead()
	case "append":
		for range r.number("n", 1) {
			r.log.append(memRecord{r.state.LeaderEpoch, "x"})
		}
		r.effects(r.l.LogAppended(r.now, r.log.End()))
	case "durable":
		r.log.durable = kafka.Offset(r.number("to", int64(r.log.End())))
		r.effects(r.l.Durable(r.now, r.log.durable))
	case "fail":
		r.l.LogFailed()
	case "start-at":
		r.log.raiseStart(kafka.Offset(r.number("to", 0)))
		r.effects(r.l.LogStartRaised(r.now, r.log.start))
	case "broker":
		r.broker()
	case "fetch":
		r.fetch()
	case "partition":
		r.change()
		r.effects(r.l.PartitionChanged(r.now, r.state))
	case "answer":
		r.answer()
	case "config":
		r.cfg.MinISR = int(r.number("min", 1))
		r.effects(r.l.Configured(r.now, r.cfg))
	case "tick":
		r.effects(r.l.Tick(r.now))
	case "prefer":
		racks := map[kafka.BrokerID]string{1: "a", 2: "b", 3: "b"}
		got := r.l.PreferredReplica(r.text("rack", ""), kafka.Offset(r.number("offset", 0)),
			func(b kafka.BrokerID) string { return racks[b] })
		r.printf("b%d", got)
	default:
		r.d.Fatalf(r.t, "unknown command")
	}
}

// lead makes a leader whose log is "epoch:count epoch:count …".
func (r *leaderRig) lead() {
	*r = leaderRig{script: script{t: r.t, d: r.d}, now: r.now}
	for _, run := range r.d.CmdArgs {
		if run.Key != "log" {
			continue
		}
		for _, v := range run.Vals {
			epoch, count, _ := strings.Cut(v, ":")
			e, _ := strconv.Atoi(epoch)
			n, _ := strconv.Atoi(count)
			for range n {
				r.log.append(memRecord{kafka.LeaderEpoch(e), "x"})
			}
		}
	}
	r.log.durable = r.log.End()
	r.state = replica.State{
		Leader: 1, LeaderEpoch: kafka.LeaderEpoch(r.number("epoch", 0)), PartitionEpoch: 10,
		Replicas: r.ids("replicas", "1.2.3"), ISR: r.ids("isr", "1.2.3"), ELR: r.ids("elr", ""),
	}
	if r.d.HasArg("directory") {
		r.state.Directories = []kafka.DirectoryID{{1}, {byte(r.number("directory", 0))}, {3}}
	}
	r.cfg = replica.LeaderConfig{
		Self: 1, MinISR: int(r.number("min", 2)), LagTimeMax: 30 * time.Second,
		ProposalTimeout: 5 * time.Second, RetryBackoff: 100 * time.Millisecond,
	}
	if err := r.cfg.Validate(); err != nil {
		r.t.Fatal(err)
	}
	if !r.d.HasArg("unbegun") {
		r.log.beginEpoch(r.state.LeaderEpoch, r.log.End())
	}
	r.hw = kafka.Offset(r.number("hw", 0))
	r.l = replica.NewLeader(r.now, r.cfg, r.state, &r.log, r.hw)
	for _, id := range r.state.Replicas[1:] {
		r.effects(r.l.BrokerChanged(r.now, replica.Broker{ID: id, Epoch: 100}))
	}
	r.effects(r.l.Start(r.now))
}

func (r *leaderRig) broker() {
	r.effects(r.l.BrokerChanged(r.now, replica.Broker{
		ID: kafka.BrokerID(r.number("b", 2)), Epoch: kafka.BrokerEpoch(r.number("broker-epoch", 100)),
		Fenced: r.d.HasArg("fenced"), ShuttingDown: r.d.HasArg("shutting-down"),
	}))
}

func (r *leaderRig) fetch() {
	at := r.number("at", 0)
	last := int64(-1)
	if at > 0 {
		last = int64(r.log.EpochAt(min(kafka.Offset(at), r.log.End()) - 1))
	}
	v, effects := r.l.FollowerFetched(r.now, replica.Fetch{
		Broker:      kafka.BrokerID(r.number("b", 2)),
		BrokerEpoch: kafka.BrokerEpoch(r.number("broker-epoch", 100)),
		Directory:   kafka.DirectoryID{byte(r.number("directory", 0))},
		LeaderEpoch: kafka.LeaderEpoch(r.number("epoch", int64(r.state.LeaderEpoch))),
		Offset:      kafka.Offset(at),
		LastEpoch:   kafka.LeaderEpoch(r.number("last", last)),
		Durable:     kafka.Offset(r.number("durable", at)),
	})
	switch {
	case v.Code != kafka.None:
		r.printf("%s", v.Code)
	case v.Diverging != replica.NoEpochEnd:
		r.printf("diverging: epoch %d ends at %d", v.Diverging.Epoch, v.Diverging.End)
	}
	r.effects(effects)
}

// change makes the next committed state.
func (r *leaderRig) change() {
	r.state.ISR = r.ids("isr", "1.2.3")
	r.state.ELR = r.ids("elr", "")
	r.state.PartitionEpoch += int32(r.number("newer", 1))
	r.state.LeaderEpoch = kafka.LeaderEpoch(r.number("epoch", int64(r.state.LeaderEpoch)))
}

func (r *leaderRig) answer() {
	id := uint64(r.number("id", int64(r.proposal.ID)))
	code := kafka.None
	switch name := r.text("code", "none"); name {
	case "none":
		r.state.ISR = nil
		for _, m := range r.proposal.ISR {
			r.state.ISR = append(r.state.ISR, m.ID)
		}
		r.state.PartitionEpoch++
	case "ineligible":
		code = kafka.IneligibleReplica
	case "stale":
		code = kafka.InvalidUpdateVersion
	case "timeout":
		code = kafka.RequestTimedOut
	default:
		r.d.Fatalf(r.t, "no code %q", name)
	}
	r.effects(r.l.ProposalAnswered(r.now, id, code, r.state))
}

func (r *leaderRig) effects(e *replica.LeaderEffects) {
	if e.HighWatermark {
		r.printf("hw=%d->%d", r.hw, r.l.HighWatermark())
	}
	r.hw = r.l.HighWatermark()
	if e.TooFewInSync {
		r.printf("too few in sync: NOT_ENOUGH_REPLICAS_AFTER_APPEND")
	}
	if p := e.Propose; p != nil {
		ids := make([]string, len(p.ISR))
		for i, m := range p.ISR {
			ids[i] = fmt.Sprint(m.ID)
		}
		r.printf("propose #%d isr=%s after partition-epoch=%d", p.ID, strings.Join(ids, ","), p.PartitionEpoch)
		r.proposal = p
	}
	if at, ok := r.l.Deadline(); ok && slices.Contains([]string{"tick", "append"}, r.d.Cmd) {
		r.printf("tick due in %s", at.Sub(r.now))
	}
}
