package source

import (
	"context"
	"io"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/compress"
)

// contents decodes the content of inputs, one after the other. It belongs to one
// goroutine.
type contents struct {
	inner compress.Decoders
	outer compress.Decoders // of archives whose files are decoded at the same time
	space []byte            // see scratch
	found compress.Format   // of the last input that was decoded
}

// scratch returns a buffer of headSize bytes, the same for each call.
func (c *contents) scratch() []byte {
	if c.space == nil {
		c.space = make([]byte, headSize)
	}
	return c.space
}

func (c *contents) close() {
	c.outer.Close()
	c.inner.Close()
}

// decoded returns the content of an input from its file, or part of a file, f. It
// does not support files of a compressed tar. The result is valid until the next
// call.
func (c *contents) decoded(ctx context.Context, in Input, f *plainFile) io.Reader {
	if m := in.member; m != nil && m.Deflated {
		return c.inside(ctx, openInflated(f.file, m, in.ceiling), in.ceiling)
	}
	if f.size == 0 {
		return c.inside(ctx, f.stream(), in.ceiling)
	}
	return c.inside(ctx, f.ranged(0), in.ceiling)
}

// inside decodes src up to a ceiling.
func (c *contents) inside(ctx context.Context, src io.Reader, top ceiling) io.Reader {
	stored := &counter{ctx: ctx, src: src}
	in := c.inner.Buffer(stored)
	c.found = compress.Sniff(in)
	decoded := c.inner.Reader(c.found, in)
	if c.found == compress.None {
		return decoded
	}
	return top.limitDecoded(decoded, src, used(stored, in))
}

// objectsAtOnce is how many objects are looked into at the same time: each waits for answers
// most of the time.
const objectsAtOnce = 16

// AtOnce returns how many inputs to look into at the same time: as many as there are workers,
// or more if some are in an object store.
func AtOnce(inputs []Input, workers int) int {
	if slices.ContainsFunc(inputs, func(in Input) bool { return in.object != nil }) {
		return max(workers, objectsAtOnce)
	}
	return max(workers, 1)
}

// forEach calls f for every number below n from workers goroutines, each of which
// has contents of its own. The first error ends it.
func forEach(ctx context.Context, workers, n int, f func(context.Context, *contents, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(max(workers, 1), n) {
		g.Go(func() error {
			var c contents
			defer c.close()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f(ctx, &c, i); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// peeked is a reader whose beginning was read and is read again.
type peeked struct {
	head []byte
	err  error // that ended the head, if any
	rest io.Reader
}

// peek reads the beginning of r into buf, which it fills unless r ends before.
func peek(r io.Reader, buf []byte) (head []byte, again *peeked) {
	n, err := fill(r, buf)
	return buf[:n], &peeked{buf[:n], err, r}
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.rest.Read(b)
}

// maxEmptyReads is how often in a row a reader may return neither bytes nor an
// error.
const maxEmptyReads = 100

// fill reads from r until buf is full or r ends. Unlike io.ReadFull it returns the
// error of r as it is, and gives up on a reader that makes no progress.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for empty := 0; n < len(buf) && err == nil; {
		var m int
		m, err = r.Read(buf[n:])
		n += m
		if m > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads && err == nil {
			err = io.ErrNoProgress
		}
	}
	return n, err
}
