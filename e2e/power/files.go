package power

import (
	"context"
	"hash/fnv"
	"path"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidemark-log/tidemark/core/env"
)

// inode is a file or directory. Its path is the kernel's business; simdisk is asked by it.
type inode struct {
	fs.Inode
	fs *FS
}

var (
	_ fs.NodeLookuper       = (*inode)(nil)
	_ fs.NodeGetattrer      = (*inode)(nil)
	_ fs.NodeSetattrer      = (*inode)(nil)
	_ fs.NodeCreater        = (*inode)(nil)
	_ fs.NodeOpener         = (*inode)(nil)
	_ fs.NodeMkdirer        = (*inode)(nil)
	_ fs.NodeUnlinker       = (*inode)(nil)
	_ fs.NodeRmdirer        = (*inode)(nil)
	_ fs.NodeRenamer        = (*inode)(nil)
	_ fs.NodeReaddirer      = (*inode)(nil)
	_ fs.NodeOpendirHandler = (*inode)(nil)
	_ fs.NodeStatfser       = (*inode)(nil)
)

func (n *inode) path() string { return "/" + n.Path(n.Root()) }

func (n *inode) child(name string) string { return path.Join(n.path(), name) }

// find looks a name up among its directory's entries.
func (n *inode) find(name string) (env.Entry, syscall.Errno) {
	entries, err := n.fs.view.List(n.path())
	if err != nil {
		return env.Entry{}, errno(err)
	}
	for _, e := range entries {
		if e.Name == name {
			return e, 0
		}
	}
	return env.Entry{}, syscall.ENOENT
}

func fill(out *fuse.Attr, e env.Entry) {
	out.Mode, out.Size = syscall.S_IFREG|0o644, uint64(e.Size)
	if e.Dir {
		out.Mode = syscall.S_IFDIR | 0o755
	}
	out.Nlink = 1
	out.Blocks = (out.Size + 511) / 512
}

func (n *inode) adopt(ctx context.Context, name string, e env.Entry) *fs.Inode {
	if old := n.GetChild(name); old != nil && old.IsDir() == e.Dir {
		return old
	}
	mode := uint32(syscall.S_IFREG)
	if e.Dir {
		mode = syscall.S_IFDIR
	}
	return n.NewInode(ctx, &inode{fs: n.fs}, fs.StableAttr{Mode: mode})
}

func (n *inode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if !n.fs.enter() {
		return nil, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	e, code := n.find(name)
	if code != 0 {
		return nil, code
	}
	fill(&out.Attr, e)
	return n.adopt(ctx, name, e), 0
}

func (n *inode) Getattr(_ context.Context, h fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if !n.fs.enter() {
		return syscall.EIO
	}
	defer n.fs.mu.Unlock()
	return n.attributes(h, out)
}

func (n *inode) attributes(h fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if n.IsDir() {
		fill(&out.Attr, env.Entry{Dir: true})
		return 0
	}
	size := int64(0)
	code := n.withFile(h, func(file env.File) (err error) {
		size, err = file.Size()
		return err
	})
	fill(&out.Attr, env.Entry{Size: size})
	return code
}

// withFile runs act on the handle's file, or on the file opened by its path.
func (n *inode) withFile(h fs.FileHandle, act func(env.File) error) syscall.Errno {
	if open, ok := h.(*handle); ok {
		return errno(act(open.file))
	}
	file, err := n.fs.view.Open(n.path(), env.OpenExisting)
	if err != nil {
		return errno(err)
	}
	defer file.Close()
	return errno(act(file))
}

func (n *inode) Setattr(_ context.Context, h fs.FileHandle, in *fuse.SetAttrIn,
	out *fuse.AttrOut) syscall.Errno {
	if !n.fs.enter() {
		return syscall.EIO
	}
	defer n.fs.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		code := n.withFile(h, func(file env.File) error { return file.Truncate(int64(size)) })
		if code != 0 {
			return code
		}
	}
	return n.attributes(h, out)
}

func (n *inode) Create(
	ctx context.Context, name string, flags, _ uint32, out *fuse.EntryOut,
) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if !n.fs.enter() {
		return nil, nil, 0, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	file, err := n.fs.view.Open(n.child(name), env.OpenOrCreate)
	if err != nil {
		return nil, nil, 0, errno(err)
	}
	fill(&out.Attr, env.Entry{})
	return n.adopt(ctx, name, env.Entry{}), n.fs.handle(file, flags), fuse.FOPEN_DIRECT_IO, 0
}

func (n *inode) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if !n.fs.enter() {
		return nil, 0, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	file, err := n.fs.view.Open(n.path(), env.OpenExisting)
	if err == nil && flags&syscall.O_TRUNC != 0 {
		err = file.Truncate(0)
	}
	if err != nil {
		return nil, 0, errno(err)
	}
	return n.fs.handle(file, flags), fuse.FOPEN_DIRECT_IO, 0
}

func (n *inode) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode,
	syscall.Errno) {
	if !n.fs.enter() {
		return nil, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	if err := n.fs.view.MkdirAll(n.child(name)); err != nil {
		return nil, errno(err)
	}
	e := env.Entry{Name: name, Dir: true}
	fill(&out.Attr, e)
	return n.adopt(ctx, name, e), 0
}

func (n *inode) Unlink(_ context.Context, name string) syscall.Errno {
	if !n.fs.enter() {
		return syscall.EIO
	}
	defer n.fs.mu.Unlock()
	return errno(n.fs.view.Remove(n.child(name)))
}

func (n *inode) Rmdir(ctx context.Context, name string) syscall.Errno {
	if !n.fs.enter() {
		return syscall.EIO
	}
	defer n.fs.mu.Unlock()
	if entries, err := n.fs.view.List(n.child(name)); err == nil && len(entries) > 0 {
		return syscall.ENOTEMPTY
	}
	return errno(n.fs.view.Remove(n.child(name)))
}

func (n *inode) Rename(
	_ context.Context, name string, to fs.InodeEmbedder, toName string, _ uint32,
) syscall.Errno {
	if !n.fs.enter() {
		return syscall.EIO
	}
	defer n.fs.mu.Unlock()
	target := path.Join("/"+to.EmbeddedInode().Path(n.Root()), toName)
	return errno(n.fs.view.Rename(n.child(name), target))
}

func (n *inode) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	if !n.fs.enter() {
		return nil, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	return n.stream()
}

func (n *inode) stream() (fs.DirStream, syscall.Errno) {
	entries, err := n.fs.view.List(n.path())
	if err != nil {
		return nil, errno(err)
	}
	list := make([]fuse.DirEntry, len(entries))
	for i, e := range entries {
		mode := uint32(syscall.S_IFREG)
		if e.Dir {
			mode = syscall.S_IFDIR
		}
		ino := fnv.New64()
		_, _ = ino.Write([]byte(n.child(e.Name))) // a hash never fails
		list[i] = fuse.DirEntry{Name: e.Name, Mode: mode, Ino: ino.Sum64()}
	}
	return fs.NewListDirStream(list), 0
}

// OpendirHandle gives a directory a handle that can be fsynced: that is what makes names
// durable.
func (n *inode) OpendirHandle(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if !n.fs.enter() {
		return nil, 0, syscall.EIO
	}
	defer n.fs.mu.Unlock()
	stream, code := n.stream()
	return &dirHandle{DirStream: stream, dir: n}, 0, code
}

// Statfs reports room, so that nobody takes the disk for full.
func (n *inode) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail = 1<<22, 1<<22, 1<<22
	return 0
}
