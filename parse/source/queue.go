package source

import (
	"cmp"
	"slices"
	"sync"
)

// queuedBlocks is how many blocks of streams may wait for each idle worker. With one, a
// worker faster than the decoder would wait for its next block; with many, blocks leave the
// CPU cache.
const queuedBlocks = 2

// queue holds the work to do. It is locked for a range, an input or a block, never for a
// line.
type queue struct {
	sizes sizes

	mu      sync.Mutex
	changed sync.Cond
	results []Result // by input
	inputs  []int    // not yet opened, in the order to open them
	shared  []*stretch
	blocks  []job    // handed over by workers that decode
	free    [][]byte // buffers of blocks that were handled
	open    map[*plainFile]struct{}
	groups  map[int][]int // inputs that one worker reads in this order, by the first of them
	opening int           // workers that may still add work
	workers int
	stopped bool
}

// job is a block to hand over (buf is set), a range to read (file is set), or an input to
// open.
type job struct {
	block Block
	buf   []byte
	file  *plainFile
	start int64 // offset of the range in bytes
	end   int64 // offset of its end in bytes
	input int
}

// stretch is the part of a plain file that no worker has begun to read. Its worker takes
// ranges off its beginning, and so reads lines in the order of time.
type stretch struct {
	file      *plainFile
	next, end int64 // offsets in bytes
	worker    int
}

func newQueue(inputs []Input, workers int, s sizes) *queue {
	q := &queue{
		sizes:   s,
		results: make([]Result, len(inputs)),
		open:    map[*plainFile]struct{}{},
		workers: workers,
	}
	q.changed.L = &q.mu
	q.inputs, q.groups = grouped(inputs)
	// The largest come first, so that the run does not end with a single busy worker.
	// A stream of unknown length may be the largest. Small ones are read in the order of
	// their names, which is often that of time: then there is less to sort afterwards, and
	// the same clients come again while they are in the CPU cache.
	weight := func(input int) uint64 {
		if size := inputs[input].size; size < 0 || size > int64(s.sample) {
			return uint64(size) // -1 becomes the maximum
		}
		return 0
	}
	slices.SortStableFunc(q.inputs, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	return q
}

// take waits for work for a worker. It returns false when no work is left or will come.
func (q *queue) take(worker int) (job, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.stopped {
		own := slices.IndexFunc(q.shared, func(s *stretch) bool { return s.worker == worker })
		switch {
		case len(q.blocks) > 0:
			j := q.blocks[0]
			q.blocks = q.blocks[1:]
			return j, true
		case own >= 0:
			return q.takeRange(own), true
		case len(q.inputs) > 0:
			j := job{input: q.inputs[0]}
			q.inputs = q.inputs[1:]
			q.opening++
			return j, true
		case len(q.shared) > 0:
			return q.takeRange(q.divide(worker)), true
		case q.opening == 0:
			return job{}, false
		}
		q.changed.Wait()
	}
	return job{}, false
}

// takeRange takes the next range of a stretch.
func (q *queue) takeRange(i int) job {
	s := q.shared[i]
	j := job{file: s.file, start: s.next, end: min(s.next+int64(q.sizes.rng), s.end)}
	if s.next = j.end; s.next >= s.end {
		q.shared = slices.Delete(q.shared, i, i+1)
	}
	return j
}

// divide assigns the later half of the longest stretch, or all of a short one, to a worker
// without a stretch, and returns its index.
func (q *queue) divide(worker int) int {
	i := 0
	for n, s := range q.shared {
		if l := q.shared[i]; s.end-s.next > l.end-l.next {
			i = n
		}
	}
	s := q.shared[i]
	if s.end-s.next < 2*int64(q.sizes.rng) {
		s.worker = worker
		return i
	}
	half := &stretch{s.file, s.next + (s.end-s.next)/2, s.end, worker}
	s.end = half.next
	q.shared = append(q.shared, half)
	return len(q.shared) - 1
}

// offer hands a block to a worker that has nothing else to do, and returns another buffer
// in exchange for that of the block, with rest at its beginning.
func (q *queue) offer(b Block, buf, rest []byte) (other []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// A worker that neither opens nor decodes an input can only handle blocks.
	room := queuedBlocks * (q.workers - q.opening)
	if len(q.inputs) > 0 || len(q.shared) > 0 || len(q.blocks) >= room || q.stopped {
		return nil, false
	}
	if n := len(q.free); n > 0 {
		other, q.free = q.free[n-1], q.free[:n-1]
	} else {
		other = make([]byte, q.sizes.buffer())
	}
	// rest is copied before the block can be taken: from then on its buffer, which
	// holds rest, may be released and reused by another decoder.
	copy(other, rest)
	q.blocks = append(q.blocks, job{block: b, buf: buf})
	q.changed.Signal()
	return other, true
}

// upcoming returns the inputs that will be opened next.
func (q *queue) upcoming() []int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.inputs[:min(len(q.inputs), objectsAtOnce)])
}

// release returns the buffer of a block that was taken.
func (q *queue) release(buf []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free = append(q.free, buf)
}

// opened ends the job of opening an input or a group: the worker adds no more work for it.
func (q *queue) opened() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.opening--
	q.changed.Broadcast()
}

// result records the result of an input.
func (q *queue) result(input int, r Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.results[input] = r
}

// share lets all workers read ranges of f, whose input the worker has taken.
func (q *queue) share(f *plainFile, worker int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.results[f.input].Compression = f.stored
	all := &stretch{f, f.from, f.size, worker}
	if f.span != nil {
		all.next, all.end = f.span.From, f.span.To
	}
	q.shared = append(q.shared, all)
	q.open[f] = struct{}{}
	q.opening--
	q.changed.Broadcast()
}

// read adds what reading a range of size bytes of f has handed over, and closes f after the
// last range.
func (q *queue) read(f *plainFile, size, bytes int64, err *ReadError) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := &q.results[f.input]
	r.Bytes += bytes
	r.StoredBytes += bytes
	if err != nil && (f.err == nil || err.Stored < f.err.Stored) {
		f.err, r.Err = err, err
	}
	if f.done += size; f.done >= f.size {
		f.finish()
		delete(q.open, f)
	}
}

// closeFiles closes the files that a cancelled run left open.
func (q *queue) closeFiles() {
	for f := range q.open {
		f.close()
	}
}

// stop ends all workers.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.changed.Broadcast()
}
