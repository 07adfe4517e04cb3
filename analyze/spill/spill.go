// Package spill keeps in temporary files what does not fit in memory.
//
// In: pieces of bytes, or records to be sorted. Out: the same again. A Space is
// a directory that is made when the first file is, and removed with everything
// in it when the run ends; what a killed run leaves behind is found by the name
// of the directory, which is the caller's choice. Files are for the owner's eyes:
// they hold what logs hold, credentials included.
package spill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"
)

// Error says that temporary files cannot be used.
type Error struct {
	Doing string // what failed
	Err   error
}

func (e *Error) Error() string { return e.Doing + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// Space is where the temporary files of a run lie. Many goroutines may use it.
type Space struct {
	dir     string
	written atomic.Int64

	mu    sync.Mutex
	files []*File
	made  bool
}

// NewSpace gives a space in dir, which must not exist. Nothing is made until it
// is needed.
func NewSpace(dir string) *Space { return &Space{dir: dir} }

// Written gives how many bytes were written to files so far.
func (s *Space) Written() int64 { return s.written.Load() }

// Create makes a file.
func (s *Space) Create() (*File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			return nil, &Error{"make a directory for temporary files", err}
		}
		s.made = true
	}
	f, err := os.OpenFile(filepath.Join(s.dir, strconv.Itoa(len(s.files))), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, &Error{"make a temporary file", err}
	}
	file := &File{space: s, f: f}
	s.files = append(s.files, file)
	return file, nil
}

// Close removes everything. Files must not be used after.
func (s *Space) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		return nil
	}
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.f.Close())
	}
	s.files, s.made = nil, false
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// File is a temporary file that grows at its end. One goroutine may append to
// it; many may read what was appended.
type File struct {
	space *Space
	f     *os.File
	size  int64
	buf   []byte
}

// Place is where a piece lies in a file.
type Place struct {
	off    int64
	stored int32 // bytes in the file
	size   int32 // bytes of the piece
}

// MaxPiece is how many bytes a piece has at most.
const MaxPiece = 1 << 30

// Append writes a piece, compressed.
func (f *File) Append(piece []byte) (Place, error) {
	if len(piece) > MaxPiece {
		return Place{}, fmt.Errorf("BUG: a piece of %d bytes for a temporary file", len(piece))
	}
	f.buf = s2.Encode(f.buf[:cap(f.buf)], piece)
	if _, err := f.f.WriteAt(f.buf, f.size); err != nil {
		return Place{}, &Error{"write a temporary file", err}
	}
	p := Place{f.size, int32(len(f.buf)), int32(len(piece))}
	f.size += int64(len(f.buf))
	f.space.written.Add(int64(len(f.buf)))
	if cap(f.buf) > keepBuffer {
		f.buf = nil
	}
	return p, nil
}

// keepBuffer is how large a buffer is kept for the next piece.
const keepBuffer = 1 << 20

// Read gives a piece, in dst where it fits.
func (f *File) Read(p Place, dst []byte) ([]byte, error) {
	stored := make([]byte, p.stored)
	if _, err := f.f.ReadAt(stored, p.off); err != nil {
		return nil, &Error{"read a temporary file", err}
	}
	piece, err := s2.Decode(dst[:cap(dst)], stored)
	if err == nil && len(piece) != int(p.size) {
		err = errors.New("a piece has another size")
	}
	if err != nil {
		return nil, &Error{"read a temporary file, which somebody changed", err}
	}
	return piece, nil
}
