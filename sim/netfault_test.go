package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// pair is a client c1 that pings a server b1, for a second already.
type pair struct {
	*sim.World
	t              *testing.T
	server, client *sim.Host
	echo           **echo
	pinger         **pinger
}

func newPair(t *testing.T, cfg sim.Config) *pair {
	t.Helper()
	p := &pair{World: sim.NewWorld(cfg), t: t}
	p.server, p.echo = addEcho(p.World, "b1", echoAddr)
	p.client, p.pinger = addPinger(p.World, "c1", echoAddr, 10*time.Millisecond)
	p.server.Start(0)
	p.client.Start(time.Millisecond)
	p.run(time.Second)
	require.Greater(t, (*p.pinger).got, uint64(50))
	return p
}

func (p *pair) run(d time.Duration) {
	p.t.Helper()
	require.NoError(p.t, p.Run(p.Now().Add(d)))
}

// gets lets time pass and returns how many pings came back in it, and how many arrived.
func (p *pair) gets(d time.Duration) (back uint64, there int) {
	p.t.Helper()
	b, a := (*p.pinger).got, (*p.echo).got
	p.run(d)
	return (*p.pinger).got - b, (*p.echo).got - a
}

func (p *pair) count(kind string) sim.FaultCount {
	for _, c := range p.FaultCounts() {
		if c.Kind == kind {
			return c
		}
	}
	return sim.FaultCount{Kind: kind}
}

func cut(from, to string, d simnet.Disruption) simnet.Cut {
	return simnet.Cut{From: []string{from}, To: []string{to}, Disruption: d}
}

func TestCutDropsOneDirectionAndTheStreamNeverRecovers(t *testing.T) {
	for _, from := range []string{"c1", "b1"} {
		to := map[string]string{"c1": "b1", "b1": "c1"}[from]
		p := newPair(t, sim.Config{})
		f := p.Net().Cut(cut(from, to, simnet.Disruption{}))
		require.Nil(t, p.Net().Cut(cut(from, to, simnet.Disruption{})), "a cut link is not cut again")
		back, there := p.gets(time.Minute)
		require.LessOrEqual(t, back, uint64(1))
		require.LessOrEqual(t, there, 2)
		require.Equal(t, sim.FaultFired, f.Level)
		p.Net().Heal(f)
		back, _ = p.gets(time.Minute)
		require.Zero(t, back, "nobody gave up: silence for ever")
		require.Zero(t, (*p.pinger).ends)
		require.True(t, f.Ended)
		p.client.Restart(0)
		p.run(time.Millisecond)
		back, _ = p.gets(time.Second)
		require.Greater(t, back, uint64(50), "a new connection works")
	}
}

// The reply's direction is cut: the server's frames are lost, and the client's are not
// acknowledged. Both kernels give up; the first to do so tells nobody while the cut lasts.
func TestCutMakesBothKernelsGiveUp(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.Net().Cut(cut("b1", "c1", simnet.Disruption{GiveUp: 5 * time.Second}))
	p.run(4900 * time.Millisecond)
	require.Zero(t, (*p.pinger).ends)
	p.run(200 * time.Millisecond)
	require.Equal(t, 1, (*p.pinger).ends)
	require.Equal(t, uint64(2), p.Net().Stats().GaveUp)
	require.Equal(t, sim.FaultObserved, f.Level)
}

func TestAcknowledgementsMayHaveAnotherWay(t *testing.T) {
	for _, c := range []struct {
		name    string
		d       simnet.Disruption
		gaveUp  bool
		blocked bool
	}{
		{"lost", simnet.Disruption{GiveUp: 5 * time.Second}, true, false},
		{"lost, and nobody gives up", simnet.Disruption{}, false, true},
		{"another way", simnet.Disruption{GiveUp: 5 * time.Second, AckOpen: true}, false, false},
		{"healed in time", simnet.Disruption{GiveUp: 5 * time.Second, For: 4 * time.Second}, false, false},
		{"jammed", simnet.Disruption{GiveUp: 5 * time.Second, Mode: simnet.Jam}, false, false},
	} {
		a, o := &acceptor{}, &observer{}
		w := sim.NewWorld(sim.Config{Net: simnet.Config{SendBuffer: 16 << 20}})
		observed(w, a, o)
		w.After(time.Second, "cut", func() { w.Net().Cut(cut("b1", "c1", c.d)) })
		require.NoError(t, w.Run(env.Instant(0).Add(30*time.Second)), c.name)
		require.Equal(t, c.gaveUp, o.closed > 0, c.name)
		if c.gaveUp {
			require.ErrorIs(t, o.err, simnet.ErrTimeout)
			require.Zero(t, a.closed, "what the kernel says to the server is not lost, only unasked: %s", c.name)
		}
		require.Equal(t, c.blocked, o.full, c.name)
	}
}

// observed adds an observer on c1 that sends to an acceptor on b1.
func observed(w *sim.World, a *acceptor, o *observer) {
	w.AddHost(sim.HostConfig{Name: "b1", ID: 1,
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
		Boot:   func(*env.Env) (env.Handler, error) { return a, nil }}).Start(0)
	w.AddHost(sim.HostConfig{Name: "c1", ID: -1, Boot: func(e *env.Env) (env.Handler, error) {
		o.env = e
		o.conn = e.Net.Dial(env.ClassClient, echoAddr)
		return o, nil
	}}).Start(time.Millisecond)
}

func TestCutLinksDropNewDials(t *testing.T) {
	for _, both := range []struct{ from, to string }{{"c1", "b1"}, {"b1", "c1"}} {
		for _, mode := range []simnet.Mode{simnet.Stop, simnet.Jam} {
			a, o := &acceptor{}, &observer{}
			w := sim.NewWorld(sim.Config{Net: simnet.Config{DialTimeout: 7 * time.Second}})
			observed(w, a, o)
			w.Net().Cut(cut(both.from, both.to, simnet.Disruption{Mode: mode}))
			require.NoError(t, w.Run(env.Instant(0).Add(30*time.Second)))
			require.ErrorIs(t, o.dialErr, simnet.ErrTimeout)
			require.Equal(t, env.Instant(0).Add(7*time.Second+time.Millisecond), o.dialed)
			require.Equal(t, sim.FaultObserved, w.ActiveFaults()[0].Level)
			w.Net().HealAll()
			require.Empty(t, w.ActiveFaults())
		}
	}
}

func TestProcessDiesUnheardBehindACut(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.Net().Cut(cut("b1", "c1", simnet.Disruption{}))
	p.server.Kill()
	p.run(time.Minute)
	require.Zero(t, (*p.pinger).ends, "the reset is lost")
	p.Net().Heal(f)
	p.server.Start(0)
	p.run(5 * time.Second)
	require.Equal(t, 1, (*p.pinger).ends, "the kernel answers what the client sends again")
}

func TestJamKeepsAndDeliversInABurst(t *testing.T) {
	p := newPair(t, sim.Config{})
	jam := simnet.Disruption{Mode: simnet.Jam, For: 20 * time.Second, GiveUp: time.Second}
	f := p.Net().Cut(cut("c1", "b1", jam))
	back, there := p.gets(19 * time.Second)
	require.LessOrEqual(t, back, uint64(1))
	require.LessOrEqual(t, there, 1)
	back, _ = p.gets(2 * time.Second)
	require.Greater(t, back, uint64(50))
	require.Zero(t, (*p.pinger).ends+(*p.pinger).bad)
	require.Zero(t, p.Net().Stats().FramesLost)
	require.True(t, f.Ended)
}

func TestSlowMultipliesTheDelay(t *testing.T) {
	p := newPair(t, sim.Config{Net: simnet.Config{DelayMin: time.Millisecond, DelayMax: time.Millisecond}})
	p.Net().Cut(simnet.Cut{Both: true, From: []string{"b1"},
		Disruption: simnet.Disruption{Mode: simnet.Slow, Factor: 500}})
	back, _ := p.gets(10 * time.Second)
	require.InDelta(t, 10, float64(back), 1.1, "a second each way and back")
	p.Net().HealAll()
	p.run(time.Second)
	back, _ = p.gets(10 * time.Second)
	require.Greater(t, back, uint64(500), "the link remembers nothing")
}

// cluster is five servers b0…b4 and clients c0, c1, of which nobody does anything.
func cluster(seed uint64) *sim.World {
	w := sim.NewWorld(sim.Config{Seed: seed})
	boot := func(*env.Env) (env.Handler, error) { return silent{}, nil }
	for i := range 5 {
		class := env.ClassClient
		if i == 4 {
			class = env.ClassPeer // a controller alone
		}
		w.AddHost(sim.HostConfig{Name: fmt.Sprint("b", i), ID: int32(i), Boot: boot, Rack: fmt.Sprint("r", i%2),
			Listen: []sim.Listener{{Class: class, Name: "L", Addr: fmt.Sprintf("b%d:1", i)}}})
	}
	for i := range 2 {
		w.AddHost(sim.HostConfig{Name: fmt.Sprint("c", i), ID: -1, Boot: boot})
	}
	return w
}

// matrix draws who reaches whom: one row per sender.
func matrix(w *sim.World) string {
	var b strings.Builder
	for _, from := range w.Hosts() {
		for _, to := range w.Hosts() {
			switch {
			case from == to:
				b.WriteByte('o')
			case w.Net().Passes(from.Name(), to.Name(), env.ClassClient):
				b.WriteByte('+')
			default:
				b.WriteByte('.')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPartitionShapes(t *testing.T) {
	whole := matrix(cluster(0))
	for seed := range uint64(20) {
		for _, p := range []simnet.Partition{
			{Shape: simnet.Isolate, Node: "b2"}, {Shape: simnet.Halves}, {Shape: simnet.Bridge, Node: "b1"},
			{Shape: simnet.Ring}, {Shape: simnet.Minority, Node: "b3"}, {Shape: simnet.Controllers},
			{Shape: simnet.Clients}, {Shape: simnet.Sides, Side: []string{"b0", "c0"}},
			{Shape: simnet.Halves, OneWay: true},
		} {
			w := cluster(seed)
			f := w.Net().Partition(p)
			require.NotNil(t, f, "%s", p.Shape)
			rows := strings.Split(matrix(w), "\n")
			seen := func(i int) int { return strings.Count(rows[i][:5], "+") + strings.Count(rows[i][:5], "o") }
			switch {
			case p.OneWay:
				require.Contains(t, f.Scope, ">")
			case p.Shape == simnet.Isolate:
				require.Equal(t, "..o....", rows[2])
				require.Equal(t, 4, seen(0))
			case p.Shape == simnet.Bridge:
				require.Equal(t, 5, seen(1))
				require.Less(t, seen(0), 5)
			case p.Shape == simnet.Ring:
				for i := range 5 {
					require.Equal(t, 3, seen(i), "a majority")
					for j := range i {
						require.NotEqual(t, plus(rows[i]), plus(rows[j]), "no two the same")
					}
				}
			case p.Shape == simnet.Minority:
				require.Less(t, seen(3), 3)
			case p.Shape == simnet.Controllers:
				require.Equal(t, "....o++", rows[4])
			case p.Shape == simnet.Clients:
				require.Equal(t, 2, seen(5))
				require.Equal(t, 5, seen(0))
			case p.Shape == simnet.Sides:
				require.Equal(t, "o....+.", rows[0])
			}
			w.Net().Heal(f)
			require.Equal(t, whole, matrix(w))
		}
	}
}

func plus(row string) string { return strings.ReplaceAll(row, "o", "+") }

func TestPartitionCanFlapAndPrefersTheLeader(t *testing.T) {
	w := cluster(1)
	whole := matrix(w)
	f := w.Net().Partition(simnet.Partition{Shape: simnet.Isolate, Flap: time.Second,
		Disruption: simnet.Disruption{For: 10 * time.Second}})
	for i := range 10 {
		require.Equal(t, i%2 == 1, matrix(w) == whole, "second %d", i)
		require.NoError(t, w.Run(w.Now().Add(time.Second)))
	}
	require.True(t, f.Ended)
	require.NoError(t, w.Run(w.Now().Add(3*time.Second)))
	require.Equal(t, whole, matrix(w))

	leader := 0
	for seed := range uint64(200) {
		w := cluster(seed)
		w.Net().Prefer(func() string { return "b0" })
		if f := w.Net().Partition(simnet.Partition{}); strings.HasPrefix(f.Scope, "isolate:b0|") {
			leader++
		}
	}
	require.InDelta(t, 120, leader, 25, "one half, and a fifth of the other")
}

func TestClogStopsOneSideOfAHostAndLosesNothing(t *testing.T) {
	for _, receive := range []bool{false, true} {
		p := newPair(t, sim.Config{})
		p.Net().Clog(simnet.Clog{Host: "b1", Receive: receive, For: 5 * time.Second})
		back, there := p.gets(4 * time.Second)
		require.LessOrEqual(t, back, uint64(1))
		require.LessOrEqual(t, there, 1)
		p.run(2 * time.Second)
		back, _ = p.gets(time.Second)
		require.Greater(t, back, uint64(50))
		require.Zero(t, (*p.pinger).bad+(*p.pinger).ends)
		require.Equal(t, uint64(1), p.count("net.clog").Fired)
	}
}

func TestClogOfAConnection(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.Net().ClogConn("c1", (*p.pinger).conn, 5*time.Second)
	back, _ := p.gets(4900 * time.Millisecond)
	require.LessOrEqual(t, back, uint64(1))
	require.Equal(t, sim.FaultFired, f.Level)
	p.run(time.Second)
	back, _ = p.gets(time.Second)
	require.Greater(t, back, uint64(50))

	clogs := simnet.Config{ClogMean: 2 * time.Second, ClogFor: 100 * time.Millisecond}
	drawn := newPair(t, sim.Config{Net: clogs})
	drawn.run(time.Minute)
	require.Greater(t, drawn.count("net.clog-conn").Fired, uint64(10))
	require.Zero(t, (*drawn.pinger).bad+(*drawn.pinger).ends)
}

func TestSwizzleClogsHalfOfTheHostsAndLetsGo(t *testing.T) {
	w := cluster(3)
	whole := matrix(w)
	f := w.Net().Swizzle(8 * time.Second)
	most := 0
	for range 16 {
		require.NoError(t, w.Run(w.Now().Add(500*time.Millisecond-time.Nanosecond)))
		most = max(most, strings.Count(matrix(w), "."))
		require.NoError(t, w.Run(w.Now()+1))
	}
	require.Equal(t, 7*6-3*2, most, "all links but those among the other three")
	require.Equal(t, whole, matrix(w))
	require.True(t, f.Ended)
}

func TestLostReplyComesAfterTheServerActed(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.Net().LoseReply("b1", "c1")
	p.run(time.Second)
	require.Equal(t, 1, (*p.pinger).ends)
	require.Equal(t, uint64((*p.echo).got), (*p.pinger).got+1, "done, and the client does not know")
	require.Equal(t, sim.FaultObserved, f.Level)

	drawn := newPair(t, sim.Config{Net: simnet.Config{ReplyLost: 0.01}})
	drawn.run(10 * time.Second)
	require.Greater(t, drawn.count("net.reply-lost").Observed, uint64(3))
}

// talker sends a frame that says which connection it is on, and then closes that and dials
// again.
type talker struct {
	silent
	env *env.Env
	n   byte
}

func (k *talker) ConnDialed(c env.ConnID, err error) {
	k.n++
	k.env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: []byte{k.n}}}})
	if k.n == 1 {
		k.env.Net.Close(c)
		k.env.Net.Dial(env.ClassClient, echoAddr)
	}
}

// listener notes what it hears.
type listener struct {
	silent
	heard []byte
	ends  []error
}

func (l *listener) FrameReceived(_ env.ConnID, f env.Received) {
	l.heard = append(l.heard, f.Buffer.Bytes()[0])
	f.Buffer.Release()
}

func (l *listener) ConnClosed(_ env.ConnID, err error) { l.ends = append(l.ends, err) }

func TestOldConnectionSpeaksAfterTheNewOne(t *testing.T) {
	for _, late := range []bool{false, true} {
		w := sim.NewWorld(sim.Config{Seed: 4})
		l := &listener{}
		w.AddHost(sim.HostConfig{Name: "b1", ID: 1,
			Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
			Boot:   func(*env.Env) (env.Handler, error) { return l, nil }}).Start(0)
		w.AddHost(sim.HostConfig{Name: "c1", ID: -1, Boot: func(e *env.Env) (env.Handler, error) {
			e.Net.Dial(env.ClassClient, echoAddr)
			return &talker{env: e}, nil
		}}).Start(time.Millisecond)
		var f *sim.Fault
		if late {
			f = w.Net().LateClose("c1", "b1", 3*time.Second)
		}
		require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
		if !late {
			require.NotContains(t, string(l.heard), "\x02\x01")
			continue
		}
		require.Equal(t, []byte{2}, l.heard)
		require.NoError(t, w.Run(env.Instant(0).Add(time.Minute)))
		require.Equal(t, []byte{2, 1}, l.heard)
		require.Equal(t, []error{simnet.ErrClosed}, l.ends)
		require.Equal(t, sim.FaultObserved, f.Level)
	}
}

func TestNarrowLinkIsAFaultWithAnEnd(t *testing.T) {
	p := newPair(t, sim.Config{})
	(*p.pinger).size = 10_000
	p.Net().Narrow(simnet.Narrow{
		Both: true, From: []string{"c1"}, BytesPerSecond: 10_000, For: 20 * time.Second})
	back, _ := p.gets(20 * time.Second)
	require.InDelta(t, 10, float64(back), 2, "a second there and one back")
	p.run(2 * time.Second)
	back, _ = p.gets(time.Second)
	require.Greater(t, back, uint64(50))

	drawn := newPair(t, sim.Config{Net: simnet.Config{NarrowChance: 1}})
	require.Equal(t, uint64(2), drawn.count("net.narrow").Fired)
}

func TestCorruptFrameDiffersInOneBitBehindTheHeader(t *testing.T) {
	for _, sure := range []bool{false, true} {
		cfg := sim.Config{}
		if sure {
			cfg.Net.Corrupt = 1
		}
		w := sim.NewWorld(cfg)
		seen := map[int]int{}
		w.AddHost(sim.HostConfig{Name: "b1", ID: 1,
			Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
			Decode: func(_ env.Class, b []byte) any {
				flips := 0
				for i := range b {
					if b[i] != 0 {
						require.GreaterOrEqual(t, i, simnet.CorruptFrom)
						require.Zero(t, b[i]&(b[i]-1))
						flips++
					}
				}
				seen[flips]++
				return nil
			},
			Boot: func(*env.Env) (env.Handler, error) { return &acceptor{}, nil }}).Start(0)
		o := &observer{}
		w.AddHost(sim.HostConfig{Name: "c1", ID: -1, Boot: func(e *env.Env) (env.Handler, error) {
			o.env = e
			o.conn = e.Net.Dial(env.ClassClient, echoAddr)
			return o, nil
		}}).Start(time.Millisecond)
		require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
		want := map[bool]int{false: 0, true: 1}[sure]
		require.Len(t, seen, 1)
		require.Greater(t, seen[want], 900)
	}
}
