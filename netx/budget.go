package netx

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// # What half-read frames may hold
//
// A frame is held in memory while its bytes come in, and a client decides how long that
// takes. So larger frames share a budget. Small ones need none: whatever large frames do,
// they are read at once.
//
// A frame takes from the budget as its bytes arrive, not by the length it claims. When
// nothing is left, frames wait; one of those that are under way may go beyond the budget,
// so that two halves never wait for each other. While somebody waits, a frame whose client
// dawdles is given up, with its connection: else a few who send nothing would keep
// everybody's large frames out.

var errDawdles = errors.New("netx: a large frame came in too slowly while others waited for memory")

// budget is the bytes that large frames under way may hold together.
type budget struct {
	max int

	mu      sync.Mutex // guards what follows
	room    sync.Cond  // a share was given back, or the net is closing
	used    int
	waiting int
	beyond  bool // a share is beyond the budget
	closing bool
}

// share is what one frame holds of it.
type share struct {
	of     *budget
	held   int
	beyond bool
}

// grow takes n more bytes, and waits for them; false: the net is closing.
func (s *share) grow(n int) bool {
	b := s.of
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closing {
		switch {
		case s.beyond || b.used+n <= b.max:
			b.used += n
			s.held += n
			return true
		case s.held > 0 && !b.beyond:
			b.beyond, s.beyond = true, true
			continue
		}
		b.waiting++
		b.room.Wait()
		b.waiting--
	}
	return false
}

// shrink gives n bytes back.
func (s *share) shrink(n int) {
	if n == 0 {
		return
	}
	b := s.of
	b.mu.Lock()
	b.used -= n
	s.held -= n
	if s.held == 0 && s.beyond {
		b.beyond, s.beyond = false, false
	}
	waits := b.waiting > 0
	b.mu.Unlock()
	if waits {
		b.room.Broadcast()
	}
}

// wanted tells that somebody waits.
func (b *budget) wanted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting > 0
}

func (b *budget) close() {
	b.mu.Lock()
	b.closing = true
	b.mu.Unlock()
	b.room.Broadcast()
}

// fill reads all of part. A frame that holds a share must come on while others wait.
func (c *conn) fill(in *bufio.Reader, part []byte, s *share, idle *deadline) (n int, err error) {
	if s.held == 0 || in.Buffered() >= len(part) {
		return io.ReadFull(in, part)
	}
	for quiet := time.Duration(0); n < len(part); {
		mark := n
		idle.set(c.net.cfg.DawdleWindow)
		for n < len(part) && err == nil {
			var m int
			m, err = in.Read(part[n:])
			n += m
		}
		if n > mark {
			quiet = 0
		}
		switch {
		case n == len(part):
			err = nil
		case err == io.EOF:
			return n, io.ErrUnexpectedEOF
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		case n-mark < dawdleBytes && s.of.wanted():
			return n, errDawdles
		case quiet >= c.net.cfg.IdleTimeout && c.net.cfg.IdleTimeout > 0:
			return n, err
		default:
			err = nil
			quiet += c.net.cfg.DawdleWindow
		}
	}
	idle.reset()
	return n, nil
}
