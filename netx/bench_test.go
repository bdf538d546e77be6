package netx_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/tidemark-log/tidemark/netx"
)

// BenchmarkEcho sends frames over loopback through a loop and back, with so many requests
// in flight on each of several connections.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{100, 16 << 10, 1 << 20} {
		for _, inFlight := range []int{1, 32} {
			b.Run(fmt.Sprintf("bytes=%d/inflight=%d", size, inFlight), func(b *testing.B) {
				t := new(testing.T)
				s := &server{echo: &echo{}, bell: make(bell, 1)}
				loop := netx.NewLoop()
				n := netx.New(netx.Config{Loop: loop, Buffers: &reusing{}})
				s.p = &process{loop: loop, net: n}
				done := make(chan struct{})
				go func() { defer close(done); loop.Run(s.echo) }()
				s.addr = listen(t, s.p)
				c, err := net.Dial("tcp", s.addr)
				if err != nil {
					b.Fatal(err)
				}
				pump(b, c, framed(make([]byte, size)), inFlight)
				c.Close()
				n.Shutdown()
				loop.Stop()
				<-done
			})
		}
	}
}

// pump keeps inFlight frames on the way and counts one iteration per reply.
func pump(b *testing.B, c net.Conn, frame []byte, inFlight int) {
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	tokens, stop := make(chan struct{}, inFlight), make(chan struct{})
	for range inFlight {
		tokens <- struct{}{}
	}
	go func() {
		for {
			select {
			case <-tokens:
				if _, err := c.Write(frame); err != nil {
					return
				}
			case <-stop:
				return
			}
		}
	}()
	reply := make([]byte, len(frame))
	for b.Loop() {
		if _, err := io.ReadFull(c, reply); err != nil {
			b.Fatal(err)
		}
		tokens <- struct{}{}
	}
	close(stop)
}
