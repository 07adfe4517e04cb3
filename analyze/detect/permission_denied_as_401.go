package detect

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// permissionDenied finds routes that answer 401 instead of 403 to users without
// permission.
//
// Sign: some actors are refused whenever they ask, others are accepted whenever
// they ask, at the same times, and all of them are accepted on other routes. Not: a
// broken route (everybody is refused, or was from one time on), a bad backend (the
// same actors are now refused, now accepted).
//
// Statistic: actors that asked the route at least twice are of one kind but for a few
// answers (their tokens expire as well), or mixed. If each request were refused with the
// common share, the number of mixed actors would be binomial about its expectation: the
// lower tail, by the normal approximation of the Poisson-binomial sum (Le Cam, Pacific
// Journal of Mathematics 10, 1960). Where few requests are refused, hardly anybody is
// mixed, and those who are always refused are too many: their upper tail, by the Poisson
// approximation, and that of those always accepted where few are. The lesser of the two counts
// (Bonferroni), adjusted by Benjamini and Hochberg over the routes.
var permissionDenied = Kind{
	Name:     "permission_denied_as_401",
	Label:    "Missing permission",
	Meaning:  "Signed-in users without permission get 401 instead of 403.",
	Category: EndpointCategory,
	Subjects: []string{"endpoint"},
	folds:    byOnset,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUser},
	Details:  func() any { return new(Permission) },
	Title:    `{{route .Subject}} answers 401 instead of 403 to signed-in users without permission`,
	Explanation: `{{with .Details}}{{if .Stated}}
		The log says itself that {{plural .Stated "of these requests was" "of these requests were"}} refused for a missing permission, to {{plural .Refused "client" "clients"}} whose credentials are good.
		{{else}}
		{{plural .Refused "client was" "clients were"}} refused here every time, {{plural .Accepted "other was" "others were"}} accepted every time{{if .Mixed}}, {{number .Mixed}} got both answers{{end}}, over the same hours.
		All of them were accepted on other routes, so their credentials are good; those refused lack a permission.{{end}}
		A 401 asks for other credentials (RFC 9110, section 15.5.2), so clients sign in again, in vain.{{end}}`,
	Remedy: []string{
		`Answer 403 if the credentials are good and the permission is missing (RFC 9110, section 15.5.4). In OAuth, answer 403 with insufficient_scope (RFC 6750, section 3.1).`,
		`Apache: Require group and Require expr answer 401; AuthzSendForbiddenOnFailure On makes it 403. Spring Security: use an AccessDeniedHandler. ASP.NET: Forbid() instead of Challenge().`,
		`In the user interface, hide or disable what the user is not permitted to request.`,
	},
	observe: observePermissions,
	inspect: inspectPermissions,
}

// Permission is the details of a permission_denied_as_401 finding.
type Permission struct {
	Refused  int                `json:"refused_actors"`  // every time
	Accepted int                `json:"accepted_actors"` // every time
	Mixed    int                `json:"mixed_actors"`
	Stated   int                `json:"stated,omitempty"` // refusals whose reason is a permission; the actors are not compared then
	PValue   result.Probability `json:"p_value"`
}

const (
	// permissionActors is the minimum number of actors that are always refused, and
	// of those that are always accepted.
	permissionActors = 4
	// permissionUsers is the same where the log names all of them: no client of several
	// people, and no session that ends, looks like a user.
	permissionUsers = 2
	// permissionMixed is the maximum share of mixed actors: permissions that were
	// granted or withdrawn within the day.
	permissionMixed = 0.15
	// permissionStray is the maximum share of the other answers that an actor of one kind
	// gets: tokens of people with permission expire, too.
	permissionStray = 0.2
	// permissionOverlap is the minimum share of actors that asked while actors of
	// the other kind did: otherwise the route changed over time. permissionBeside is the
	// minimum share of the actors of the other kind that did, unless some of them asked
	// before and some after.
	permissionOverlap = 0.7
	permissionBeside  = 0.1
	// permissionReturn is the time in milliseconds between the first and the last refusal of
	// such actors, of which there must be permissionActors as well: the calls of one page, or
	// of one expired token, are no proof.
	permissionReturn = 60_000
	// permissionLater is the share of the pairs of an actor that is refused and one that is
	// accepted, of which one kind asked later, from which on the route has changed.
	permissionLater = 0.8
	// permissionRoutes is the number of routes from which on the same actors must be
	// of one kind on them: a permission belongs to a person. Where the answer depends
	// on how a route is called, such as over http, each route refuses others.
	permissionRoutes = 4
	// permissionAgrees is the minimum share of the actors on several such routes that
	// are of one kind on all of them. It allows for several permissions.
	permissionAgrees = 0.6
	// permissionElsewhere is the maximum share of the other routes of the actors that a
	// route refuses that refuse them too, if the actors are not of one kind.
	permissionElsewhere = 0.2
	// unevenTimes is how many times more often than the others the actors that a route
	// refuses may be refused on routes that accept them as well, and unevenRefused the
	// minimum number of such refusals that shows it: then it is their session, address
	// or program that is at fault.
	unevenTimes   = 3
	unevenRefused = 5
	// permissionStrays is the maximum share of the actors of the rarer kind whose version of
	// their software is mostly of the other kind, if that is what divides them.
	permissionStrays = 0.1
	// permissionFalse is the accepted rate of false reports over the routes.
	permissionFalse = 0.001
)

// actorCount is how often one route accepted and refused one actor.
type actorCount struct {
	place             int32
	agent             uint32
	who               uint64 // user plus one, or the actor's id << 32 if no user is known
	accepted, refused int32
	first, last       int64 // Unix milliseconds
	admitted          bool  // by the last answer
}

// always and never report whether a route refuses the actor, or accepts it, but for a few
// times. Who is let in at last has a permission, and mistyped.
func (x *actorCount) always() bool {
	return x.refused > 0 && !x.admitted && float64(x.accepted) <= permissionStray*float64(x.accepted+x.refused)
}

func (x *actorCount) never() bool {
	return x.accepted > 0 && float64(x.refused) <= permissionStray*float64(x.accepted+x.refused)
}

// countPage is the number of counts in a page of a countList.
const countPage = 256

// countList is a list of counts that need not be moved when it grows.
type countList struct {
	pages []*[countPage]actorCount
	n     int
}

func (l *countList) at(i int) *actorCount { return &l.pages[i/countPage][i%countPage] }

func (l *countList) add(x actorCount) {
	if l.n == countPage*len(l.pages) {
		l.pages = append(l.pages, new([countPage]actorCount))
	}
	*l.at(l.n) = x
	l.n++
}

// permissionObserver counts by route and actor. A request takes constant time; what is
// counted of users, who may have several sessions, is summed. In a log without users, only
// sums are kept of the actors, and if these are those of a missing permission, another
// walk keeps the counts.
type permissionObserver struct {
	d      *Diagnosis
	keys   []uint32         // endpoints
	place  []int32          // by endpoint: index in keys plus one
	sums   []permissionSums // by place; nil if counts are kept
	counts [][]actorCount   // by place
	parts  []*permissionPart
	all    *permissionObserver // that keeps the counts; nil if there is nothing to see
}

// permissionPart is the part of a permissionObserver that belongs to one goroutine.
type permissionPart struct {
	*permissionObserver                  // read only
	sums                []permissionSums // by place; nil if counts are kept
	counts              countList        // of the current actor, if sums are kept
	actor               uint32           // the current one
	user                uint32           // its user
	from                int              // the first of counts that is of the actor
	at                  []int            // by place: the index in counts of the last actor
}

func observePermissions(d *Diagnosis) observer {
	counts := make([]int64, len(d.Endpoints))
	for i := range d.Endpoints {
		// Who signs in or renews a token there says who he is, not what he may do.
		if d.State.Endpoints[i].N[timeline.Accepted] > 0 && d.Roles[i]&(session.SignsIn|session.Renews) == 0 {
			counts[i] = d.Endpoints[i].AliveActors
		}
	}
	least := int64(permissionActors)
	if len(d.State.Users) > 0 {
		least = permissionUsers
	}
	list := topKeys(counts, least)
	if len(list) == 0 {
		return nil
	}
	o := &permissionObserver{d: d, keys: list, place: places(list, len(counts))}
	if len(d.State.Users) == 0 {
		o.sums = make([]permissionSums, len(list))
	}
	return o
}

func (o *permissionObserver) part() func(*timeline.Actor, uint32) {
	p := &permissionPart{permissionObserver: o, at: make([]int, len(o.keys))}
	for i := range p.at {
		p.at[i] = -1
	}
	if o.sums != nil {
		p.sums = make([]permissionSums, len(o.keys))
	}
	o.parts = append(o.parts, p)
	return p.add
}

func (p *permissionPart) add(a *timeline.Actor, id uint32) {
	if p.actor != id {
		p.sum()
		p.actor, p.user, p.from = id, 0, p.counts.n
	}
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			p.user = e.User
		}
		place := p.place[e.Endpoint] - 1
		refused := e.Refusal != timeline.NoRefusal
		if place < 0 || !refused && e.Outcome != timeline.Accepted || refused && !p.goodRefusal(e.Refusal) {
			continue
		}
		if p.at[place] < p.from {
			p.at[place] = p.counts.n
			p.counts.add(actorCount{place: place, agent: e.Client.Agent, who: uint64(id) << 32, first: e.Time, last: e.Time})
		}
		x := p.counts.at(p.at[place])
		if p.user != 0 {
			x.who = uint64(p.user)
		}
		x.first = min(x.first, e.Time)
		if e.Time >= x.last {
			x.last, x.admitted = e.Time, !refused
		}
		if refused {
			x.refused++
		} else {
			x.accepted++
		}
	}
}

// sum adds the counts of the current actor to the sums, if these are kept.
func (p *permissionPart) sum() {
	if p.sums == nil {
		return
	}
	for i := range p.counts.n {
		x := p.counts.at(i)
		p.sums[x.place].add(x)
		p.at[x.place] = -1
	}
	p.counts.n = 0
}

// goodRefusal reports whether a refused request had good credentials. Challenges had none,
// nor has an application that begins.
func (o *permissionObserver) goodRefusal(refusal uint32) bool {
	r := o.d.Refusals.At(int(refusal))
	return r.Good && !r.Entry && r.Cause != session.Challenge
}

func (o *permissionObserver) gather() {
	if o.sums == nil {
		o.gatherCounts()
		return
	}
	for _, p := range o.parts {
		p.sum()
		for place := range o.sums {
			o.sums[place].merge(&p.sums[place])
		}
	}
	o.parts = nil
}

// further returns an observer that keeps the counts, if the sums of a route are those of a
// missing permission.
func (o *permissionObserver) further() observer {
	if o.sums == nil {
		o.all = o
		return nil
	}
	if len(o.divided(func(place int) *permissionSums { return &o.sums[place] }).routes) == 0 {
		return nil
	}
	o.all = &permissionObserver{d: o.d, keys: o.keys, place: o.place}
	return o.all
}

func (o *permissionObserver) gatherCounts() {
	sizes := make([]int, len(o.keys))
	for _, p := range o.parts {
		for i := range p.counts.n {
			sizes[p.counts.at(i).place]++
		}
	}
	o.counts = make([][]actorCount, len(o.keys))
	for place, n := range sizes {
		o.counts[place] = make([]actorCount, 0, n)
	}
	for _, p := range o.parts {
		for i := range p.counts.n {
			x := p.counts.at(i)
			o.counts[x.place] = append(o.counts[x.place], *x)
		}
		p.counts = countList{}
	}
	o.parts = nil
	o.d.InParts(len(o.counts), func(from, to int) {
		at := make([]uint32, len(o.d.State.Users)+1)
		for place := from; place < to; place++ {
			o.counts[place] = sumUsers(o.counts[place], at)
		}
	})
}

// sumUsers sums the counts of each user, who may have several sessions. The order of the
// counts has no meaning. at is scratch, zero by user plus one, and is left so.
func sumUsers(list []actorCount, at []uint32) []actorCount {
	sums := list[:0]
	for _, x := range list {
		if x.who>>32 != 0 {
			sums = append(sums, x)
			continue
		}
		if at[x.who] == 0 {
			sums = append(sums, x)
			at[x.who] = uint32(len(sums))
			continue
		}
		y := &sums[at[x.who]-1]
		if x.first < y.first || x.first == y.first && x.agent < y.agent {
			y.first, y.agent = x.first, x.agent
		}
		y.accepted += x.accepted
		y.refused += x.refused
		if x.last > y.last || x.last == y.last && !x.admitted {
			y.last, y.admitted = x.last, x.admitted
		}
	}
	for i := range sums {
		if who := sums[i].who; who>>32 == 0 {
			at[who] = 0
		}
	}
	return sums
}

// division counts the actors of a route by the outcome of their requests.
type division struct {
	accepted, refused int // actors whose requests all were
	mixed             int
	p                 float64 // p-value: the chance of so few mixed ones
}

// permissionSums is the sums of the actors of a route.
type permissionSums struct {
	division             // without p
	requests stats.Cell  // hits are refused
	returned int         // actors that are always refused, and came back
	nameless int         // actors without a user
	few      [64]int32   // actors by number of requests
	many     map[int]int // the same of those with more
}

func (s *permissionSums) add(x *actorCount) {
	n := int(x.accepted + x.refused)
	if x.who>>32 != 0 {
		s.nameless++
	}
	s.requests.Merge(stats.Cell{Hits: int64(x.refused), Trials: int64(n)})
	s.addActors(n, 1)
	switch {
	case x.always():
		s.refused++
		if x.last-x.first >= permissionReturn {
			s.returned++
		}
	case x.never():
		s.accepted++
	default:
		s.mixed++
	}
}

// addActors counts actors that made a number of requests.
func (s *permissionSums) addActors(requests, actors int) {
	if requests < len(s.few) {
		s.few[requests] += int32(actors)
		return
	}
	if s.many == nil {
		s.many = map[int]int{}
	}
	s.many[requests] += actors
}

func (s *permissionSums) merge(o *permissionSums) {
	s.accepted, s.refused, s.mixed = s.accepted+o.accepted, s.refused+o.refused, s.mixed+o.mixed
	s.returned, s.nameless = s.returned+o.returned, s.nameless+o.nameless
	s.requests.Merge(o.requests)
	for n, actors := range o.few {
		s.few[n] += actors
	}
	for n, actors := range o.many {
		s.addActors(n, actors)
	}
}

// sumsOf returns the sums of actors.
func sumsOf(list []actorCount) *permissionSums {
	s := &permissionSums{}
	for i := range list {
		s.add(&list[i])
	}
	return s
}

// divide tests whether the actors are of two kinds.
func (s *permissionSums) divide() division {
	b, share := s.division, shareOf(s.requests)
	var expected, variance, refused, accepted, pure float64 // pure is the logarithm of the chance that no actor is mixed
	add := func(requests, actors int) {
		m := int64(requests)
		stray := int64(permissionStray * float64(m))
		always, never := stats.BinomialTail(m-stray, m, share), stats.BinomialTail(m-stray, m, 1-share)
		mixed := max(0, 1-always-never)
		refused, accepted = refused+float64(actors)*always, accepted+float64(actors)*never
		expected += float64(actors) * mixed
		pure += float64(actors) * math.Log1p(-mixed)
		variance += float64(actors) * mixed * (1 - mixed)
	}
	for n, actors := range s.few {
		if actors > 0 {
			add(n, int(actors))
		}
	}
	for _, n := range slices.Sorted(maps.Keys(s.many)) { // in order, because sums of fractions depend on it
		add(n, s.many[n])
	}
	b.p = 1
	if b.mixed == 0 {
		b.p = math.Exp(pure)
	} else if variance > 0 && float64(b.mixed) < expected {
		z := (expected - float64(b.mixed) - 0.5) / math.Sqrt(variance)
		if z > 0 {
			b.p = math.Erfc(z/math.Sqrt2) / 2
		}
	}
	switch {
	case share <= permissionStray:
		b.p = min(1, 2*min(b.p, stats.PoissonTail(int64(b.refused), refused)))
	case share >= 1-permissionStray:
		b.p = min(1, 2*min(b.p, stats.PoissonTail(int64(b.accepted), accepted)))
	}
	return b
}

// interleaved reports whether actors that were only refused and actors that were only
// accepted asked at the same times. Others may have been of both kinds, one after the
// other.
func interleaved(list []actorCount) bool {
	var accepted, refused activity
	for _, x := range list {
		if x.refused == 0 {
			accepted.add(&x)
		}
		if x.accepted == 0 {
			refused.add(&x)
		}
	}
	accepted.sort()
	refused.sort()
	var within, of float64
	for _, x := range list {
		other := &accepted
		switch {
		case x.refused == 0:
			other = &refused
		case x.accepted > 0:
			continue
		}
		of++
		if other.between(&x) || float64(other.during(&x)) >= permissionBeside*float64(len(other.first)) {
			within++
		}
	}
	return within >= permissionOverlap*of && !later(list)
}

// activity is when some actors asked first and last, each sorted by itself.
type activity struct{ first, last []int64 }

func (a *activity) add(x *actorCount) {
	a.first, a.last = append(a.first, x.first), append(a.last, x.last)
}

func (a *activity) sort() {
	slices.Sort(a.first)
	slices.Sort(a.last)
}

// between reports whether another actor asked after one of the actors had ended and before
// one began.
func (a *activity) between(x *actorCount) bool {
	return len(a.first) > 0 && x.last >= a.last[0] && x.first <= a.first[len(a.first)-1]
}

// during returns how many of the actors asked between the first and the last time of
// another one, or before and after.
func (a *activity) during(x *actorCount) int {
	after, _ := slices.BinarySearch(a.first, x.last+1)
	before, _ := slices.BinarySearch(a.last, x.first)
	return after - before
}

// later reports whether the actors that were only refused asked later, or earlier, than
// those that were only accepted: some may be lucky after a change.
func later(list []actorCount) bool {
	var pure []actorCount
	for _, x := range list {
		if x.refused == 0 || x.accepted == 0 {
			pure = append(pure, x)
		}
	}
	middle := func(x *actorCount) int64 { return x.first + (x.last-x.first)/2 }
	slices.SortFunc(pure, func(a, b actorCount) int { return cmp.Compare(middle(&a), middle(&b)) })
	times, group := make([]float64, len(pure)), make([]int32, len(pure))
	for i := range pure {
		times[i] = float64(middle(&pure[i]))
		if pure[i].accepted == 0 {
			group[i] = 1
		}
	}
	for _, t := range stats.RankSums(times, group, 2) {
		if t.Wins >= permissionLater && t.P <= permissionFalse {
			return true
		}
	}
	return false
}

func inspectPermissions(d *Diagnosis, seen observer) ([]candidate, error) {
	found := statedPermissions(d)
	if seen == nil || seen.(*permissionObserver).all == nil {
		return found, nil
	}
	o := seen.(*permissionObserver).all
	x := o.divided(func(place int) *permissionSums { return sumsOf(o.counts[place]) })
	divides := slices.DeleteFunc(x.routes, func(n int) bool { return !interleaved(o.counts[n]) })
	if len(divides) >= permissionRoutes && !o.agree(divides) {
		divides = slices.DeleteFunc(divides, func(n int) bool { return o.refusedElsewhere(n) > permissionElsewhere })
	}
	divides = slices.DeleteFunc(divides, o.uneven)
	divides = slices.DeleteFunc(divides, o.bySoftware)
	for _, n := range divides {
		if cand, ok := forbidden(d, o.keys[n], o.counts[n], x.divisions[n], x.adjusted[n]); ok {
			found = append(found, cand)
		}
	}
	return found, nil
}

// divisions is how routes divide their actors.
type divisions struct {
	divisions []division // by place
	adjusted  []float64  // their p-values, the same
	routes    []int      // the places of those whose actors are of two kinds
}

// divided returns how routes divide their actors. sums are by place.
func (o *permissionObserver) divided(sums func(place int) *permissionSums) (x divisions) {
	x.divisions = make([]division, len(o.keys))
	returned, least, p := make([]int, len(o.keys)), make([]int, len(o.keys)), make([]float64, len(o.keys))
	for n := range o.keys {
		s := sums(n)
		x.divisions[n], returned[n] = s.divide(), s.returned
		p[n] = x.divisions[n].p
		if least[n] = permissionActors; s.nameless == 0 {
			least[n] = permissionUsers
		}
	}
	x.adjusted = stats.BenjaminiHochberg(p)
	for n := range o.keys {
		b := x.divisions[n]
		if x.adjusted[n] <= permissionFalse && b.accepted >= least[n] && b.refused >= least[n] &&
			float64(b.mixed) <= permissionMixed*float64(b.accepted+b.refused+b.mixed) && returned[n] >= least[n] {
			x.routes = append(x.routes, n)
		}
	}
	return x
}

// agree reports whether most actors that asked several of the routes are of one kind on
// all of them.
func (o *permissionObserver) agree(routes []int) bool {
	type answers struct{ accepted, refused int }
	of := map[uint64]answers{}
	for _, n := range routes {
		for _, x := range o.counts[n] {
			a := of[x.who]
			if !x.always() {
				a.accepted++
			}
			if !x.never() {
				a.refused++
			}
			of[x.who] = a
		}
	}
	// Those who are refused nowhere agree on any division.
	var one, several int
	for _, a := range of {
		if a.refused > 0 && a.accepted+a.refused > 1 {
			several++
			if a.accepted == 0 {
				one++
			}
		}
	}
	return float64(one) >= permissionAgrees*float64(several)
}

// refusedElsewhere returns the share of the other routes that refused an actor, summed
// over the actors that a route refuses.
func (o *permissionObserver) refusedElsewhere(route int) float64 {
	refused := map[uint64]bool{}
	for _, x := range o.counts[route] {
		if x.always() {
			refused[x.who] = true
		}
	}
	var n stats.Cell
	for other, list := range o.counts {
		if other == route {
			continue
		}
		for _, x := range list {
			if refused[x.who] {
				n.Trials++
				if !x.never() {
					n.Hits++
				}
			}
		}
	}
	return shareOf(n)
}

// uneven reports whether the actors that a route refuses are refused far more often than
// the others on routes that accept them as well. Where a permission is missing, they are
// not.
func (o *permissionObserver) uneven(route int) bool {
	refused := map[uint64]bool{} // by those who asked the route
	for _, x := range o.counts[route] {
		refused[x.who] = x.always()
	}
	var own, others stats.Cell
	for other, list := range o.counts {
		if other == route {
			continue
		}
		for _, x := range list {
			of, asked := refused[x.who]
			if !asked || x.always() {
				continue
			}
			n := stats.Cell{Hits: int64(x.refused), Trials: int64(x.refused + x.accepted)}
			if of {
				own.Merge(n)
			} else {
				others.Merge(n)
			}
		}
	}
	return own.Hits >= unevenRefused && shareOf(own) > unevenTimes*float64(others.Hits+1)/float64(others.Trials+1)
}

// bySoftware reports whether the version of their software tells the actors that a route
// refuses from those that it accepts: then that is at fault. Where permissions are at
// fault, hardly any version has actors of one kind alone, but for those of one actor.
func (o *permissionObserver) bySoftware(route int) bool {
	s := o.d.software()
	type kinds struct{ accepted, refused int }
	versions, all := map[uint32]kinds{}, kinds{}
	for _, x := range o.counts[route] {
		v := versions[s.of[x.agent][0]]
		switch {
		case x.always():
			v.refused++
			all.refused++
		case x.never():
			v.accepted++
			all.accepted++
		}
		versions[s.of[x.agent][0]] = v
	}
	share := float64(all.refused) / float64(max(all.refused+all.accepted, 1))
	strays, chance := 0, 1.0
	for _, version := range slices.Sorted(maps.Keys(versions)) { // in order, because products of fractions depend on it
		v := versions[version]
		if n := float64(v.accepted + v.refused); v.accepted == 0 || v.refused == 0 {
			chance *= math.Pow(share, n) + math.Pow(1-share, n)
		}
		strays += min(v.accepted, v.refused)
	}
	return chance <= permissionFalse && float64(strays) <= permissionStrays*float64(min(all.accepted, all.refused))
}

// refusesPeople reports whether a route always refuses people with other software as well, and
// hardly more of those with s: then it looks at who asks. The hours of one person show it only
// once.
func (d *Diagnosis) refusesPeople(endpoint, s uint32) bool {
	o, _ := d.observed[permissionDenied.Name].(*permissionObserver)
	if o == nil || o.all == nil || o.all.place[endpoint] == 0 {
		return false
	}
	of := d.software().of
	var own, others stats.Cell
	for i := range o.all.counts[o.all.place[endpoint]-1] {
		x := &o.all.counts[o.all.place[endpoint]-1][i]
		if v := of[x.agent]; v[0] == s+1 || v[1] == s+1 {
			own.Add(x.always())
		} else {
			others.Add(x.always())
		}
	}
	return others.Hits >= permissionActors && stats.BinomialTail(own.Hits, own.Trials, others.Smoothed()) > permissionFalse
}

// forbidden returns the finding of a route: it claims the refusals of the actors
// that are always refused.
func forbidden(d *Diagnosis, endpoint uint32, list []actorCount, b division, p float64) (candidate, bool) {
	refused := map[uint64]bool{}
	for _, x := range list {
		if x.always() {
			refused[x.who] = true
		}
	}
	var cand candidate
	for i, r := range d.Refusals.All() {
		if r.Endpoint == endpoint && d.open(i) && r.Good && (refused[uint64(r.User)] && r.User != 0 || refused[uint64(r.Actor)<<32]) {
			cand.claims = append(cand.claims, uint32(i))
		}
	}
	if len(cand.claims) < routeRefused {
		return cand, false
	}
	cand.Subject, cand.Onset = endpointSubject(&d.State.Endpoints[endpoint]), parse.NoTime
	cand.Severity = result.Medium
	cand.Confidence = confidence(p, 1-float64(b.mixed)/float64(b.accepted+b.refused+b.mixed))
	cand.Details = &Permission{Refused: b.refused, Accepted: b.accepted, Mixed: b.mixed, PValue: result.Probability(p)}
	return cand, true
}
