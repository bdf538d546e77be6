package simdisk_test

import (
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// bench is a disk on a stepper.
type bench struct {
	*simdisk.Stepper
	disk *simdisk.Disk
	view *simdisk.View
	done []env.Completion
}

func newBench(cfg simdisk.Config) *bench {
	b := &bench{Stepper: simdisk.NewStepper()}
	cfg.Schedule, cfg.Now = b.Schedule, b.Now
	b.disk = simdisk.New(cfg)
	b.mount()
	return b
}

func (b *bench) mount() {
	b.view = b.disk.Mount(func(c env.Completion) { b.done = append(b.done, c) })
}

func (b *bench) settle() []env.Completion {
	b.Run()
	done := b.done
	b.done = nil
	return done
}

func rig(t *testing.T, cfg simdisk.Config) *envtest.DiskRig {
	b := newBench(cfg)
	if err := b.view.MkdirAll("/data"); err != nil {
		t.Fatal(err)
	}
	if err := b.view.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	r := &envtest.DiskRig{Disk: b.view, Root: "/data", Settle: b.settle}
	restart := func(crash func() simdisk.CrashReport) func() {
		return func() {
			crash()
			b.mount()
			r.Disk = b.view
		}
	}
	r.DieIn = b.disk.CrashAfterOps
	r.Kill, r.PowerLoss = restart(b.disk.Kill), restart(b.disk.PowerLoss)
	return r
}

func TestSimulatedDiskIsADisk(t *testing.T) {
	for _, cfg := range []simdisk.Config{{}, {SectorSize: 512, FS: simdisk.Ext4}, {Volumes: []string{"/data"}}} {
		envtest.TestDisk(t, func(t *testing.T) *envtest.DiskRig { return rig(t, cfg) })
	}
}

func TestSimulatedCrashesAreCrashes(t *testing.T) {
	for _, sector := range []int{4096, 512} {
		envtest.TestDiskCrashes(t, func(t *testing.T, seed uint64) *envtest.DiskRig {
			return rig(t, simdisk.Config{Decide: simdisk.Hashed(seed), SectorSize: sector})
		})
	}
}
