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

## Where a value comes from

The first of these that sets a key counts:

1. what a client set for a topic, then for this broker, then for all brokers;
2. an environment variable;
3. the file;
4. the default.

Variables are named as in Apache Kafka's image: ` + "`KAFKA_LOG_DIRS`" + ` is ` + "`log.dirs`" + `, two
underscores are an underscore, three a dash. With ` + "`KAFKA_NODE_ID`" + ` set, ` + "`tidemark serve`" + `
needs no file. A variable that names no key stops the start as a line of the file does; those
which the scripts of Kafka's image read (` + "`KAFKA_HEAP_OPTS`" + `) and which Kubernetes makes beside
a Service named kafka (` + "`KAFKA_SERVICE_HOST`" + `) are passed over.

## Reading it again

After SIGHUP ` + "`tidemark serve`" + ` reads the file again. Keys marked *at run time* take their new
value at once, and the log says which; of all others that changed it says that they need a
restart. A file with a mistake changes nothing, and the mistake is told. What a client has set
goes on to count before the file.

## The marks

*Waits for* marks keys whose duty this release does not have: they are accepted and shown to clients, and
change nothing. *At run time* marks what takes a new value without a restart, from a client or
from the file.
`

func writeTable(b *strings.Builder, keys []*metadata.ConfigKey) {
	b.WriteString("| key | default | takes | what it is |\n|---|---|---|---|\n")
	for _, k := range keys {
		if k.Internal {
			continue
		}
		about := k.Doc
		if isLive(k) {
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
