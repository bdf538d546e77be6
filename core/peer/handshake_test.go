package peer_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/peer"
)

func hello() peer.Hello {
	return peer.Hello{
		Oldest: 1, Newest: 3, Cluster: "tide", Node: 2, Directory: kafka.DirectoryID{2}, Epoch: 7,
		Incarnation: peer.Incarnation{9}, Role: peer.RoleBroker, To: 1, ToDirectory: kafka.DirectoryID{1},
	}
}

var self = peer.Self{Oldest: 2, Newest: 4, Cluster: "tide", Node: 1, Directory: kafka.DirectoryID{1}}

// The bytes of a handshake never change: both ends read it before they agree on a version.
func TestHandshakeBytesStay(t *testing.T) {
	datadriven.RunTest(t, "testdata/handshake.txt", func(t *testing.T, d *datadriven.TestData) string {
		b, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		var got any
		if d.Cmd == "hello" {
			got, err = peer.DecodeHello(b)
		} else {
			got, err = peer.DecodeAnswer(b)
		}
		if err != nil {
			return err.Error() + "\n"
		}
		return fmt.Sprintf("%+v\n", got)
	})
}

func TestWhoeverDoesNotBelongIsRefusedWithTheReason(t *testing.T) {
	known := peer.Registration{Directory: kafka.DirectoryID{2}, Epoch: 7, Incarnation: peer.Incarnation{9}}
	for _, c := range []struct {
		name   string
		change func(*peer.Hello)
		want   peer.Refusal
	}{
		{"who belongs", func(*peer.Hello) {}, peer.Accepted},
		{"an address only", func(h *peer.Hello) { h.To, h.ToDirectory = -1, kafka.DirectoryID{} }, peer.Accepted},
		{"not registered yet", func(h *peer.Hello) { h.Epoch, h.Incarnation[0] = -1, 1 }, peer.Accepted},
		{"news", func(h *peer.Hello) { h.Epoch, h.Incarnation[0], h.Directory[0] = 8, 1, 5 }, peer.Accepted},
		{"a stranger", func(h *peer.Hello) { h.Cluster, h.To = "ebb", 5 }, peer.WrongCluster},
		{"a hostile name", func(h *peer.Hello) { h.Cluster = strings.Repeat("\x00", 64) }, peer.WrongCluster},
		{"another node meant", func(h *peer.Hello) { h.To = 3 }, peer.WrongNode},
		{"another disk meant", func(h *peer.Hello) { h.ToDirectory[0] = 3 }, peer.WrongDirectory},
		{"another disk", func(h *peer.Hello) { h.Directory[0] = 3 }, peer.WrongDirectory},
		{"too old", func(h *peer.Hello) { h.Oldest, h.Newest = 1, 1 }, peer.NoCommonVersion},
		{"too new", func(h *peer.Hello) { h.Oldest, h.Newest = 5, 9 }, peer.NoCommonVersion},
		{"an earlier run", func(h *peer.Hello) { h.Epoch = 6 }, peer.StaleIncarnation},
		{"a namesake", func(h *peer.Hello) { h.Incarnation[0] = 1 }, peer.StaleIncarnation},
	} {
		h := hello()
		c.change(&h)
		a := self.Judge(h, known)
		if a.Refusal != c.want || (a.Reason == "") != (c.want == peer.Accepted) {
			t.Errorf("%s: %+v, want refusal %d", c.name, a, c.want)
		}
		if c.want == peer.Accepted && a.Version != 3 {
			t.Errorf("%s: version %d, want the highest common one, 3", c.name, a.Version)
		}
		if _, err := peer.EncodeAnswer(a); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestHelloArrivesAsItWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := hello()
		h.Oldest = peer.Version(rapid.IntRange(1, 100).Draw(t, "oldest"))
		h.Newest = h.Oldest + peer.Version(rapid.IntRange(0, 100).Draw(t, "more"))
		h.Cluster = rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "cluster")
		h.Node = kafka.BrokerID(rapid.Int32Min(0).Draw(t, "node"))
		h.Epoch = kafka.BrokerEpoch(rapid.Int64Min(-1).Draw(t, "epoch"))
		copy(h.Incarnation[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "incarnation"))
		b, err := peer.EncodeHello(h)
		if err != nil || len(b) > peer.HandshakeBytesMax {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if got, err := peer.DecodeHello(b); err != nil || got != h {
			t.Fatalf("%+v, %v", got, err)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if _, err := peer.DecodeHello(b[:cut]); !errors.Is(err, peer.ErrMalformed) {
			t.Fatalf("cut at %d of %d: %v", cut, len(b), err)
		}
		if _, err := peer.DecodeHello(append(b, 0)); !errors.Is(err, peer.ErrMalformed) {
			t.Fatalf("a byte more: %v", err)
		}
	})
}

// Bytes of a stranger never make a decoder panic, and what it accepts has one form.
func FuzzHandshake(f *testing.F) {
	h, _ := peer.EncodeHello(hello())
	a, _ := peer.EncodeAnswer(self.Judge(hello(), peer.Registration{}))
	for _, seed := range [][]byte{h, a, []byte("TIDEPEER\x01\xdd\xff\xff\xff\xff"), make([]byte, 2000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := peer.DecodeHello(b); err == nil {
			if again, err := peer.EncodeHello(h); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%x became %x, %v", b, again, err)
			}
		} else if !errors.Is(err, peer.ErrMalformed) {
			t.Errorf("error of no kind: %v", err)
		}
		if a, err := peer.DecodeAnswer(b); err == nil {
			if again, err := peer.EncodeAnswer(a); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%x became %x, %v", b, again, err)
			}
		} else if !errors.Is(err, peer.ErrMalformed) {
			t.Errorf("error of no kind: %v", err)
		}
	})
}
