package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/sim"
)

func TestExchangedDiskIsEmptyAndALedgerMayRefuseIt(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, _ := addWriter(w)
	h.Start(0)
	runTo(t, w, time.Second)
	require.NotEmpty(t, h.Disk().CachedFiles())
	allow := sim.Veto
	w.OnFault(func(*sim.Fault) sim.Verdict { return allow })
	require.Nil(t, h.ExchangeDisk())
	require.True(t, h.Live())
	allow = sim.Void
	f := h.ExchangeDisk()
	require.NotNil(t, f)
	require.False(t, h.Up())
	require.Empty(t, h.Disk().CachedFiles())
	h.Start(time.Second)
	runTo(t, w, 3*time.Second)
	require.True(t, h.Live())
	require.Equal(t, sim.FaultObserved, f.Level)
}
