package outdir

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// LockedError says that another run writes the same output or state.
type LockedError struct {
	Dir     string
	Process int // id of the other process; 0 if it is unknown
}

func (e *LockedError) Error() string {
	if e.Process == 0 {
		return "another run of logscan is writing " + e.Dir
	}
	return fmt.Sprintf("another run of logscan (process %d) is writing %s", e.Process, e.Dir)
}

// acquire locks the file at path, creating it. The operating system drops the lock
// when the process ends, however it ends. Releasing the lock removes the file, so
// acquire checks that the file still exists once it is locked. name is what errors
// call the locked thing.
func acquire(path, name string) (*os.File, error) {
	for {
		f, err := openOwn(path, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		err = lock(f)
		switch {
		case errors.Is(err, errLocked):
			var text [20]byte
			n, _ := f.ReadAt(text[:], 0)
			process, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
			return nil, cmp.Or(f.Close(), error(&LockedError{name, process}))
		case errors.Is(err, errors.ErrUnsupported):
			// A file system without locks: go on without one.
		case err != nil:
			return nil, errors.Join(err, f.Close())
		}
		if !same(f, path) {
			f.Close() // nothing was written
			continue
		}
		_ = f.Truncate(0)
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // for the errors of other runs
		return f, nil
	}
}

// same reports whether f is the file at path.
func same(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Lstat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
