package timeline

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// Lines returns a function that returns the raw line of a 401. The line is valid
// until the next call. The function must be used by one goroutine only.
func (s *State) Lines() func(*Refusal) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *refusalLog { return &w.refusals })
	return func(r *Refusal) ([]byte, error) { return c.line(uint32(r.worker), r.number) }
}

// MessageLines returns a function that returns the record of a message, as
// events.Log.AppendRecord makes it, and after it the raw line. It is like Lines.
func (s *State) MessageLines() func(*Message) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *refusalLog { return &w.messages.refusalLog })
	return func(m *Message) ([]byte, error) { return c.line(m.worker, m.number) }
}

// lineCache decompresses batches of lines and keeps some of them. Lines requested in
// the order of time come from few batches: one for each worker and for each log of that
// time.
type lineCache struct {
	workers []*Worker
	logOf   func(*Worker) *refusalLog
	batches map[batchKey]*cachedBatch
	order   []batchKey // oldest first
	held    int        // bytes of all batches
	limit   int        // of held
}

type batchKey struct{ worker, batch uint32 }

// cachedBatch is a decompressed batch.
type cachedBatch struct {
	text  []byte   // lines, each preceded by its length
	first uint32   // number of the first 401
	at    []uint32 // by number - first: where its length begins in text
	open  bool     // text is that of the worker
}

// maxCached is the maximum number of bytes in a cache, for every goroutine that reads
// lines: 32 batches, or one for each part that is merged and some. It may be exceeded by
// one batch, a line of more.
const maxCached = 32 * refusalBatch

func newLineCache(workers []*Worker, logOf func(*Worker) *refusalLog) *lineCache {
	limit := max(maxCached, (len(workers)+len(workers)/2)*refusalBatch)
	return &lineCache{workers: workers, logOf: logOf, batches: map[batchKey]*cachedBatch{}, limit: limit}
}

// line returns the raw line of a 401 or message of a worker by its number; it is valid until the
// next call.
func (c *lineCache) line(worker, number uint32) ([]byte, error) {
	log := c.logOf(c.workers[worker])
	k := batchKey{worker, log.batchOf(number)}
	b, ok := c.batches[k]
	if !ok {
		var err error
		if b, err = c.load(k); err != nil {
			return nil, err
		}
		c.batches[k] = b
		c.order = append(c.order, k)
		c.held += b.size()
	}
	line, _ := cutBytes(b.text[b.at[number-b.first]:])
	return line, nil
}

// load decompresses a batch, into the memory of one that it drops if there is one.
func (c *lineCache) load(k batchKey) (*cachedBatch, error) {
	log := c.logOf(c.workers[k.worker])
	if int(k.batch) == len(log.batches) {
		b := &cachedBatch{text: log.open, first: log.first, open: true}
		b.index()
		return b, nil
	}
	w := c.workers[k.worker]
	if w.sealed { // the file alone compresses them
		place := log.batches[k.batch].place
		b := c.room(place.Size())
		return b.set(log.batches[k.batch].first, func(text []byte) ([]byte, error) { return w.file.Read(place, text) })
	}
	data, err := w.batchData(log, k.batch)
	if err != nil {
		return nil, err
	}
	size, err := s2.DecodedLen(data)
	if err != nil {
		return nil, fmt.Errorf("BUG: size of lines of 401s: %w", err)
	}
	return c.room(size).set(log.batches[k.batch].first, func(text []byte) ([]byte, error) {
		text, err := s2.Decode(text, data)
		if err != nil {
			return nil, fmt.Errorf("BUG: decompress lines of 401s: %w", err)
		}
		return text, nil
	})
}

// room returns a batch with memory for size bytes, that of one that is dropped if there is
// one.
func (c *lineCache) room(size int) *cachedBatch {
	size = max(size, refusalBatch+refusalBatch/64) // so that the memory can be used for any ordinary batch
	b := &cachedBatch{}
	for len(c.order) > 0 && c.held+size > c.limit {
		old := c.batches[c.order[0]]
		delete(c.batches, c.order[0])
		c.order = c.order[1:]
		c.held -= old.size()
		if !old.open {
			b = old
		}
	}
	if cap(b.text) < size {
		b.text = make([]byte, size)
	}
	return b
}

// set sets the text of a batch whose first line has a number. read reads it into memory.
func (b *cachedBatch) set(first uint32, read func(text []byte) ([]byte, error)) (_ *cachedBatch, err error) {
	if b.text, err = read(b.text[:cap(b.text)]); err != nil {
		return nil, err
	}
	b.first = first
	b.index()
	return b, nil
}

// size returns how many bytes of memory the batch takes.
func (b *cachedBatch) size() int {
	if b.open {
		return 0
	}
	return cap(b.text)
}

// index sets b.at.
func (b *cachedBatch) index() {
	b.at = b.at[:0]
	for rest := b.text; len(rest) > 0; {
		b.at = append(b.at, uint32(len(b.text)-len(rest)))
		_, rest = cutBytes(rest)
	}
}

// batchData returns a batch of lines, compressed.
func (w *Worker) batchData(log *refusalLog, n uint32) ([]byte, error) {
	b := &log.batches[n]
	if b.data != nil {
		return b.data, nil
	}
	return w.file.Read(b.place, nil)
}
