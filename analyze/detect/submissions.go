package detect

import (
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

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
	// challengedClients is the minimum number of clients of a host that answered a
	// challenge: its people send a user name and password with each request.
	challengedClients = 3
	// challengedShare is the minimum share of challenges among the refusals of the
	// others at such a host.
	challengedShare = 0.5
	// oneRoute is the minimum share that a route has of the refusals of an address that
	// guesses there: crawlers and link previews come to all pages.
	oneRoute = 0.9
	// unsteadyTimes bounds the share of gaps near the typical one, as a multiple of that of
	// random gaps (a third, and more where the clock is coarse), while monitors and programs
	// keep to theirs.
	unsteadyTimes = 1.4
	// burstLength is the maximum length, in milliseconds, of a series whose gaps are too
	// short for the clock of the log to show a pace: a monitor would go on.
	burstLength = 3_600_000
)

// submissions are the routes at which an address probably guesses passwords, although
// nobody is known to sign in there: it was never accepted anywhere and its forms are
// refused again and again, where others send a few and are accepted, or those of many
// addresses with its user agent are; or its requests are, where others answer challenges.
type submissions map[submission]bool

type submission struct{ address, endpoint uint32 }

// findSubmissions returns the submissions of a log.
func (d *Diagnosis) findSubmissions() submissions {
	refused := map[submission]int64{}
	for i, r := range d.Refusals.All() {
		if d.submits(i, r) {
			refused[submission{r.Address, r.Endpoint}]++
		}
	}
	found := submissions{}
	for s, n := range refused {
		if actors := &d.Endpoints[s.endpoint]; n >= submittedOften && d.takesForms(s.endpoint, n, actors.Actors-actors.RefusedActors) {
			found[s] = true
		}
	}
	d.addTools(found)
	d.addAnswers(found)
	d.addNamedRenewals(found)
	return found
}

// submits reports whether a refusal is of a form that a stranger sent.
func (d *Diagnosis) submits(i int, r *session.Refusal) bool {
	return d.neverAccepted(i, r) && !r.Renewal && d.State.Endpoints[r.Endpoint].Method == "POST"
}

// takesForms reports whether a route accepts a few forms of each of some actors, and refuses
// few but for n requests.
func (d *Diagnosis) takesForms(endpoint uint32, n, actors int64) bool {
	e := &d.State.Endpoints[endpoint]
	accepted := e.N[timeline.Accepted] + e.N[timeline.Redirected]
	others := e.N[timeline.Unauthorized] - n
	return accepted > 0 && accepted <= signInRequests*max(actors, 1) && float64(others) <= othersRefusedMost*float64(others+accepted)
}

// addAnswers adds the guesses at hosts that challenge with HTTP authentication, where
// any request may carry a password: an address that was never accepted asks for the same
// route again and again, and for no others, without the pace of a program.
func (d *Diagnosis) addAnswers(found submissions) {
	n := d.countByAddress(d.mayAnswer)
	sizes := make([]int, len(n))
	for a, refused := range n {
		if refused >= submittedOften {
			sizes[a] = refused + seriesBase
		}
	}
	var unsteady []submission
	for from, to := range d.addressesAtOnce(sizes) {
		for s, list := range d.repeatedAnswers(n, from, to) {
			if list.gaps.N()+1 < submittedOften {
				continue
			}
			typical, near := list.gaps.Steady(clockStep)
			burst := typical <= clockStep && list.last-list.first <= burstLength
			if burst || float64(near) <= unsteadyTimes*stats.RandomNear(typical, clockStep)*float64(list.gaps.N()) {
				unsteady = append(unsteady, s)
			}
		}
	}
	if len(unsteady) == 0 {
		return
	}
	named := make(map[submission]bool, len(unsteady)) // who tries is named, and so the others ask without credentials
	for _, s := range unsteady {
		named[s] = false
	}
	for _, r := range d.Refusals.All() {
		s := submission{r.Address, r.Endpoint}
		if _, ok := named[s]; ok && r.Named {
			named[s] = true
		}
	}
	challenging := d.challengingHosts()
	for _, s := range unsteady {
		e, refused := &d.State.Endpoints[s.endpoint], &d.Endpoints[s.endpoint]
		if challenging[e.Host] && !named[s] && (e.N[timeline.Accepted] > 0 || refused.AliveActors == 0) {
			found[s] = true
		}
	}
}

// addNamedRenewals adds the token routes at which an address that was never accepted names
// many accounts: a program has one, and a renewal names none.
func (d *Diagnosis) addNamedRenewals(found submissions) {
	names := map[submission]map[uint32]bool{}
	for i, r := range d.Refusals.All() {
		if !r.Renewal || !r.Named || !d.neverAccepted(i, r) {
			continue
		}
		s := submission{r.Address, r.Endpoint}
		if names[s] == nil {
			names[s] = map[uint32]bool{}
		}
		if names[s][r.User] = true; len(names[s]) >= sprayUsers {
			found[s] = true
		}
	}
}

// mayAnswer reports whether a refusal may be an answer, see addAnswers.
func (d *Diagnosis) mayAnswer(i int, r *session.Refusal) bool {
	return d.neverAccepted(i, r) && !r.Renewal && !r.SignIn && !d.mostlyAccepted(r.Client())
}

// repeatedAnswers returns the refusals that may be answers, of the addresses from one up to but
// excluding another that have submittedOften of them, nearly all on one route. n is the number
// of such refusals by address.
func (d *Diagnosis) repeatedAnswers(n []int, from, to uint32) map[submission]*pacedSeries {
	routes := map[uint32][]uint32{} // by address, at most one more than probeRoutes
	answers := map[submission]*pacedSeries{}
	for i, r := range d.Refusals.All() {
		if r.Address < from || r.Address >= to || n[r.Address] < submittedOften || !d.mayAnswer(i, r) {
			continue
		}
		of := routes[r.Address]
		if len(of) > probeRoutes {
			continue
		}
		if !slices.Contains(of, r.Endpoint) {
			of = append(of, r.Endpoint)
			routes[r.Address] = of
		}
		if len(of) > probeRoutes {
			for _, endpoint := range of {
				delete(answers, submission{r.Address, endpoint})
			}
			continue
		}
		s := answers[submission{r.Address, r.Endpoint}]
		if s == nil {
			answers[submission{r.Address, r.Endpoint}] = &pacedSeries{first: r.Time, last: r.Time}
		} else {
			s.add(r.Time)
		}
	}
	for s, list := range answers {
		if float64(list.gaps.N()+1) < oneRoute*float64(n[s.address]) {
			delete(answers, s)
		}
	}
	return answers
}

// mostlyAccepted reports whether a client is accepted at least as often as it is refused: it
// looks at the site, and what refuses it is a part of a page.
func (d *Diagnosis) mostlyAccepted(c timeline.Client) bool {
	s := d.Clients[c]
	return s != nil && s.Tally.N[timeline.Accepted] >= s.Tally.N[timeline.Unauthorized]
}

// challengingHosts returns the hosts most of whose refusals, but for those of clients
// that were never accepted, are challenges that several clients answered.
func (d *Diagnosis) challengingHosts() map[string]bool {
	type host struct {
		clients map[timeline.Client]bool
		refused stats.Cell // hits: challenges
	}
	hosts := map[string]*host{}
	for i, r := range d.Refusals.All() {
		challenge := r.Cause == session.Challenge
		if !challenge && d.neverAccepted(i, r) {
			continue
		}
		name := d.State.Endpoints[r.Endpoint].Host
		h := hosts[name]
		if h == nil {
			h = &host{clients: map[timeline.Client]bool{}}
			hosts[name] = h
		}
		h.refused.Add(challenge)
		if challenge {
			h.clients[r.Client()] = true
		}
	}
	challenging := map[string]bool{}
	for name, h := range hosts {
		challenging[name] = len(h.clients) >= challengedClients && float64(h.refused.Hits) >= challengedShare*float64(h.refused.Trials)
	}
	return challenging
}
