package api

import (
	"github.com/tidemark-log/tidemark/core/env"
)

// Decoded is a request as Decode understood it. It refers to the frame's bytes.
type Decoded struct {
	// Err says why the connection must be closed; nil otherwise.
	Err error
}

// Decode parses a frame of a connection of that class. It is pure: the same bytes give the
// same answer, nothing else is read or changed, so that it may run outside the event loop.
// The answer refers to frame.
func Decode(class env.Class, frame []byte) *Decoded {
	return &Decoded{}
}
