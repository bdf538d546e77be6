package replica_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// The stories of several replicas: leaders, followers, crashes, and a controller that is only
// as good as what it is told. The ghost watches after every line.
func TestClusterStories(t *testing.T) {
	datadriven.Walk(t, "testdata/cluster", func(t *testing.T, path string) {
		s := &story{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			return s.command()
		})
	})
}

type story struct {
	t *testing.T
	d *datadriven.TestData
	c *cluster
}

func (s *story) number(key string, otherwise int64) int64 {
	if s.d.HasArg(key) {
		s.d.ScanArgs(s.t, key, &otherwise)
	}
	return otherwise
}

// nodes reads b=1 or b=(1,2); all of them if there is no b.
func (s *story) nodes() (nodes []*node) {
	for _, arg := range s.d.CmdArgs {
		if arg.Key == "b" {
			for _, v := range arg.Vals {
				id, err := strconv.Atoi(v)
				if err != nil {
					s.d.Fatalf(s.t, "b: %v", err)
				}
				nodes = append(nodes, s.c.node(kafka.BrokerID(id)))
			}
		}
	}
	if nodes == nil {
		return s.c.nodes
	}
	return nodes
}

func (s *story) command() (out string) {
	defer func() {
		var v invariant.Violation
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.As(err, &v) {
				panic(p)
			}
			out = strings.Join(append(s.c.lines, v.Error()), "\n") + "\n"
		}
	}()
	if s.d.Cmd == "cluster" {
		s.c = newCluster(s.t, int(s.number("n", 3)), int(s.number("min", 2)), s.d.HasArg("os"))
		s.c.ctl.unclean = s.d.HasArg("unclean")
	}
	s.c.lines = nil
	if s.d.Cmd == "show" {
		return s.c.String()
	}
	if !s.once() {
		for range s.number("times", 1) {
			for _, n := range s.nodes() {
				s.at(n)
			}
		}
	}
	s.c.drain()
	s.c.ghost.check()
	return strings.Join(append(s.c.lines, ""), "\n")
}

// once runs a command that is about no node.
func (s *story) once() bool {
	if i := int(s.number("i", 0)); i >= len(s.c.net) {
		switch s.d.Cmd {
		case "deliver", "drop", "again":
			s.c.logf("nothing is on its way")
			return true
		}
	}
	switch s.d.Cmd {
	case "cluster":
	case "deliver":
		for range s.number("times", 1) {
			s.c.deliver(s.c.take(int(s.number("i", 0))))
			s.c.drain()
		}
	case "deliver-all":
		for len(s.c.net) > 0 {
			s.c.deliver(s.c.take(0))
			s.c.drain()
		}
	case "drop":
		s.c.take(int(s.number("i", 0)))
	case "again":
		s.c.deliver(s.c.net[s.number("i", 0)])
	case "pass":
		d, err := time.ParseDuration(s.d.CmdArgs[0].Key)
		if err != nil {
			s.d.Fatalf(s.t, "pass: %v", err)
		}
		s.c.advance(d)
	case "net":
		s.net()
	case "heal":
		s.c.heal()
		s.c.ghost.quiet()
		s.c.lines = nil
	default:
		return false
	}
	return true
}

func (s *story) at(n *node) {
	c := s.c
	switch s.d.Cmd {
	case "produce", "append":
		var values string
		s.d.ScanArgs(s.t, "v", &values)
		for _, v := range values {
			s.write(n, string(v))
		}
	case "sync":
		n.sync(n.log.End())
	case "flush":
		n.flush()
	case "fetch":
		c.exchange(n)
	case "send":
		n.fetch()
	case "read":
		n.readImages(int(s.number("images", 1<<20)))
	case "kill":
		n.kill()
	case "power":
		n.power()
	case "start":
		n.start()
		n.readImages(1 << 20)
	case "fence":
		c.ctl.fence(n.id)
		c.logf("controller: %s", c.ctl.state)
	case "unfence":
		c.unfence(n)
	case "elect":
		c.ctl.move(n.id)
		c.logf("controller: %s", c.ctl.state)
	case "delete":
		to := kafka.Offset(s.number("to", 0))
		c.ghost.start = to
		n.log.raiseStart(to)
		n.ledEffects(n.leader.LogStartRaised(c.now, to))
		n.grew()
	case "rot":
		s.rot(n)
	default:
		s.d.Fatalf(s.t, "unknown command")
	}
}

func (s *story) write(n *node, v string) {
	if s.d.Cmd == "append" {
		n.append(v)
		n.ledEffects(n.leader.LogAppended(s.c.now, n.log.End()))
		n.grew()
	} else if !n.produce(v) {
		s.c.logf("b%d takes no acks=all", n.id)
	}
	if s.c.os {
		n.sync(n.log.End())
	}
}

// rot damages records of a follower, which finds out.
func (s *story) rot(n *node) {
	r := replica.Range{From: kafka.Offset(s.number("from", 0)), To: kafka.Offset(s.number("to", 0))}
	for o := r.From; o < r.To; o++ {
		n.log.records[o-n.log.start].value = rot
	}
	n.lost = true // a loss event that nobody has heard of
	n.followEffects(n.follower.Damaged(s.c.now, []replica.Range{r}))
}

// net lists what is on its way.
func (s *story) net() {
	for i, m := range s.c.net {
		what := "proposal or its answer"
		switch {
		case m.request != nil:
			what = fmt.Sprintf("request %d/%d with %d parts", m.request.Session, m.request.Seq, len(m.request.Parts))
		case m.reply != nil:
			what = fmt.Sprintf("reply %d/%d with %d parts", m.reply.Session, m.reply.Seq, len(m.reply.Parts))
		}
		s.c.logf("%d: b%d to b%d: %s", i, m.from, m.to, what)
	}
}
