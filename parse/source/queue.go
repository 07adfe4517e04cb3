package source

import (
	"cmp"
	"slices"
	"sync"
)

// queuedBlocks is how many blocks of streams may wait for each worker that has
// nothing else to do. With one, a worker that is quicker than the decoder's
// next block would wait for it; with many, blocks leave the cache.
const queuedBlocks = 2

const (
	// endShares is in how many ranges, at least, what is left of a stretch is read.
	endShares = 2
	// smallestRange is how many times smaller the last ranges are than the first.
	smallestRange = 16
)

// queue is what there is to do. It is locked for a range, an input or a block,
// never for a line.
type queue struct {
	sizes sizes

	mu      sync.Mutex
	changed sync.Cond
	results []Result // by input
	inputs  []int    // not yet opened, in the order to do so
	shared  []*stretch
	blocks  []job    // handed over by workers that decode
	free    [][]byte // buffers that blocks came in
	open    map[*plainFile]struct{}
	groups  map[int][]int // by the first of them: inputs that one worker reads in this order
	opening int           // workers that may yet put something in the queue
	workers int
	stopped bool
}

// job is one of three things to do: a block to hand over (buf is set), a range
// to read (file is set), or an input to open.
type job struct {
	block Block
	buf   []byte
	file  *plainFile
	start int64 // of the range, offset in bytes
	end   int64 // of it, offset in bytes
	input int
}

// stretch is what nobody has begun to read of a part of a plain file. Its worker
// takes ranges off its beginning, so that it meets lines in the order of time.
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
	// The largest first, so that the run does not end with one worker busy.
	// A stream of unknown length may be larger than all.
	weight := func(input int) uint64 { return uint64(inputs[input].size) } // of -1 the highest
	slices.SortStableFunc(q.inputs, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	return q
}

// take waits for something to do for a worker; false when nothing is left or
// ever will be.
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

// takeRange takes the next range of a stretch. The last ones are smaller: the
// workers are to come to the end of a file together.
func (q *queue) takeRange(i int) job {
	s := q.shared[i]
	size := min(max((s.end-s.next)/endShares, q.smallest()), int64(q.sizes.rng))
	j := job{file: s.file, start: s.next, end: min(s.next+size, s.end)}
	if s.next = j.end; s.next >= s.end {
		q.shared = slices.Delete(q.shared, i, i+1)
	}
	return j
}

// divide gives a worker that has none a stretch: the later half of the longest,
// or all of it where that is short.
func (q *queue) divide(worker int) int {
	i := 0
	for n, s := range q.shared {
		if l := q.shared[i]; s.end-s.next > l.end-l.next {
			i = n
		}
	}
	s := q.shared[i]
	if s.end-s.next < 2*q.smallest() {
		s.worker = worker
		return i
	}
	half := &stretch{s.file, s.next + (s.end-s.next)/2, s.end, worker}
	s.end = half.next
	q.shared = append(q.shared, half)
	return len(q.shared) - 1
}

// smallest gives the size in bytes of the smallest range, but that at the end of
// a stretch.
func (q *queue) smallest() int64 { return max(int64(q.sizes.rng/smallestRange), 1) }

// offer gives a block away if a worker has nothing else to do, and returns a
// buffer in exchange for the block's, with rest at its beginning.
func (q *queue) offer(b Block, buf, rest []byte) (other []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// Who does not open or decode an input has only blocks left to do.
	room := queuedBlocks * (q.workers - q.opening)
	if len(q.inputs) > 0 || len(q.shared) > 0 || len(q.blocks) >= room || q.stopped {
		return nil, false
	}
	if n := len(q.free); n > 0 {
		other, q.free = q.free[n-1], q.free[:n-1]
	} else {
		other = make([]byte, q.sizes.buffer())
	}
	// Before the block is there to be taken: from then on its buffer, which
	// holds rest, may be released and be in use by another decoder.
	copy(other, rest)
	q.blocks = append(q.blocks, job{block: b, buf: buf})
	q.changed.Signal()
	return other, true
}

// release takes back the buffer of a block that was taken.
func (q *queue) release(buf []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free = append(q.free, buf)
}

// opened says that the worker that took an input puts nothing more in.
func (q *queue) opened(input int, r Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.results[input] = r
	q.opening--
	q.changed.Broadcast()
}

// result is opened for one of a group of inputs that is not the last.
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
	q.shared = append(q.shared, &stretch{f, f.from, f.size, worker})
	q.open[f] = struct{}{}
	q.opening--
	q.changed.Broadcast()
}

// read adds what a range of f of so many bytes gave, and closes f after the last.
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
		f.file.Close() // it was only read
		delete(q.open, f)
	}
}

// closeFiles closes what a run that was cancelled left open.
func (q *queue) closeFiles() {
	for f := range q.open {
		f.file.Close() // it was only read
	}
}

// stop lets all workers end.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	q.changed.Broadcast()
}
