package record

// Limits bound what one batch may cost its reader. The zero value is the defaults.
type Limits struct {
	// DecompressedMax bounds the records of a batch after decompression, in bytes.
	// 0 stands for DecompressedMaxDefault.
	DecompressedMax int
	// ScratchKeep is the largest decompression buffer that is kept for the next batch. 0
	// stands for ScratchKeepMax.
	ScratchKeep int
}

func (l Limits) scratchKeep() int {
	if l.ScratchKeep <= 0 {
		return ScratchKeepMax
	}
	return l.ScratchKeep
}

func (l Limits) decompressedMax() int {
	if l.DecompressedMax <= 0 {
		return DecompressedMaxDefault
	}
	return l.DecompressedMax
}

const (
	// DecompressedMaxDefault bounds the inflated records of one batch. A batch of the
	// default message.max.bytes (1 MiB) of very repetitive text inflates a hundredfold,
	// and real producers do send that; a thousandfold is an attack.
	DecompressedMaxDefault = 128 << 20

	// ScratchKeepMax is the largest decompression buffer an Inspector keeps for the next
	// batch. One big batch must not pin its memory for the life of a connection.
	ScratchKeepMax = 4 << 20

	// scratchMin is the smallest decompression buffer worth allocating.
	scratchMin = 64 << 10

	// scratchLarge is from where on a buffer grows to its bound in one step.
	scratchLarge = 16 << 20
	// builderSizeMin is what a Builder starts with: one small metadata record fits.
	builderSizeMin = 256

	// LengthMin is the least value of a batch's length field: the header without the
	// bytes in front of what the field counts.
	LengthMin = HeaderSize - Overhead

	// recordSizeMin is the shortest record: seven fields of one byte each. It bounds
	// the record count a batch can claim by the bytes it has.
	recordSizeMin = 7

	// zstdWindowMax is the largest window a zstd frame may ask for: what the reference
	// decoder allows by default, hence what other consumers can read.
	zstdWindowMax = 128 << 20

	// zstdBlockMax is the most that one block of zstd can inflate to.
	zstdBlockMax = 128 << 10

	// snappyRatioMax bounds what n bytes of snappy can inflate to: a copy of 64 bytes
	// takes three.
	snappyRatioMax = 64/3 + 1
)
