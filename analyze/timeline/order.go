package timeline

import (
	"cmp"
	"slices"
	"sort"
)

// runSorter sorts events or refusals read from logs. Logs are nearly in the order
// of time, so the list consists of a few sorted runs: one of each worker, and more
// if files are not read in the order they were written. The sorter finds the
// runs, moves them into order as a whole, and merges only those that overlap.
type runSorter[T any] struct {
	compare func(a, b *T) int

	runs   []run
	joined []T // all runs in order
	merged []T
}

// run is a sorted range of a list.
type run struct{ from, to int }

// reach is how far an element is moved by insertion before it starts a new run. A
// server writes a line when it has responded, while most lines have the time of
// the request: so they are out of order by a few places.
const reach = 16

// maxJoined is the maximum length of a list whose runs are copied into order. The
// runs of a longer list are merged in place, which takes longer but half the
// memory.
const maxJoined = 1 << 20

// sorted returns the list sorted. The result may be in other memory, and is valid
// until the next call.
func (s *runSorter[T]) sorted(list []T) []T {
	s.findRuns(list)
	if len(s.runs) == 0 {
		return list
	}
	first := func(a, b run) int { return s.compare(&list[a.from], &list[b.from]) }
	if len(s.runs) > 2 && len(list) <= maxJoined && !slices.IsSortedFunc(s.runs, first) {
		slices.SortFunc(s.runs, first)
		list = s.join(list)
	}
	for len(s.runs) > 1 {
		s.mergePairs(list)
	}
	return list
}

// findRuns sorts the list into runs: none if it is one sorted run.
func (s *runSorter[T]) findRuns(list []T) {
	s.runs = s.runs[:0]
	from := 0
	for i := 1; i < len(list); i++ {
		if s.compare(&list[i-1], &list[i]) <= 0 {
			continue
		}
		if i-from > reach && s.compare(&list[i-reach], &list[i]) > 0 {
			s.runs = append(s.runs, run{from, i})
			from = i
			continue
		}
		j := i - 1
		for j > from && s.compare(&list[j-1], &list[i]) > 0 {
			j--
		}
		e := list[i]
		copy(list[j+1:i+1], list[j:i])
		list[j] = e
	}
	if from > 0 {
		s.runs = append(s.runs, run{from, len(list)})
	}
}

// join copies the runs, which are sorted by their first elements, into one list.
func (s *runSorter[T]) join(list []T) []T {
	s.joined = slices.Grow(s.joined[:0], len(list))
	for i := range s.runs {
		r := &s.runs[i]
		from := len(s.joined)
		s.joined = append(s.joined, list[r.from:r.to]...)
		*r = run{from, len(s.joined)}
	}
	return s.joined
}

// mergePairs merges the first run with the second, the third with the fourth, and
// so on.
func (s *runSorter[T]) mergePairs(list []T) {
	merged := s.runs[:0]
	for pair := range slices.Chunk(s.runs, 2) {
		r := pair[0]
		if len(pair) > 1 {
			r.to = pair[1].to
			s.merge(list[r.from:r.to], pair[1].from-r.from)
		}
		merged = append(merged, r)
	}
	s.runs = merged
}

// merge merges list[:n] and list[n:], which are sorted.
func (s *runSorter[T]) merge(list []T, n int) {
	stay := s.upTo(list[:n], &list[n])
	if stay == n {
		return
	}
	s.merged = append(s.merged[:0], list[stay:n]...)
	left, right, out := s.merged, list[n:], list[stay:]
	for len(left) > 0 && len(right) > 0 {
		l, r := &left[0], &right[0]
		if s.compare(r, l) < 0 {
			out[0], right = *r, right[1:]
		} else {
			out[0], left = *l, left[1:]
		}
		out = out[1:]
	}
	copy(out, left) // what remains of right is in place already
}

// upTo returns how many elements of a sorted list are not after e. It searches
// from the end, in steps that double.
func (s *runSorter[T]) upTo(list []T, e *T) int {
	to, step := len(list), 1
	for step <= to && s.compare(&list[to-step], e) > 0 {
		to -= step
		step *= 2
	}
	from := max(to-step, 0)
	return from + sort.Search(to-from, func(i int) bool { return s.compare(&list[from+i], e) > 0 })
}

func compareRefusals(a, b *Refusal) int {
	if a.Time != b.Time {
		return cmp.Compare(a.Time, b.Time)
	}
	return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line))
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
	if x.Endpoint != y.Endpoint {
		return cmp.Compare(x.Endpoint, y.Endpoint)
	}
	return cmp.Or(cmp.Compare(x.Outcome, y.Outcome), cmp.Compare(x.User, y.User),
		CompareClients(x.Client, y.Client), cmp.Compare(x.Upstream, y.Upstream), cmp.Compare(x.Scheme, y.Scheme),
		cmp.Compare(x.Refusal, y.Refusal))
}
