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
)

// plainFile is an uncompressed file, or a part of one, whose ranges are shared
// by the workers.
type plainFile struct {
	input       int
	file        *os.File
	data        io.ReaderAt // file, or the part of it
	base        int64       // offset in file of data
	size        int64       // bytes, when it was opened
	short       error       // the reason when data ends before size
	compression compress.Format
	stored      string // how it is stored, as Result.Compression tells it

	// Guarded by the queue's lock.
	from int64 // offset of the first range, where a line begins
	done int64 // bytes of the ranges that were read
	err  *ReadError
}

// openPlain opens a file and looks at its first bytes.
func openPlain(input int, path string) (*plainFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		_, err = os.ReadDir(path) // tells why it could not be walked
		if err == nil {
			err = fmt.Errorf("read %s: is a directory", path)
		}
	}
	if err != nil {
		file.Close() // it was only opened
		return nil, err
	}
	f := &plainFile{input: input, file: file, data: file, size: info.Size(), short: errShrunk}
	return f, f.sniff()
}

// sniff tells the compression by the first bytes. It closes the file where
// they cannot be read.
func (f *plainFile) sniff() error {
	magic := make([]byte, compress.MagicSize)
	n, err := f.data.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		f.file.Close() // it was only read
		return err
	}
	f.compression, _ = compress.Detect(magic[:n])
	f.stored = f.compression.String()
	return nil
}

// stream gives what is stored from its beginning.
func (f *plainFile) stream() io.Reader {
	if f.data != io.ReaderAt(f.file) {
		return io.NewSectionReader(f.data, 0, f.size)
	}
	return f.file // may say that it is empty and not be
}

// ranged gives the content from an offset.
func (f *plainFile) ranged(start int64) *rangeReader {
	return &rangeReader{file: f.data, next: start, size: f.size, short: f.short}
}

// sample gives lines from the beginning, the middle and the end, at most size
// bytes. What cannot be read is left out: reading the ranges tells why.
func (f *plainFile) sample(size int) []byte {
	if f.size <= int64(size) {
		return f.part(make([]byte, f.size), 0)
	}
	part := size / 3
	sample := make([]byte, 0, 3*part)
	for _, at := range []int64{0, f.size/2 - int64(part)/2, f.size - int64(part)} {
		sample = f.appendLines(sample, at, part, false)
	}
	return sample
}

// appendLines reads size bytes at an offset, for which there is room behind sample,
// and appends the whole lines of them; see sampleLines.
func (f *plainFile) appendLines(sample []byte, at int64, size int, end bool) []byte {
	room := sample[len(sample) : len(sample)+size]
	return append(sample, sampleLines(f.part(room, at), size, at == 0, end)...)
}

// part reads what is at start into room.
func (f *plainFile) part(room []byte, start int64) []byte {
	n, _ := f.data.ReadAt(room, start) // see sample
	return room[:n]
}

// begin makes the ranges of f begin where the input goes on.
func (f *plainFile) begin(r *resumption) {
	if r != nil {
		f.from, f.done = r.from, r.from
	}
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
			b.Input = f.input
			w.took(f.input, int64(len(b.Data)))
			return w.emitOwn(b, rest)
		},
	}
	var err error
	if start > f.from {
		// The byte before tells whether a line begins at start.
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

// rangeReader reads a file from next to size.
type rangeReader struct {
	file       io.ReaderAt
	next, size int64 // offsets in bytes
	short      error // the reason when file ends before size
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

// located makes the result of what was read from a part of f one of f.
func (f *plainFile) located(r Result) Result {
	if f.base == 0 {
		return r
	}
	if r.Compression == compress.None.String() {
		r.Compression = f.stored
	} else {
		r.Compression = f.stored + "+" + r.Compression
	}
	var failed *ReadError
	if errors.As(r.Err, &failed) {
		r.Err = &ReadError{Stored: f.base + failed.Stored, Decompressed: failed.Decompressed, Err: failed.Err}
	}
	return r
}

// bytes gives the bytes of f from start to end, nil where they cannot be read.
func (f *plainFile) bytes(start, end int64, buf []byte) []byte {
	buf = slices.Grow(buf[:0], int(end-start))[:end-start]
	if n, _ := f.data.ReadAt(buf, start); n < len(buf) {
		return nil
	}
	return buf
}

// tail gives the sum of the bytes before an offset, as Counted.Tail.
func (f *plainFile) tail(end int64) [sha256.Size]byte {
	return sha256.Sum256(f.bytes(max(0, end-tailSize), end, make([]byte, 0, tailSize)))
}

// storedSum sums up a compressed file by its size, its beginning and its end,
// where most formats keep a checksum of the content: another one is not the same
// by chance.
func (f *plainFile) storedSum() [sha256.Size]byte {
	sum := sha256.New()
	fmt.Fprintln(sum, f.size)                                // never fails
	sum.Write(f.bytes(0, min(f.size, headSize), nil))        // the same
	sum.Write(f.bytes(max(0, f.size-headSize), f.size, nil)) // the same
	return [sha256.Size]byte(sum.Sum(nil))
}

// unended gives what is behind the last line end: of a line that is too long to
// be looked through, nothing.
func (f *plainFile) unended() ([]byte, error) {
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
