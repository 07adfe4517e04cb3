package analyze

import "logscan/analyze/timeline"

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

// doubtsArrivals reports whether newcomers who are refused before they sign in are too
// many for links and too few for the site's way to ask. A newcomer is a client whose
// first session in this log began with a sign-in.
func (a *assembly) doubtsArrivals() bool {
	if a.State.Sessions {
		return false
	}
	asked := map[timeline.Client]bool{}
	for i := range a.Refusals.Len() {
		if r := a.Refusals.At(i); r.Arrival && a.Of[i] == 0 {
			asked[r.Client()] = true
		}
	}
	if len(asked) <= fewArrivals {
		return false
	}
	newcomers, refused := 0, 0
	seen := map[timeline.Client]bool{}
	for s, err := range a.EachSession() {
		if err != nil {
			return false // the rows of the sessions report it
		}
		if seen[s.Client] {
			continue
		}
		seen[s.Client] = true
		if s.StartSeen {
			newcomers++
			if asked[s.Client] {
				refused++
			}
		}
	}
	share := float64(refused) / float64(max(newcomers, 1))
	return share > fewArrivalsShare && share < usualArrivalsShare
}
