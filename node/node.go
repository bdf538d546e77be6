package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/diskx"
	"github.com/tidemark-log/tidemark/netx"
	"github.com/tidemark-log/tidemark/node/admin"
	"github.com/tidemark-log/tidemark/node/config"
)

// Node is a running broker.
type Node struct {
	cfg     *config.Config
	opts    Options
	log     *slog.Logger
	loop    *netx.Loop
	buffers *diskx.Buffers
	net     *netx.Net
	disk    *diskx.Disk
	locks   []*diskx.DirLock
	broker  *broker.Broker
	bound   []bound
	admin   *admin.Server
	status  status
	gone    *departures

	serving  chan struct{} // closed when clients are answered
	looped   chan struct{} // closed when the loop has returned
	failed   chan error    // one error, when the broker cannot go on
	stopOnce sync.Once
	stopErr  error

	background sync.WaitGroup  // look-ups of names
	leaving    context.Context // ends with Stop
	leave      context.CancelFunc

	reloading sync.Mutex
	running   *config.Config // cfg, with what Reload has changed; guarded by reloading
}

// Options are what the process around a node has to do with it.
type Options struct {
	// Log takes what an operator should know; nil drops it.
	Log *slog.Logger
	// Version is told to those who watch the node.
	Version string
	// Progress, if set, is told during Start how far recovery is, a few times a second.
	// Start waits for it.
	Progress func(Progress)
}

// Start brings a node up: it returns when recovery is through and clients are served.
func Start(cfg *config.Config, opts Options) (*Node, error) {
	n := &Node{
		cfg: cfg, opts: opts, log: opts.Log, running: cfg,
		serving: make(chan struct{}), failed: make(chan error, 1),
	}
	n.leaving, n.leave = context.WithCancel(context.Background())
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.FromEnvironment) > 0 {
		n.log.Info("the environment goes before the file", "keys", cfg.FromEnvironment)
	}
	for _, warning := range cfg.Warnings {
		n.log.Warn(warning)
	}
	if err := n.start(); err != nil {
		_ = n.release() // the first error is the one to tell
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
	if err := n.listenAdmin(); err != nil {
		return err
	}
	if err := n.bind(); err != nil {
		return err
	}
	if n.broker, err = broker.New(n.brokerConfig(dirs, cluster)); err != nil {
		return err
	}
	if err := n.broker.Boot(); err != nil {
		return err
	}
	n.reportRecovery()
	n.looped = make(chan struct{})
	n.status.enter(phaseStarting)
	go func() {
		defer close(n.looped)
		n.loop.Run(n.broker)
	}()
	select {
	case <-n.serving:
		n.status.enter(phaseServing)
		return nil
	case err := <-n.failed:
		n.loop.Do(func() { _ = n.broker.Stop() }) // the failure is what is told
		return err
	}
}

func (n *Node) brokerConfig(dirs []string, cluster string) broker.Config {
	cfg := broker.Config{
		Env: &env.Env{
			Clock: n.loop, Net: n.net, Disk: n.disk, Rand: chance{}, Host: thisHost(),
			Tracer: untraced{}, Rare: never{}, Buffers: n.buffers,
		},
		NodeID: n.cfg.NodeID, ClusterID: cluster, Rack: n.cfg.Rack,
		LogDirs: dirs, Static: n.cfg.Static,
		Log: log.DirConfig{
			JournalFileBytes: n.cfg.Log.JournalFileBytes,
			JournalFiles:     n.cfg.Log.JournalFiles,
			TailCacheBytes:   n.cfg.Log.TailCacheBytes,
			ReserveBytes:     n.cfg.Log.ReserveBytes,
			Progress:         n.recovering,
		},
		SpaceChanged: n.reportSpace,
		Gone:         n.gone.note,
		Crowded:      func() bool { return n.buffers.Held() > bytesHeldMax },
		Configured:   n.configured,
		Serving:      func() { close(n.serving) },
		Failed:       func(err error) { n.failed <- err },
	}
	for _, l := range n.bound {
		cfg.Listeners = append(cfg.Listeners, l.told)
	}
	return cfg
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

// Addr is the address clients of the first listener are told.
func (n *Node) Addr() string {
	return address(n.bound[0].told)
}

// Port is the port clients of the first listener are told.
func (n *Node) Port() int { return int(n.bound[0].told.Port) }

// ClusterID is the id of the cluster this node formed or found.
func (n *Node) ClusterID() (id string) {
	n.loop.Do(func() { id = n.broker.ClusterID() })
	return id
}

// Failed delivers an error when the broker cannot go on; Stop it then.
func (n *Node) Failed() <-chan error { return n.failed }

// Stop ends the node cleanly: what was accepted is written out and marked, so that the
// next start has nothing to recover. Stopping twice is one stop. It may take as long as the
// disks do; a process that cannot wait may end at any moment, as if it had crashed.
func (n *Node) Stop() error {
	n.stopOnce.Do(func() {
		began := time.Now()
		n.log.Info("stopping")
		n.status.enter(phaseStopping)
		n.leave()
		n.net.CloseListeners()
		quiet := n.quiesce()
		n.loop.Do(func() { n.stopErr = n.broker.Stop() })
		if !quiet && errors.Is(n.stopErr, log.ErrBusy) {
			n.stopErr = nil // the operator was told
		}
		n.stopErr = errors.Join(n.stopErr, n.release())
		if quiet && n.stopErr == nil {
			n.log.Info("stopped cleanly; the next start has nothing to recover",
				"took", time.Since(began).Round(time.Millisecond).String())
		}
	})
	return n.stopErr
}

// quiesce sends the clients away and waits until everything is written out.
func (n *Node) quiesce() (ok bool) {
	quiet := make(chan struct{})
	if !n.loop.Call(func() { n.broker.Quiesce(func() { close(quiet) }) }) {
		return false
	}
	select {
	case <-quiet:
		return true
	case <-time.After(quietMax):
		n.log.Warn("not everything could be written out; what was acknowledged is safe, and the next start "+
			"recovers as after a crash", "waited", quietMax.String())
		return false
	}
}

// release gives back what start took, in reverse.
func (n *Node) release() error {
	n.leave()
	n.background.Wait()
	if n.loop != nil {
		n.loop.Stop()
	}
	if n.looped != nil {
		<-n.looped
	}
	if n.admin != nil {
		n.admin.Close()
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
