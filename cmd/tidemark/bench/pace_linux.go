package bench

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// preciseSleep lets the thread wake within microseconds. The kernel otherwise delays each
// wake by up to 50, to gather several.
func preciseSleep() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) } // only precision is lost

// sleepUntil sleeps by the kernel's timer: that of the Go runtime is a millisecond coarse
// when nothing else runs.
func sleepUntil(due time.Time) {
	for {
		wait := time.Until(due)
		if wait <= 0 {
			return
		}
		ts := syscall.NsecToTimespec(int64(wait))
		_ = syscall.Nanosleep(&ts, nil) // interrupted: the loop goes on
	}
}

// syncDisks writes out what others left dirty.
func syncDisks() { syscall.Sync() }
