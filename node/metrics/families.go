package metrics

import (
	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/broker"
)

type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// family is one metric: its name, what it means, and how a scrape reads it.
type family struct {
	group  string // heading on the page
	name   string
	kind   kind
	labels []string
	help   string
	read   func(*Snapshot, *sink)
}

// families is the table of everything shown, in the order of the page.
var families = func() (all []family) {
	for _, g := range []struct {
		heading  string
		families []family
	}{
		{"The node", nodeFamilies}, {"Recovery", recoveryFamilies}, {"Requests", requestFamilies},
		{"Producing and fetching", dataFamilies}, {"Connections", connectionFamilies},
		{"Journal", journalFamilies}, {"Log directories", directoryFamilies}, {"Topics", topicFamilies},
		{"Memory", memoryFamilies},
	} {
		for _, f := range g.families {
			f.group = g.heading
			all = append(all, f)
		}
	}
	return all
}()

// number reads one value of the broker; there is none while it recovers.
func number[N int | int64 | uint64](of func(*broker.Stats) N) func(*Snapshot, *sink) {
	return func(s *Snapshot, out *sink) {
		if s.Broker != nil {
			out.add(float64(of(s.Broker)))
		}
	}
}

// perAPI reads a value of each API that was asked for since the start.
func perAPI(add func(s *broker.Stats, key int16, name string, out *sink)) func(*Snapshot, *sink) {
	return func(s *Snapshot, out *sink) {
		if s.Broker == nil {
			return
		}
		for _, a := range api.Table() {
			if s.Broker.API.Requests[a.Key] > 0 {
				add(s.Broker, a.Key, a.Name, out)
			}
		}
	}
}

// perDirectory reads a value of each log directory.
func perDirectory[N int | int64 | uint64](of func(*broker.DirStats) N) func(*Snapshot, *sink) {
	return func(s *Snapshot, out *sink) {
		if s.Broker == nil {
			return
		}
		for i := range s.Broker.Dirs {
			d := &s.Broker.Dirs[i]
			out.add(float64(of(d)), d.Path)
		}
	}
}

// perTopic reads a value of each topic that is shown.
func perTopic[N int | int64 | uint64](of func(*broker.TopicStats) N) func(*Snapshot, *sink) {
	return func(s *Snapshot, out *sink) {
		if s.Broker == nil {
			return
		}
		for i := range s.Broker.PerTopic {
			t := &s.Broker.PerTopic[i]
			out.add(float64(of(t)), t.Name)
		}
	}
}

func oneIf(is bool) int {
	if is {
		return 1
	}
	return 0
}
