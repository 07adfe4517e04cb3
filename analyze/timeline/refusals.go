package timeline

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"

	"logscan/analyze/spill"
)

// refusalLog keeps the lines of the 401s a worker met, compressed, so that at
// the end every column of them and the evidence of findings can be had without
// reading the inputs again.
type refusalLog struct {
	pages   [][]refusal // by number / refusalPage
	batches []batch
	open    []byte // the batch being filled
	encoded []byte // scratch: with room for the worst, which is three times what lines take
	onDisk  int    // how many of the batches, the first, lie in the worker's file
	held    int64  // bytes of the others
}

// size is about how many bytes of memory the log takes that cannot be written to
// disk.
func (r *refusalLog) size() int64 {
	const refusal = 32
	return refusal*refusalPage*int64(len(r.pages)) + int64(cap(r.open)+cap(r.encoded))
}

// len gives how many 401s there are.
func (r *refusalLog) len() int {
	n := len(r.pages)
	if n == 0 {
		return 0
	}
	return (n-1)*refusalPage + len(r.pages[n-1])
}

// at gives a 401 by its number.
func (r *refusalLog) at(n uint32) *refusal { return &r.pages[n/refusalPage][n%refusalPage] }

// batch is lines that were compressed together: in memory, or in the file of the
// worker.
type batch struct {
	data  []byte // compressed, nil when they lie in the file
	place spill.Place
}

type refusal struct {
	time  int64  // Unix microseconds or parse.NoTime
	block uint32 // worker's number of the block
	line  uint32 // 0-based, in the block
	batch uint32
	off   uint32 // of the line, in the decompressed batch
	size  uint32

	expired bool // the line says outright that a token or session had expired
}

const (
	// refusalBatch is how many bytes of lines are compressed together.
	refusalBatch = 256 << 10
	// refusalPage is how many 401s lie side by side.
	refusalPage = 512
)

// add keeps a line and gives its number.
func (r *refusalLog) add(at int64, block, line uint32, raw []byte, expired bool) uint32 {
	if len(r.open)+len(raw) > refusalBatch && len(r.open) > 0 {
		r.encoded = s2.Encode(r.encoded[:cap(r.encoded)], r.open)
		r.batches = append(r.batches, batch{data: bytes.Clone(r.encoded)})
		r.held += int64(len(r.encoded))
		r.open = r.open[:0]
	}
	if r.open == nil {
		r.open = make([]byte, 0, refusalBatch)
	}
	n := uint32(r.len())
	if n%refusalPage == 0 {
		r.pages = append(r.pages, make([]refusal, 0, refusalPage))
	}
	page := &r.pages[n/refusalPage]
	*page = append(*page, refusal{
		time: at, block: block, line: line,
		batch: uint32(len(r.batches)), off: uint32(len(r.open)), size: uint32(len(raw)),
		expired: expired,
	})
	r.open = append(r.open, raw...)
	return n
}

// spillLines writes the lines of 401s whose batch is full to disk.
func (w *Worker) spillLines() error {
	file, err := w.disk()
	if err != nil {
		return err
	}
	r := &w.refusals
	for ; r.onDisk < len(r.batches); r.onDisk++ {
		b := &r.batches[r.onDisk]
		if b.place, err = file.Append(b.data); err != nil {
			return err
		}
		b.data = nil
	}
	r.held = 0
	return nil
}

// lines gives the lines of a batch of 401s, in dst where they fit.
func (w *Worker) lines(n uint32, dst []byte) ([]byte, error) {
	b := &w.refusals.batches[n]
	data := b.data
	if data == nil {
		var err error
		if data, err = w.file.Read(b.place, nil); err != nil {
			return nil, err
		}
	}
	if cap(dst) == 0 {
		dst = make([]byte, refusalBatch) // what a longer line does not fit in
	}
	lines, err := s2.Decode(dst[:cap(dst)], data)
	if err != nil {
		return nil, fmt.Errorf("BUG: read back 401 lines: %w", err)
	}
	return lines, nil
}

// lineCache decompresses batches on demand and keeps the last few: lines asked
// for in the order of time come from few batches at a time, one for each worker
// and for each log of that time.
type lineCache struct {
	workers []*Worker
	batch   map[[2]uint32][]byte
	order   [][2]uint32        // oldest first
	most    int                // how many are kept
	dropped map[[2]uint32]bool // since it holds so many
}

// A cache begins with few batches, and has more where one is asked for that it
// had dropped: 8 MiB at most. Each goroutine that reads lines has one.
const (
	fewBatches  = 4
	mostBatches = 32
)

func newLineCache(workers []*Worker) *lineCache {
	return &lineCache{workers: workers, batch: map[[2]uint32][]byte{}, most: fewBatches, dropped: map[[2]uint32]bool{}}
}

// line gives the raw line of a refusal; it is valid until the next call.
func (c *lineCache) line(worker uint32, r *refusal) ([]byte, error) {
	log := &c.workers[worker].refusals
	if int(r.batch) == len(log.batches) {
		return log.open[r.off : r.off+r.size], nil
	}
	k := [2]uint32{worker, r.batch}
	b, ok := c.batch[k]
	if !ok {
		if c.dropped[k] {
			c.most = min(2*c.most, mostBatches)
			clear(c.dropped)
		}
		var dst []byte
		if len(c.order) >= c.most {
			oldest := c.order[0]
			dst = c.batch[oldest]
			delete(c.batch, oldest)
			c.order = c.order[1:]
			c.dropped[oldest] = true
		}
		var err error
		if b, err = c.workers[worker].lines(r.batch, dst); err != nil {
			return nil, err
		}
		c.batch[k] = b
		c.order = append(c.order, k)
	}
	return b[r.off : r.off+r.size], nil
}

// mergeRefusals puts the 401s in order. They are taken block by block, as they
// stand in the inputs, and the inputs by their first one: mostly nothing is left
// to sort then.
func (s *State) mergeRefusals(all []placedBlock, lineBase [][]int64) {
	n := 0
	s.rankOf = make([][]uint32, len(s.workers))
	first := make([][]uint32, len(s.workers)) // by worker and block: the number of its first 401, or of the next one
	for i, w := range s.workers {
		count := w.refusals.len()
		n += count
		s.rankOf[i] = make([]uint32, count)
		first[i] = make([]uint32, len(w.blocks)+1)
		block := uint32(0)
		for j := range uint32(count) {
			for ; block <= w.refusals.at(j).block; block++ {
				first[i][block] = j
			}
		}
		for ; int(block) < len(first[i]); block++ {
			first[i][block] = uint32(count)
		}
	}
	type span struct {
		blocks []placedBlock // of one input, from the first that holds 401s on
		time   int64         // of the first of them
	}
	var spans []span
	for i, p := range all {
		from, to := first[p.worker][p.block], first[p.worker][p.block+1]
		if last := len(spans) - 1; last >= 0 && spans[last].blocks[0].input == p.input {
			spans[last].blocks = spans[last].blocks[:len(spans[last].blocks)+1]
		} else if from < to {
			spans = append(spans, span{all[i : i+1], s.workers[p.worker].refusals.at(from).time})
		}
	}
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.time, b.time) })
	s.Refusals = make([]Refusal, n)[:0]
	for _, span := range spans {
		for _, p := range span.blocks {
			log, base := &s.workers[p.worker].refusals, lineBase[p.worker][p.block]
			for j := first[p.worker][p.block]; j < first[p.worker][p.block+1]; j++ {
				r := log.at(j)
				s.Refusals = append(s.Refusals, Refusal{
					Time: r.time, Line: base + int64(r.line) + 1, Input: p.input, Expired: r.expired,
					worker: uint32(p.worker), number: j,
				})
			}
		}
	}
	order := ordering[Refusal]{compare: compareRefusals}
	s.Refusals = order.sorted(s.Refusals)
	for rank := range s.Refusals {
		r := &s.Refusals[rank]
		s.rankOf[r.worker][r.number] = uint32(rank)
	}
}
