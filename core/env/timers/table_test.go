package timers_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/timers"
)

// Against a list that is searched: the earliest due timer comes first, those of one
// instant in the order of arming, and only the last setting of a key counts.
func TestTableFiresTheEarliestOfTheLastSettings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type armed struct {
			key env.TimerKey
			at  env.Instant
		}
		var table timers.Table
		var list []armed
		drop := func(key env.TimerKey) {
			for i := range list {
				if list[i].key == key {
					list = append(list[:i:i], list[i+1:]...)
					return
				}
			}
		}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			key := env.TimerKey{Kind: "k", ID: rapid.Int64Range(0, 9).Draw(t, "id")}
			at := env.Instant(rapid.Int64Range(0, 12).Draw(t, "at"))
			switch rapid.IntRange(0, 4).Draw(t, "verb") {
			case 0, 1, 2:
				table.Set(key, at)
				drop(key)
				list = append(list, armed{key, at})
			case 3:
				table.Clear(key)
				drop(key)
			case 4:
				first := -1
				for i := range list {
					if list[i].at <= at && (first < 0 || list[i].at < list[first].at) {
						first = i
					}
				}
				got, ok := table.PopDue(at)
				if ok != (first >= 0) || ok && got != list[first].key {
					t.Fatalf("PopDue(%d) = %v %v of %v", at, got, ok, list)
				}
				if ok {
					drop(got)
				}
			}
			if table.Len() != len(list) {
				t.Fatalf("%d timers, want %v", table.Len(), list)
			}
		}
	})
}

func BenchmarkRearm(b *testing.B) {
	var table timers.Table
	at := env.Instant(0)
	for b.Loop() {
		at++
		table.Set(env.TimerKey{Kind: "session", ID: int64(at % 1000)}, at)
	}
}
