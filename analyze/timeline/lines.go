package timeline

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Lines returns a function that returns the raw line of a 401. The line is valid
// until the next call. The function must be used by one goroutine only.
func (s *State) Lines() func(*Refusal) ([]byte, error) {
	c := newLineCache(s.workers)
	return func(r *Refusal) ([]byte, error) {
		return c.line(r.worker, s.workers[r.worker].refusals.at(r.number))
	}
}

// lineCache decompresses batches of lines and keeps the last few. Lines requested
// in the order of time come from few batches: one for each worker and for each log
// of that time.
type lineCache struct {
	workers []*Worker
	batches map[batchKey][]byte
	order   []batchKey        // oldest first
	limit   int               // number of batches kept
	dropped map[batchKey]bool // since the limit was last raised
}

type batchKey struct{ worker, batch uint32 }

// A cache starts with minBatches and doubles in size whenever a dropped batch is
// requested again, up to 8 MiB: every goroutine that reads lines has a cache.
const (
	minBatches = 4
	maxBatches = 32
)

func newLineCache(workers []*Worker) *lineCache {
	return &lineCache{workers: workers, batches: map[batchKey][]byte{}, limit: minBatches, dropped: map[batchKey]bool{}}
}

// line returns the raw line of a refusal; it is valid until the next call.
func (c *lineCache) line(worker uint32, r *refusal) ([]byte, error) {
	log := &c.workers[worker].refusals
	if int(r.batch) == len(log.batches) {
		return log.open[r.off : r.off+r.size], nil
	}
	k := batchKey{worker, r.batch}
	b, ok := c.batches[k]
	if !ok {
		if c.dropped[k] {
			c.limit = min(2*c.limit, maxBatches)
			clear(c.dropped)
		}
		var dst []byte
		if len(c.order) >= c.limit {
			oldest := c.order[0]
			dst = c.batches[oldest]
			delete(c.batches, oldest)
			c.order = c.order[1:]
			c.dropped[oldest] = true
		}
		var err error
		if b, err = c.workers[worker].batchLines(r.batch, dst); err != nil {
			return nil, err
		}
		c.batches[k] = b
		c.order = append(c.order, k)
	}
	return b[r.off : r.off+r.size], nil
}

// batchLines decompresses a batch of lines, into dst if it has the capacity.
func (w *Worker) batchLines(n uint32, dst []byte) ([]byte, error) {
	b := &w.refusals.batches[n]
	data := b.data
	if data == nil {
		var err error
		if data, err = w.file.Read(b.place, nil); err != nil {
			return nil, err
		}
	}
	if cap(dst) == 0 {
		dst = make([]byte, refusalBatch) // so that it can be reused for any other batch
	}
	lines, err := s2.Decode(dst[:cap(dst)], data)
	if err != nil {
		return nil, fmt.Errorf("BUG: decompress lines of 401s: %w", err)
	}
	return lines, nil
}
