package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// start times a server from its command to its first acknowledgement, then watches it
// idle, and stops it again.
func start(ctx context.Context, r *run) error {
	addr := r.target.Addrs[0]
	if dialable(addr) {
		return fmt.Errorf("somebody listens at %s already", addr)
	}
	s, err := StartServer(r.target.Command)
	if err != nil {
		return err
	}
	defer s.End()
	wait, cancel := context.WithTimeout(ctx, 4*answerMax)
	defer cancel()
	if err := s.await(wait, func() bool { return dialable(addr) }); err != nil {
		return err
	}
	r.figures = append(r.figures, Figure{"listening_ms", s.sinceMillis()})
	if err := s.FirstAck(wait, r.target); err != nil {
		return err
	}
	r.figures = append(r.figures, Figure{FirstAck, s.sinceMillis()})
	pids := listeners(r.target.Addrs)
	before, known := cpuSeconds(pids...)
	if !known {
		return nil
	}
	r.figures = append(r.figures, Figure{"start_cpu_s", before})
	if err := sleep(ctx, r.o.Settle+idleFor); err != nil { // what a start leaves to do
		return err
	}
	before, _ = cpuSeconds(pids...)
	if err := sleep(ctx, idleFor); err != nil {
		return err
	}
	after, _ := cpuSeconds(pids...)
	resident, _ := residentBytes(pids...)
	r.figures = append(r.figures, Figure{IdleResident, resident / megabyte},
		Figure{IdleCPU, (after - before) * perThousand / idleFor.Seconds()})
	return nil
}

func dialable(addr string) bool {
	socket, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = socket.Close() // it was only a knock
	return true
}

// firstAck makes a topic of one partition and writes one record.
func firstAck(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	topic, err := createTopic(ctx, t, Options{Partitions: 1, Replicas: 1})
	if err != nil {
		return err
	}
	defer topic.delete()
	client, err := topic.producer(Options{Acks: "all"}, 0)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, &kgo.Record{Value: []byte("ready?")}).FirstErr()
}

// Server is a process that was started to be measured.
type Server struct {
	cmd   *exec.Cmd
	began time.Time
	ended chan struct{}
	said  tail
}

// tail keeps the end of what a server prints, for the error when it does not start.
type tail struct{ text []byte }

const tailKept = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-tailKept):]
	return len(b), nil
}

// StartServer starts a command and does not wait. What it prints is kept for an error.
func StartServer(command []string) (*Server, error) {
	s := &Server{cmd: exec.Command(command[0], command[1:]...), began: time.Now(), ended: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait() // how it ended shows in ProcessState
		close(s.ended)
	}()
	return s, nil
}

func (s *Server) sinceMillis() float64 { return time.Since(s.began).Seconds() * perThousand }

// FirstAck waits until the target acknowledges a record, or the server has ended.
func (s *Server) FirstAck(ctx context.Context, t Target) error {
	var last error
	err := s.await(ctx, func() bool {
		last = firstAck(ctx, t)
		return last == nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("%w (%w)", err, last)
	}
	return err
}

// await looks every millisecond whether something holds, and gives up when the server ends.
func (s *Server) await(ctx context.Context, holds func() bool) error {
	over := false
	err := eventually(ctx, func() bool {
		select {
		case <-s.ended:
			over = true
		default:
		}
		return over || holds()
	})
	if over {
		return fmt.Errorf("the server ended (%v) and said:\n%s", s.cmd.ProcessState, s.said.text)
	}
	return err
}

// End stops the server as an operator would, and kills it if that takes too long.
func (s *Server) End() {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err == nil || errors.Is(err, syscall.ESRCH) {
		select {
		case <-s.ended:
			return
		case <-time.After(answerMax):
		}
	}
	_ = s.cmd.Process.Kill() // gone already is what is wanted
	<-s.ended
}
