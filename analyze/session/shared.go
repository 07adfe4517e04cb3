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
	// an acceptance, without a refusal between, show it: nobody signs in while at work. Of
	// one instant, in a log of whole seconds, the order is unknown.
	crowdSignIns = 2
	crowdWindow  = 60_000
)

// naming is what the requests of an actor that name their user show.
type naming struct {
	some     bool   // there are some
	failures bool   // some were answered neither 2xx nor 3xx
	user     uint32 // accepted last
	users    int    // how often another user was accepted
}

// add adds a request that names its user. guarded reports whether its route is protected.
func (n *naming) add(e *timeline.Event, guarded bool) {
	n.some = true
	n.failures = n.failures || e.Outcome > timeline.Redirected
	if e.Outcome == timeline.Accepted && guarded && e.User != n.user {
		n.user = e.User
		n.users++
	}
}

// crowds reports whether several people share a client, which has no session id.
func (s *sessionizer) crowds(a *timeline.Actor) bool {
	if len(s.State.Users) > 0 {
		return s.naming.users >= crowdUsers
	}
	signIns := 0
	last := LongAgo // acceptance after which nothing was refused
	for i := range a.Events {
		e := &a.Events[i]
		role := s.Roles[e.Endpoint]
		switch {
		case e.Outcome == timeline.Unauthorized, role&SignsOut != 0:
			last = LongAgo
		case role&(SignsIn|redirectsIn) != 0 && role&Renews == 0 && e.Time > last && e.Time-last <= crowdWindow && s.SignedIn(a, i):
			if signIns++; signIns >= crowdSignIns {
				return true
			}
		case e.Outcome == timeline.Accepted && role&Guards != 0:
			last = e.Time
		}
	}
	return false
}
