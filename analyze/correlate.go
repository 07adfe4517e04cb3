package analyze

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"logscan/analyze/fold"
	"logscan/analyze/stats"
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
	burst    uint32 // number of the burst within the actor
	cause    cause  // by the rules of one 401 alone; findings come over it
	finding  int32  // index into the findings plus one
	named    bool   // the line itself names the user
	signIn   bool   // an attempt to sign in or to get a token
	alive    bool   // the same session was accepted elsewhere shortly before and after
	known    bool   // the actor had been accepted before
	good     bool   // it had, or its session was soon after without a sign-in
	first    bool   // the refusal that ended a session
	dead     bool   // it, or one that followed before the next sign-in; then
	gap      int64  // silence on protected routes before the first of them
	gapAny   int64  // silence on all routes before
	age      int64  // since sign-in, -1 when the sign-in was not seen
}

// lifetimes are what the sessions of one host survived: every request to a
// protected route is a trial, with the silence before it and the age of the
// session. The trials that were not survived are the facts that are first.
type lifetimes struct {
	gap    stats.Durations // silence on protected routes
	gapAny stats.Durations // silence on all routes
	// The same of the sessions whose sign-in was seen, and their ages.
	seenGap, seenGapAny, seenAge stats.Durations
	sessions                     int64
}

func (l *lifetimes) merge(m *lifetimes) {
	l.gap.Merge(&m.gap)
	l.gapAny.Merge(&m.gapAny)
	l.seenGap.Merge(&m.seenGap)
	l.seenGapAny.Merge(&m.seenGapAny)
	l.seenAge.Merge(&m.seenAge)
	l.sessions += m.sessions
}

// cell counts the actors of one endpoint in one step of time.
type cell struct {
	accepted, refused          int32 // distinct actors; refused ones were alive elsewhere
	lastAccepted, firstRefused int64 // Unix milliseconds
}

// endpointFacts is what the actors show of one endpoint.
type endpointFacts struct {
	actors, refusedActors, aliveActors int64
	refused                            int64 // 401s that are no handshake
	cells                              []cell
}

// correlation is everything the detectors read.
type correlation struct {
	state     *fold.State
	workers   int
	facts     []fact // by index of State.Refusals
	endpoints []endpointFacts
	protected []bool // by endpoint: it refused some and accepted others
	hosts     map[string]*lifetimes
	sessions  []Session
	clients   map[fold.Client]*clientFacts
	// userClients counts the distinct clients by user.
	userClients []int64
	actors      int64 // actors that were accepted on a protected route

	from, to int64 // the window that holds nearly all requests, Unix milliseconds
	width    int64 // of a step of time, milliseconds
}

// clientFacts sums the requests of one client.
type clientFacts struct {
	tally            fold.Tally
	users, sessions  int64
	refusedEndpoints int64
}

// Limits.
const (
	maxSteps = 2048 // steps of time that endpoints are followed in
	// maxFollowed is how many endpoints, those with most 401s, are followed
	// over time: 2,048 steps of 24 bytes each.
	maxFollowed = 256
	// minFollowed 401s are needed to follow an endpoint or a host at all:
	// fewer show nothing.
	minFollowed = 5
	// maxHosts is for how many hosts, those with most 401s, session lifetimes
	// are kept apart.
	maxHosts = 64
)

// correlate walks all actors, in parallel over the shards, and sums what they
// show. Everything it sums is a count, a minimum or a maximum, and every list
// it makes is sorted, so that the order of the walk leaves no trace.
func correlate(ctx context.Context, s *fold.State, workers int) (*correlation, error) {
	c := &correlation{
		state:     s,
		workers:   workers,
		facts:     make([]fact, len(s.Refusals)),
		endpoints: make([]endpointFacts, len(s.Endpoints)),
		protected: make([]bool, len(s.Endpoints)),
		hosts:     map[string]*lifetimes{},
		clients:   map[fold.Client]*clientFacts{},
	}
	for i, e := range s.Endpoints {
		c.protected[i] = e.N[fold.Unauthorized] > 0 && e.N[fold.Accepted] > 0 && !e.SignIn && !e.SignOut
	}
	for i := range c.facts {
		c.facts[i].cause = causeUnexplained
	}
	c.window()
	follow := c.followed()
	hosts := c.followedHosts()

	walkers := make([]*walker, workers)
	next := make(chan int, fold.Shards)
	for i := range fold.Shards {
		next <- i
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for i := range walkers {
		w := newWalker(c, follow, hosts)
		walkers[i] = w
		g.Go(func() error {
			for shard := range next {
				w.shard = uint32(shard)
				w.number = 0
				s.Shard(shard, w.actor)
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c.gather(walkers)
	return c, nil
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
	edge := func(minutes func(i int) fold.Minute) int64 {
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
	c.from = edge(func(i int) fold.Minute { return c.state.Minutes[i] })
	c.to = edge(func(i int) fold.Minute { return c.state.Minutes[len(c.state.Minutes)-1-i] }) + 60_000
	c.width = max(1000, (c.to-c.from)/maxSteps+1)
}

// step gives the step of time of ms; what lies outside the window counts for
// the first or last step.
func (c *correlation) step(ms int64) int {
	return int(min(max(ms-c.from, 0)/c.width, maxSteps-1))
}

// followed marks the endpoints that are followed over time.
func (c *correlation) followed() []bool {
	var order []int
	for i, e := range c.state.Endpoints {
		if e.N[fold.Unauthorized] >= minFollowed && !e.SignIn {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(c.state.Endpoints[b].N[fold.Unauthorized] - c.state.Endpoints[a].N[fold.Unauthorized])
	})
	follow := make([]bool, len(c.state.Endpoints))
	for _, i := range order[:min(len(order), maxFollowed)] {
		follow[i] = true
	}
	return follow
}

// followedHosts numbers the hosts with 401s, by endpoint; -1 is not followed.
func (c *correlation) followedHosts() []int {
	refused := map[string]int64{}
	var names []string
	for _, e := range c.state.Endpoints {
		if _, ok := refused[e.Host]; !ok {
			names = append(names, e.Host)
		}
		refused[e.Host] += e.N[fold.Unauthorized]
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
	*correlation  // read only, but for the facts of the actor at hand
	shard, number uint32

	follow                                      []bool
	hostOf                                      []int
	lifetimes                                   [maxHosts]*lifetimes
	endpoints                                   []endpointFacts
	stamps                                      []stamp // by endpoint
	sessions                                    []Session
	clients                                     map[fold.Client]*clientFacts
	clientSessions, clientUsers, clientRefusals []clientLink
	actors                                      int64
	aheads                                      []ahead // scratch
}

// clientLink notes that a client used a session (the actor's number), was or
// claimed to be a user, or was refused by an endpoint.
type clientLink struct {
	client fold.Client
	to     uint32
}

// distinct sorts links and drops the repeated ones.
func distinct(links []clientLink) []clientLink {
	slices.SortFunc(links, func(a, b clientLink) int {
		return cmp.Or(fold.CompareClients(a.client, b.client), cmp.Compare(a.to, b.to))
	})
	return slices.Compact(links)
}

// stamp remembers what of an endpoint was counted for which actor.
type stamp struct {
	actor, refusedActor, aliveActor uint32 // number plus one
	acceptedIn, refusedIn           int32  // step plus one
	stepActor                       uint32
}

func newWalker(c *correlation, follow []bool, hosts []int) *walker {
	return &walker{
		correlation: c, follow: follow, hostOf: hosts,
		endpoints: make([]endpointFacts, len(c.endpoints)),
		stamps:    make([]stamp, len(c.endpoints)),
		clients:   map[fold.Client]*clientFacts{},
	}
}

// actor takes in one actor. It is called by one goroutine per walker.
func (w *walker) actor(a *fold.Actor) {
	w.number++
	id := w.shard<<26 | w.number
	w.sumClients(a, id)
	w.sumEndpoints(a, id)
	refused := false
	for i := range a.Events {
		if e := &a.Events[i]; e.Refusal != fold.NoRefusal {
			refused = true
			break
		}
	}
	w.walk(a, id, refused)
	if refused {
		w.followRefusals(a, id)
	}
}

// sumClients adds the actor's requests to its clients, and notes who used them.
func (w *walker) sumClients(a *fold.Actor, id uint32) {
	var f *clientFacts
	var client fold.Client
	user := uint32(0)
	for i := range a.Events {
		e := &a.Events[i]
		if f == nil || e.Client != client {
			client, user = e.Client, 0
			if f = w.clients[client]; f == nil {
				f = &clientFacts{tally: emptyTally()}
				w.clients[client] = f
			}
			if a.Session != nil {
				w.clientSessions = append(w.clientSessions, clientLink{client, id})
			}
		}
		f.tally.Add(e.Outcome, e.Time*1000)
		if e.User != 0 && e.User != user {
			user = e.User
			w.clientUsers = append(w.clientUsers, clientLink{client, user - 1})
		}
	}
}

func emptyTally() fold.Tally {
	const no = parse.NoTime
	return fold.Tally{First: no, Last: no, FirstAccepted: no, LastAccepted: no, FirstRefused: no, LastRefused: no}
}

// sumEndpoints counts the distinct actors of endpoints, and those accepted in
// each step of time.
func (w *walker) sumEndpoints(a *fold.Actor, id uint32) {
	accepted := false
	for i := range a.Events {
		e := &a.Events[i]
		f, st := &w.endpoints[e.Endpoint], &w.stamps[e.Endpoint]
		if st.actor != id {
			st.actor = id
			f.actors++
		}
		switch e.Outcome {
		case fold.Accepted:
			accepted = accepted || w.protected[e.Endpoint]
			if w.follow[e.Endpoint] {
				w.countAccepted(f, st, id, e.Time)
			}
		case fold.Unauthorized:
			if st.refusedActor != id {
				st.refusedActor = id
				f.refusedActors++
			}
			if n := len(w.clientRefusals); n == 0 || w.clientRefusals[n-1] != (clientLink{e.Client, e.Endpoint}) {
				w.clientRefusals = append(w.clientRefusals, clientLink{e.Client, e.Endpoint})
			}
		}
	}
	if accepted {
		w.actors++
	}
}

func (w *walker) cell(f *endpointFacts, ms int64) *cell {
	if f.cells == nil {
		f.cells = make([]cell, maxSteps)
		for i := range f.cells {
			f.cells[i].lastAccepted, f.cells[i].firstRefused = math.MinInt64, math.MaxInt64
		}
	}
	return &f.cells[w.step(ms)]
}

func (w *walker) countAccepted(f *endpointFacts, st *stamp, id uint32, ms int64) {
	c := w.cell(f, ms)
	c.lastAccepted = max(c.lastAccepted, ms)
	step := int32(w.step(ms)) + 1
	if st.stepActor != id {
		st.stepActor, st.acceptedIn, st.refusedIn = id, 0, 0
	}
	if st.acceptedIn != step {
		st.acceptedIn = step
		c.accepted++
	}
}

// followRefusals counts, for the endpoints followed, the actors refused while
// their sessions were alive.
func (w *walker) followRefusals(a *fold.Actor, id uint32) {
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal == fold.NoRefusal {
			continue
		}
		fact := &w.facts[e.Refusal]
		f, st := &w.endpoints[e.Endpoint], &w.stamps[e.Endpoint]
		if fact.cause != causeChallenge {
			f.refused++
		}
		if !fact.alive || !w.follow[e.Endpoint] {
			continue
		}
		if st.aliveActor != id {
			st.aliveActor = id
			f.aliveActors++
		}
		c := w.cell(f, e.Time)
		c.firstRefused = min(c.firstRefused, e.Time)
		step := int32(w.step(e.Time)) + 1
		if st.stepActor != id {
			st.stepActor, st.acceptedIn, st.refusedIn = id, 0, 0
		}
		if st.refusedIn != step {
			st.refusedIn = step
			c.refused++
		}
	}
}

// gather sums the walkers' parts.
func (c *correlation) gather(walkers []*walker) {
	var sessions, users, refusals []clientLink
	names := make([]string, maxHosts)
	for i, e := range c.state.Endpoints {
		if n := walkers[0].hostOf[i]; n >= 0 {
			names[n] = e.Host
		}
	}
	for _, w := range walkers {
		c.actors += w.actors
		c.sessions = append(c.sessions, w.sessions...)
		sessions = append(sessions, w.clientSessions...)
		users = append(users, w.clientUsers...)
		refusals = append(refusals, w.clientRefusals...)
		for n, l := range w.lifetimes {
			if l == nil {
				continue
			}
			sum := c.hosts[names[n]]
			if sum == nil {
				sum = &lifetimes{}
				c.hosts[names[n]] = sum
			}
			sum.merge(l)
		}
		for i := range w.endpoints {
			c.endpoints[i].merge(&w.endpoints[i])
		}
		for cl, f := range w.clients {
			if g := c.clients[cl]; g != nil {
				g.tally.Merge(&f.tally)
			} else {
				c.clients[cl] = f
			}
		}
	}
	slices.SortFunc(c.sessions, compareSessions)
	for _, l := range distinct(sessions) {
		c.clients[l.client].sessions++
	}
	for _, l := range distinct(refusals) {
		c.clients[l.client].refusedEndpoints++
	}
	c.userClients = make([]int64, len(c.state.Users))
	for _, l := range distinct(users) {
		c.clients[l.client].users++
		c.userClients[l.to]++
	}
}

func (f *endpointFacts) merge(g *endpointFacts) {
	f.actors += g.actors
	f.refusedActors += g.refusedActors
	f.aliveActors += g.aliveActors
	f.refused += g.refused
	if f.cells == nil {
		f.cells = g.cells
		return
	}
	for i := range g.cells {
		x, y := &f.cells[i], &g.cells[i]
		x.accepted += y.accepted
		x.refused += y.refused
		x.lastAccepted = max(x.lastAccepted, y.lastAccepted)
		x.firstRefused = min(x.firstRefused, y.firstRefused)
	}
}
