package envtest

import (
	"bytes"
	"encoding/binary"

	"github.com/tidemark-log/tidemark/core/env"
)

var netEndCases = []netCase{
	{"a dial that nobody answers ends with an error, and nothing follows", dialIsRefused},
	{"Close is heard once by the other end and not by this one", closeIsHeardOnce},
	{"Close is idempotent, and nothing is sent or received after it", nothingAfterClose},
	{"Close from within FrameReceived ends the frames", closeFromWithinHandler},
	{"Close during the dial keeps it silent", closeDuringDial},
	{"both ends may close at once", bothClose},
	{"CloseAfterSend sends all, then both ends hear it once", closeAfterSendSendsAll},
	{"CloseAfterSend stops reading", closeAfterSendStopsReading},
	{"what is sent during the dial arrives, CloseAfterSend or not", sendDuringDial},
	{"a frame sent on a dead connection is given up", sendOnDeadConnection},
	{"a frame beyond the bound closes the connection", tooLongFrame},
	{"connections are never named twice", idsAreNew},
}

func dialIsRefused(b *netBench) {
	var c env.ConnID
	b.client.do(func() { c = b.Client.Env.Net.Dial(env.ClassClient, b.DeadAddr) })
	b.await(b.client, "refused", func() bool { return b.client.conn(c).dialErr != nil })
	b.send(b.client, c, []byte("into nowhere"))
	b.settle()
	b.client.do(func() {
		if b.client.conn(c).closed > 0 {
			b.Fatal("ConnClosed after a failed dial")
		}
	})
}

func (b *netBench) awaitClosed(p *peer, c env.ConnID) {
	b.Helper()
	b.await(p, "closed", func() bool { return p.conn(c).closed == 1 })
}

func (b *netBench) close(p *peer, c env.ConnID) {
	p.do(func() { p.process.Env.Net.Close(c) })
}

// closedIs asserts how often ConnClosed came.
func (b *netBench) closedIs(p *peer, c env.ConnID, times int) {
	b.Helper()
	p.do(func() {
		if got := p.conn(c).closed; got != times {
			b.Fatalf("%s: %d × ConnClosed, want %d", p.name, got, times)
		}
	})
}

func closeIsHeardOnce(b *netBench) {
	for _, byServer := range []bool{false, true} {
		c, s := b.connect()
		if byServer {
			b.close(b.server, s)
			b.awaitClosed(b.client, c)
			b.settle()
			b.closedIs(b.server, s, 0)
			b.closedIs(b.client, c, 1)
		} else {
			b.close(b.client, c)
			b.awaitClosed(b.server, s)
			b.settle()
			b.closedIs(b.client, c, 0)
			b.closedIs(b.server, s, 1)
		}
	}
}

func nothingAfterClose(b *netBench) {
	c, s := b.connect()
	for i := range 50 {
		b.send(b.server, s, body(i, 5000))
	}
	got := 0
	b.client.do(func() {
		b.Client.Env.Net.Close(c)
		b.Client.Env.Net.Close(c)
		got = len(b.client.conn(c).frames)
	})
	b.send(b.client, c, []byte("too late"))
	b.close(b.client, c)
	b.awaitClosed(b.server, s)
	b.settle()
	b.client.do(func() {
		if pc := b.client.conn(c); len(pc.frames) != got || pc.writable > 0 {
			b.Fatal("events after Close")
		}
	})
	b.server.do(func() {
		if len(b.server.conn(s).frames) > 0 {
			b.Fatal("a frame sent after Close arrived")
		}
	})
}

func closeFromWithinHandler(b *netBench) {
	c, s := b.connect()
	got := 0
	b.server.do(func() {
		b.server.onFrame = func(conn env.ConnID, f env.Received) {
			f.Buffer.Release()
			if got++; got == 3 {
				b.Server.Env.Net.Close(conn)
			}
		}
	})
	for i := range 20 {
		b.send(b.client, c, body(i, 100))
	}
	b.awaitClosed(b.client, c)
	b.settle()
	b.closedIs(b.server, s, 0)
	if got != 3 {
		b.Fatalf("%d frames, want 3", got)
	}
}

func closeDuringDial(b *netBench) {
	var c env.ConnID
	b.client.do(func() {
		c = b.Client.Env.Net.Dial(env.ClassClient, b.Addr)
		b.Client.Env.Net.Close(c)
	})
	b.settle()
	b.client.do(func() {
		if pc := b.client.byID[c]; pc != nil {
			b.Fatalf("events after Close: %+v", pc)
		}
	})
}

func bothClose(b *netBench) {
	c, s := b.connect()
	b.close(b.client, c)
	b.close(b.server, s)
	b.settle()
	b.closedIs(b.client, c, 0)
	b.server.do(func() {
		if b.server.conn(s).closed > 1 {
			b.Fatal("closed twice")
		}
	})
}

func closeAfterSendSendsAll(b *netBench) {
	c, s := b.connect()
	const frames = 30
	b.client.do(func() {
		for i := range frames {
			b.Client.Env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: body(i, 20_000)}}})
		}
		b.Client.Env.Net.CloseAfterSend(c)
		b.Client.Env.Net.CloseAfterSend(c)
		b.Client.Env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: []byte("too late")}}})
	})
	b.awaitClosed(b.server, s)
	b.awaitClosed(b.client, c)
	b.server.do(func() {
		got := b.server.conn(s).frames
		if len(got) != frames {
			b.Fatalf("%d of %d frames came", len(got), frames)
		}
		for i := range got {
			if !bytes.Equal(got[i], body(i, 20_000)) {
				b.Fatalf("frame %d differs", i)
			}
		}
	})
	b.settle()
}

func closeAfterSendStopsReading(b *netBench) {
	c, s := b.connect()
	b.client.do(func() { b.Client.Env.Net.CloseAfterSend(c) })
	b.send(b.server, s, []byte("unread"))
	b.awaitClosed(b.server, s)
	b.awaitClosed(b.client, c)
	b.settle()
	b.client.do(func() {
		if len(b.client.conn(c).frames) > 0 {
			b.Fatal("a frame after CloseAfterSend")
		}
	})
}

func sendDuringDial(b *netBench) {
	for i, closes := range []bool{false, true} {
		var c env.ConnID
		b.client.do(func() {
			n := b.Client.Env.Net
			c = n.Dial(env.ClassClient, b.Addr)
			n.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: []byte("early")}}})
			n.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: []byte("bird")}}})
			if closes {
				n.CloseAfterSend(c)
			}
		})
		b.await(b.server, "accepted", func() bool { return len(b.server.conns) > i })
		var s *peerConn
		b.server.do(func() { s = b.server.conn(b.server.conns[i]) })
		b.await(b.server, "both frames", func() bool {
			return len(s.frames) == 2 && string(s.frames[0]) == "early" && string(s.frames[1]) == "bird"
		})
		b.await(b.client, "dialed", func() bool { return b.client.conn(c).opened })
		if closes {
			b.awaitClosed(b.client, c)
		}
	}
}

func sendOnDeadConnection(b *netBench) {
	c, s := b.connect()
	b.close(b.server, s)
	b.awaitClosed(b.client, c)
	var owners []func() int
	b.client.do(func() {
		for range 2 {
			owner, released := b.Owner()
			owners = append(owners, released)
			chunk := env.Chunk{Bytes: []byte("lost"), Owner: owner}
			if !b.Client.Env.Net.Send(c, env.Frame{Chunks: []env.Chunk{chunk}}) {
				b.Error("a dead connection reports a full queue: no ConnWritable would follow")
			}
		}
	})
	b.awaitReleases(owners)
}

func tooLongFrame(b *netBench) {
	c, s := b.connect()
	b.send(b.client, c, []byte("fine"))
	b.send(b.client, c, make([]byte, b.FrameMax+1))
	b.send(b.client, c, []byte("never seen"))
	b.awaitClosed(b.server, s)
	b.awaitClosed(b.client, c)
	b.server.do(func() {
		if got := b.server.conn(s).frames; len(got) != 1 || string(got[0]) != "fine" {
			b.Fatalf("%d frames", len(got))
		}
	})
}

func idsAreNew(b *netBench) {
	seen := make(map[env.ConnID]bool)
	for i := range 20 {
		c, s := b.connect()
		if seen[c] {
			b.Fatalf("id %d again", c)
		}
		seen[c] = true
		number := binary.BigEndian.AppendUint32(nil, uint32(i))
		b.send(b.client, c, number)
		b.await(b.server, "its frame", func() bool {
			got := b.server.conn(s).frames
			return len(got) == 1 && bytes.Equal(got[0], number)
		})
		b.close(b.client, c)
		b.awaitClosed(b.server, s)
	}
}
