package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/node"
)

const (
	// managerEvery paces what the service manager is told of a recovery.
	managerEvery = time.Second
	// recoveryGrace is how much longer the manager waits for a start that makes progress:
	// recovery takes as long as it takes.
	recoveryGrace = time.Minute
)

// manager tells the service manager that started this process how it is, in the words of
// sd_notify(3): a datagram of NAME=value lines. Without one it tells nobody, and what cannot
// be told is not: the node is more important than who watches it.
type manager struct {
	conn     *net.UnixConn // nil: there is none
	watchdog time.Duration // how often it wants a sign of life, 0 for never

	told time.Time // when it heard of recovery last; the starting goroutine only

	stop chan struct{} // closed to end the signs of life
}

// managerOf finds the manager by the variables it sets.
func managerOf(getenv func(string) string) *manager {
	m := &manager{stop: make(chan struct{})}
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return m
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return m
	}
	m.conn = conn
	pid := getenv("WATCHDOG_PID")
	if micros, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && micros > 0 &&
		(pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(micros) * time.Microsecond
	}
	return m
}

func (m *manager) tell(lines ...string) {
	if m.conn != nil {
		_, _ = m.conn.Write([]byte(strings.Join(lines, "\n"))) // see manager
	}
}

// recovering has it wait on.
func (m *manager) recovering(p node.Progress) {
	if now := time.Now(); now.Sub(m.told) >= managerEvery {
		m.told = now
		m.tell("STATUS="+node.ProgressText(p), extend(recoveryGrace))
	}
}

func extend(d time.Duration) string { return fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds()) }

// ready says that clients are served, and from then on gives signs of life as long as the
// node's event loop does.
func (m *manager) ready(n *node.Node) {
	m.tell("READY=1", "STATUS=serving "+n.Addr())
	if m.conn == nil || m.watchdog == 0 {
		return
	}
	go func() {
		ticker := time.NewTicker(m.watchdog / 2)
		defer ticker.Stop()
		for {
			if n.Alive() {
				m.tell("WATCHDOG=1")
			}
			select {
			case <-ticker.C:
			case <-m.stop:
				return
			}
		}
	}()
}

func (m *manager) stopping() {
	m.tell("STOPPING=1", "STATUS=stopping", extend(stopMax+recoveryGrace))
}

func (m *manager) close() {
	close(m.stop)
	if m.conn != nil {
		_ = m.conn.Close() // nothing is lost with it
	}
}
