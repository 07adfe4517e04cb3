package timeline

import (
	"cmp"
	"slices"
	"sort"
)

// ordering sorts what was read from logs. They are written in the order of time,
// nearly, so that it comes in runs: one of each worker, or of each file where
// files are read in another order than they were written in. Runs are put in
// order whole, and only those that overlap are merged.
type ordering[T any] struct {
	compare func(a, b *T) int

	runs   []run
	joined []T // all runs, side by side
	merged []T
}

// run is what is in order, from one place of a list up to another.
type run struct{ from, to int }

// reach is how far something may lie from its place to be moved there by itself:
// a server writes a line when it has answered, and most of them tell when they
// were asked.
const reach = 16

// copied is the longest list whose runs are copied into order. Those of a longer
// one are merged as they lie, which takes longer and half the memory.
const copied = 1 << 20

// sorted gives a list in its order, which may be in other memory, valid until the
// next call.
func (o *ordering[T]) sorted(list []T) []T {
	o.runs = o.runs[:0]
	from := 0
	for i := 1; i < len(list); i++ {
		if o.compare(&list[i-1], &list[i]) <= 0 {
			continue
		}
		if i-from > reach && o.compare(&list[i-reach], &list[i]) > 0 {
			o.runs = append(o.runs, run{from, i})
			from = i
			continue
		}
		j := i - 1
		for j > from && o.compare(&list[j-1], &list[i]) > 0 {
			j--
		}
		e := list[i]
		copy(list[j+1:i+1], list[j:i])
		list[j] = e
	}
	if from == 0 {
		return list
	}
	o.runs = append(o.runs, run{from, len(list)})
	first := func(a, b run) int { return o.compare(&list[a.from], &list[b.from]) }
	if len(o.runs) > 2 && len(list) <= copied && !slices.IsSortedFunc(o.runs, first) {
		slices.SortFunc(o.runs, first)
		list = o.join(list)
	}
	for len(o.runs) > 1 {
		o.mergePairs(list)
	}
	return list
}

// join puts the runs side by side, which are ordered by what is first in them.
func (o *ordering[T]) join(list []T) []T {
	o.joined = slices.Grow(o.joined[:0], len(list))
	for i := range o.runs {
		r := &o.runs[i]
		from := len(o.joined)
		o.joined = append(o.joined, list[r.from:r.to]...)
		*r = run{from, len(o.joined)}
	}
	return o.joined
}

// mergePairs merges every run with the one behind it: half of them are left.
func (o *ordering[T]) mergePairs(list []T) {
	left := o.runs[:0]
	for rest := o.runs; len(rest) > 0; {
		r := rest[0]
		if len(rest) > 1 {
			r.to = rest[1].to
			o.merge(list[r.from:r.to], rest[0].to-r.from)
			rest = rest[1:]
		}
		left, rest = append(left, r), rest[1:]
	}
	o.runs = left
}

// merge merges list[:n] and list[n:], which are in order.
func (o *ordering[T]) merge(list []T, n int) {
	stay := o.overlap(list[:n], &list[n])
	if stay == n {
		return
	}
	o.merged = append(o.merged[:0], list[stay:n]...)
	left, right, out := o.merged, list[n:], list[stay:]
	for len(left) > 0 && len(right) > 0 {
		l, r := &left[0], &right[0]
		if o.compare(r, l) < 0 {
			out[0], right = *r, right[1:]
		} else {
			out[0], left = *l, left[1:]
		}
		out = out[1:]
	}
	copy(out, left) // what remains of right is in its place
}

// overlap gives how many of a list, which is in order, do not come after e. It
// looks at the last ones first, at those further off in ever longer steps.
func (o *ordering[T]) overlap(list []T, e *T) int {
	to, step := len(list), 1
	for step <= to && o.compare(&list[to-step], e) > 0 {
		to -= step
		step *= 2
	}
	from := max(to-step, 0)
	return from + sort.Search(to-from, func(i int) bool { return o.compare(&list[from+i], e) > 0 })
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
