package detect

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// authenticationOutage finds times in which a site, a part of it or a sign-in route
// accepts nobody.
//
// Sign: from one time to another, or to the end, requests with credentials are refused
// whoever makes them, by all routes of a host, of a tenant's prefix, or by the sign-in,
// and the same people are accepted at other times. Not: an invalidation (people sign in
// again at once), expiry (others are accepted meanwhile), an attack (its clients are
// never accepted), one broken route (its clients are accepted elsewhere), mistyped
// passwords and abandoned sessions at their usual rate.
//
// Statistic: distinct actors over time, each counted once per visit: those refused that
// are not accepted within minutes, or whose credentials prove good later, against those
// accepted. Binary segmentation (stats.Segment) finds the time, the binomial tail
// against the share of refusals at all other times says whether it is chance, corrected
// for the number of steps and scopes (Bonferroni).
var authenticationOutage = Kind{
	Name:     "authentication_outage",
	Label:    "Authentication outage",
	Meaning:  "Nobody is accepted, or nobody can sign in, for a time: what checks the credentials is down.",
	Category: SessionCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUser, parse.ExtraSession, parse.ExtraHost},
	Details:  func() any { return new(Outage) },
	Title: `{{if .Details.Part}}A part of the people is accepted nowhere{{else if .Details.SignIn}}Nobody can sign in{{with .Subject.Route}} at {{.}}{{end}}{{else}}Nobody is accepted{{with .Subject.Route}} at {{.}}{{end}}{{end}}
		{{- with .Subject.Host}} on {{.}}{{end}}{{if and .Details.Until .Details.OnsetHigh}} from {{time .Onset}} to {{time .Details.Until}}{{else if .Details.Until}} until {{time .Details.Until}}{{else}} {{since .Onset}}{{end}}`,
	Explanation: `{{with .Details}}
		{{plural .Refused "person or program was" "people and programs were"}} refused in this time{{if gt .Routes 1}}, on {{count .Routes "route"}}{{end}}, and {{if .Part}}not accepted before it was over, while others were: {{count .Accepted "visit"}}. They may have a tenant, a directory or an identity provider in common that the log does not name.{{else if .Accepted}}only {{number .Accepted}} accepted.{{else}}nobody was accepted.{{end}}
		{{if .AcceptedOutside}}At other times, {{share .UsualShare}} of the visits are refused like this; {{if .Network}}those refused come from private addresses, so they are no strangers, and {{number .Proven}} of them are accepted at other times.{{else}}{{number .Proven}} of the refused are accepted at other times, so their credentials are good.{{end}}{{else}}The log shows no time at which anybody was accepted here. Each user comes again and from clients of their own, which guessing does not look like.{{end}}
		{{if .OnsetLow}}The last acceptance before was at {{time .OnsetLow}}, the first refusal at {{time .OnsetHigh}}.{{end}}
		{{if .Ongoing}}It still fails at the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`Check what verifies the credentials: the directory (LDAP, Active Directory), the identity provider, the session store, the service behind nginx auth_request or an authentication proxy, the password file (missing, empty or unreadable).`,
		`{{if .Details.Network}}If only one way to sign in fails, such as Kerberos where NTLM works, check the service principal and the keytab (setspn -L, klist -k), and the clock of the server.{{end}}`,
		`Look at the error logs of the proxy and the application {{with .Details.OnsetHigh}}at {{time .}}{{else}}when it began{{end}}: time-outs, refused connections, failed TLS or expired certificates, unknown signing keys (JWKS).`,
		`{{with .Details.OnsetHigh}}Check what changed just before: a deploy, a rotated key or bind password, a moved file. {{end}}Check the clocks of the verifier and the issuer (chronyc tracking).`,
		`Answer 503 when credentials cannot be checked (nginx auth_request: error_page 500 =503): a 401 makes clients throw away good credentials.`,
	},
	certain: true,
	observe: observeOutages,
	inspect: inspectOutages,
	rest:    restOfOutages,
}

// Outage is the details of an authentication_outage finding.
type Outage struct {
	Failures        int64              `json:"failures,omitempty" label:"requests that could not be checked"` // as the error log says; then nothing else is known
	Code            string             `json:"code,omitempty" label:"message"`
	SignIn          bool               `json:"sign_in"` // only signing in fails
	Part            bool               `json:"part,omitempty" label:"only some of the people"`
	Network         bool               `json:"own_network,omitempty" label:"people of the own network"`
	Refused         int64              `json:"refused_actors"`    // distinct actors with credentials, in this time
	Accepted        int64              `json:"accepted_visits"`   // in this time
	Proven          int64              `json:"proven_actors"`     // of the refused: accepted at another time
	UsualShare      result.Share       `json:"usual_share"`       // of the visits that are refused at other times
	AcceptedOutside int64              `json:"accepted_outside"`  // visits accepted at other times
	Routes          int                `json:"routes"`            // that refused
	Until           result.Time        `json:"until,omitempty"`   // when somebody was accepted again
	PValue          result.Probability `json:"p_value,omitempty"` // absent if nobody was ever accepted
	Ongoing         bool               `json:"ongoing"`
	OnsetLow        *result.Time       `json:"onset_low,omitempty" label:"onset (earliest)"`
	OnsetHigh       *result.Time       `json:"onset_high,omitempty" label:"onset (latest)"`
}

const (
	// outageActors is the minimum number of distinct actors refused: fewer may have
	// troubles of their own.
	outageActors = 5
	// outageProven is the minimum number of actors refused that are accepted at another
	// time, and how many times those accepted meanwhile they must be: in an attack the
	// site's own people are accepted.
	outageProven = 3
	// outagePages is the number of distinct endpoints that make a client a visitor.
	outagePages = 3
	// outageUsers is the minimum number of distinct users, where lines name them: one
	// user on many clients is account_failure, or guessing.
	outageUsers = 3
	// outageShare is the minimum share of the visits refused: some programs have
	// credentials that another service checks, and the edges of steps blur it.
	outageShare = 0.9
	// outageLower is the minimum of the 95% lower bound of that share.
	outageLower = 0.5
	// outageFalse is the accepted probability of a false report in a run.
	outageFalse = 0.001
	// outageUsual is the least share of refused visits that counts as usual: with
	// a share of 0, two refusals would be infinitely surprising.
	outageUsual = 0.02
	// outageVisit is the silence, in milliseconds, after which a request is another
	// visit.
	outageVisit = 30 * 60_000
	// outageTries is the maximum number of refusals within outagePace, in
	// milliseconds, of an actor that was never accepted: those of more are guesses (20
	// failures in ten minutes, Elastic's rule for identity providers).
	outageTries = 20
	outagePace  = 10 * 60_000
	// outageHigh is the number of actors refused from which on the severity is high.
	outageHigh = 20
	// outagePeople is the share of all actors from which on it is high as well.
	outagePeople = 0.2
	// staleShare is the share of the sessions idle for as long that die at other
	// times from which on a refused session may have expired.
	staleShare = 0.2
	// elsewhereShare is the share of the actors that a part of a site refuses from which
	// on, if they are accepted elsewhere meanwhile, only that part is at fault.
	elsewhereShare = 0.5
	// scopeOutside is the number of visits accepted outside a narrower scope from
	// which on the wider one is not down.
	scopeOutside = 3
	// neverVisits is the minimum number of visits of most users of a site that
	// never accepts anybody: guesses at an account are made in one go.
	neverVisits = 2
	// neverClients is the maximum mean number of clients of a user, and of users of
	// a client, of such a site: people use their own.
	neverClients = 1.5
)

// outageObserver follows scopes over time: the acceptances, in visits, and which of
// the refused clients are accepted at some time. A request takes constant time: its
// endpoint is in at most scopesOfEndpoint scopes.
type outageObserver struct {
	d       *Diagnosis
	scopes  *scopes
	evident session.Bits                  // by refusal: it counts, see outageEvidence
	ranges  []uint32                      // of actors, see scopes.actors
	cells   [][]cell                      // by scope and step; accepted only
	clients map[timeline.Client]*standing // the refused ones
	parts   []*outagePart
}

// outageEvidence returns which refusals show that good credentials were refused: nobody
// was accepted within minutes, or the same credentials are accepted later.
func outageEvidence(d *Diagnosis) (evident session.Bits) {
	stale := d.staleSessions()
	for i, r := range d.eachOpen() {
		shows := false
		switch {
		case r.SignIn:
			shows = !r.Back
		case r.Named:
			shows = !r.Back || r.Known
		case r.Fatal:
			shows = !r.Back && !stale(r)
		default:
			shows = r.Known && r.Cause == session.Unexplained
		}
		if shows {
			evident.Add(i)
		}
	}
	return evident
}

// staleSessions returns a function that reports whether a session may have expired by
// the silence before its end, as others did.
func (d *Diagnosis) staleSessions() func(*session.Refusal) bool {
	died := map[string][]int64{}
	for _, r := range d.Refusals.All() {
		if r.Fatal {
			host := d.State.Endpoints[r.Endpoint].Host
			died[host] = append(died[host], r.Gap())
		}
	}
	lived := map[string]func(int64) int64{}
	for host, gaps := range died {
		slices.Sort(gaps)
		if l := d.Lifetimes[host]; l != nil {
			lived[host] = l.Gap.CountsAbove()
		}
	}
	return func(r *session.Refusal) bool {
		host := d.State.Endpoints[r.Endpoint].Host
		above := lived[host]
		if above == nil {
			return r.Gap() > session.Nearby
		}
		gap := r.Gap() * 4 / 5
		n, _ := slices.BinarySearch(died[host], gap)
		dead := float64(len(died[host]) - n)
		return dead > staleShare*(dead+float64(above(gap)))
	}
}

func observeOutages(d *Diagnosis) observer {
	o := &outageObserver{d: d, scopes: newScopes(d), evident: outageEvidence(d), clients: map[timeline.Client]*standing{}}
	counts, ranges := o.scopes.actors(d, d.atOnce(visitorSize), func(i int, _ *session.Refusal) bool { return o.evident.Has(i) })
	o.ranges = ranges
	o.scopes.keep(counts, outageActors)
	if len(o.scopes.list) == 0 && observeContrast(d) == nil {
		return nil
	}
	for i, r := range d.eachOpen() {
		c := r.Client()
		if d.State.Unlisted(c) {
			continue
		}
		if o.clients[c] == nil {
			o.clients[c] = &standing{}
		}
		o.clients[c].evident = o.clients[c].evident || o.evident.Has(i)
	}
	return o
}

// standing is what shows that a refused client is one of the site's own.
type standing struct {
	proven  bool // it is accepted with credentials at some time
	evident bool // a refusal of it counts, see outageEvidence
	// endpoints are some of the distinct ones, plus one, that answered it: people
	// see pages and their parts, while a program that guesses goes to the sign-in.
	endpoints [outagePages]uint32
}

// visit notes an endpoint that answered.
func (s *standing) visit(endpoint uint32) {
	for i, e := range s.endpoints {
		if e == endpoint+1 {
			return
		}
		if e == 0 {
			s.endpoints[i] = endpoint + 1
			return
		}
	}
}

func (s *standing) merge(o *standing) {
	s.proven = s.proven || o.proven
	for _, e := range o.endpoints {
		if e != 0 {
			s.visit(e - 1)
		}
	}
}

// visitor reports whether the client looks at the site as people do.
func (s *standing) visitor() bool { return s.endpoints[outagePages-1] != 0 }

// outagePart is the part of an outageObserver that belongs to one goroutine.
type outagePart struct {
	*outageObserver // read only
	acceptances
	clients map[timeline.Client]*standing
}

// wants leaves out the actors whose only client was not refused, if nothing but the standing
// of those that were is left to find out. Without sessions, a client is one actor.
func (o *outageObserver) wants(_ uint32, w timeline.ActorSummary) bool {
	return len(o.scopes.list) > 0 || !w.Only || (w.Refused || o.d.State.Sessions) && o.clients[w.Client] != nil
}

func (o *outageObserver) part() func(*timeline.Actor, uint32) {
	p := &outagePart{
		outageObserver: o, acceptances: o.d.newAcceptances(o.scopes.sets(), len(o.scopes.list), int32(outageVisit/o.d.Width)),
		clients: map[timeline.Client]*standing{},
	}
	o.parts = append(o.parts, p)
	return p.actor
}

// standing returns the part's standing of a client, nil unless it was refused.
func (p *outagePart) standing(c timeline.Client) *standing {
	if p.outageObserver.clients[c] == nil {
		return nil
	}
	s := p.clients[c]
	if s == nil {
		s = &standing{}
		p.clients[c] = s
	}
	return s
}

// actor counts the acceptances of an actor: once per visit, and once after each
// refusal.
func (p *outagePart) actor(a *timeline.Actor, id uint32) {
	refused := int32(-1) // step of the last refusal
	var client timeline.Client
	var own *standing // of client, if it was refused
	counts := len(p.scopes.list) > 0
	for i := range a.Events {
		e := &a.Events[i]
		if e.Outcome == timeline.Unauthorized {
			refused = p.clock.at(e.Time)
			continue
		}
		if i == 0 || e.Client != client {
			client = e.Client
			own = p.standing(client)
		}
		if !counts && (own == nil || own.proven && own.visitor()) {
			continue // there is nothing more to learn
		}
		if own != nil && e.Outcome == timeline.Accepted && !p.d.Roles[e.Endpoint].Begins() {
			own.visit(e.Endpoint)
		}
		if p.d.accepted(a, i) {
			if own != nil {
				own.proven = true
			}
			if !counts {
				continue
			}
			p.accept(e.Endpoint, id, refused, e.Time)
		}
	}
}

func (o *outageObserver) gather() {
	for _, p := range o.parts {
		for c, s := range p.clients {
			o.clients[c].merge(s)
		}
	}
	if len(o.scopes.list) > 0 {
		o.cells = o.accepted()
	}
	o.parts = nil
}

// accepted adds up the acceptances of all parts.
func (o *outageObserver) accepted() [][]cell {
	return cellsOf(collect(o.parts, func(p *outagePart) *acceptances { return &p.acceptances }))
}

// dismissed reports whether all scopes accept people at all times, even if every refusal
// counts. Who is accepted at other times is asked about contrasts, too.
func (o *outageObserver) dismissed(weight int32) bool {
	cells := o.accepted()
	weigh(cells, weight)
	o.addRefusals(cells, func(*session.Refusal, int32) bool { return true })
	closed := slices.ContainsFunc(cells, func(steps []cell) bool {
		_, ok := refusingSpan(steps, outageShare)
		return ok && allRefused(steps) >= outageActors
	})
	if !closed {
		o.scopes.drop()
	}
	return !closed && o.d.contrast == nil
}

// good reports whether the credentials of a refusal are known to be good: its actor or
// client is accepted at some time. The user that it names proves nothing.
func (o *outageObserver) good(r *session.Refusal) bool {
	s := o.clients[r.Client()]
	return r.Known || s != nil && s.evident && s.proven
}

// counts reports whether a refusal counts in a scope: its credentials are good, or it
// is a try to sign in by a visitor, or one of a site that never accepts anybody.
func (o *outageObserver) counts(r *session.Refusal, never bool) bool {
	if o.good(r) || never && r.Named {
		return true
	}
	s := o.clients[r.Client()]
	return r.SignIn && s != nil && s.visitor()
}

// withRefusals returns the cells with the open refusals that count.
func (o *outageObserver) withRefusals() [][]cell {
	cells := make([][]cell, len(o.cells))
	for n := range cells {
		cells[n] = slices.Clone(o.cells[n])
	}
	never := o.neverAccept()
	o.addRefusals(cells, func(r *session.Refusal, s int32) bool { return o.counts(r, never[s]) })
	return cells
}

// addRefusals adds the open refusals that count in a scope to cells, each actor counted
// once per visit.
func (o *outageObserver) addRefusals(cells [][]cell, counts func(r *session.Refusal, scope int32) bool) {
	from := uint32(0)
	for _, until := range o.ranges {
		last := map[visitor]int64{}
		for i, r := range o.d.Refusals.All() {
			if r.Actor < from || r.Actor > until || !o.evident.Has(i) || !o.d.open(i) {
				continue
			}
			step := o.d.Step(r.Time)
			o.scopes.each(r.Endpoint, func(s int32) {
				if !counts(r, s) {
					return
				}
				c, v := &cells[s][step], visitor{s, r.Actor}
				c.firstRefused = min(c.firstRefused, r.Time)
				if at, ok := last[v]; !ok || r.Time-at > outageVisit {
					last[v] = r.Time
					c.refused++
				}
			})
		}
		from = until + 1
	}
}

// neverAccept reports, by scope, whether nobody is ever accepted there.
func (o *outageObserver) neverAccept() []bool {
	never := make([]bool, len(o.scopes.list))
	for n := range never {
		never[n] = !slices.ContainsFunc(o.cells[n], func(c cell) bool { return c.accepted > 0 })
	}
	return never
}

// outage is a time in which a scope accepts nobody.
type outage struct {
	scope          int32
	span           span
	outside        stats.Cell // visits at other times
	onset          int64      // Unix milliseconds
	lastAccepted   int64      // before onset
	until          int64      // first acceptance after, or session.Never
	p              float64
	claims         ascending
	actors, proven int64
	users          int    // distinct ones that the refusals name
	routes         int    // paths, whatever the method
	route          uint32 // one of them
	alive          int    // distinct actors that are accepted elsewhere meanwhile
	explained      int    // refusals of its scope and time that other findings explain
	cells          []cell
}

func inspectOutages(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*outageObserver)
	cells := o.withRefusals()
	var all []outage
	for s := range o.scopes.list {
		if x, ok := o.outage(int32(s), cells[s]); ok {
			all = append(all, x)
		}
	}
	var found []candidate
	for i := range all {
		x := &all[i]
		narrower := slices.ContainsFunc(all, func(y outage) bool { return o.isWiderThanFault(x, &y) })
		if !narrower {
			found = append(found, o.candidate(x))
		}
	}
	found = withWide(found, o.contrastingOutages(found))
	// Of the same subject: the one that explains most.
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.packed.n, a.packed.n) })
	return found, nil
}

// isWiderThanFault reports whether a narrower scope has nearly all refusals of x, while the rest
// of x accepts people, or refuses nobody and is a part of the site only.
func (o *outageObserver) isWiderThanFault(x, y *outage) bool {
	return x.scope != y.scope && o.scopes.list[x.scope].contains(&o.scopes.list[y.scope]) &&
		float64(y.claims.n) >= intact*float64(x.claims.n) &&
		(o.scopes.list[x.scope].prefix != "" && y.routes == x.routes || x.span.Trials-x.span.Hits-(y.span.Trials-y.span.Hits) >= scopeOutside)
}

// outage returns the time in which a scope accepts nobody, if there is one.
func (o *outageObserver) outage(s int32, cells []cell) (x outage, ok bool) {
	x = outage{scope: s, cells: cells}
	if allRefused(cells) < outageActors {
		return x, false
	}
	if x.span, ok = refusingSpan(cells, outageShare); !ok {
		x.span, ok = briefSpan(cells, outageShare)
	}
	if !ok || x.span.Hits < outageActors ||
		stats.WilsonLower(x.span.Hits, x.span.Trials, stats.Z95) < outageLower {
		return x, false
	}
	for _, c := range cells {
		x.outside.Merge(stats.Cell{Hits: int64(c.refused), Trials: int64(c.refused + c.accepted)})
	}
	x.outside = x.outside.Minus(x.span.Cell)
	usual := max(outageUsual, shareOf(x.outside))
	x.p = min(1, stats.BinomialTail(x.span.Hits, x.span.Trials, usual)*session.MaxSteps*float64(len(o.scopes.list)))
	accepted := x.outside.Trials > x.outside.Hits
	if accepted && x.p > outageFalse {
		return x, false
	}
	x.onset, x.lastAccepted = o.d.onsetOf(cells, x.span)
	x.until = session.Never
	for i := x.span.to; i < len(cells) && x.until == session.Never; i++ {
		if cells[i].accepted > 0 {
			x.until = o.d.From + int64(i)*o.d.Width
		}
	}
	o.claim(&x)
	switch {
	case x.actors < outageActors, !accepted && !o.peopleLike(x.claims.each):
		return x, false
	case accepted && x.proven < max(outageProven, outageProven*(x.span.Trials-x.span.Hits)):
		return x, false
	case x.users > 0 && x.users < outageUsers, o.d.endedRenewals(x.claims.each), o.d.byTools(x.claims.each), x.routes == 1 && o.d.ofOneSender(x.claims.each):
		return x, false
	case x.explained > x.claims.n: // the rest of something else
		return x, false
	}
	// A part of a site whose clients are accepted elsewhere is endpoint_misconfigured,
	// and so is one route of a site that works.
	scope := &o.scopes.list[s]
	elsewhere := x.routes == 1 && (x.alive >= endpointActors || o.worksBeside(x.route)) ||
		scope.prefix != "" && x.alive >= endpointActors && float64(x.alive) >= elsewhereShare*float64(x.actors)
	if !scope.signIn && elsewhere {
		return x, false
	}
	// What a part of a site refuses may be the fault of that part.
	if scope.signIn || scope.prefix == "" && x.routes > 1 {
		o.consequences(&x)
	}
	return x, true
}

// worksBeside reports whether a protected route of the same host, but for one, accepts
// requests.
func (o *outageObserver) worksBeside(route uint32) bool {
	at := &o.d.State.Endpoints[route]
	for i := range o.d.State.Endpoints {
		e := &o.d.State.Endpoints[i]
		if e.Template != at.Template && e.Host == at.Host && o.d.Protected[i] && e.N[timeline.Accepted] > 0 {
			return true
		}
	}
	return false
}

// claim sets the refusals that an outage explains, and their counts.
func (o *outageObserver) claim(x *outage) {
	from := x.onset
	if x.lastAccepted != math.MinInt64 {
		from = x.lastAccepted + 1 // nobody was accepted since
	}
	var list ascending
	seen := map[uint32]affected{} // by actor
	for i, r := range o.d.Refusals.All() {
		if r.Time < from || r.Time >= x.until || !slices.Contains(o.scopes.of[r.Endpoint][:], x.scope) {
			continue
		}
		if o.d.explained(i) {
			x.explained++
		}
		if !o.d.open(i) || !(r.Good || r.Named || r.Session || r.SignIn || o.good(r)) {
			continue
		}
		if list.add(uint32(i)); !o.good(r) {
			a := seen[r.Actor]
			a.tries = min(a.tries+1, outageTries+1)
			seen[r.Actor] = a
		}
	}
	o.findGuesses(&list, seen)
	type path struct{ host, template string }
	routes := map[path]bool{}
	var users session.Bits
	for i, r := range o.d.Refusals.Of(list.each) {
		a := seen[r.Actor]
		if a.guesses {
			continue
		}
		x.claims.add(i)
		x.route = o.d.Form(r.Endpoint)
		e := &o.d.State.Endpoints[x.route]
		routes[path{e.Host, e.Template}] = true
		if r.Named {
			users.Add(int(r.User))
		}
		x.onset = min(x.onset, r.Time)
		evident := o.evident.Has(int(i))
		now := affected{
			tries: a.tries, alive: a.alive || r.Alive || r.Denied,
			counts: a.counts || evident, proven: a.proven || evident && o.good(r),
		}
		if now != a {
			seen[r.Actor] = now
		}
	}
	for _, a := range seen {
		if a.counts {
			x.actors++
		}
		if a.proven {
			x.proven++
		}
		if a.alive {
			x.alive++
		}
	}
	x.routes, x.users = len(routes), users.Len()
}

// affected is what the refusals of an outage say of an actor.
type affected struct {
	tries   uint8 // refusals that are not known to be good, up to one more than outageTries
	guesses bool
	counts  bool // one of the refusals is evident
	proven  bool // of an actor whose credentials are good
	alive   bool // it is accepted elsewhere meanwhile
}

// findGuesses marks the actors of a list of refusals that guess: with more than outageTries
// within outagePace. Few of them tried as often.
func (o *outageObserver) findGuesses(list *ascending, seen map[uint32]affected) {
	last := map[uint32][]int64{} // by actor that tried so often, times of the last tries
	for actor, a := range seen {
		if a.tries > outageTries {
			last[actor] = nil
		}
	}
	if len(last) == 0 {
		return
	}
	for _, r := range o.d.Refusals.Of(list.each) {
		times, often := last[r.Actor]
		if !often || o.good(r) {
			continue
		}
		if len(times) >= outageTries {
			if r.Time-times[0] <= outagePace {
				seen[r.Actor] = affected{tries: outageTries + 1, guesses: true}
			}
			times = times[:copy(times, times[1:])]
		}
		last[r.Actor] = append(times, r.Time)
	}
}

// consequences adds to the claims of an outage what else was refused on the same host
// meanwhile: to its clients, since who cannot sign in is refused by the pages as well and
// page loads have requests without credentials; to sessions that end, whose people cannot
// come back; and to clients that only came then, if nobody at all was accepted.
func (o *outageObserver) consequences(x *outage) {
	affected, claimed := map[timeline.Client]bool{}, session.Bits{}
	for i, r := range o.d.Refusals.Of(x.claims.each) {
		affected[r.Client()] = true
		claimed.Add(int(i))
	}
	during := func(r *session.Refusal) bool { return r.Time >= x.onset && r.Time < x.until }
	refused, otherwise := map[timeline.Client]int{}, map[timeline.Client]bool{}
	for _, r := range o.d.Refusals.All() {
		if during(r) {
			refused[r.Client()]++
		} else {
			otherwise[r.Client()] = true
		}
	}
	s := &o.scopes.list[x.scope]
	x.claims = ascending{}
	for i, r := range o.d.Refusals.All() {
		if claimed.Has(i) {
			x.claims.add(uint32(i))
			continue
		}
		if !o.d.open(i) || !during(r) {
			continue
		}
		inScope := slices.Contains(o.scopes.of[r.Endpoint][:], x.scope)
		sameHost := s.every || o.d.State.Endpoints[r.Endpoint].Host == s.host
		c := r.Client()
		switch {
		case affected[c] && (inScope || s.signIn && sameHost),
			inScope && !s.signIn && o.clients[c] != nil && o.clients[c].proven,
			s.signIn && sameHost && (r.Known || r.Fatal) && !r.Back,
			s.prefix == "" && sameHost && r.Renewal,
			(inScope && !s.signIn && s.prefix == "" || s.signIn && sameHost && !r.Back) && !otherwise[c] && refused[c] <= outageTries:
			x.claims.add(uint32(i))
		}
	}
}

// peopleLike reports whether the refusals of a site that never accepts anybody are
// those of its users: each comes again, and uses clients of its own.
func (o *outageObserver) peopleLike(claims iter.Seq[uint32]) bool {
	type use struct {
		user   uint32
		client timeline.Client
	}
	uses := map[use]bool{}
	clients := map[timeline.Client]bool{}
	visits, last := map[uint32]int{}, map[uint32]int64{}
	for _, r := range o.d.Refusals.Of(claims) {
		if !r.Named || r.User == 0 {
			continue
		}
		c := r.Client()
		uses[use{r.User, c}], clients[c] = true, true
		if at, ok := last[r.User]; !ok || r.Time-at > outageVisit {
			visits[r.User]++
			last[r.User] = r.Time
		}
	}
	again := 0
	for _, n := range visits {
		if n >= neverVisits {
			again++
		}
	}
	return len(visits) >= outageActors && len(clients) >= outageActors && 2*again > len(visits) &&
		float64(len(uses)) <= neverClients*float64(min(len(visits), len(clients)))
}

func (o *outageObserver) candidate(x *outage) candidate {
	s := &o.scopes.list[x.scope]
	c := candidate{packed: x.claims}
	if !s.signIn && (s.prefix != "" || x.routes == 1) {
		c.weight = 1.0 / certainty // a part of a site may as well be at fault itself
	}
	c.Subject = result.Subject{Type: "site", Host: s.host, Method: s.method, Route: s.prefix}
	if x.routes == 1 {
		e := &o.d.State.Endpoints[x.route]
		c.Subject.Method, c.Subject.Route = e.Method, e.Template
	}
	if s.every {
		c.Subject.Host = o.d.commonHost(x.claims.each)
	}
	details := &Outage{
		SignIn: s.signIn, Refused: x.actors, Accepted: x.span.Trials - x.span.Hits, Proven: x.proven, Routes: x.routes,
		AcceptedOutside: x.outside.Trials - x.outside.Hits, Ongoing: x.until == session.Never,
	}
	lower := stats.WilsonLower(x.span.Hits, x.span.Trials, stats.Z95)
	c.Onset, c.Confidence = parse.NoTime, confidence(0, lower)
	if details.AcceptedOutside > 0 {
		details.UsualShare = result.Share(round(float64(x.outside.Hits)/float64(x.outside.Trials), 4))
		details.PValue = result.Probability(x.p)
		c.Confidence = confidence(x.p, lower)
	}
	if x.span.accepted {
		c.Onset = x.onset * 1000
		high := result.Time(c.Onset)
		details.OnsetHigh = &high
		if x.lastAccepted != math.MinInt64 {
			low := result.Time(x.lastAccepted * 1000)
			details.OnsetLow = &low
		}
	}
	if !details.Ongoing {
		details.Until = result.Time(x.until * 1000)
	}
	c.Severity = result.Medium
	if x.actors >= outageHigh || float64(x.actors) >= outagePeople*float64(o.d.Actors) {
		c.Severity = result.High
	}
	c.Details, c.Exhibit = details, o.d.actorTrend(x.cells)
	return c
}
