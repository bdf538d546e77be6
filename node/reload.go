package node

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/node/config"
)

var errStopping = errors.New("node: it stops")

// Reload puts in force what may change while the node runs, of a configuration that was read
// again, and says of the rest that it needs a restart. After an error nothing has changed.
func (n *Node) Reload(cfg *config.Config) error {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	changes := config.Changes(n.running, cfg)
	static := maps.Clone(n.running.Static)
	for _, c := range changes {
		value, isSet := cfg.Static[c.Key]
		switch {
		case !c.Live:
		case isSet:
			static[c.Key] = value
		default:
			delete(static, c.Key)
		}
	}
	if n.status.in() != phaseServing {
		return errStopping
	}
	var err error
	var holds []string // by place in changes: what goes before the file
	if !n.loop.Do(func() {
		if err = n.broker.SetStatic(static); err == nil {
			holds = n.overridden(changes)
		}
	}) {
		return errStopping
	}
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	running := *n.running
	running.Static = static
	n.running = &running
	n.reportReload(cfg, changes, holds)
	return nil
}

// overridden tells, for each change, the value that a client has set and that goes on to
// hold. Loop goroutine.
func (n *Node) overridden(changes []config.Change) []string {
	holds := make([]string, len(changes))
	for i, c := range changes {
		if !c.Live {
			continue
		}
		now := n.broker.Config(c.Key)
		if now.Source == metadata.SourceDynamicBroker || now.Source == metadata.SourceDynamicDefault {
			holds[i] = now.Value
		}
	}
	return holds
}

func (n *Node) reportReload(cfg *config.Config, changes []config.Change, holds []string) {
	for _, warning := range cfg.Warnings {
		n.log.Warn(warning)
	}
	live := 0
	for i, c := range changes {
		switch {
		case !c.Live:
			n.log.Warn("needs a restart", "key", c.Key, "runs with", c.From, "file says", c.To)
		case holds[i] != "":
			n.log.Warn("changed, and a client's value goes before it", "key", c.Key, "from", c.From, "to", c.To,
				"client's", holds[i])
			live++
		default:
			n.log.Info("changed", "key", c.Key, "from", c.From, "to", c.To)
			live++
		}
	}
	n.log.Info("the configuration was read again", "changed", live, "need a restart", len(changes)-live)
}

// configured hears of broker keys that changed, for what is bounded outside the loop. Loop
// goroutine, or that of the start.
func (n *Node) configured(value func(key string) string) {
	number := func(key string) int {
		v, _ := strconv.Atoi(value(key)) // validated when it was set
		return v
	}
	n.net.SetLimits(number("max.connections"), number("max.connections.per.ip"))
}
