package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrOnce says that an input can be read only once: standard input, a FIFO.
var ErrOnce = errors.New("can be read only once")

// endSize is how many bytes of either end of an input are looked at: hundreds
// of lines, of which one has a time even where many are junk.
const endSize = 128 << 10

// Ends gives whole lines from the beginning and from the end of an input. A
// plain file is sought, a compressed one decoded to its end. Where that fails
// the lines before are given: reading the input tells what is wrong with it.
func Ends(ctx context.Context, in Input) ([]byte, error) { return look(ctx, in, ends) }

// Glance is Ends at a low price: of a compressed input it gives lines from the
// beginning alone, and whole says whether there are others. Of a file in a
// compressed tar it gives none: all that is before it would have to be decoded.
func Glance(ctx context.Context, in Input) (lines []byte, whole bool, err error) {
	if in.sequential() {
		return nil, false, nil
	}
	whole = true
	lines, err = look(ctx, in, func(r io.Reader) (head, tail []byte) {
		buf := make([]byte, 2*endSize)
		n, err := io.ReadFull(r, buf)
		whole = err != nil
		return buf[:n], nil
	})
	return lines, whole, err
}

// look gives lines from the ends of an input, of a compressed one by what
// decoded gives.
func look(ctx context.Context, in Input, decoded func(io.Reader) (head, tail []byte)) ([]byte, error) {
	if in.reader != nil || in.pipe() {
		return nil, ErrOnce
	}
	if in.told != nil {
		return nil, nil
	}
	f, err := in.open(0)
	if err != nil {
		return nil, nil
	}
	defer f.file.Close() // it is only read
	if f.size > 0 && f.compression == none && !in.layered() {
		if f.size <= 2*endSize {
			return f.part(0, 2*endSize), nil
		}
		head := sampleLines(f.part(0, endSize), endSize, true, false)
		return append(head, sampleLines(f.part(f.size-endSize, endSize), endSize, false, true)...), nil
	}
	var c contents
	defer c.close()
	src, err := c.decoded(ctx, in, f)
	if err != nil {
		return nil, ctx.Err()
	}
	head, tail := decoded(src)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look into %s: %w", in.Path, err)
	}
	if tail == nil {
		return sampleLines(head, 2*endSize, true, len(head) < 2*endSize), nil
	}
	head = sampleLines(head, endSize, true, false)
	return append(head, sampleLines(tail, endSize, false, true)...), nil
}

// ends reads r and keeps its first and last bytes; tail is nil where head is
// all of it.
func ends(r io.Reader) (head, tail []byte) {
	buf := make([]byte, 2*endSize)
	n, err := io.ReadFull(r, buf)
	if err != nil {
		return buf[:n], nil
	}
	head = append(head, buf[:endSize]...)
	for err == nil {
		copy(buf, buf[n-endSize:n])
		m := 0
		m, err = io.ReadFull(r, buf[endSize:])
		n = endSize + m
	}
	return head, buf[n-endSize : n]
}

// Modified tells when the input was last changed; the zero time where that is
// not known, as of a pipe.
func (in Input) Modified() time.Time {
	if in.member != nil {
		return in.member.Modified
	}
	var info os.FileInfo
	var err error
	if f, ok := in.reader.(*os.File); ok {
		info, err = f.Stat()
	} else if in.reader == nil {
		info, err = os.Stat(in.Path)
	}
	if err != nil || info == nil || !info.Mode().IsRegular() {
		return time.Time{}
	}
	return info.ModTime()
}
