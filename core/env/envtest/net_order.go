package envtest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
)

var netOrderCases = []netCase{
	{"frames arrive whole and in order, both ways", framesArriveInOrder},
	{"chunks of a frame are joined, and each owner is released once", chunksAreJoined},
	{"a region of a file is sent as its bytes", fileRegionIsSent},
	{"a received buffer belongs to the receiver until it is released", receivedBufferIsOwned},
	{"the decode hook sees the frame", decodeHookIsCalled},
	{"an inbound connection tells its class and listener", inboundTellsWhereItCameIn},
	{"Drained follows what happened", drainedFollows},
}

var frameSizes = []int{1, 2, 3, 4, 5, 100, 1000, 4096, 8191, 65537, 1 << 20, 3 << 20, 7, 12}

func framesArriveInOrder(b *netBench) {
	c, s := b.connect()
	for i, n := range frameSizes {
		b.send(b.client, c, body(i, n))
		b.send(b.server, s, body(1000+i, n))
	}
	for _, side := range []struct {
		p     *peer
		c     env.ConnID
		first int
	}{{b.server, s, 0}, {b.client, c, 1000}} {
		b.await(side.p, "all frames", func() bool { return len(side.p.conn(side.c).frames) == len(frameSizes) })
		side.p.do(func() {
			for i, got := range side.p.conn(side.c).frames {
				if !bytes.Equal(got, body(side.first+i, frameSizes[i])) {
					b.Fatalf("%s: frame %d of %d bytes differs (%d bytes came)", side.p.name, i, frameSizes[i], len(got))
				}
			}
		})
	}
}

func chunksAreJoined(b *netBench) {
	c, s := b.connect()
	var want []byte
	var owners []func() int
	b.client.do(func() {
		var f env.Frame
		for i := range 40 {
			part := body(i, 1+i*i*10)
			want = append(want, part...)
			chunk := env.Chunk{Bytes: part}
			if i%2 == 0 {
				owner, released := b.Owner()
				owners = append(owners, released)
				chunk.Owner = owner
			}
			f.Chunks = append(f.Chunks, chunk, env.Chunk{})
		}
		b.Client.Env.Net.Send(c, f)
	})
	b.await(b.server, "the frame", func() bool { return len(b.server.conn(s).frames) == 1 })
	b.server.do(func() {
		if !bytes.Equal(b.server.conn(s).frames[0], want) {
			b.Fatal("the joined frame differs")
		}
	})
	b.awaitReleases(owners)
}

// awaitReleases waits until each owner was released, and sees that it was so once.
func (b *netBench) awaitReleases(owners []func() int) {
	b.Helper()
	b.await(b.client, "all owners released", func() bool {
		return !slices.ContainsFunc(owners, func(released func() int) bool { return released() == 0 })
	})
	b.settle()
	for i, released := range owners {
		if released() != 1 {
			b.Fatalf("owner %d was released %d times", i, released())
		}
	}
}

// memoryFile is a file that only knows Pread.
type memoryFile struct {
	env.File
	bytes []byte
}

func (f *memoryFile) Pread(buf []byte, off int64) (int, error) {
	return copy(buf, f.bytes[min(off, int64(len(f.bytes))):]), nil
}

func fileRegionIsSent(b *netBench) {
	c, s := b.connect()
	file := &memoryFile{bytes: body(1, 100_000)}
	b.client.do(func() {
		b.Client.Env.Net.Send(c, env.Frame{Chunks: []env.Chunk{
			{Bytes: []byte("head")}, {File: file, Off: 1234, Len: 56_789}, {Bytes: []byte("tail")}}})
	})
	b.await(b.server, "the frame", func() bool { return len(b.server.conn(s).frames) == 1 })
	want := append(append([]byte("head"), file.bytes[1234:1234+56_789]...), "tail"...)
	b.server.do(func() {
		if !bytes.Equal(b.server.conn(s).frames[0], want) {
			b.Fatal("the frame differs")
		}
	})
}

func receivedBufferIsOwned(b *netBench) {
	c, _ := b.connect()
	var kept []env.Buffer
	b.server.do(func() {
		b.server.onFrame = func(_ env.ConnID, f env.Received) {
			f.Buffer.Retain()
			f.Buffer.Release()
			kept = append(kept, f.Buffer)
		}
	})
	const frames = 200
	for i := range frames {
		b.send(b.client, c, body(i, 100+i))
	}
	b.await(b.server, "all frames", func() bool { return len(kept) == frames })
	b.server.do(func() {
		for i, buffer := range kept {
			if !bytes.Equal(buffer.Bytes(), body(i, 100+i)) {
				b.Fatalf("buffer %d changed while it was held", i)
			}
			buffer.Release()
		}
	})
}

// NetDecode is the hook that the factory gives to both processes.
func NetDecode(class env.Class, frame []byte) any {
	return fmt.Sprintf("%s %d %x", class, len(frame), frame[0])
}

func decodeHookIsCalled(b *netBench) {
	c, _ := b.connect()
	var decoded any
	b.server.do(func() {
		b.server.onFrame = func(_ env.ConnID, f env.Received) {
			decoded = f.Decoded
			f.Buffer.Release()
		}
	})
	b.send(b.client, c, []byte{0xab, 1, 2})
	b.await(b.server, "a frame", func() bool { return decoded != nil })
	if want := NetDecode(env.ClassClient, []byte{0xab, 1, 2}); decoded != want {
		b.Fatalf("decoded %v, want %v", decoded, want)
	}
}

func inboundTellsWhereItCameIn(b *netBench) {
	_, s := b.connect()
	b.server.do(func() {
		info := b.server.conn(s).info
		if info.Class != env.ClassClient || info.Listener != "PLAINTEXT" || info.Remote == "" {
			b.Fatalf("accepted with %+v", info)
		}
	})
}

func drainedFollows(b *netBench) {
	c, s := b.connect()
	before := 0
	b.server.do(func() { before = b.server.drained })
	b.send(b.client, c, []byte("x"))
	b.await(b.server, "a frame", func() bool { return len(b.server.conn(s).frames) == 1 })
	b.await(b.server, "drained", func() bool { return b.server.drained > before })
}
