package detect

import (
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// intermittentRefusal finds sites that refuse and accept the same sessions in turn.
//
// Sign: either everybody is refused for a short time, again and again (spells.go), or within living sessions, without a sign-in between, requests are refused and
// accepted, on all routes, for all users, and whether the request before was refused or
// not. Not: expiry (after a refusal nothing is accepted until the next sign-in, or
// nothing is refused for a while), a broken route or missing permission (the routes
// differ), one bad backend (upstream_misconfigured), one version of an app (client_software_failure).
//
// Statistic: distinct actors refused and accepted over time (stats.Segment), the
// binomial tail of the refused ones against the share at all other times; the share of
// refusals after a refusal against that after an acceptance, which are equal if the
// requests of a session are independent (runs, Wald and Wolfowitz, 1940); the share of
// refusals by route. A share of (n-1)/n fits n processes of which each accepts its own
// sessions, 1/n one broken process of n.
var intermittentRefusal = Kind{
	Name:     "intermittent_refusal",
	Label:    "Refusals at random",
	Meaning:  "Live sessions are refused and accepted in turn: processes or replicas do not share sessions or keys, or a check fails for a short time again and again.",
	Category: SessionCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraSession, parse.ExtraUser, parse.ExtraUpstream, parse.ExtraHost},
	Details:  func() any { return new(Intermittent) },
	Title:    `{{if .Details.Spells}}Everybody is refused{{with .Subject.Host}} on {{.}}{{end}}{{with .Subject.Route}} at {{.}}{{end}} for up to {{duration .Details.LongestSpell}} at a time, {{count .Details.Spells "time"}} {{since .Onset}}{{else}}{{share .Details.RefusedShare}} of the {{if .Details.Renewals}}token renewals{{else if .Details.Vain}}renewed tokens{{else if .Details.Ends}}requests after a pause{{else}}requests of live sessions{{end}}{{with .Subject.Host}} on {{.}}{{end}}{{with .Subject.Route}} at {{.}}{{end}} are refused {{if .Details.Renewals}}because two come at once{{else if .Details.Vain}}at once, by chance,{{else}}at random{{if .Details.Ends}}, which ends the sessions{{end}}{{end}} {{since .Onset}}{{end}}`,
	Explanation: `{{with .Details}}{{if .Spells}}
		{{plural .Sessions "client was" "clients were"}} refused in spells of up to {{duration .LongestSpell}} on {{count .Routes "route"}}, and accepted before and after them.
		When one was refused, so were {{share .AfterRefusal}} of the others who asked in the same seconds; in all, {{share .RefusedShare}} were.
		What checks credentials fails for a short time, again and again: an overloaded or restarting service, a time-out, or a cache that keeps a 401.
		{{else}}{{if .Renewals}}
		{{plural .Sessions "client" "clients"}} sent two renewals at once on {{count .Routes "route"}}: one was accepted and the other refused, while the session went on.
		Two tabs or threads send the same refresh token, which is good for one renewal.
		{{else}}{{if .Vain}}
		{{plural .Sessions "client" "clients"}} renewed a token and {{plural .Sessions "was" "were"}} refused with the new one {{count .Vain "time"}}, on {{count .Routes "route"}}; other new tokens were accepted there.
		A backend whose clock is late refuses new tokens, too.
		{{else if .Ends}}
		{{plural .Sessions "session" "sessions"}} ended at a request{{with .Pause}} that followed {{duration .}} of silence or more{{end}}, alike after short and long pauses, at any age, on {{count .Routes "route"}}.
		No timeout does that: chance decides which requests are refused. {{if .Pause}}Requests that follow each other faster are spared, because a connection that is kept alive stays at one process.{{end}}
		{{else}}
		{{plural .Sessions "session was" "sessions were"}} refused and accepted in turn, without a sign-in between, {{if gt .Routes 1}}alike {{end}}on {{count .Routes "route"}}.
		After a refusal, {{share .AfterRefusal}} of a session's next requests are refused; after an acceptance, {{share .AfterAcceptance}}: neither the user nor the route decides.{{end}}
		{{if .OnePlace}}The log names the backends: each session is accepted at one of them and refused at the others, so the backends do not share their sessions or keys.
		{{else if .Processes}}That fits {{.Processes}} processes, replicas or servers that do not share their secret or session store: each accepts only the sessions that it began.
		{{else if .BrokenOf}}That fits one broken process, replica or server of {{.BrokenOf}}.
		{{else}}That fits several processes, replicas or servers that do not share their secret or session store, or a store that fails now and then.{{end}}
		{{if eq .Routes 1}}Where one route takes all kinds of requests, as that of GraphQL, what is refused may also be one of them.{{end}}{{end}}{{end}}
		{{if .Ongoing}}It still happens at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`{{if .Details.Spells}}Look at the logs, restarts, time-outs and limits of what checks the credentials at {{time .Details.OnsetHigh}} and in the other spells: the service behind auth_request, the directory, the session store, a health check that removes the only good backend.{{end}}`,
		`{{if .Details.Spells}}Make sure that no cache keeps a 401 (Cache-Control: no-store, proxy_cache_valid without any and 401), and answer 503 rather than 401 if credentials cannot be checked.{{end}}`,
		`{{if .Details.Renewals}}Let one tab or thread renew the token and the others wait for it (navigator.locks, a single-flight call), and accept a spent refresh token for some seconds (reuse interval or leeway of the identity provider).{{end}}`,
		`{{if not .Details.Spells}}Give all workers, replicas and servers the same secret: SECRET_KEY, the cookie or session secret, the signing key or JWKS. A secret that is made up at the start differs in every process.{{end}}`,
		`{{if not .Details.Spells}}Keep sessions in a store that all replicas share (Redis, a database), not in the memory of a process.{{end}}`,
		`{{if not .Details.Spells}}If they cannot share sessions, make sessions sticky: nginx ip_hash or hash on the session cookie, HAProxy cookie, ingress affinity. {{with .Details.OnsetHigh}}Check whether the affinity was lost, or replicas were added, at {{time .}}.{{end}}{{end}}`,
		`{{if not .Details.Spells}}If the share grows with the load, check the time-outs and limits of the session store, the identity provider and the service behind auth_request.{{end}}`,
	},
	observe: observeIntermittent,
	inspect: inspectIntermittent,
}

// Intermittent is the details of an intermittent_refusal finding.
type Intermittent struct {
	RefusedShare    result.Share       `json:"refused_share"` // of the requests of live sessions
	RefusedLow      result.Share       `json:"refused_share_low" label:"refused share (at least)"`
	RefusedHigh     result.Share       `json:"refused_share_high" label:"refused share (at most)"`
	Sessions        int64              `json:"sessions"`                  // refused and accepted in turn
	Routes          int                `json:"routes"`                    // that refused
	AfterRefusal    result.Share       `json:"refused_after_refusal"`     // of the next requests
	AfterAcceptance result.Share       `json:"refused_after_accepted"`    // of the next requests
	Processes       int                `json:"processes,omitempty"`       // that do not share, whose number fits the share
	BrokenOf        int                `json:"broken_one_of,omitempty"`   // processes, of which one is broken, that fit
	Renewals        bool               `json:"renewals"`                  // renewals that came together
	Ends            int64              `json:"sessions_ended,omitempty"`  // by a refusal at random, if none is accepted after one
	Vain            int64              `json:"renewed_in_vain,omitempty"` // new tokens that are refused
	Pause           result.Seconds     `json:"pause_seconds,omitempty"`   // up to which a connection is kept alive, of Ends
	Spells          int                `json:"spells,omitempty"`          // in which everybody was refused
	LongestSpell    result.Seconds     `json:"longest_spell_seconds,omitempty"`
	OnePlace        bool               `json:"each_at_one_backend"` // each session is accepted by one backend only
	PValue          result.Probability `json:"p_value"`
	Ongoing         bool               `json:"ongoing"`
	OnsetLow        *result.Time       `json:"onset_low,omitempty" label:"onset (earliest)"`
	OnsetHigh       *result.Time       `json:"onset_high,omitempty" label:"onset (latest)"`
}

const (
	// mixedRefused is the minimum number of refusals of live sessions, and mixedBack
	// that of acceptances right after one.
	mixedRefused = 20
	mixedBack    = 10
	// mixedSessions is the minimum number of sessions refused and accepted in turn.
	mixedSessions = 5
	// mixedShare is the minimum share of refused requests: that of one broken process
	// of ten.
	mixedShare = 0.1
	// mixedLow is the share of refused requests from which on what is refused at random at
	// other times belongs to the same trouble: it may grow with the load.
	mixedLow = 0.02
	// mixedUsual is the least share at other times that counts as usual.
	mixedUsual = 0.01
	// mixedFalse is the accepted probability of a false report in a run.
	mixedFalse = 0.001
	// mixedDependence is the maximum difference between the shares of refusals after
	// a refusal and after an acceptance: connections that are kept alive stay at
	// one process, so that it is not 0.
	mixedDependence = 0.4
	// mixedRepeat is the minimum share of refusals after a refusal, in the share of
	// all: where tokens expire by a timer, the next request after a refusal is accepted.
	// No timer refuses every other request, so from timerShare on it is not asked.
	mixedRepeat = 0.3
	timerShare  = 0.4
	// A timer refuses nothing for a while after each renewal. Counted are the requests
	// from freshFrom to freshTo, in milliseconds, after a session is accepted again: those
	// before may have been sent with the old token, and tokens live for minutes at least.
	freshFrom = 2500
	freshTo   = 60_000
	// freshRequests is the minimum number of them that is compared, and freshRepeat the
	// minimum of their refused share, in the share of all.
	freshRequests = 20
	freshRepeat   = 0.3
	// alikeRoutes is the minimum share of the requests that must be for routes whose
	// share of refusals is like that of all: between alikeFactor times less refused
	// and alikeFactor times less accepted.
	alikeRoutes = 0.7
	alikeFactor = 3
	// closedRoutes is the share of refused requests of the routes that refuse at all from
	// which on they are closed, if that of all routes is lower: the other routes make the
	// mixture.
	closedRoutes = 0.9
	// mixedAll is the least share of refusals among all actors, in that among those who are
	// refused at all, of a mixture on one route. An actor who is refused and accepted in a step
	// counts once for each, so that the former may be as low as a half.
	mixedAll = 0.75
	// onePlaceFactor is how many times less is refused without the requests to one backend or
	// server, from which on that one is at fault.
	onePlaceFactor = 2
	// alikeRequests is the minimum number of requests of a route that is compared.
	alikeRequests = 10
	// onePlaceAgree is the minimum share of equal answers of a backend to one session.
	onePlaceAgree = 0.95
	// onePlacePairs is the minimum number of pairs of answers that it is taken from.
	onePlacePairs = 20
	// mostProcesses is the greatest number of processes that a share can show.
	mostProcesses = 16
	// mixedHigh is the number of sessions from which on the severity is high, and
	// mixedPeople the share of all actors.
	mixedHigh   = 20
	mixedPeople = 0.2
)

// intermittentObserver observes refusals at random, and those in spells. Either may be nil.
type intermittentObserver struct {
	mixed  *mixedObserver
	spells *spellObserver
}

func (o *intermittentObserver) part() func(*timeline.Actor, uint32) {
	var mixed, spells func(*timeline.Actor, uint32)
	if o.mixed != nil {
		mixed = o.mixed.part()
	}
	if o.spells != nil {
		spells = o.spells.part()
	}
	return func(a *timeline.Actor, id uint32) {
		if o.mixed != nil {
			mixed(a, id)
		}
		if spells != nil {
			spells(a, id)
		}
	}
}

func (o *intermittentObserver) gather() {
	if o.mixed != nil {
		o.mixed.gather()
	}
	if o.spells != nil {
		o.spells.gather()
	}
}

func (o *intermittentObserver) further() observer {
	if o.mixed == nil {
		return nil
	}
	return o.mixed.further()
}

// dismissed drops the observer of refusals at random if it finds nothing.
func (o *intermittentObserver) dismissed(weight int32) bool {
	if o.mixed != nil && o.mixed.dismissed(weight) {
		o.mixed = nil
	}
	return o.mixed == nil && o.spells == nil
}

// mixedObserver counts the actors whose live sessions are accepted, and refused and then
// accepted. A request takes constant time: its endpoint is in at most scopesOfEndpoint
// scopes. If that raises suspicions, another walk counts the requests of those who were
// refused: see mixtureObserver.
type mixedObserver struct {
	d          *Diagnosis
	scopes     *scopes
	cells      [][]cell // by scope and step
	living     []bool   // by refusal: the session was accepted after it, without a sign-in
	suspicions []suspicion
	mixtures   *mixtureObserver // nil without suspicions
	parts      []*mixedPart
}

// suspicion is a scope that refuses more live sessions in a span than at other times.
type suspicion struct {
	scope  int32
	span   span
	pValue float64
}

func observeIntermittent(d *Diagnosis) observer {
	o := &intermittentObserver{observeMixed(d), observeSpells(d)}
	if o.mixed == nil && o.spells == nil {
		return nil
	}
	return o
}

func observeMixed(d *Diagnosis) *mixedObserver {
	o := &mixedObserver{d: d, scopes: newScopes(d)}
	counts, _ := o.scopes.actors(d, d.atOnce(visitorSize), func(i int, r *session.Refusal) bool { return d.open(i) && !r.SignIn && r.Good && !r.Dead })
	for s := range o.scopes.list {
		if x := &o.scopes.list[s]; x.signIn || x.both {
			counts[s] = 0
		}
	}
	o.scopes.keep(counts, mixedSessions)
	if !o.mayBeMixed() {
		return nil
	}
	o.living = make([]bool, d.Refusals.Len())
	return o
}

// mayBeMixed reports whether a scope refused as many live sessions, and as often, as a
// finding has at least. Sessions that end, of which every log has some, are none.
func (o *mixedObserver) mayBeMixed() bool {
	actors, _ := o.scopes.actors(o.d, o.d.atOnce(visitorSize), o.mayLive)
	refused := make([]int64, len(actors))
	for i, r := range o.d.Refusals.All() {
		if o.mayLive(i, r) {
			o.scopes.each(r.Endpoint, func(s int32) { refused[s]++ })
		}
	}
	for s := range actors {
		if actors[s] >= mixedSessions && refused[s] >= mixedBack {
			return true
		}
	}
	return false
}

// mixedPart is the part of a mixedObserver that belongs to one goroutine.
type mixedPart struct {
	*mixedObserver // read only, but for living of the current actor's refusals
	acceptances
	walk livingWalk
	id   uint32 // of the current actor
}

func (o *mixedObserver) part() func(*timeline.Actor, uint32) {
	p := &mixedPart{mixedObserver: o, acceptances: o.d.newAcceptances(o.scopes.sets(), len(o.scopes.list), 0)}
	o.parts = append(o.parts, p)
	return func(a *timeline.Actor, id uint32) {
		p.id = id
		p.walk.answers(o.d, a, p)
	}
}

// forget does nothing: an actor may count in several sessions.
func (p *mixedPart) forget() {}

// answer counts the actor in the scopes of an acceptance and the refusals before it.
func (p *mixedPart) answer(refused []*timeline.Event, e *timeline.Event) {
	for _, r := range refused {
		p.living[r.Refusal] = true
		p.scopes.each(r.Endpoint, func(s int32) { p.refuse(s, p.id, r.Time) })
	}
	p.accept(e.Endpoint, p.id, -1, e.Time)
}

// sums adds up the counts of all parts.
func (o *mixedObserver) sums() [][]cell {
	return cellsOf(collect(o.parts, func(p *mixedPart) *acceptances { return &p.acceptances }))
}

// dismissed reports whether no scope refuses a share of its sessions that raises suspicion,
// even if all refusals after which an actor was accepted again were those of live sessions.
func (o *mixedObserver) dismissed(weight int32) bool {
	cells := o.sums()
	weigh(cells, weight)
	seen, last := map[visitor]bool{}, -1 // of the last step
	for i, r := range o.d.Refusals.All() {
		if !o.mayLive(i, r) {
			continue
		}
		step := o.d.Step(r.Time)
		if step != last {
			clear(seen)
			last = step
		}
		o.scopes.each(r.Endpoint, func(s int32) {
			if v := (visitor{s, r.Actor}); !seen[v] {
				seen[v] = true
				cells[s][step].refused++
			}
		})
	}
	return !slices.ContainsFunc(cells, func(steps []cell) bool {
		_, ok := refusingSpan(steps, mixedShare)
		return ok && allRefused(steps) >= mixedSessions
	})
}

// mayLive reports whether a refusal may be that of a session that is alive.
func (o *mixedObserver) mayLive(i int, r *session.Refusal) bool {
	return o.d.open(i) && !r.SignIn && (r.Resumed || r.TokenAge() > 0 && o.d.young[o.d.State.Endpoints[r.Endpoint].Host])
}

func (o *mixedObserver) gather() {
	o.cells, o.parts = o.sums(), nil
	for s := range o.scopes.list {
		if x, ok := o.suspect(int32(s)); ok {
			o.suspicions = append(o.suspicions, x)
		}
	}
}

// suspect reports whether a scope refuses and accepts more sessions in turn, in some span
// of time, than chance allows.
func (o *mixedObserver) suspect(s int32) (x suspicion, ok bool) {
	cells := o.cells[s]
	if allRefused(cells) < mixedSessions {
		return x, false
	}
	span, ok := refusingSpan(cells, mixedShare)
	if !ok {
		return x, false
	}
	var outside stats.Cell
	for i := range cells {
		if i < span.from || i >= span.to {
			outside.Merge(stats.Cell{Hits: int64(cells[i].refused), Trials: int64(cells[i].refused + cells[i].accepted)})
		}
	}
	usual := max(mixedUsual, shareOf(outside))
	pValue := min(1, stats.BinomialTail(span.Hits, span.Trials, usual)*session.MaxSteps*float64(len(o.scopes.list)))
	return suspicion{s, span, pValue}, pValue <= mixedFalse
}

// further returns the observer of the requests, nil without suspicions.
func (o *mixedObserver) further() observer {
	if len(o.suspicions) == 0 {
		return nil
	}
	o.mixtures = newMixtureObserver(o)
	return o.mixtures
}

func inspectIntermittent(d *Diagnosis, seen observer) ([]candidate, error) {
	found := append(oddRenewals(d), randomEnds(d)...)
	if seen == nil {
		return found, nil
	}
	o := seen.(*intermittentObserver)
	if o.spells != nil {
		found = append(found, o.spells.find()...)
	}
	if o.mixed == nil {
		return found, nil
	}
	for n := range o.mixed.suspicions {
		if c, ok := o.mixed.mixed(n); ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// mixed returns the finding of a suspicion, if its sessions are refused and accepted in turn
// at random.
func (o *mixedObserver) mixed(n int) (c candidate, ok bool) {
	s, span, pValue := o.suspicions[n].scope, o.suspicions[n].span, o.suspicions[n].pValue
	cells, inside, rest := o.cells[s], &o.mixtures.all.inside[n], &o.mixtures.all.outside[n]
	if !inside.random(mixedShare) || !o.mixtures.routesAlike(s, span, inside) || !o.mixtures.placesAlike(span, inside.answers) {
		return c, false
	}
	always := rest.random(mixedLow) || rest.continues(inside)
	sessions, routes, onset := o.claimMixed(&c, s, span, always)
	if sessions < mixedSessions || len(c.claims) < mixedRefused || o.d.ofOneVersion(c.claims) {
		return c, false
	}
	details := inside.details()
	details.Sessions, details.Routes = sessions, routes
	o.d.rateMixture(&c, details, pValue, sessions)
	details.Ongoing = details.Ongoing || span.to == session.MaxSteps
	x := &o.scopes.list[s]
	c.Subject.Host, c.Subject.Route = x.host, x.prefix
	if x.every {
		c.Subject.Host = o.d.commonHost(slices.Values(c.claims))
	}
	if span.accepted && !always {
		c.Onset = onset * 1000
		high := result.Time(c.Onset)
		details.OnsetHigh = &high
		if _, last := o.d.onsetOf(cells, span); last != math.MinInt64 {
			low := result.Time(min(last, onset) * 1000)
			details.OnsetLow = &low
		}
	}
	c.Exhibit = o.d.actorTrend(cells)
	return c, true
}

// rateMixture fills in a finding of refusals at random, which has its claims, but for its host.
func (d *Diagnosis) rateMixture(c *candidate, details *Intermittent, p float64, actors int64) {
	details.PValue, details.Ongoing = result.Probability(p), d.ongoing(c.claims[len(c.claims)-1])
	c.Subject.Type, c.Onset, c.Details = "site", parse.NoTime, details
	c.Confidence = confidence(p, 1-mixedShare)
	c.Severity = result.Medium
	if actors >= mixedHigh || float64(actors) >= mixedPeople*float64(d.Actors) {
		c.Severity = result.High
	}
}

// shareOf returns the share of hits, 0 for a cell without trials.
func shareOf(c stats.Cell) float64 { return float64(c.Hits) / float64(max(c.Trials, 1)) }

// claimMixed sets the claims of a finding: what is refused in a span and, with always, in every
// other one like it, and the refusals of live sessions at other times. It returns the number of live sessions, the
// number of routes, and the time of the first refusal of a live session; no session if other
// findings explain most of what was refused to live ones.
func (o *mixedObserver) claimMixed(c *candidate, s int32, x span, always bool) (sessions int64, routes int, onset int64) {
	start, end := session.LongAgo, session.Never
	if x.accepted {
		start, _ = o.d.onsetOf(o.cells[s], x)
	}
	if x.to < session.MaxSteps {
		end = o.d.From + int64(x.to)*o.d.Width
	}
	within := func(r *session.Refusal) bool { return r.Time >= start && r.Time < end }
	if always {
		spans := refusingSpans(o.cells[s], mixedShare)
		within = func(r *session.Refusal) bool {
			step := o.d.Step(r.Time)
			return r.Time >= start && r.Time < end || slices.ContainsFunc(spans, func(x span) bool { return step >= x.from && step < x.to })
		}
	}
	actors, on := map[uint32]bool{}, map[uint32]bool{}
	onset = session.Never
	living, open := 0, 0
	for i, r := range o.d.Refusals.All() {
		if o.living[i] {
			if living++; o.d.open(i) {
				open++
			}
		}
		if !o.d.open(i) || r.SignIn || !(r.Good || r.Session) || !within(r) && !(always && o.living[i]) || !slices.Contains(o.scopes.of[r.Endpoint][:], s) {
			continue
		}
		c.claims = append(c.claims, uint32(i))
		if o.living[i] {
			actors[r.Actor], on[r.Endpoint] = true, true
			onset = min(onset, r.Time)
		}
	}
	if float64(open) < minKept*float64(living) {
		return 0, 0, onset // the rest of something else, which the shares are about
	}
	return int64(len(actors)), len(on), onset
}
