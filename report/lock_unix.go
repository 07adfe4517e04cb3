//go:build unix

package report

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errLocked says that another process holds a lock.
var errLocked error = unix.EWOULDBLOCK

// lock locks f for this process; errors.ErrUnsupported where that cannot be done.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}

// release removes the file of a lock while it is held: who waits for it finds
// that it is gone.
func release(f *os.File) {
	_ = os.Remove(f.Name()) // a file that stays harms nobody
	f.Close()               // it is not needed any more
}
