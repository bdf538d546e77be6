package e2e

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/stage"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// A process killed at any moment under load loses nothing that was acknowledged, and the
// client's repetitions are recognised. The load never stops: the client waits out each
// outage as a production client would.
func TestSigkillUnderLoadLosesAndDoublesNothing(t *testing.T) {
	cycles := stage.FromEnv(t, "E2E_CYCLES", 3)
	cfg := stage.Config(t)
	ctx := t.Context()
	broker, err := process.Start(ctx, cfg)
	require.NoError(t, err)
	defer func() { broker.Kill() }()
	load, err := process.StartLoad(ctx, broker.Addr(), process.LoadConfig{
		Topic: "kill", Partitions: 3, ValueBytes: 512, InFlight: 64,
	})
	require.NoError(t, err)

	for cycle := range cycles {
		before := load.Count()
		pause := 300*time.Millisecond + rand.N(500*time.Millisecond)
		require.Eventually(t, func() bool { return load.Count() > before+100 }, 30*time.Second, pause)
		load.Gap()
		broker.Kill()
		broker, err = process.Start(ctx, cfg)
		require.NoError(t, err, "start after kill %d", cycle+1)
		require.Eventually(t, func() bool { return load.Count() > before+200 }, 30*time.Second, 20*time.Millisecond)
		t.Logf("kill %d: %d acknowledged so far, longest gap %v", cycle+1, load.Count(),
			load.Gap().Round(time.Millisecond))
	}

	acked, err := load.Stop(ctx)
	require.NoError(t, err)
	report, err := process.Audit(ctx, broker.Addr(), "kill", acked)
	require.NoError(t, err)
	t.Logf("%d kills, %d acknowledged, %d read, %d lost, %d doubled",
		cycles, report.Acked, report.Read, report.Lost, report.Doubled)
	require.True(t, report.OK(), report.First)
	require.NoError(t, broker.Stop(context.Background()))
}
