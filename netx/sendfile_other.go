//go:build !linux

package netx

import (
	"net"

	"github.com/tidemark-log/tidemark/core/env"
)

// sendfile: the portable way is a copy through a buffer.
func sendfile(net.Conn, env.Chunk) (done bool, err error) { return false, nil }
