package analyze

import (
	"sort"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// Somebody who mistypes gets in after a few tries, or gives up. A client that signed in before
// and has failed ever since, more often than that, is no such case: an account is locked, a
// password has expired, or somebody guesses. A log without users does not show which. At a
// shared address the sign-ins of others come between, as long as any of them succeeds.

// unbrokenFailures returns the failed sign-ins since the last one that succeeded, of the
// clients that failed so often since then, and those between two that succeeded, if they are
// twice as many: somebody had to be let in again.
func (a *assembly) unbrokenFailures(failed map[timeline.Client]int64) (all session.Bits) {
	began := map[timeline.Client][]int64{} // sessions, by start
	for c, n := range failed {
		if n > failedDaily {
			began[c] = nil
		}
	}
	if len(began) == 0 {
		return nil
	}
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		if list, often := began[s.Client]; often {
			began[s.Client] = append(list, s.Start)
		}
	}
	type run struct {
		client   timeline.Client
		sessions int // that began before it
	}
	runs := map[run][]int{} // failures, ascending
	for i, r := range a.Refusals.All() {
		if starts := began[r.Client()]; len(starts) > 0 && r.Cause == session.LoginFailure && r.Actor != 0 && a.Of[i] == 0 {
			n := sort.Search(len(starts), func(k int) bool { return starts[k] >= r.Time })
			if n > 0 {
				runs[run{r.Client(), n}] = append(runs[run{r.Client(), n}], i)
			}
		}
	}
	for x, list := range runs {
		most := failedDaily * (1 + (a.Refusals.At(list[len(list)-1]).Time-a.Refusals.At(list[0]).Time)/day)
		if x.sessions < len(began[x.client]) {
			most *= 2
		}
		if int64(len(list)) <= most {
			continue
		}
		for _, i := range list {
			all.Add(i)
		}
	}
	return all
}
