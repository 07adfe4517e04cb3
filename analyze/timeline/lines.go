package timeline

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"

	"logscan/analyze/spill"
	auth "logscan/parse/events"
)

// lineLog holds lines of a worker, compressed unless they are plain.
type lineLog struct {
	plain   bool   // they are short: compressing takes longer than touching as much memory
	n       uint32 // lines
	batches []batch
	first   uint32 // number of the first line of the current batch
	open    []byte // the current batch: lines, each preceded by its length
	encoded []byte // scratch
	onDisk  int    // number of batches, from the first on, that are in the worker's file
	held    int64  // bytes of the other batches
}

// batch is a number of lines that are compressed together.
type batch struct {
	first uint32      // number of the first line
	data  []byte      // nil if spilled
	place spill.Place // in the worker's file
}

// lineBatch is the size of a batch in bytes, before compression.
const lineBatch = 256 << 10

// size returns approximately how many bytes of memory the log takes, but for batches.
func (l *lineLog) size() int64 { return int64(cap(l.open) + cap(l.encoded)) }

// add adds a line and returns its number.
func (l *lineLog) add(line []byte) uint32 {
	if len(l.open)+len(line) > lineBatch && len(l.open) > 0 {
		data := l.open
		if l.plain {
			l.open = nil
		} else {
			l.encoded = s2.Encode(l.encoded[:cap(l.encoded)], l.open)
			data, l.open = bytes.Clone(l.encoded), l.open[:0]
		}
		l.batches = append(l.batches, batch{first: l.first, data: data})
		l.held += int64(len(data))
		l.first = l.n
		if cap(l.open) > 2*lineBatch { // a line of a megabyte
			l.open, l.encoded = nil, nil
		}
	}
	if l.open == nil {
		l.open = make([]byte, 0, lineBatch+binary.MaxVarintLen32)
	}
	l.open = appendBytes(l.open, line)
	l.n++
	return l.n - 1
}

// batchOf returns the number of the batch with a line.
func (l *lineLog) batchOf(number uint32) uint32 {
	if number >= l.first {
		return uint32(len(l.batches))
	}
	i, found := slices.BinarySearchFunc(l.batches, number, func(b batch, n uint32) int { return cmp.Compare(b.first, n) })
	if !found {
		i--
	}
	return uint32(i)
}

// firstOf returns the number of the first line of a batch.
func (l *lineLog) firstOf(batch uint32) uint32 {
	if int(batch) == len(l.batches) {
		return l.first
	}
	return l.batches[batch].first
}

// spillLines spills the complete batches of a log of the worker.
func (w *Worker) spillLines(l *lineLog) error {
	file, err := w.spillFile()
	if err != nil {
		return err
	}
	for ; l.onDisk < len(l.batches); l.onDisk++ {
		b := &l.batches[l.onDisk]
		if b.place, err = file.Append(b.data); err != nil {
			return err
		}
		b.data = nil
	}
	l.held = 0
	return nil
}

// Lines returns a function that returns the raw line of a 401. The line is valid
// until the next call. The function must be used by one goroutine only. It calls began, which
// may be nil, with the block that the line and those after it are parts of, whenever it is
// another one than before.
func (s *State) Lines(began func(block []byte)) func(*Refusal) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *lineLog { return &w.refusals.lineLog })
	c.began = began
	return func(r *Refusal) ([]byte, error) { return c.line(uint32(r.worker), r.number) }
}

// MessageRecords returns a function that returns the record of a message, as
// MessageTexts has made it, or Recorder.Message. It is like Lines.
func (s *State) MessageRecords() func(*Message) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *lineLog { return &w.messages.lineLog })
	return func(m *Message) ([]byte, error) { return c.line(m.worker, m.number) }
}

// MessageTexts returns the texts of the record of a message, unless it is that of a part.
func (s *State) MessageTexts(m *Message) *auth.Texts { return &s.workers[m.worker].messages.texts }

// MessageLines returns a function that returns the raw line of a message, like Lines: empty if
// it can be read again. In parts there are only records.
func (s *State) MessageLines() func(*Message) ([]byte, error) {
	c := newLineCache(s.workers, func(w *Worker) *lineLog { return &w.messages.lines })
	return func(m *Message) ([]byte, error) { return c.line(m.worker, m.number) }
}

// lineCache decompresses batches of lines and keeps some of them. Lines requested in
// the order of time come from few batches: one for each worker and for each log of that
// time.
type lineCache struct {
	workers []*Worker
	logOf   func(*Worker) *lineLog
	batches map[batchKey]*cachedBatch
	order   []batchKey // oldest first
	held    int        // bytes of all batches
	limit   int        // of held
	last    *cachedBatch
	lastOf  uint32            // worker
	began   func(text []byte) // nil, or called when last changes
}

type batchKey struct{ worker, batch uint32 }

// cachedBatch is a decompressed batch.
type cachedBatch struct {
	text  []byte   // lines, each preceded by its length
	first uint32   // number of the first line
	at    []uint32 // by number - first: where its length begins in text
	reads int      // of lines
	open  bool     // text is that of the worker
}

// maxCached is the maximum number of bytes in a cache, for every goroutine that reads
// lines: 32 batches, or one for each part that is merged and some. It may be exceeded by
// one batch, a line of more.
const maxCached = 32 * lineBatch

func newLineCache(workers []*Worker, logOf func(*Worker) *lineLog) *lineCache {
	limit := max(maxCached, (len(workers)+len(workers)/2)*lineBatch)
	return &lineCache{workers: workers, logOf: logOf, batches: map[batchKey]*cachedBatch{}, limit: limit}
}

// line returns the raw line of a 401 or message of a worker by its number; it is valid until the
// next call.
func (c *lineCache) line(worker, number uint32) ([]byte, error) {
	b := c.last
	if b == nil || c.lastOf != worker || number-b.first >= uint32(len(b.at)) {
		var err error
		if b, err = c.batch(worker, number); err != nil {
			return nil, err
		}
	}
	b.reads++
	return cutPart(b.text[b.at[number-b.first]:]), nil
}

// batch returns the batch with a line.
func (c *lineCache) batch(worker, number uint32) (*cachedBatch, error) {
	k := batchKey{worker, c.logOf(c.workers[worker]).batchOf(number)}
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
	c.last, c.lastOf = b, worker
	if c.began != nil {
		c.began(b.text)
	}
	return b, nil
}

// load decompresses a batch, into the memory of one that it drops if there is one.
func (c *lineCache) load(k batchKey) (*cachedBatch, error) {
	log := c.logOf(c.workers[k.worker])
	if int(k.batch) == len(log.batches) {
		return heldBatch(log.open, log.first, log.n), nil
	}
	w := c.workers[k.worker]
	if x := &log.batches[k.batch]; log.plain && x.data != nil {
		return heldBatch(x.data, x.first, log.firstOf(k.batch+1)), nil
	}
	if w.sealed || log.plain { // the file alone compresses them
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

// heldBatch returns the batch of a text in the memory of a worker, with the lines from the
// number first to end.
func heldBatch(text []byte, first, end uint32) *cachedBatch {
	b := &cachedBatch{text: text, first: first, open: true, at: make([]uint32, 0, end-first)}
	b.index()
	return b
}

// room returns a batch with memory for size bytes, that of one that is dropped if there is
// one.
func (c *lineCache) room(size int) *cachedBatch {
	size = max(size, lineBatch+lineBatch/64) // so that the memory can be used for any ordinary batch
	b := &cachedBatch{}
	drop := func(i int) {
		old := c.batches[c.order[i]]
		delete(c.batches, c.order[i])
		c.order = slices.Delete(c.order, i, i+1)
		c.held -= old.size()
		if !old.open {
			b = old
		}
	}
	if i := slices.IndexFunc(c.order, func(k batchKey) bool { return c.batches[k].isRead() }); i >= 0 {
		drop(i)
	}
	for len(c.order) > 0 && c.held+size > c.limit {
		drop(0)
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
	b.first, b.reads = first, 0
	b.index()
	return b, nil
}

// isRead reports whether as many lines have been read as there are: most callers read each
// line once.
func (b *cachedBatch) isRead() bool { return !b.open && b.reads >= len(b.at) }

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
func (w *Worker) batchData(log *lineLog, n uint32) ([]byte, error) {
	b := &log.batches[n]
	if b.data != nil {
		return b.data, nil
	}
	return w.file.Read(b.place, nil)
}
