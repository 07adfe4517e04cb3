package source

import (
	"context"
	"io"
	"sync/atomic"

	"logscan/parse/source/compress"

	"golang.org/x/sync/errgroup"
)

// each calls f for every number below n, from workers goroutines of which each
// has contents of its own.
func each(ctx context.Context, workers, n int, f func(context.Context, *contents, int) error) error {
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

// contents decodes what inputs hold, one after the other.
type contents struct {
	outer, inner compress.Decoders
	buf          []byte // see scratch
}

// scratch gives memory for headSize bytes, the same each time.
func (c *contents) scratch() []byte {
	if c.buf == nil {
		c.buf = make([]byte, headSize)
	}
	return c.buf
}

func (c *contents) close() {
	c.outer.Close()
	c.inner.Close()
}

// decoded gives the content of an input whose file or part of one is f; not of
// what is in a compressed tar. It is valid until the next call.
func (c *contents) decoded(ctx context.Context, in Input, f *plainFile) io.Reader {
	if m := in.member; m != nil && m.Deflated {
		return c.inside(ctx, openInflated(f.file, m, in.ceiling), in.ceiling)
	}
	return c.inside(ctx, f.stream(), in.ceiling)
}

// inside decodes what src gives up to a ceiling.
func (c *contents) inside(ctx context.Context, src io.Reader, top ceiling) io.Reader {
	stored := &counter{ctx: ctx, src: src}
	in := c.inner.Buffer(stored)
	comp := compress.Sniff(in)
	decoded := c.inner.Reader(comp, in)
	if comp == compress.None {
		return decoded
	}
	return top.limitDecoded(decoded, src, used(stored, in))
}

// peeked gives what was read of a reader once more, and then the rest of it.
type peeked struct {
	head []byte
	err  error // behind head, where it was met
	rest io.Reader
}

// peek fills buf from r, or reads all there is.
func peek(r io.Reader, buf []byte) (head []byte, again *peeked) {
	n, empty := 0, 0
	var err error
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
		if m > 0 {
			empty = 0
		} else if empty++; empty == maxEmptyReads && err == nil {
			err = io.ErrNoProgress
		}
	}
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
