package analyze

import (
	"maps"

	"logscan/analyze/timeline"
)

// A visitor who is refused and signs in within minutes has been asked to sign in. In a
// log without session ids the same lines are those of a person whose session had ended,
// or did not hold at a new address: nothing shows that the client had no session before.
// What a site does to visitors it does to nearly all or to few. If some are refused
// before they sign in and most sign in without, the log does not show why, and the
// refusals are unexplained.

const (
	// fewArrivals is the number of newcomers refused up to which their share does not
	// matter, and fewArrivalsShare that share: links and bookmarks to protected pages.
	fewArrivals      = 10
	fewArrivalsShare = 0.05
	// usualArrivalsShare is the share of newcomers refused from which on the site asks
	// people so to sign in: most of them meet it.
	usualArrivalsShare = 0.5
)

// arrivalCounts counts the clients of one way to begin: with a sign-in that the log shows,
// or without one.
type arrivalCounts struct{ newcomers, refused int }

// doubted reports whether those refused first are too many for links and too few for the
// site's way to ask.
func (n *arrivalCounts) doubted() bool {
	share := float64(n.refused) / float64(max(n.newcomers, 1))
	return n.refused > fewArrivals && share > fewArrivalsShare && share < usualArrivalsShare
}

// doubtfulArrivals returns the clients that were refused before they were accepted, where
// that shows nothing; nil for none. Clients whose first session in this log began with a
// sign-in are compared with each other, and so are those of which the log does not show
// it: they signed in at another host, or had a session.
func (a *assembly) doubtfulArrivals() map[timeline.Client]bool {
	if a.State.Sessions {
		return nil
	}
	asked := map[timeline.Client]bool{}
	for i, r := range a.Refusals.All() {
		if r.Arrival && a.Of[i] == 0 {
			asked[r.Client()] = true
		}
	}
	if len(asked) <= fewArrivals {
		return nil
	}
	signsIn := map[timeline.Client]bool{} // by client: how its first session began
	var seen, unseen arrivalCounts
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		if _, known := signsIn[s.Client]; known {
			continue
		}
		signsIn[s.Client] = s.StartSeen
		n := &unseen
		if s.StartSeen {
			n = &seen
		}
		n.newcomers++
		if asked[s.Client] {
			n.refused++
		}
	}
	maps.DeleteFunc(asked, func(c timeline.Client, _ bool) bool {
		if began, known := signsIn[c]; known && !began {
			return !unseen.doubted()
		}
		return !seen.doubted()
	})
	return asked
}
