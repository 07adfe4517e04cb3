package analyze

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
	nearby = 10 * 60_000
	// redirectWindow is how soon a client follows a redirect: at once, but times
	// of whole seconds and slow answers lie between.
	redirectWindow = 2500
	// startWindow is how long before the first request of a session id the
	// sign-in that gave it may have been logged.
	startWindow = 30_000
)

// fact is what correlation knows of one 401.
type fact struct {
	time     int64  // Unix milliseconds; the 401s without time have no fact but their cause
	actor    uint32 // number of the actor
	endpoint uint32 // index into State.Endpoints
	user     uint32 // claimed on the line or by the session before; index plus one, 0 none
	address  uint32
	agent    uint32
	redirect uint32 // endpoint plus one that redirected the actor just before; 0 none
	burst    uint32 // number of the burst within the actor
	upstream uint16 // index into State.Upstreams plus one, 0 none
	scheme   timeline.Scheme
	moved    bool  // the address is another one than that of the session's last acceptance
	cause    Cause // by the rules of one 401 alone; findings come over it
	named    bool  // the line itself names the user
	session  bool  // the line carries a session id
	signIn   bool  // an attempt to sign in or to get a token
	alive    bool  // the same session was accepted elsewhere shortly before and after
	known    bool  // the actor had been accepted before
	good     bool  // it had, or its session was soon after without a sign-in
	first    bool  // the refusal that ended a session
	dead     bool  // it, or one that followed before the next sign-in; then
	gap      int64 // silence on protected routes before the first of them
	gapAny   int64 // silence on all routes before
	age      int64 // since sign-in, -1 when the sign-in was not seen
}

// lifetimes are what the sessions of one host survived: every request to a
// protected route is a trial, with the silence before it and the age of the
// session. The trials that were not survived are the facts that are first.
type lifetimes struct {
	// Silence on protected routes, and on all. A walker counts there only the
	// sessions whose sign-in was not seen.
	gap, gapAny stats.Durations
	// The same of the sessions whose sign-in was seen, and their ages.
	seenGap, seenGapAny, seenAge stats.Durations
	sessions                     int64
}

// add adds what another walker counted.
func (l *lifetimes) add(m *lifetimes) {
	l.gap.Merge(&m.gap)
	l.gapAny.Merge(&m.gapAny)
	l.seenGap.Merge(&m.seenGap)
	l.seenGapAny.Merge(&m.seenGapAny)
	l.seenAge.Merge(&m.seenAge)
	l.sessions += m.sessions
}

// endpointFacts is what the actors show of one endpoint.
type endpointFacts struct {
	actors, refusedActors, aliveActors int64
	refused                            int64 // 401s that are no handshake
}

// correlation is everything the detectors read.
type correlation struct {
	state     *timeline.State
	workers   int
	memory    spill.Memory
	facts     []fact // by index of State.Refusals
	endpoints []endpointFacts
	protected []bool // by endpoint: it refused some and accepted others
	roles     []role // by endpoint
	hosts     map[string]*lifetimes
	sites     []string                       // virtual hosts, sorted
	siteOf    []uint32                       // by endpoint: its place in sites
	sessions  []*spill.Sorter[sessionRecord] // see eachSession
	clients   map[timeline.Client]*clientFacts
	links     []*spill.Sorter[clientLink] // users by client, until follow has ended
	// userClients counts the distinct clients by user.
	userClients []int64
	actors      int64  // actors that were accepted on a protected route
	saver       *saver // what a later run is to know; nil for nothing

	from, to int64 // the window that holds nearly all requests, Unix milliseconds
	width    int64 // of a step of time, milliseconds
}

// clientFacts sums the requests of one client.
type clientFacts struct {
	tally            timeline.Tally
	users, sessions  int64
	refusedEndpoints int64
	session          uint32 // actor that was counted last as a session
}

// Limits.
const (
	maxSteps = 2048 // steps of time that endpoints are followed in
	// minFollowed 401s are needed to follow a host at all: fewer show nothing.
	minFollowed = 5
	// maxHosts is for how many hosts, those with most 401s, session lifetimes
	// are kept apart.
	maxHosts = 64
)

// correlate walks all actors, in parallel over the shards, and sums what they
// show. Everything it sums is a count, a minimum or a maximum, and every list
// it makes is sorted, so that the order of the walk leaves no trace.
func correlate(ctx context.Context, s *timeline.State, workers int, m spill.Memory, p *Carryover) (*correlation, error) {
	c := &correlation{
		state:     s,
		workers:   workers,
		memory:    m,
		facts:     make([]fact, len(s.Refusals)),
		endpoints: make([]endpointFacts, len(s.Endpoints)),
		protected: make([]bool, len(s.Endpoints)),
		roles:     make([]role, len(s.Endpoints)),
		hosts:     map[string]*lifetimes{},
	}
	for i, e := range s.Endpoints {
		c.protected[i] = protects(&e)
		c.roles[i] = roleOf(&e)
	}
	c.inParts(len(c.facts), func(from, to int) {
		for i := from; i < to; i++ {
			c.facts[i].cause = Unexplained
		}
	})
	c.window()
	if p != nil {
		c.saver = newSaver(c, p)
	}
	c.listSites()
	hosts := c.followedHosts()

	walkers := make([]*walker, workers)
	for i := range walkers {
		walkers[i] = newWalker(c, hosts)
	}
	err := c.visit(ctx, nil, func(worker int, id uint32, a *timeline.Actor) { walkers[worker].actor(a, id) })
	if err != nil {
		return nil, err
	}
	return c, c.gather(walkers)
}

// listSites numbers the virtual hosts. Endpoints come by host.
func (c *correlation) listSites() {
	c.siteOf = make([]uint32, len(c.state.Endpoints))
	for i := range c.state.Endpoints {
		if host := c.state.Endpoints[i].Host; i == 0 || host != c.state.Endpoints[i-1].Host {
			c.sites = append(c.sites, host)
		}
		c.siteOf[i] = uint32(len(c.sites)) - 1
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
	return e.N[timeline.Unauthorized]+e.Known.Unauthorized > 0 || e.Bare+e.Known.Bare == 0 && accepted >= provenRequests && !asset(e.Template)
}

// role is what a request to an endpoint may mean to the session it is in. The
// walk asks it of every request: a byte for each endpoint stays in the nearest
// cache.
type role uint8

const (
	signsIn role = 1 << iota
	signsOut
	guards // it is protected
)

func roleOf(e *timeline.Endpoint) (r role) {
	if e.SignIn {
		r |= signsIn
	}
	if e.SignOut {
		r |= signsOut
	}
	if protects(e) {
		r |= guards
	}
	return r
}

// visit takes the actors that are wanted, all of them where want is nil, in
// parallel over the shards: visit is called by one goroutine for each worker in
// [0, workers), for one actor at a time. An actor has the same id, which is not
// 0, each time.
func (c *correlation) visit(ctx context.Context, want func(id uint32, w timeline.Who) bool, visit func(worker int, id uint32, a *timeline.Actor)) error {
	next := make(chan int, timeline.Shards)
	for i := range timeline.Shards {
		next <- i
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for worker := range c.workers {
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
				err := c.state.Shard(shard, &scratch, wanted, func(n uint32, a *timeline.Actor) { visit(worker, first+n, a) })
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
func (c *correlation) window() {
	total := int64(0)
	for _, m := range c.state.Minutes {
		for _, n := range m.N {
			total += n
		}
	}
	trim := total / 10_000
	edge := func(minutes func(i int) timeline.Minute) int64 {
		seen := int64(0)
		for i := range c.state.Minutes {
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
	c.from = edge(func(i int) timeline.Minute { return c.state.Minutes[i] })
	c.to = edge(func(i int) timeline.Minute { return c.state.Minutes[len(c.state.Minutes)-1-i] }) + c.state.Grain/1000
	c.width = max(1000, (c.to-c.from)/maxSteps+1)
}

// step gives the step of time of ms; what lies outside the window counts for
// the first or last step.
func (c *correlation) step(ms int64) int {
	return int(min(max(ms-c.from, 0)/c.width, maxSteps-1))
}

// followedHosts numbers the hosts with 401s, by endpoint; -1 is not followed.
func (c *correlation) followedHosts() []int {
	refused := map[string]int64{}
	var names []string
	for _, e := range c.state.Endpoints {
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
	of := make([]int, len(c.state.Endpoints))
	for i, e := range c.state.Endpoints {
		of[i] = -1
		if n, ok := number[e.Host]; ok {
			of[i] = n
		}
	}
	return of
}

// walker is one goroutine's part of the correlation.
type walker struct {
	*correlation // read only, but for the facts of the actor at hand

	hostOf         []int
	lifetimes      [maxHosts]*lifetimes
	endpoints      []endpointFacts
	stamps         []stamp // by endpoint
	sessions       *spill.Sorter[sessionRecord]
	clients        map[timeline.Client]*clientFacts
	clientUsers    *spill.Sorter[clientLink]
	clientRefusals []clientLink
	actors         int64
	aheads         []ahead    // scratch
	partSaver      *partSaver // nil where nothing is kept for a later run
	earlier        fact       // scratch: of a 401 that an earlier run told
	news           bool       // the actor at hand has had a request that no earlier run told
	err            error      // the first one of writing to disk
}

// clientLink notes that a client was or claimed to be a user, or was refused by
// an endpoint.
type clientLink struct {
	client timeline.Client
	to     uint32
}

func compareLinks(a, b *clientLink) int {
	return cmp.Or(timeline.CompareClients(a.client, b.client), cmp.Compare(a.to, b.to))
}

var linkCodec = spill.Codec[clientLink]{
	Append: func(dst []byte, l *clientLink) []byte {
		for _, n := range [...]uint32{l.client.Address, l.client.Agent, l.to} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return dst
	},
	Read: func(l *clientLink, src []byte) []byte {
		for i, n := range [...]*uint32{&l.client.Address, &l.client.Agent, &l.to} {
			*n = binary.LittleEndian.Uint32(src[4*i:])
		}
		return src[12:]
	},
	Compare: compareLinks,
	Key:     func(l *clientLink) uint64 { return uint64(l.client.Address)<<32 | uint64(l.client.Agent) },
}

// distinct sorts links and drops the repeated ones.
func distinct(links []clientLink) []clientLink {
	slices.SortFunc(links, func(a, b clientLink) int { return compareLinks(&a, &b) })
	return slices.Compact(links)
}

// stamp remembers what of an endpoint was counted for which actor.
type stamp struct {
	actor, refusedActor, aliveActor uint32 // number plus one
}

func newWalker(c *correlation, hosts []int) *walker {
	return &walker{
		correlation: c, hostOf: hosts, partSaver: c.saver.partSaver(),
		endpoints: make([]endpointFacts, len(c.endpoints)),
		stamps:    make([]stamp, len(c.endpoints)),
		clients:   map[timeline.Client]*clientFacts{},
		sessions: &spill.Sorter[sessionRecord]{
			Codec: sessionCodec, Space: c.memory.Space, Limit: c.memory.Records(c.workers, sessionRecordSize),
		},
		clientUsers: &spill.Sorter[clientLink]{
			Codec: linkCodec, Space: c.memory.Space, Limit: c.memory.Records(c.workers, clientLinkSize),
		},
	}
}

// keep notes the first error of writing to disk.
func (w *walker) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

// actor takes in one actor.
func (w *walker) actor(a *timeline.Actor, id uint32) {
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
func (w *walker) sum(a *timeline.Actor, id uint32) (refused bool) {
	var client timeline.Client
	var f *clientFacts // of client
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
				f.sessions++
			}
		}
		f.tally.Add(e.Outcome, e.Time*1000)
		if e.User != 0 && e.User != user {
			user = e.User
			w.keep(w.clientUsers.Add(clientLink{client, user - 1}))
		}
		st := &w.stamps[e.Endpoint]
		if st.actor != id {
			st.actor = id
			w.endpoints[e.Endpoint].actors++
		}
		switch e.Outcome {
		case timeline.Accepted:
			accepted = accepted || w.roles[e.Endpoint]&guards != 0
		case timeline.Unauthorized:
			refused = true
			if st.refusedActor != id {
				st.refusedActor = id
				w.endpoints[e.Endpoint].refusedActors++
			}
			if n := len(w.clientRefusals); n == 0 || w.clientRefusals[n-1] != (clientLink{e.Client, e.Endpoint}) {
				w.clientRefusals = append(w.clientRefusals, clientLink{e.Client, e.Endpoint})
			}
		}
	}
	if accepted {
		w.actors++
	}
	return refused
}

// client gives the walker's part of a client's facts.
func (w *walker) client(c timeline.Client) *clientFacts {
	f := w.clients[c]
	if f == nil {
		f = &clientFacts{tally: emptyTally()}
		w.clients[c] = f
	}
	return f
}

// countRefusals counts, for each endpoint, the 401s that are no handshake, and
// the actors refused while their sessions were alive.
func (w *walker) countRefusals(a *timeline.Actor, id uint32) {
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal >= timeline.EarlierEvent {
			continue
		}
		fact := &w.facts[e.Refusal]
		f, st := &w.endpoints[e.Endpoint], &w.stamps[e.Endpoint]
		if fact.cause != Challenge {
			f.refused++
		}
		if fact.alive && st.aliveActor != id {
			st.aliveActor = id
			f.aliveActors++
		}
	}
}

// gather sums the walkers' parts.
func (c *correlation) gather(walkers []*walker) error {
	names := make([]string, maxHosts)
	for i, e := range c.state.Endpoints {
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
		c.actors += w.actors
		c.links = append(c.links, w.clientUsers)
		c.sessions = append(c.sessions, w.sessions)
		tasks = append(tasks, func() { w.clientRefusals = distinct(w.clientRefusals) }, w.clientUsers.Sort)
	}
	c.together(append(tasks,
		func() { c.gatherClients(walkers) },
		func() { c.gatherLifetimes(walkers, names) },
		func() {
			for _, w := range walkers {
				for i := range w.endpoints {
					c.endpoints[i].merge(&w.endpoints[i])
				}
			}
		},
	)...)
	return c.countLinks(walkers)
}

// gatherLifetimes sums what the walkers know of sessions, by the names of hosts.
func (c *correlation) gatherLifetimes(walkers []*walker, names []string) {
	for _, w := range walkers {
		for n, l := range w.lifetimes {
			if l == nil {
				continue
			}
			if sum := c.hosts[names[n]]; sum != nil {
				sum.add(l)
			} else {
				c.hosts[names[n]] = l
			}
		}
	}
	for _, l := range c.hosts {
		l.gap.Merge(&l.seenGap)
		l.gapAny.Merge(&l.seenGapAny)
	}
}

// gatherClients sums what the walkers know of clients.
func (c *correlation) gatherClients(walkers []*walker) {
	c.clients = walkers[0].clients
	for _, w := range walkers[1:] {
		for cl, f := range w.clients {
			if g := c.clients[cl]; g != nil {
				g.tally.Merge(&f.tally)
				g.sessions += f.sessions
			} else {
				c.clients[cl] = f
			}
		}
	}
}

// countLinks counts the distinct users and refusing endpoints of clients, and the
// clients of users. Links come by client.
func (c *correlation) countLinks(walkers []*walker) error {
	var refusals []spill.Source[clientLink]
	for _, w := range walkers {
		refusals = append(refusals, spill.FromSlice(w.clientRefusals))
	}
	c.userClients = make([]int64, len(c.state.Users))
	each := func(links iter.Seq2[*clientLink, error], count func(f *clientFacts, to uint32)) error {
		var last clientLink
		var f *clientFacts // of its client; nil before the first
		for l, err := range links {
			if err != nil {
				return err
			}
			if f != nil && *l == last {
				continue
			}
			if f == nil || l.client != last.client {
				f = c.clients[l.client]
			}
			last = *l
			count(f, l.to)
		}
		return nil
	}
	var refused, named error
	tasks := []func(){
		func() {
			refused = each(spill.Merge(refusals, compareLinks), func(f *clientFacts, _ uint32) { f.refusedEndpoints++ })
		},
		func() {
			named = each(spill.Sorted(c.links...), func(f *clientFacts, user uint32) {
				f.users++
				c.userClients[user]++
			})
		},
	}
	for _, s := range c.sessions { // which are asked for soon
		tasks = append(tasks, s.Sort)
	}
	c.together(tasks...)
	return errors.Join(refused, named)
}

// together runs tasks that have nothing in common, as many at a time as there
// are workers.
func (c *correlation) together(tasks ...func()) {
	var g errgroup.Group
	g.SetLimit(c.workers)
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
func (c *correlation) inParts(n int, do func(from, to int)) {
	const each = 8
	tasks := make([]func(), each*c.workers)
	for i := range tasks {
		tasks[i] = func() { do(i*n/len(tasks), (i+1)*n/len(tasks)) }
	}
	c.together(tasks...)
}

func (f *endpointFacts) merge(g *endpointFacts) {
	f.actors += g.actors
	f.refusedActors += g.refusedActors
	f.aliveActors += g.aliveActors
	f.refused += g.refused
}

// dropTimelines frees what only the walks over the timelines read.
func (c *correlation) dropTimelines() {
	c.state.DropTimelines()
	c.links = nil
}

// release frees what no row that is made later asks for.
func (c *correlation) release() {
	c.clients, c.userClients = nil, nil
	if c.saver == nil {
		c.state.Users = nil
	}
}

// carries reports whether the timelines begin with events of earlier runs.
func (c *correlation) carries() bool { return c.saver != nil }
