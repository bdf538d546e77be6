package journal

const (
	// Block is the alignment of groups: the largest sector or page that a device or file
	// system tears writes at.
	Block = 4096

	// groupBytesMax bounds a group, because a group is written, and read back at boot,
	// as a whole. One entry larger than this makes a group of its own.
	groupBytesMax = 4 << 20

	// groupEntriesMax bounds the pieces of one gathered write.
	groupEntriesMax = 8192

	// payloadMax bounds an entry: a batch of the largest request, with room to spare.
	payloadMax = 1 << 30

	// controlPayloadMax bounds every other payload.
	controlPayloadMax = 64 << 10

	// headsKeepMax is the largest arena of entry heads kept for the next group.
	headsKeepMax = groupEntriesMax*headSize + 256<<10

	// firstFileBytes is the size of a file that a start or stop has to wait for.
	firstFileBytes = 1 << 20

	// scanChunk is how much boot reads at a time, and scanAhead how far the disk is told to
	// go on meanwhile.
	scanChunk = 1 << 20
	scanAhead = 8 << 20

	// notesMax bounds what a scan keeps of what groups say besides batches, and notedSize is
	// what an entry costs. One group's are bounded by the group, or by its only entry.
	notesMax      = 16 << 20
	notedSize     = 128
	groupNotesMax = groupBytesMax/headSize*notedSize + groupBytesMax + controlPayloadMax

	// filesScanMax bounds the files boot looks at. Files are numbered, so a directory
	// with more was not written by us.
	filesScanMax = 1 << 16
)
