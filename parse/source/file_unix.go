//go:build unix

package source

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// fileID is what os.SameFile compares. As a map key it avoids comparing a hundred thousand
// files pair by pair.
type fileID struct{ device, inode uint64 }

func idOf(info fs.FileInfo) fileID {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}
	}
	return fileID{uint64(stat.Dev), uint64(stat.Ino)} //nolint:unconvert // their types differ between systems
}

// openFile opens a file to read it. It does not wait: a file may have been replaced by a
// FIFO that nobody writes to. The package os takes fewer system calls for such a file.
func openFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.EAGAIN) { // another process holds a lease on it
		return os.Open(path)
	}
	return f, err
}
