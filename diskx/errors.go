package diskx

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

var (
	errUnaligned = errors.New("not in whole blocks of 4096 bytes")
	errNegative  = errors.New("negative offset or size")
)

// diskError is what an operation on path ended with. kind is the error of env that err
// stands for, nil if there is none.
type diskError struct {
	op, path  string
	kind, err error
}

func (e *diskError) Error() string { return "diskx: " + e.op + " " + e.path + ": " + e.err.Error() }

func (e *diskError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.err}
	}
	return []error{e.kind, e.err}
}

// failed wraps err, nil for nil. Errors of package os lose their own op and path.
func failed(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return &diskError{op: op, path: path, kind: kindOf(err), err: err}
}

var kinds = []struct {
	kind   error
	causes []error
}{
	{env.ErrNotExist, []error{unix.ENOENT}},
	{env.ErrExist, []error{unix.EEXIST, unix.ENOTEMPTY}},
	{env.ErrNoSpace, []error{unix.ENOSPC, unix.EDQUOT}},
	{env.ErrTooManyFiles, []error{unix.EMFILE, unix.ENFILE}},
	{env.ErrClosed, []error{unix.EBADF, env.ErrClosed}},
	// A file system that found its device broken turns read-only.
	{env.ErrIO, []error{unix.EIO, unix.EROFS, unix.ENXIO, unix.ENODEV}},
}

func kindOf(err error) error {
	for _, k := range kinds {
		for _, cause := range k.causes {
			if errors.Is(err, cause) {
				return k.kind
			}
		}
	}
	return nil
}
