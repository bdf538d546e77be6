package config

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/metadata"
)

var update = flag.Bool("update", false, "write the page instead of comparing it")

const pagePath = "../../docs/operations/configuration.md"

func TestConfigurationPageIsInStepWithTheTables(t *testing.T) {
	if *update {
		if err := os.WriteFile(pagePath, []byte(page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != page() {
		t.Errorf("%s is not what the tables say; run make docs", pagePath)
	}
}

// waiting are the beginnings of keys whose duty is not built: they are accepted, so that a
// file written for Kafka starts, and shown by DescribeConfigs, and change nothing.
var waiting = []struct{ prefixes, duty string }{
	{"group. offsets. offset.", "consumer groups"},
	{"transaction. transactional. add.partitions.", "transactions"},
	{"share.", "share groups"},
	{"replica. num.replica. leader. auto.leader. unclean. controlled. min.insync. default.replication. " +
		"inter.broker. broker.heartbeat. broker.session. controller.quorum. initial.broker.", "replication"},
	{"log.cleaner.", "compaction"},
	{"ssl. sasl. connection.failed. connections.max.reauth. allow.everyone. super.", "security"},
	{"quota. controller.quota. max.connection.creation.", "quotas"},
}

// dutyAwaited is the duty a key belongs to that is not built yet, or "".
func dutyAwaited(key string) string {
	for _, w := range waiting {
		for prefix := range strings.FieldsSeq(w.prefixes) {
			if strings.HasPrefix(key, prefix) {
				return w.duty
			}
		}
	}
	return ""
}

// page is docs/operations/configuration.md, made from the tables.
func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("\n## Tidemark's own keys\n\n")
	writeTable(&b, ownKeys)
	b.WriteString("\n## Kafka's keys\n\n")
	writeTable(&b, metadata.BrokerConfigKeys())
	return b.String()
}

const pageHead = `# Configuration

<!-- Generated from the tables in core/metadata and node/config. Change those, then run
     make docs -->

A node reads one file in the format of Kafka's ` + "`server.properties`" + `. The least that starts
a broker is

` + "```" + `
node.id=1
log.dirs=data
` + "```" + `

Apache Kafka's sample file for a combined broker and controller starts one unchanged. Every key of Kafka's
is known; a key that nobody knows stops the start with its file, line and the nearest known name, and so
does a value that cannot be. A key set twice takes the last value, with a warning.

*Waits for* marks keys whose duty this release does not have: they are accepted and shown to clients, and
change nothing. *At run time* marks what Kafka can change without a restart.
`

func writeTable(b *strings.Builder, keys []*metadata.ConfigKey) {
	b.WriteString("| key | default | takes | what it is |\n|---|---|---|---|\n")
	for _, k := range keys {
		if k.Internal {
			continue
		}
		about := k.Doc
		if k.Dynamic {
			about += " *At run time.*"
		}
		if duty := dutyAwaited(k.Name); duty != "" {
			about += " *Waits for " + duty + ".*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.Name, defaultShown(k), expected(k), about)
	}
}

func defaultShown(k *metadata.ConfigKey) string {
	switch {
	case k.NoDefault:
		return "–"
	case k.Default == "":
		return "empty"
	case k.Default == strconv.FormatInt(math.MaxInt64, 10), k.Default == "1.7976931348623157E308":
		return "no bound"
	}
	return "`" + strings.ReplaceAll(k.Default, ",", ", ") + "`"
}
