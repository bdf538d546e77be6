package history

const (
	// FileBytesMax bounds a history file; a simulated run makes about one megabyte.
	FileBytesMax = 1 << 30
	// OpsMax bounds the operations of a history that is read.
	OpsMax = 10_000_000
	// stampsMax bounds the events: invocation, completion and attempts of each operation.
	stampsMax = 4 * OpsMax
	// LineBytesMax bounds one line of the JSON-lines form: the largest fetch.
	LineBytesMax = 64 << 20
	// CounterBits is the width of a value's counter; the process has the rest of 64 bits.
	CounterBits = 40
)
