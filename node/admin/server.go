package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
)

// Health is the answer to a question about a node.
type Health struct {
	OK bool
	// Lines say why, one sentence each.
	Lines []string
}

// Config is what a Server answers with. The functions are called by several goroutines, and
// bound their own time.
type Config struct {
	Address     string // host:port
	Metrics     http.Handler
	Live, Ready func() Health
}

// Server answers until Close.
type Server struct {
	http *http.Server
	addr net.Addr

	mu      sync.Mutex // guards closed, and that nothing begins after it
	closed  bool
	running sync.WaitGroup // the listener's goroutine, and answers under way
}

// Listen begins to answer at cfg.Address.
func Listen(cfg Config) (*Server, error) {
	l, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", cfg.Metrics)
	mux.HandleFunc("GET /livez", answer(cfg.Live))
	mux.HandleFunc("GET /readyz", answer(cfg.Ready))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "/metrics\n/livez\n/readyz") // who left hears nothing
	})
	s := &Server{addr: l.Addr()}
	s.http = &http.Server{
		Handler: s.counted(mux), MaxHeaderBytes: headerBytesMax,
		ReadTimeout: readMax, WriteTimeout: writeMax, IdleTimeout: idleMax,
	}
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		_ = s.http.Serve(&bounded{Listener: l, free: make(chan struct{}, connectionsMax)}) // ends with Close
	}()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Close ends it: answers under way get a moment.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveMax)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // what did not end is cut off
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
}

// counted lets Close wait for answers that were cut off, too: they may still ask the node.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return
		}
		s.running.Add(1)
		s.mu.Unlock()
		defer s.running.Done()
		next.ServeHTTP(w, r)
	})
}

func answer(ask func() Health) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := ask()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = fmt.Fprintln(w, strings.Join(h.Lines, "\n")) // who left hears nothing
	}
}

// bounded accepts so many connections at a time.
type bounded struct {
	net.Listener
	free chan struct{}
}

// Accept waits for room.
func (b *bounded) Accept() (net.Conn, error) {
	b.free <- struct{}{}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &boundedConn{Conn: c, left: sync.OnceFunc(func() { <-b.free })}, nil
}

type boundedConn struct {
	net.Conn
	left func()
}

// Close makes room for another.
func (c *boundedConn) Close() error {
	err := c.Conn.Close()
	c.left()
	return err
}

// Taken tells that Listen failed because somebody has the address.
func Taken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
