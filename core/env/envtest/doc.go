// Package envtest holds the implementations of core/env to the words of its interfaces.
//
//	sim/simdisk ─┐               ┌─ TestDisk, TestDiskCrashes, TestBuffers
//	diskx       ─┤ ─▶ envtest ◀──┤
//	simnet, netx ┘               └─ …
//
// Each suite takes a factory for what is under test, a way to let time pass, and, where the
// implementation can crash, a way to crash it. What a suite asserts is what core may rely
// on; what it does not assert core must not rely on.
//
// Deliberately absent: anything that only one implementation can do. That is tested there.
//
// Read disk.go (the rig), then disk_names.go, disk_bytes.go, disk_async.go, disk_crash.go.
package envtest
