package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// benchCase is a kind of load.
type benchCase struct {
	name  string
	about string
	setup func(Options) string
	run   func(context.Context, *run) error
	// starts: the case starts the server itself, which must not run before.
	starts bool
}

// run is one measurement under way.
type run struct {
	target  Target
	o       Options
	figures Figures
	latency *hdrhistogram.Histogram
}

var inOrder = []benchCase{
	{name: "produce", setup: setupProduce, run: produce,
		about: "as fast as acknowledgements let a client library write"},
	{name: "flood", setup: setupFlood, run: flood,
		about: "ready-made batches on bare connections: what the server can take"},
	{name: "latency", setup: setupOpenLoop, run: latency,
		about: "acknowledgements at a fixed rate, each timed from when its record was due"},
	{name: "e2e", setup: setupOpenLoop, run: endToEnd, about: "the same, timed where a consumer has the record"},
	{name: "consume", setup: setupConsume, run: consume,
		about: "fill a topic, then read it all on a bare connection"},
	{name: "start", about: "from the start of a server to its first acknowledgement, and how it idles",
		setup: func(Options) string { return "" }, run: start, starts: true},
}

var cases = func() map[string]benchCase {
	m := map[string]benchCase{}
	for _, c := range inOrder {
		m[c.name] = c
	}
	return m
}()

// CaseNames lists the cases in the order of the help.
func CaseNames() []string {
	names := make([]string, len(inOrder))
	for i, c := range inOrder {
		names[i] = c.name
	}
	return names
}

// About says in words what a case measures.
func About(name string) string { return cases[name].about }

func setupTopic(o Options) string {
	return fmt.Sprintf("%d-byte records, %s, replication %d, acks=%s, codec %s", o.Size,
		counted(o.Partitions, "partition"), o.Replicas, o.Acks, o.Codec)
}

func setupProduce(o Options) string {
	return fmt.Sprintf("%s, %s, linger %v, %s", setupTopic(o), o.Spread, o.Linger, counted(o.Clients, "client"))
}

func setupFlood(o Options) string {
	return fmt.Sprintf("%s, batches of %d bytes, %s, %d in flight on each", setupTopic(o), o.Batch,
		counted(o.Clients, "connection"), o.InFlight)
}

func setupOpenLoop(o Options) string {
	return fmt.Sprintf("%s, %d records a second, linger 0", setupTopic(o), o.Rate)
}

func setupConsume(o Options) string {
	return fmt.Sprintf("%s, %d MiB in batches of %d bytes", setupTopic(o), o.Fill>>20, o.Batch)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// payloads are values that compress about as well as lines of a log do.
func payloads(size int) [][]byte {
	words := strings.Fields("level=info level=warn method=GET method=POST path=/v1/orders path=/v1/carts " +
		"status=200 status=404 region=north region=south cache=hit cache=miss user= order= took_us=")
	random := rand.New(rand.NewPCG(uint64(size), 1))
	values := make([][]byte, min(payloadsKept, max(1, (64<<20)/size)))
	for i := range values {
		var b strings.Builder
		for b.Len() < size {
			fmt.Fprintf(&b, "%s%x ", words[random.IntN(len(words))], random.Uint32())
		}
		values[i] = []byte(b.String()[:size])
	}
	return values
}

// firstError keeps the first error of work that goes on in several goroutines.
type firstError struct {
	mu  sync.Mutex // guards err
	err error
}

func (f *firstError) set(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// eventually looks every millisecond whether something holds.
func eventually(ctx context.Context, holds func() bool) error {
	for !holds() {
		if err := sleep(ctx, time.Millisecond); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return errors.New("waited too long")
			}
			return err
		}
	}
	return nil
}
