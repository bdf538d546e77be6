package raft_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// TestStories runs the scripts in testdata. Every command prints what the machines wanted done.
// A node is written as its id and the letter of its directory: 1a. Verbs:
//
//	cluster nodes=1a,2a,3a [voters=1?,2?] [retry=20ms]
//	                         machines that are down; the voters are all of them. Who knows no
//	                         leader asks around at every retry, which is once a minute
//	start 1 2 · crash 1 [keep=N] · lose 1 from=N · replace 1b
//	tick 1 · tick 500ms      a timer's time has come; time passes for all, without timers
//	deliver [2->1] [twice] [keep]
//	                         everything under way, or of one link; not what follows from it;
//	                         with keep a copy of it stays under way
//	drop [2->1] · sync 1 [N] · serve 1 [batches] · break 1 2 (1 sees its connection to 2 break)
//	run 2s [loud]            all of that by itself; only decisions are shown, unless loud
//	cut 1 · heal [1]         isolate nodes
//	propose 1 [N] · snapshot 1 [keep] · resign 1 · add 1 4a · remove 1 2a
//	state · log 1 · mail     describe the nodes, a log, what is under way
func TestStories(t *testing.T) {
	judged := map[string]int{}
	defer func() { everyLawWasJudged(t, judged) }()
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &script{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			if s.world != nil {
				s.world.t = t
				s.world.ghost.seen = judged
			}
			s.lines = nil
			if out := s.do(d); out != "" {
				s.lines = append(s.lines, strings.TrimSpace(out))
			}
			return strings.Join(s.lines, "\n")
		})
	})
}

// A law whose premise never holds says nothing.
func everyLawWasJudged(t *testing.T, judged map[string]int) {
	for _, law := range laws12 {
		if judged[law] == 0 {
			t.Errorf("no story puts %s to the test", law)
		}
	}
}

var laws12 = []string{"Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "Q10", "Q11", "Q12"}

type script struct {
	*world
	t     *testing.T
	lines []string
	quiet bool
}

func (s *script) do(d *datadriven.TestData) string {
	verbs := map[string]func(args []string) string{
		"cluster": s.cluster, "start": s.start, "crash": s.crash, "lose": s.lose, "replace": s.replace,
		"tick": s.tick, "deliver": s.deliverAll, "drop": s.drop, "sync": s.sync, "serve": s.serve,
		"run": s.let, "cut": s.isolate, "heal": s.healAll, "propose": s.propose, "snapshot": s.snapshot,
		"resign": s.resign, "add": s.addVoter, "remove": s.removeVoter, "state": s.state, "log": s.log,
		"mail": s.mail, "break": s.breakConnection,
	}
	verb := verbs[d.Cmd]
	if verb == nil {
		s.t.Fatalf("%s: no verb %q", d.Pos, d.Cmd)
	}
	args := make([]string, len(d.CmdArgs))
	for i, a := range d.CmdArgs {
		args[i] = a.String()
	}
	return verb(args)
}

func (s *script) cluster(args []string) string {
	nodes := s.voters(strings.TrimPrefix(args[0], "nodes="))
	boot, retry := nodes, time.Minute
	for _, a := range args[1:] {
		if list, ok := strings.CutPrefix(a, "voters="); ok {
			boot = s.voters(list)
		}
		if d, ok := strings.CutPrefix(a, "retry="); ok {
			retry, _ = time.ParseDuration(d)
		}
	}
	s.world = newWorld(s.t, boot)
	s.world.retry = retry
	for _, v := range nodes {
		s.world.add(v)
	}
	s.world.rand = func(h *host, _ string) uint64 {
		return uint64(h.me.ID) * uint64(100*time.Millisecond) // 1 stands after 1.1 s, 2 after 1.2 s
	}
	s.world.saw = s.show
	return ""
}

func (s *script) voters(list string) []raft.Voter {
	var all []raft.Voter
	for text := range strings.SplitSeq(strings.Trim(list, "()"), ",") {
		all = append(all, s.voter(strings.TrimSpace(text)))
	}
	return all
}

func (s *script) voter(text string) raft.Voter {
	id, err := strconv.Atoi(text[:len(text)-1])
	if err != nil {
		s.t.Fatalf("%q is no node", text)
	}
	if text[len(text)-1] == '?' {
		return raft.Voter{ID: kafka.BrokerID(id)}
	}
	return voter(kafka.BrokerID(id), text[len(text)-1])
}

func (s *script) node(text string) *host {
	id, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatalf("%q is no node id", text)
	}
	return s.host(kafka.BrokerID(id))
}

func (s *script) start(args []string) string {
	for _, a := range args {
		h := s.node(a)
		h.now = s.together()
		h.start()
	}
	return ""
}

func (s *script) crash(args []string) string {
	h := s.node(args[0])
	keep := 0
	if len(args) > 1 {
		keep, _ = strconv.Atoi(strings.TrimPrefix(args[1], "keep="))
	}
	h.crash(min(keep, len(h.todo)))
	return ""
}

func (s *script) lose(args []string) string {
	from, _ := strconv.Atoi(strings.TrimPrefix(args[1], "from="))
	s.node(args[0]).loses(kafka.Offset(from))
	return ""
}

func (s *script) replace(args []string) string {
	v := s.voter(args[0])
	h := s.host(v.ID)
	h.me, h.disk = v, image{}
	return ""
}

func (s *script) tick(args []string) string {
	if d, err := time.ParseDuration(args[0]); err == nil && strings.HasSuffix(args[0], "s") {
		now := s.together()
		for _, h := range s.hosts {
			h.now = now.Add(d)
		}
		return ""
	}
	h := s.node(args[0])
	h.tick()
	return ""
}

// link parses 2->1; nil holds for every packet.
func (s *script) onLink(args []string) func(packet) bool {
	for _, a := range args {
		if from, to, ok := strings.Cut(a, "->"); ok {
			return func(p packet) bool { return p.from.ID.String() == from && p.to.String() == to }
		}
	}
	return func(packet) bool { return true }
}

func (s *script) deliverAll(args []string) string {
	match := s.onLink(args)
	var now []packet
	s.net = slices.DeleteFunc(s.net, func(p packet) bool {
		if match(p) {
			now = append(now, p)
		}
		return match(p) && !slices.Contains(args, "keep")
	})
	if slices.Contains(args, "twice") {
		now = append(now, now...)
	}
	for _, p := range now {
		s.net = append(s.net, p)
		s.deliver(len(s.net)-1, false)
	}
	return ""
}

func (s *script) drop(args []string) string {
	s.net = slices.DeleteFunc(s.net, s.onLink(args))
	return ""
}

func (s *script) sync(args []string) string {
	h := s.node(args[0])
	n := len(h.todo)
	if len(args) > 1 {
		n, _ = strconv.Atoi(args[1])
	}
	h.sync(min(n, len(h.todo)))
	return ""
}

func (s *script) serve(args []string) string {
	limit := 3
	if len(args) > 1 {
		limit, _ = strconv.Atoi(args[1])
	}
	for h := s.node(args[0]); len(h.read) > 0; {
		h.serve(0, limit)
	}
	return ""
}

func (s *script) breakConnection(args []string) string {
	h := s.node(args[0])
	h.do(h.m.Disconnected(h.now, s.node(args[1]).me.ID))
	return ""
}

func (s *script) let(args []string) string {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		s.t.Fatal(err)
	}
	s.quiet = !slices.Contains(args, "loud")
	s.world.run(d)
	s.quiet = false
	return ""
}

func (s *script) isolate(args []string) string {
	for _, a := range args {
		s.world.cut[s.node(a).me.ID] = true
	}
	return ""
}

func (s *script) healAll(args []string) string {
	if len(args) == 0 {
		clear(s.world.cut)
	}
	for _, a := range args {
		delete(s.world.cut, s.node(a).me.ID)
	}
	return ""
}

func (s *script) propose(args []string) string {
	n := 1
	if len(args) > 1 {
		n, _ = strconv.Atoi(args[1])
	}
	return answer(s.node(args[0]).propose(n))
}

func (s *script) snapshot(args []string) string {
	s.node(args[0]).takeSnapshot(!slices.Contains(args, "keep"))
	return ""
}

func (s *script) resign(args []string) string {
	h := s.node(args[0])
	h.do(h.m.Resign(h.now))
	return ""
}

func (s *script) addVoter(args []string) string {
	h := s.node(args[0])
	effects, code := h.m.AddVoter(h.now, s.voter(args[1]))
	h.do(effects)
	return answer(code)
}

func (s *script) removeVoter(args []string) string {
	h := s.node(args[0])
	effects, code := h.m.RemoveVoter(h.now, s.voter(args[1]))
	h.do(effects)
	return answer(code)
}

func answer(code kafka.ErrorCode) string {
	if code == kafka.None {
		return ""
	}
	return "refused: " + code.String()
}

func (s *script) state([]string) string { return s.describe() }

func (s *script) log(args []string) string {
	var b strings.Builder
	for _, x := range s.node(args[0]).live.log {
		fmt.Fprintln(&b, batchText(x))
	}
	return b.String()
}

func (s *script) mail([]string) string {
	var b strings.Builder
	for _, p := range s.net {
		fmt.Fprintf(&b, "%s -> %d %s\n", name(p.from), p.to, messageText(p.msg))
	}
	return b.String()
}

// show renders an effect; timers are in testdata only by what they bring about.
func (s *script) show(h *host, e raft.Effect) {
	text, chatter := effectText(e)
	if text != "" && !(chatter && s.quiet) {
		s.lines = append(s.lines, name(h.me)+" "+text)
	}
}
