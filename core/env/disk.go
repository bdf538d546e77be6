package env

import "errors"

// Errors a Disk gives. Test with errors.Is.
var (
	// ErrNotExist: the name does not exist.
	ErrNotExist = errors.New("file does not exist")
	// ErrExist: the name exists already.
	ErrExist = errors.New("file exists already")
	// ErrNoSpace: the volume is full. What was written before stays.
	ErrNoSpace = errors.New("no space left on device")
	// ErrIO: the device failed.
	ErrIO = errors.New("input/output error")
	// ErrTooManyFiles: the process has no descriptors left.
	ErrTooManyFiles = errors.New("too many open files")
	// ErrClosed: the file was closed, or the process is ending.
	ErrClosed = errors.New("file already closed")
)

// Tag names an asynchronous operation; the caller chooses it, the completion echoes it.
type Tag uint64

// Completion is the outcome of an asynchronous operation.
type Completion struct {
	Tag Tag
	// N is the number of bytes read or written. A read past the end of the file completes
	// with the bytes there are and no error. A write that completes without error is whole.
	N int
	// Checked is how many bytes at the front of a read its Check has accepted.
	Checked int
	Err     error
}

// Entry is a name in a directory.
type Entry struct {
	Name string
	Size int64
	Dir  bool
}

// OpenMode says how Open treats names.
type OpenMode uint8

const (
	// OpenExisting fails with ErrNotExist when the name is missing.
	OpenExisting OpenMode = iota
	// OpenOrCreate creates the file (empty) when it is missing.
	OpenOrCreate
	// CreateTruncated starts from an empty file in any case.
	CreateTruncated
)

// Disk is one node's files. Paths are absolute and slash-separated.
//
// Durability is that of POSIX and no more:
//   - no write is durable before a Sync that started after it completed;
//   - unsynced writes survive a power loss in any subset, and each may be torn at a sector;
//   - a created, renamed or removed name is durable only after SyncDir of its directory;
//   - a process kill loses nothing that completed (the page cache lives on), and may keep
//     all, none or a prefix of a write in flight;
//   - after a failed sync the unsynced state of that file is unknown: give up the log
//     directory, never retry the sync.
//
// The blocking calls are for boot, roll and deletion; the data path is asynchronous.
type Disk interface {
	// MkdirAll makes path and its missing parents.
	MkdirAll(path string) error
	// List returns the entries of a directory sorted by name.
	List(path string) ([]Entry, error)
	// Open opens path, in an existing directory.
	Open(path string, mode OpenMode) (File, error)
	// OpenLog opens path for Write with Durable set: production uses direct I/O where the
	// file system allows it. The file is extended with zeroes to size, if it is shorter.
	OpenLog(path string, size int64) (File, error)
	// OpenLogLater makes such a file in the background. Until its completion has come
	// without error the File takes no operation but Close; then its size, its zeroes and
	// its name are durable. An error leaves a shorter file, or none.
	OpenLogLater(path string, size int64, tag Tag) File
	// OpenLater returns a File at once and creates it, with its missing directories, on
	// its first asynchronous operation; a failure comes with that completion. This is
	// how the first use of a partition costs the event loop no file work.
	OpenLater(path string) File
	// Rename moves a file or directory within the volume, replacing a file there.
	Rename(from, to string) error
	// Remove unlinks a file or removes an empty directory.
	Remove(path string) error
	// RemoveAllLater removes path and all below it, some time, without completion.
	RemoveAllLater(path string)
	// SyncDir makes the names in path durable.
	SyncDir(path string) error
	// SyncDirLater is SyncDir with a completion.
	SyncDirLater(path string, tag Tag)
	// SyncAll is Fsync of each of files, as they are at these paths, several at a time and in
	// any order; and when all of these are through, SyncDir of each of dirs in the same
	// manner. Blocking. An error is that of one of them: any of the others may have been
	// synced or not, as a crash meanwhile may leave them.
	SyncAll(files, dirs []string) error
	// Reserve makes path a file that takes size bytes of the volume, whose contents mean
	// nothing; it is there to be removed when room is needed. Blocking.
	Reserve(path string, size int64) error
	// Free returns the bytes free on the volume of path, −1 if unknown.
	Free(path string) int64
}

// Read asks for bytes.
type Read struct {
	// Buf is filled from Off on. The caller must not touch it before the completion.
	Buf []byte
	Off int64
	// Check, if set, looks at the bytes as they come in, while they are still in the
	// processor's cache and outside the event loop. It is given what has arrived and was
	// not accepted yet, as often as more comes, and returns how many of these bytes it
	// accepts. It must be a pure function of them.
	Check func(b []byte) int
}

// Write is a gathered write.
type Write struct {
	// Bufs are written one after the other from Off on. The caller must not change them
	// before the completion.
	Bufs [][]byte
	Off  int64
	// Durable makes the completion promise what a Sync after the write would: one
	// exchange with the device instead of two. On error nothing is known of the range.
	Durable bool
}

// File is an open file. Asynchronous operations on one file may run and complete in any
// order; two overlapping writes must not be in flight together.
type File interface {
	ReadAt(r Read, tag Tag)
	WriteAt(w Write, tag Tag)
	// Sync makes durable every write of this file that completed before this call.
	Sync(tag Tag)

	// Pread fills buf from off; fewer bytes without error mean the end of the file.
	Pread(buf []byte, off int64) (int, error)
	// Ahead says that the n bytes from off on will be read soon. It is a hint: it does not
	// wait for them, and what becomes of it nobody hears.
	Ahead(off, n int64)
	// Pwrite writes all of buf at off.
	Pwrite(buf []byte, off int64) error
	// Fsync is Sync, blocking.
	Fsync() error
	// Truncate sets the size.
	Truncate(size int64) error
	// Size is the current size.
	Size() (int64, error)
	// Close releases the descriptor. Operations in flight still complete.
	Close() error
}
