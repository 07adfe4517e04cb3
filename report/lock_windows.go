package report

import (
	"os"

	"golang.org/x/sys/windows"
)

// errLocked says that another process holds a lock.
var errLocked error = windows.ERROR_LOCK_VIOLATION

// lock locks f for this process.
func lock(f *os.File) error {
	const all = ^uint32(0)
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, all, all, new(windows.Overlapped))
}

// release ends the lock and removes its file, which cannot be removed while it
// is open, nor when another process has opened it meanwhile.
func release(f *os.File) {
	f.Close() // it is not needed any more
	_ = os.Remove(f.Name())
}
