package env

// ConnID names a connection for the life of a node's process; never reused.
type ConnID uint64

// Class separates the listeners, so that they can be firewalled and faulted apart.
type Class uint8

const (
	ClassClient Class = iota // Kafka protocol
	ClassPeer                // between nodes and controllers
)

func (c Class) String() string {
	if c == ClassPeer {
		return "peer"
	}
	return "client"
}

// ConnInfo describes an inbound connection.
type ConnInfo struct {
	Class    Class
	Listener string // name of the listener it came in on, e.g. PLAINTEXT
	Remote   string // address of the other end, for logs only
}

// Received is one frame as it arrived, without its length prefix.
type Received struct {
	// Buffer holds the frame; the receiver owns one reference and must Release it.
	Buffer Buffer
	// Decoded is what the listener's Decode hook made of the frame, or nil without one.
	// The hook is pure and runs outside the node's event loop in production.
	Decoded any
}

// Chunk is a part of an outgoing frame: bytes, or a region of a file.
type Chunk struct {
	Bytes []byte
	// Owner, if set, is released once when the bytes were written or given up.
	Owner Buffer
	// File, if set, makes the chunk the Len bytes at Off of that file instead of Bytes.
	File File
	Off  int64
	Len  int
}

// Frame is an outgoing message. Net adds the 4-byte length in front.
type Frame struct{ Chunks []Chunk }

// Len is the number of bytes of the frame's body.
func (f Frame) Len() int {
	n := 0
	for _, c := range f.Chunks {
		if c.File != nil {
			n += c.Len
		} else {
			n += len(c.Bytes)
		}
	}
	return n
}

// Net carries frames over connections.
//
// Order: frames arrive whole and in the order they were sent on one connection; across
// connections there is none. Failure: Close by either end, or a fault, may lose any
// suffix of what was sent, in either direction, and may be seen by one side much later
// than by the other, or never. A sender learns nothing of what arrived.
type Net interface {
	// Dial opens a connection to addr (host:port) and answers with ConnDialed.
	Dial(class Class, addr string) ConnID
	// Send queues a frame; the caller gives up the frame and its chunks' references.
	// It reports false when the send queue is now above its bound: the frame is taken all
	// the same, and the caller should wait for ConnWritable before it sends more. Sending on
	// a dead connection drops the frame.
	Send(c ConnID, f Frame) bool
	// Pause stops reading from c: at most the frames already under way are delivered.
	Pause(c ConnID)
	// Resume reads on.
	Resume(c ConnID)
	// Close ends c now. Frames queued by Send may be lost. Idempotent. No event for c
	// follows.
	Close(c ConnID)
	// CloseAfterSend ends c once what is queued has been sent; reading stops now.
	CloseAfterSend(c ConnID)
}
