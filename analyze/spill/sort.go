package spill

import (
	"cmp"
	"iter"
	"slices"
)

// Codec says how records are written, and which comes first. A record that was
// read may alias the bytes it was read from, until the next one is.
type Codec[T any] struct {
	Append  func(dst []byte, x *T) []byte
	Read    func(x *T, src []byte) (rest []byte)
	Compare func(a, b *T) int
	// Key is the first of what Compare compares: where two have different keys,
	// the lesser one comes first. Only a Sorter asks for it.
	Key func(x *T) uint64
}

// Sorter sorts records that may be too many for the memory. The zero value
// with a codec keeps them all in memory.
type Sorter[T any] struct {
	Codec Codec[T]
	// Space is where runs of more than Limit records go; nil keeps all of them
	// in memory.
	Space *Space
	Limit int

	pages  [][]T // of sorterPage records each: a list that grows is copied, and what it was copied from lies around
	n      int   // records in them
	sorted bool  // they are
	runs   []*Run
	file   *File
}

// sorterPage is how many records lie side by side.
const sorterPage = 512

// Add takes a record. What it refers to must not change.
func (s *Sorter[T]) Add(x T) error {
	if s.n == len(s.pages)*sorterPage {
		s.pages = append(s.pages, make([]T, sorterPage))
	}
	*s.at(s.n) = x
	s.n++
	s.sorted = false
	if s.Space == nil || s.n < s.Limit {
		return nil
	}
	return s.spill()
}

// at gives record i of those in memory.
func (s *Sorter[T]) at(i int) *T { return &s.pages[i/sorterPage][i%sorterPage] }

// inMemory gives the records in memory.
func (s *Sorter[T]) inMemory() Source[T] {
	i := 0
	return func() (*T, error) {
		if i == s.n {
			return nil, nil
		}
		i++
		return s.at(i - 1), nil
	}
}

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
	s.n = 0
	return nil
}

// Sort sorts what is in memory: Sorted has less to do then.
func (s *Sorter[T]) Sort() {
	if s.sorted {
		return
	}
	s.sorted = true
	// The keys are sorted, which are small and lie side by side, and then each
	// record is moved once. Records are compared where they lie: copies would be put
	// on the heap, because nobody knows what a codec's function keeps.
	type place struct {
		key  uint64
		from int
	}
	order := make([]place, s.n)
	for i := range order {
		order[i] = place{s.Codec.Key(s.at(i)), i}
	}
	slices.SortFunc(order, func(a, b place) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		return s.Codec.Compare(s.at(a.from), s.at(b.from))
	})
	for i := range order {
		if order[i].from < 0 {
			continue // it was moved
		}
		// Once around: what stood at i waits until its place is free.
		first, to := *s.at(i), i
		for {
			from := order[to].from
			order[to].from = -1
			if from == i {
				*s.at(to) = first
				break
			}
			*s.at(to) = *s.at(from)
			to = from
		}
	}
}

// Sorted yields the records of all sorters in order, as often as it is asked
// to. The sorters are not to be added to any more. A record is valid until the
// next one.
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

// Run is a list of records in a file, in the order they were written.
type Run struct {
	file   *File
	places []Place
}

// RunWriter writes a run.
type RunWriter struct {
	run *Run
	buf []byte
}

// runPiece is how many bytes of records are compressed together. Of each run
// that is merged, one such piece is in memory.
const runPiece = 64 << 10

// Run begins a run. Nothing else may be appended to the file until it ends.
func (f *File) Run() *RunWriter { return &RunWriter{run: &Run{file: f}} }

// Append writes a record, which record appends to its argument.
func (w *RunWriter) Append(record func(dst []byte) []byte) error {
	w.buf = record(w.buf)
	if len(w.buf) < runPiece {
		return nil
	}
	return w.flush()
}

func (w *RunWriter) flush() error {
	p, err := w.run.file.Append(w.buf)
	if err != nil {
		return err
	}
	w.run.places = append(w.run.places, p)
	w.buf = w.buf[:0]
	return nil
}

// End ends the run.
func (w *RunWriter) End() (*Run, error) {
	if len(w.buf) > 0 {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	return w.run, nil
}

// WriteRun writes records as a run.
func WriteRun[T any](f *File, c Codec[T], records Source[T]) (*Run, error) {
	w := f.Run()
	for {
		x, err := records()
		if err != nil {
			return nil, err
		}
		if x == nil {
			return w.End()
		}
		if err := w.Append(func(dst []byte) []byte { return c.Append(dst, x) }); err != nil {
			return nil, err
		}
	}
}

// Source gives one record after the other, and nil at the end. A record is
// valid until the next call.
type Source[T any] func() (*T, error)

// FromSlice gives the records of a slice.
func FromSlice[T any](items []T) Source[T] {
	return func() (*T, error) {
		if len(items) == 0 {
			return nil, nil
		}
		x := &items[0]
		items = items[1:]
		return x, nil
	}
}

// FromRun reads the records of a run.
func FromRun[T any](r *Run, c Codec[T]) Source[T] {
	var x T
	var buf, rest []byte
	places := r.places
	return func() (*T, error) {
		for len(rest) == 0 {
			if len(places) == 0 {
				return nil, nil
			}
			var err error
			if buf, err = r.file.Read(places[0], buf); err != nil {
				return nil, err
			}
			rest, places = buf, places[1:]
		}
		rest = c.Read(&x, rest)
		return &x, nil
	}
}

// Merge yields the records of sources that are sorted, in order: equal ones in
// that of the sources. The first error ends it.
func Merge[T any](sources []Source[T], compare func(a, b *T) int) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if len(sources) == 0 {
			return
		}
		t := tournament[T]{compare: compare, heads: make([]*T, len(sources)), losers: make([]int, len(sources))}
		for i, next := range sources {
			x, err := next()
			if err != nil {
				yield(nil, err)
				return
			}
			t.heads[i] = x
		}
		first := t.begin(1)
		for t.heads[first] != nil {
			if !yield(t.heads[first], nil) {
				return
			}
			x, err := sources[first]()
			if err != nil {
				yield(nil, err)
				return
			}
			t.heads[first] = x
			first = t.again(first)
		}
	}
}

// tournament finds which source has the first record: a tree of losers (Knuth,
// The Art of Computer Programming 3, 5.4.1), which takes one comparison a level
// where a heap takes two. Source i is leaf len(heads) + i, the children of node
// n are 2n and 2n+1, and node 1 is the root.
type tournament[T any] struct {
	heads   []*T // the next record of each source; nil at its end
	losers  []int
	compare func(a, b *T) int
}

// begin plays all games below a node and gives the winner.
func (t *tournament[T]) begin(node int) int {
	if node >= len(t.heads) {
		return node - len(t.heads)
	}
	a, b := t.begin(2*node), t.begin(2*node+1)
	if t.before(b, a) {
		a, b = b, a
	}
	t.losers[node] = b
	return a
}

// again plays the games of the last winner, whose record is another one now.
func (t *tournament[T]) again(winner int) int {
	for node := (winner + len(t.heads)) / 2; node > 0; node /= 2 {
		if t.before(t.losers[node], winner) {
			t.losers[node], winner = winner, t.losers[node]
		}
	}
	return winner
}

func (t *tournament[T]) before(a, b int) bool {
	x, y := t.heads[a], t.heads[b]
	switch {
	case x == nil:
		return false
	case y == nil:
		return true
	}
	if c := t.compare(x, y); c != 0 {
		return c < 0
	}
	return a < b
}
