package analyze

import (
	"math"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// manyVisitors is how many times ordinaryDaily strangers a day that ask for something
// protected, and for nothing else, are no crowd: link previews and mail scanners do.
const manyVisitors = 4

// knockingCrowds returns the refusals of crowds of strangers that are answered nothing but
// refusals: a person sees a page or a picture of the site before or after, while each
// address of a botnet makes its try and goes. Failed sign-ins, and requests for what is
// protected, are looked at separately; a crowd is more than limit clients, most of those
// with such a refusal, and more than the sign-ins that succeed: people fail less often.
func (a *assembly) knockingCrowds(limit int64) (all session.Bits) {
	for _, signIn := range []bool{true, false} {
		clients := map[timeline.Client]bool{} // whether it is answered nothing else
		only := int64(0)
		each := func(do func(i int, c timeline.Client)) {
			for i := range a.Refusals.Len() {
				r := a.Refusals.At(i)
				ordinary := r.Cause == session.LoginFailure || r.Cause == session.TokenRenewal
				if a.Of[i] == 0 && r.Actor != 0 && (ordinary && signIn || r.Cause == session.Anonymous && !signIn) {
					do(i, r.Client())
				}
			}
		}
		each(func(_ int, c timeline.Client) {
			if _, seen := clients[c]; seen {
				return
			}
			if clients[c] = a.onlyRefused(c); clients[c] {
				only++
			}
		})
		least := limit * manyVisitors
		if signIn {
			least = max(limit, a.signInsSeen(limit, only))
		}
		if only <= least || 2*only <= int64(len(clients)) {
			continue
		}
		each(func(i int, c timeline.Client) {
			if clients[c] {
				all.Add(i)
			}
		})
	}
	return all
}

// signInsSeen returns how many sign-ins succeeded, as far as the log shows it; 0 if that is
// of no use, because failures of n clients are at most limit.
func (a *assembly) signInsSeen(limit, n int64) (seen int64) {
	if n <= limit {
		return 0
	}
	for s, err := range a.EachSession() {
		if err != nil {
			return math.MaxInt64 // the rows of the sessions report it
		}
		if s.StartSeen {
			seen++
		}
	}
	return seen
}
