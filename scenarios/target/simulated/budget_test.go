package simulated

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// withLogs is a run that knows two logs, of which the second is flushed by the system.
func withLogs(mode scenarios.Budget) *run {
	r := &run{counts: map[string]int{}}
	r.ledger = newLedger(r)
	r.budget = &budget{run: r, mode: mode, indexes: map[string]bool{}}
	for i, os := range []bool{false, true} {
		tp := kafka.TopicPartition{Topic: "t", Partition: int32(i)}
		rep := &replica{tp: tp, durable: 7, flushOS: os}
		r.ledger.replicas[tp] = rep
		r.ledger.order = append(r.ledger.order, rep)
	}
	return r
}

func TestBudgetRefusesWhatDestroysTheOnlyCopyOrCallsItVoid(t *testing.T) {
	for _, c := range []struct {
		kind  simdisk.FaultKind
		path  string
		model string
		void  string // under spend; "": nothing can be destroyed
	}{
		{simdisk.FaultBitRot, "/disk0/t-0/00000000000000000000.log", "", "t-0"},
		{simdisk.FaultBitRot, "/disk0/t-0/partition.metadata", "", "t-0"},
		{simdisk.FaultBitRot, "/disk0/t-0/00000000000000000000.index", "", ""},
		{simdisk.FaultLatentSector, "/disk0/journal/00000003.wal", "", "all"},
		{simdisk.FaultMisdirectedWrite, "/disk0/__cluster_metadata-0/00000000000000000000.log", "", "all"},
		{simdisk.FaultSyncLie, "/disk0/t-0/00000000000000000000.log", "clean-new", ""},
		{simdisk.FaultSyncLie, "/disk0/t-1/00000000000000000000.log", "clean-new", "t-1"},
		{simdisk.FaultSyncLie, "/disk0/journal/00000003.wal", "clean-old", ""},
		{simdisk.FaultSyncLie, "/disk0/journal/00000003.wal", "shutdown", "t-1"},
		{simdisk.FaultLostWriteBack, "/disk0/t-1/00000000000000000000.log", "", "t-1"},
		{simdisk.FaultSyncError, "/disk0/t-1/00000000000000000000.log", "", ""},
		{simdisk.FaultBitRot, "/disk0/gone-7/00000000000000000000.log", "", ""},
	} {
		ev := simdisk.FaultEvent{Kind: c.kind, Path: c.path, Model: c.model}
		keep, spend := withLogs(scenarios.Keep), withLogs(scenarios.Spend)
		require.Equal(t, c.void == "", keep.budget.allowDisk(ev), "%v", ev)
		require.False(t, keep.budget.anyVoid())
		require.True(t, spend.budget.allowDisk(ev))
		switch c.void {
		case "all":
			require.True(t, spend.budget.all, "%v", ev)
		case "":
			require.False(t, spend.budget.anyVoid(), "%v", ev)
		default:
			require.Equal(t, []string{c.void}, spend.budget.voided(), "%v", ev)
		}
	}
}

// Half of the runs have a class, one in ten has exactly one, and none has all by design.
func TestSwarmDrawsEachClassForAboutHalfOfTheSeeds(t *testing.T) {
	const seeds = 2000
	alone, with := 0, map[scenarios.Class]int{}
	for seed := range uint64(seeds) {
		drawn := drawClasses(engine.NewChoice(seed), scenarios.Classes())
		if len(drawn) == 1 {
			alone++
		}
		for _, class := range drawn {
			with[class]++
		}
	}
	require.Greater(t, alone, seeds/15)
	for _, class := range scenarios.Classes() {
		require.InDelta(t, seeds*0.46, with[class], seeds*0.06, class)
	}
}
