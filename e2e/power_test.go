package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/power"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// The process is killed under load and its disk forgets what was not fsynced, again and
// again: under flush.policy=group nothing acknowledged is lost.
func TestPowerLossUnderLoadLosesNothing(t *testing.T) {
	report := powerCycles(t, fromEnv(t, "E2E_POWER_CYCLES", 3), "group")
	require.True(t, report.OK(), report.First)
}

// Under flush.policy=os the same power losses do lose acknowledged records: the test above
// can fail.
func TestPowerLossIsSeenWithoutFsync(t *testing.T) {
	report := powerCycles(t, 2, "os")
	require.Positive(t, report.Lost)
	t.Logf("seen as it must be: %s", report.First)
}

func powerCycles(t *testing.T, cycles int, policy string) process.Report {
	t.Helper()
	cfg := brokerConfig(t)
	cfg.Properties = []string{"tidemark.journal.file.bytes=4194304", "tidemark.journal.files=4",
		"log.flush.policy=" + policy}
	disk, err := power.Mount(cfg.Dir, 1)
	if errors.Is(err, power.ErrNoFUSE) {
		t.Skipf("skipped: %v", err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, disk.Unmount()) }()
	ctx := t.Context()
	broker, err := process.Start(ctx, cfg)
	require.NoError(t, err)
	defer func() { broker.Kill() }()
	load, err := process.StartLoad(ctx, broker.Addr(), process.LoadConfig{
		Topic: "power", Partitions: 3, ValueBytes: 256, InFlight: 32,
	})
	require.NoError(t, err)
	dropped := 0
	for range cycles {
		before := load.Count()
		require.Eventually(t, func() bool { return load.Count() > before+200 }, 30*time.Second, 20*time.Millisecond)
		broker.Kill()
		crash, err := disk.PowerLoss()
		require.NoError(t, err)
		dropped += crash.OpsDropped
		broker, err = process.Start(ctx, cfg)
		require.NoError(t, err)
	}
	// After a loss the client may be refused for good, and that is not what is asked here.
	stopCtx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	acked, err := load.Stop(stopCtx)
	if policy == "group" {
		require.NoError(t, err)
	}
	report, err := process.Audit(ctx, broker.Addr(), "power", acked)
	require.NoError(t, err)
	t.Logf("%s: %d power losses, %d unsynced operations dropped, %d acknowledged, %d lost, %d doubled",
		policy, cycles, dropped, report.Acked, report.Lost, report.Doubled)
	require.Positive(t, dropped, "no power loss took anything: the disk did not forget")
	return report
}
