package power

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidemark-log/tidemark/core/env"
)

// handle is an open file. With O_SYNC or O_DSYNC a write is durable when it returns, and
// it alone: what other writes left unsynced stays so.
type handle struct {
	fs      *FS
	file    env.File
	durable bool
}

var (
	_ fs.FileReader   = (*handle)(nil)
	_ fs.FileWriter   = (*handle)(nil)
	_ fs.FileFsyncer  = (*handle)(nil)
	_ fs.FileReleaser = (*handle)(nil)
)

func (f *FS) handle(file env.File, flags uint32) *handle {
	return &handle{fs: f, file: file, durable: flags&(syscall.O_SYNC|syscall.O_DSYNC) != 0}
}

func (h *handle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if !h.fs.enter() {
		return nil, syscall.EIO
	}
	defer h.fs.mu.Unlock()
	n, err := h.file.Pread(dest, off)
	return fuse.ReadResultData(dest[:n]), errno(err)
}

func (h *handle) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	w := env.Write{Bufs: [][]byte{data}, Off: off, Durable: h.durable}
	done, code := h.fs.await(func(tag env.Tag) { h.file.WriteAt(w, tag) })
	return uint32(done.N), code
}

func (h *handle) Fsync(context.Context, uint32) syscall.Errno {
	_, code := h.fs.await(h.file.Sync)
	return code
}

func (h *handle) Release(context.Context) syscall.Errno {
	if !h.fs.enter() {
		return syscall.EIO
	}
	defer h.fs.mu.Unlock()
	return errno(h.file.Close())
}

// dirHandle is an open directory.
type dirHandle struct {
	fs.DirStream
	dir *inode
}

var _ fs.FileFsyncdirer = (*dirHandle)(nil)

// Readdirent implements fs.FileReaddirenter.
func (h *dirHandle) Readdirent(context.Context) (*fuse.DirEntry, syscall.Errno) {
	if !h.HasNext() {
		return nil, 0
	}
	e, code := h.Next()
	return &e, code
}

// Fsyncdir makes the names of the directory durable.
func (h *dirHandle) Fsyncdir(context.Context, uint32) syscall.Errno {
	f := h.dir.fs
	_, code := f.await(func(tag env.Tag) { f.view.SyncDirLater(h.dir.path(), tag) })
	return code
}

// Releasedir implements fs.FileReleasedirer.
func (h *dirHandle) Releasedir(context.Context, uint32) {}
