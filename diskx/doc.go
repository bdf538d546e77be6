// Package diskx is the real disk behind env.Disk (x = external).
//
//	event loop ─▶ File.WriteAt ─▶ lane log   ─▶ workers ─▶ O_DIRECT|O_DSYNC ─┐
//	           ─▶ File.ReadAt  ─▶ lane data  ─▶ workers ─▶ pread, pwritev   ─┼▶ Config.Deliver
//	           ─▶ File.Sync    ─▶ lane slow  ─▶ workers ─▶ fdatasync, rm    ─┘
//	           ─▶ Disk.Open, Rename, File.Pread …  (boot, roll) ─▶ in the caller
//
// Three lanes, because a journal write must never wait behind a segment's, nor a read
// behind a sync that takes a hundred times as long. A lane has its own bounded workers and
// its own bounded queue; operations in it run in any order, as env.Disk allows.
//
// Files of OpenLog are filled with zeroes and not merely allocated, because the first write
// to an allocated block has to change the file system's own records, and that is what the
// journal must not wait for. Where the file system knows no direct I/O, buffered writes and
// fdatasync take its place.
//
// Errors carry the operation, the path, the operating system's error and the one of env it
// stands for; errors.Is finds both of these.
//
// NewBuffers is the pool behind env.Buffers, used by the network as well. LockDir guards a
// log directory against a second process.
//
// Deliberately absent: retries of failed writes and syncs (nobody knows what they left),
// mmap, io_uring, a cache.
//
// Read disk.go and file.go (the interface), syncall.go, lane.go (workers), direct.go and gather.go
// (system calls), errors.go, buffers.go, lock.go. Tests: the envtest suite on a temporary
// directory, and what only a real disk can show.
package diskx
