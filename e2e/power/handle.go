package power

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidemark-log/tidemark/core/env"
)

// handle is an open file. With O_SYNC or O_DSYNC each write is synced before it returns.
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
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	n, err := h.file.Pread(dest, off)
	return fuse.ReadResultData(dest[:n]), errno(err)
}

func (h *handle) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	err := h.file.Pwrite(data, off)
	if err == nil && h.durable {
		err = h.file.Fsync()
	}
	if err != nil {
		return 0, errno(err)
	}
	return uint32(len(data)), 0
}

func (h *handle) Fsync(context.Context, uint32) syscall.Errno {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return errno(h.file.Fsync())
}

func (h *handle) Release(context.Context) syscall.Errno {
	h.fs.mu.Lock()
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
	h.dir.fs.mu.Lock()
	defer h.dir.fs.mu.Unlock()
	return errno(h.dir.fs.view.SyncDir(h.dir.path()))
}

// Releasedir implements fs.FileReleasedirer.
func (h *dirHandle) Releasedir(context.Context, uint32) {}
