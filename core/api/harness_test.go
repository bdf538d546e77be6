package api_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// bench is one broker on a simulated disk, whose clients, clock and disk speed the test has
// in its hand. It is smaller than a world of package sim: every step is the test's.
type bench struct {
	t       testing.TB
	stepper *simdisk.Stepper
	disk    *simdisk.Disk
	view    *simdisk.View
	static  map[string]string
	dirs    []string
	reserve int64 // bytes that the broker keeps free

	broker *broker.Broker
	timers map[env.TimerKey]env.Instant
	held   []func() // disk events that wait for release
	hold   bool
	wall   int64
	draws  uint64

	buffers   int // not yet released
	conns     map[string]*wire
	lastID    env.ConnID
	traces    []trace.Event
	failed    error  // of every write, once it is set
	failUnder string // the directory whose writes fail
	failPart  bool   // writes of unfinished snapshots fail
	watch     func(simdisk.Op)
	crowded   bool // memory for record bytes runs short
	// counting: replies are dropped unread, so that only the broker allocates.
	counting bool
	ids      map[string]kafka.TopicID
	session  int32 // the fetch session opened last
}

// wire is a client's end of a connection.
type wire struct {
	name        string
	id          env.ConnID
	correlation int32
	open        []kmsg.Request // asked, in order
	arrived     []string       // replies and news, in order
	replies     []kmsg.Response
	paused      bool
	closed      bool
	full        bool // the network takes no more
}

func newBench(t testing.TB) *bench {
	b := &bench{
		t: t, stepper: simdisk.NewStepper(), wall: 1_000_000,
		conns: map[string]*wire{}, ids: map[string]kafka.TopicID{}, dirs: []string{"/d"},
		static: map[string]string{},
	}
	b.newDisk(0)
	return b
}

// newDisk gives the bench an empty disk whose volumes have so many bytes, 0: without bounds.
func (b *bench) newDisk(capacity int64) {
	b.disk = simdisk.New(simdisk.Config{
		Schedule: b.schedule, Now: b.stepper.Now, Volumes: []string{"/d", "/e"}, Capacity: capacity,
		Fault: b.fault,
	})
}

func (b *bench) schedule(delay time.Duration, fn func()) {
	b.stepper.Schedule(delay, func() {
		if b.hold {
			b.held = append(b.held, fn)
			return
		}
		fn()
	})
}

func (b *bench) fault(op simdisk.Op) simdisk.Fault {
	if b.watch != nil {
		b.watch(op)
	}
	if b.failed != nil && op.Async && op.Kind != simdisk.OpRead {
		return simdisk.Fault{Err: b.failed}
	}
	if b.failPart && strings.HasSuffix(op.Path, ".part") && op.Kind != simdisk.OpRead {
		return simdisk.Fault{Err: env.ErrIO}
	}
	if b.failUnder != "" && strings.HasPrefix(op.Path, b.failUnder) && op.Kind != simdisk.OpRead {
		return simdisk.Fault{Err: env.ErrIO}
	}
	return simdisk.Fault{}
}

// boot starts a broker on what the disk holds and lets it register.
func (b *bench) boot() error {
	b.view = b.disk.Mount(func(done env.Completion) {
		b.broker.DiskDone(done)
		b.broker.Drained()
	})
	b.timers = map[env.TimerKey]env.Instant{}
	e := &env.Env{
		Clock: (*benchClock)(b), Net: (*benchNet)(b), Disk: b.view, Rand: (*benchRand)(b),
		Host: benchHost{}, Tracer: (*benchTracer)(b), Rare: calm{}, Buffers: (*benchBuffers)(b),
	}
	made, err := broker.New(broker.Config{
		Env: e, NodeID: 1, ClusterID: "Y2x1c3Rlci1vZi10ZXN0cw", LogDirs: b.dirs, Static: b.static,
		Listeners: []broker.Listener{
			{Name: "PLAINTEXT", Host: "one", Port: 9092}, {Name: "OUT", Host: "out", Port: 1},
		},
		Crowded: func() bool { return b.crowded },
		Log:     log.DirConfig{JournalFileBytes: 1 << 20, TailCacheBytes: 1 << 20, ReserveBytes: b.reserve},
	})
	if err != nil {
		return err
	}
	b.broker = made
	if err := made.Boot(); err != nil {
		return err
	}
	b.settle()
	return nil
}

func mustBoot(t testing.TB) *bench {
	b := newBench(t)
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	return b
}

// settle lets the disk finish what is in flight; the clock moves by what that takes.
func (b *bench) settle() { b.stepper.Run() }

// advance lets time pass, firing timers and disk events in their order.
func (b *bench) advance(d time.Duration) {
	end := b.stepper.Now().Add(d)
	for {
		key, at, ok := b.nextTimer()
		if !ok || at > end {
			break
		}
		b.stepper.Sleep(max(at.Sub(b.stepper.Now()), 0))
		if due, armed := b.timers[key]; !armed || due != at {
			continue
		}
		delete(b.timers, key)
		b.broker.TimerFired(key)
		b.broker.Drained()
	}
	b.stepper.Sleep(max(end.Sub(b.stepper.Now()), 0))
	b.settle()
}

func (b *bench) nextTimer() (key env.TimerKey, at env.Instant, ok bool) {
	for _, k := range slices.SortedFunc(maps.Keys(b.timers), func(x, y env.TimerKey) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID))
	}) {
		if !ok || b.timers[k] < at {
			key, at, ok = k, b.timers[k], true
		}
	}
	return key, at, ok
}

// release lets the held disk events happen.
func (b *bench) release() {
	b.hold = false
	held := b.held
	b.held = nil
	for _, fn := range held {
		fn()
	}
	b.settle()
}

// kill ends the process; restart boots anew on what is left.
func (b *bench) kill(powerLoss bool) {
	b.hold, b.held = false, nil
	if powerLoss {
		b.disk.PowerLoss()
	} else {
		b.disk.Kill()
	}
	b.conns = map[string]*wire{}
	b.buffers = 0
}

func (b *bench) conn(name string) *wire {
	if c := b.conns[name]; c != nil && !c.closed {
		return c
	}
	b.lastID++
	c := &wire{name: name, id: b.lastID}
	b.conns[name] = c
	listener := "PLAINTEXT"
	if strings.HasPrefix(name, "out") {
		listener = "OUT"
	}
	b.broker.ConnAccepted(c.id, env.ConnInfo{Class: env.ClassClient, Listener: listener, Remote: name})
	b.broker.Drained()
	return c
}

func (b *bench) wireOf(id env.ConnID) *wire {
	for _, name := range slices.Sorted(maps.Keys(b.conns)) {
		if b.conns[name].id == id {
			return b.conns[name]
		}
	}
	return nil
}

// send hands a request to the broker, as its network would.
func (b *bench) send(c *wire, req kmsg.Request) {
	c.correlation++
	c.open = append(c.open, req)
	b.sendFrame(c, frameOf(req, c.correlation, "test"))
}

func (b *bench) sendFrame(c *wire, frame []byte) {
	buf := (*benchBuffers)(b).Get(len(frame))
	copy(buf.Bytes(), frame)
	b.broker.FrameReceived(c.id, env.Received{Buffer: buf, Decoded: broker.Decode(env.ClassClient, buf.Bytes())})
	b.broker.Drained()
}

// ask sends a request and gives its reply, for tests that are not scripts.
func (b *bench) ask(req kmsg.Request) kmsg.Response {
	b.t.Helper()
	c := b.conn("ask")
	c.replies = nil
	b.send(c, req)
	b.settle()
	if len(c.replies) != 1 {
		b.t.Fatalf("%T: %d replies, closed=%v: %v", req, len(c.replies), c.closed, c.arrived)
	}
	return c.replies[0]
}

// frameOf writes a request frame as a client does.
func frameOf(req kmsg.Request, correlation int32, clientID string) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(req.Key()))
	b = binary.BigEndian.AppendUint16(b, uint16(req.GetVersion()))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint16(b, uint16(len(clientID)))
	b = append(b, clientID...)
	if req.IsFlexible() {
		b = append(b, 0)
	}
	return req.AppendTo(b)
}

// parseReply reads a reply frame strictly: the right correlation and every byte used.
func parseReply(req kmsg.Request, correlation int32, frame []byte) (kmsg.Response, error) {
	if len(frame) < 4 || int32(binary.BigEndian.Uint32(frame)) != correlation {
		return nil, fmt.Errorf("reply of %d bytes has not correlation %d", len(frame), correlation)
	}
	frame = frame[4:]
	resp := req.ResponseKind()
	if req.Key() == 18 && (req.GetVersion() > 4 || binary.BigEndian.Uint16(frame) == 35) {
		resp.SetVersion(0)
	} else if req.IsFlexible() && req.Key() != 18 {
		frame = frame[1:]
	}
	if err := resp.ReadFrom(frame); err != nil {
		return nil, fmt.Errorf("%T: %w", resp, err)
	}
	// The reader of kmsg ignores what follows; writing it again shows whether anything did.
	if again := resp.AppendTo(nil); len(again) != len(frame) {
		return nil, fmt.Errorf("%T v%d: %d bytes, read and written again %d", resp, resp.GetVersion(),
			len(frame), len(again))
	}
	return resp, nil
}

// The environment.

type (
	benchClock   bench
	benchNet     bench
	benchRand    bench
	benchTracer  bench
	benchBuffers bench
	benchHost    struct{}
	calm         struct{}
)

func (c *benchClock) Now() env.Instant { return c.stepper.Now() }
func (c *benchClock) WallMillis() int64 {
	return c.wall + int64(time.Duration(c.stepper.Now())/time.Millisecond)
}
func (c *benchClock) SetTimer(key env.TimerKey, at env.Instant) { c.timers[key] = at }
func (c *benchClock) ClearTimer(key env.TimerKey)               { delete(c.timers, key) }

func (r *benchRand) Uint64(string) uint64 {
	r.draws++
	return r.draws * 0x9e3779b97f4a7c15
}

func (benchHost) BootID() string                    { return "one" }
func (t *benchTracer) Trace(ev trace.Event)         { t.traces = append(t.traces, ev) }
func (calm) Rare(string) bool                       { return false }
func (*benchNet) Dial(env.Class, string) env.ConnID { panic("nobody is dialled") }

func (n *benchNet) Send(id env.ConnID, f env.Frame) bool {
	b := (*bench)(n)
	var frame []byte
	for _, c := range f.Chunks {
		if !b.counting {
			frame = append(frame, c.Bytes...)
		}
		if c.Owner != nil {
			c.Owner.Release()
		}
	}
	if b.counting {
		return true
	}
	w := b.wireOf(id)
	if w == nil || w.closed {
		return true
	}
	correlation := int32(binary.BigEndian.Uint32(frame))
	first := w.correlation - int32(len(w.open)) + 1
	// acks=0 leaves no reply: those asked before the one answered will never be.
	for first < correlation && len(w.open) > 0 {
		first++
		w.open = w.open[1:]
	}
	if len(w.open) == 0 {
		b.t.Fatalf("reply %d to nobody", correlation)
	}
	req := w.open[0]
	w.open = w.open[1:]
	resp, err := parseReply(req, correlation, frame)
	if err != nil {
		b.t.Fatal(err)
	}
	if f, ok := resp.(*kmsg.FetchResponse); ok && f.SessionID != 0 {
		b.session = f.SessionID
	}
	w.replies = append(w.replies, resp)
	w.arrived = append(w.arrived, fmt.Sprintf("%s %d ", w.name, correlation)+responseText(resp))
	return !w.full
}

func (n *benchNet) Pause(id env.ConnID)  { (*bench)(n).wireOf(id).paused = true }
func (n *benchNet) Resume(id env.ConnID) { (*bench)(n).wireOf(id).paused = false }

func (n *benchNet) Close(id env.ConnID) {
	if w := (*bench)(n).wireOf(id); w != nil && !w.closed {
		w.closed = true
		w.arrived = append(w.arrived, w.name+" closed\n")
	}
}

func (n *benchNet) CloseAfterSend(id env.ConnID) { n.Close(id) }

// benchBuffer poisons its bytes at the last release, so that a use after it shows.
type benchBuffer struct {
	home *benchBuffers
	refs int
	b    []byte
}

func (b *benchBuffers) Get(n int) env.Buffer {
	b.buffers++
	return &benchBuffer{home: b, refs: 1, b: make([]byte, n)}
}

func (b *benchBuffer) Bytes() []byte { return b.b }
func (b *benchBuffer) Retain()       { b.refs++ }
func (b *benchBuffer) Release() {
	b.refs--
	switch {
	case b.refs < 0:
		b.home.t.Fatal("buffer released too often")
	case b.refs == 0:
		b.home.buffers--
		for i := range b.b {
			b.b[i] = 0xdb
		}
	}
}
