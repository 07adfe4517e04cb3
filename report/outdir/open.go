package outdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Lock and state files lie in directories that others may write to. Somebody could
// put a link to another file in their place, or a FIFO, which blocks who opens it:
// neither is followed, and what they lead to is never written.

// ErrNotOwnFile is the error for a lock or state file that is not a regular file
// with a single name.
var ErrNotOwnFile = errors.New("not followed and not changed: remove it, or choose another path")

// openOwn opens the file at path, which must be a regular file with one name. flag is
// as for os.OpenFile; it must not truncate the file, which may be another's.
func openOwn(path string, flag int) (*os.File, error) {
	// Opening some devices has an effect, so they are not opened at all. The file may
	// change until it is open: what counts is the second check.
	if info, err := os.Lstat(path); err == nil {
		if err := checkOwn(path, info); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, flag|noFollow, FileMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = checkOwn(path, info)
	}
	if err != nil {
		f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

// createOwn creates the file at path in place of what another run left there.
func createOwn(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, FileMode) // O_EXCL follows no link
}

// checkOwn returns an error unless info describes a regular file with one name.
func checkOwn(path string, info fs.FileInfo) error {
	what := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	case mode.IsDir():
		what = "a directory"
	case !mode.IsRegular():
		what = "no regular file"
	case otherNames(info):
		what = "a hard link to another file"
	default:
		return nil
	}
	return fmt.Errorf("%s is %s, %w", path, what, ErrNotOwnFile)
}
