package spill

import (
	"sync"
	"sync/atomic"
)

const (
	// tablePage is the number of records in a page of a table.
	tablePage = 1 << 12
	// maxResident is the maximum number of pages of a table in memory, if they are on
	// disk, too. Tables are mostly read from the beginning to the end, by several
	// goroutines.
	maxResident = 64
)

// Table holds records by number: in memory, or in a file of which it keeps some pages in
// memory. Once finished it is safe for concurrent use.
type Table[T any] struct {
	codec Codec[T]
	file  *File // nil to keep all records in memory
	n     int
	pages []page[T]
	last  []T // the page that is being filled
	buf   []byte

	mu       sync.Mutex
	resident []int // numbers of pages in memory, a ring
	oldest   int   // index in resident
	err      error // the first error of reading
}

type page[T any] struct {
	records atomic.Pointer[[]T] // nil if it is only on disk
	place   Place
}

// NewTable returns an empty table. Without a file it keeps all records in memory.
func NewTable[T any](c Codec[T], f *File) *Table[T] { return &Table[T]{codec: c, file: f} }

// TableOf returns a table of records in memory.
func TableOf[T any](records []T) *Table[T] {
	t := &Table[T]{n: len(records)}
	for len(records) > 0 {
		some := records[:min(len(records), tablePage)]
		t.add(&some, Place{})
		records = records[len(some):]
	}
	return t
}

func (t *Table[T]) add(records *[]T, place Place) {
	t.pages = append(t.pages, page[T]{place: place})
	t.pages[len(t.pages)-1].records.Store(records)
}

// Append adds a record.
func (t *Table[T]) Append(x *T) error {
	if len(t.last) == tablePage {
		if err := t.Finish(); err != nil {
			return err
		}
	}
	if t.last == nil {
		t.last = make([]T, 0, tablePage)
	}
	t.last = append(t.last, *x)
	t.n++
	return nil
}

// Finish ends the table. It must be called after the last record was added.
func (t *Table[T]) Finish() (err error) {
	if len(t.last) == 0 {
		return nil
	}
	if t.file == nil {
		full := t.last
		t.add(&full, Place{})
		t.last = nil
		return nil
	}
	t.buf = t.buf[:0]
	for i := range t.last {
		t.buf = t.codec.Append(t.buf, &t.last[i])
	}
	place, err := t.file.Append(t.buf)
	t.add(nil, place)
	t.last = t.last[:0]
	return err
}

// Len returns the number of records; 0 if t is nil.
func (t *Table[T]) Len() int {
	if t == nil {
		return 0
	}
	return t.n
}

// At returns a record, which must not be changed if the table has a file. If its page cannot be read, it is the
// zero record, and Err returns the error.
func (t *Table[T]) At(i int) *T {
	if records := t.pages[i/tablePage].records.Load(); records != nil {
		return &(*records)[i%tablePage]
	}
	return &t.load(i / tablePage)[i%tablePage]
}

// Err returns the first error of reading.
func (t *Table[T]) Err() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// load reads a page, and drops the one that was read first if there are too many.
func (t *Table[T]) load(n int) []T {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.pages[n]
	if records := p.records.Load(); records != nil {
		return *records
	}
	records := make([]T, min(tablePage, t.n-n*tablePage))
	rest, err := t.file.Read(p.place, t.buf)
	if err != nil {
		if t.err == nil {
			t.err = err
		}
		return records
	}
	t.buf = rest
	for i := range records {
		rest = t.codec.Read(&records[i], rest)
	}
	p.records.Store(&records)
	if len(t.resident) < maxResident {
		t.resident = append(t.resident, n)
		return records
	}
	t.pages[t.resident[t.oldest]].records.Store(nil)
	t.resident[t.oldest] = n
	t.oldest = (t.oldest + 1) % maxResident
	return records
}
