package spill

import (
	"cmp"
	"iter"
	"slices"
)

// Sorter sorts records that may not fit in memory. The zero value with a codec
// keeps all of them in memory.
type Sorter[T any] struct {
	Codec Codec[T]
	// Space is where Limit records at a time are spilled to; nil keeps all of them
	// in memory.
	Space *Space
	Limit int

	pages [][]T // of sorterPage records each: growing one list would need memory for a copy of it
	n     int   // number of records in pages
	order []*T  // these records, sorted; nil if they are not
	runs  []*Run
	file  *File
}

// sorterPage is the number of records in a page.
const sorterPage = 512

// Add adds a record. What it refers to must not change.
func (s *Sorter[T]) Add(x T) error {
	if s.n == len(s.pages)*sorterPage {
		s.pages = append(s.pages, make([]T, sorterPage))
	}
	*s.at(s.n) = x
	s.n++
	s.order = nil
	if s.Space == nil || s.n < s.Limit {
		return nil
	}
	return s.spill()
}

// at returns record i of those in memory.
func (s *Sorter[T]) at(i int) *T { return &s.pages[i/sorterPage][i%sorterPage] }

func (s *Sorter[T]) spill() error {
	if s.file == nil {
		var err error
		if s.file, err = s.Space.Create(); err != nil {
			return err
		}
	}
	s.Sort()
	r, err := WriteRun(s.file, s.Codec, s.inMemory())
	if err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	s.n, s.order = 0, nil
	return nil
}

// Sort sorts the records in memory, so that Sorted need not. It compares keys first,
// because whole records are far apart in memory.
func (s *Sorter[T]) Sort() {
	if s.order != nil {
		return
	}
	type keyed struct {
		key uint64
		x   *T
	}
	list := make([]keyed, s.n)
	for i := range list {
		list[i] = keyed{s.Codec.Key(s.at(i)), s.at(i)}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return s.Codec.Compare(a.x, b.x)
	})
	s.order = make([]*T, s.n)
	for i := range list {
		s.order[i] = list[i].x
	}
}

// inMemory returns a source of the records in memory, which must be sorted.
func (s *Sorter[T]) inMemory() Source[T] {
	order := s.order
	return func() (*T, error) {
		if len(order) == 0 {
			return nil, nil
		}
		x := order[0]
		order = order[1:]
		return x, nil
	}
}

// Sorted yields the records of all sorters in order. It can be iterated several
// times. No more records may be added. A record is valid until the next one.
func Sorted[T any](sorters ...*Sorter[T]) iter.Seq2[*T, error] {
	for _, s := range sorters {
		s.Sort()
	}
	return func(yield func(*T, error) bool) {
		var sources []Source[T]
		for _, s := range sorters {
			sources = append(sources, s.inMemory())
			for _, r := range s.runs {
				sources = append(sources, FromRun(r, s.Codec))
			}
		}
		Merge(sources, sorters[0].Codec.Compare)(yield)
	}
}
