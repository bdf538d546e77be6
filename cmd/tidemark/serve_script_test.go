package main

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Commands for scripts about brokers that run:
//
//	serving NAME CONFIG [KEY=VALUE…]   tidemark serve, until it says that it is ready; a dash
//	                                   for CONFIG gives it none. NAME_ADDR is where it serves,
//	                                   and NAME.log what it prints
//	dev NAME [FLAG…]                   the same of tidemark dev
//	signal NAME TERM|INT|HUP|KILL      sends a signal
//	told NAME PATTERN                  waits until it has printed, or told its manager, that
//	ended NAME CODE                    waits for its end, with that exit code or signal
//	occupied VAR                       sets VAR to an address that somebody listens at, and
//	                                   VAR_PORT to its port
//	newer-journal FILE                 makes a journal file one of a later version
//
// That a broker is ready it says as to systemd, so each of these scripts tests that too.

// patience bounds every wait; a test that needs it has failed.
const patience = 30 * time.Second

// served is a broker that a script started.
type served struct {
	cmd     *exec.Cmd
	manager *net.UnixConn
	done    chan struct{}

	mu    sync.Mutex
	heard string // what it told its manager
	out   string // the file that it prints to
}

var (
	servedMu sync.Mutex
	servedBy = map[*testscript.TestScript]map[string]*served{}
)

func find(ts *testscript.TestScript, name string) *served {
	servedMu.Lock()
	defer servedMu.Unlock()
	s := servedBy[ts][name]
	if s == nil {
		ts.Fatalf("nobody is called %s", name)
	}
	return s
}

func serving(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serving NAME CONFIG [KEY=VALUE…]")
	}
	command := []string{"serve", "--config", args[1]}
	if args[1] == "-" {
		command = command[:1]
	}
	begin(ts, args[0], command, args[2:])
}

func dev(ts *testscript.TestScript, _ bool, args []string) {
	begin(ts, args[0], append([]string{"dev"}, args[1:]...), nil)
}

func begin(ts *testscript.TestScript, name string, command, environ []string) {
	socket := ts.MkAbs(name + ".sock")
	_ = os.Remove(socket) // of a life before
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	ts.Check(err)
	s := &served{manager: manager, done: make(chan struct{}), out: ts.MkAbs(name + ".log")}
	out, err := os.Create(s.out)
	ts.Check(err)
	s.cmd = exec.Command("tidemark", command...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = ts.MkAbs("."), out, out
	s.cmd.Env = append(append(os.Environ(), "NOTIFY_SOCKET="+socket), environ...)
	ts.Check(s.cmd.Start())
	ts.Check(out.Close())
	go s.listen()
	go func() {
		_ = s.cmd.Wait() // how it ended shows in ProcessState
		close(s.done)
	}()
	servedMu.Lock()
	if servedBy[ts] == nil {
		servedBy[ts] = map[string]*served{}
	}
	servedBy[ts][name] = s
	servedMu.Unlock()
	ts.Defer(func() {
		_ = s.cmd.Process.Kill() // ended already is fine
		<-s.done
		_ = manager.Close()
	})
	status := s.await(ts, regexp.MustCompile(`READY=1\nSTATUS=serving (\S+)`))
	ts.Setenv(name+"_ADDR", status[1])
}

// listen is the service manager.
func (s *served) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := s.manager.Read(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.heard += string(buf[:n]) + "\n"
		s.mu.Unlock()
	}
}

func (s *served) text() string {
	printed, _ := os.ReadFile(s.out) // not there yet is nothing yet
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard + string(printed)
}

// await waits until what it said matches.
func (s *served) await(ts *testscript.TestScript, pattern *regexp.Regexp) []string {
	for began := time.Now(); time.Since(began) < patience; {
		ended := false
		select {
		case <-s.done:
			ended = true
		case <-time.After(2 * time.Millisecond):
		}
		if found := pattern.FindStringSubmatch(s.text()); found != nil {
			return found
		}
		if ended {
			break
		}
	}
	ts.Fatalf("not told: %s\n%s", pattern, s.text())
	return nil
}

func signalCommand(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{
		"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
	}
	ts.Check(find(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func told(ts *testscript.TestScript, _ bool, args []string) {
	find(ts, args[0]).await(ts, regexp.MustCompile(args[1]))
}

func ended(ts *testscript.TestScript, _ bool, args []string) {
	s := find(ts, args[0])
	select {
	case <-s.done:
	case <-time.After(patience):
		ts.Fatalf("%s has not ended\n%s", args[0], s.text())
	}
	if how := s.cmd.ProcessState.String(); how != "exit status "+args[1] && how != "signal: "+args[1] {
		ts.Fatalf("%s ended with %s, want %s\n%s", args[0], how, args[1], s.text())
	}
}

func occupied(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0]+"_PORT", port)
}

func newerJournal(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	ts.Check(err)
	head := make([]byte, 64)
	_, err = f.ReadAt(head, 0)
	ts.Check(err)
	if !strings.HasPrefix(string(head), "TMJG") {
		ts.Fatalf("%s begins with no group", path)
	}
	binary.BigEndian.PutUint16(head[4:], 2)
	binary.BigEndian.PutUint32(head[60:], crc32.Checksum(head[:60], crc32.MakeTable(crc32.Castagnoli)))
	_, err = f.WriteAt(head, 0)
	ts.Check(err)
	ts.Check(f.Close())
}
