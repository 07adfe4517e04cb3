package spill

import (
	"iter"
	"sort"
)

// Sorter sorts records that may not fit in memory. The zero value with a codec
// keeps all of them in memory.
type Sorter[T any] struct {
	Codec Codec[T]
	// Space is where Limit records at a time are spilled to; nil keeps all of them
	// in memory.
	Space *Space
	Limit int

	pages  [][]T // of sorterPage records; all but the last are sorted
	sorted bool  // the last is sorted too
	n      int   // number of records in pages
	runs   []*Run
	file   *File
}

// sorterPage is the number of records in a page. Sorting pages and merging them
// takes less memory than sorting one list, which is copied whenever it grows.
const sorterPage = 1 << 11

// Add adds a record. What it refers to must not change.
func (s *Sorter[T]) Add(x T) error {
	last := len(s.pages) - 1
	if last < 0 || len(s.pages[last]) == sorterPage {
		s.Sort()
		s.pages = append(s.pages, make([]T, 0, sorterPage))
		last++
	}
	s.pages[last] = append(s.pages[last], x)
	s.n++
	s.sorted = false
	if s.Space == nil || s.n < s.Limit {
		return nil
	}
	return s.spill()
}

func (s *Sorter[T]) spill() (err error) {
	if s.file == nil {
		if s.file, err = s.Space.Create(); err != nil {
			return err
		}
	}
	r, err := WriteRun(s.file, s.Codec, s.inMemory()...)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	s.pages, s.n = nil, 0
	return nil
}

// Drop frees the records and their place on disk. The sorter must not be used afterwards.
func (s *Sorter[T]) Drop() error {
	s.pages, s.runs = nil, nil
	if s.file == nil {
		return nil
	}
	return s.file.Remove()
}

// Table writes the records in order to a table in an empty file, which keeps up to about some of
// them in memory. No more records may be added.
func (s *Sorter[T]) Table(f *File, keep int) (*Table[T], error) {
	table := NewTable(s.Codec, f, keep)
	for x, err := range Sorted(s) {
		if err != nil {
			return nil, err
		}
		if err := table.Append(x); err != nil {
			return nil, err
		}
	}
	return table, table.Finish()
}

// Sort sorts the records in memory, so that Sorted only reads.
func (s *Sorter[T]) Sort() {
	if last := len(s.pages) - 1; last >= 0 && !s.sorted {
		sort.Sort(&sorting[T]{s.pages[last], s.Codec.Compare})
		s.sorted = true
	}
}

// sorting sorts records where they lie: slices.SortFunc would put a copy of both records
// on the heap for every comparison.
type sorting[T any] struct {
	records []T
	compare func(a, b *T) int
}

func (p *sorting[T]) Len() int           { return len(p.records) }
func (p *sorting[T]) Less(i, j int) bool { return p.compare(&p.records[i], &p.records[j]) < 0 }
func (p *sorting[T]) Swap(i, j int)      { p.records[i], p.records[j] = p.records[j], p.records[i] }

// inMemory returns sources of the records in memory.
func (s *Sorter[T]) inMemory() (all []Source[T]) {
	s.Sort()
	for _, page := range s.pages {
		all = append(all, FromSlice(page))
	}
	return all
}

// Merged returns a sorter with the records of sorters that must not be used afterwards: it
// yields them without comparing them again. It is on disk if one of them is.
func Merged[T any](sorters ...*Sorter[T]) (*Sorter[T], error) {
	all := &Sorter[T]{Codec: sorters[0].Codec, sorted: true}
	for _, s := range sorters {
		if len(s.runs) > 0 {
			all.file = s.file
		}
		all.n += s.n
	}
	if all.file == nil {
		page := make([]T, 0, all.n)
		for x, err := range Sorted(sorters...) {
			if err != nil {
				return nil, err
			}
			page = append(page, *x)
		}
		all.pages = [][]T{page}
		return all, nil
	}
	run, err := WriteRun(all.file, all.Codec, sources(sorters)...)
	all.runs, all.n = []*Run{run}, 0
	return all, err
}

// sources returns the sources of sorters.
func sources[T any](sorters []*Sorter[T]) (all []Source[T]) {
	for _, s := range sorters {
		all = append(all, s.inMemory()...)
		for _, r := range s.runs {
			all = append(all, FromRun(r, s.Codec))
		}
	}
	return all
}

// Sorted yields the records of all sorters in order. It can be iterated several
// times, and concurrently if Sort was called. No more records may be added. A record
// is valid until the next one.
func Sorted[T any](sorters ...*Sorter[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		Merge(sources(sorters), sorters[0].Codec.Compare)(yield)
	}
}
