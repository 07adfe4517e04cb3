package detect

import "logscan/analyze/timeline"

const (
	// submittedOften is the minimum number of refused submissions of an address to a
	// route that is not known to sign in: bruteAll, because the log names no accounts.
	submittedOften = bruteAll
	// signInRequests is the maximum number of accepted requests to a sign-in route for
	// each actor that is accepted there. Programs send data again and again.
	signInRequests = 5
	// othersRefusedMost is the maximum share of refused requests of others on the route:
	// people mistype, but a route that refuses most is itself in trouble.
	othersRefusedMost = 0.5
)

// submissions are the routes at which an address probably guesses passwords, although
// nobody is known to sign in there: it was never accepted anywhere and its forms are
// refused again and again, where others send a few and are accepted.
type submissions map[submission]bool

type submission struct{ address, endpoint uint32 }

// findSubmissions returns the submissions of a log.
func (d *Diagnosis) findSubmissions() submissions {
	refused := map[submission]int64{}
	for i := range d.Refusals {
		if r := &d.Refusals[i]; d.neverAccepted(i) && !r.Renewal && d.State.Endpoints[r.Endpoint].Method == "POST" {
			refused[submission{r.Address, r.Endpoint}]++
		}
	}
	found := submissions{}
	for s, n := range refused {
		e, actors := &d.State.Endpoints[s.endpoint], &d.Endpoints[s.endpoint]
		accepted := e.N[timeline.Accepted] + e.N[timeline.Redirected]
		others := e.N[timeline.Unauthorized] - n
		if n >= submittedOften && accepted > 0 && accepted <= signInRequests*max(actors.Actors-actors.RefusedActors, 1) &&
			float64(others) <= othersRefusedMost*float64(others+accepted) {
			found[s] = true
		}
	}
	return found
}
