package detect

import (
	"math"
	"sort"

	"logscan/analyze/stats"
)

// Most keys contrast with nothing. A contrast is a run of steps that refuses some share of its
// visits, and enough of them. Both are necessary, and whether any run does both shows in one
// pass over the steps, while the runs that contrast most take long to find.

// roundedVisits is more than the sum of rounding errors in balances of visits.
const roundedVisits = 0.5

// possible reports whether a key may have a contrast: whether some run refuses as great a share
// of its visits, and as many of them, as a contrast at least.
//
// The share of a contrast is at least s.share. Where that is contrastLower, find demands it of
// Wilson's lower bound for the h refused and k accepted visits that are left when test has
// divided H and A by the dispersion and rounded. That bound has odds of q at most only if
// h >= q(k+1). As H/h > A/(k+1), H >= qA.
func (s *contrastSeries) possible(place int) bool {
	if s.refusals[place].n < contrastVoters {
		return false
	}
	steps, accepted := s.refused[place], s.o.accepted[place]
	all, passed := 0, 0
	for i, n := range steps {
		all += int(n)
		passed += int(accepted[i])
	}
	fewest, least := s.fewest(all, passed), stats.Odds(s.share)
	// Sums of the steps before one: what is refused, and that less what must be refused of
	// visits of which so many are accepted. Runs begin before first.
	refused, balance := make([]int, len(steps)+1), make([]float64, len(steps)+1)
	first, lowest := 0, math.Inf(1)
	for i, n := range steps {
		refused[i+1], balance[i+1] = refused[i]+int(n), balance[i]+float64(n)-least*float64(accepted[i])
		for first <= i && refused[i+1]-refused[first] >= fewest {
			lowest = min(lowest, balance[first])
			first++
		}
		if balance[i+1]+roundedVisits >= lowest {
			return true
		}
	}
	return false
}

// fewest returns the minimum number of refused visits of a contrast of a key with so many
// refused and accepted ones.
//
// The chance of n refused visits, however many are accepted, is at least the usual share to
// the power of n; test divides n before, which makes the chance greater. The usual share is at
// least the smoothed one outside of the run, where no more are accepted than at all times. The
// greater n, the smaller it is.
func (s *contrastSeries) fewest(refused, accepted int) int {
	return contrastVoters + sort.Search(max(refused-contrastVoters+1, 0), func(i int) bool {
		n := contrastVoters + i
		return math.Pow(float64(refused-n+1)/float64(refused-n+accepted+2), float64(n))*s.tests() <= contrastFalse
	})
}

// tests returns the number of tests: that of all periods of a series and all keys.
func (s *contrastSeries) tests() float64 {
	return float64(s.o.steps) * float64(s.o.steps) / 2 * float64(len(s.o.keys))
}
