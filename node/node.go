package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/diskx"
	"github.com/tidemark-log/tidemark/netx"
	"github.com/tidemark-log/tidemark/node/config"
)

// Node is a running broker.
type Node struct {
	cfg     *config.Config
	log     *slog.Logger
	loop    *netx.Loop
	buffers *diskx.Buffers
	net     *netx.Net
	disk    *diskx.Disk
	locks   []*diskx.DirLock
	broker  *broker.Broker
	bound   []broker.Listener
	gone    *departures

	looped   chan struct{} // closed when the loop has returned
	failed   chan error    // one error, when the broker cannot go on
	stopOnce sync.Once
	stopErr  error
}

// Start brings a node up: it returns when recovery is through and clients are served.
// What an operator should know goes to log; nil drops it.
func Start(cfg *config.Config, log *slog.Logger) (*Node, error) {
	n := &Node{cfg: cfg, log: log, looped: make(chan struct{}), failed: make(chan error, 1)}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	for _, warning := range cfg.Warnings {
		n.log.Warn(warning)
	}
	if err := n.start(); err != nil {
		n.release()
		return nil, err
	}
	return n, nil
}

func (n *Node) start() error {
	dirs, err := n.lockDirs()
	if err != nil {
		return err
	}
	cluster, err := identify(dirs, n.cfg.NodeID)
	if err != nil {
		return err
	}
	n.gone = newDepartures(n.log)
	n.buffers = diskx.NewBuffers(buffersRetainedMax)
	n.loop = netx.NewLoop()
	n.disk = diskx.New(diskx.Config{Deliver: n.loop.DiskDone})
	n.net = netx.New(netx.Config{
		Loop: n.loop, Buffers: n.buffers, Decode: newDecoders().decode,
		FrameMax: int32(n.cfg.Net.RequestBytesMax), IdleTimeout: n.cfg.Net.IdleMax,
		ConnectionsMax: n.cfg.Net.ConnectionsMax, ConnectionsPerIP: n.cfg.Net.ConnectionsPerIPMax,
		Refused: n.gone.note,
	})
	if err := n.bind(); err != nil {
		return err
	}
	n.broker, err = broker.New(broker.Config{
		Env: &env.Env{
			Clock: n.loop, Net: n.net, Disk: n.disk, Rand: chance{}, Host: thisHost(),
			Tracer: untraced{}, Rare: never{}, Buffers: n.buffers,
		},
		NodeID: n.cfg.NodeID, ClusterID: cluster, Rack: n.cfg.Rack,
		LogDirs: dirs, Listeners: n.bound, Static: n.cfg.Static,
		Log: log.DirConfig{
			JournalFileBytes: n.cfg.Log.JournalFileBytes,
			JournalFiles:     n.cfg.Log.JournalFiles,
			TailCacheBytes:   n.cfg.Log.TailCacheBytes,
			ReserveBytes:     n.cfg.Log.ReserveBytes,
		},
		SpaceChanged: n.reportSpace,
		Gone:         n.gone.note,
		Crowded:      func() bool { return n.buffers.Held() > bytesHeldMax },
		Failed:       func(err error) { n.failed <- err },
	})
	if err != nil {
		return err
	}
	if err := n.broker.Boot(); err != nil {
		return err
	}
	n.reportRecovery()
	go func() {
		defer close(n.looped)
		n.loop.Run(n.broker)
	}()
	return nil
}

// lockDirs makes the log directories and takes them for this process.
func (n *Node) lockDirs() ([]string, error) {
	dirs := make([]string, len(n.cfg.LogDirs))
	for i, dir := range n.cfg.LogDirs {
		dir, err := filepath.Abs(dir)
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		if err == nil {
			err = syncDir(filepath.Dir(dir))
		}
		if err != nil {
			return nil, fmt.Errorf("node: log directory: %w", err)
		}
		lock, err := diskx.LockDir(dir)
		if err != nil {
			return nil, fmt.Errorf("node: log directory: %w", err)
		}
		n.locks = append(n.locks, lock)
		dirs[i] = dir
	}
	return dirs, nil
}

// bind opens the listeners. Clients may connect from now on; they are answered when the
// broker is ready.
func (n *Node) bind() error {
	for _, l := range n.cfg.Clients {
		addr, err := n.net.Listen(env.ClassClient, l.Name, net.JoinHostPort(l.Host, strconv.Itoa(l.Port)))
		if err != nil {
			return err
		}
		tcp := addr.(*net.TCPAddr)
		told := broker.Listener{Name: l.Name, Host: l.AdvertisedHost, Port: int32(l.AdvertisedPort)}
		if told.Host == "" {
			told.Host = advertisedHost(l.Host)
		}
		if told.Port == 0 {
			told.Port = int32(tcp.Port)
		}
		n.bound = append(n.bound, told)
		n.log.Info("listening", "listener", l.Name, "on", tcp.String(),
			"clients are told", net.JoinHostPort(told.Host, strconv.Itoa(int(told.Port))))
	}
	return nil
}

// advertisedHost is what clients are told of a listener without advertised.listeners: the
// host it binds, or this machine's name where it binds all.
func advertisedHost(host string) string {
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

// Addr is the address clients of the first listener are told.
func (n *Node) Addr() string {
	return net.JoinHostPort(n.bound[0].Host, strconv.Itoa(int(n.bound[0].Port)))
}

// Port is the port clients of the first listener are told.
func (n *Node) Port() int { return int(n.bound[0].Port) }

// ClusterID is the id of the cluster this node formed or found.
func (n *Node) ClusterID() (id string) {
	n.loop.Do(func() { id = n.broker.ClusterID() })
	return id
}

// Failed delivers an error when the broker cannot go on; Stop it then.
func (n *Node) Failed() <-chan error { return n.failed }

// Stop ends the node cleanly: what was accepted is written out and marked, so that the
// next start has nothing to recover. Stopping twice is one stop.
func (n *Node) Stop() error {
	n.stopOnce.Do(func() {
		n.net.CloseListeners()
		n.quiesce()
		n.loop.Do(func() { n.stopErr = n.broker.Stop() })
		n.loop.Stop()
		<-n.looped
		n.stopErr = errors.Join(n.stopErr, n.release())
	})
	return n.stopErr
}

// quiesce sends the clients away and waits until the disks are quiet.
func (n *Node) quiesce() {
	quiet := make(chan struct{})
	if !n.loop.Call(func() { n.broker.Quiesce(func() { close(quiet) }) }) {
		return
	}
	select {
	case <-quiet:
	case <-time.After(quietMax):
		n.log.Warn("the disks are not quiet; the next start recovers as after a crash", "waited", quietMax)
	}
}

// release gives back what start took, in reverse.
func (n *Node) release() error {
	if n.loop != nil {
		n.loop.Stop()
	}
	if n.net != nil {
		n.net.Shutdown()
	}
	if n.disk != nil {
		n.disk.Close()
	}
	if n.buffers != nil {
		n.buffers.Close()
	}
	if n.gone != nil {
		n.gone.close()
	}
	var errs []error
	for _, lock := range n.locks {
		errs = append(errs, lock.Release())
	}
	n.locks = nil
	return errors.Join(errs...)
}
