package simdisk

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
)

var (
	errIsDir       = errors.New("is a directory")
	errNotDir      = errors.New("not a directory")
	errCrossVolume = errors.New("rename between volumes")
	errInvalid     = errors.New("invalid argument")
)

// volume is a failure unit.
type volume struct {
	obj      *object
	top      *dir
	capacity int64
	bound    int64 // of used, now; 0: none
	used     int64
	deleted  []*file // the last ones, whose blocks may show up again

	// what is wrong with it
	overcommit bool // files grow beyond the bound until they are synced
	fullNames  bool // names need room too
	full       window
	stalls     [stallsKept]window
	shut       bool   // fails every operation until the next process
	astray     *fault // the misdirected write that may be there still
}

func newVolume(top *dir, capacity int64) *volume {
	return &volume{obj: top.obj, top: top, capacity: capacity, bound: capacity}
}

func (v *volume) bury(f *file) {
	if len(v.deleted) == DeletedFilesMax {
		v.deleted = slices.Delete(v.deleted, 0, 1)
	}
	v.deleted = append(v.deleted, f)
}

// node is what a name leads to: one of the two.
type node struct {
	file *file
	dir  *dir
}

// dir is a directory's inode.
type dir struct {
	obj     *object
	vol     *volume
	parent  *dir
	entry   *dirOp // the last operation that named it, nil once that is durable
	cached  map[string]node
	durable map[string]node
	pending []*dirOp // in order
	listed  bool     // in Disk.dirtyDirs

	leftover *fault // no process has made it
}

type dirOpKind uint8

const (
	nameCreated dirOpKind = iota
	nameRemoved
	nameMoved
)

// dirOp is an operation on names that is not durable. A move between two directories is in
// the pending list of both: its halves become durable apart, the new name first.
type dirOp struct {
	kind    dirOpKind
	ordinal uint64 // counts all of the Disk
	at      *dir   // where name is, or was
	name    string
	node    node
	to      *dir // of a move
	toName  string

	added, dropped bool // which halves are durable
	lives, dies    bool // scratch of a power loss: which halves survive
}

// cut takes the first name off a path; name is "" at its end. Paths are taken apart at every
// operation, so nothing is allocated for it.
func cut(path string) (name, rest string) {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// names goes over the names of a path.
func names(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name, rest := cut(path); name != "" && yield(name); {
			name, rest = cut(rest)
		}
	}
}

func failed(op, path string, err error) error {
	return fmt.Errorf("%s %s: %w", op, path, err)
}

// lookup follows the names of path; durable says which names.
func (d *Disk) lookup(path string, durable bool) (node, error) {
	at := node{dir: d.root}
	for name := range names(path) {
		if at.dir == nil {
			return node{}, errNotDir
		}
		in := at.dir.cached
		if durable {
			in = at.dir.durable
		}
		next, ok := in[name]
		if !ok {
			return node{}, env.ErrNotExist
		}
		at = next
	}
	return at, nil
}

// parent finds the directory that path's last name is in.
func (d *Disk) parent(path string) (*dir, string, error) {
	path = strings.TrimRight(path, "/")
	if path == "" {
		return nil, "", errInvalid
	}
	last := strings.LastIndexByte(path, '/') + 1
	up, err := d.lookup(path[:last], false)
	if err != nil {
		return nil, "", err
	}
	if up.dir == nil {
		return nil, "", errNotDir
	}
	return up.dir, path[last:], nil
}

func (d *Disk) object(path string) *object {
	o := d.objects[path]
	if o == nil {
		o = &object{name: path}
		d.objects[path] = o
	}
	return o
}

func (d *Disk) newDir(path string, parent *dir) *dir {
	made := &dir{obj: d.object(path), parent: parent, cached: map[string]node{}, durable: map[string]node{}}
	if parent != nil {
		made.vol = parent.vol
	}
	return made
}

func (d *Disk) mkdirAll(path string) error {
	at, path := d.root, clean(path)
	for name, rest := cut(path); name != ""; name, rest = cut(rest) {
		next, ok := at.cached[name]
		if !ok {
			if err := d.admitName(at.vol); err != nil {
				return err
			}
			next = node{dir: d.newDir(path[:len(path)-len(rest)], at)}
			at.cached[name] = next
			next.dir.entry = d.pendName(&dirOp{at: at, name: name, node: next})
		}
		if next.dir == nil {
			return errNotDir
		}
		at = next.dir
	}
	return nil
}

// openFile is the part of Open that a name decides.
func (d *Disk) openFile(path string, mode env.OpenMode) (*file, error) {
	at, name, err := d.parent(path)
	if err != nil {
		return nil, err
	}
	n, ok := at.cached[name]
	switch {
	case ok && n.dir != nil:
		return nil, errIsDir
	case !ok && mode == env.OpenExisting:
		return nil, env.ErrNotExist
	case !ok:
		if err := d.admitName(at.vol); err != nil {
			return nil, err
		}
		n = node{file: d.newFile(path, at)}
		at.cached[name] = n
		n.file.entry = d.pendName(&dirOp{at: at, name: name, node: n})
	case mode == env.CreateTruncated:
		return n.file, d.resize(n.file, 0)
	}
	return n.file, nil
}

func (d *Disk) newFile(path string, parent *dir) *file {
	return &file{obj: d.object(path), vol: parent.vol, arena: d.cfg.Arena, parent: parent,
		sector: int64(d.cfg.SectorSize)}
}

func (d *Disk) list(path string) ([]env.Entry, error) {
	n, err := d.lookup(path, false)
	if err != nil {
		return nil, err
	}
	if n.dir == nil {
		return nil, errNotDir
	}
	if d.inject != nil {
		d.inject.listed(n.dir)
	}
	entries := make([]env.Entry, 0, len(n.dir.cached))
	for _, name := range slices.Sorted(maps.Keys(n.dir.cached)) {
		e := env.Entry{Name: name, Dir: true}
		if f := n.dir.cached[name].file; f != nil {
			e.Size, e.Dir = f.size, false
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (d *Disk) remove(path string) error {
	at, name, err := d.parent(path)
	if err != nil {
		return err
	}
	n, ok := at.cached[name]
	if !ok {
		return env.ErrNotExist
	}
	if n.dir != nil && len(n.dir.cached) > 0 {
		return env.ErrExist
	}
	d.unlink(at, name, n)
	return nil
}

func (d *Disk) unlink(at *dir, name string, n node) {
	delete(at.cached, name)
	d.pendName(&dirOp{kind: nameRemoved, at: at, name: name, node: n})
	d.gone(n)
}

// gone accounts for a node that lost its name in the cache.
func (d *Disk) gone(n node) {
	if n.file != nil && !n.file.removed {
		n.file.removed = true
		n.file.vol.used -= n.file.size
		n.file.vol.bury(n.file)
	}
}

// removeAll removes at most limit names at and below path, leaves first and in order; −1
// is all. It returns how many it removed.
func (d *Disk) removeAll(path string, limit int) int {
	at, name, err := d.parent(path)
	if err != nil {
		return 0
	}
	return d.removeBelow(at, name, limit)
}

func (d *Disk) removeBelow(at *dir, name string, limit int) int {
	n, ok := at.cached[name]
	if !ok {
		return 0
	}
	removed := 0
	if n.dir != nil {
		for _, below := range slices.Sorted(maps.Keys(n.dir.cached)) {
			removed += d.removeBelow(n.dir, below, limit-removed)
		}
	}
	if removed == limit {
		return removed
	}
	d.unlink(at, name, n)
	return removed + 1
}

func (d *Disk) rename(from, to string) error {
	at, name, err := d.parent(from)
	if err != nil {
		return err
	}
	n, ok := at.cached[name]
	if !ok {
		return env.ErrNotExist
	}
	toDir, toName, err := d.parent(to)
	if err != nil {
		return err
	}
	old, replaces := toDir.cached[toName]
	switch {
	case at.vol != toDir.vol || (n.dir != nil && n.dir.vol != at.vol):
		return errCrossVolume
	case replaces && old == n:
		return nil
	case n.dir != nil && strings.HasPrefix(clean(to)+"/", clean(from)+"/"):
		return errInvalid
	case replaces && n.dir == nil && old.dir != nil:
		return errIsDir
	case replaces && n.dir != nil && old.dir == nil:
		return errNotDir
	case replaces && old.dir != nil && len(old.dir.cached) > 0:
		return env.ErrExist
	}
	if !replaces {
		if err := d.admitName(toDir.vol); err != nil {
			return err
		}
	}
	d.move(&dirOp{kind: nameMoved, at: at, name: name, node: n, to: toDir, toName: toName}, old)
	return nil
}

func (d *Disk) move(op *dirOp, replaced node) {
	delete(op.at.cached, op.name)
	op.to.cached[op.toName] = op.node
	d.pendName(op)
	d.gone(replaced)
	if f := op.node.file; f != nil {
		f.entry, f.parent = op, op.to
		if d.cfg.FS == Ext4 && replaced.file != nil {
			f.hardenAll()
		}
		return
	}
	op.node.dir.entry, op.node.dir.parent = op, op.to
}

// clean is the one way to write a path. Nearly all come written so.
func clean(path string) string {
	if isClean(path) {
		return path
	}
	return "/" + strings.Join(slices.Collect(names(path)), "/")
}

func isClean(path string) bool {
	return path == "/" || strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") &&
		!strings.Contains(path, "//")
}

// parentOf is the directory that a clean path is in.
func parentOf(path string) string { return path[:strings.LastIndexByte(path, '/')] }
