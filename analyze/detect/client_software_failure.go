package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// clientSoftwareFailure finds versions of an application or library that are refused
// where all others are accepted.
//
// Sign: on one route, or several, the clients of one version are refused from its
// release or from one time on, though they signed in, while other software is accepted
// there in the same hours. Not: a broken route (all are refused), a retry storm (each
// client was refused for a reason of its own), an attack's tool (its clients are never
// accepted).
//
// Statistic: as for upstream_misconfigured, by route: Cochran, Mantel and Haenszel's
// test over the hours, each actor counted once per stratum, adjusted by Benjamini and
// Hochberg over versions and routes; Wilson's lower bound of the share refused while it
// lasts; its change-point (stats.Segment) is the onset. A client that
// repeats a refused request counts once.
var clientSoftwareFailure = Kind{
	Name:     "client_software_failure",
	Label:    "Failing client software",
	Meaning:  "One version of an application or library is refused where others are accepted.",
	Category: ClientCategory,
	Subjects: []string{"client_software"},
	Needs:    []string{needTime, needStatus, needPath, needClient, needAgent},
	Uses:     []parse.Extra{parse.ExtraUserAgent, parse.ExtraSession},
	Details:  func() any { return new(FailingSoftware) },
	Title: `{{.Subject.UserAgent}} {{if .Details.Renewal}}cannot renew its tokens{{else if .Details.Unrenewed}}does not renew its tokens{{else if .Details.NoCredentials}}sends no credentials{{else}}is refused{{end}}
		{{- if .Details.Unrenewed}}{{else if or .Details.Renewal (eq .Details.RouteCount 1)}} at {{.Details.Route}}{{else}} on {{count .Details.RouteCount "route"}}{{end}} {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{if .Unrenewed}}{{plural .Refused "client" "clients"}} of this version had to sign in again, or gave up, when their tokens expired. On average, {{share .RefusedShare}} of the times that the tokens of a client expire end like this (at least {{share .RefusedLow}} with 95% confidence), and {{share .OthersShare}} with another version of the same software, which renews them and goes on.
		{{else if .Everywhere}}{{plural .Refused "client" "clients"}} of this version were refused. On average, {{share .RefusedShare}} of the requests of a client are (at least {{share .RefusedLow}} with 95% confidence), and {{share .OthersShare}} of those of a client with another version of the same software.
		{{else}}{{plural .Refused "client" "clients"}} of this version were refused there, {{share .RefusedShare}} of those that made such requests (at least {{share .RefusedLow}} with 95% confidence).
		Other software made the same requests in the same hours and was refused {{share .OthersShare}} of the time.{{end}}
		{{if .Renewal}}The clients had been accepted before, and renew or fetch a token there: a renewal has no password that somebody could mistype.{{if gt .RouteCount 1}} When their tokens expire, {{plural .RouteCount "route refuses" "routes refuse"}} them.{{end}}{{else if .NoCredentials}}Its refused requests carry no user or session, while its accepted requests do.{{else if .Unrenewed}}Sessions of other versions are renewed after silences as long, so the tokens could have been.{{else if .Everywhere}}Their users are not the cause: it is refused far more than other versions{{if gt .RouteCount 1}} on all routes{{end}}. It may not renew its tokens, or send them to the wrong place.{{else}}The clients had signed in or been accepted before, so their users are not the cause.{{end}}
		{{if .Versions}}Other versions: {{list .Versions}}.{{end}}
		{{if .Ongoing}}It still fails at the end of the log.{{else if not .Unrenewed}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`Report it to the makers of {{.Subject.UserAgent}} with the evidence lines, and stop its distribution until it is mended.`,
		`{{if .Details.Renewal}}Check the client's registration at the token endpoint: its client id and secret may be revoked or expired, its grant type or scope not allowed. An OAuth error log says invalid_client or invalid_grant (RFC 6749, section 5.2).{{else if .Details.Unrenewed}}Compare what it does after a 401 with a version that works: whether it kept the refresh token, and requests a new one before it asks the user to sign in.{{else}}Compare its requests with those of a version that works: the Authorization header or cookie, the token's audience and scope, the host and scheme, the redirects that it follows.{{end}}`,
		`Check what changed on the server {{with .Details.OnsetHigh}}at {{time .}}{{else}}before the start of the log{{end}}: a removed API version, a stricter check, a revoked key that this version has built in.`,
	},
	certain: true,
	observe: observeSoftware,
	inspect: inspectSoftware,
}

// FailingSoftware is the details of a client_software_failure finding.
type FailingSoftware struct {
	Route         string             `json:"route"`  // the one with most refusals
	Routes        []string           `json:"routes"` // that refuse it, most refusals first
	RouteCount    int                `json:"route_count"`
	Refused       int64              `json:"refused_clients"` // distinct
	RefusedShare  result.Share       `json:"refused_share"`
	RefusedLow    result.Share       `json:"refused_share_low" label:"refused share (at least)"`    // 95% bound
	OthersShare   result.Share       `json:"others_share"`                                          // of other software on the same routes
	OddsRatio     float64            `json:"odds_ratio"`                                            // at most a million
	Versions      []string           `json:"versions"`                                              // others of the family, with their counts
	Everywhere    bool               `json:"everywhere"`                                            // compared with other versions on all routes; the shares are means of its clients
	Renewal       bool               `json:"renewal"`                                               // the routes sign in or renew tokens
	Unrenewed     bool               `json:"unrenewed,omitempty" label:"does not renew its tokens"` // the shares are of the tokens that expire
	NoCredentials bool               `json:"no_credentials"`                                        // the refused requests carry none
	PValue        result.Probability `json:"p_value"`
	Ongoing       bool               `json:"ongoing"`
	OnsetHigh     *result.Time       `json:"onset_high,omitempty" label:"first refused"`
}

const (
	// softwareActors is the minimum number of distinct actors refused: fewer may
	// have troubles of their own.
	softwareActors = 5
	// softwareProven is the minimum share of them that is accepted otherwise: those of
	// an attack's tool are not.
	softwareProven = 0.4
	// softwareShare is the minimum share of the actors refused while it lasts: some
	// still have good tokens.
	softwareShare = 0.5
	// softwareLower is the minimum of the lower bound of that share.
	softwareLower = 0.35
	// softwareOdds is the minimum odds ratio of a refusal against other software.
	softwareOdds = 5
	// softwareFalse is the accepted rate of false reports over versions and routes.
	softwareFalse = 0.001
	// softwareNaked is the share of refused requests without credentials from which
	// on the software does not send them.
	softwareNaked = 0.9
)

// use is software on a route.
type use struct{ endpoint, software uint32 }

// softwareObserver follows the uses over time. A request takes constant time: its client
// has at most two uses of its endpoint.
type softwareObserver struct {
	d        *Diagnosis
	software *software
	uses     []use // by endpoint and software, at most maxFollowed
	tests    int   // how many there were before those that show nothing were dropped
	places   usePlaces
	cells    [][]cell       // by use and step
	strata   softwareStrata // of all parts
	parts    []*softwarePart
	versionSeries
	compared   []versionTest // see compare
	comparedAt int           // the number of refusals plus one that no finding might explain then
}

// usePlaces finds the uses of a client at an endpoint.
type usePlaces struct {
	rows    []int32     // by endpoint: its row in uses plus one; 0 for those without uses
	columns [][2]uint16 // by user agent: the columns of its version and its family; 0 for those without uses
	uses    [][]int16   // by row and column: the use plus one; 0 for none
}

// newUsePlaces returns the places of uses.
func newUsePlaces(uses []use, endpoints int, s *software) usePlaces {
	p := usePlaces{rows: make([]int32, endpoints), columns: make([][2]uint16, len(s.of))}
	column := map[uint32]uint16{} // by software
	for _, u := range uses {
		if column[u.software] == 0 {
			column[u.software] = uint16(len(column)) + 1
		}
	}
	for n, u := range uses {
		if p.rows[u.endpoint] == 0 {
			p.uses = append(p.uses, make([]int16, len(column)+1))
			p.rows[u.endpoint] = int32(len(p.uses))
		}
		p.uses[p.rows[u.endpoint]-1][column[u.software]] = int16(n) + 1
	}
	for agent, of := range s.of {
		for i, x := range of {
			if x > 0 {
				p.columns[agent][i] = column[x-1]
			}
		}
	}
	return p
}

const (
	// stratumLength is that of a stratum in milliseconds, in logs of up to maxStrata hours;
	// in longer ones strata are longer.
	stratumLength = 3_600_000
	maxStrata     = 1024
)

// softwareStrata count the actors accepted and refused in periods of equal length, each
// once in each of them.
type softwareStrata struct {
	clock  stepClock
	uses   [][]stats.Cell // by use and period
	routes [][]stats.Cell // by row and period: all clients
}

func (o *softwareObserver) newStrata() softwareStrata {
	n := (o.d.To-o.d.From)/stratumLength/maxStrata + 1 // hours in a stratum
	length := n * stratumLength
	start := o.d.From - o.d.From%length
	s := softwareStrata{
		clock: newStepClock(start, length, int32((o.d.To-start)/length)),
		uses:  make([][]stats.Cell, len(o.uses)), routes: make([][]stats.Cell, len(o.places.uses)),
	}
	for _, list := range [][][]stats.Cell{s.uses, s.routes} {
		for i := range list {
			list[i] = make([]stats.Cell, s.clock.last+1)
		}
	}
	return s
}

func (s *softwareStrata) merge(o *softwareStrata) {
	for n, sums := range [][][]stats.Cell{s.uses, s.routes} {
		part := [][][]stats.Cell{o.uses, o.routes}[n]
		for i := range sums {
			for j := range sums[i] {
				sums[i][j].Merge(part[i][j])
			}
		}
	}
}

// provenRefusal reports whether a refusal that is open is of a client that is accepted otherwise.
func provenRefusal(r *session.Refusal) bool {
	return (r.Known || r.Good) && !r.Entry
}

// ofMember reports whether a refusal is of a client that is accepted otherwise, or of a
// program with several versions that is accepted elsewhere: on a site where nothing else
// is refused, no other route is known to be protected.
func (s *software) ofMember(d *Diagnosis, r *session.Refusal) bool {
	if provenRefusal(r) {
		return true
	}
	version, client := s.of[r.Agent][0], d.Clients[r.Client()]
	return r.Cause == session.Anonymous && !r.SignIn && version > 0 && s.family[version-1] > 0 &&
		!isBrowser(d.State.Agents[r.Agent]) && client != nil && client.Tally.N[timeline.Accepted] >= machineAccepted
}

func observeSoftware(d *Diagnosis) observer {
	o := &softwareObserver{d: d, software: d.software()}
	o.versionSeries = newVersionSeries(o.software)
	type user struct {
		use
		actor uint32
	}
	seen, routeActors := map[user]bool{}, map[[2]uint32]bool{}
	counts, ofRoute := map[use]int64{}, map[uint32]int64{}
	for _, r := range d.eachOpen() {
		if !o.software.ofMember(d, r) {
			continue
		}
		if k := [2]uint32{r.Endpoint, r.Actor}; !routeActors[k] {
			routeActors[k] = true
			ofRoute[r.Endpoint]++
		}
		for _, s := range o.software.of[r.Agent] {
			if u := (user{use{r.Endpoint, s - 1}, r.Actor}); s > 0 && !seen[u] {
				seen[u] = true
				counts[u.use]++
			}
		}
	}
	requests, all := o.requests()
	for u, n := range counts {
		// Of what the route refuses, this software has far more than of all requests.
		share := float64(requests[u.software]) / float64(max(all, 1))
		others := float64(ofRoute[u.endpoint] - n)
		if n >= softwareActors && float64(n)*(1-share) >= softwareOdds*others*share {
			o.uses = append(o.uses, u)
		}
	}
	for _, t := range o.compare() {
		o.follow(t.version)
	}
	slices.SortFunc(o.uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.software, b.software))
	})
	o.uses = o.uses[:min(len(o.uses), maxFollowed)]
	if len(o.uses) == 0 && len(o.followed) == 0 {
		return nil
	}
	o.tests = len(o.uses)
	o.uses = slices.DeleteFunc(o.uses, func(u use) bool { return requests[u.software] == all }) // there is no other to compare it with
	o.places = newUsePlaces(o.uses, len(d.State.Endpoints), o.software)
	o.strata = o.newStrata()
	return o
}

// requests returns the number of requests by software, and of all clients.
func (o *softwareObserver) requests() (of []int64, all int64) {
	of = make([]int64, len(o.software.names))
	for c, s := range o.d.Clients {
		n := s.Tally.Requests()
		all += n
		for _, x := range o.software.of[c.Agent] {
			if x > 0 {
				of[x-1] += n
			}
		}
	}
	return of, all
}

// softwarePart is the part of a softwareObserver that belongs to one goroutine.
type softwarePart struct {
	*softwareObserver // read only
	tallies
	strata   softwareStrata
	clock    stepClock
	last     []lastUse // by row
	versions tallies   // by place in followed
	counted  [2]int64  // when the actor was accepted and refused last; see countVersion
}

// lastUse is how an endpoint answered an actor last.
type lastUse struct {
	actor    uint32
	accepted int32    // step of the last acceptance plus one
	counted  [2]int32 // periods plus one in which the actor was counted as accepted and refused
	refused  int64    // time of the last refusal; 0 after an acceptance
}

func (o *softwareObserver) part() func(*timeline.Actor, uint32) {
	p := &softwarePart{
		softwareObserver: o, tallies: o.d.newTallies(len(o.uses)), strata: o.newStrata(),
		clock: o.d.clock(), last: make([]lastUse, len(o.places.uses)), versions: o.d.newTallies(len(o.followed)),
	}
	o.parts = append(o.parts, p)
	return p.actor
}

func (p *softwarePart) actor(a *timeline.Actor, id uint32) {
	p.counted = [2]int64{session.LongAgo, session.LongAgo}
	for i := range a.Events {
		e := &a.Events[i]
		if len(p.followed) > 0 {
			p.countVersion(e)
		}
		row := p.places.rows[e.Endpoint] - 1
		if row < 0 {
			continue
		}
		last := &p.last[row]
		if last.actor != id {
			*last = lastUse{actor: id}
		}
		switch {
		case e.Outcome == timeline.Unauthorized:
			if r := p.d.Refusals.At(int(e.Refusal)); p.d.challenge(e.Refusal, r) || r.Entry {
				continue
			}
			if last.refused == 0 || e.Time-last.refused > session.Nearby {
				p.count(e, row, last, true)
			}
			last.refused = e.Time
		case e.Outcome == timeline.Accepted, e.Outcome == timeline.Redirected && p.d.Roles[e.Endpoint]&session.SignsIn != 0:
			last.refused = 0
			if step := p.clock.at(e.Time) + 1; last.accepted != step {
				last.accepted = step
				p.count(e, row, last, false)
				continue
			}
			for _, column := range p.places.columns[e.Client.Agent] {
				if n := p.places.uses[row][column] - 1; n >= 0 {
					p.noteAccepted(int32(n), last.accepted-1, e.Time, false)
				}
			}
		}
	}
}

// count counts an actor as refused or accepted, in its step and once in its period.
func (p *softwarePart) count(e *timeline.Event, row int32, last *lastUse, refused bool) {
	period, which := p.strata.clock.at(e.Time), 0
	if refused {
		which = 1
	}
	isNew := last.counted[which] != period+1
	last.counted[which] = period + 1
	if isNew {
		p.strata.routes[row][period].Add(refused)
	}
	for _, column := range p.places.columns[e.Client.Agent] {
		n := int32(p.places.uses[row][column]) - 1
		if n < 0 {
			continue
		}
		if isNew {
			p.strata.uses[n][period].Add(refused)
		}
		if step := p.clock.at(e.Time); refused {
			p.addRefused(n, step, e.Time, true)
		} else {
			p.noteAccepted(n, step, e.Time, true)
		}
	}
}

// wants leaves out all actors if nothing is followed, and those with another user agent if
// only versions are.
func (o *softwareObserver) wants(_ uint32, w timeline.ActorSummary) bool {
	return len(o.uses) > 0 || len(o.followed) > 0 && (!w.Only || o.follows(w.Client.Agent))
}

// dismissed reports whether no use refuses a share of its actors that shows a failure, even
// if each refusal is that of another actor, and there are no versions to follow.
func (o *softwareObserver) dismissed(weight int32) bool {
	if len(o.followed) > 0 {
		return false
	}
	cells := sumTallies(collect(o.parts, func(p *softwarePart) *tallies { return &p.tallies }))
	weigh(cells, weight)
	for i, r := range o.d.Refusals.All() {
		row := o.places.rows[r.Endpoint] - 1
		if row < 0 || !o.d.open(i) {
			continue
		}
		for _, column := range o.places.columns[r.Agent] {
			if n := o.places.uses[row][column] - 1; n >= 0 {
				cells[n][o.d.Step(r.Time)].refused++
			}
		}
	}
	fails := func(steps []cell) bool {
		s, ok := refusingSpan(steps, softwareShare)
		return ok && stats.WilsonLower(s.Hits, s.Trials, stats.Z95) >= softwareLower
	}
	return !slices.ContainsFunc(cells, fails)
}

func (o *softwareObserver) gather() {
	for _, p := range o.parts {
		o.strata.merge(&p.strata)
	}
	o.cells = sumTallies(collect(o.parts, func(p *softwarePart) *tallies { return &p.tallies }))
	o.versionCells = sumTallies(collect(o.parts, func(p *softwarePart) *tallies { return &p.versions }))
	o.parts = nil
}

// against returns the strata of a use against all other software on the route, and the
// others' sum.
func (o *softwareObserver) against(n int) (strata []stats.Stratum, others stats.Cell) {
	routes := o.strata.routes[o.places.rows[o.uses[n].endpoint]-1]
	for period, own := range o.strata.uses[n] {
		if own.Trials == 0 {
			continue
		}
		rest := routes[period].Minus(own)
		strata = append(strata, stats.Stratum{Group: own, Others: rest})
		others.Merge(rest)
	}
	return strata, others
}

// failingUse is a use that is refused.
type failingUse struct {
	place  int
	span   span
	lower  float64
	odds   float64
	p      float64
	others stats.Cell
}

func inspectSoftware(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*softwareObserver)
	tests := make([]failingUse, len(o.uses))
	p := make([]float64, len(o.uses))
	for n := range o.uses {
		var strata []stats.Stratum
		strata, tests[n].others = o.against(n)
		p[n], tests[n].odds = stats.CochranMantelHaenszel(strata)
	}
	failing := map[uint32][]failingUse{} // by software
	for n, adjusted := range stats.BenjaminiHochbergAmong(p, o.tests) {
		t := &tests[n]
		var ok bool
		t.place, t.p = n, adjusted
		if t.span, ok = refusingSpan(o.cells[n], softwareShare); !ok || adjusted > softwareFalse || t.odds < softwareOdds {
			continue
		}
		s := o.uses[n].software
		if t.lower = stats.WilsonLower(t.span.Hits, t.span.Trials, stats.Z95); t.lower >= softwareLower && !d.refusesPeople(o.uses[n].endpoint, s) {
			failing[s] = append(failing[s], *t)
		}
	}
	var found []candidate
	worse := map[uint32]candidate{}
	for _, t := range o.compare() {
		if _, known := worse[t.version]; known {
			continue // what it does not renew is refused
		}
		if c, ok := o.failingVersion(&t); ok {
			worse[t.version] = c
		}
	}
	for s := range uint32(len(o.software.names)) {
		everywhere, all := worse[s]
		c, ok := candidate{}, false
		if len(failing[s]) > 0 && !o.oneVersion(s, failing) {
			c, ok = o.failing(s, failing[s])
		}
		if details, _ := c.Details.(*FailingSoftware); ok && all && details.Renewal {
			found = append(found, o.withConsequences(c, &everywhere))
			continue
		}
		switch {
		case all && (!ok || float64(len(c.claims)) < versionOnRoutes*float64(len(everywhere.claims))):
			found = append(found, everywhere)
		case ok:
			found = append(found, c)
		}
	}
	return found, nil
}

// withConsequences returns the finding of software that cannot renew its tokens, with its
// refusals everywhere since then: they expire.
func (o *softwareObserver) withConsequences(c candidate, everywhere *candidate) candidate {
	first := o.d.Refusals.At(int(c.claims[0])).Time
	for i, r := range o.d.Refusals.Of(slices.Values(everywhere.claims)) {
		if r.Time >= first {
			c.claims = append(c.claims, i)
		}
	}
	slices.Sort(c.claims)
	c.claims = slices.Compact(c.claims)
	routes := map[uint32]int{}
	for _, r := range o.d.Refusals.Of(slices.Values(c.claims)) {
		routes[r.Endpoint]++
	}
	details := *c.Details.(*FailingSoftware)
	route := details.Route
	details.Routes = nil
	o.countRoutes(&details, routes)
	details.Route, c.Details = route, &details
	return c
}

// oneVersion reports whether software is a family of which a single version fails.
func (o *softwareObserver) oneVersion(s uint32, failing map[uint32][]failingUse) bool {
	versions := 0
	for v := range failing {
		if o.software.family[v] == s+1 {
			versions++
		}
	}
	return versions == 1
}

// failing returns the finding of software that fails on some routes.
func (o *softwareObserver) failing(s uint32, uses []failingUse) (c candidate, ok bool) {
	worst := slices.MinFunc(uses, func(a, b failingUse) int {
		return cmp.Or(cmp.Compare(b.span.Hits, a.span.Hits), cmp.Compare(a.place, b.place))
	})
	details := &FailingSoftware{
		RefusedShare: result.Share(round(float64(worst.span.Hits)/float64(worst.span.Trials), 4)), RefusedLow: result.Share(round(worst.lower, 4)),
		OthersShare: result.Share(round(shareOf(worst.others), 4)), OddsRatio: round(min(worst.odds, 1e6), 1), PValue: result.Probability(worst.p),
	}
	onset, accepted := int64(math.MaxInt64), false
	routes, renewals := map[uint32]int{}, 0
	for _, u := range uses {
		first, claims := o.claimUse(s, &u)
		for _, r := range o.d.Refusals.Of(slices.Values(claims)) {
			routes[r.Endpoint]++
			if r.SignIn || r.Renewal {
				renewals++
			}
		}
		c.claims = append(c.claims, claims...)
		accepted = accepted || u.span.accepted
		onset = min(onset, first)
	}
	details.Refused = distinctActors(o.d, c.claims)
	proven := map[uint32]bool{}
	for _, r := range o.d.Refusals.Of(slices.Values(c.claims)) {
		if o.software.ofMember(o.d, r) {
			proven[r.Actor] = true
		}
	}
	if len(proven) < softwareActors || float64(len(proven)) < softwareProven*float64(details.Refused) {
		return c, false
	}
	slices.Sort(c.claims)
	o.countRoutes(details, routes)
	details.Renewal = 2*renewals > len(c.claims)
	details.NoCredentials = !details.Renewal && o.naked(s, c.claims)
	endpoint := o.uses[worst.place].endpoint
	details.Versions = o.versions(s, func(r *session.Refusal) bool { return r.Endpoint == endpoint })
	details.Ongoing = o.d.ongoing(c.claims[len(c.claims)-1])
	if !accepted && (onset <= o.d.From+session.Nearby || !o.appeared(s, onset)) {
		onset = session.Never
	}
	o.complete(&c, s, details, onset)
	c.Confidence, c.Exhibit = confidence(worst.p, worst.lower), o.d.actorTrend(o.cells[worst.place])
	return c, true
}

// complete fills in the fields of a finding about software that follow from its details,
// and its onset in Unix milliseconds, session.Never for none.
func (o *softwareObserver) complete(c *candidate, s uint32, details *FailingSoftware, onset int64) {
	c.Subject, c.Onset = result.Subject{Type: "client_software", UserAgent: o.software.names[s]}, parse.NoTime
	if onset != session.Never {
		c.Onset = onset * 1000
		high := result.Time(c.Onset)
		details.OnsetHigh = &high
	}
	c.Severity = result.Medium
	if details.Ongoing && details.Refused >= outageHigh && float64(details.Refused) >= outagePeople*float64(o.d.Actors) {
		c.Severity = result.High
	}
	c.Details = details
}

// countRoutes sets the routes of the details.
func (o *softwareObserver) countRoutes(details *FailingSoftware, routes map[uint32]int) {
	details.RouteCount = len(routes)
	for len(routes) > 0 && len(details.Routes) < maxOthers {
		r := mostAsked(routes)
		details.Routes = append(details.Routes, endpointLabel(&o.d.State.Endpoints[r]))
		delete(routes, r)
	}
	details.Route = details.Routes[0]
}

// naked reports whether nearly all refused requests of software lack the credentials that
// its clients send otherwise, in a log that would show them.
func (o *softwareObserver) naked(s uint32, claims []uint32) bool {
	n := 0
	for _, r := range o.d.Refusals.Of(slices.Values(claims)) {
		if !r.Named && !r.Session {
			n++
		}
	}
	return (o.d.State.Sessions || len(o.d.State.Users) > 0) && float64(n) >= softwareNaked*float64(len(claims)) && o.credentialed(s)
}

// claimUse returns the refusals of a failing use, and the time of the first.
func (o *softwareObserver) claimUse(s uint32, u *failingUse) (onset int64, claims []uint32) {
	endpoint := o.uses[u.place].endpoint
	start, end := session.LongAgo, session.Never
	onset = session.Never
	if u.span.accepted {
		start, _ = o.d.onsetOf(o.cells[u.place], u.span)
	}
	if u.span.to < session.MaxSteps {
		end = o.d.From + int64(u.span.to)*o.d.Width
	}
	for i, r := range o.d.Refusals.All() {
		of := o.software.of[r.Agent]
		if r.Endpoint != endpoint || of[0] != s+1 && of[1] != s+1 || !o.d.open(i) || r.Time >= end || r.Time < start && !o.d.failsUntil(r, start) {
			continue
		}
		claims = append(claims, uint32(i))
		onset = min(onset, r.Time)
	}
	return onset, claims
}

// failsUntil reports whether a client that had been accepted is refused until a time or
// longer, and was not accepted again: it was the first of several whose tokens expired.
func (d *Diagnosis) failsUntil(r *session.Refusal, ms int64) bool {
	c := d.Clients[r.Client()]
	return c != nil && r.Known && c.Tally.LastAccepted != parse.NoTime && c.Tally.LastAccepted < r.Time*1000 && c.Tally.LastRefused >= ms*1000
}

// credentialed reports whether most requests of software carry a session or a user, by
// its refused clients on other routes.
func (o *softwareObserver) credentialed(s uint32) bool {
	for c, n := range o.d.Clients {
		if of := o.software.of[c.Agent]; (of[0] == s+1 || of[1] == s+1) && (n.Users > 0 || n.Sessions > 0) {
			return true
		}
	}
	return false
}

// versions returns the other versions of the family with their refusals that match.
func (o *softwareObserver) versions(s uint32, matches func(*session.Refusal) bool) (list []string) {
	family := o.software.family[s]
	if family == 0 {
		return nil
	}
	refused := map[uint32]int64{}
	for i, r := range o.d.Refusals.All() {
		if !o.d.challenge(uint32(i), r) && matches(r) {
			refused[o.software.of[r.Agent][0]]++
		}
	}
	for v := range uint32(len(o.software.names)) {
		if v != s && o.software.family[v] == family && len(list) < maxOthers {
			list = append(list, fmt.Sprintf("%s (%d refused)", o.software.names[v], refused[v+1]))
		}
	}
	return list
}
