package metrics

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemark-log/tidemark/core/env/timing"
)

// Exporter answers scrapes.
type Exporter struct {
	source   Source
	registry *prometheus.Registry
	descs    []*prometheus.Desc // by place in families
}

// New makes an exporter that asks source at each scrape.
func New(source Source) *Exporter {
	e := &Exporter{source: source, registry: prometheus.NewRegistry()}
	for i := range families {
		f := &families[i]
		e.descs = append(e.descs, prometheus.NewDesc(f.name, f.help, f.labels, nil))
	}
	e.registry.MustRegister(e, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return e
}

// Handler answers /metrics.
func (e *Exporter) Handler() http.Handler {
	return promhttp.HandlerFor(e.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: scrapesMax, DisableCompression: true,
	})
}

// Describe implements prometheus.Collector.
func (e *Exporter) Describe(out chan<- *prometheus.Desc) {
	for _, d := range e.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	snapshot := e.source()
	for i := range families {
		s := sink{out: out, desc: e.descs[i], kind: families[i].kind}
		families[i].read(snapshot, &s)
	}
}

// sink takes the samples of one family.
type sink struct {
	out  chan<- prometheus.Metric
	desc *prometheus.Desc
	kind kind
}

// add gives the value of the series with these label values.
func (s *sink) add(value float64, labels ...string) {
	valueType := prometheus.GaugeValue
	if s.kind == counter {
		valueType = prometheus.CounterValue
	}
	s.send(prometheus.NewConstMetric(s.desc, valueType, value, valid(labels)...))
}

func (s *sink) addHistogram(h *timing.Histogram, labels ...string) {
	below, buckets := uint64(0), make(map[float64]uint64, len(timing.Bounds))
	for i, bound := range timing.Bounds {
		below += h.Counts[i]
		buckets[bound.Seconds()] = below
	}
	sum := float64(h.Micros) / 1e6
	s.send(prometheus.NewConstHistogram(s.desc, h.Count(), sum, buckets, valid(labels)...))
}

func (s *sink) send(m prometheus.Metric, err error) {
	if err != nil {
		m = prometheus.NewInvalidMetric(s.desc, err)
	}
	s.out <- m
}

// valid makes label values text: a directory may have any name.
func valid(labels []string) []string {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "?")
	}
	return labels
}
