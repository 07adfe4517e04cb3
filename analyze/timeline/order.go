package timeline

import (
	"cmp"
	"iter"
	"slices"

	"logscan/analyze/spill"
)

// runSorter sorts events or refusals read from logs. Logs are nearly in the order
// of time, so the list consists of a few sorted runs: one of each worker, and more
// if files are not read in the order they were written. The sorter finds the runs
// and merges them: a few passes, where slices.SortFunc sorts anew.
type runSorter[T any] struct {
	compare func(a, b *T) int
	// rising returns the index of the first element from i on, at least 1, that may
	// belong before the one before it, the length of the list if none may. It is a loop
	// of its own so that most elements, which are in order, cost no call. It may be nil.
	rising func(list []T, i int) int
	// leading returns how many elements at the beginning of a sorted list are certain to
	// belong before next. It may be nil.
	leading func(list []T, next *T) int

	ends    []int // of the runs
	scratch []T
	held    T // the element that findRuns moves: a local one would be on the heap
}

// reach is how far an element is moved by insertion before it starts a new run. A
// server writes a line when it has responded, while most lines have the time of
// the request: so they are out of order by a few places.
const reach = 16

// maxOrdered is the maximum length of a list whose runs are moved into order, which
// takes a copy of the list.
const maxOrdered = 1 << 20

// sortTable returns a table of n records, sorted: in memory, or on disk if they take more than
// a part of the limit of a worker. size is that of a record in memory, in bytes.
func sortTable[T any](each iter.Seq2[*T, error], codec spill.Codec[T], w *Worker, size, n int64) (*spill.Table[T], error) {
	limit := w.limit / (4 * size)
	if w.space == nil || n <= limit {
		list := make([]T, 0, n)
		for x, err := range each {
			if err != nil {
				return nil, err
			}
			list = append(list, *x)
		}
		sorter := runSorter[T]{compare: codec.Compare}
		sorter.sort(list)
		return spill.TableOf(list), nil
	}
	sorter := &spill.Sorter[T]{Codec: codec, Space: w.space, Limit: int(limit)}
	for x, err := range each {
		if err != nil {
			return nil, err
		}
		if err := sorter.Add(*x); err != nil {
			return nil, err
		}
	}
	sorter.Sort()
	file, err := w.space.Create()
	if err != nil {
		return nil, err
	}
	return sorter.Table(file, int(limit))
}

// SortRuns sorts a list of a few sorted runs, such as what several actors did.
func SortRuns[T any](list []T, compare func(a, b *T) int) {
	s := runSorter[T]{compare: compare}
	s.sort(list)
}

// sort sorts the list.
func (s *runSorter[T]) sort(list []T) {
	s.findRuns(list)
	if len(s.ends) > 2 && len(list) <= maxOrdered {
		s.orderRuns(list)
	}
	for len(s.ends) > 1 {
		merged := s.ends[:0]
		from := 0
		for pair := range slices.Chunk(s.ends, 2) {
			to := pair[len(pair)-1]
			s.merge(list[from:to], pair[0]-from)
			merged = append(merged, to)
			from = to
		}
		s.ends = merged
	}
}

// findRuns sorts the list into runs.
func (s *runSorter[T]) findRuns(list []T) {
	s.ends = s.ends[:0]
	from := 0
	for i := 1; i < len(list); i++ {
		if s.rising != nil {
			if i = s.rising(list, i); i == len(list) {
				break
			}
		}
		if s.compare(&list[i-1], &list[i]) <= 0 {
			continue
		}
		j := i - 1
		for j > from && i-j < reach && s.compare(&list[j-1], &list[i]) > 0 {
			j--
		}
		if i-j == reach && i-from > reach {
			s.ends = append(s.ends, i)
			from = i
			continue
		}
		s.held = list[i]
		copy(list[j+1:i+1], list[j:i])
		list[j] = s.held
	}
	s.ends = append(s.ends, len(list))
}

// orderRuns moves the runs into the order of their first elements: if files were read
// in another order than they were written, few runs overlap then.
func (s *runSorter[T]) orderRuns(list []T) {
	s.scratch = append(resized(s.scratch, len(list))[:0], list...)
	runs := make([][]T, len(s.ends))
	from := 0
	for i, to := range s.ends {
		runs[i] = s.scratch[from:to]
		from = to
	}
	slices.SortFunc(runs, func(a, b []T) int { return s.compare(&a[0], &b[0]) })
	to := 0
	for i, r := range runs {
		to += copy(list[to:], r)
		s.ends[i] = to
	}
}

// merge merges list[:n] and list[n:], which are sorted.
func (s *runSorter[T]) merge(list []T, n int) {
	if n == len(list) || s.compare(&list[n-1], &list[n]) <= 0 {
		return
	}
	s.scratch = append(resized(s.scratch, n)[:0], list[:n]...)
	left, right := s.scratch, list[n:]
	for i := 0; len(left) > 0; i++ { // what remains of right is in place
		if s.leading != nil && len(right) > 0 { // most runs overlap in stretches of several elements
			k := copy(list[i:], left[:s.leading(left, &right[0])])
			if i, left = i+k, left[k:]; len(left) == 0 {
				return
			}
			k = copy(list[i:], right[:s.leading(right, &left[0])])
			i, right = i+k, right[k:]
		}
		if len(right) > 0 && s.compare(&right[0], &left[0]) < 0 {
			list[i], right = right[0], right[1:]
		} else {
			list[i], left = left[0], left[1:]
		}
	}
}

func compareRefusals(a, b *Refusal) int {
	if a.Time != b.Time {
		return cmp.Compare(a.Time, b.Time)
	}
	return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line))
}

// risingEvents is runSorter.rising for events: it compares what decides nearly always.
func risingEvents(list []Event, i int) int {
	for ; i < len(list); i++ {
		x, y := &list[i-1], &list[i]
		if x.Time < y.Time {
			continue
		}
		if x.Time > y.Time || y.Outcome == Unauthorized {
			return i
		}
		// Of one instant, a refusal comes first; a page may request one route repeatedly.
		if x.Outcome != Unauthorized && x.Endpoint >= y.Endpoint && (x.Endpoint != y.Endpoint || *x != *y) {
			return i
		}
	}
	return len(list)
}

// leadingEvents is runSorter.leading for events.
func leadingEvents(list []Event, next *Event) int {
	n := 0
	for n < len(list) && list[n].Time < next.Time {
		n++
	}
	return n
}

func compareEvents(x, y *Event) int {
	if x.Time != y.Time {
		return cmp.Compare(x.Time, y.Time)
	}
	if (x.Outcome == Unauthorized) != (y.Outcome == Unauthorized) {
		if x.Outcome == Unauthorized {
			return -1
		}
		return 1
	}
	if x.Endpoint != y.Endpoint { // decides most often: cmp.Or compares all fields
		return cmp.Compare(x.Endpoint, y.Endpoint)
	}
	if x.Outcome == y.Outcome && x.User == y.User && x.Client == y.Client && x.Upstream == y.Upstream && x.Origin == y.Origin {
		return cmp.Compare(x.Refusal, y.Refusal)
	}
	return cmp.Or(cmp.Compare(x.Outcome, y.Outcome), cmp.Compare(x.User, y.User),
		CompareClients(x.Client, y.Client), cmp.Compare(x.Upstream, y.Upstream), cmp.Compare(x.Origin, y.Origin),
		cmp.Compare(x.Refusal, y.Refusal))
}
