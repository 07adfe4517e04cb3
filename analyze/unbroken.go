package analyze

import (
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// Somebody who mistypes gets in after a few tries, or gives up. A client that signed in before
// and has failed ever since, more often than that, is no such case: an account is locked, a
// password has expired, or somebody guesses. A log without users does not show which. At a
// shared address the sign-ins of others come between, as long as any of them succeeds.

// unbrokenFailures returns the failed sign-ins since the last one that succeeded, of the
// clients that failed so often since then.
func (a *assembly) unbrokenFailures(failed map[timeline.Client]int64) (all session.Bits) {
	lists := map[timeline.Client][]int{} // failures, ascending
	for c, n := range failed {
		if n > failedDaily {
			lists[c] = nil
		}
	}
	if len(lists) == 0 {
		return nil
	}
	since := map[timeline.Client]int64{} // the last session began
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		if _, often := lists[s.Client]; often {
			since[s.Client] = s.Start
		}
	}
	for i, r := range a.Refusals.All() {
		began, signedIn := since[r.Client()]
		if signedIn && r.Cause == session.LoginFailure && r.Actor != 0 && a.Of[i] == 0 && r.Time > began {
			lists[r.Client()] = append(lists[r.Client()], i)
		}
	}
	for _, list := range lists {
		n := len(list)
		if n == 0 || int64(n) <= failedDaily*(1+(a.Refusals.At(list[n-1]).Time-a.Refusals.At(list[0]).Time)/day) {
			continue
		}
		for _, i := range list {
			all.Add(i)
		}
	}
	return all
}
