package session

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/spill"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// Times within the correlation, in milliseconds. Each says why.
const (
	// burstGap joins the refusals of one page: its calls are sent at once, and
	// a retry or two follow.
	burstGap = 10_000
	// handshakeWindow is how soon a challenge is answered: a client's second
	// leg follows at once, a person at a browser's password box within seconds.
	handshakeWindow = 10_000
	// arrivalWindow is how soon a visitor who met a 401 signs in by hand.
	arrivalWindow = 5 * 60_000
	// nearby is how far an acceptance elsewhere may lie before and after a
	// refusal to show that the session was alive then: a few page views.
	Nearby = 10 * 60_000
	// redirectWindow is how soon a client follows a redirect: at once, but times
	// of whole seconds and slow answers lie between.
	RedirectWindow = 2500
	// startWindow is how long before the first request of a session id the
	// sign-in that gave it may have been logged.
	startWindow = 30_000
)

// fact is what correlation knows of one 401.
type Refusal struct {
	Time     int64  // Unix milliseconds; the 401s without time have no fact but their cause
	Actor    uint32 // number of the actor
	Endpoint uint32 // index into State.Endpoints
	User     uint32 // claimed on the line or by the session before; index plus one, 0 none
	Address  uint32
	Agent    uint32
	Redirect uint32 // endpoint plus one that redirected the actor just before; 0 none
	burst    uint32 // number of the burst within the actor
	Upstream uint16 // index into State.Upstreams plus one, 0 none
	Scheme   timeline.Scheme
	Moved    bool  // the address is another one than that of the session's last acceptance
	Cause    Cause // by the rules of one 401 alone; findings come over it
	Named    bool  // the line itself names the user
	Session  bool  // the line carries a session id
	SignIn   bool  // an attempt to sign in or to get a token
	Alive    bool  // the same session was accepted elsewhere shortly before and after
	Known    bool  // the actor had been accepted before
	Good     bool  // it had, or its session was soon after without a sign-in
	Fatal    bool  // the refusal that ended a session
	Dead     bool  // it, or one that followed before the next sign-in; then
	Gap      int64 // silence on protected routes before the first of them
	GapAny   int64 // silence on all routes before
	Age      int64 // since sign-in, -1 when the sign-in was not seen
}

// lifetimes are what the sessions of one host survived: every request to a
// protected route is a trial, with the silence before it and the age of the
// session. The trials that were not survived are the facts that are first.
type Lifetimes struct {
	// Silence on protected routes, and on all. A walker counts there only the
	// sessions whose sign-in was not seen.
	Gap, GapAny stats.Durations
	// The same of the sessions whose sign-in was seen, and their ages.
	SeenGap, SeenGapAny, SeenAge stats.Durations
	Sessions                     int64
}

// add adds what another walker counted.
func (l *Lifetimes) add(m *Lifetimes) {
	l.Gap.Merge(&m.Gap)
	l.GapAny.Merge(&m.GapAny)
	l.SeenGap.Merge(&m.SeenGap)
	l.SeenGapAny.Merge(&m.SeenGapAny)
	l.SeenAge.Merge(&m.SeenAge)
	l.Sessions += m.Sessions
}

// endpointFacts is what the actors show of one endpoint.
type EndpointStats struct {
	Actors, RefusedActors, AliveActors int64
	refused                            int64 // 401s that are no handshake
}

// correlation is everything the detectors read.
type Evidence struct {
	State     *timeline.State
	Workers   int
	memory    spill.Memory
	Refusals  []Refusal // by index of State.Refusals
	Endpoints []EndpointStats
	Protected []bool // by endpoint: it refused some and accepted others
	Roles     []Role // by endpoint
	Lifetimes map[string]*Lifetimes
	Sites     []string                // virtual hosts, sorted
	siteOf    []uint32                // by endpoint: its place in sites
	sessions  []*spill.Sorter[Record] // see eachSession
	Clients   map[timeline.Client]*ClientStats
	Links     []*spill.Sorter[ClientLink] // users by client, until follow has ended
	// userClients counts the distinct clients by user.
	UserClients []int64
	Actors      int64  // actors that were accepted on a protected route
	saver       *saver // what a later run is to know; nil for nothing

	From, To int64 // the window that holds nearly all requests, Unix milliseconds
	Width    int64 // of a step of time, milliseconds
}

// clientFacts sums the requests of one client.
type ClientStats struct {
	Tally            timeline.Tally
	Users, Sessions  int64
	RefusedEndpoints int64
	session          uint32 // actor that was counted last as a session
}

// Limits.
const (
	MaxSteps = 2048 // steps of time that endpoints are followed in
	// minFollowed 401s are needed to follow a host at all: fewer show nothing.
	minFollowed = 5
	// maxHosts is for how many hosts, those with most 401s, session lifetimes
	// are kept apart.
	maxHosts = 64
)

// correlate walks all actors, in parallel over the shards, and sums what they
// show. Everything it sums is a count, a minimum or a maximum, and every list
// it makes is sorted, so that the order of the walk leaves no trace.
func Correlate(ctx context.Context, s *timeline.State, workers int, m spill.Memory, p *Carryover) (*Evidence, error) {
	c := &Evidence{
		State:     s,
		Workers:   workers,
		memory:    m,
		Refusals:  make([]Refusal, len(s.Refusals)),
		Endpoints: make([]EndpointStats, len(s.Endpoints)),
		Protected: make([]bool, len(s.Endpoints)),
		Roles:     make([]Role, len(s.Endpoints)),
		Lifetimes: map[string]*Lifetimes{},
	}
	for i, e := range s.Endpoints {
		c.Protected[i] = protects(&e)
		c.Roles[i] = roleOf(&e)
	}
	c.InParts(len(c.Refusals), func(from, to int) {
		for i := from; i < to; i++ {
			c.Refusals[i].Cause = Unexplained
		}
	})
	c.window()
	if p != nil {
		c.saver = newSaver(c, p)
	}
	c.listSites()
	hosts := c.followedHosts()

	walkers := make([]*sessionizer, workers)
	for i := range walkers {
		walkers[i] = newSessionizer(c, hosts)
	}
	err := c.Visit(ctx, nil, func(worker int, id uint32, a *timeline.Actor) { walkers[worker].actor(a, id) })
	if err != nil {
		return nil, err
	}
	return c, c.gather(walkers)
}

// listSites numbers the virtual hosts. Endpoints come by host.
func (c *Evidence) listSites() {
	c.siteOf = make([]uint32, len(c.State.Endpoints))
	for i := range c.State.Endpoints {
		if host := c.State.Endpoints[i].Host; i == 0 || host != c.State.Endpoints[i-1].Host {
			c.Sites = append(c.Sites, host)
		}
		c.siteOf[i] = uint32(len(c.Sites)) - 1
	}
}

// provenRequests to a route, all with a user or a session, show that it asks for
// one, even when it never refused: a public route is met by some visitor's first
// request, which has neither.
const provenRequests = 10

// protects tells whether an acceptance by an endpoint says something about
// authentication: it refused some and accepted others, or accepts nobody
// without a name. What is loaded with every page says nothing.
func protects(e *timeline.Endpoint) bool {
	accepted := e.N[timeline.Accepted] + e.Known.Accepted
	if accepted == 0 || e.SignIn || e.SignOut {
		return false
	}
	return e.N[timeline.Unauthorized]+e.Known.Unauthorized > 0 || e.Bare+e.Known.Bare == 0 && accepted >= provenRequests && !IsAsset(e.Template)
}

// role is what a request to an endpoint may mean to the session it is in. The
// walk asks it of every request: a byte for each endpoint stays in the nearest
// cache.
type Role uint8

const (
	SignsIn Role = 1 << iota
	signsOut
	Guards // it is protected
)

func roleOf(e *timeline.Endpoint) (r Role) {
	if e.SignIn {
		r |= SignsIn
	}
	if e.SignOut {
		r |= signsOut
	}
	if protects(e) {
		r |= Guards
	}
	return r
}

// visit takes the actors that are wanted, all of them where want is nil, in
// parallel over the shards: visit is called by one goroutine for each worker in
// [0, workers), for one actor at a time. An actor has the same id, which is not
// 0, each time.
func (c *Evidence) Visit(ctx context.Context, want func(id uint32, w timeline.Who) bool, visit func(worker int, id uint32, a *timeline.Actor)) error {
	next := make(chan int, timeline.Shards)
	for i := range timeline.Shards {
		next <- i
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for worker := range c.Workers {
		g.Go(func() error {
			var scratch timeline.Scratch
			for shard := range next {
				if err := ctx.Err(); err != nil {
					return err
				}
				first := uint32(shard)<<(32-timeline.ShardBits) + 1
				var wanted func(uint32, timeline.Who) bool
				if want != nil {
					wanted = func(n uint32, w timeline.Who) bool { return want(first+n, w) }
				}
				err := c.State.Shard(shard, &scratch, wanted, func(n uint32, a *timeline.Actor) { visit(worker, first+n, a) })
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// window finds the span that holds all but a hundredth of a percent of the
// requests on either side, so that a few absurd dates do not stretch it.
func (c *Evidence) window() {
	total := int64(0)
	for _, m := range c.State.Minutes {
		for _, n := range m.N {
			total += n
		}
	}
	trim := total / 10_000
	edge := func(minutes func(i int) timeline.Minute) int64 {
		seen := int64(0)
		for i := range c.State.Minutes {
			m := minutes(i)
			for _, n := range m.N {
				seen += n
			}
			if seen > trim {
				return m.Time / 1000
			}
		}
		return 0
	}
	c.From = edge(func(i int) timeline.Minute { return c.State.Minutes[i] })
	c.To = edge(func(i int) timeline.Minute { return c.State.Minutes[len(c.State.Minutes)-1-i] }) + c.State.Grain/1000
	c.Width = max(1000, (c.To-c.From)/MaxSteps+1)
}

// step gives the step of time of ms; what lies outside the window counts for
// the first or last step.
func (c *Evidence) Step(ms int64) int {
	return int(min(max(ms-c.From, 0)/c.Width, MaxSteps-1))
}

// followedHosts numbers the hosts with 401s, by endpoint; -1 is not followed.
func (c *Evidence) followedHosts() []int {
	refused := map[string]int64{}
	var names []string
	for _, e := range c.State.Endpoints {
		if _, ok := refused[e.Host]; !ok {
			names = append(names, e.Host)
		}
		refused[e.Host] += e.N[timeline.Unauthorized]
	}
	slices.SortStableFunc(names, func(a, b string) int { return int(refused[b] - refused[a]) })
	number := map[string]int{}
	for i, n := range names[:min(len(names), maxHosts)] {
		if refused[n] >= minFollowed {
			number[n] = i
		}
	}
	of := make([]int, len(c.State.Endpoints))
	for i, e := range c.State.Endpoints {
		of[i] = -1
		if n, ok := number[e.Host]; ok {
			of[i] = n
		}
	}
	return of
}

// walker is one goroutine's part of the correlation.
type sessionizer struct {
	*Evidence // read only, but for the facts of the actor at hand

	hostOf         []int
	lifetimes      [maxHosts]*Lifetimes
	endpoints      []EndpointStats
	stamps         []stamp // by endpoint
	sessions       *spill.Sorter[Record]
	clients        map[timeline.Client]*ClientStats
	clientUsers    *spill.Sorter[ClientLink]
	clientRefusals []ClientLink
	actors         int64
	aheads         []ahead    // scratch
	partSaver      *partSaver // nil where nothing is kept for a later run
	earlier        Refusal    // scratch: of a 401 that an earlier run told
	news           bool       // the actor at hand has had a request that no earlier run told
	err            error      // the first one of writing to disk
}

// clientLink notes that a client was or claimed to be a user, or was refused by
// an endpoint.
type ClientLink struct {
	Client timeline.Client
	To     uint32
}

func compareLinks(a, b *ClientLink) int {
	return cmp.Or(timeline.CompareClients(a.Client, b.Client), cmp.Compare(a.To, b.To))
}

var linkCodec = spill.Codec[ClientLink]{
	Append: func(dst []byte, l *ClientLink) []byte {
		for _, n := range [...]uint32{l.Client.Address, l.Client.Agent, l.To} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return dst
	},
	Read: func(l *ClientLink, src []byte) []byte {
		for i, n := range [...]*uint32{&l.Client.Address, &l.Client.Agent, &l.To} {
			*n = binary.LittleEndian.Uint32(src[4*i:])
		}
		return src[12:]
	},
	Compare: compareLinks,
	Key:     func(l *ClientLink) uint64 { return uint64(l.Client.Address)<<32 | uint64(l.Client.Agent) },
}

// distinct sorts links and drops the repeated ones.
func distinct(links []ClientLink) []ClientLink {
	slices.SortFunc(links, func(a, b ClientLink) int { return compareLinks(&a, &b) })
	return slices.Compact(links)
}

// stamp remembers what of an endpoint was counted for which actor.
type stamp struct {
	actor, refusedActor, aliveActor uint32 // number plus one
}

func newSessionizer(c *Evidence, hosts []int) *sessionizer {
	return &sessionizer{
		Evidence: c, hostOf: hosts, partSaver: c.saver.partSaver(),
		endpoints: make([]EndpointStats, len(c.Endpoints)),
		stamps:    make([]stamp, len(c.Endpoints)),
		clients:   map[timeline.Client]*ClientStats{},
		sessions: &spill.Sorter[Record]{
			Codec: sessionCodec, Space: c.memory.Space, Limit: c.memory.Records(c.Workers, sessionRecordSize),
		},
		clientUsers: &spill.Sorter[ClientLink]{
			Codec: linkCodec, Space: c.memory.Space, Limit: c.memory.Records(c.Workers, clientLinkSize),
		},
	}
}

// keep notes the first error of writing to disk.
func (w *sessionizer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// actor takes in one actor.
func (w *sessionizer) actor(a *timeline.Actor, id uint32) {
	refused := w.sum(a, id)
	w.walk(a, id, refused)
	if refused {
		w.countRefusals(a, id)
	}
}

func emptyTally() timeline.Tally {
	const no = parse.NoTime
	return timeline.Tally{First: no, Last: no, FirstAccepted: no, LastAccepted: no, FirstRefused: no, LastRefused: no}
}

// sum adds the actor's requests to its clients, notes who used them, and counts
// the distinct actors of endpoints. It tells whether the actor was ever refused.
func (w *sessionizer) sum(a *timeline.Actor, id uint32) (refused bool) {
	var client timeline.Client
	var f *ClientStats // of client
	user := uint32(0)
	accepted := false
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal == timeline.EarlierEvent {
			refused = refused || e.Outcome == timeline.Unauthorized
			continue
		}
		if f == nil || e.Client != client {
			client, user = e.Client, 0
			f = w.client(client)
			if a.Session != nil && f.session != id {
				f.session = id
				f.Sessions++
			}
		}
		f.Tally.Add(e.Outcome, e.Time*1000)
		if e.User != 0 && e.User != user {
			user = e.User
			w.keep(w.clientUsers.Add(ClientLink{client, user - 1}))
		}
		st := &w.stamps[e.Endpoint]
		if st.actor != id {
			st.actor = id
			w.endpoints[e.Endpoint].Actors++
		}
		switch e.Outcome {
		case timeline.Accepted:
			accepted = accepted || w.Roles[e.Endpoint]&Guards != 0
		case timeline.Unauthorized:
			refused = true
			if st.refusedActor != id {
				st.refusedActor = id
				w.endpoints[e.Endpoint].RefusedActors++
			}
			if n := len(w.clientRefusals); n == 0 || w.clientRefusals[n-1] != (ClientLink{e.Client, e.Endpoint}) {
				w.clientRefusals = append(w.clientRefusals, ClientLink{e.Client, e.Endpoint})
			}
		}
	}
	if accepted {
		w.actors++
	}
	return refused
}

// client gives the walker's part of a client's facts.
func (w *sessionizer) client(c timeline.Client) *ClientStats {
	f := w.clients[c]
	if f == nil {
		f = &ClientStats{Tally: emptyTally()}
		w.clients[c] = f
	}
	return f
}

// countRefusals counts, for each endpoint, the 401s that are no handshake, and
// the actors refused while their sessions were alive.
func (w *sessionizer) countRefusals(a *timeline.Actor, id uint32) {
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal >= timeline.EarlierEvent {
			continue
		}
		fact := &w.Refusals[e.Refusal]
		f, st := &w.endpoints[e.Endpoint], &w.stamps[e.Endpoint]
		if fact.Cause != Challenge {
			f.refused++
		}
		if fact.Alive && st.aliveActor != id {
			st.aliveActor = id
			f.AliveActors++
		}
	}
}

// gather sums the walkers' parts.
func (c *Evidence) gather(walkers []*sessionizer) error {
	names := make([]string, maxHosts)
	for i, e := range c.State.Endpoints {
		if n := walkers[0].hostOf[i]; n >= 0 {
			names[n] = e.Host
		}
	}
	var tasks []func()
	for _, w := range walkers {
		if w.err != nil {
			return w.err
		}
		if c.saver != nil {
			c.saver.parts = append(c.saver.parts, w.partSaver)
		}
		c.Actors += w.actors
		c.Links = append(c.Links, w.clientUsers)
		c.sessions = append(c.sessions, w.sessions)
		tasks = append(tasks, func() { w.clientRefusals = distinct(w.clientRefusals) }, w.clientUsers.Sort)
	}
	c.Parallel(append(tasks,
		func() { c.gatherClients(walkers) },
		func() { c.gatherLifetimes(walkers, names) },
		func() {
			for _, w := range walkers {
				for i := range w.endpoints {
					c.Endpoints[i].merge(&w.endpoints[i])
				}
			}
		},
	)...)
	return c.countLinks(walkers)
}

// gatherLifetimes sums what the walkers know of sessions, by the names of hosts.
func (c *Evidence) gatherLifetimes(walkers []*sessionizer, names []string) {
	for _, w := range walkers {
		for n, l := range w.lifetimes {
			if l == nil {
				continue
			}
			if sum := c.Lifetimes[names[n]]; sum != nil {
				sum.add(l)
			} else {
				c.Lifetimes[names[n]] = l
			}
		}
	}
	for _, l := range c.Lifetimes {
		l.Gap.Merge(&l.SeenGap)
		l.GapAny.Merge(&l.SeenGapAny)
	}
}

// gatherClients sums what the walkers know of clients.
func (c *Evidence) gatherClients(walkers []*sessionizer) {
	c.Clients = walkers[0].clients
	for _, w := range walkers[1:] {
		for cl, f := range w.clients {
			if g := c.Clients[cl]; g != nil {
				g.Tally.Merge(&f.Tally)
				g.Sessions += f.Sessions
			} else {
				c.Clients[cl] = f
			}
		}
	}
}

// countLinks counts the distinct users and refusing endpoints of clients, and the
// clients of users. Links come by client.
func (c *Evidence) countLinks(walkers []*sessionizer) error {
	var refusals []spill.Source[ClientLink]
	for _, w := range walkers {
		refusals = append(refusals, spill.FromSlice(w.clientRefusals))
	}
	c.UserClients = make([]int64, len(c.State.Users))
	each := func(links iter.Seq2[*ClientLink, error], count func(f *ClientStats, to uint32)) error {
		var last ClientLink
		var f *ClientStats // of its client; nil before the first
		for l, err := range links {
			if err != nil {
				return err
			}
			if f != nil && *l == last {
				continue
			}
			if f == nil || l.Client != last.Client {
				f = c.Clients[l.Client]
			}
			last = *l
			count(f, l.To)
		}
		return nil
	}
	var refused, named error
	tasks := []func(){
		func() {
			refused = each(spill.Merge(refusals, compareLinks), func(f *ClientStats, _ uint32) { f.RefusedEndpoints++ })
		},
		func() {
			named = each(spill.Sorted(c.Links...), func(f *ClientStats, user uint32) {
				f.Users++
				c.UserClients[user]++
			})
		},
	}
	for _, s := range c.sessions { // which are asked for soon
		tasks = append(tasks, s.Sort)
	}
	c.Parallel(tasks...)
	return errors.Join(refused, named)
}

// together runs tasks that have nothing in common, as many at a time as there
// are workers.
func (c *Evidence) Parallel(tasks ...func()) {
	var g errgroup.Group
	g.SetLimit(c.Workers)
	for _, task := range tasks {
		g.Go(func() error {
			task()
			return nil
		})
	}
	_ = g.Wait() // no task fails
}

// inParts cuts n things into a few parts for each worker, so that none waits for
// another one for long, and does them side by side.
func (c *Evidence) InParts(n int, do func(from, to int)) {
	const each = 8
	tasks := make([]func(), each*c.Workers)
	for i := range tasks {
		tasks[i] = func() { do(i*n/len(tasks), (i+1)*n/len(tasks)) }
	}
	c.Parallel(tasks...)
}

func (f *EndpointStats) merge(g *EndpointStats) {
	f.Actors += g.Actors
	f.RefusedActors += g.RefusedActors
	f.AliveActors += g.AliveActors
	f.refused += g.refused
}

// dropTimelines frees what only the walks over the timelines read.
func (c *Evidence) DropTimelines() {
	c.State.DropTimelines()
	c.Links = nil
}

// release frees what no row that is made later asks for.
func (c *Evidence) Release() {
	c.Clients, c.UserClients = nil, nil
	if c.saver == nil {
		c.State.Users = nil
	}
}

// carries reports whether the timelines begin with events of earlier runs.
func (c *Evidence) Carries() bool { return c.saver != nil }
