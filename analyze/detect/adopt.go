package detect

import (
	"maps"
	"slices"

	"logscan/analyze/session"
)

// A program that is refused where it fetches a token was asked for it a moment before, and
// a page makes several calls at once. What no kind of finding explains by itself belongs to
// the finding that explains what the same client was refused in the same moment.

// explainedAt is a refusal that a finding explains.
type explainedAt struct {
	time    int64 // Unix milliseconds
	finding int32 // index plus one
}

// adopt adds to the accepted findings what is left of the rounds of requests that they
// explain a part of. It takes linear time: each refusal is looked at once in either
// direction of time.
func (x *explainer) adopt() {
	if len(x.accepted) == 0 {
		return
	}
	left := map[uint32]explainedAt{} // by actor with such a refusal
	open := func(i int, r *session.Refusal) bool {
		return r.Actor != 0 && r.Cause == session.Unexplained && x.d.finding[i] == 0 && x.d.open(i)
	}
	n := x.d.Refusals.Len()
	for i := range n {
		if r := x.d.Refusals.At(i); open(i, r) {
			left[r.Actor] = explainedAt{}
		}
	}
	adopted := map[int]int32{}
	meet := func(i int) {
		r := x.d.Refusals.At(i)
		near, wanted := left[r.Actor]
		switch {
		case !wanted:
		case x.d.finding[i] > 0:
			left[r.Actor] = explainedAt{r.Time, x.d.finding[i]}
		case open(i, r) && near.finding > 0 && max(r.Time-near.time, near.time-r.Time) <= tryGap && adopted[i] == 0:
			adopted[i] = near.finding
		}
	}
	for i := range n {
		meet(i)
	}
	for actor := range left {
		left[actor] = explainedAt{}
	}
	for i := n - 1; i >= 0; i-- {
		meet(i)
	}
	x.give(adopted)
}

// give adds refusals to accepted findings, unless they are more than a finding explains
// itself. Findings of it are indexes plus one.
func (x *explainer) give(adopted map[int]int32) {
	lists := make([][]uint32, len(x.accepted))
	for _, i := range slices.Sorted(maps.Keys(adopted)) {
		f := adopted[i] - 1
		lists[f] = append(lists[f], uint32(i))
	}
	for n, list := range lists {
		if len(list) > 0 && len(list) <= x.accepted[n].packed.n {
			x.extend(n, list)
		}
	}
}

// extend adds refusals, ascending and not explained yet, to an accepted finding. What it
// explains already stays packed.
func (x *explainer) extend(finding int, more []uint32) {
	for _, i := range more {
		x.d.finding[i] = int32(finding + 1)
		x.d.closed.Add(int(i))
	}
	own := x.accepted[finding].packed
	x.accepted[finding].packed = ascendingOf(func(yield func(uint32) bool) {
		rest := more
		for i := range own.each {
			for len(rest) > 0 && rest[0] < i {
				if !yield(rest[0]) {
					return
				}
				rest = rest[1:]
			}
			if !yield(i) {
				return
			}
		}
		for _, i := range rest {
			if !yield(i) {
				return
			}
		}
	})
}
