package simdisk

import "time"

// Rate is a chance in millionths. The decision zero is calm at every rate.
type Rate uint32

// Always is the rate of what happens each time.
const Always Rate = 1_000_000

// hits reports that a decision with this rate says yes.
func (r Rate) hits(decision uint64) bool {
	return decision != 0 && below(decision, uint64(Always)) >= uint64(Always-min(r, Always))
}

// Faults are the knobs of a broken device, by what breaks. Zero is off, without any effect:
// a run with all knobs at zero is the run without this struct, byte for byte.
type Faults struct {
	// Slow makes an operation take SlowMean longer on average. (D1)
	Slow     Rate
	SlowMean time.Duration // default 20 ms
	// StallEvery has all operations of a volume hang for StallMean on average, once per
	// that time. Blocking operations hang too. (D1)
	StallEvery, StallMean time.Duration // default of the mean: StallEvery/20
	// Reorder lets later operations overtake an asynchronous one. (D2)
	Reorder     Rate
	ReorderMean time.Duration // default 2 ms

	// WriteError fails a write with env.ErrIO; nothing, or a prefix that ends at a page
	// border, is in the cache. (D3)
	WriteError Rate
	// ShortWrite has the device take a part of a write. env.Disk hides it, because a write
	// that completes is whole: the adapter goes on with the rest. So the part is there
	// earlier, for readers and for a crash, and counts as a write of its own. (D4)
	ShortWrite Rate

	// LatentSector is the chance, per read, that one of its sectors turns out unreadable:
	// env.ErrIO until it is overwritten, also for a write to a part of it. (D5)
	LatentSector Rate
	// BitRot is the chance, per sector that becomes durable, that 1 to 8 of its bits flip
	// on the device. It shows once the page has left the cache. (D6)
	BitRot Rate

	// SyncError fails a sync, a sync of a directory or a durable write, with env.ErrIO or
	// env.ErrNoSpace. What was pending stays so; a later sync tells the truth. (D7)
	SyncError Rate
	// SyncLie fails a sync or a durable write and forgets what was pending, as Lie says:
	// later syncs succeed. (D8)
	SyncLie Rate
	Lie     LieModel
	// LostWriteBack is the chance, per write, that the kernel writes it back by itself
	// later and fails: the pages count as clean and are not durable. The next sync or
	// durable write of each handle opened before that fails once, no other does. (D9)
	LostWriteBack Rate
	// Evict is the chance, per read, that the clean pages it asks for have left the cache,
	// so that it shows what the device holds. Without damage it has no effect. (4.2)
	Evict Rate
	// PagesOutliveProcess keeps clean pages of damaged files at a restart of the process, as
	// Linux does; if false a new process reads what the device holds.
	PagesOutliveProcess bool

	// MisdirectedWrite is the chance, per write that becomes durable, that it lands on
	// other sectors of the file (70 %) or of another file of the volume. Both places are
	// damaged until they are overwritten; one such damage per volume lives. (D11)
	MisdirectedWrite Rate
	// WrongRead is the chance, per read, that one sector of it shows another one's bytes or
	// what it held before. The next read is right. (D12)
	WrongRead Rate

	// FullEvery has an outside writer fill a volume, once per that time, for FullMean on
	// average. What the node frees meanwhile is free. (D13)
	FullEvery, FullMean time.Duration // default of the mean: FullEvery/10
	// FullAt says where a full volume is felt; it also holds for Config.Capacity.
	FullAt FullAt

	// Leftover is the chance, per restart and volume, that one to three files or directories
	// are there which no process wrote. (D16)
	Leftover Rate
	// DescriptorsMax bounds the handles open at a time; List and the syncs of directories
	// need one for a moment. More end with env.ErrTooManyFiles. 0: no bound. (D17)
	DescriptorsMax int
}

// LieModel says what is left of the pages of a sync that failed and lies from then on.
// In all models a drawn part of the sectors is durable and the rest is not.
type LieModel uint8

const (
	// LieDrawn draws one of the models for each volume.
	LieDrawn LieModel = iota
	// CleanNew: the cache shows the new bytes until the pages leave it. Direct writes have
	// no cache and are CleanOld.
	CleanNew
	// CleanOld: reads show the old bytes at once.
	CleanOld
	// Shutdown: every operation of the volume fails until a process is started again.
	// What was not synced on that volume has then suffered a power loss.
	Shutdown
)

// FullAt says where a full volume is felt.
type FullAt uint8

const (
	// FullDrawn draws one of the others for each volume, if FullEvery is set.
	FullDrawn FullAt = iota
	// FullAtWrite: at a write or truncation that extends a file. A page prefix of the write
	// that still fits may be there.
	FullAtWrite
	// FullAtNames: also when a name is added to a directory, by creation or rename.
	FullAtNames
	// FullAtSync: writes extend files in the cache only; the sync finds no space. What is
	// pending stays so, and a sync after space was freed succeeds.
	FullAtSync
)

func (f Faults) withDefaults() Faults {
	orElse := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	orElse(&f.SlowMean, 20*time.Millisecond)
	orElse(&f.StallMean, f.StallEvery/20)
	orElse(&f.ReorderMean, 2*time.Millisecond)
	orElse(&f.FullMean, f.FullEvery/10)
	return f
}

// The purposes of the decisions about faults.
const (
	purposeSlow         = "disk.fault.slow"
	purposeStall        = "disk.fault.stall"
	purposeOvertake     = "disk.fault.reorder"
	purposeWriteError   = "disk.fault.write.error"
	purposeShortWrite   = "disk.fault.write.short"
	purposeLatent       = "disk.fault.latent"
	purposeRot          = "disk.fault.rot"
	purposeSyncError    = "disk.fault.sync.error"
	purposeSyncLie      = "disk.fault.sync.lie"
	purposeLieModel     = "disk.fault.sync.model"
	purposeLieSector    = "disk.fault.sync.sector"
	purposeLost         = "disk.fault.writeback"
	purposeEvict        = "disk.fault.evict"
	purposeMisdirect    = "disk.fault.misdirect"
	purposeWrongRead    = "disk.fault.read.wrong"
	purposeFull         = "disk.fault.full"
	purposeFullAt       = "disk.fault.full.at"
	purposePartialWrite = "disk.fault.full.partial"
	purposeLeftover     = "disk.fault.leftover"
	purposeDescriptors  = "disk.fault.descriptors"
)
