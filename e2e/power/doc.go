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
// Deliberately absent: page cache. Files are opened for direct I/O, so that nothing the
// kernel keeps outlives the power loss.
//
// Read mount.go, then files.go. Without /dev/fuse the tests skip and say so.
package power
