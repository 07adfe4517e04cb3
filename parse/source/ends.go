package source

import (
	"context"
	"fmt"
	"io"

	"logscan/parse/source/compress"
)

// endSize is how many bytes at either end of an input are looked at: hundreds of lines, one
// of which has a time even if many are junk.
const endSize = 128 << 10

// Ends calls f with whole lines from the beginning and the end of every input, in any order
// and from workers goroutines. An error of f ends it. A plain file is sought, a compressed
// one decoded to its end; the files of a compressed tar are decoded in one go. If an input
// cannot be read, f gets the lines before the error: reading the input reports it.
func Ends(ctx context.Context, inputs []Input, workers int, f func(i int, lines []byte, err error) error) error {
	single, groups := grouped(inputs)
	return forEach(ctx, AtOnce(inputs, workers), len(single), func(ctx context.Context, c *contents, n int) error {
		i := single[n]
		if group, ok := groups[i]; ok {
			return forEachInTar(ctx, &c.outer, inputs, group, func(i int, t *tarStream, err error) error {
				var lines []byte
				if err == nil {
					lines = linesOf(ends(c.inside(ctx, t, inputs[i].ceiling)))
				}
				if stopped := ctx.Err(); stopped != nil {
					return stopped
				}
				return f(i, lines, nil)
			})
		}
		lines, err := c.endLines(ctx, inputs[i], ends)
		if stopped := ctx.Err(); stopped != nil {
			return stopped
		}
		return f(i, lines, err)
	})
}

// Glance returns lines of one input as Ends does, but cheaply. Of a compressed input it
// returns lines from the beginning only; whole reports whether that is all of it. Of a file
// in a compressed tar it returns none, because everything before it would have to be
// decoded.
func Glance(ctx context.Context, in Input) (lines []byte, whole bool, err error) {
	if in.sequential() {
		return nil, false, nil
	}
	var c contents
	defer c.close()
	whole = true
	lines, err = c.endLines(ctx, in, func(r io.Reader) (head, tail []byte) {
		buf := make([]byte, 2*endSize)
		n, err := io.ReadFull(r, buf)
		whole = err != nil
		return buf[:n], nil
	})
	return lines, whole, err
}

// endLines returns lines from the ends of an input. Of a compressed input it returns those
// of what decoded returns.
func (c *contents) endLines(ctx context.Context, in Input, decoded func(io.Reader) (head, tail []byte)) ([]byte, error) {
	if in.reader != nil || in.pipe() {
		return nil, ErrOnce
	}
	if in.settled != nil {
		return nil, nil
	}
	f, err := in.open(0)
	if err != nil {
		return nil, nil
	}
	defer f.close()
	if f.size > 0 && f.compression == compress.None && !in.layered() {
		if f.size <= 2*endSize {
			return f.part(make([]byte, f.size), 0), nil
		}
		head := f.appendLines(make([]byte, 0, 2*endSize), 0, endSize, false)
		return f.appendLines(head, f.size-endSize, endSize, true), nil
	}
	head, tail := decoded(c.decoded(ctx, in, f))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look into %s: %w", in.Path, err)
	}
	return linesOf(head, tail), nil
}

// linesOf returns the whole lines of what ends returns.
func linesOf(head, tail []byte) []byte {
	if tail == nil {
		return sampleLines(head, 2*endSize, true, len(head) < 2*endSize)
	}
	head = sampleLines(head, endSize, true, false)
	return append(head, sampleLines(tail, endSize, false, true)...)
}

// ends reads r and returns its first and last bytes. tail is nil if head is all of it.
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
