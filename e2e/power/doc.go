// Package power runs the real broker process on a file system that forgets.
//
//	tidemark serve ─▶ kernel ─▶ FUSE ─▶ simdisk: the byte model of the simulator
//	                                      │
//	SIGKILL, then PowerLoss ──────────────┘ keeps what was fsynced, and of the rest
//	                                        whatever the draw leaves: torn, reordered, nothing
//
// So the claim "acknowledged means fsynced" is put to the same disk model twice: under the
// simulated broker, and here under the process that operators run.
//
// What the disk may do is what sim/simdisk does: of unsynced writes and names any part
// survives, each file by itself, torn inside a sector, out of order, or with the blocks of a
// deleted file; some are durable before anybody asked. Operations take time and overlap,
// and power is cut in the midst of them: a process that hangs in the kernel is killed before
// it hears how they ended. Writes with O_DSYNC, and O_DIRECT as the journal uses it, cover
// themselves alone. The seed draws whether the file system is as ext4 or as strict as POSIX.
//
// Deliberately absent: page cache and shared mappings. Files are opened for direct I/O, so
// that nothing the kernel keeps outlives the power loss, and mmap is refused. Broken devices
// (errors, rot, a full disk) are the simulator's.
//
// Read mount.go, files.go and handle.go; the broker's trials are in broker_test.go. Without
// /dev/fuse the tests skip and say so.
package power
