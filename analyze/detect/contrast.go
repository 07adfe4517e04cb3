package detect

import (
	"math"
	"slices"
	"strings"
	"sync"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// What the specific kinds leave is searched for contrasts: a site, a path, a route or
// a backend that refuses a far greater share of its clients in one period than in all
// others. Ordinary causes are included, because they are ordinary only at an ordinary
// rate: when nobody can sign in, every refusal by itself looks like a mistyped
// password.
//
// Counted are visits, so that a client that repeats a request does not vote again with
// each of them: an actor counts once in each hour in which it is accepted, and once in
// each in which it is refused.

const (
	// contrastStep is the least length of a step, and contrastSteps the maximum number
	// of them, which bounds the memory: each key costs 4 bytes a step.
	contrastStep  = 60_000
	contrastSteps = 1024
	// visitLength is the longest time, in milliseconds, in which an actor counts once.
	// In logs that are shorter than a day it is the part visitPart of them.
	visitLength = 3_600_000
	visitPart   = 24
	// contrastRefused is the minimum number of open refusals of a key.
	contrastRefused = 8
	// maxContrastKeys is the maximum number of keys of each type, those with most
	// refusals.
	maxContrastKeys = 128
)

// contrastType is what a key of a contrast names.
type contrastType uint8

const (
	siteContrast contrastType = iota
	pathContrast
	routeContrast
	backendContrast
	serverContrast
	numContrasts
)

// replica reports whether keys of the type serve the same routes, which are compared with
// each other, not with the rest of their host.
func (t contrastType) replica() bool { return t == backendContrast || t == serverContrast }

func (t contrastType) is(other contrastType) bool { return t == other }

// contrastKey is a set of requests whose share of refusals is followed.
type contrastKey struct {
	kind   contrastType
	host   string // of sites, paths and routes
	path   string // of a path: its first one or two segments
	number uint32 // of a route, backend or server: its index
	site   int    // place of its site's key; of a backend or server -1
}

// contrastObserver counts the accepted visits of keys over time. A request takes
// constant time: its endpoint and backend have at most five keys.
type contrastObserver struct {
	d          *Diagnosis
	width      int64 // of a step, milliseconds
	steps      int
	visit      int64 // milliseconds
	keys       []contrastKey
	ofEndpoint [][]int32     // by endpoint: the places of its keys
	ofBackend  []int32       // by upstream: the place of its key plus one
	ofServer   []int32       // by server: the same; nil if the log stands in one
	replicas   bool          // there are keys of backends or servers
	ofRoute    []int32       // by endpoint: the place of its own key plus one
	common     *keySets      // the keys that endpoints have in common: those of sites and paths
	accepted   [][]int32     // by place and step
	ways       []contrastWay // by endpoint
	requests   [][]int32     // by place of a site and step: all requests accepted, not visits, where credentials are asked for or tried
	outages    map[int32]closure
	voterOf    column // by refusal: the number of its voter
	timeOf     column // by refusal: its time since first, in units of unit milliseconds
	first      int64  // Unix milliseconds
	unit       int64
	voters     int
	parts      []*contrastPart
	mu         sync.Mutex // held while series are in use: each may have lists of all refusals
}

// observeContrast returns the observer of the keys whose refusals change over time
// against the requests of their host; nil if there are none. The kinds that use it
// get the same one.
func observeContrast(d *Diagnosis) observer {
	d.contrastOnce.Do(func() { d.contrast = newContrastObserver(d) })
	if d.contrast == nil {
		return nil
	}
	return d.contrast
}

func newContrastObserver(d *Diagnosis) *contrastObserver {
	o := &contrastObserver{d: d}
	o.width = max(contrastStep, (d.To-d.From)/contrastSteps+1)
	o.steps = int((d.To-d.From)/o.width) + 1
	o.visit = min(visitLength, max((d.To-d.From)/visitPart, o.width))
	o.setClock()
	o.numberVoters()
	o.findKeys()
	if len(o.keys) == 0 || !o.changing() {
		return nil
	}
	o.placeSites()
	return o
}

// contrastWay is what a request of an endpoint counts for, side by side because it is read
// for each request.
type contrastWay struct {
	set, route, site int32 // of common; places of the route and of the site; plus one, 0 for none
	passes           uint8 // see passing
	asks             bool  // it asks for credentials, or tries them
	signsOut         bool
}

// placeSites sets the ways of endpoints. Keys of sites come first.
func (o *contrastObserver) placeSites() {
	places := map[string]int32{}
	for i := 0; i < len(o.keys) && o.keys[i].kind == siteContrast; i++ {
		places[o.keys[i].host] = int32(i) + 1
	}
	o.ways = make([]contrastWay, len(o.d.State.Endpoints))
	for i := range o.ways {
		role := o.d.Roles[i]
		o.ways[i] = contrastWay{
			set: o.common.of[i], route: o.ofRoute[i], site: places[o.d.State.Endpoints[i].Host],
			passes: o.d.passing[i], asks: role&(session.Guards|session.Tries) != 0, signsOut: role&session.SignsOut != 0,
		}
	}
	o.requests = newVisits(len(places), o.steps)
}

func newVisits(keys, steps int) [][]int32 {
	counts, all := make([][]int32, keys), make([]int32, keys*steps)
	for i := range counts {
		counts[i] = all[i*steps : (i+1)*steps]
	}
	return counts
}

func (o *contrastObserver) step(ms int64) int {
	return int(min(max(ms-o.d.From, 0)/o.width, int64(o.steps-1)))
}

// pathsOf returns the first segment of a template and its first two, each with a
// slash at the end; segments that are the template itself do not count.
func pathsOf(template string) (paths []string) {
	for i := 1; i < len(template) && len(paths) < 2; i++ {
		if template[i] == '/' {
			paths = append(paths, template[:i+1])
		}
	}
	return paths
}

// findKeys sets the keys with enough refusals.
func (o *contrastObserver) findKeys() {
	counts := [numContrasts]map[contrastKey]int{}
	for i := range counts {
		counts[i] = map[contrastKey]int{}
	}
	refused, backends, servers := o.d.openRefused(), make([]int64, len(o.d.State.Upstreams)), make([]int64, len(o.d.State.Servers))
	for i, r := range o.d.eachOpen() {
		if r.Upstream != 0 {
			backends[r.Upstream-1]++
		}
		if server := o.d.serverOf(i); server != 0 {
			servers[server-1]++
		}
	}
	for i, n := range refused {
		if form := o.d.Form(uint32(i)); form != uint32(i) {
			refused[form] += n
			refused[i] = 0
		}
	}
	for i, n := range refused {
		e := &o.d.State.Endpoints[i]
		if n == 0 {
			continue
		}
		counts[siteContrast][contrastKey{kind: siteContrast, host: e.Host}] += int(n)
		counts[routeContrast][contrastKey{kind: routeContrast, host: e.Host, number: uint32(i)}] += int(n)
		for _, path := range pathsOf(e.Template) {
			counts[pathContrast][contrastKey{kind: pathContrast, host: e.Host, path: path}] += int(n)
		}
	}
	for u, n := range backends {
		if len(backends) > 1 {
			counts[backendContrast][contrastKey{kind: backendContrast, number: uint32(u)}] = int(n)
		}
	}
	for i, n := range servers {
		if len(servers) > 1 {
			counts[serverContrast][contrastKey{kind: serverContrast, number: uint32(i)}] = int(n)
		}
	}
	place := map[contrastKey]int{}
	for _, all := range counts {
		for _, key := range topContrasts(all) {
			named := key
			key.site = -1
			if site, ok := place[contrastKey{kind: siteContrast, host: key.host}]; ok && !key.kind.replica() {
				key.site = site
			}
			place[named] = len(o.keys)
			o.replicas = o.replicas || key.kind.replica()
			o.keys = append(o.keys, key)
		}
	}
	o.placeEndpoints(place)
}

// topContrasts returns the keys with most refusals, at most maxContrastKeys: those with
// enough of them, and of replicas all others, with which they are compared.
func topContrasts(counts map[contrastKey]int) []contrastKey {
	var list []contrastKey
	enough := false
	for key, n := range counts {
		enough = enough || n >= contrastRefused
		if n >= contrastRefused || key.kind.replica() {
			list = append(list, key)
		}
	}
	if !enough {
		return nil
	}
	slices.SortFunc(list, func(a, b contrastKey) int {
		switch {
		case counts[a] != counts[b]:
			return counts[b] - counts[a]
		case a.host != b.host:
			return strings.Compare(a.host, b.host)
		case a.path != b.path:
			return strings.Compare(a.path, b.path)
		}
		return int(a.number) - int(b.number)
	})
	return list[:min(len(list), maxContrastKeys)]
}

// placeEndpoints sets the places of the keys of endpoints and upstreams.
func (o *contrastObserver) placeEndpoints(place map[contrastKey]int) {
	o.ofEndpoint, o.ofBackend = make([][]int32, len(o.d.State.Endpoints)), make([]int32, len(o.d.State.Upstreams))
	for i := range o.d.State.Endpoints {
		e := &o.d.State.Endpoints[i]
		keys := []contrastKey{{kind: siteContrast, host: e.Host}, {kind: routeContrast, host: e.Host, number: uint32(i)}}
		for _, path := range pathsOf(e.Template) {
			keys = append(keys, contrastKey{kind: pathContrast, host: e.Host, path: path})
		}
		for _, key := range keys {
			if n, ok := place[key]; ok {
				o.ofEndpoint[i] = append(o.ofEndpoint[i], int32(n))
			}
		}
	}
	for i := range o.ofEndpoint {
		o.ofEndpoint[i] = o.ofEndpoint[o.d.Form(uint32(i))]
	}
	o.ofRoute = make([]int32, len(o.d.State.Endpoints))
	o.common = newKeySets(len(o.d.State.Endpoints), func(i int) (list []int32) {
		for _, n := range o.ofEndpoint[i] {
			if o.keys[n].kind == routeContrast {
				o.ofRoute[i] = n + 1
			} else {
				list = append(list, n)
			}
		}
		return list
	})
	for u := range o.ofBackend {
		if n, ok := place[contrastKey{kind: backendContrast, number: uint32(u)}]; ok {
			o.ofBackend[u] = int32(n) + 1
		}
	}
	if len(o.d.State.Servers) > 1 {
		o.ofServer = make([]int32, len(o.d.State.Servers))
	}
	for i := range o.ofServer {
		if n, ok := place[contrastKey{kind: serverContrast, number: uint32(i)}]; ok {
			o.ofServer[i] = int32(n) + 1
		}
	}
}

// changing reports whether the refusals of any key come in another proportion to the
// requests of its host at one time than at others, or one backend or server refuses far
// more than another. If none does, the timelines need not be walked over.
func (o *contrastObserver) changing() bool {
	for kind := range numContrasts {
		if o.changes(kind) {
			return true
		}
	}
	return false
}

// changes is changing of the keys of a type.
func (o *contrastObserver) changes(kind contrastType) bool {
	wanted := func(place int) bool { return o.keys[place].kind == kind }
	refused := o.refusedVisits(o.refusalsOf(wanted, allRefusals))
	if kind.replica() && o.uneven(kind, refused) {
		return true
	}
	hosts, all := map[string][]int64{}, make([]int64, o.steps)
	for i := range o.d.State.Minutes {
		m := &o.d.State.Minutes[i]
		if hosts[m.Host] == nil {
			hosts[m.Host] = make([]int64, o.steps)
		}
		for _, n := range m.N {
			hosts[m.Host][o.step(m.Time/1000)] += n
			all[o.step(m.Time/1000)] += n
		}
	}
	for place, key := range o.keys {
		if !wanted(place) {
			continue
		}
		requests := hosts[key.host]
		if requests == nil || key.kind.replica() {
			requests = all
		}
		cells := make([]stats.Cell, o.steps)
		for i, n := range refused[place] {
			cells[i] = stats.Cell{Hits: int64(n), Trials: max(int64(n), requests[i])}
		}
		if len(stats.Excursions(cells)) > 0 {
			return true
		}
	}
	return false
}

// unevenVisits is the ratio of the refused visits of a backend or server to those of
// another from which on it may refuse everybody all the time.
const unevenVisits = 10

// uneven reports whether a backend or server refuses many times the visits of another.
func (o *contrastObserver) uneven(kind contrastType, refused [][]int32) bool {
	least, most := int64(math.MaxInt64), int64(0)
	for place, steps := range refused {
		if o.keys[place].kind != kind {
			continue
		}
		sum := int64(0)
		for _, n := range steps {
			sum += int64(n)
		}
		least, most = min(least, sum), max(most, sum)
	}
	return most >= stickyActors && most >= unevenVisits*least
}

// each calls do with the places of the keys of a refusal.
func (o *contrastObserver) each(i int, r *session.Refusal, do func(place int32)) {
	for _, place := range o.ofEndpoint[r.Endpoint] {
		do(place)
	}
	if u := r.Upstream; u != 0 && o.ofBackend[u-1] != 0 {
		do(o.ofBackend[u-1] - 1)
	}
	if o.ofServer == nil {
		return
	}
	if server := o.d.serverOf(i); server != 0 && o.ofServer[server-1] != 0 {
		do(o.ofServer[server-1] - 1)
	}
}

// serverOf returns the server in whose log a refusal stands: its index plus one, 0 for
// none.
func (d *Diagnosis) serverOf(refusal int) uint8 {
	if len(d.State.Servers) == 0 {
		return 0
	}
	return d.State.ServerOf[d.State.Refusals.At(refusal).Input]
}

// voter returns whom a refusal counts for: a user or session that is known to be
// good, else the address, because anybody can make up names and sessions.
func voter(r *session.Refusal) uint64 {
	const user, actor = 1 << 32, 2 << 32
	switch {
	case r.Good && r.User != 0:
		return user | uint64(r.User)
	case r.Good:
		return actor | uint64(r.Actor)
	}
	return uint64(r.Address)
}

// setClock sets first and unit. Logs of more than 49 days have a unit of a second.
func (o *contrastObserver) setClock() {
	o.first, o.unit = session.Never, 1
	last := session.LongAgo
	for _, r := range o.d.eachOpen() {
		o.first, last = min(o.first, r.Time), max(last, r.Time)
	}
	if last-o.first > math.MaxUint32 {
		o.unit = 1000
	}
}

// numberVoters numbers the voters of the open refusals, and sets their times.
func (o *contrastObserver) numberVoters() {
	numbers := map[uint64]uint32{}
	at, number := uint32(0), uint32(0) // of others they are those of the one before
	for i, r := range o.d.Refusals.All() {
		if o.d.open(i) {
			v, ok := voter(r), false
			if number, ok = numbers[v]; !ok {
				number = uint32(len(numbers))
				numbers[v] = number
			}
			at = uint32(min((r.Time-o.first)/o.unit, math.MaxUint32))
		}
		o.voterOf.add(number)
		o.timeOf.add(at)
	}
	o.voters = len(numbers)
	o.voterOf.end()
	o.timeOf.end()
}

// allRefusals is a condition that all refusals meet.
func allRefusals(*session.Refusal) bool { return true }

// refusalsOf returns the open refusals that count, by place and in order of time; none at
// places that are not wanted.
func (o *contrastObserver) refusalsOf(wanted func(place int) bool, counts func(*session.Refusal) bool) []ascending {
	lists := make([]ascending, len(o.keys))
	want := make([]bool, len(o.keys))
	for place := range want {
		want[place] = wanted(place)
	}
	for i, r := range o.d.eachOpen() {
		if !counts(r) {
			continue
		}
		o.each(i, r, func(place int32) {
			if want[place] {
				lists[place].add(uint32(i))
			}
		})
	}
	return lists
}

// refusedAt returns when an open refusal was made, in Unix milliseconds.
func (o *contrastObserver) refusedAt(refusal uint32) int64 {
	return o.first + int64(o.timeOf.at(refusal))*o.unit
}

// refusedVisits returns the refused visits by place and step. refusals are by place.
func (o *contrastObserver) refusedVisits(refusals []ascending) [][]int32 {
	visits := newVisits(len(o.keys), o.steps)
	type visit struct {
		place int // plus one
		time  int64
	}
	last := make([]visit, o.voters)
	for place := range refusals {
		for i := range refusals[place].each {
			at, v := o.refusedAt(i), &last[o.voterOf.at(i)]
			if v.place != place+1 || at-v.time >= o.visit {
				*v = visit{place + 1, at}
				visits[place][o.step(at)]++
			}
		}
	}
	return visits
}

// contrastPart is the part of one goroutine.
type contrastPart struct {
	o        *contrastObserver // read only
	accepted [][]int32         // without those of pending
	pending  []visitAt         // at most maxPending
	requests [][]int32
	counted  []countedVisit // by place
	within   []within       // by set of common
	passed   []within       // by endpoint, if there are neither backends nor servers
	clock    stepClock
	turn     uint32 // number of the current user of the current actor
	// others holds the visits of the current actor's users, if it has several.
	others map[placeOfUser]int64
}

// visitAt is a visit that is to be counted: the cells are rarely in the processor's cache,
// and when many are added together it waits for several at once.
type visitAt struct{ place, step int32 }

// within is the time up to which the requests of one turn to the keys of a set, or of an
// endpoint, are part of visits that have been counted.
type within struct {
	turn  uint32
	until int64
}

// countedVisit is the visit that was counted last.
type countedVisit struct {
	actor, user uint32
	time        int64
}

type placeOfUser struct {
	place int32
	user  uint32
}

func (o *contrastObserver) part() func(*timeline.Actor, uint32) {
	p := &contrastPart{
		o: o, accepted: newVisits(len(o.keys), o.steps), pending: make([]visitAt, 0, maxPending), requests: newVisits(len(o.requests), o.steps),
		counted: make([]countedVisit, len(o.keys)), within: make([]within, len(o.common.sets)),
		passed: make([]within, len(o.ways)), clock: newStepClock(o.d.From, o.width, int32(o.steps-1)), others: map[placeOfUser]int64{},
	}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *contrastObserver) gather() {
	for _, p := range o.parts {
		p.addPending()
	}
	o.accepted, o.requests = o.parts[0].accepted, o.parts[0].requests
	for _, p := range o.parts[1:] {
		addVisits(o.accepted, p.accepted)
		addVisits(o.requests, p.requests)
	}
	o.parts = nil
	o.outages = o.findOutages()
}

func addVisits(all, part [][]int32) {
	for place := range all {
		for i, n := range part[place] {
			all[place][i] += n
		}
	}
}

// actor counts the accepted visits of an actor and its users.
func (p *contrastPart) actor(a *timeline.Actor, id uint32) {
	user := uint32(0)
	clear(p.others)
	p.turn++
	ways, d := p.o.ways, p.o.d
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 && e.User != user {
			user = e.User
			p.turn++
		}
		if e.Refusal != timeline.NoRefusal {
			continue
		}
		way := &ways[e.Endpoint]
		if way.passes>>e.Outcome&1 != 0 && (e.Outcome != timeline.Redirected || !d.Bounced(a, i)) {
			if w := &p.passed[e.Endpoint]; w.turn != p.turn || e.Time >= w.until {
				*w = within{p.turn, p.pass(e, way, id, user)}
			}
			if way.site != 0 && way.asks {
				p.requests[way.site-1][p.clock.at(e.Time)]++
			}
		}
		if user != 0 && way.signsOut {
			user = 0
			p.turn++
		}
	}
}

// pass counts the visits that an accepted request begins: those of the parts of a site
// that many routes have in common, of the route, of the backend and of the server. It
// returns the time up to which the same user's requests to the endpoint begin no other one.
func (p *contrastPart) pass(e *timeline.Event, way *contrastWay, actor, user uint32) (until int64) {
	until = session.Never
	if set := way.set - 1; set >= 0 {
		w := &p.within[set]
		if w.turn != p.turn || e.Time >= w.until {
			*w = within{p.turn, session.Never}
			for _, place := range p.o.common.sets[set] {
				w.until = min(w.until, p.count(place, e.Time, actor, user))
			}
		}
		until = w.until
	}
	if way.route != 0 {
		until = min(until, p.count(way.route-1, e.Time, actor, user))
	}
	if !p.o.replicas {
		return until
	}
	if u := e.Upstream; u != 0 && p.o.ofBackend[u-1] != 0 {
		p.count(p.o.ofBackend[u-1]-1, e.Time, actor, user)
	}
	if server := e.Origin.Server(); server != 0 && p.o.ofServer != nil && p.o.ofServer[server-1] != 0 {
		p.count(p.o.ofServer[server-1]-1, e.Time, actor, user)
	}
	return session.LongAgo // the next request may come to another one
}

// count counts an accepted request of a key if it begins a visit. It returns the time from
// which on the same user's requests are part of another one.
func (p *contrastPart) count(place int32, ms int64, actor, user uint32) (until int64) {
	c := &p.counted[place]
	if c.actor == actor && c.user == user && ms-c.time < p.o.visit {
		return c.time + p.o.visit
	}
	if p.isVisit(c, place, actor, user, ms) {
		if len(p.pending) == maxPending {
			p.addPending()
		}
		p.pending = append(p.pending, visitAt{place, p.clock.at(ms)})
	}
	return c.time + p.o.visit
}

// addPending counts the visits that are pending.
func (p *contrastPart) addPending() {
	for _, v := range p.pending {
		p.accepted[v.place][v.step]++
	}
	p.pending = p.pending[:0]
}

// isVisit reports whether an accepted request of a user of an actor begins a visit of
// a key, whose last visit is c: it is too long ago, or another's.
func (p *contrastPart) isVisit(c *countedVisit, place int32, actor, user uint32, ms int64) bool {
	if c.actor == actor && c.user != user { // the actor's last visit was that of another user
		p.others[placeOfUser{place, c.user}] = c.time
		if at, ok := p.others[placeOfUser{place, user}]; ok && ms-at < p.o.visit {
			*c = countedVisit{actor, user, at}
			return false
		}
	}
	*c = countedVisit{actor, user, ms}
	return true
}
