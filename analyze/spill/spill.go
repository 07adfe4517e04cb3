// Package spill stores data that does not fit in memory in temporary files.
//
// Input: byte slices, or records to be sorted. Output: the same again. A Space is
// a directory that is created with its first file, and removed with all files when
// the run ends. The caller chooses the name, by which it can find directories that
// killed runs have left behind. Only the owner can read the files: they contain
// what logs contain, including credentials.
package spill

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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

// Dir returns the directory, which it makes if need be.
func (s *Space) Dir() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dir, s.make()
}

func (s *Space) make() error {
	if !s.made {
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			return &Error{"make a directory for temporary files", err}
		}
		s.made = true
	}
	return nil
}

// Create creates a file.
func (s *Space) Create() (*File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.make(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, strconv.Itoa(s.named)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, &Error{"make a temporary file", err}
	}
	file := &File{space: s, temporary: f, f: f}
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
		errs = append(errs, f.temporary.Close())
	}
	clear(s.files)
	s.made = false
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// File is a temporary file, or another file of pieces. One goroutine may append to it
// while others read what was appended before.
type File struct {
	space     *Space   // nil for another file
	temporary *os.File // in space
	f         Storage
	sealer    Sealer // nil to store pieces as they are
	size      int64
	buf       []byte
	sealed    []byte
}

// Remove removes the file, which must not be used afterwards.
func (f *File) Remove() error {
	f.space.mu.Lock()
	defer f.space.mu.Unlock()
	delete(f.space.files, f)
	if err := errors.Join(f.temporary.Close(), os.Remove(f.temporary.Name())); err != nil {
		return &Error{"remove a temporary file", err}
	}
	return nil
}

// Storage holds the bytes of a File.
type Storage interface {
	io.ReaderAt
	io.WriterAt
}

// Sealer encrypts the pieces of a File, and recognises pieces that were changed.
type Sealer interface {
	// Seal appends the sealed piece that is stored at an offset of the file.
	Seal(dst, piece []byte, at int64) []byte
	// Unseal returns the piece, in the memory of sealed.
	Unseal(sealed []byte, at int64) ([]byte, error)
}

// NewFile returns a file of pieces that are sealed. The first one is stored at an offset
// of s.
func NewFile(s Storage, at int64, sealer Sealer) *File { return &File{f: s, size: at, sealer: sealer} }

// Size returns the number of bytes in the file: the offset of the next piece.
func (f *File) Size() int64 { return f.size }

// Place locates a piece in a file.
type Place struct {
	off    int64
	stored int32 // bytes in the file
	size   int32 // bytes of the piece
}

// Size returns the size of the piece in bytes.
func (p Place) Size() int { return int(p.size) }

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
	stored := f.buf
	if f.sealer != nil {
		f.sealed = f.sealer.Seal(f.sealed[:0], f.buf, f.size)
		stored = f.sealed
	}
	if _, err := f.f.WriteAt(stored, f.size); err != nil {
		return Place{}, f.failed("write", err)
	}
	p := Place{f.size, int32(len(stored)), int32(len(piece))}
	f.size += int64(len(stored))
	if f.space != nil {
		f.space.written.Add(int64(len(stored)))
	}
	if cap(f.buf) > maxKeptBuffer {
		f.buf, f.sealed = nil, nil
	}
	return p, nil
}

// failed returns the error of an operation. The errors of files of other packages have
// their names.
func (f *File) failed(doing string, err error) error {
	if f.space == nil {
		return err
	}
	return &Error{doing + " a temporary file", err}
}

// write appends bytes as they are.
func (f *File) write(b []byte) error {
	if _, err := f.f.WriteAt(b, f.size); err != nil {
		return f.failed("write", err)
	}
	f.size += int64(len(b))
	f.space.written.Add(int64(len(b)))
	return nil
}

// read reads bytes as they are.
func (f *File) read(dst []byte, off int64) error {
	if _, err := f.f.ReadAt(dst, off); err != nil {
		return f.failed("read", err)
	}
	return nil
}

// Read returns a piece, in dst if it has the capacity.
func (f *File) Read(p Place, dst []byte) ([]byte, error) {
	stored := make([]byte, p.stored)
	if _, err := f.f.ReadAt(stored, p.off); err != nil {
		return nil, f.failed("read", err)
	}
	if f.sealer != nil {
		var err error
		if stored, err = f.sealer.Unseal(stored, p.off); err != nil {
			return nil, err
		}
	}
	size, err := s2.DecodedLen(stored)
	if err == nil && size != int(p.size) {
		err = errors.New("a piece has another size")
	}
	var piece []byte
	if err == nil {
		piece, err = s2.Decode(dst[:cap(dst)], stored)
	}
	if err != nil {
		return nil, &Error{"read a temporary file, which somebody changed", err}
	}
	return piece, nil
}

// AppendPlace appends the encoding of a place.
func AppendPlace(dst []byte, p Place) []byte {
	for _, n := range [...]int64{p.off, int64(p.stored), int64(p.size)} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

// NewPlace returns the place of size bytes that are stored in a file as stored bytes at
// off. ok is false if the file cannot have such a piece.
func (f *File) NewPlace(off, stored, size uint64) (p Place, ok bool) {
	end := uint64(f.size)
	if off > end || stored > end-off || stored > math.MaxInt32 || size > maxPiece {
		return Place{}, false
	}
	return Place{int64(off), int32(stored), int32(size)}, true
}
