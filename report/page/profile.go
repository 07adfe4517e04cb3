package page

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
)

// stepCount is the number of 401s of a row in a step of time.
type stepCount struct{ step, n int }

// maxProfiles is how many rows of a table, those with most 401s, have their 401s
// counted over time.
const maxProfiles = 20_000

// rankRows returns up to maxProfiles rows that have 401s: most 401s first, then most
// requests, then in their order. all is how many rows have 401s.
func rankRows[R any](rows []R, counts func(*R) *result.Counts) (order []int, all int) {
	for i := range rows {
		if counts(&rows[i]).Unauthorized > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := counts(&rows[i]), counts(&rows[j])
		return cmp.Or(cmp.Compare(b.Unauthorized, a.Unauthorized), cmp.Compare(b.Requests, a.Requests))
	})
	return order[:min(len(order), maxProfiles)], len(order)
}

// follow counts the 401s of the rows of all sources over time. It iterates over the
// 401s once.
func follow(res *result.Result, b *bins, sources []*tableSource) {
	if res.Refusals == nil {
		return
	}
	for _, s := range sources {
		s.profile = make(map[int][]stepCount, len(s.order))
		for _, i := range s.order {
			s.profile[i] = nil
		}
	}
	for x := range res.Refusals {
		step := b.place(x.Time)
		if step < 0 {
			continue
		}
		for _, s := range sources {
			s.count(s.row(x), step)
		}
	}
}

// count adds a 401 to the profile of a row, if it has one. Steps ascend.
func (s *tableSource) count(row, step int) {
	list, ok := s.profile[row]
	switch {
	case !ok:
	case len(list) > 0 && list[len(list)-1].step == step:
		list[len(list)-1].n++
	default:
		s.profile[row] = append(list, stepCount{step, 1})
	}
}

// sum is the sum of several rows.
type sum struct {
	Name string
	result.Counts
}

// sumBy adds up rows by name. of holds the index of the sum of each row.
func sumBy[R any](rows []R, name func(*R) string, counts func(*R) *result.Counts) (sums []sum, of []int) {
	index := map[string]int{}
	of = make([]int, len(rows))
	for i := range rows {
		n := name(&rows[i])
		at, ok := index[n]
		if !ok {
			at = len(sums)
			index[n] = at
			sums = append(sums, sum{Name: n})
		}
		of[i] = at
		s, c := &sums[at].Counts, counts(&rows[i])
		s.Requests += c.Requests
		s.Accepted += c.Accepted
		s.Redirected += c.Redirected
		s.Unauthorized += c.Unauthorized
		s.Forbidden += c.Forbidden
		s.NotFound += c.NotFound
		s.ClientErrors += c.ClientErrors
		s.ServerErrors += c.ServerErrors
		s.Other += c.Other
	}
	return sums, of
}
