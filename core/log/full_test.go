package log_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// fullVolume is a directory with acknowledged records, some of them in the journal only,
// whose volume somebody else then fills to the last byte.
func fullVolume(t *testing.T, at simdisk.FullAt) (*rig, kafka.Offset) {
	r := newRig(t, func(dc *simdisk.Config, lc *log.DirConfig) {
		dc.Capacity, dc.Faults = 600_000, simdisk.Faults{FullAt: at}
		dc.Decide = simdisk.Hashed(1)
		lc.ReserveBytes, lc.JournalFileBytes, lc.TailCacheBytes = 100_000, 16<<10, 1<<20
	}).mustOpen()
	l := r.create("orders", 0, smallConfig())
	for range 20 {
		r.append(l, batch("early", 3, 200, 1000, nil), 0)
		r.settle()
	}
	// What comes now finds no room behind the journal.
	require.NoError(t, r.view.Reserve("/other", r.view.Free("/")-2*(16<<10)))
	for range 10 {
		r.append(l, batch("late", 3, 200, 1000, nil), 0)
		r.drain()
	}
	r.settle()
	fillUp(t, r.view)
	require.Positive(t, l.DurableEnd())
	return r, l.DurableEnd()
}

// Recovery writes too: without the reserve it would find no room. It may be cut short at any
// operation; the next one has the reserve no more, and must do with what that one left.
func TestABootOnAVolumeWithNothingFreeLosesNothing(t *testing.T) {
	for _, at := range []simdisk.FullAt{simdisk.FullAtWrite, simdisk.FullAtNames, simdisk.FullAtSync} {
		for _, power := range []bool{false, true} {
			t.Run(fmt.Sprintf("at=%d,power=%v", at, power), func(t *testing.T) {
				for ops := 0; bootFull(t, at, power, ops); ops++ {
					require.Less(t, ops, 1000, "this boot never ends")
				}
			})
		}
	}
}

// bootFull cuts the boot short at an operation, 0: not, and tells whether there was one.
func bootFull(t *testing.T, at simdisk.FullAt, power bool, ops int) (cut bool) {
	r, durable := fullVolume(t, at)
	r.end(power)
	fillUp(t, r.disk.Mount(func(env.Completion) {}))
	r.kill()
	given := false
	if ops > 0 {
		r.disk.CrashAfterOps(ops)
		err := r.open()
		r.disk.CrashAfterOps(0)
		if cut = r.disk.Crashed(); !cut {
			require.NoError(t, err, "at operation %d", ops)
		}
		r.end(power)
		given = true // maybe
	}
	require.NoError(t, r.open(), "after a boot cut short at operation %d", ops)
	require.True(t, given || r.dir.Recovery().ReserveGiven)
	l := r.log("orders", 0)
	require.GreaterOrEqual(t, l.End(), durable)
	require.True(t, l.Tight(), "records are refused until there is room")
	require.NoError(t, r.view.Remove("/other"))
	r.tick(time.Second)
	require.False(t, l.Tight())
	base := r.append(l, batch("again", 1, 200, 1000, nil), 0)
	r.settle()
	require.Equal(t, base+1, l.DurableEnd())
	got, err := r.read(l, 0, l.DurableEnd())
	require.NoError(t, err)
	require.Equal(t, l.End(), got[len(got)-1].NextOffset())
	return cut || ops == 0
}

// fillUp has somebody else take all that is free, also what a loss of power has freed.
func fillUp(t *testing.T, view *simdisk.View) {
	has := int64(0)
	entries, err := view.List("/")
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name == "other" {
			has = e.Size
		}
	}
	require.NoError(t, view.Reserve("/other", has+view.Free("/")))
	require.NoError(t, view.SyncAll([]string{"/other"}, []string{"/"}))
	require.Zero(t, view.Free("/"))
}

func (r *rig) end(power bool) {
	if power {
		r.powerLoss()
	} else {
		r.kill()
	}
}
