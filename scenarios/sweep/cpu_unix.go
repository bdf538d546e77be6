//go:build unix

package sweep

import (
	"syscall"
	"time"
)

// cpuTime is the processor time this process has used, on all processors together.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
