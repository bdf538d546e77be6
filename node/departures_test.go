package node

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
)

// sharedText is written by timers and read by the test.
type sharedText struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (s *sharedText) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A flood of bad connections costs a bounded number of lines, and none is forgotten in the
// counts; what clients close themselves costs none.
func TestFloodOfBadConnectionsIsCountedNotListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sharedText
		d := newDepartures(slog.New(slog.NewTextHandler(&out, nil)))
		const flood = 5000
		for i := range flood {
			d.note(env.ConnInfo{Remote: fmt.Sprintf("10.0.0.1:%d", i)}, fmt.Sprintf("frame of %d bytes", i))
			d.note(env.ConnInfo{}, broker.ClosedByPeer)
		}
		for i := range 2 * departureReasonsMax {
			d.note(env.ConnInfo{}, "reason "+strings.Repeat("x", i+1))
		}
		require.Equal(t, departuresLogged, strings.Count(out.String(), "\n"))

		time.Sleep(departureWindow)
		synctest.Wait()
		text := out.String()
		require.Equal(t, departuresLogged+1, strings.Count(text, "\n"))
		require.Contains(t, text, fmt.Sprintf("count=%d", flood-departuresLogged+2*departureReasonsMax))
		require.Contains(t, text, fmt.Sprintf(`"why.frame of # bytes"=%d`, flood-departuresLogged))
		require.Contains(t, text, fmt.Sprintf(`"why.for other reasons"=%d`, departureReasonsMax+1))

		d.note(env.ConnInfo{}, "one more")
		d.close()
		require.Equal(t, departuresLogged+2, strings.Count(out.String(), "\n"), "a new window logs in full again")
	})
}
