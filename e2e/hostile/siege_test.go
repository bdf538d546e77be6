package hostile

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/stage"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

func TestMain(m *testing.M) { stage.Main(m) }

// memoryMax bounds the resident memory of the broker, whatever clients do.
const memoryMax = 400 << 20

// linesMax bounds what a siege may make the broker log.
const linesMax = 400

// siege is a broker under attack, and its canary.
type siege struct {
	*testing.T
	broker *process.Broker
	addr   string
	log    string
	peak   int64
	scale  int // how many attackers of a kind, in percent
	*canary
}

// besiege starts a broker and lets attack loose on it. Whatever it does, the canary must be
// served, the memory bounded, the log readable, and the broker must stop cleanly.
func besiege(t *testing.T, attack func(s *siege), properties ...string) {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		stage.Skip(t, "this system does not tell the memory of a process")
	}
	cfg := stage.Config(t, properties...)
	path := cfg.Log.(*os.File).Name()
	broker, err := process.Start(t.Context(), cfg)
	require.NoError(t, err)
	defer broker.Kill()
	s := &siege{T: t, broker: broker, addr: broker.Addr(), log: path,
		scale: stage.FromEnv(t, "E2E_SCALE", 10), canary: newCanary(t, broker.Addr())}
	s.sings(t)
	defer func() { t.Logf("memory at most %d MiB", s.peak>>20) }()
	defer func() {
		if t.Failed() { // the attack won; at what price?
			s.peak = s.memory("VmHWM")
		}
	}()
	attack(s)
	s.sings(t)
	s.canary.close(t)
	s.peak = s.memory("VmHWM")
	require.Less(t, s.peak, int64(memoryMax))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, broker.Stop(ctx))
	lines := s.lines()
	require.Less(t, len(lines), linesMax, "the log was flooded")
}

// count scales a number of attackers to the form of the run.
func (s *siege) count(long int) int { return max(4, long*s.scale/100) }

// memory reads a line of the broker's status: VmRSS now, VmHWM at most.
func (s *siege) memory(name string) int64 {
	s.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.broker.Pid()))
	require.NoError(s, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			require.NoError(s, err)
			return kib << 10
		}
	}
	s.Fatalf("no %s in the status of the broker", name)
	return 0
}

func (s *siege) lines() []string {
	s.Helper()
	f, err := os.Open(s.log)
	require.NoError(s, err)
	defer f.Close()
	var lines []string
	for in := bufio.NewScanner(f); in.Scan(); {
		lines = append(lines, in.Text())
	}
	return lines
}

// logged wants the reason in the broker's log. It may come with the counts of a window.
func (s *siege) logged(why string) {
	s.Helper()
	require.Eventually(s, func() bool { return strings.Contains(strings.Join(s.lines(), "\n"), why) },
		20*time.Second, 50*time.Millisecond, "the log does not say: %s", why)
}

// dial opens a connection that closes with the test.
func (s *siege) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(s, err)
	s.Cleanup(func() { _ = conn.Close() })
	return conn
}

// each runs attackers side by side, and waits for all.
func (s *siege) each(n int, attacker func(i int)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, 256)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			attacker(i)
		})
	}
	all.Wait()
}

// closes waits until the broker has ended a connection.
func (s *siege) closes(conn net.Conn) {
	s.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return // it is closed
	}
	for buf := make([]byte, 4096); ; {
		_, err := conn.Read(buf)
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			s.Error("the broker keeps a connection that it should have closed")
		}
		if err != nil {
			return
		}
	}
}
