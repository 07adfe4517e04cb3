package timeline

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Lines returns a function that returns the raw line of a 401. The line is valid
// until the next call. The function must be used by one goroutine only.
func (s *State) Lines() func(*Refusal) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *refusalLog { return &w.refusals })
	return func(r *Refusal) ([]byte, error) {
		return c.line(r.worker, s.workers[r.worker].refusals.at(r.number))
	}
}

// MessageLines returns a function that returns the raw line of a message, like Lines.
func (s *State) MessageLines() func(*Message) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *refusalLog { return &w.messages.refusalLog })
	return func(m *Message) ([]byte, error) {
		return c.line(m.worker, s.workers[m.worker].messages.at(m.number))
	}
}

// lineCache decompresses batches of lines and keeps the last maxBatches of them.
// Lines requested in the order of time come from few batches: one for each worker
// and for each log of that time.
type lineCache struct {
	workers []*Worker
	logOf   func(*Worker) *refusalLog
	batches map[batchKey][]byte
	order   []batchKey // oldest first
}

type batchKey struct{ worker, batch uint32 }

// maxBatches is the number of batches in a cache: 8 MiB for every goroutine that
// reads lines.
const maxBatches = 32

func newLineCache(workers []*Worker, logOf func(*Worker) *refusalLog) *lineCache {
	return &lineCache{workers: workers, logOf: logOf, batches: map[batchKey][]byte{}}
}

// line returns the raw line of a refusal or message; it is valid until the next call.
func (c *lineCache) line(worker uint32, r *refusal) ([]byte, error) {
	log := c.logOf(c.workers[worker])
	if int(r.batch) == len(log.batches) {
		return log.open[r.off : r.off+r.size], nil
	}
	k := batchKey{worker, r.batch}
	b, ok := c.batches[k]
	if !ok {
		var dst []byte
		if len(c.order) == maxBatches {
			dst = c.batches[c.order[0]]
			delete(c.batches, c.order[0])
			c.order = c.order[1:]
		}
		var err error
		if b, err = c.workers[worker].batchLines(log, r.batch, dst); err != nil {
			return nil, err
		}
		c.batches[k] = b
		c.order = append(c.order, k)
	}
	return b[r.off : r.off+r.size], nil
}

// batchLines decompresses a batch of lines, into dst if it has the capacity.
func (w *Worker) batchLines(log *refusalLog, n uint32, dst []byte) ([]byte, error) {
	b := &log.batches[n]
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
