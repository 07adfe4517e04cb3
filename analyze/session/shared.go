package session

import (
	"logscan/analyze/timeline"
)

const (
	// crowdUsers is the number of distinct users accepted from which on a client without
	// a session id is that of several people: an office behind one address, with one
	// browser.
	crowdUsers = 2
	// In a log without users, crowdSignIns sign-ins within crowdWindow milliseconds after
	// an acceptance, without a refusal between, show it: nobody signs in while at work.
	crowdSignIns = 2
	crowdWindow  = 60_000
)

// crowds reports whether several people share a client, which has no session id.
func (s *sessionizer) crowds(a *timeline.Actor) bool {
	named, first, users, signIns := len(s.State.Users) > 0, uint32(0), 0, 0
	last := LongAgo // acceptance after which nothing was refused
	for i := range a.Events {
		e := &a.Events[i]
		role := s.Roles[e.Endpoint]
		switch {
		case named:
			if e.Outcome == timeline.Accepted && role&Guards != 0 && e.User != 0 && e.User != first {
				first = e.User
				if users++; users >= crowdUsers {
					return true
				}
			}
		case e.Outcome == timeline.Unauthorized, role&SignsOut != 0:
			last = LongAgo
		case role&SignsIn != 0 && role&Renews == 0 && e.Time-last <= crowdWindow && s.SignedIn(a, i):
			if signIns++; signIns >= crowdSignIns {
				return true
			}
		case e.Outcome == timeline.Accepted && role&Guards != 0:
			last = e.Time
		}
	}
	return false
}
