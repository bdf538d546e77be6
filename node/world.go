package node

import (
	"math/rand/v2"
	"os"
	"strings"

	"github.com/tidemark-log/tidemark/core/trace"
)

// chance is env.Rand in production: seeded by the operating system, whatever the purpose.
type chance struct{}

func (chance) Uint64(string) uint64 { return rand.Uint64() }

// host is env.Host: the kernel's boot id is the same exactly while the page cache lives.
type host struct{ bootID string }

func (h host) BootID() string { return h.bootID }

// thisHost reads the boot id. Where there is none every start counts as a power loss, which
// is the safe side.
func thisHost() host {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return host{}
	}
	return host{strings.TrimSpace(string(id))}
}

// untraced is env.Tracer in production: decisions are not recorded.
type untraced struct{}

func (untraced) Trace(trace.Event) {}

// never is env.Rare in production.
type never struct{}

func (never) Rare(string) bool { return false }
