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

// lineCache decompresses batches of lines and keeps some of them. Lines requested in
// the order of time come from few batches: one for each worker and for each log of that
// time.
type lineCache struct {
	workers []*Worker
	batches map[batchKey][]byte
	order   []batchKey // oldest first
	held    int        // bytes of all batches
}

type batchKey struct{ worker, batch uint32 }

// maxCached is the maximum number of bytes in a cache, for every goroutine that reads
// lines: 32 batches. It may be exceeded by one batch, a line of more.
const maxCached = 32 * refusalBatch

func newLineCache(workers []*Worker) *lineCache {
	return &lineCache{workers: workers, batches: map[batchKey][]byte{}}
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
		var err error
		if b, err = c.load(k); err != nil {
			return nil, err
		}
		c.batches[k] = b
		c.order = append(c.order, k)
		c.held += cap(b)
	}
	return b[r.off : r.off+r.size], nil
}

// load decompresses a batch, into the memory of one that it drops if there is one.
func (c *lineCache) load(k batchKey) ([]byte, error) {
	data, err := c.workers[k.worker].batchData(k.batch)
	if err != nil {
		return nil, err
	}
	size, err := s2.DecodedLen(data)
	if err != nil {
		return nil, fmt.Errorf("BUG: size of lines of 401s: %w", err)
	}
	size = max(size, refusalBatch) // so that the memory can be used for any ordinary batch
	var dst []byte
	for len(c.order) > 0 && c.held+size > maxCached {
		dst = c.batches[c.order[0]]
		delete(c.batches, c.order[0])
		c.order = c.order[1:]
		c.held -= cap(dst)
	}
	if cap(dst) < size {
		dst = make([]byte, size)
	}
	lines, err := s2.Decode(dst[:cap(dst)], data)
	if err != nil {
		return nil, fmt.Errorf("BUG: decompress lines of 401s: %w", err)
	}
	return lines, nil
}

// batchData returns a batch of lines, compressed.
func (w *Worker) batchData(n uint32) ([]byte, error) {
	b := &w.refusals.batches[n]
	if b.data != nil {
		return b.data, nil
	}
	return w.file.Read(b.place, nil)
}
