//go:build unix

package outdir

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// errLocked is the error if another process holds the lock.
var errLocked error = unix.EWOULDBLOCK

// lock locks f for this process. It returns errors.ErrUnsupported if the file system
// has no locks.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.ENOLCK) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}

// release removes the lock file while it is still locked, so that a process waiting
// for the lock sees that the file is gone.
func release(f *os.File) {
	_ = os.Remove(f.Name()) // a leftover file is harmless
	f.Close()               // closing unlocks it
}

// noFollow makes os.OpenFile fail for symbolic links, and not wait for the other side
// of a FIFO.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// otherNames reports whether the file has more than one name: it is then another
// file, too.
func otherNames(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}
