package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says which broker to run and where.
type Config struct {
	Binary string // path of a tidemark binary
	Dir    string // holds server.properties and the log directory; kept between starts
	Port   int    // on 127.0.0.1; 0 takes a free one at the first Start
	// Properties are further lines of server.properties.
	Properties []string
	// Log takes what the broker prints; nil drops it.
	Log io.Writer
	// ReadyTimeout bounds the wait for the first answer after a start; 0 means 30 s.
	ReadyTimeout time.Duration
}

// Broker is a running broker process.
type Broker struct {
	cfg  Config
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// FreePort returns a port of 127.0.0.1 that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Start starts the broker on cfg.Dir and returns when it answers a Kafka client.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	b, err := Launch(cfg)
	if err != nil {
		return nil, err
	}
	if err := b.Ready(ctx); err != nil {
		b.Kill()
		return nil, err
	}
	return b, nil
}

// Launch is Start without the wait: the broker may still recover, or fail to.
func Launch(cfg Config) (*Broker, error) {
	if cfg.ReadyTimeout == 0 {
		cfg.ReadyTimeout = 30 * time.Second
	}
	path := filepath.Join(cfg.Dir, "server.properties")
	if err := os.WriteFile(path, cfg.properties(), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command(cfg.Binary, "serve", "--config", path)
	cmd.Stdout, cmd.Stderr = cfg.Log, cfg.Log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &Broker{cfg: cfg, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended shows in ProcessState
		close(b.done)
	}()
	return b, nil
}

func (c Config) properties() []byte {
	text := "process.roles=broker,controller\nnode.id=1\n" +
		"listeners=PLAINTEXT://127.0.0.1:" + strconv.Itoa(c.Port) + "\n" +
		"log.dirs=" + filepath.Join(c.Dir, "data") + "\n"
	for _, line := range c.Properties {
		text += line + "\n"
	}
	return []byte(text)
}

// Addr is the broker's bootstrap address.
func (b *Broker) Addr() string { return "127.0.0.1:" + strconv.Itoa(b.cfg.Port) }

// Pid is the process id.
func (b *Broker) Pid() int { return b.cmd.Process.Pid }

// Ready waits until the broker answers a Kafka client.
func (b *Broker) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.ReadyTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.DialTimeout(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		if client.Ping(ctx) == nil {
			return nil
		}
		select {
		case <-b.done:
			return fmt.Errorf("process: broker ended before it was ready: %v", b.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("process: broker at %s is not ready: %w", b.Addr(), ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Strike sends the process a SIGKILL: none of its code runs from now on, but what it asked
// the kernel for may still be under way.
func (b *Broker) Strike() { _ = b.cmd.Process.Kill() } // already gone is fine

// Kill ends the process with SIGKILL and waits until it is gone.
func (b *Broker) Kill() {
	b.Strike()
	<-b.done
}

// Ask asks the process to end (SIGTERM) and does not wait.
func (b *Broker) Ask() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stop asks the process to end and waits; it reports an exit other than 0.
func (b *Broker) Stop(ctx context.Context) error {
	if err := b.Ask(); err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		b.Kill()
		return fmt.Errorf("process: broker did not stop: %w", ctx.Err())
	}
	if code := b.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("process: broker ended with %v", b.cmd.ProcessState)
	}
	return nil
}
