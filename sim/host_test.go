package sim_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
)

// writer is a process that reads its file at boot and writes to it by and by.
type writer struct {
	silent
	env   *env.Env
	file  env.File
	found string
	done  []env.Completion
}

func (w *writer) DiskDone(done env.Completion) { w.done = append(w.done, done) }

func addWriter(w *sim.World) (*sim.Host, **writer) { return addWriterNamed(w, "b1") }

func addWriterNamed(w *sim.World, name string) (*sim.Host, **writer) {
	current := new(*writer)
	h := w.AddHost(sim.HostConfig{Name: name, ID: 1,
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: name + ":9092"}},
		Boot: func(e *env.Env) (env.Handler, error) {
			p := &writer{env: e}
			if err := p.boot(); err != nil {
				return nil, fmt.Errorf("writer: %w", err)
			}
			*current = p
			return p, nil
		}})
	return h, current
}

func (w *writer) boot() (err error) {
	if err = w.env.Disk.MkdirAll("/disk0/data"); err != nil {
		return err
	}
	if w.file, err = w.env.Disk.Open("/disk0/data/file", env.OpenOrCreate); err != nil {
		return err
	}
	if err = w.env.Disk.SyncDir("/disk0/data"); err != nil {
		return err
	}
	if err = w.env.Disk.SyncDir("/disk0"); err != nil {
		return err
	}
	buf := make([]byte, 100)
	n, err := w.file.Pread(buf, 0)
	w.found = string(buf[:n])
	return err
}

func TestBootTakesTheTimeOfItsDisk(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, p := addWriter(w)
	client, c := addPinger(w, "c1", echoAddr, time.Millisecond)
	h.Start(0)
	client.Start(0)
	w.Step() // the boot
	require.NotNil(t, *p)
	require.True(t, h.Up())
	require.False(t, h.Live(), "blocking disk calls take time")
	require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
	require.True(t, h.Live())
	require.NotNil(t, *c)
}

func TestDiskOutlivesTheProcess(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, p := addWriter(w)
	h.Start(0)
	run := func() { require.NoError(t, w.Run(w.Now().Add(time.Second))) }
	run()
	h.Do(func() {
		(*p).file.WriteAt(env.Write{Bufs: [][]byte{[]byte("cached")}}, 7)
	})
	run()
	require.Equal(t, []env.Completion{{Tag: 7, N: 6}}, (*p).done)
	h.Restart(0)
	run()
	require.Equal(t, "cached", (*p).found, "a kill keeps the page cache")
	h.Do(func() {
		(*p).file.WriteAt(env.Write{Bufs: [][]byte{[]byte("synced")}, Durable: true}, 8)
	})
	run()
	h.PowerLoss()
	h.Start(0)
	run()
	require.Equal(t, "synced", (*p).found, "a power loss keeps what was synced")
	require.Empty(t, (*p).done, "completions of a past life are dropped")
}

func TestCrashInBootIsACrashAndNotAFailure(t *testing.T) {
	for n := 1; n <= 8; n++ {
		w := sim.NewWorld(sim.Config{})
		h, p := addWriter(w)
		h.CrashInBoot(n)
		h.Start(0)
		require.NoError(t, w.Run(w.Now().Add(time.Second)), "n=%d", n)
		if n <= 3 {
			require.False(t, h.Up(), "n=%d", n)
		}
		if !h.Up() {
			require.Nil(t, *p)
			h.Start(0)
			require.NoError(t, w.Run(w.Now().Add(time.Second)))
		}
		require.True(t, h.Live())
	}
}

func TestCrashAtDiskOpKillsWithinAnEvent(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, p := addWriter(w)
	h.Start(0)
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	h.CrashAtDiskOp(2)
	var errs []error
	h.Do(func() {
		for range 3 {
			errs = append(errs, (*p).file.Fsync())
		}
		panic("what a dead process does means nothing")
	})
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], env.ErrClosed)
	require.ErrorIs(t, errs[2], env.ErrClosed)
	require.False(t, h.Up())
}

func TestStopRunsTheProcessOwnRoutineLast(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, p := addWriter(w)
	h.Start(0)
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	h.Stop(func() error {
		if err := (*p).file.Pwrite([]byte("goodbye"), 0); err != nil {
			return err
		}
		return errors.Join((*p).file.Fsync(), (*p).file.Close())
	})
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	require.False(t, h.Up())
	h.PowerLoss()
	h.Start(0)
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	require.Equal(t, "goodbye", (*p).found)
}

func TestAllBuffersComeBack(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	server, _ := addEcho(w, "b1", echoAddr)
	client, p := addPinger(w, "c1", echoAddr, time.Millisecond)
	server.Start(0)
	client.Start(0)
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	client.Do(func() { (*p).env.Net.Close((*p).conn) })
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	require.Greater(t, (*p).got, uint64(100))
	require.Zero(t, client.BuffersHeld())
	require.Zero(t, server.BuffersHeld())
}

// changer breaks the rule that a frame given to Send is given for good.
type changer struct {
	pinger
	release bool
}

func (c *changer) ConnDialed(id env.ConnID, _ error) {
	b := c.env.Buffers.Get(100)
	c.env.Net.Send(id, env.Frame{Chunks: []env.Chunk{{Bytes: b.Bytes(), Owner: b}}})
	if c.release {
		b.Release()
	} else {
		b.Bytes()[50]++
	}
}

func TestFrameChangedAfterSendIsFound(t *testing.T) {
	misuse := map[string]bool{"simnet.frame-unchanged": false, "sim.buffer-released-twice": true}
	for name, release := range misuse {
		w := sim.NewWorld(sim.Config{})
		server, _ := addEcho(w, "b1", echoAddr)
		server.Start(0)
		client := w.AddHost(sim.HostConfig{Name: "c1", Boot: func(e *env.Env) (env.Handler, error) {
			c := &changer{pinger: pinger{env: e, addr: echoAddr}, release: release}
			c.dial()
			return c, nil
		}})
		client.Start(time.Millisecond)
		var f *sim.Failure
		require.ErrorAs(t, w.Run(w.Now().Add(time.Second)), &f)
		if release { // the poison shows first, or the second release does
			require.Contains(t, []string{name, "simnet.frame-unchanged"}, f.Name)
			continue
		}
		require.Equal(t, name, f.Name)
	}
}
