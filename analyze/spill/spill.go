// Package spill stores data that does not fit in memory in temporary files.
//
// Input: byte slices, or records to be sorted. Output: the same again. A Space is
// a directory that is created with its first file, and removed with all files when
// the run ends. The caller chooses the name, by which it can find directories that
// killed runs have left behind. Only the owner can read the files: they contain
// what logs contain, including credentials.
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

// Error is an error of using temporary files.
type Error struct {
	Doing string // the operation that failed
	Err   error
}

func (e *Error) Error() string { return e.Doing + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Space is a directory for the temporary files of a run. It is safe for concurrent
// use.
type Space struct {
	dir     string
	written atomic.Int64

	mu    sync.Mutex
	files map[*File]struct{}
	named int // files so far: each has its number as name
	made  bool
}

// NewSpace returns a space in dir, which must not exist. Nothing is created until
// it is needed.
func NewSpace(dir string) *Space { return &Space{dir: dir, files: map[*File]struct{}{}} }

// Written returns the number of bytes written to files so far.
func (s *Space) Written() int64 { return s.written.Load() }

// Create creates a file.
func (s *Space) Create() (*File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			return nil, &Error{"make a directory for temporary files", err}
		}
		s.made = true
	}
	f, err := os.OpenFile(filepath.Join(s.dir, strconv.Itoa(s.named)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, &Error{"make a temporary file", err}
	}
	file := &File{space: s, f: f}
	s.files[file] = struct{}{}
	s.named++
	return file, nil
}

// Close removes the directory with all files, which must not be used afterwards.
func (s *Space) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.made {
		return nil
	}
	var errs []error
	for f := range s.files {
		errs = append(errs, f.f.Close())
	}
	clear(s.files)
	s.made = false
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// File is a temporary file. One goroutine may append to it while others read what
// was appended before.
type File struct {
	space *Space
	f     *os.File
	size  int64
	buf   []byte
}

// Remove removes the file, which must not be used afterwards.
func (f *File) Remove() error {
	f.space.mu.Lock()
	defer f.space.mu.Unlock()
	delete(f.space.files, f)
	if err := errors.Join(f.f.Close(), os.Remove(f.f.Name())); err != nil {
		return &Error{"remove a temporary file", err}
	}
	return nil
}

// Size returns the size of the file in bytes.
func (f *File) Size() int64 { return f.size }

// Place locates a piece in a file.
type Place struct {
	off    int64
	stored int32 // bytes in the file
	size   int32 // bytes of the piece
}

const (
	// maxPiece is the maximum size of a piece in bytes.
	maxPiece = 1 << 30
	// maxKeptBuffer is the maximum size in bytes of a buffer that is reused for the
	// next piece.
	maxKeptBuffer = 1 << 20
)

// Stored returns how many bytes of the file the piece takes.
func (p Place) Stored() int64 { return int64(p.stored) }

// Append writes a piece, compressed.
func (f *File) Append(piece []byte) (Place, error) {
	if len(piece) > maxPiece {
		return Place{}, fmt.Errorf("BUG: a piece of %d bytes for a temporary file", len(piece))
	}
	f.buf = s2.Encode(f.buf[:cap(f.buf)], piece)
	if _, err := f.f.WriteAt(f.buf, f.size); err != nil {
		return Place{}, &Error{"write a temporary file", err}
	}
	p := Place{f.size, int32(len(f.buf)), int32(len(piece))}
	f.size += int64(len(f.buf))
	f.space.written.Add(int64(len(f.buf)))
	if cap(f.buf) > maxKeptBuffer {
		f.buf = nil
	}
	return p, nil
}

// Read returns a piece, in dst if it has the capacity.
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
