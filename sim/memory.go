package sim

import "github.com/tidemark-log/tidemark/sim/simdisk"

// Memory is used by one world after the other, so that they need not ask the runtime for it: a
// sweep's worlds live for milliseconds, and each needs megabytes. What a world finds in it does
// not depend on the worlds before: buffers come full of poison, and disks write to theirs
// before they read it. It belongs to one goroutine, and to one world at a time.
type Memory struct {
	pool  pool
	disks simdisk.Arena
}

// Release ends a world and gives its memory back to Config.Memory: nothing of the world may be
// used any more. It reports the world's failure, if it had one, or if somebody wrote to a
// buffer that was not his any more, which would otherwise show in the next world.
func (w *World) Release() error {
	if i, size := w.pool.scarred(); size > 0 {
		w.Fail("sim.buffer-written-after-release", scarText(size, i))
	}
	if m := w.cfg.Memory; m != nil {
		m.pool.reset()
		m.disks.Reset()
		w.pool = nil
	}
	return w.Failure()
}
