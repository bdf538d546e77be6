package simdisk

import (
	"math/bits"
	"time"
)

// Hashed decides by a hash of the seed and the key: what the world does when no tape
// drives it. Two keys share nothing, so a new choice elsewhere shifts none here.
func Hashed(seed uint64) func(purpose, object string, ordinal uint64) uint64 {
	return func(purpose, object string, ordinal uint64) uint64 {
		h := mix(seed^0x9e3779b97f4a7c15, ordinal)
		return mix(hashString(hashString(h, purpose), object), ordinal^0xd6e8feb86659fd93)
	}
}

func hashString(h uint64, s string) uint64 {
	h = mix(h, uint64(len(s))+0xa0761d6478bd642f)
	for len(s) >= 8 {
		h = mix(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|
			uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	var tail uint64
	for i := range len(s) {
		tail |= uint64(s[i]) << (8 * i)
	}
	return mix(h, tail)
}

// mix is one folded multiplication: enough to spread a key, a few cycles.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xe7037ed1a0b428db, b^0x8ebc6af09c88c6e3)
	return hi ^ lo
}

// below maps a decision to 0..n-1; decision 0 gives 0.
func below(decision, n uint64) uint64 {
	hi, _ := bits.Mul64(decision, n)
	return hi
}

// chance is true with perMille/1000; decision 0 gives false.
func chance(decision uint64, perMille int) bool {
	return perMille > 0 && below(decision, 1000) >= uint64(1000-perMille)
}

// The purposes of decisions. They are part of the tape's vocabulary.
const (
	purposeLatency    = "disk.latency"
	purposeLateSync   = "disk.sync.late"
	purposeWriteBack  = "disk.writeback"
	purposeKillWrite  = "disk.kill.write"
	purposeKillCut    = "disk.kill.cut"
	purposeKillSync   = "disk.kill.sync"
	purposeKillCreate = "disk.kill.create"
	purposeKillRemove = "disk.kill.remove"
	purposeKillStep   = "disk.kill.step"
	purposePrepare    = "disk.prepare"
	purposeSyncOrder  = "disk.sync.order"
	purposeMode       = "disk.crash.mode"
	purposeCut        = "disk.crash.cut"
	purposeData       = "disk.crash.data"
	purposeSize       = "disk.crash.size"
	purposeFill       = "disk.crash.fill"
	purposeRecycled   = "disk.crash.recycled"
	purposeReorder    = "disk.crash.reorder"
	purposeNames      = "disk.crash.names"
	purposeName       = "disk.crash.name"
	purposeRename     = "disk.crash.rename"
)

// exponential maps a decision to 0..16×mean with that mean, in integers only, because
// floating point may differ between machines. Decision 0 gives (nearly) 0.
func exponential(decision uint64, mean time.Duration) time.Duration {
	x := ^decision
	zeros := min(bits.LeadingZeros64(x), 22)
	mantissa := x << (zeros + 1) >> 48
	log2 := uint64(zeros)<<16 + (1<<16 - 1 - mantissa)
	return time.Duration(uint64(mean) * log2 >> 16 * 45426 >> 16) // 45426/65536 = ln 2
}

// of is the time of one operation that moves n bytes.
func (l Latency) of(decision uint64, n int) time.Duration {
	return l.Base + exponential(decision, l.Mean) + l.PerMiB*time.Duration(n)>>20
}
