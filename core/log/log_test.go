package log_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

func fill(r *rig, l *log.Log, n int) []string {
	var want []string
	for i := range n {
		text := fmt.Sprintf("%s-%d", l.TP(), i)
		base := r.appendText(l, text)
		want = append(want, fmt.Sprintf("%d:%s/0", base, text))
		if i%7 == 3 {
			r.settle()
		}
	}
	return want
}

func TestAppendedIsDurableWhenItsGroupIs(t *testing.T) {
	r := newRig(t, nil).mustOpen()
	l := r.create("orders", 0, smallConfig())
	require.EqualValues(t, 0, r.appendText(l, "a"))
	require.EqualValues(t, 1, l.End())
	require.EqualValues(t, 0, l.DurableEnd())
	r.drain()
	require.EqualValues(t, 0, l.DurableEnd(), "the write has not been reported")
	r.steps.Run()
	require.EqualValues(t, 1, l.DurableEnd())
	require.Equal(t, []string{"0:a/0"}, r.texts(l))
}

// Thousands of partitions that nobody wrote to yet must not make a stop long: they stay in
// the journal, and are found there with their epochs.
func TestUnwrittenLogsGetNoFilesAtAStop(t *testing.T) {
	for _, policy := range []log.FlushPolicy{log.FlushGroup, log.FlushOS} {
		t.Run(policy.String(), func(t *testing.T) {
			r := newRig(t, nil).mustOpen()
			cfg := smallConfig()
			cfg.Flush = policy
			for p := range int32(20) {
				r.create("orders", p, cfg).BeginEpoch(3)
			}
			require.EqualValues(t, 0, r.append(r.log("orders", 7), batch("written", 1, 0, 1000, nil), 3))
			r.settle()
			for range 3 {
				r.close()
				entries, err := r.disk.Mount(func(env.Completion) {}).List(r.cfg.Path)
				require.NoError(t, err)
				folders := 0
				for _, e := range entries {
					if e.Dir && e.Name != "journal" {
						folders++
					}
				}
				require.Equal(t, 1, folders)

				r.mustOpen()
				require.True(t, r.dir.Recovery().Clean)
				require.Len(t, r.dir.All(), 20)
				for p := range int32(20) {
					l := r.log("orders", p)
					require.EqualValues(t, 3, l.LatestEpoch())
					require.Equal(t, policy, l.Policy())
				}
				require.Equal(t, []string{"0:written/0"}, r.texts(r.log("orders", 7)))
			}
			require.EqualValues(t, 0, r.append(r.log("orders", 8), batch("later", 1, 0, 1000, nil), 3))
			r.settle()
			require.EqualValues(t, 1, r.log("orders", 8).DurableEnd())
		})
	}
}

// Syncs of many logs go side by side in the background; what blocks does not grow with them.
func TestAfterWriteOutACloseDoesNotGrowWithLogs(t *testing.T) {
	for _, policy := range []log.FlushPolicy{log.FlushGroup, log.FlushOS} {
		t.Run(policy.String(), func(t *testing.T) {
			r := newRig(t, nil).mustOpen()
			cfg := smallConfig()
			cfg.Flush = policy
			for p := range int32(50) {
				fill(r, r.create("orders", p, cfg), 3)
			}
			r.settle()
			require.True(t, r.dir.Idle())
			r.dir.WriteOut()
			require.False(t, r.dir.Idle())
			r.settle()
			require.True(t, r.dir.Idle())
			r.disk.CrashAfterOps(40)
			require.NoError(t, r.dir.Close())
			r.disk.CrashAfterOps(0)
			r.powerLoss()
			r.mustOpen()
			require.True(t, r.dir.Recovery().Clean)
			require.Zero(t, r.dir.Recovery().IndexesRebuilt)
			for p := range int32(50) {
				require.Len(t, r.texts(r.log("orders", p)), 3)
			}
		})
	}
}

func TestLogIsTheSameAfter(t *testing.T) {
	for _, policy := range []log.FlushPolicy{log.FlushGroup, log.FlushOS} {
		for _, how := range []string{"close", "kill", "power"} {
			t.Run(policy.String()+"/"+how, func(t *testing.T) {
				r := newRig(t, nil).mustOpen()
				cfg := smallConfig()
				cfg.Flush = policy
				l := r.create("orders", 0, cfg)
				want := fill(r, l, 200)
				r.settle()
				require.EqualValues(t, 200, l.DurableEnd())
				require.Equal(t, want, r.texts(l))
				switch how {
				case "close":
					r.close()
					require.Zero(t, r.bufs.held)
				case "kill":
					r.kill()
				case "power":
					for range 10 {
						r.tick(log.TickInterval)
					}
					r.powerLoss()
				}
				for round := range 2 {
					r.mustOpen()
					rec := r.dir.Recovery()
					require.Empty(t, rec.Damages)
					require.Equal(t, how == "close" && round == 0, rec.Clean)
					l = r.log("orders", 0)
					require.EqualValues(t, 200, l.DurableEnd())
					require.Equal(t, want, r.texts(l))
					r.kill()
				}
				r.mustOpen()
				l = r.log("orders", 0)
				require.EqualValues(t, 200, r.appendText(l, "more"))
				r.settle()
				require.Equal(t, kafka.Offset(201), l.DurableEnd())
			})
		}
	}
}
