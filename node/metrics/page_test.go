package metrics

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/log"
)

var update = flag.Bool("update", false, "write the page instead of comparing it")

const pagePath = "../../docs/operations/metrics.md"

func TestMetricsPageIsInStepWithTheTable(t *testing.T) {
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
		t.Errorf("%s is not what the table says; run make docs", pagePath)
	}
}

// Nothing stands in the table that a scrape does not show, and no name is there twice.
func TestEveryFamilyIsShown(t *testing.T) {
	s := &broker.Stats{Dirs: []broker.DirStats{{Path: "/d"}}, PerTopic: []broker.TopicStats{{Name: "t"}}}
	s.API.Requests[api.Table()[0].Key] = 1
	snapshot := &Snapshot{Broker: s, FreeBytes: []int64{1}, Recovering: &log.Progress{Path: "/d"}}
	w := httptest.NewRecorder()
	New(func() *Snapshot { return snapshot }).Handler().
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, f := range families {
		if n := strings.Count(w.Body.String(), "# TYPE "+f.name+" "+string(f.kind)+"\n"); n != 1 {
			t.Errorf("%s as %s is shown %d times", f.name, f.kind, n)
		}
	}
}

const pageHead = `# Metrics

<!-- Generated from the tables in node/metrics. Change those, then run make docs -->

` + "`GET /metrics`" + ` at ` + "`tidemark.admin.address`" + ` (127.0.0.1:9644 by default) answers in the
format of Prometheus. What to look at first, and what to be woken for, is in
[monitoring](monitoring.md).

The names are public: they change only with a major version. Times are in seconds, sizes in
bytes; counters end in ` + "`_total`" + ` and begin at 0 with the process. The metrics of the Go
runtime (` + "`go_…`" + `) and of the process (` + "`process_…`" + `: memory, CPU, file descriptors) stand
beside them under their usual names.
`

// page is docs/operations/metrics.md, made from the table.
func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	group := ""
	for _, f := range families {
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n## %s\n\n| metric | kind | labels | what it is |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(f.labels, ", "), f.help)
	}
	return b.String()
}

// Documents and the dashboard ask for nothing that is not there.
func TestOthersAskOnlyForWhatIsShown(t *testing.T) {
	known := map[string]bool{}
	for _, f := range families {
		known[f.name] = true
		if f.kind == histogram {
			known[f.name+"_bucket"] = true
		}
	}
	names := regexp.MustCompile(`\btidemark_[a-z_]*[a-z]`)
	for _, path := range []string{"../../docs/operations/monitoring.md", "../../deploy/grafana/tidemark.json"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names.FindAllString(string(text), -1) {
			if !known[name] && name != "tidemark_topic" && name != "tidemark_recovery" { // beginnings of several
				t.Errorf("%s: no metric is named %s", path, name)
			}
		}
		if strings.HasSuffix(path, ".json") && !json.Valid(text) {
			t.Errorf("%s is not JSON", path)
		}
	}
}
