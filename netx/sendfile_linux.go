package netx

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

// osFiler is what a file of diskx is beyond env.File.
type osFiler interface{ OSFile() *os.File }

// sendfile lets the kernel move a file region into the socket. It reports false when it
// cannot: the file is not the system's, or the socket is not TCP.
func sendfile(socket net.Conn, chunk env.Chunk) (done bool, err error) {
	file, ok := chunk.File.(osFiler)
	if !ok {
		return false, nil
	}
	tcp, ok := socket.(*net.TCPConn)
	if !ok {
		return false, nil
	}
	out, err := tcp.SyscallConn()
	if err != nil {
		return true, err
	}
	in, err := file.OSFile().SyscallConn()
	if err != nil {
		return true, err
	}
	// The file's descriptor is held over the wait for the socket, so it is not closed and
	// used anew by another file meanwhile.
	inErr := in.Control(func(fd uintptr) { err = copyRegion(out, int(fd), chunk) })
	if inErr != nil {
		return true, inErr
	}
	return true, err
}

func copyRegion(out syscall.RawConn, in int, chunk env.Chunk) error {
	off, left := chunk.Off, chunk.Len
	var sendErr error
	err := out.Write(func(fd uintptr) bool {
		for left > 0 {
			n, err := unix.Sendfile(int(fd), in, &off, min(left, sendfileMax))
			switch {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
			case err != nil:
				sendErr = os.NewSyscallError("sendfile", err)
				return true
			case n == 0:
				sendErr = errShortRegion(chunk, chunk.Len-left)
				return true
			default:
				left -= n
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return sendErr
}
