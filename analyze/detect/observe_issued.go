package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// Two walks look for routes that take credentials of their own. The first one visits the
// actors that such a route refused, and learns what they request before it accepts them again.
// The second one measures how old the credential is at each request: the time since the actor
// last requested what hands it out.

const (
	// recentIssuers is the number of endpoints that are remembered between a refusal and the
	// acceptance: a new link is fetched at once.
	recentIssuers = 6
	// issuersOfRoute is the maximum number of endpoints that may hand out the credentials of a
	// route and are measured, those that most returns have, and issuerShare the minimum share
	// of its returns that such an endpoint must have: what is refused at random is repeated
	// without one.
	issuersOfRoute = 4
	issuerShare    = 0.3
	// maxIssuedRoutes is the maximum number of routes that are followed.
	maxIssuedRoutes = 16
)

// issuerObserver learns what is requested between a refusal of a route and the next acceptance.
type issuerObserver struct {
	d       *Diagnosis
	members [][]uint32 // by route: its endpoints, ascending
	keys    *keySets   // of endpoints: the routes that they belong to
	actors  actorSet   // refused by the routes
	parts   []*issuerPart
	issued  *issuedObserver // of the second walk; nil if there is none
}

// ofIssued reports whether a refusal may be that of a credential which its route alone takes. A
// program that renews its token at the refusal and goes on loses nothing.
func (d *Diagnosis) ofIssued(i int, r *session.Refusal) bool {
	return d.open(i) && r.Known && !r.SignIn && !r.Renewal && !r.Left && !r.Renewed()
}

// issuedRefusals returns, by endpoint, the refusals that a credential of its own may explain: those
// of living sessions; and all of an endpoint whose odds among the refusals of its site are contrastOdds
// times those among the acceptances at least. What a new credential follows may seem to end a
// session, but sessions end on any route.
func (d *Diagnosis) issuedRefusals() []int64 {
	alive, all := make([]int64, len(d.State.Endpoints)), make([]int64, len(d.State.Endpoints))
	refused, accepted := make([]int64, len(d.Sites)), make([]int64, len(d.Sites))
	for i, r := range d.eachOpen() {
		if to := &d.State.Endpoints[r.Endpoint]; d.ofIssued(i, r) && passed(&to.Tally) > 0 {
			refused[d.SiteOf(r.Endpoint)]++
			if all[r.Endpoint]++; r.Alive {
				alive[r.Endpoint]++
			}
		}
	}
	for i := range all {
		if d.Roles[i]&session.Guards != 0 {
			accepted[d.SiteOf(uint32(i))] += passed(&d.State.Endpoints[i].Tally)
		}
	}
	for i, n := range all {
		if n == 0 {
			continue
		}
		site := d.SiteOf(uint32(i))
		part := float64(passed(&d.State.Endpoints[i].Tally)) / float64(max(accepted[site], 1))
		if stats.Odds(stats.WilsonLower(n, refused[site], stats.Z95)) < contrastOdds*stats.Odds(min(part, 1)) {
			all[i] = alive[i]
		}
	}
	return all
}

// observeIssued returns an observer of the routes that refuse sessions which seem to go on; nil if
// there are none.
func observeIssued(d *Diagnosis) observer {
	counts := d.issuedRefusals()
	o := &issuerObserver{d: d}
	for _, endpoint := range topOf(counts, expiryDeaths, maxIssuedRoutes) {
		o.members = append(o.members, []uint32{endpoint})
	}
	for _, form := range areaForms {
		all := areasOf(d, form, counts, expiryDeaths)
		o.members = append(o.members, all[:min(len(all), maxIssuedRoutes)]...)
	}
	if len(o.members) == 0 {
		return nil
	}
	o.keys = keySetsOf(len(counts), o.members)
	for i, r := range d.eachOpen() {
		if o.keys.of[r.Endpoint] > 0 && d.ofIssued(i, r) {
			o.actors.add(r.Actor)
		}
	}
	return o
}

func (o *issuerObserver) wants(id uint32, _ timeline.ActorSummary) bool { return o.actors.has(id) }

// issuer is an endpoint that may hand out the credentials of a route.
type issuer struct {
	key      int32
	endpoint uint32
}

// issuerPart is the part of one goroutine.
type issuerPart struct {
	*issuerObserver
	returns map[issuer]int64
	all     []int64        // by route: returns
	pending []refusedRoute // of the current actor
}

// refusedRoute is a route that refused the actor and has not accepted it since.
type refusedRoute struct {
	key     int32
	time    int64 // of the last refusal, Unix milliseconds
	between [recentIssuers]uint32
}

// note adds an endpoint that was requested after the refusal.
func (p *refusedRoute) note(endpoint uint32) {
	if i := slices.Index(p.between[:], endpoint+1); i < 0 {
		copy(p.between[1:], p.between[:])
		p.between[0] = endpoint + 1
	}
}

func (o *issuerObserver) part() func(*timeline.Actor, uint32) {
	p := &issuerPart{issuerObserver: o, returns: map[issuer]int64{}, all: make([]int64, len(o.members))}
	o.parts = append(o.parts, p)
	return p.actor
}

// actor follows an actor. Within an instant, the order is unknown: what is refused comes before
// what hands out a new credential, and that before what is accepted.
func (p *issuerPart) actor(a *timeline.Actor, _ uint32) {
	if !a.Continues {
		p.pending = p.pending[:0]
	}
	for i, n := 0, 0; i < len(a.Events); i = n {
		n = timeline.InstantEnd(a.Events, i)
		for j := i; j < n; j++ {
			if e := &a.Events[j]; e.Refusal < timeline.EarlierEvent && p.keys.of[e.Endpoint] > 0 && p.d.ofIssued(int(e.Refusal), p.d.Refusals.At(int(e.Refusal))) {
				p.refuse(e)
			}
		}
		for j := i; j < n && len(p.pending) > 0; j++ {
			if e := &a.Events[j]; mayIssue(p.d, e) {
				for k := range p.pending {
					if x := &p.pending[k]; !p.keys.has(e.Endpoint, x.key) {
						x.note(e.Endpoint)
					}
				}
			}
		}
		for j := i; j < n && len(p.pending) > 0; j++ {
			if e := &a.Events[j]; e.Outcome <= timeline.Redirected && p.keys.of[e.Endpoint] > 0 {
				p.accept(e)
			}
		}
	}
}

// mayIssue reports whether a request may have handed out a credential.
func mayIssue(d *Diagnosis, e *timeline.Event) bool {
	to := &d.State.Endpoints[e.Endpoint]
	return e.Outcome <= timeline.Redirected && to.Method != "OPTIONS" && to.Method != "HEAD" && !to.SignOut && !session.IsAsset(to.Template)
}

func (p *issuerPart) refuse(e *timeline.Event) {
	for _, key := range p.keys.sets[p.keys.of[e.Endpoint]-1] {
		i := slices.IndexFunc(p.pending, func(x refusedRoute) bool { return x.key == key })
		if i < 0 {
			i = len(p.pending)
			p.pending = append(p.pending, refusedRoute{})
		}
		p.pending[i] = refusedRoute{key: key, time: e.Time}
	}
}

func (p *issuerPart) accept(e *timeline.Event) {
	for _, key := range p.keys.sets[p.keys.of[e.Endpoint]-1] {
		i := slices.IndexFunc(p.pending, func(x refusedRoute) bool { return x.key == key })
		if i < 0 {
			continue
		}
		x := p.pending[i]
		p.pending = slices.Delete(p.pending, i, i+1)
		if e.Time-x.time > session.Nearby {
			continue
		}
		p.all[key]++
		for _, endpoint := range x.between {
			if endpoint != 0 {
				p.returns[issuer{key, endpoint - 1}]++
			}
		}
	}
}

func (o *issuerObserver) gather() {
	all, returns := make([]int64, len(o.members)), map[issuer]int64{}
	for _, p := range o.parts {
		for key, n := range p.all {
			all[key] += n
		}
		for x, n := range p.returns {
			returns[x] += n
		}
	}
	o.parts = nil
	list := slices.DeleteFunc(slices.Collect(maps.Keys(returns)), func(x issuer) bool {
		return returns[x] < expiryDeaths || stats.WilsonLower(returns[x], all[x.key], stats.Z95) < issuerShare
	})
	slices.SortFunc(list, func(a, b issuer) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(returns[b], returns[a]), cmp.Compare(a.endpoint, b.endpoint))
	})
	var chosen []issuer
	for _, x := range list {
		if n := len(chosen); n < issuersOfRoute || chosen[n-issuersOfRoute].key != x.key {
			chosen = append(chosen, x)
		}
	}
	if len(chosen) > 0 {
		o.issued = newIssuedObserver(o, chosen)
	}
}

func (o *issuerObserver) further() observer {
	if o.issued == nil {
		return nil
	}
	return o.issued
}

// issuedObserver measures the age of credentials, by pair of a route and what may hand them out.
type issuedObserver struct {
	d       *Diagnosis
	members [][]uint32 // by route
	keys    *keySets   // of endpoints: the routes
	pairs   []issuer
	ofKey   [][]int32 // by route: pairs
	place   []int32   // by endpoint: index into ofPlace plus one, if it may hand out credentials
	ofPlace [][]int32 // pairs
	parts   []*issuedPart
	ages    []issuedAges // by pair
}

// issuedAges are the ages of the credentials of a route when they were used.
type issuedAges struct {
	issued      int64           // credentials
	died, lived stats.Durations // refused first; accepted
	// While a credential was the actor's last one: the greatest age at which another protected
	// route accepted the actor, and the least at which one refused it.
	spared, spoilt stats.Durations
	refused        []agedRefusal
}

// agedRefusal is a refusal by the route, with the age of the credential in milliseconds, of which
// that of 49 days is the greatest.
type agedRefusal struct {
	refusal uint32
	age     uint32
}

func newIssuedObserver(from *issuerObserver, pairs []issuer) *issuedObserver {
	o := &issuedObserver{d: from.d, members: from.members, keys: from.keys, pairs: pairs, ofKey: make([][]int32, len(from.members)), place: make([]int32, len(from.d.State.Endpoints))}
	for i, x := range pairs {
		o.ofKey[x.key] = append(o.ofKey[x.key], int32(i))
		if o.place[x.endpoint] == 0 {
			o.ofPlace = append(o.ofPlace, nil)
			o.place[x.endpoint] = int32(len(o.ofPlace))
		}
		of := &o.ofPlace[o.place[x.endpoint]-1]
		*of = append(*of, int32(i))
	}
	return o
}

// issuedPart is the part of one goroutine.
type issuedPart struct {
	*issuedObserver
	ages []issuedAges // by pair
	// Of the current actor:
	last   []credential // by pair
	active []int32      // pairs with a last credential
	// The last acceptances on protected endpoints, each of other routes and issuers than the
	// others, the latest first.
	other [recentClasses]acceptedAt
}

// recentClasses is the number of acceptances that are remembered to find the last one elsewhere:
// the sets of routes that a route and its areas are in, and what hands out its credentials, are
// not.
const recentClasses = 5

// credential is the last one that an actor got.
type credential struct {
	open  bool
	at    int64 // when it was handed out, Unix milliseconds
	died  int64 // age at the first refusal since it was accepted last; -1 for none
	spoil int64 // age at which another protected route refused the actor first; -1 for none
	from  int   // its refusals, in issuedAges.refused
}

// acceptedAt is the last acceptance of the actor on some protected endpoints.
type acceptedAt struct {
	set   int32 // of keySets, -1 for none
	place int32 // in ofPlace plus one, 0 for none
	time  int64
}

func (o *issuedObserver) part() func(*timeline.Actor, uint32) {
	p := &issuedPart{issuedObserver: o, ages: make([]issuedAges, len(o.pairs)), last: make([]credential, len(o.pairs))}
	o.parts = append(o.parts, p)
	return p.actor
}

// actor follows an actor, in the order of issuerPart within an instant.
func (p *issuedPart) actor(a *timeline.Actor, _ uint32) {
	if !a.Continues {
		for i := range p.other {
			p.other[i] = acceptedAt{-1, 0, session.LongAgo}
		}
	}
	for i, n := 0, 0; i < len(a.Events); i = n {
		n = timeline.InstantEnd(a.Events, i)
		for j := i; j < n; j++ {
			if e := &a.Events[j]; e.Outcome == timeline.Unauthorized && len(p.active) > 0 && e.Refusal < timeline.EarlierEvent {
				p.refuse(e)
			}
		}
		for j := i; j < n; j++ {
			switch e := &a.Events[j]; {
			case e.Outcome > timeline.Redirected:
			case p.place[e.Endpoint] > 0:
				for _, pair := range p.ofPlace[p.place[e.Endpoint]-1] {
					p.issue(pair, e.Time)
				}
			case len(p.active) > 0 && p.d.SignedIn(a, j) && p.d.Roles[e.Endpoint]&session.Renews == 0:
				p.closeAll(true)
			}
		}
		for j := i; j < n && len(p.active) > 0; j++ {
			if e := &a.Events[j]; e.Outcome <= timeline.Redirected {
				p.accept(e)
			}
		}
	}
	if !a.More {
		p.closeAll(false)
	}
}

// issue begins the life of a credential.
func (p *issuedPart) issue(pair int32, ms int64) {
	if p.last[pair].open {
		p.close(pair, false)
	} else {
		p.active = append(p.active, pair)
	}
	p.ages[pair].issued++
	p.last[pair] = credential{open: true, at: ms, died: -1, spoil: -1, from: len(p.ages[pair].refused)}
}

func (p *issuedPart) refuse(e *timeline.Event) {
	r := p.d.Refusals.At(int(e.Refusal))
	if !p.d.ofIssued(int(e.Refusal), r) {
		return
	}
	for _, pair := range p.active {
		x := &p.last[pair]
		age := e.Time - x.at
		switch {
		case p.keys.has(e.Endpoint, p.pairs[pair].key):
			if x.died < 0 {
				x.died = age
			}
			p.ages[pair].refused = append(p.ages[pair].refused, agedRefusal{e.Refusal, uint32(min(age, math.MaxUint32))})
		case x.spoil < 0:
			x.spoil = age
		}
	}
}

func (p *issuedPart) accept(e *timeline.Event) {
	set := p.keys.of[e.Endpoint] - 1
	if p.d.Roles[e.Endpoint]&session.Guards != 0 {
		x, n := acceptedAt{set, p.place[e.Endpoint], e.Time}, 0
		for n < len(p.other)-1 && (p.other[n].set != x.set || p.other[n].place != x.place) {
			n++
		}
		copy(p.other[1:n+1], p.other[:n])
		p.other[0] = x
	}
	if set < 0 {
		return
	}
	for _, key := range p.keys.sets[set] {
		for _, pair := range p.ofKey[key] {
			if x := &p.last[pair]; x.open {
				p.ages[pair].lived.Add(e.Time - x.at)
				if x.died >= 0 {
					p.ages[pair].died.Add(x.died)
					x.died = -1
				}
			}
		}
	}
}

// elsewhere returns when the actor was accepted last on a protected endpoint that is none of a
// pair.
func (p *issuedPart) elsewhere(pair int32) int64 {
	own := p.pairs[pair]
	for _, x := range p.other {
		if x.place != p.place[own.endpoint] && (x.set < 0 || !slices.Contains(p.keys.sets[x.set], own.key)) {
			return x.time
		}
	}
	return session.LongAgo
}

// close ends the life of a credential. If the actor signs in anew, and no other route had
// accepted it since the route refused it, its session had ended.
func (p *issuedPart) close(pair int32, signIn bool) {
	x, ages := &p.last[pair], &p.ages[pair]
	elsewhere := p.elsewhere(pair)
	switch {
	case x.died < 0:
	case signIn && elsewhere <= x.at+x.died:
		ages.refused = ages.refused[:x.from]
	default:
		ages.died.Add(x.died)
	}
	if elsewhere >= x.at {
		ages.spared.Add(elsewhere - x.at)
	}
	if x.spoil >= 0 {
		ages.spoilt.Add(x.spoil)
	}
	x.open = false
}

func (p *issuedPart) closeAll(signIn bool) {
	for _, pair := range p.active {
		p.close(pair, signIn)
	}
	p.active = p.active[:0]
}

func (o *issuedObserver) gather() {
	o.ages = make([]issuedAges, len(o.pairs))
	for _, p := range o.parts {
		for pair := range o.ages {
			from, to := &p.ages[pair], &o.ages[pair]
			to.issued += from.issued
			to.died.Merge(&from.died)
			to.lived.Merge(&from.lived)
			to.spared.Merge(&from.spared)
			to.spoilt.Merge(&from.spoilt)
			to.refused = append(to.refused, from.refused...)
		}
	}
	for pair := range o.ages {
		slices.SortFunc(o.ages[pair].refused, func(a, b agedRefusal) int { return cmp.Compare(a.refusal, b.refusal) })
	}
	o.parts = nil
}
