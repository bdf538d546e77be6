package bench

import (
	"encoding/json"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Figure is one number of a measurement. Its name ends with its unit.
type Figure struct {
	Name  string
	Value float64
}

// Figures keep the order in which they are shown.
type Figures []Figure

// Get is the figure of that name.
func (f Figures) Get(name string) (float64, bool) {
	for _, x := range f {
		if x.Name == name {
			return x.Value, true
		}
	}
	return 0, false
}

// Names of figures that others refer to.
const (
	Throughput    = "mb_per_s"
	CPUPerGB      = "server_cpu_s_per_gb"
	Resident      = "server_rss_mb"
	AckP50        = "p50_ms"
	Lag           = "generator_lag_p99_ms"
	FirstAck      = "first_ack_ms"
	IdleResident  = "idle_rss_mb"
	IdleCPU       = "idle_cpu_ms_per_s"
	megabyte      = 1e6
	gigabyte      = 1e9
	perThousand   = 1e3
	millisPerNano = 1e-6
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(latencyMax), 3)
}

// note counts a duration; what is too long for the histogram counts as its longest.
func note(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(int64(d), 1), int64(latencyMax))) // within its range by that
}

// percentiles are those worth a row in a table.
func percentiles(h *hdrhistogram.Histogram) Figures {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) * millisPerNano }
	return Figures{
		{AckP50, at(50)}, {"p90_ms", at(90)}, {"p99_ms", at(99)}, {"p999_ms", at(99.9)},
		{"max_ms", float64(h.Max()) * millisPerNano},
	}
}

// MarshalJSON makes a measurement one flat object: what was measured, then its figures.
func (m Measurement) MarshalJSON() ([]byte, error) {
	line := map[string]any{
		"case": m.Case, "setup": m.Setup, "target": m.Target, "repetition": m.Repetition,
		"began": m.Began.UTC().Format(time.RFC3339Nano),
	}
	for _, f := range m.Figures {
		line[f.Name] = f.Value
	}
	if m.Err != nil {
		line["error"] = m.Err.Error()
	}
	return json.Marshal(line)
}
