package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"logscan/parse/source/compress"
	"logscan/parse/source/object"
)

// plainFile is an uncompressed file, or a part of one, whose ranges are shared by the
// workers.
type plainFile struct {
	input       int
	file        storedFile  // nil for kept content
	local       *os.File    // file; nil if it is in an object store
	data        io.ReaderAt // file, the part of it, or kept content
	base        int64       // offset of data in file
	size        int64       // in bytes, when it was opened
	short       error       // the error if data ends before size
	compression compress.Format
	stored      string // how it is stored, in the terms of Result.Compression
	span        *Span  // the range that is read; nil for all of it

	// Guarded by the lock of the queue.
	from int64 // offset of the first line of the file that is read, or of an earlier one
	done int64 // bytes in the ranges that were read, and in those that are not to be read
	err  *ReadError
}

// storedFile is an open file, local or in an object store.
type storedFile interface {
	io.ReaderAt
	io.Closer
}

// place is where a file is.
type place struct {
	path   string
	object *object.Object // nil for a local file
}

// openPlain opens a file and detects its compression.
func openPlain(input int, p place) (*plainFile, error) {
	f, err := openUnsniffed(input, p)
	if err != nil {
		return nil, err
	}
	return f, f.sniff()
}

// openUnsniffed opens a file without a look at its content.
func openUnsniffed(input int, p place) (*plainFile, error) {
	if p.object != nil {
		file := p.object.Open()
		return &plainFile{input: input, file: file, data: file, size: file.Size, short: errShrunk}, nil
	}
	path := p.path
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		_, err = os.ReadDir(path) // the reason why it was not walked
		if err == nil {
			err = fmt.Errorf("read %s: is a directory", path)
		}
	case !info.Mode().IsRegular():
		err = errReplaced
	}
	if err != nil {
		file.Close() // it was only opened
		return nil, err
	}
	return &plainFile{input: input, file: file, local: file, data: file, size: info.Size(), short: errShrunk}, nil
}

// openIfSmall is openUnsniffed for a local file that has at least a byte and at most a
// number of them. It reports false for any other, and for one that cannot be opened.
func openIfSmall(input int, path string, most int64) (*plainFile, bool) {
	file, size, ok := openSmall(path)
	if !ok {
		return nil, false
	}
	f := &plainFile{input: input, file: file, data: file, size: size, short: errShrunk}
	if size == 0 || size > most {
		f.close()
		return nil, false
	}
	return f, true
}

// close closes the file, which was only read.
func (f *plainFile) close() {
	if f.file != nil {
		f.file.Close() // it was only read
	}
}

// finish closes the file when it was read. An object is not needed again.
func (f *plainFile) finish() {
	f.close()
	if o, ok := f.file.(*object.File); ok {
		o.Release()
	}
}

// sniff detects the compression by the first bytes. It closes the file if they cannot be
// read.
func (f *plainFile) sniff() error {
	magic := make([]byte, compress.MagicSize)
	n, err := f.data.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		f.close()
		return err
	}
	f.compression, _ = compress.Detect(magic[:n])
	f.stored = f.compression.String()
	return nil
}

// stream returns the stored bytes from the beginning.
func (f *plainFile) stream() io.Reader {
	if f.local == nil || f.data != io.ReaderAt(f.local) {
		return io.NewSectionReader(f.data, 0, f.size)
	}
	return f.local // not limited to size: files of /proc have size 0
}

// ranged returns the content from an offset to the end.
func (f *plainFile) ranged(start int64) *rangeReader {
	return &rangeReader{file: f.data, next: start, size: f.size, short: f.short}
}

// sample returns lines from the beginning, the middle and the end, at most as many bytes
// as a sample has, or the first line if all are longer. What cannot be read is left out:
// reading the ranges reports the error.
func (f *plainFile) sample(s sizes) []byte {
	size := s.sample
	if f.size <= int64(size) {
		return f.part(make([]byte, f.size), 0)
	}
	part := size / 3
	sample := make([]byte, 0, 3*part)
	for _, at := range []int64{0, f.size/2 - int64(part)/2, f.size - int64(part)} {
		sample = f.appendLines(sample, at, part, false)
	}
	if len(sample) == 0 {
		all := min(f.size, int64(s.buffer()))
		sample = firstLine(f.part(make([]byte, all), 0), s.maxLine, all == f.size)
	}
	return sample
}

// appendLines appends to sample, which has the capacity, the whole lines among the size
// bytes at an offset; see sampleLines.
func (f *plainFile) appendLines(sample []byte, at int64, size int, end bool) []byte {
	room := sample[len(sample) : len(sample)+size]
	return append(sample, sampleLines(f.part(room, at), size, at == 0, end)...)
}

// part reads into room what is at start, as far as it can be read.
func (f *plainFile) part(room []byte, start int64) []byte {
	n, _ := f.data.ReadAt(room, start)
	return room[:n]
}

// readRange reads the lines of f that begin in the range from start to end.
func (w *worker) readRange(ctx context.Context, f *plainFile, start, end int64) {
	c := cutter{
		sizes: w.sizes,
		src:   f.ranged(start),
		limit: end,
		off:   start,
		buf:   w.buf,
		emit: func(b Block, rest []byte) []byte {
			b.Input, b.Again = f.input, f.local != nil
			w.took(f.input, int64(len(b.Data)))
			return w.emitOwn(b, rest)
		},
	}
	var err error
	if start > f.from {
		// A line begins at start if the byte before ends one.
		c.off--
		c.src = f.ranged(start - 1)
		err = c.skipLine(ctx)
	}
	if err == nil {
		err = c.run(ctx)
	}
	w.buf = c.buf
	var failed *ReadError
	if err != nil {
		failed = &ReadError{Stored: f.base + c.off, Decompressed: c.off, Err: err}
	}
	w.queue.read(f, end-start, c.bytes, failed)
}

// rangeReader reads file from next to size.
type rangeReader struct {
	file       io.ReaderAt
	next, size int64 // offsets in bytes
	short      error // the error if file ends before size
}

func (r *rangeReader) Read(p []byte) (int, error) {
	if left := r.size - r.next; int64(len(p)) > left {
		if left <= 0 {
			return 0, io.EOF
		}
		p = p[:left]
	}
	n, err := r.file.ReadAt(p, r.next)
	r.next += int64(n)
	if err == io.EOF {
		err = nil
		if n < len(p) {
			err = r.short
		}
	}
	return n, err
}

// located turns the result of reading a part of a file into one of the whole file.
func (f *plainFile) located(r Result) Result {
	if f.base > 0 {
		if failed := r.enclose(f.stored); failed != nil {
			failed.Stored += f.base
		}
	}
	return r
}

// enclose adds to the compression of a part of an archive how the archive is stored. It
// returns the error of r, if that is a *ReadError: its offset is still that in the part.
func (r *Result) enclose(stored string) *ReadError {
	if r.Compression != compress.None.String() {
		stored += "+" + r.Compression
	}
	r.Compression = stored
	var failed *ReadError
	errors.As(r.Err, &failed)
	return failed
}

// bytes returns the bytes of f from start to end, in buf if they fit, or nil if they cannot
// be read.
func (f *plainFile) bytes(start, end int64, buf []byte) []byte {
	buf = slices.Grow(buf[:0], int(end-start))[:end-start]
	if n, _ := f.data.ReadAt(buf, start); n < len(buf) {
		return nil
	}
	return buf
}

// LineAt returns the line at an offset of the input without its terminator, at most MaxLine
// bytes of it. The file may have changed since it was read first.
func (in *Input) LineAt(offset int64) ([]byte, error) {
	f, err := in.open(0)
	if err != nil {
		return nil, err
	}
	defer f.close()
	for size := int64(tailSize); ; size *= 4 {
		size = min(size, f.size-offset, MaxLine)
		if size <= 0 {
			return nil, f.short
		}
		b := f.bytes(offset, offset+size, nil)
		if b == nil {
			return nil, f.short
		}
		if line, _, found := bytes.Cut(b, newline); found || size == f.size-offset || size == MaxLine {
			return line, nil
		}
	}
}

// tail returns the sum of the bytes before an offset, as Counted.Tail.
func (f *plainFile) tail(end int64) [sha256.Size]byte {
	return sha256.Sum256(f.bytes(max(0, end-tailSize), end, make([]byte, 0, tailSize)))
}

// storedSum returns a sum of a compressed file over its size, its beginning and its end,
// where most formats keep a checksum of the content.
func (f *plainFile) storedSum() [sha256.Size]byte {
	sum := sha256.New()
	fmt.Fprintln(sum, f.size)                                // never fails
	sum.Write(f.bytes(0, min(f.size, headSize), nil))        // the same
	sum.Write(f.bytes(max(0, f.size-headSize), f.size, nil)) // the same
	return [sha256.Size]byte(sum.Sum(nil))
}

// partialLine returns what follows the last line end, or nothing if that is longer than
// MaxLine.
func (f *plainFile) partialLine() ([]byte, error) {
	for size := int64(tailSize); ; size *= 4 {
		size = min(size, f.size, MaxLine)
		b := f.bytes(f.size-size, f.size, nil)
		if b == nil {
			return nil, io.ErrUnexpectedEOF
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return b[i+1:], nil
		}
		if size == f.size {
			return b, nil
		}
		if size == MaxLine {
			return nil, nil
		}
	}
}
