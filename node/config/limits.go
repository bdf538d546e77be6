package config

// Limits of a configuration file. They are far above what anybody writes by hand, and keep a
// wrong path (a segment, a device) from being read whole.
const (
	// fileBytesMax bounds the file.
	fileBytesMax = 1 << 20
	// entriesMax bounds the keys in it.
	entriesMax = 10_000
	// problemsMax bounds the mistakes told at once; a binary file has one per line.
	problemsMax = 50
	// listenersMax bounds listeners, each of which is a socket.
	listenersMax = 64
	// shownMax bounds a value repeated in a message, in bytes.
	shownMax = 120
)
