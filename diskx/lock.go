package diskx

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LockName is the file in a log directory that its process holds locked, as Kafka's does.
const LockName = ".lock"

// DirLock is a held lock on a directory. The operating system drops it with the process.
type DirLock struct{ file *os.File }

// LockDir locks dir for this process, or says who has it.
func LockDir(dir string) (*DirLock, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, failed("lock", path, err)
	}
	err = ignoringEINTR(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if err == nil {
		err = writeHolder(f)
	} else if err == unix.EWOULDBLOCK {
		err = fmt.Errorf("directory is in use by %s", readHolder(f))
	}
	if err != nil {
		_ = f.Close()
		return nil, failed("lock", path, err)
	}
	return &DirLock{file: f}, nil
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readHolder reads what writeHolder wrote; a holder that has not yet, or that is not ours,
// is unknown.
func readHolder(f *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(f, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return "process " + strconv.Itoa(pid)
	}
	return "another process"
}

// Release gives the directory back. The file stays, because removing it would let a third
// process lock a new one while a second waits on the old.
func (l *DirLock) Release() error {
	return failed("unlock", l.file.Name(), l.file.Close())
}
