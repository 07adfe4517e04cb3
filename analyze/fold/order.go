package fold

import (
	"cmp"
	"slices"
)

// ordering sorts the events of an actor. Logs are written in the order of time,
// nearly, so that events come in runs: one of each worker, or of each file where
// files are read in another order than they were written in. Runs are put in
// order whole, and only those that overlap are merged.
type ordering struct {
	runs   []run
	joined []Event // all runs, side by side
	merged []Event
}

// run is events that are in order.
type run struct{ from, to int }

// reach is how far an event may lie from its place to be moved there by itself:
// a server writes a line when it has answered, and most of them tell when they
// were asked.
const reach = 16

// copied is the most events that are copied to be put in order: an actor that
// has more is sorted where it lies, which takes longer and no memory.
const copied = 1 << 20

// sorted gives events in their order, and leaves none in the memory it was given.
// What it gives is valid until the next call.
func (o *ordering) sorted(events []Event) []Event {
	o.runs = o.runs[:0]
	from := 0
	for i := 1; i < len(events); i++ {
		if events[i-1].Time < events[i].Time || compareEvents(&events[i-1], &events[i]) <= 0 {
			continue
		}
		if i-from > reach && compareEvents(&events[i-reach], &events[i]) > 0 {
			o.runs = append(o.runs, run{from, i})
			from = i
			continue
		}
		e := events[i]
		j := i
		for j > from && (events[j-1].Time > e.Time || compareEvents(&events[j-1], &e) > 0) {
			events[j] = events[j-1]
			j--
		}
		events[j] = e
	}
	if from == 0 {
		return events
	}
	o.runs = append(o.runs, run{from, len(events)})
	if len(events) > copied {
		slices.SortFunc(events, func(a, b Event) int { return compareEvents(&a, &b) })
		return events
	}
	if len(o.runs) > 2 {
		events = o.join(events)
	}
	for len(o.runs) > 1 {
		o.mergePairs(events)
	}
	return events
}

// join puts the runs side by side by their first events.
func (o *ordering) join(events []Event) []Event {
	slices.SortFunc(o.runs, func(a, b run) int { return compareEvents(&events[a.from], &events[b.from]) })
	o.joined = o.joined[:0]
	for i := range o.runs {
		r := &o.runs[i]
		from := len(o.joined)
		o.joined = append(o.joined, events[r.from:r.to]...)
		*r = run{from, len(o.joined)}
	}
	return o.joined
}

// mergePairs merges every run with the one behind it: half of them are left.
func (o *ordering) mergePairs(events []Event) {
	left := o.runs[:0]
	for rest := o.runs; len(rest) > 0; {
		r := rest[0]
		if len(rest) > 1 {
			r.to = rest[1].to
			o.merge(events[r.from:r.to], rest[0].to-r.from)
			rest = rest[1:]
		}
		left, rest = append(left, r), rest[1:]
	}
	o.runs = left
}

// merge merges events[:n] and events[n:], which are in order.
func (o *ordering) merge(events []Event, n int) {
	stay := overlap(events[:n], &events[n])
	if stay == n {
		return
	}
	o.merged = append(o.merged[:0], events[stay:n]...)
	left, right, out := o.merged, events[n:], events[stay:]
	for len(left) > 0 && len(right) > 0 {
		l, r := &left[0], &right[0]
		if r.Time < l.Time || r.Time == l.Time && compareEvents(r, l) < 0 {
			out[0], right = *r, right[1:]
		} else {
			out[0], left = *l, left[1:]
		}
		out = out[1:]
	}
	copy(out, left) // what remains of right is in its place
}

// overlap gives how many of events, which are in order, do not come after e. It
// looks at the last ones first, at those further off in ever longer steps.
func overlap(events []Event, e *Event) int {
	to, step := len(events), 1
	for step <= to && compareEvents(&events[to-step], e) > 0 {
		to -= step
		step *= 2
	}
	from := max(to-step, 0)
	n, _ := slices.BinarySearchFunc(events[from:to], e, func(x Event, e *Event) int {
		if compareEvents(&x, e) > 0 {
			return 1
		}
		return -1
	})
	return from + n
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
