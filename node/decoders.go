package node

import (
	"runtime"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/record"
)

// decoders judges frames on their readers' goroutines, with decoders that are used again:
// their buffers are what a compressed batch costs most, and thousands of connections shall
// not each keep some.
//
// A batch may inflate a thousandfold, and any number of clients may send such at once. So
// produces share as many decoders as there are cores, which is all that runs at one time
// anyway, and those take batches of a usual size. A batch that inflates to more is begun
// again by the one large decoder there is. Who sends those waits for those who do, too.
type decoders struct {
	usual chan decode
	other sync.Pool // frames without batches need no turn

	mu    sync.Mutex // held while large is used
	large decode     // nil until needed, and again when it was idle for a while
	idle  *time.Timer
}

type decode = func(class env.Class, frame []byte) any

func newDecoders() *decoders {
	d := &decoders{usual: make(chan decode, runtime.GOMAXPROCS(0))}
	for range cap(d.usual) {
		d.usual <- broker.NewDecoder(record.Limits{DecompressedMax: inflatedUsual, ScratchKeep: inflatedUsual + 1})
	}
	d.other.New = func() any { return broker.NewDecoder(record.Limits{}) }
	return d
}

// decode is the hook for frames; any goroutine may call it.
func (d *decoders) decode(class env.Class, frame []byte) any {
	if !mayHoldBatches(frame) {
		decode := d.other.Get().(decode)
		defer d.other.Put(decode)
		return decode(class, frame)
	}
	decode := <-d.usual
	decoded := decode(class, frame)
	d.usual <- decode
	if !broker.InflatesTooLarge(decoded) {
		return decoded
	}
	return d.decodeLarge(class, frame)
}

func (d *decoders) decodeLarge(class env.Class, frame []byte) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.large == nil {
		d.large = broker.NewDecoder(record.Limits{ScratchKeep: record.DecompressedMaxDefault + 1})
		d.idle = time.AfterFunc(largeDecoderIdle, d.dropLarge)
	}
	d.idle.Reset(largeDecoderIdle)
	return d.large(class, frame)
}

// dropLarge gives the memory back: a buffer made anew for each batch would cost it twice.
func (d *decoders) dropLarge() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.large = nil
}

// mayHoldBatches tells by the key, the first two bytes, whether a frame is a Produce.
func mayHoldBatches(frame []byte) bool { return len(frame) > 1 && frame[0] == 0 && frame[1] == 0 }
