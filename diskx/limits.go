package diskx

const (
	// BlockSize is the unit of writes to files opened by OpenLog: every disk takes direct
	// I/O in it.
	BlockSize = 4096
	// QueueMax bounds the operations waiting in one lane. More make the submitter wait:
	// the loop must not run ahead of a disk that far behind.
	QueueMax = 1 << 16
	// LogWorkersDefault is the writes to OpenLog files at one time. A journal has one in
	// flight, so this is the number of log directories that do not wait for each other.
	LogWorkersDefault = 4
	// DataWorkersDefault is the reads and writes of other files at one time.
	DataWorkersDefault = 8
	// SlowWorkersDefault is the syncs and removals at one time.
	SlowWorkersDefault = 4
	// syncAllWorkers is the syncs of one SyncAll at one time: they wait, they do not compute.
	syncAllWorkers = 64
	// bounceMax bounds an aligned buffer; a larger write goes out in parts.
	bounceMax = 4 << 20
	// checkPiece is how much is read before it is checked: it must stay in a second level
	// cache, with what the check itself needs.
	checkPiece = 128 << 10
	// zeroChunk is the write size when a log file is filled with zeroes.
	zeroChunk = 1 << 20
	// iovMax is how many buffers one system call takes (IOV_MAX of Linux).
	iovMax = 1024

	// BufferMax is the largest pooled buffer; larger ones are left to the garbage collector.
	BufferMax = 16 << 20
	// BuffersRetainedDefault bounds the bytes of idle buffers a pool keeps: what comes and
	// goes between two groups of the journal under the heaviest load.
	BuffersRetainedDefault = 32 << 20
	// offHeapMin is the smallest buffer outside the Go heap: a few pages. A power of two, so
	// that all classes from there on are whole pages.
	offHeapMin = 16 << 10
	// bufferMin is the smallest buffer class.
	bufferMin = 512
)
