package spill

import (
	"cmp"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// tablePage is the number of records in a page of a table: a page takes about as long
	// to read as to decode.
	tablePage = 64
	// leastPages and mostPages bound the number of pages that a table on disk keeps in memory:
	// passes from the first record to the last do not find those of the one before.
	leastPages, mostPages = 16, 1 << 10
	// pagesAhead is the number of pages that are read together where the page before is in
	// memory: most passes go from the first record to the last.
	pagesAhead = 8
	// passPages is the number of pages that a pass reads together.
	passPages = 16
	// tableBuffer is the number of bytes that a table writes together.
	tableBuffer = 64 << 10
)

// Table holds records by number: in memory, or in a file of its own, of which it keeps
// some pages in memory. All records of a file have the same size there, and are not
// compressed, so that one takes little time to find. Once finished it is safe for
// concurrent use.
type Table[T any] struct {
	all     []T // unless they are in the file
	codec   Codec[T]
	file    *File
	n       int
	encoded int    // size of a record in the file, in bytes
	buf     []byte // records that are not in the file yet
	buffers sync.Pool

	// kept are pages in memory: that with number i is at i modulo their number, or
	// nowhere.
	kept []atomic.Pointer[page[T]]

	mu  sync.Mutex
	err error // the first error of reading
}

// page is a page in memory, which does not change.
type page[T any] struct {
	number  int
	records [tablePage]T
}

// NewTable returns an empty table in an empty file that keeps up to about some records in
// memory.
func NewTable[T any](c Codec[T], f *File, keep int) *Table[T] {
	return &Table[T]{codec: c, file: f, kept: make([]atomic.Pointer[page[T]], min(max(keep/tablePage, leastPages), mostPages))}
}

// TableOf returns a table of records in memory.
func TableOf[T any](records []T) *Table[T] { return &Table[T]{all: records, n: len(records)} }

// Append adds a record to a table in a file.
func (t *Table[T]) Append(x *T) error {
	t.buf = t.codec.Append(t.buf, x)
	if t.n++; t.n == 1 {
		t.encoded = len(t.buf)
	}
	if len(t.buf) < tableBuffer {
		return nil
	}
	return t.Finish()
}

// Finish ends the table. It must be called after the last record was added.
func (t *Table[T]) Finish() error {
	err := t.file.write(t.buf)
	t.buf = t.buf[:0]
	return err
}

// Change calls a function with every record, which may change it. Those of a table in a file
// go to another file in space. Nothing else may use the table meanwhile, and what Reader
// returned before must not be used afterwards.
func (t *Table[T]) Change(space *Space, change func(i int, x *T)) error {
	if !t.OnDisk() {
		for i := range t.Len() {
			change(i, t.At(i))
		}
		return nil
	}
	file, err := space.Create()
	if err != nil {
		return err
	}
	changed := &Table[T]{codec: t.codec, file: file}
	for i, x := range t.All() {
		change(i, x)
		if err := changed.Append(x); err != nil {
			return err
		}
	}
	if err := cmp.Or(changed.Finish(), t.Drop()); err != nil {
		return err
	}
	clear(t.kept)
	t.file, t.encoded = file, changed.encoded
	return nil
}

// Truncate removes all records but the first n.
func (t *Table[T]) Truncate(n int) {
	t.n = n
	if t.all != nil {
		t.all = t.all[:n]
	}
}

// Drop frees the place of a table on disk, which must not be used afterwards, and returns Err.
func (t *Table[T]) Drop() error {
	if !t.OnDisk() {
		return nil
	}
	return cmp.Or(t.Err(), t.file.Remove())
}

// Len returns the number of records; 0 if t is nil.
func (t *Table[T]) Len() int {
	if t == nil {
		return 0
	}
	return t.n
}

// OnDisk reports whether the records are in a file.
func (t *Table[T]) OnDisk() bool { return t != nil && t.file != nil }

// At returns a record, which must not be changed if the table has a file. If its page
// cannot be read, it is the zero record, and Err returns the error. Records that are far
// from each other take much longer than neighbours; for many in their order there are All,
// Those and Of.
func (t *Table[T]) At(i int) *T {
	if t.all != nil {
		return &t.all[i]
	}
	return t.paged(i)
}

// paged returns a record of a table in a file.
func (t *Table[T]) paged(i int) *T {
	n := i / tablePage
	p := t.kept[n%len(t.kept)].Load()
	if p == nil || p.number != n {
		p = t.load(n)
	}
	return &p.records[i%tablePage]
}

// All yields the records by number. A record of a table that has a file is valid until the
// next one, and must not be changed. Records that cannot be read are zero; see Err.
func (t *Table[T]) All() iter.Seq2[int, *T] {
	return t.Those(func(int) bool { return true })
}

// Those is All for the records whose numbers meet a condition. The others are not decoded.
func (t *Table[T]) Those(meets func(i int) bool) iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		at := t.Reader()
		for i := range t.Len() {
			if meets(i) && !yield(i, at(i)) {
				return
			}
		}
	}
}

// Of is All for the records with some numbers. Few of them should be less than the one before.
func (t *Table[T]) Of(numbers iter.Seq[uint32]) iter.Seq2[uint32, *T] {
	return func(yield func(uint32, *T) bool) {
		at := t.Reader()
		for i := range numbers {
			if !yield(i, at(int(i))) {
				return
			}
		}
	}
}

// Reader returns a function like At for one goroutine that reads most records in their order.
// A record of a table that has a file is valid until the next call.
func (t *Table[T]) Reader() func(i int) *T {
	if t == nil || t.all != nil {
		return t.At
	}
	p := pass[T]{table: t}
	return p.at
}

// pass reads records in their order, ahead and into memory of its own: what it reads is not
// worth keeping, because the next pass begins elsewhere.
type pass[T any] struct {
	table    *Table[T]
	from, to int // the records in buf
	buf      []byte
	record   T
}

// at returns a record, valid until the next one.
func (p *pass[T]) at(i int) *T {
	if i < p.from || i >= p.to {
		p.read(i)
	}
	p.table.codec.Read(&p.record, p.buf[(i-p.from)*p.table.encoded:])
	return &p.record
}

// read reads records from one on: many if it follows those before, else a page.
func (p *pass[T]) read(i int) {
	t, n := p.table, tablePage
	if i >= p.to && i < p.to+tablePage {
		n *= passPages
	}
	p.from, p.to = i, min(i+n, t.n)
	size := (p.to - p.from) * t.encoded
	p.buf = slices.Grow(p.buf[:0], size)[:size]
	if err := t.file.read(p.buf, int64(p.from*t.encoded)); err != nil {
		t.fail(err)
		clear(p.buf)
	}
}

// fail keeps the first error of reading.
func (t *Table[T]) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
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

// load reads a page and keeps it in place of another one. Where the page before was read,
// those after it are read, too.
func (t *Table[T]) load(n int) *page[T] {
	pages := 1
	if before := t.kept[max(n-1, 0)%len(t.kept)].Load(); before != nil && before.number == n-1 {
		pages = min(pagesAhead, (t.n-1)/tablePage-n+1)
	}
	buf, _ := t.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer t.buffers.Put(buf)
	*buf = slices.Grow((*buf)[:0], pagesAhead*tablePage*t.encoded)[:min(pages*tablePage, t.n-n*tablePage)*t.encoded]
	rest := *buf
	if err := t.file.read(rest, int64(n*tablePage*t.encoded)); err != nil {
		t.fail(err)
		return &page[T]{number: n}
	}
	var first *page[T]
	for number := n; number < n+pages; number++ {
		p := &page[T]{number: number}
		for i := 0; i < tablePage && len(rest) > 0; i++ {
			rest = t.codec.Read(&p.records[i], rest)
		}
		t.kept[number%len(t.kept)].Store(p)
		if first == nil {
			first = p
		}
	}
	return first
}
