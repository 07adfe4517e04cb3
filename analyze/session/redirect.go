package session

import "logscan/analyze/timeline"

// redirectReach is how many requests may lie between a redirect and the request
// that follows it: the calls of a page run in parallel.
const redirectReach = 8

// RedirectedBy returns the endpoint, as its index plus one, that redirected the
// actor to event i: shortly before it, or at the same instant, because logs of
// whole seconds do not give their order. It returns 0 if there is none. Sign-ins
// and sign-outs redirect for reasons of their own and do not count.
func (ev *Evidence) RedirectedBy(a *timeline.Actor, i int) uint32 {
	e := &a.Events[i]
	redirects := func(r *timeline.Event) bool {
		return r.Outcome == timeline.Redirected && ev.Roles[r.Endpoint]&(SignsIn|signsOut) == 0
	}
	for j := i - 1; j >= max(0, i-redirectReach) && e.Time-a.Events[j].Time <= RedirectWindow; j-- {
		if redirects(&a.Events[j]) {
			return a.Events[j].Endpoint + 1
		}
	}
	for j := i + 1; j < min(len(a.Events), i+redirectReach) && a.Events[j].Time == e.Time; j++ {
		if redirects(&a.Events[j]) {
			return a.Events[j].Endpoint + 1
		}
	}
	return 0
}
