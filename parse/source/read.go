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
	"logscan/parse/source/object"
)

// Read reads all inputs and hands their blocks to h from workers goroutines. Each
// decodes, cuts and calls h itself, so that h finds the data in the CPU cache. The
// results are in the order of the inputs.
//
// A plain file is read in ranges that the workers share, up to the size it had when
// it was opened; each worker reads a stretch of its own as long as it can. A
// compressed file or a stream is decoded by one worker, which hands blocks to others
// only if they have nothing else to do. Memory is bounded by the number of workers,
// whatever the inputs are.
//
// An input that cannot be read has its error in its Result. Read returns an error
// only if ctx ends. It returns when all its goroutines have ended, with one
// exception: a read that waits for a terminal or pipe is abandoned when ctx ends.
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
			defer w.close()
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

// worker is the state of one goroutine.
type worker struct {
	sizes
	id      int
	inputs  []Input
	handler Handler
	queue   *queue
	buf     []byte // of the cutter
	contents
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
		case w.inputs[j.input].sequential():
			if err := w.readTar(ctx, w.queue.groups[j.input]); err != nil {
				return err
			}
			w.queue.opened()
		default:
			if w.inputs[j.input].object != nil {
				w.prefetch()
			}
			if r, shared := w.open(ctx, j.input); !shared {
				w.queue.result(j.input, r)
				w.queue.opened()
			}
		}
	}
}

// prefetch begins to read the small objects that will be opened next.
func (w *worker) prefetch() {
	for _, i := range w.queue.upcoming() {
		if o := w.inputs[i].object; o != nil {
			o.Prefetch()
		}
	}
}

// readTar reads the inputs of a group from a compressed tar.
func (w *worker) readTar(ctx context.Context, group []int) error {
	return forEachInTar(ctx, &w.outer, w.inputs, group, func(input int, t *tarStream, err error) error {
		m := w.inputs[input].member
		if err != nil {
			w.queue.result(input, w.unread(input, Result{Compression: m.stored, Err: err}))
			return nil
		}
		start := t.at()
		r := w.readStream(ctx, input, t, nil)
		w.queue.result(input, relocated(r, m.stored, start, t.at()))
		return nil
	})
}

// open reads an input to its end. A plain file it only opens and puts its ranges
// into the queue: shared is true then.
func (w *worker) open(ctx context.Context, input int) (r Result, shared bool) {
	in := w.inputs[input]
	switch {
	case in.settled != nil:
		return w.unread(input, *in.settled), false
	case in.member != nil && in.member.Deflated:
		return w.readDeflated(ctx, input, in.member), false
	case in.reader != nil:
		return w.readPipe(ctx, input, func() (io.ReadCloser, error) {
			return io.NopCloser(in.reader), nil
		}), false
	case in.pipe(): // opening a FIFO waits for its writer
		return w.readPipe(ctx, input, func() (io.ReadCloser, error) { return os.Open(in.Path) }), false
	}
	if in.size > 0 && in.size <= int64(w.sample) && in.member == nil && in.kept == nil && in.resume == nil && in.span == nil {
		return w.readSmall(ctx, input), false
	}
	f, err := in.open(input)
	if err != nil {
		return w.unread(input, Result{Compression: compress.None.String(), Err: err}), false
	}
	if r, shared = w.openFile(ctx, f, &in); !shared {
		f.finish()
	}
	return r, shared
}

// openFile is open for a file or the part of an archive that holds one.
func (w *worker) openFile(ctx context.Context, f *plainFile, in *Input) (r Result, shared bool) {
	resume := in.resume
	if err := resume.verify(f); err != nil {
		return w.unread(f.input, Result{Compression: f.stored, Err: err}), false
	}
	// A file that claims to be empty need not be: those of /proc are not.
	if f.size == 0 || f.compression != compress.None {
		return f.located(w.readStream(ctx, f.input, f.stream(), nil)), false
	}
	if resume != nil && resume.info == nil { // its earlier content could not be compared
		return f.located(w.readStream(ctx, f.input, f.ranged(0), nil)), false
	}
	plan := w.handler.Open(f.input, f.sample(w.sizes))
	switch {
	case plan.Skip:
		return Result{Compression: f.stored}, false
	case !plan.isDefault():
		return f.located(w.readStream(ctx, f.input, f.ranged(0), &plan)), false
	}
	if resume != nil {
		f.from, f.done = resume.from, resume.from
	}
	if in.span != nil {
		f.span = &Span{max(in.span.From, 0), min(in.span.To, f.size)}
		f.done = f.size - max(f.span.To-f.span.From, 0)
		if o, ok := f.file.(*object.File); ok && in.member == nil {
			o.ReadTo(f.span.To)
		}
	}
	w.queue.share(f, w.id)
	return Result{}, true
}

// readSmall reads a file of which a sample was all when Expand saw it. There may be many
// thousands of them, so its content is read once: for the detection of its compression,
// as the sample, and as a block.
func (w *worker) readSmall(ctx context.Context, input int) Result {
	in := &w.inputs[input]
	if in.object == nil {
		if f, ok := openIfSmall(input, in.Path, int64(w.sample)); ok {
			defer f.close()
			return w.readStream(ctx, input, f.ranged(0), nil)
		}
	}
	f, err := openUnsniffed(input, place{in.Path, in.object})
	if err != nil {
		return w.unread(input, Result{Compression: compress.None.String(), Err: err})
	}
	defer f.finish()
	if f.size == 0 {
		return w.readStream(ctx, input, f.stream(), nil)
	}
	return w.readStream(ctx, input, f.ranged(0), nil)
}

// unread opens an input of which nothing is read and returns its result.
func (w *worker) unread(input int, r Result) Result {
	w.handler.Open(input, nil)
	return r
}

// readPipe reads an input that may have nothing to read for a while (a terminal, an idle
// pipe, a FIFO that nobody has opened). A goroutine of its own reads it, so that the end of
// ctx ends the wait.
func (w *worker) readPipe(ctx context.Context, input int, open func() (io.ReadCloser, error)) Result {
	out, in := io.Pipe()
	defer out.Close() // ends the goroutine, unless it waits in a read
	defer context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })()
	go func() {
		src, err := open()
		if err == nil {
			defer src.Close()                                      // it is only read
			defer context.AfterFunc(ctx, func() { src.Close() })() // ends a read that waits for a FIFO
			_, err = bufio.NewReaderSize(src, compress.BufferSize).WriteTo(in)
		}
		in.CloseWithError(err)
	}()
	return w.readStream(ctx, input, out, nil)
}

// readStream decodes src to its end. If plan is nil the input has not been opened
// yet: it is opened with the first lines, which gives the plan.
func (w *worker) readStream(ctx context.Context, input int, src io.Reader, plan *Plan) Result {
	stored := &counter{ctx: ctx, src: src, took: func(n int64) { w.took(input, n) }}
	in := w.inner.Buffer(stored)
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
			sample := sampleLines(data, w.sample, true, complete)
			if len(sample) == 0 {
				sample = firstLine(data, w.maxLine, complete)
			}
			return w.handler.Open(input, sample)
		}
	}
	c.src = w.inner.Reader(comp, in)
	if comp != compress.None {
		c.src = w.inputs[input].ceiling.limitDecoded(c.src, src, used(stored, in))
	}
	track := w.inputs[input].resume.attach(&c)
	err := c.run(ctx)
	w.buf = c.buf
	w.inputs[input].resume.record(track, c.off)
	r := Result{
		Compression: comp.String(),
		Bytes:       c.bytes,
		StoredBytes: stored.n - int64(in.Buffered()),
	}
	if err != nil {
		w.inner.Drop(comp)
		switch whole := (*archiveError)(nil); {
		case errors.Is(err, errShorter), errors.Is(err, errDiverged):
			r.Err = err // an offset would say nothing
			return r
		case errors.As(err, &whole):
			r.Err = whole // likewise
			return r
		case stored.err == nil:
			err = explain(comp.String(), err)
		}
		r.Err = &ReadError{Stored: r.StoredBytes, Decompressed: c.off, Err: err}
	}
	return r
}

// emitShared hands b to an idle worker, or handles it here if there is none.
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

// took reports progress to a handler that is a Watcher.
func (w *worker) took(input int, stored int64) {
	if watcher, ok := w.handler.(Watcher); ok {
		watcher.Took(input, stored)
	}
}

// counter counts the bytes that are read from src.
type counter struct {
	ctx context.Context // checked at each read: a decoder may read much and return nothing
	src io.Reader
	n   int64 // bytes
	err error // of src, but io.EOF

	took     func(int64) // called every reportEvery bytes; may be nil
	reported int64       // bytes
}

// used returns a function that returns how many of the bytes counted by stored
// were decoded by way of in.
func used(stored *counter, in *bufio.Reader) func() int64 {
	return func() int64 { return stored.n - int64(in.Buffered()) }
}

// reportEvery is the number of stored bytes between two reports of progress.
const reportEvery = 256 << 10

func (c *counter) Read(p []byte) (int, error) {
	if c.err = c.ctx.Err(); c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(p)
	c.n += int64(n)
	if c.took != nil && (c.n-c.reported >= reportEvery || err == io.EOF) {
		c.took(c.n - c.reported)
		c.reported = c.n
	}
	if err != io.EOF {
		c.err = err
	}
	return n, err
}
