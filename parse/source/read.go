package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sync/errgroup"

	"logscan/parse/source/archive"
	"logscan/parse/source/compress"
)

// Read reads all inputs and hands their blocks to h, from workers goroutines
// of which each decodes, cuts and calls h by itself, so that h finds the data
// in the cache. The results are in the order of the inputs.
//
// A plain file is read in ranges that the workers share, each from a stretch of
// its own as far as it goes, up to the size the file had when it was opened. A
// compressed file or a stream is decoded by one worker, which gives blocks away
// only when others have nothing else to do. Memory is bounded by the workers,
// whatever the inputs are.
//
// Trouble with an input stands in its Result; the error is that of ctx. Read
// returns when all it started has ended. One thing it cannot end: a read from
// a terminal or pipe that has nothing to give is left alone when ctx ends.
func Read(ctx context.Context, inputs []Input, workers int, h Handler) ([]Result, error) {
	return read(ctx, inputs, workers, h, defaultSizes())
}

func read(ctx context.Context, inputs []Input, workers int, h Handler, s sizes) ([]Result, error) {
	workers = max(workers, 1)
	q := newQueue(inputs, workers, s)
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, q.stop)
	defer stop()
	for i := range workers {
		g.Go(func() error {
			w := &worker{id: i, sizes: s, inputs: inputs, handler: h, queue: q, buf: make([]byte, s.buffer())}
			defer w.decoders.Close()
			defer w.outer.Close()
			return w.run(ctx)
		})
	}
	err := g.Wait()
	q.closeFiles()
	if err != nil {
		return nil, fmt.Errorf("read inputs: %w", err)
	}
	return q.results, nil
}

// worker is one goroutine's state.
type worker struct {
	sizes
	id       int
	inputs   []Input
	handler  Handler
	queue    *queue
	buf      []byte // of the cutter
	decoders compress.Decoders
	outer    compress.Decoders // of archives whose members are decoded at the same time
}

func (w *worker) run(ctx context.Context) error {
	for {
		j, ok := w.queue.take(w.id)
		if err := ctx.Err(); err != nil || !ok {
			return err
		}
		switch {
		case j.buf != nil:
			w.handler.Block(w.id, &j.block)
			w.queue.release(j.buf)
		case j.file != nil:
			w.readRange(ctx, j.file, j.start, j.end)
		default:
			w.open(ctx, j.input)
		}
	}
}

// open opens an input: a plain file to share its ranges, anything else to read
// it to its end.
func (w *worker) open(ctx context.Context, input int) {
	in := w.inputs[input]
	switch m := in.member; {
	case in.told != nil:
		w.handler.Open(input, nil)
		w.queue.opened(input, *in.told)
		return
	case in.sequential():
		w.openTar(ctx, w.queue.groups[input])
		return
	case m != nil && m.Deflated:
		w.queue.opened(input, w.readDeflated(ctx, input, m))
		return
	}
	if in.reader != nil {
		w.queue.opened(input, w.readPipe(ctx, input, func() (io.ReadCloser, error) {
			return io.NopCloser(in.reader), nil
		}))
		return
	}
	open := func() (io.ReadCloser, error) { return os.Open(in.Path) }
	if in.pipe() {
		if in.size >= 0 {
			w.handler.Open(input, nil)
			w.queue.opened(input, Result{Compression: compress.None.String(), Err: errReplaced})
			return
		}
		// Opening a FIFO waits for its writer.
		w.queue.opened(input, w.readPipe(ctx, input, open))
		return
	}
	f, err := in.open(input)
	if err != nil {
		w.handler.Open(input, nil)
		w.queue.opened(input, Result{Compression: compress.None.String(), Err: err})
		return
	}
	// Files that say that they are empty need not be: those of /proc are not.
	if err := in.resume.held(f); err != nil {
		w.handler.Open(input, nil)
		w.queue.opened(input, Result{Compression: f.stored, Err: err})
		f.file.Close() // it was only read
		return
	}
	if f.size == 0 || f.compression != compress.None {
		w.queue.opened(input, f.located(w.readStream(ctx, input, f.stream(), nil)))
		f.file.Close() // it was only read
		return
	}
	if in.resume != nil && in.resume.info == nil { // it could not be looked through
		w.queue.opened(input, f.located(w.readStream(ctx, input, f.ranged(0), nil)))
		f.file.Close() // it was only read
		return
	}
	if plan := w.handler.Open(input, f.sample(w.sample)); plan.Skip {
		w.queue.opened(input, Result{Compression: f.stored})
		f.file.Close() // it was only read
		return
	} else if !plan.usual() {
		w.queue.opened(input, f.located(w.readStream(ctx, input, f.ranged(0), &plan)))
		f.file.Close() // it was only read
		return
	}
	f.begin(in.resume)
	w.queue.share(f, w.id)
}

// readPipe reads what may have nothing to give for a while.
func (w *worker) readPipe(ctx context.Context, input int, open func() (io.ReadCloser, error)) Result {
	p := startPump(ctx, open)
	defer p.close()
	return w.readStream(ctx, input, p, nil)
}

// readStream decodes src to its end. Without a plan the input is not opened yet:
// that gives it.
func (w *worker) readStream(ctx context.Context, input int, src io.Reader, plan *Plan) Result {
	stored := &counter{ctx: ctx, src: src, took: func(n int64) { w.took(input, n) }}
	in := w.decoders.Buffer(stored)
	comp := compress.Sniff(in)
	c := cutter{
		sizes: w.sizes,
		limit: toEnd,
		buf:   w.buf,
		emit: func(b Block, rest []byte) []byte {
			b.Input = input
			return w.emitShared(b, rest)
		},
	}
	if plan != nil {
		c.plan = *plan
	} else {
		c.first = func(data []byte, complete bool) Plan {
			if kind := archive.Detect(data); kind != archive.None {
				c.n, c.err = 0, &archiveError{kind}
				stored.err, data = c.err, nil
			}
			return w.handler.Open(input, sampleLines(data, w.sample, true, complete))
		}
	}
	c.src = w.decoders.Reader(comp, in)
	if comp != compress.None {
		c.src = w.inputs[input].ceiling.limitDecoded(c.src, src, used(stored, in))
	}
	track := w.inputs[input].resume.follow(&c)
	err := c.run(ctx)
	w.buf = c.buf
	w.inputs[input].resume.end(track, c.off)
	r := Result{
		Compression: comp.String(),
		Bytes:       c.bytes,
		StoredBytes: stored.n - int64(in.Buffered()),
	}
	if err != nil {
		w.decoders.Drop(comp)
		switch whole := (*archiveError)(nil); {
		case errors.Is(err, errShorter), errors.Is(err, errDiverged):
			r.Err = err // it is about no offset
			return r
		case errors.As(err, &whole):
			r.Err = whole // the same
			return r
		case stored.err == nil:
			err = explain(comp.String(), err)
		}
		r.Err = &ReadError{Stored: r.StoredBytes, Decompressed: c.off, Err: err}
	}
	return r
}

// emitShared gives b to a worker that has nothing to do, or handles it here.
func (w *worker) emitShared(b Block, rest []byte) []byte {
	if other, ok := w.queue.offer(b, w.buf, rest); ok {
		w.buf = other
		return other
	}
	return w.emitOwn(b, rest)
}

func (w *worker) emitOwn(b Block, rest []byte) []byte {
	w.handler.Block(w.id, &b)
	copy(w.buf, rest)
	return w.buf
}

// counter counts what is read from src.
type counter struct {
	ctx context.Context // asked at each read: a decoder may read much and give nothing
	src io.Reader
	n   int64 // bytes
	err error // of src, but io.EOF

	took func(int64) // is told every tellEvery bytes; may be nil
	told int64       // bytes
}

// used tells how many bytes of what stored counts were decoded by way of in.
func used(stored *counter, in *bufio.Reader) func() int64 {
	return func() int64 { return stored.n - int64(in.Buffered()) }
}

// tellEvery is how many stored bytes pass before the next word of it.
const tellEvery = 256 << 10

func (c *counter) Read(p []byte) (int, error) {
	if c.err = c.ctx.Err(); c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(p)
	c.n += int64(n)
	if c.took != nil && (c.n-c.told >= tellEvery || err == io.EOF) {
		c.took(c.n - c.told)
		c.told = c.n
	}
	if err != io.EOF {
		c.err = err
	}
	return n, err
}

// took tells the handler, where it wants to know.
func (w *worker) took(input int, stored int64) {
	if watcher, ok := w.handler.(Watcher); ok {
		watcher.Took(input, stored)
	}
}
