package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

// unauthenticatedProbe finds monitors and health checks that have no credentials.
//
// Sign: one client requests one or a few routes at a steady pace, without a name or a
// session, and is refused each time; or with one name that is wrong, from the first
// line of the log to the last, but for one that comes from outside less often than
// lock-outs count; or with the name of somebody who is accepted at the same address: a program
// of theirs has an old password. If the log states for each of its refusals that there were
// no credentials, it needs no pace: a server that checks passwords says so of a token, too.
// Nor does a program inside the network, whose address no others share: the site's own.
// Not: a program whose key has expired (it was accepted
// before), a handshake (the challenge is answered), a page that keeps polling after
// its session has ended (its client was accepted), a scanner (many routes), guessing
// (names, sign-in routes). A route that must be open to strangers by its standard, and
// refuses all of them, is a finding of its own, with what fails (closedPublicRoutes).
//
// Statistic: the share of the gaps between its rounds near the typical gap, by the
// tail of the binomial distribution against what random arrivals show; without a pace, the
// chance that somebody who has credentials is asked for them so often and sends none.
var unauthenticatedProbe = Kind{
	Name:     "unauthenticated_probe",
	Label:    "Probe without credentials",
	Meaning:  "A monitor or health check sends no credentials, or wrong ones, and is refused every time.",
	Category: ClientCategory,
	Subjects: []string{"client", "endpoint"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUserAgent},
	Details:  func() any { return new(Probe) },
	Title:    `{{with .Details}}{{if .Fails}}{{route $.Subject}} is behind authentication: {{.Fails}}{{else}}{{if not .Period}}A program sends {{.Route}} again and again{{else}}{{if .Peers}}A program{{else}}A probe{{end}} sends {{.Route}} every {{duration .Period}}{{end}} {{if .User}}with wrong credentials for {{.User}}{{else if or .Peers .Inside}}and is always refused{{else}}without credentials{{end}}{{end}}{{end}}`,
	Explanation: `{{if .Details.Fails}}{{with .Details}}
		All {{plural .Requests "request" "requests"}} of {{count .Clients "client"}} were refused, in {{count .Rounds "round"}} between {{time .First}} and {{time .Last}}.
		By its standard this route is requested without credentials, so those who ask have none to send.{{end}}{{else}}` + clientName + `{{with .Details}} ({{with $.Subject.UserAgent}}{{.}}{{else}}no user agent{{end}})
		was refused on all {{plural .Requests "request" "requests"}} to {{count .Routes "route"}} between {{time .First}} and {{time .Last}}{{if .Elsewhere}}, where nobody was accepted. On other routes it is accepted: this check may lack the credentials that the others have.{{else}}, and was never accepted where credentials are required.{{end}}
		{{if .Stated}}The log states for each of them, in {{count .Rounds "round"}}, that there were no credentials of the kind that the server checks there.
		{{else if .Inside}}It comes from inside the network, in {{count .Rounds "round"}} at irregular times, and shares its address with few others or none, so it is a program of the site whose credentials are missing or wrong.
		{{else}}{{share .SteadyShare}} of its requests come about {{duration .Period}} apart, so it is a program.{{end}}
		{{if .Peers}}The same software is accepted at {{plural .Peers "other address" "other addresses"}}: this one may have a key that was revoked.{{end}}
		{{if .Balancer}}A load balancer that gets a 401 may take the server out of service.{{end}}{{end}}{{end}}`,
	Remedy: []string{
		`{{if .Details.Fails}}Exempt {{.Subject.Route}} from authentication: nginx location with auth_basic off (and auth_request off); Apache Location with Require all granted; a skip_auth rule of an authentication proxy, or a router without the middleware.{{end}}`,
		`{{if .Details.Fails}}Then request it without credentials from outside: it must answer 200 or 404, and no redirect to a sign-in page.{{end}}`,
		`{{if .Details.Stated}}Compare how it authenticates with what the route checks: a server that checks passwords (nginx auth_basic, Apache AuthType Basic) ignores a Bearer token or a key in another header, and states that there are no credentials. Look for a redirect or a proxy that removes the header Authorization.{{end}}`,
		`{{if .Details.Peers}}Compare its credentials with those of the others; register it again, or stop it if it was removed on purpose.{{end}}`,
		`{{if .Details.Inside}}Compare the credentials that it sends, if any, with those of a program that is accepted: they may be those of another environment, or were never set.{{end}}`,
		`{{if not (or .Details.Fails .Details.Inside)}}Give the probe credentials (Prometheus basic_auth or authorization, blackbox_exporter http.basic_auth, a header of the HTTP check), or make it accept a 401 as healthy.{{end}}`,
		`{{if not (or .Details.Fails .Details.Inside)}}Or open one route to it that reveals nothing: nginx auth_basic off, or satisfy any with allow for its address; Apache Require ip.{{end}}`,
		`{{if not .Details.Fails}}Find out who runs it: the evidence shows its address and user agent.{{end}}`,
	},
	inspect: inspectProbes,
	rest:    restOfProbes,
}

// Probe is the details of an unauthenticated_probe finding.
type Probe struct {
	Period      result.Seconds     `json:"period_seconds,omitempty"` // between rounds
	SteadyShare result.Share       `json:"steady_share,omitempty"`   // of the gaps that are about Period
	Rounds      int                `json:"rounds"`
	Requests    int                `json:"-"`
	Routes      int                `json:"routes"`
	Route       string             `json:"-"`                                                      // the one with most requests
	User        string             `json:"-"`                                                      // the name that is refused, if it sends one
	Stated      int                `json:"stated,omitempty" label:"stated to have no credentials"` // refusals; then no pace is needed
	Inside      bool               `json:"inside,omitempty"`                                       // the network, with an address of its own; then no pace is needed
	First       result.Time        `json:"-"`                                                      // request
	Last        result.Time        `json:"-"`
	Peers       int                `json:"peers,omitempty" label:"other addresses of the same software, accepted"`
	Clients     int                `json:"clients,omitempty"` // of a route that must be open
	Fails       string             `json:"fails,omitempty"`   // while such a route is refused
	Elsewhere   bool               `json:"elsewhere,omitempty" label:"accepted on other routes"`
	Balancer    bool               `json:"balancer"` // it is a health check that takes servers out of service
	PValue      result.Probability `json:"p_value"`
}

const (
	// probeRounds is how many rounds show a pace that is not chance.
	probeRounds = 8
	// maxRound is the number of requests of a round above which they are not told apart.
	maxRound = 8
	// probeRoutes is the maximum number of routes that a monitor requests.
	probeRoutes = 5
	// polledPeriod is minPeriod for a route that clients request over and over, as runners and
	// agents ask for work: nobody guesses there. polledEach is the mean number of acceptances
	// of its actors that shows it.
	polledPeriod = 1500
	polledEach   = 10
	// randomNear bounds the share of gaps near the typical one for random arrivals:
	// it is a third, and more in a log of few gaps.
	randomNear = 0.4
	// likeRounds is the minimum share of the rounds that have as many requests as most have.
	// Random arrivals that are put together to rounds have one, two or more.
	likeRounds = 0.6
	// statedRequests and statedRounds are how many refusals that state that there were no
	// credentials, and in how many rounds, show a program without a pace: people close
	// the question for a password a few times.
	statedRequests = 20
	statedRounds   = 4
	// ownAgents is the maximum number of user agents at an address that no proxy has.
	ownAgents = 3
	// pagePolls is the time in milliseconds from which on a page that is left open does not
	// wait between its requests: one that polls shows what is new.
	pagePolls = 10 * 60_000
	// slowGuess is the time in milliseconds from which on a wrong password, again and again,
	// may as well be a guess: products that lock accounts count failures within half an hour.
	slowGuess = 30 * 60_000
	// unanswered is the greatest share of the requests for credentials that a client which
	// has some leaves unanswered: the first of two, if it sends none before it is asked.
	unanswered = 0.5
)

func inspectProbes(d *Diagnosis, _ observer) ([]candidate, error) {
	return d.probes(closedPublicRoutes(d), func(client timeline.Client, x *probing) bool {
		// Names that change or do not last all day are guesses. From outside, a wrong password now
		// and then may as well be one; pseudonyms show nothing.
		typical, _ := x.rounds.gaps.Steady(clockStep)
		return x.user == 0 || d.allDay(&x.rounds) && (typical < slowGuess || field.Private([]byte(d.State.Addresses[client.Address])))
	}), nil
}

// restOfProbes returns the programs with a wrong password of somebody who is accepted at the
// same address: nobody guesses there.
func restOfProbes(d *Diagnosis, _ observer) ([]candidate, error) {
	if d.observed[accountFailure.Name] == nil {
		return nil, nil
	}
	return d.probes(nil, func(client timeline.Client, x *probing) bool {
		return x.user != 0 && d.acceptedAt(x.user, client.Address)
	}), nil
}

// probes appends to found the clients that are probes, if they may be any.
func (d *Diagnosis) probes(found []candidate, may func(timeline.Client, *probing) bool) []candidate {
	refused := d.countByAddress(d.neverServed)
	// of returns the client of a refusal that may be one of a probe.
	of := func(i int, r *session.Refusal) (client timeline.Client, ok bool) {
		if refused[r.Address] < probeRounds || !d.neverServed(i, r) {
			return client, false
		}
		return r.Client(), d.Clients[r.Client()].Sessions == 0 && !d.leftOpen(r)
	}
	n := map[timeline.Client]int{}
	for i, r := range d.eachOpen() {
		if client, ok := of(i, r); ok {
			n[client]++
		}
	}
	sizes := make([]int, len(refused))
	for client, refused := range n {
		if refused >= probeRounds {
			sizes[client.Address] += refused + seriesBase
		}
	}
	probes, inside := map[timeline.Client]probePlace{}, d.insiders()
	for from, to := range d.addressesAtOnce(sizes) {
		by := map[timeline.Client]*probing{}
		for i, r := range d.eachOpen() {
			if r.Address < from || r.Address >= to {
				continue
			}
			client, ok := of(i, r)
			if !ok || n[client] < probeRounds {
				continue
			}
			p := by[client]
			if p == nil {
				p = &probing{}
				by[client] = p
			}
			p.add(r, d.State.ReasonClass(i) == field.MissingReason)
		}
		for _, client := range slices.SortedFunc(maps.Keys(by), timeline.CompareClients) {
			if x := by[client]; x.no || x.n < probeRounds || !may(client, x) {
				continue
			}
			if c, ok := probe(d, client, by[client], inside(client.Address), len(n)); ok {
				probes[client] = probePlace{len(found), by[client].mostAsked()}
				found = append(found, c)
			}
		}
	}
	if len(probes) == 0 {
		return found
	}
	d.setPeers(found, probes)
	for i, r := range d.eachOpen() {
		if client, ok := of(i, r); ok {
			if p, ok := probes[client]; ok {
				found[p.finding].packed.add(uint32(i))
			}
		}
	}
	return found
}

// neverServed reports whether a refusal is that of a client that was never accepted, or of a
// program that is accepted elsewhere, on a route that accepts nobody and that it requests without
// a name: one of the checks of a monitor.
func (d *Diagnosis) neverServed(i int, r *session.Refusal) bool {
	return d.neverAccepted(i, r) || d.open(i) && d.unservedCheck(r)
}

// unservedCheck reports whether a refusal is that of a program on a route that accepts nobody,
// without a name, a session or a token to renew.
func (d *Diagnosis) unservedCheck(r *session.Refusal) bool {
	e := &d.State.Endpoints[r.Endpoint]
	return !r.Named && !r.Session && !r.SignIn && !r.Renewal && e.Method != "POST" && passed(&e.Tally)+e.Known.Accepted == 0 && !isBrowser(d.State.Agents[r.Agent])
}

// probePlace is the finding of a client, by its index, and the route with most requests.
type probePlace struct {
	finding int
	route   uint32
}

// probing is the refusals of a client that may be a probe.
type probing struct {
	n           int32
	first, last int64 // Unix milliseconds
	rounds      pacedSeries
	sizes       [maxRound]int32 // rounds by their number of requests less one, but for the current one
	size        int32           // of the current round
	routes      []requested
	user        uint32 // the one that requests name; 0 for none
	stated      int32  // refusals that state that there were no credentials
	signIns     int32  // refusals that are tries to sign in
	elsewhere   bool   // it is accepted on other routes
	no          bool   // it requests too many routes, or names several users
}

// requested is how often a route was requested, and at which pace.
type requested struct {
	endpoint uint32
	n        int
	rounds   pacedSeries
}

// add adds a refusal that follows the others. stated says that it states that there were no
// credentials.
func (p *probing) add(r *session.Refusal, stated bool) {
	if p.no {
		return
	}
	at := slices.IndexFunc(p.routes, func(x requested) bool { return x.endpoint == r.Endpoint })
	if at < 0 {
		at = len(p.routes)
		p.routes = append(p.routes, requested{endpoint: r.Endpoint, rounds: pacedSeries{first: r.Time, last: r.Time}})
	}
	if route := &p.routes[at]; r.Time-route.rounds.last > tryGap {
		route.rounds.add(r.Time)
	}
	p.routes[at].n++
	if len(p.routes) > probeRoutes || r.Named && p.user != 0 && p.user != r.User {
		*p = probing{no: true}
		return
	}
	if r.Named {
		p.user = r.User
	}
	switch {
	case p.n == 0:
		p.first, p.rounds = r.Time, pacedSeries{first: r.Time, last: r.Time}
	case r.Time-p.last > tryGap: // as in the function rounds
		p.rounds.add(r.Time)
		p.sizes[min(p.size, maxRound)-1]++
		p.size = 0
	}
	p.n++
	p.size++
	p.last = r.Time
	p.elsewhere = p.elsewhere || r.Good
	if stated {
		p.stated++
	}
	if r.SignIn {
		p.signIns++
	}
}

// alike reports whether the rounds have the same number of requests, as those of a monitor.
func (p *probing) alike() bool {
	return float64(slices.Max(p.sizes[:])) >= likeRounds*float64(p.rounds.gaps.N())
}

// checks returns the gaps between the rounds of each route by itself, how many of them are near
// those typical of their route, and what is typical of the route with most requests: a monitor
// has several checks, whose times have nothing to do with each other.
func (p *probing) checks(d *Diagnosis) (gaps, near int, typical int64) {
	if len(p.routes) == 1 {
		return 0, 0, 0
	}
	most := p.mostAsked()
	for i := range p.routes {
		x := &p.routes[i]
		period, steady := x.rounds.gaps.Steady(clockStep)
		if x.n < probeRounds || period < d.leastPeriod(x.endpoint) {
			return 0, 0, 0
		}
		gaps, near = gaps+x.rounds.gaps.N(), near+steady
		if x.endpoint == most {
			typical = period
		}
	}
	return gaps, near, typical
}

// unread reports whether all of many refusals state that there were no credentials.
func (p *probing) unread() bool {
	return p.stated == p.n && p.user == 0 && p.n >= statedRequests && p.rounds.gaps.N() >= statedRounds-1
}

// persists reports whether there are many refusals that are no tries to sign in and name nobody,
// over a long time.
func (p *probing) persists() bool {
	return p.signIns == 0 && p.user == 0 && p.n >= statedRequests && p.rounds.gaps.N() >= statedRounds-1 && p.last-p.first >= persistentTime
}

// insiders returns a function that reports whether an address is inside the network, and that
// of a machine: a proxy has those of many programs.
func (d *Diagnosis) insiders() func(address uint32) bool {
	agents := sync.OnceValue(func() []int32 {
		n := make([]int32, len(d.State.Addresses))
		for client := range d.Clients {
			n[client.Address]++
		}
		return n
	})
	return func(address uint32) bool {
		return field.Private([]byte(d.State.Addresses[address])) && agents()[address] <= ownAgents
	}
}

// mostAsked returns the route with most requests.
func (p *probing) mostAsked() uint32 {
	most := slices.MaxFunc(p.routes, func(a, b requested) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(b.endpoint, a.endpoint))
	})
	return most.endpoint
}

// probe returns the finding of a client whose refusals show a probe, without its claims.
// inside is whether it is a machine inside the network; clients is the number of clients tested.
func probe(d *Diagnosis, client timeline.Client, x *probing, inside bool, clients int) (c candidate, ok bool) {
	gaps := x.rounds.gaps.N()
	typical, near := x.rounds.gaps.Steady(clockStep)
	if isBrowser(d.State.Agents[client.Agent]) && (2*x.signIns > x.n || typical >= pagePolls && d.State.Endpoints[x.mostAsked()].Method == "POST") {
		return c, false // monitors do not pose as browsers that submit forms
	}
	steady := gaps >= probeRounds-1 && typical >= d.leastPeriod(x.mostAsked()) && x.alike() && float64(near) >= steadyShare*float64(gaps)
	if !steady {
		if each, nearEach, period := x.checks(d); float64(nearEach) >= steadyShare*float64(each) && each > 0 {
			gaps, near, typical, steady = each, nearEach, period, true
		}
	}
	p, lower := 1.0, stats.WilsonLower(int64(near), int64(gaps), stats.Z95)+0.1
	if steady {
		p = min(1, stats.BinomialTail(int64(near), int64(gaps), randomNear)*float64(clients))
	}
	paced := p <= attackFalse
	unread := x.unread()
	inside = inside && !paced && !unread && x.persists() && !isBrowser(d.State.Agents[client.Agent])
	if !paced && (unread || inside) {
		p, lower = min(1, math.Pow(unanswered, float64(x.n))*float64(clients)), stats.WilsonLower(int64(x.n), int64(x.n), stats.Z95)
	}
	if p > attackFalse {
		return c, false
	}
	c.Subject = d.clientSubject(client.Address)
	c.Subject.UserAgent = result.Clean(d.State.Agents[client.Agent])
	c.Onset = x.first * 1000
	if x.first-d.From <= 2*typical {
		c.Onset = parse.NoTime // it began before the log
	}
	c.Confidence = confidence(p, lower)
	details := &Probe{
		Rounds: gaps + 1, Requests: int(x.n), Routes: len(x.routes), Route: endpointLabel(&d.State.Endpoints[x.mostAsked()]),
		First: result.Time(x.first * 1000), Last: result.Time(x.last * 1000),
		Elsewhere: x.elsewhere, Balancer: isBalancer(c.Subject.UserAgent), PValue: result.Probability(p),
	}
	if paced {
		details.Period, details.SteadyShare = result.Seconds(round(float64(typical)/1000, 1)), result.Share(round(float64(near)/float64(gaps), 4))
	} else if details.Inside = inside; unread {
		details.Stated = int(x.stated)
	}
	if x.user != 0 {
		details.User = d.State.Users[x.user-1].Name
	}
	// A probe only fills the log, but a load balancer that is refused may take the
	// server out of service.
	c.Severity = result.Low
	if details.Balancer {
		c.Severity = result.Medium
	}
	c.Details = details
	return c, true
}

// leastPeriod returns the least time in milliseconds between the rounds of a probe at a
// route.
func (d *Diagnosis) leastPeriod(endpoint uint32) int64 {
	if d.State.Endpoints[endpoint].N[timeline.Accepted] >= polledEach*max(1, d.Endpoints[endpoint].Actors) {
		return polledPeriod
	}
	return minPeriod
}

// setPeers sets in the findings of clients how many others with the same user agent are
// accepted, where the route accepts anybody: their software has credentials.
func (d *Diagnosis) setPeers(found []candidate, probes map[timeline.Client]probePlace) {
	accepted := make([]int, len(d.State.Agents)) // clients
	for client, stats := range d.Clients {
		if stats.Tally.N[timeline.Accepted] > 0 && !d.State.Unlisted(client) {
			accepted[client.Agent]++
		}
	}
	for client, p := range probes {
		agent := d.State.Agents[client.Agent]
		if agent == "" || isBrowser(agent) || d.State.Endpoints[p.route].N[timeline.Accepted] == 0 {
			continue
		}
		details := found[p.finding].Details.(*Probe)
		if details.Peers = accepted[client.Agent]; d.Clients[client].Tally.N[timeline.Accepted] > 0 {
			details.Peers--
		}
	}
}

// isBalancer reports whether a user agent is a health check that takes servers out of
// service.
func isBalancer(agent string) bool {
	for _, name := range []string{"ELB-HealthChecker", "GoogleHC", "kube-probe", "Consul Health Check", "Amazon-Route53-Health-Check-Service"} {
		if strings.HasPrefix(agent, name) {
			return true
		}
	}
	return false
}
