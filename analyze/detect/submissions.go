package detect

import (
	"maps"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse/field"
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
	// oneRoute is the minimum share that the routes at which an address guesses have of its
	// refusals: crawlers and link previews come to all pages.
	oneRoute = 0.9
	// unsteadyTimes bounds the share of gaps near the typical one, as a multiple of that of
	// random gaps (a third, and more where the clock is coarse), while monitors and programs
	// keep to theirs.
	unsteadyTimes = 1.4
	// floodRequests is the minimum number of requests of a flood: more than a program repeats
	// before it gives up.
	floodRequests = 100
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
// route again and again, and for hardly any others, without the pace of a program. So does a
// flood from outside at any route, by an address that is answered nothing else, and a browser
// at a route where others answer challenges, whatever its pace: a page that is left open
// would have been accepted before.
func (d *Diagnosis) addAnswers(found submissions) {
	n := d.countByAddress(d.mayAnswer)
	sizes := make([]int, len(n))
	for a, refused := range n {
		if refused >= submittedOften {
			sizes[a] = refused + seriesBase
		}
	}
	asked := map[submission]*askedAgain{}
	for from, to := range d.addressesAtOnce(sizes) {
		for s, list := range d.repeatedAnswers(n, from, to) {
			typical, near := list.gaps.Steady(clockStep)
			x := &askedAgain{burst: list.last-list.first <= burstLength && list.gaps.N() >= floodRequests, browser: true, only: true}
			x.unsteady = typical <= clockStep && list.last-list.first <= burstLength || float64(near) <= unsteadyTimes*stats.RandomNear(typical, clockStep)*float64(list.gaps.N())
			asked[s] = x
		}
	}
	if len(asked) == 0 {
		return
	}
	for _, r := range d.Refusals.All() {
		if x := asked[submission{r.Address, r.Endpoint}]; x != nil {
			x.named = x.named || r.Named
			x.browser = x.browser && isBrowser(d.State.Agents[r.Agent])
			x.only = x.only && d.Clients[r.Client()] != nil && d.Clients[r.Client()].Tally.OnlyRefused()
		}
	}
	hosts, routes := d.challenging()
	for s, x := range asked {
		e, refused := &d.State.Endpoints[s.endpoint], &d.Endpoints[s.endpoint]
		switch {
		case x.named || e.N[timeline.Accepted] == 0 && refused.AliveActors > 0:
		case hosts[e.Host] && x.unsteady, routes[s.endpoint] && x.browser,
			x.burst && x.unsteady && x.only && !field.Private([]byte(d.State.Addresses[s.address])):
			found[s] = true
		}
	}
}

// askedAgain is what an address that was never accepted does at a route that it asks for again
// and again.
type askedAgain struct {
	unsteady bool // it keeps to no pace, or none that the clock of the log shows
	burst    bool // very many requests in a short time
	named    bool // requests name who tries, and so the others ask without credentials
	browser  bool // all of them come from browsers
	only     bool // its clients are answered nothing else
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
// excluding another, on the routes that have submittedOften of them, if these are nearly all of
// an address. n is the number of such refusals by address.
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
	often := map[uint32]int{} // by address: the refusals on such routes
	for s, list := range answers {
		if list.gaps.N()+1 >= submittedOften {
			often[s.address] += list.gaps.N() + 1
		} else {
			delete(answers, s)
		}
	}
	maps.DeleteFunc(answers, func(s submission, _ *pacedSeries) bool {
		return float64(often[s.address]) < oneRoute*float64(n[s.address])
	})
	return answers
}

// mostlyAccepted reports whether a client is accepted at least as often as it is refused: it
// looks at the site, and what refuses it is a part of a page.
func (d *Diagnosis) mostlyAccepted(c timeline.Client) bool {
	s := d.Clients[c]
	return s != nil && s.Tally.N[timeline.Accepted] >= s.Tally.N[timeline.Unauthorized]
}

// challenging returns the hosts most of whose refusals, but for those of clients that were
// never accepted, are challenges that several clients answered, and all routes on which a
// client answered one.
func (d *Diagnosis) challenging() (hosts map[string]bool, routes map[uint32]bool) {
	type host struct {
		clients map[timeline.Client]bool
		refused stats.Cell // hits: challenges
	}
	by := map[string]*host{}
	hosts, routes = map[string]bool{}, map[uint32]bool{}
	for i, r := range d.Refusals.All() {
		challenge := r.Cause == session.Challenge
		if !challenge && d.neverAccepted(i, r) {
			continue
		}
		name := d.State.Endpoints[r.Endpoint].Host
		h := by[name]
		if h == nil {
			h = &host{clients: map[timeline.Client]bool{}}
			by[name] = h
		}
		h.refused.Add(challenge)
		if challenge {
			h.clients[r.Client()], routes[r.Endpoint] = true, true
		}
	}
	for name, h := range by {
		hosts[name] = len(h.clients) >= challengedClients && float64(h.refused.Hits) >= challengedShare*float64(h.refused.Trials)
	}
	return hosts, routes
}
