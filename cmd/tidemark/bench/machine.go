package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine describes where figures come from, as far as the system tells.
func Machine() string {
	text := fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, counted(runtime.NumCPU(), "CPU"))
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			text += " (" + strings.TrimSpace(strings.TrimLeft(line, "\t :")) + ")"
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		text += ", Linux " + strings.TrimSpace(string(release))
	}
	return text + ", " + runtime.Version()
}
