package session

import (
	"logscan/analyze/timeline"
)

// formWindow is how long, in milliseconds, people may take to fill in the form of a sign-in.
const formWindow = 600_000

// formReach is how many events before a sign-in its form is looked for among.
const formReach = 32

// orderInstants moves sign-ins before the refusals of the same time, where a form that was
// filled in before shows that these did not cause them. A log of whole seconds does not show
// which came first. As a rule, a program that is refused signs in at once, and refusals stand
// first (timeline.Event). But who fills in a form is asked for it earlier, and the pages that a
// browser requests in the second of the sign-in follow it.
func (s *sessionizer) orderInstants(a *timeline.Actor) {
	for i := 0; i < len(a.Events); {
		end := timeline.InstantEnd(a.Events, i)
		if end-i > 1 && a.Events[i].Outcome == timeline.Unauthorized {
			for j := i + 1; j < end; j++ {
				if s.SignedIn(a, j) && !s.givesTokens(a.Events[j].Endpoint) && s.fromForm(a, i) {
					e := a.Events[j]
					copy(a.Events[i+1:j+1], a.Events[i:j])
					a.Events[i] = e
					break
				}
			}
		}
		i = end
	}
}

// fromForm reports whether the actor was filling in the form of a sign-in before event i: the
// form is the last page that it requested, but for what anybody may see.
func (s *sessionizer) fromForm(a *timeline.Actor, i int) bool {
	for j := i - 1; j >= max(0, i-formReach) && a.Events[i].Time-a.Events[j].Time <= formWindow; j-- {
		e := &a.Events[j]
		endpoint := &s.State.Endpoints[e.Endpoint]
		switch {
		case e.Outcome == timeline.Unauthorized, e.Outcome == timeline.Accepted && s.Roles[e.Endpoint]&Guards != 0:
			return false
		case endpoint.Method == "GET" && e.Outcome == timeline.Accepted && timeline.NamesSignIn(endpoint.Template):
			return true
		}
	}
	return false
}
