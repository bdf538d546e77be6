package envtest

import (
	"bytes"

	"github.com/tidemark-log/tidemark/core/env"
)

var netFlowCases = []netCase{
	{"Pause lets at most what is under way through, Resume the rest in order", pauseHoldsFrames},
	{"a full queue says so, and says when it has drained", fullQueueDrains},
	{"a paused connection holds up no other", pauseIsPerConnection},
	{"Pause and Resume may be called at any time", pauseAtAnyTime},
}

func pauseHoldsFrames(b *netBench) {
	c, s := b.connect()
	b.server.do(func() { b.Server.Env.Net.Pause(s) })
	// What was under way when Pause was called may come; this is sent after it.
	const frames = 100
	for i := range frames {
		b.send(b.client, c, body(i, 10_000))
	}
	b.settle()
	var early int
	b.server.do(func() { early = len(b.server.conn(s).frames) })
	if early > frames/2 {
		b.Fatalf("%d of %d frames came through the pause", early, frames)
	}
	b.server.do(func() { b.Server.Env.Net.Resume(s) })
	b.await(b.server, "all frames", func() bool { return len(b.server.conn(s).frames) == frames })
	b.server.do(func() {
		for i, got := range b.server.conn(s).frames {
			if !bytes.Equal(got, body(i, 10_000)) {
				b.Fatalf("frame %d differs", i)
			}
		}
	})
}

func fullQueueDrains(b *netBench) {
	c, s := b.connect()
	b.server.do(func() { b.Server.Env.Net.Pause(s) })
	const size = 256 << 10
	sent, room := 0, true
	for room && sent*size < b.SendBound {
		room = b.send(b.client, c, body(sent, size))
		sent++
	}
	if room {
		b.Fatalf("%d bytes were taken without a word", b.SendBound)
	}
	b.settle()
	b.client.do(func() {
		if b.client.conn(c).writable > 0 {
			b.Fatal("ConnWritable, and nobody reads")
		}
	})
	b.server.do(func() { b.Server.Env.Net.Resume(s) })
	b.await(b.client, "writable", func() bool { return b.client.conn(c).writable == 1 })
	b.await(b.server, "all frames", func() bool { return len(b.server.conn(s).frames) == sent })
	if !b.send(b.client, c, body(sent, size)) {
		b.Fatal("full again after ConnWritable")
	}
	b.await(b.server, "one more", func() bool { return len(b.server.conn(s).frames) == sent+1 })
	b.client.do(func() {
		if b.client.conn(c).writable != 1 {
			b.Fatal("ConnWritable more than once per full queue")
		}
	})
}

func pauseIsPerConnection(b *netBench) {
	c1, s1 := b.connect()
	c2, s2 := b.connect()
	b.server.do(func() { b.Server.Env.Net.Pause(s1) })
	b.send(b.client, c1, []byte("held"))
	b.send(b.client, c2, []byte("through"))
	b.await(b.server, "the other's frame", func() bool { return len(b.server.conn(s2).frames) == 1 })
	b.server.do(func() { b.Server.Env.Net.Resume(s1) })
	b.await(b.server, "the held frame", func() bool { return len(b.server.conn(s1).frames) == 1 })
}

func pauseAtAnyTime(b *netBench) {
	var c env.ConnID
	b.client.do(func() {
		n := b.Client.Env.Net
		n.Pause(12345)
		n.Resume(12345)
		c = n.Dial(env.ClassClient, b.Addr)
		n.Pause(c)
	})
	b.await(b.client, "dialed", func() bool { return b.client.conn(c).opened })
	b.await(b.server, "accepted", func() bool { return len(b.server.conns) == 1 })
	b.server.do(func() {
		b.Server.Env.Net.Send(b.server.conns[0], env.Frame{Chunks: []env.Chunk{{Bytes: []byte("hi")}}})
	})
	b.client.do(func() {
		n := b.Client.Env.Net
		n.Pause(c)
		n.Resume(c)
		n.Resume(c)
	})
	b.await(b.client, "a frame", func() bool { return len(b.client.conn(c).frames) == 1 })
	b.close(b.client, c)
	b.client.do(func() {
		b.Client.Env.Net.Pause(c)
		b.Client.Env.Net.Resume(c)
	})
	b.settle()
}
