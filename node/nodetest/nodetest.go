package nodetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
)

// Broker is a broker that lives as long as its test.
type Broker struct {
	t    testing.TB
	cfg  options
	port int
	node *node.Node // nil while stopped
}

type options struct {
	dir        string
	properties map[string]string
}

// Option changes what Start starts.
type Option func(*options)

// Property sets a key of server.properties, for example
// Property("auto.create.topics.enable", "false"). An unknown key fails the test.
// Default: Kafka's defaults, a journal of 3 files of 1 MiB, and no port for metrics.
func Property(key, value string) Option {
	return func(o *options) { o.properties[key] = value }
}

// Dir keeps the broker's files in dir. Default: a temporary directory of the test.
func Dir(dir string) Option {
	return func(o *options) { o.dir = dir }
}

// Start starts a broker on a free port of 127.0.0.1, and stops it when the test ends.
func Start(t testing.TB, opts ...Option) *Broker {
	t.Helper()
	b := &Broker{t: t, cfg: options{properties: map[string]string{
		"tidemark.journal.file.bytes": "1048576",
		"tidemark.journal.files":      "3",
		"tidemark.admin.address":      "",
	}}}
	for _, o := range opts {
		o(&b.cfg)
	}
	if b.cfg.dir == "" {
		b.cfg.dir = t.TempDir()
	}
	b.Restart()
	t.Cleanup(b.Stop)
	return b
}

// Addr is the bootstrap address. It stays the same over Stop and Restart.
func (b *Broker) Addr() string { return fmt.Sprintf("127.0.0.1:%d", b.port) }

// AdminAddr is where metrics and health are answered if the property
// tidemark.admin.address says so, for example "127.0.0.1:0"; else "".
func (b *Broker) AdminAddr() string {
	if b.node == nil {
		return ""
	}
	return b.node.AdminAddr()
}

// Stop ends the broker cleanly. A stopped broker stays stopped.
func (b *Broker) Stop() {
	b.t.Helper()
	if b.node == nil {
		return
	}
	if err := b.node.Stop(); err != nil {
		b.t.Errorf("nodetest: stop: %v", err)
	}
	b.node = nil
}

// Restart stops the broker if it runs, and starts it on the same files and port.
func (b *Broker) Restart() {
	b.t.Helper()
	b.Stop()
	cfg, err := config.Parse("nodetest", b.properties())
	if err != nil {
		b.t.Fatalf("nodetest: %v", err)
	}
	b.node, err = node.Start(cfg, node.Options{Version: "nodetest"})
	if err != nil {
		b.t.Fatalf("nodetest: start: %v", err)
	}
	b.port = b.node.Port()
}

func (b *Broker) properties() string {
	var text strings.Builder
	fmt.Fprintf(&text, "process.roles=broker,controller\nnode.id=1\n")
	fmt.Fprintf(&text, "listeners=PLAINTEXT://127.0.0.1:%d\nlog.dirs=%s\n", b.port, b.cfg.dir)
	for _, key := range slices.Sorted(maps.Keys(b.cfg.properties)) {
		fmt.Fprintf(&text, "%s=%s\n", key, b.cfg.properties[key])
	}
	return text.String()
}
