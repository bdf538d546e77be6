package simnet

const (
	// SendBufferDefault is that of netx: bytes queued on a connection above which Send
	// reports false.
	SendBufferDefault = 1 << 20
	// FrameMaxDefault is Kafka's socket.request.max.bytes, in bytes.
	FrameMaxDefault = 100 << 20
	// ConnsMax bounds the open connections of one host; a dial beyond it is refused.
	ConnsMax = 1 << 16
	// PauseGraceMax bounds the frames that are delivered in spite of Pause.
	PauseGraceMax = 2
	// CorruptFrom is the number of bytes at the begin of a frame that Config.Corrupt spares:
	// headers of a request that no checksum covers.
	CorruptFrom = 128
	// TrapsMax bounds the faults that wait for a frame or a close to strike at.
	TrapsMax = 1 << 10
)
