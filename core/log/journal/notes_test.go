package journal_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// surveyOf is what a survey must tell, by what a replay gives.
func surveyOf(all []replayed) (want []surveyed) {
	type first struct {
		seq journal.Seq
		key journal.Key
	}
	met := map[first]bool{}
	for i, r := range all {
		if r.e.Kind == journal.KindBatch {
			at := first{r.seq, r.e.Key}
			if met[at] {
				continue
			}
			met[at], r.e.Payload = true, nil
		}
		want = append(want, surveyed{i + 1, r.e})
	}
	return want
}

type surveyed struct {
	at    int
	entry journal.Entry
}

func (s surveyed) equal(o surveyed) bool {
	return s.at == o.at && s.entry.Kind == o.entry.Kind && s.entry.Key == o.entry.Key &&
		s.entry.A == o.entry.A && s.entry.B == o.entry.B && bytes.Equal(s.entry.Payload, o.entry.Payload)
}

// Recovery decides by the survey what it does with what it replays, so both must tell the
// same, however little of it there was memory for.
func TestASurveyTellsWhatAReplayWill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(nil)
		if _, _, err := r.open(); err != nil {
			t.Fatalf("open: %v", err)
		}
		for range rapid.IntRange(1, 8).Draw(t, "groups") {
			for range rapid.IntRange(1, 6).Draw(t, "entries") {
				e := entry(rapid.IntRange(0, 3).Draw(t, "log"), 10)
				if rapid.Bool().Draw(t, "no batch") {
					e.Kind = rapid.SampledFrom([]journal.Kind{journal.KindCreated, journal.KindTruncate,
						journal.KindStart, journal.KindBlob}).Draw(t, "kind")
					e.Payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
				}
				r.j.Collect(&e, nil, true)
			}
			for r.j.Waiting() { // for a file, at times
				if _, err := r.j.Submit(); err != nil {
					t.Fatalf("submit: %v", err)
				}
				r.steps.Run()
			}
		}
		r.disk.Kill()
		cfg := r.cfg
		cfg.Env = &env.Env{Clock: r, Disk: r.disk.Mount(func(env.Completion) {}), Rand: r, Tracer: r, Rare: r}
		cfg.NotesBytes = rapid.SampledFrom([]int64{0, 1, 300, 1000}).Draw(t, "memory")
		checkSurvey(t, cfg)
	})
}

func checkSurvey(t *rapid.T, cfg journal.Config) {
	s, err := journal.NewScan(cfg)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	var told []surveyed
	err = s.Survey(func(at int, e journal.Entry) error {
		told = append(told, surveyed{at, e})
		return nil
	})
	if err != nil {
		t.Fatalf("survey: %v", err)
	}
	var all []replayed
	err = s.Replay(func(seq journal.Seq, e journal.Entry) error {
		e.Payload = bytes.Clone(e.Payload)
		all = append(all, replayed{seq, e})
		return nil
	})
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	want := surveyOf(all)
	if len(told) != len(want) || len(all) == 0 {
		t.Fatalf("survey tells %d entries, replay gives %d of which %d count", len(told), len(all), len(want))
	}
	for i := range want {
		if !told[i].equal(want[i]) {
			t.Fatalf("survey tells %+v, replay gives %+v", told[i], want[i])
		}
	}
}
