package metrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/node/metrics"
)

func scrape(t *testing.T, s *metrics.Snapshot) string {
	t.Helper()
	w := httptest.NewRecorder()
	handler := metrics.New(func() *metrics.Snapshot { return s }).Handler()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// busy is a node of which everything can be told.
func busy(topics int) *metrics.Snapshot {
	s := &broker.Stats{Ready: true, Cluster: "c", Topics: topics}
	for _, a := range api.Table() {
		s.API.Requests[a.Key] = 3
		s.API.Took[a.Key].Add(3 * time.Millisecond)
	}
	for _, dir := range []string{"/d", "/\xff"} {
		d := broker.DirStats{Path: dir}
		d.Journal.Took.Add(300 * time.Microsecond)
		s.Dirs = append(s.Dirs, d)
	}
	s.Dirs[1].Err = errors.New("broken")
	for i := range min(topics, metrics.TopicsMax) {
		s.PerTopic = append(s.PerTopic, broker.TopicStats{Name: fmt.Sprintf("t%06d", i), Partitions: 1})
	}
	return &metrics.Snapshot{
		Version: "v", NodeID: 1, Answered: true, Broker: s, FreeBytes: []int64{7, -1},
		Recovering: &log.Progress{Path: "/d", Phase: log.PhaseRecover, Bytes: 1, BytesTotal: 2},
	}
}

// Names are public, so they keep to the rules of those who read them: units, suffixes, help.
func TestNamesKeepToTheConventionsOfPrometheus(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(scrape(t, busy(1)))).Lint()
	require.NoError(t, err)
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "tidemark_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// An operator with a hundred thousand topics must be able to scrape, and so must one whose
// directory has no name that is text.
func TestSeriesAreBounded(t *testing.T) {
	small, large := scrape(t, busy(metrics.TopicsMax)), scrape(t, busy(100_000))
	require.Equal(t, strings.Count(small, "\n"), strings.Count(large, "\n"))
	require.Contains(t, large, fmt.Sprintf("tidemark_topics_unlisted %d\n", 100_000-metrics.TopicsMax))
	require.Contains(t, large, `tidemark_directory_online{directory="/?"} 0`)
	require.NotContains(t, large, `tidemark_directory_free_bytes{directory="/?"}`)
}

// Buckets are shown as Prometheus counts them: each with all that is smaller.
func TestHistogramsAreCumulative(t *testing.T) {
	text := scrape(t, busy(1))
	for _, line := range []string{
		`tidemark_request_seconds_bucket{api="Produce",le="0.0025"} 0`,
		`tidemark_request_seconds_bucket{api="Produce",le="0.005"} 1`,
		`tidemark_request_seconds_bucket{api="Produce",le="+Inf"} 1`,
		`tidemark_request_seconds_sum{api="Produce"} 0.003`,
		`tidemark_request_seconds_count{api="Produce"} 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
}

// While it recovers, and when its loop hangs, a node tells what it can.
func TestAScrapeWithoutABrokerTellsTheRest(t *testing.T) {
	recovering := scrape(t, &metrics.Snapshot{
		NodeID: 1, Answered: true,
		Recovering: &log.Progress{Path: "/d", Phase: log.PhaseReplay, Bytes: 10, BytesTotal: 40},
	})
	require.Contains(t, recovering, "tidemark_ready 0\n")
	require.Contains(t, recovering,
		`tidemark_recovering_bytes{directory="/d",phase="replaying the journal"} 10`+"\n")
	hanging := scrape(t, &metrics.Snapshot{NodeID: 1})
	require.Contains(t, hanging, "tidemark_loop_responsive 0\n")
	require.Contains(t, hanging, "go_goroutines ")
	require.NotContains(t, hanging, "tidemark_connections ")
}
