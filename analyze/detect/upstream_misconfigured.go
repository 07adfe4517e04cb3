package detect

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// upstreamMisconfigured finds a backend, or a server by its log, that refuses what the
// others accept.
//
// Sign: on the same routes in the same hours, clients are refused by one backend and
// accepted by the others, on many routes; not necessarily all of them: a late clock
// refuses fresh tokens, a stale key those of the new one. Not: a route that is broken
// on all of them, one that only this backend serves, sessions that have ended (no
// backend accepts them).
//
// Statistic: by backend, Cochran, Mantel and Haenszel's test over the strata route
// × hour, each actor counted once per stratum, adjusted by Benjamini and Hochberg;
// Wilson's lower bound of the share refused while it lasts; the change-point of
// that share over time (stats.Segment) is the onset.
var upstreamMisconfigured = Kind{
	Name:     "upstream_misconfigured",
	Label:    "Misconfigured backend",
	Meaning:  "One backend of several refuses what the others accept.",
	Category: UpstreamCategory,
	Subjects: []string{"upstream", "server"},
	Needs:    []string{needTime, needStatus, needPath, needClient, needUpstream},
	Uses:     []parse.Extra{parse.ExtraUpstream, parse.ExtraUpstreamStatus},
	Details:  func() any { return new(BadUpstream) },
	Title:    `{{with .Subject.Server}}Server {{.}}{{else}}Backend {{.Subject.Upstream}}{{end}} refuses {{if .Details.SignIn}}sign-ins{{else}}sessions{{end}} that the other {{if .Subject.Server}}servers{{else}}backends{{end}} accept, {{since .Onset}}`,
	Explanation: `{{with .Details}}
		{{share .RefusedShare}} of the clients that reached {{if $.Subject.Server}}this server{{else}}this backend{{end}} {{if .SignIn}}to sign in{{else}}with a session{{end}} were refused (at least {{share .RefusedLow}} with 95% confidence), on {{count .Routes "route"}}.
		The others accepted clients on the same routes in the same hours{{if lt .OddsRatio 1000.0}}: the odds of a refusal are {{fixed 0 .OddsRatio}} times as high here{{else}} and refused next to none{{end}}.
		{{if .Fresh}}It refuses sessions soon after they began and accepts older ones, as a server does whose clock is late.{{end}}
		Users see it only some of the time, because their next request may reach another one and succeed.
		{{if .Ongoing}}It still fails at the end of the log.{{else}}It stopped before the end of the log.{{end}}{{end}}`,
	Remedy: []string{
		`Take the backend out of the pool until it accepts sessions again (nginx: down on its server line in the upstream block; HAProxy: disable server).`,
		`{{if .Details.SignIn}}Check what it asks to verify passwords, from that machine: the directory or identity provider, its certificate authority, name resolution and firewall. {{end}}Compare it with a backend that works: signing key or JWKS cache, clock (chronyc tracking), environment and secrets, version, and access to the shared session store.`,
		`Do not use sticky sessions (ip_hash, sticky cookie) as a cure: they hide the fault from most clients and lock out the rest.`,
	},
	observe: observeUpstreams,
	inspect: inspectUpstreams,
	rest:    restOfUpstreams,
}

// BadUpstream is the details of an upstream_misconfigured finding.
type BadUpstream struct {
	RefusedShare result.Share       `json:"refused_share"`
	RefusedLow   result.Share       `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	OddsRatio    float64            `json:"odds_ratio"`                                         // at most a million
	PValue       result.Probability `json:"p_value"`
	Routes       int                `json:"routes"`                  // that refused
	Others       []string           `json:"others"`                  // the other backends with their counts
	Ongoing      bool               `json:"ongoing"`                 // at the end of the log
	Fresh        bool               `json:"fresh_refused,omitempty"` // it refuses sessions soon after their sign-in
	SignIn       bool               `json:"sign_in,omitempty"`       // it refuses to sign people in
}

const (
	// upstreamRefused is the minimum number of refusals of good sessions.
	upstreamRefused = 10
	// upstreamShare is the share of the actors refused while it lasts that is always
	// enough. Less is enough if it is upstreamTimes that of the others and at least
	// upstreamLeast: a late clock refuses fresh tokens only.
	upstreamShare = 0.6
	upstreamTimes = 3
	upstreamLeast = 0.1
	// upstreamCore is the least share of refusals, in that of the whole time, of a part
	// of the time that belongs to the fault.
	upstreamCore = 0.6
	// upstreamLower is the minimum of the lower bound of that share.
	upstreamLower = 0.07
	// upstreamUneven is the least ratio of its refusals to those of the backend
	// with fewest.
	upstreamUneven = 2
	// upstreamCrossed is the minimum share of the actors it refuses that another
	// backend accepts in the same hour: others' clients may differ.
	upstreamCrossed = 0.3
	// upstreamSpread is the part of the share of the others' actors that come to several
	// backends in an hour which suffices for those that it refuses. Where clients stick to a
	// backend, hardly any cross; then at least stickyActors must be refused at stickyOdds, as
	// no chance difference between the clients of two backends does.
	upstreamSpread = 0.5
	stickyActors   = 20
	stickyOdds     = 50
	// changedOdds is enough instead of stickyOdds if the place accepted before: different
	// people at the places differ all the time.
	changedOdds = 20
	// closedPlace is the lower bound of the refused share from which on a place that accepted
	// before refuses everybody, and outageActors are enough.
	closedPlace = 0.8
	// freshAge is how soon after a sign-in, in milliseconds, a token is fresh, and
	// freshRefused and freshAccepted the shares of fresh ones among those refused and
	// accepted that show a clock that is late: they are off by minutes.
	freshAge      = 5 * 60_000
	freshRefused  = 0.8
	freshAccepted = 0.5
	// upstreamOdds is the minimum odds ratio of a refusal against the others.
	upstreamOdds = 5
	// mixedOdds is enough where clients come to the places at random: mixedCrossed of those
	// that it refuses, and mixedSpread of the others' in an hour. Then they do not differ
	// between the places, and what the places refuse does not either, unless one is at fault.
	mixedOdds    = 2
	mixedCrossed = 0.9
	mixedSpread  = 0.7
	// upstreamActors is the minimum number of distinct actors refused.
	upstreamActors = 4
	// upstreamFalse is the accepted rate of false reports over the backends.
	upstreamFalse = 0.001
	// upstreamRoutes is the minimum number of distinct routes that refuse: if there
	// is only one, the route is at fault.
	upstreamRoutes = 2
	// maxOthers is the maximum number of other backends in the details.
	maxOthers = 10
)

// placeRefusal reports whether a refusal counts: of a client that was accepted before, or
// is soon after. Ordinary ends of sessions come to all backends alike.
func placeRefusal(r *session.Refusal) bool {
	return !r.SignIn && (r.Known || r.Good || r.Session) && r.Cause != session.Challenge
}

// partition divides the requests, or those to sign in, by backend, or by the server whose
// log they are in. A backend that cannot ask the directory refuses to sign people in, and
// accepts their sessions.
type partition struct {
	names  []string
	server bool
	signIn bool
	of     func(e *timeline.Event) int                        // number of the place, -1 for none
	refuse func(refusal int, r *session.Refusal) (number int) // the same of a refusal
}

// matters reports whether a refusal counts; see placeRefusal.
func (x *partition) matters(r *session.Refusal) bool {
	if x.signIn {
		return r.SignIn && r.Cause != session.Challenge
	}
	return placeRefusal(r)
}

// asks reports whether requests to an endpoint of a role count.
func (x *partition) asks(role session.Role) bool {
	if x.signIn {
		return role.Begins()
	}
	return role&session.Guards != 0
}

// least returns the minimum number of distinct routes that refuse.
func (x *partition) least() int {
	if x.signIn {
		return 1
	}
	return upstreamRoutes
}

// placesOf returns the divisions of a log that has several places.
func placesOf(d *Diagnosis) (all []partition) {
	s := d.State
	if len(s.Upstreams) > 1 {
		names := make([]string, len(s.Upstreams))
		for i := range names {
			names[i] = s.Upstreams[i].Name
		}
		all = append(all, partition{
			names: names, of: func(e *timeline.Event) int { return int(e.Upstream) - 1 },
			refuse: func(_ int, r *session.Refusal) int { return int(r.Upstream) - 1 },
		})
	}
	if len(s.Servers) > 1 {
		all = append(all, partition{
			names: s.Servers, server: true, of: func(e *timeline.Event) int { return e.Origin.Server() - 1 },
			refuse: func(i int, _ *session.Refusal) int { return int(s.ServerOf[s.Refusals.At(i).Input]) - 1 },
		})
	}
	for _, x := range all[:len(all):len(all)] {
		x.signIn = true
		all = append(all, x)
	}
	return all
}

// stratum is a route in an hour, at one place.
type stratum struct {
	endpoint uint32
	hour     int32
	place    int32
}

// placeObserver follows the places of one partition over time, and counts actors by
// stratum. A request takes constant time. The strata are sorted once, and the others of a
// place are all without it, so that each stratum is looked at once however many places
// there are.
type placeObserver struct {
	o *seriesObserver
	partition
	strata map[stratum]*stats.Cell // distinct actors; hits are refused
	// The strata of each place by endpoint and hour, the sums of all places by group of the
	// same endpoint and hour, and the sum of these.
	ofPlace [][]groupedCell
	groups  []stats.Cell
	all     stats.Cell
	// crossed counts, by place, the actors that it refused; hits were accepted by
	// another place in the same hour.
	crossed []stats.Cell
	// spread counts, by place, the actors and hours that it accepted; hits were accepted
	// by another place, too.
	spread []stats.Cell
	fresh  [][2]stats.Cell // by place: requests accepted, and refused; hits soon after a sign-in
	parts  []*placePart
}

// upstreamObserver follows all divisions.
type upstreamObserver []*placeObserver

func observeUpstreams(d *Diagnosis) observer {
	var all upstreamObserver
	for _, x := range placesOf(d) {
		counts, strangers := make([]int64, len(x.names)), make([]int64, len(x.names))
		for i, r := range d.eachOpen() {
			n := x.refuse(i, r)
			if n < 0 {
				continue
			}
			if !x.signIn {
				strangers[n]++
			}
			if x.matters(r) {
				counts[n]++
			}
		}
		list := unevenPlaces(counts)
		if len(list)+len(unevenPlaces(strangers)) == 0 { // of strangers, the rest is looked at; see restOfUpstreams
			continue
		}
		series := d.series(list, len(counts), func(e *timeline.Event) int {
			if !x.asks(d.Roles[e.Endpoint]) {
				return -1
			}
			return x.of(e)
		}, func(e *timeline.Event) bool { return x.matters(d.Refusals.At(int(e.Refusal))) })
		all = append(all, &placeObserver{
			o: series, partition: x, strata: map[stratum]*stats.Cell{},
			crossed: make([]stats.Cell, len(x.names)), spread: make([]stats.Cell, len(x.names)), fresh: make([][2]stats.Cell, len(x.names)),
		})
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// unevenPlaces returns the places that have more refusals than the least of them by a
// factor: without such, none is worse than the others.
func unevenPlaces(counts []int64) []uint32 {
	least := slices.Min(counts)
	list := topKeys(counts, max(upstreamRefused, upstreamUneven*least))
	return list
}

func (all upstreamObserver) part() func(*timeline.Actor, uint32) {
	parts := make([]func(*timeline.Actor, uint32), len(all))
	for i, o := range all {
		parts[i] = o.part()
	}
	return func(a *timeline.Actor, id uint32) {
		for _, part := range parts {
			part(a, id)
		}
	}
}

func (all upstreamObserver) gather() {
	for _, o := range all {
		o.gather()
	}
}

// placePart is the part of a placeObserver that belongs to one goroutine.
type placePart struct {
	*placeObserver // read only
	strata         map[stratum]*stats.Cell
	crossed        []stats.Cell
	spread         []stats.Cell
	fresh          [][2]stats.Cell
	seen           map[stratum]uint8 // of the actor: 1 accepted, 2 refused
}

func (o *placeObserver) part() func(*timeline.Actor, uint32) {
	follow := o.o.part()
	p := &placePart{
		placeObserver: o, strata: map[stratum]*stats.Cell{}, crossed: make([]stats.Cell, len(o.names)), spread: make([]stats.Cell, len(o.names)),
		fresh: make([][2]stats.Cell, len(o.names)), seen: map[stratum]uint8{},
	}
	o.parts = append(o.parts, p)
	return func(a *timeline.Actor, id uint32) {
		follow(a, id)
		p.actor(a)
	}
}

func (p *placePart) actor(a *timeline.Actor) {
	clear(p.seen)
	signedIn := session.LongAgo
	for i := range a.Events {
		e := &a.Events[i]
		if p.o.d.Roles[e.Endpoint]&session.SignsIn != 0 && e.Outcome <= timeline.Redirected {
			signedIn = e.Time
		}
		refused := e.Refusal != timeline.NoRefusal && p.matters(p.o.d.Refusals.At(int(e.Refusal)))
		accepted := e.Outcome == timeline.Accepted || p.signIn && p.o.d.accepted(a, i)
		place := p.of(e)
		if place < 0 || !refused && !accepted || !p.asks(p.o.d.Roles[e.Endpoint]) {
			continue
		}
		bit := uint8(1)
		if refused {
			bit = 2
		}
		if signedIn != session.LongAgo {
			p.fresh[place][bit-1].Add(e.Time-signedIn <= freshAge)
		}
		key := stratum{e.Endpoint, int32(e.Time / 3_600_000), int32(place)}
		if p.seen[key]&bit != 0 {
			continue
		}
		p.seen[key] |= bit
		n := p.strata[key]
		if n == nil {
			n = &stats.Cell{}
			p.strata[key] = n
		}
		n.Add(refused)
	}
	p.cross()
}

// cross counts the places that refused the actor, and whether another place accepted it
// in the same hour.
func (p *placePart) cross() {
	accepted := map[int32]int32{} // by hour: the place that accepted it, -1 for several
	for key, bits := range p.seen {
		if bits&1 == 0 {
			continue
		}
		if was, ok := accepted[key.hour]; ok && was != key.place {
			accepted[key.hour] = -1
		} else {
			accepted[key.hour] = key.place
		}
	}
	type placeHour struct{ place, hour int32 }
	counted := map[placeHour]bool{}
	refused := map[int32]bool{} // by place: accepted elsewhere
	for key, bits := range p.seen {
		if bits&2 != 0 {
			at, ok := accepted[key.hour]
			refused[key.place] = refused[key.place] || ok && at != key.place
		}
		if at := (placeHour{key.place, key.hour}); bits&1 != 0 && !counted[at] {
			counted[at] = true
			p.spread[key.place].Add(accepted[key.hour] < 0)
		}
	}
	for place, crossed := range refused {
		p.crossed[place].Add(crossed)
	}
}

func (o *placeObserver) gather() {
	o.o.gather()
	for _, p := range o.parts {
		for key, n := range p.strata {
			sum := o.strata[key]
			if sum == nil {
				sum = &stats.Cell{}
				o.strata[key] = sum
			}
			sum.Merge(*n)
		}
		for n := range o.names {
			o.crossed[n].Merge(p.crossed[n])
			o.spread[n].Merge(p.spread[n])
			o.fresh[n][0].Merge(p.fresh[n][0])
			o.fresh[n][1].Merge(p.fresh[n][1])
		}
	}
	o.parts = nil
	o.group()
}

// groupedCell is the cell of a stratum, and the number of its group.
type groupedCell struct {
	stats.Cell
	group int32
}

// group sets ofPlace, groups and all.
func (o *placeObserver) group() {
	sorted := slices.SortedFunc(maps.Keys(o.strata), func(a, b stratum) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.hour, b.hour), cmp.Compare(a.place, b.place))
	})
	o.ofPlace = make([][]groupedCell, len(o.names))
	for i, key := range sorted {
		if i == 0 || sorted[i-1].endpoint != key.endpoint || sorted[i-1].hour != key.hour {
			o.groups = append(o.groups, stats.Cell{})
		}
		n, last := *o.strata[key], len(o.groups)-1
		o.groups[last].Merge(n)
		o.all.Merge(n)
		o.ofPlace[key.place] = append(o.ofPlace[key.place], groupedCell{n, int32(last)})
	}
}

// against returns the strata of a place with the sums of all others, and the sum of the
// others. Strata without the place are left out: they say nothing about it.
func (o *placeObserver) against(place int32) (list []stats.Stratum, others stats.Cell) {
	others = o.all
	for _, own := range o.ofPlace[place] {
		list = append(list, stats.Stratum{Group: own.Cell, Others: o.groups[own.group].Minus(own.Cell)})
		others = others.Minus(own.Cell)
	}
	return list, others
}

func inspectUpstreams(d *Diagnosis, seen observer) (found []candidate, err error) {
	if seen == nil {
		return nil, nil
	}
	for _, o := range seen.(upstreamObserver) {
		found = append(found, o.inspect()...)
	}
	return found, nil
}

// badPlace is a place that refuses what others accept.
type badPlace struct {
	number  uint32
	cells   []cell
	span    span
	lower   float64
	p, odds float64
}

func (o *placeObserver) inspect() (found []candidate) {
	p, bad := make([]float64, len(o.o.keys)), make([]badPlace, len(o.o.keys))
	for n, u := range o.o.keys {
		strata, others := o.against(int32(u))
		b := &bad[n]
		b.number, b.cells = u, o.o.cells[n]
		p[n], b.odds = stats.CochranMantelHaenszel(strata)
		share := min(upstreamShare, max(upstreamLeast, upstreamTimes*shareOf(others)))
		var ok bool
		if b.span, ok = refusingSpan(b.cells, share); !ok {
			b.odds = 0
		} else if o.refusesFresh(u) {
			for step := b.span.to; step < len(b.cells); step++ {
				if b.cells[step].refused > 0 {
					b.span.to = step + 1 // few sign in later in the day
				}
			}
		} else if core, ok := refusingSpan(b.cells, max(share, upstreamCore*shareOf(b.span.Cell))); ok {
			b.span = core // what refuses far less before or after is another trouble
		}
		b.lower = stats.WilsonLower(b.span.Hits, b.span.Trials, stats.Z95)
	}
	for n, adjusted := range stats.BenjaminiHochberg(p) {
		b := &bad[n]
		b.p = adjusted
		if b.p > upstreamFalse || b.odds < o.leastOdds(b.number) || b.lower < upstreamLower || !o.crosses(b) {
			continue
		}
		if c, ok := o.candidate(b); ok {
			found = append(found, c)
		}
	}
	return found
}

// crosses reports whether enough of the actors that a place refuses are accepted
// elsewhere: as many as can be expected.
func (o *placeObserver) crosses(b *badPlace) bool {
	crossed, sticky, actors := o.crossed[b.number], float64(stickyOdds), int64(stickyActors)
	if b.span.accepted {
		sticky = changedOdds
		if b.lower >= closedPlace {
			actors = outageActors
		}
	}
	return shareOf(crossed) >= upstreamCrossed || !o.signIn && // who guesses comes to one backend, too
		crossed.Trials >= actors && b.odds >= sticky && shareOf(crossed) >= upstreamSpread*o.spreadOfOthers(b.number)
}

// leastOdds returns the odds ratio from which on a place is at fault.
func (o *placeObserver) leastOdds(place uint32) float64 {
	if shareOf(o.crossed[place]) >= mixedCrossed && o.spreadOfOthers(place) >= mixedSpread {
		return mixedOdds
	}
	return upstreamOdds
}

// spreadOfOthers returns the share of the actors of other places that come to several.
func (o *placeObserver) spreadOfOthers(place uint32) float64 {
	var sum stats.Cell
	for n, x := range o.spread {
		if uint32(n) != place {
			sum.Merge(x)
		}
	}
	return shareOf(sum)
}

func (o *placeObserver) candidate(b *badPlace) (candidate, bool) {
	var cand candidate
	onset, _ := o.o.d.onsetOf(b.cells, b.span)
	// The backend may accept some requests while it is faulty, so the onset is the
	// first refusal rather than the last acceptance.
	start := int64(math.MinInt64)
	if b.span.accepted {
		start = onset
	}
	end := o.o.d.From + int64(b.span.to)*o.o.d.Width
	routes := map[uint32]bool{}
	for i, r := range o.o.d.eachOpen() {
		if o.refuse(i, r) != int(b.number) || !o.matters(r) && (o.signIn || !o.o.d.inOutageOf(i, r, o.kind().is)) || r.Time < start || b.span.to < session.MaxSteps && r.Time >= end {
			continue
		}
		cand.claims = append(cand.claims, uint32(i))
		routes[r.Endpoint] = true
	}
	if len(cand.claims) < upstreamRefused || distinctActors(o.o.d, cand.claims) < upstreamActors || len(routes) < o.least() {
		return cand, false
	}
	cand.Subject, cand.Onset = o.subject(b.number), parse.NoTime
	if b.span.accepted {
		cand.Onset = onset * 1000
	}
	cand.Confidence = confidence(b.p, max(b.lower, 1-o.leastOdds(b.number)/b.odds))
	cand.Severity = result.Medium
	ongoing := b.span.to == session.MaxSteps || o.o.d.ongoing(cand.claims[len(cand.claims)-1])
	if ongoing {
		cand.Severity = result.High
	}
	counts := o.counts()
	cand.Exhibit = o.exhibit(b.number, counts)
	details := &BadUpstream{
		RefusedShare: result.Share(round(float64(b.span.Hits)/float64(b.span.Trials), 4)), RefusedLow: result.Share(round(b.lower, 4)),
		OddsRatio: round(min(b.odds, 1e6), 1), PValue: result.Probability(b.p),
		Routes: len(routes), Others: o.others(b.number, counts), Ongoing: ongoing, SignIn: o.signIn,
	}
	details.Fresh = o.refusesFresh(b.number)
	cand.Details = details
	return cand, true
}

// refusesFresh reports whether a place refuses sessions soon after their sign-in, and hardly
// any others: how much it refuses depends on how many sign in.
func (o *placeObserver) refusesFresh(place uint32) bool {
	accepted, refused := o.fresh[place][0], o.fresh[place][1]
	return !o.signIn && refused.Trials >= upstreamRefused && shareOf(refused) >= freshRefused && shareOf(accepted) <= freshAccepted
}

// kind returns the type of the keys of the places.
func (o *placeObserver) kind() contrastType {
	if o.server {
		return serverContrast
	}
	return backendContrast
}

// subject returns the subject of a place.
func (o *placeObserver) subject(place uint32) result.Subject {
	if o.server {
		return result.Subject{Type: "server", Server: o.names[place]}
	}
	return result.Subject{Type: "upstream", Upstream: o.names[place]}
}

// counts returns the requests by place; hits are refused.
func (o *placeObserver) counts() []stats.Cell {
	n := make([]stats.Cell, len(o.names))
	if o.server || o.signIn {
		for key, c := range o.strata { // actors and hours: requests are not counted by server, nor those to sign in
			n[key.place].Merge(*c)
		}
		return n
	}
	for i := range n {
		u := &o.o.d.State.Upstreams[i]
		refused := u.N[timeline.Unauthorized]
		n[i] = stats.Cell{Hits: refused, Trials: refused + u.N[timeline.Accepted]}
	}
	return n
}

// exhibit compares a faulty place with the others.
func (o *placeObserver) exhibit(faulty uint32, counts []stats.Cell) *result.Exhibit {
	x := &result.Exhibit{Counts: result.CountsByUpstream}
	if o.server {
		x.Counts = result.CountsByServer
	}
	for i, n := range counts {
		p := result.Part{Name: result.Clean(o.names[i]), Refused: n.Hits, Accepted: n.Trials - n.Hits, Marked: uint32(i) == faulty}
		if p.Marked {
			x.Parts = slices.Insert(x.Parts, 0, p)
		} else if len(x.Parts) < maxParts {
			x.Parts = append(x.Parts, p)
		}
	}
	return x
}

// others returns the other places with their counts, at most maxOthers.
func (o *placeObserver) others(place uint32, counts []stats.Cell) (others []string) {
	for i, n := range counts {
		if uint32(i) != place && len(others) < maxOthers {
			others = append(others, fmt.Sprintf("%s: %d accepted, %d refused", o.names[i], n.Trials-n.Hits, n.Hits))
		}
	}
	return others
}
