//go:build unix

package source

import (
	"errors"
	"io"
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

// smallFile is an open file that is only read at offsets. It takes half of the time of an
// os.File, which is made for files that may have to wait.
type smallFile struct {
	descriptor int
	path       string
}

// openSmall opens a regular file and returns its size. It reports false if there is any
// other, or none that can be opened: opening it with openFile tells why.
func openSmall(path string) (f *smallFile, size int64, ok bool) {
	descriptor, err := syscall.Open(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, false
	}
	f = &smallFile{descriptor, path}
	var stat syscall.Stat_t
	if err := syscall.Fstat(descriptor, &stat); err != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		f.Close() // it was only opened
		return nil, 0, false
	}
	return f, stat.Size, true
}

func (f *smallFile) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		m, err := syscall.Pread(f.descriptor, b[n:], at+int64(n))
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return n, &fs.PathError{Op: "read", Path: f.path, Err: err}
		case m == 0:
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

func (f *smallFile) Close() error { return syscall.Close(f.descriptor) }
