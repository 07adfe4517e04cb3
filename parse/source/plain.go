package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// errShrunk is the reason when a file ends before the size it had when it was
// opened.
var errShrunk = errors.New("file became shorter while it was read")

// errReplaced is the reason when something else has taken the place of a file.
// It may be a FIFO, and waiting for its writer may never end.
var errReplaced = errors.New("was a file, and is none any more")

// plainFile is an uncompressed file, or a part of one, whose ranges are shared
// by the workers.
type plainFile struct {
	input       int
	file        *os.File
	data        io.ReaderAt // file, or the part of it
	base        int64       // offset in file of data
	size        int64       // bytes, when it was opened
	short       error       // the reason when data ends before size
	compression compression
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
	magic := make([]byte, magicSize)
	n, err := f.data.ReadAt(magic, 0)
	if err != nil && err != io.EOF {
		f.file.Close() // it was only read
		return err
	}
	f.compression, _ = detect(magic[:n])
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
