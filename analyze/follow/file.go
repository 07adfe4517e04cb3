package follow

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"logscan/parse/source"
)

const (
	// headSize is how many bytes at the beginning of a file identify a copy of it.
	headSize = 64 << 10
	// minCopy is the fewest bytes by which a copy is recognised: two servers may well log
	// the same two lines.
	minCopy = 256
	// seamSize is how many bytes before the end of what was read are compared before more
	// is read: a file that was truncated and has grown beyond that end has others.
	seamSize = 128
	// readSize is how many bytes are read at a time. A line has at most source.MaxLine.
	readSize = source.MaxLine
	// rest is how long a file that was renamed must not grow before its last line counts
	// without a line end: servers go on writing until they open the new file.
	rest = time.Minute
)

// file is a file that is followed, whatever its name becomes.
type file struct {
	store
	path   string // its name now, or the last one
	copied string // name of a copy of it; "" for none
	os     *os.File
	info   os.FileInfo
	listed bool      // the arguments name it now
	ended  bool      // nothing will be read from it again: it was truncated, or removed and read to its end
	grown  time.Time // when bytes were last read
	head   []byte    // the first bytes, up to headSize
	seam   []byte    // the last bytes that were read
	latest int64     // of its last lines; parse.NoTime if unknown
}

// grow reads what is new, and reports whether there was anything. A last line without its
// end is left, unless the file is finished.
func (f *file) grow(ctx context.Context, now time.Time, buf []byte) (grew bool, err error) {
	if f.ended {
		return false, nil
	}
	info, err := f.os.Stat()
	if err != nil {
		return false, err
	}
	f.info = info
	if info.Size() < f.end() || !f.continues() {
		return false, f.finish()
	}
	for f.end() < info.Size() {
		if err := ctx.Err(); err != nil {
			return grew, err
		}
		n, err := f.os.ReadAt(buf[:min(int64(len(buf)), info.Size()-f.end())], f.end())
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return grew, err
		}
		whole := bytes.LastIndexByte(buf[:n], '\n') + 1
		if whole == 0 {
			if n < readSize && !f.quiet(now) {
				break // the line is being written
			}
			whole = n
		}
		if err := f.take(buf[:whole]); err != nil {
			return grew, err
		}
		grew, f.grown = true, now
	}
	return grew, nil
}

// quiet reports whether the file has another name and will probably not grow any more.
func (f *file) quiet(now time.Time) bool { return !f.listed && now.Sub(f.grown) > rest }

// finish ends the following of the file. What is kept stays.
func (f *file) finish() error {
	f.ended = true
	return f.os.Close()
}

// take adds bytes that were read.
func (f *file) take(b []byte) error {
	if f.end() == int64(len(f.head)) && len(f.head) < headSize {
		f.head = append(f.head, b[:min(len(b), headSize-len(f.head))]...)
	}
	f.seam = append(f.seam, b[max(0, len(b)-seamSize):]...)
	f.seam = f.seam[max(0, len(f.seam)-seamSize):]
	return f.add(b)
}

// continues reports whether the bytes before the end of what was read are still there.
func (f *file) continues() bool {
	if len(f.seam) == 0 {
		return true
	}
	now := make([]byte, len(f.seam))
	_, err := f.os.ReadAt(now, f.end()-int64(len(now)))
	return err == nil && bytes.Equal(now, f.seam)
}

// copyOf reports whether other, whose first bytes are given, is a copy of the file.
func (f *file) copyOf(other []byte) bool {
	n := min(len(other), len(f.head))
	return n >= minCopy && bytes.Equal(other[:n], f.head[:n])
}

// lineAt returns the offset at which the first line behind an offset begins, and whole
// lines from there on, a few.
func lineAt(r io.ReaderAt, off int64, buf []byte) (int64, []byte) {
	n, _ := r.ReadAt(buf, off)
	i := bytes.IndexByte(buf[:n], '\n')
	if i < 0 {
		return off, nil
	}
	lines := buf[i+1 : n]
	return off + int64(i) + 1, lines[:bytes.LastIndexByte(lines, '\n')+1]
}

// countLines returns the number of line ends before an offset.
func countLines(r io.ReaderAt, to int64, buf []byte) (lines int64, err error) {
	for off := int64(0); off < to; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), to-off)], off)
		if n == 0 {
			return lines, err
		}
		lines += int64(bytes.Count(buf[:n], newline))
		off += int64(n)
	}
	return lines, nil
}
