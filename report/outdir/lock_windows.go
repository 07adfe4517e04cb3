package outdir

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked is the error if another process holds the lock.
var errLocked error = windows.ERROR_LOCK_VIOLATION

// lock locks f for this process.
func lock(f *os.File) error {
	const all = ^uint32(0)
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, all, all, new(windows.Overlapped))
}

// release unlocks the lock file and removes it. Windows cannot remove a file that is
// open, here or in another process.
func release(f *os.File) {
	f.Close() // closing unlocks it
	_ = os.Remove(f.Name())
}

// noFollow is zero: creating links takes a privilege, and openOwn looks for them first.
const noFollow = 0

// otherNames reports whether the file has more than one name, which fs.FileInfo does
// not say here.
func otherNames(fs.FileInfo) bool { return false }
