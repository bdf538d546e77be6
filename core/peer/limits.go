package peer

const (
	// HandshakeBytesMax bounds the first frame of either side, in bytes: whoever sends more
	// is not a peer. It is checked before anything is decoded.
	HandshakeBytesMax = 1024

	// ClusterIDBytesMax bounds a cluster id. Kafka's have 22 characters.
	ClusterIDBytesMax = 64

	// ReasonBytesMax bounds the text of a refusal, which goes into a log. It must hold two
	// quoted cluster ids, in which a byte may take four, or some strangers got no answer.
	ReasonBytesMax = 640
)
