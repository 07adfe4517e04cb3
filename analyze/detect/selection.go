package detect

import (
	"iter"
	"math"
	"slices"

	"logscan/analyze/session"
)

// openRefused returns the number of unexplained refusals by endpoint.
func (d *Diagnosis) openRefused() []int64 {
	n := make([]int64, len(d.Endpoints))
	for _, r := range d.eachOpen() {
		n[r.Endpoint]++
	}
	return n
}

// neverAccepted reports whether a refusal is unexplained and its client was never
// accepted, has no session and did not sign in.
func (d *Diagnosis) neverAccepted(i int, r *session.Refusal) bool {
	return d.open(i) && !r.SignIn && !r.Good && !r.Session
}

// uncredentialed reports whether neverAccepted holds for a refusal and it names no
// user.
func (d *Diagnosis) uncredentialed(i int, r *session.Refusal) bool {
	return d.neverAccepted(i, r) && !r.Named
}

// countByAddress returns the number of refusals that match, by address.
func (d *Diagnosis) countByAddress(matches func(int, *session.Refusal) bool) []int {
	n := make([]int, len(d.State.Addresses))
	for i, r := range d.Refusals.All() {
		if matches(i, r) {
			n[r.Address]++
		}
	}
	return n
}

const (
	// seriesSize is about how many bytes of memory a refusal takes in the series of its client
	// and in that of its route; see pacedSeries.
	seriesSize = 12
	// seriesBase is about how much memory an empty series takes, in refusals.
	seriesBase = 24
)

// addressesAtOnce divides the addresses into ranges, from one up to but excluding another,
// whose series are kept at once: those of all addresses may hold all refusals of a log. sizes
// are those of the series of each address, in refusals; 0 for none.
func (d *Diagnosis) addressesAtOnce(sizes []int) iter.Seq2[uint32, uint32] {
	return rangesOf(sizes, d.atOnce(seriesSize))
}

// atOnce returns how many records of a size in bytes, of those that there may be for each
// refusal, are kept at once. If refusals are on disk, not all are: to read refusals again takes
// less time than to keep the records there.
func (d *Diagnosis) atOnce(size int) int {
	if d.Refusals.OnDisk() {
		return d.Memory().Refusals(size)
	}
	return math.MaxInt
}

// rangesOf divides the indexes of a list of sizes into ranges, from one up to but excluding
// another, whose sizes add up to at most a sum, or that have one positive size. Ranges with no
// positive size are left out.
func rangesOf(sizes []int, most int) iter.Seq2[uint32, uint32] {
	return func(yield func(uint32, uint32) bool) {
		from, held := 0, 0
		for a, size := range sizes {
			if held > 0 && size > max(most-held, 0) {
				if !yield(uint32(from), uint32(a)) {
					return
				}
				from, held = a, 0
			}
			held += size
		}
		if held > 0 {
			yield(uint32(from), uint32(len(sizes)))
		}
	}
}

// mostAsked returns the route with most requests.
func mostAsked(routes map[uint32]int) uint32 {
	best, n := uint32(0), 0
	for r, k := range routes {
		if k > n || k == n && r < best {
			best, n = r, k
		}
	}
	return best
}

// topIndexes returns the indexes of positive numbers that match, in ascending order.
// If there are more than limit, it returns those of the greatest numbers.
func topIndexes(n []int, limit int, matches func(int) bool) []uint32 {
	var list []uint32
	for i := range n {
		if n[i] > 0 && matches(i) {
			list = append(list, uint32(i))
		}
	}
	if len(list) > limit {
		slices.SortStableFunc(list, func(a, b uint32) int { return n[b] - n[a] })
		list = list[:limit]
		slices.Sort(list)
	}
	return list
}

// places returns, for the numbers below n, their place in list plus one, or 0.
func places(list []uint32, n int) []int32 {
	p := make([]int32, n)
	for i, x := range list {
		p[x] = int32(i) + 1
	}
	return p
}
