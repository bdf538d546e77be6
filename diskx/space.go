//go:build linux && !race

package diskx

import "golang.org/x/sys/unix"

// mapSpace is size bytes of zeroes outside the Go heap, at a page border; nil if there are
// none. Anonymous memory only: a mapped file would turn a full disk into a signal.
func mapSpace(size int) []byte {
	space, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil
	}
	return space
}

// unmapSpace gives mapSpace's memory back. What newSpace took from the heap instead is left
// to the garbage collector: the kernel does not know it as a mapping of ours.
func unmapSpace(space []byte) { _ = unix.Munmap(space) }
