package session

import (
	"logscan/analyze/spill"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
	"logscan/parse/privacy"
)

// sessionizer is one goroutine's part of Correlate.
type sessionizer struct {
	*Evidence // read only
	*drawers

	followed       []bool                         // by site, see followedSites
	lifetimes      []*Lifetimes                   // by site
	used           [][]stats.Cell                 // by site and step: requests in use, see uses; the hits are challenges
	inUse          map[timeline.Client]stats.Cell // see ChallengedInUse
	challenges     Bits                           // but for those of shared clients
	chances        []*chances                     // by site; nil for none
	endpoints      []endpointPart
	sessions       *spill.Sorter[Record]
	clients        map[timeline.Client]*ClientStats
	clientUsers    *spill.Sorter[ClientLink]
	clientRefusals *spill.Sorter[ClientLink] // to endpoints
	openLegs       *spill.Sorter[openLeg]
	forms          map[formPage]int64 // refusals by the page, after the form
	lastRefusal    ClientLink         // the one added last
	actors         int64
	lastAccepted   uint32     // the actor counted last
	place          position   // of the current actor, at the end of the piece
	saver          *partSaver // nil if there is no state to save
	err            error      // the first error of writing to disk

	near     companionsAt
	aheads   []ahead  // scratch of lookAhead
	last     recent   // the same
	named    answers  // the same
	repeated answers  // the same
	habit    habit    // of the current actor, set by lookAhead
	newLegs  bool     // challenges has refusals of the current actor
	tries    tries    // of the current actor
	naming   naming   // of the current actor, set by sum
	refusal  Refusal  // scratch
	alive    []uint32 // scratch: the events of the current actor that are Alive, Proven or Returned refusals of this run
	news     bool     // the current actor has a request, or a sign-in, that no earlier run reported
	shared   bool     // the current actor is a client of several people, see crowds
}

// endpointPart counts the distinct actors of an endpoint. It holds the actors that were
// counted last.
type endpointPart struct {
	EndpointStats
	actor, refusedActor, aliveActor uint32
}

func newSessionizer(ev *Evidence, followed []bool) *sessionizer {
	links := func() *spill.Sorter[ClientLink] {
		return &spill.Sorter[ClientLink]{Codec: linkCodec, Space: ev.memory.Space, Limit: ev.memory.Records(ev.Workers, linkSize)}
	}
	return &sessionizer{
		Evidence: ev, followed: followed, lifetimes: make([]*Lifetimes, len(followed)), used: make([][]stats.Cell, len(followed)), chances: make([]*chances, len(followed)), saver: ev.saver.newPart(),
		endpoints: make([]endpointPart, len(ev.Endpoints)),
		clients:   map[timeline.Client]*ClientStats{},
		forms:     map[formPage]int64{},
		inUse:     map[timeline.Client]stats.Cell{},
		sessions: &spill.Sorter[Record]{
			Codec: recordCodec, Space: ev.memory.Space, Limit: ev.memory.Records(ev.Workers, recordSize),
		},
		clientUsers: links(), clientRefusals: links(),
		openLegs:    &spill.Sorter[openLeg]{Codec: openLegCodec, Space: ev.memory.Space, Limit: ev.memory.Records(ev.Workers, openLegSize)},
		lastRefusal: ClientLink{To: timeline.NoRefusal},
		near:        companionsAt{companions: ev.companions},
		last:        recent{recency: newRecency(len(ev.Endpoints))},
		named:       answers{recency: newRecency(len(ev.Endpoints))},
		repeated:    answers{recency: newRecency(len(ev.Endpoints))},
	}
}

// fail keeps the first error of writing to disk.
func (s *sessionizer) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// actor adds an actor.
func (s *sessionizer) actor(a *timeline.Actor, id uint32) {
	s.newLegs = false
	refused := s.sum(a, id)
	s.shared = a.Session == nil && s.crowds(a)
	if refused {
		s.orderInstants(a)
		s.lookAhead(a)
	}
	s.walk(a, id)
	s.addAnswers(a)
	if refused {
		s.countAlive(a, id)
		if s.newLegs {
			s.countUses(a)
		}
	}
}

// sum adds the actor's requests to its clients, notes the users they named, sets naming, and
// counts the actor for its endpoints. It reports whether the actor was refused.
func (s *sessionizer) sum(a *timeline.Actor, id uint32) (refused bool) {
	var client timeline.Client
	var stats *ClientStats // of client
	user := uint32(0)
	accepted := false
	s.naming = naming{}
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			s.naming.add(e, s.Roles[e.Endpoint]&Guards != 0)
		}
		if e.Refusal == timeline.EarlierEvent {
			refused = refused || e.Outcome == timeline.Unauthorized
			continue
		}
		if stats == nil || e.Client != client {
			client, user = e.Client, 0
			stats = s.client(client)
			if a.Session != nil && stats.session != id {
				stats.session = id
				stats.Sessions++
			}
		}
		stats.Tally.Add(e.Outcome, e.Time*1000)
		if e.User != 0 && e.User != user {
			user = e.User
			s.fail(s.clientUsers.Add(ClientLink{client, user - 1}))
		}
		endpoint := &s.endpoints[e.Endpoint]
		if endpoint.actor != id {
			endpoint.actor = id
			endpoint.Actors++
		}
		switch e.Outcome {
		case timeline.Accepted:
			accepted = accepted || s.Roles[e.Endpoint]&Guards != 0
		case timeline.Unauthorized:
			refused = true
			if endpoint.refusedActor != id {
				endpoint.refusedActor = id
				endpoint.RefusedActors++
			}
			if link := (ClientLink{e.Client, e.Endpoint}); link != s.lastRefusal {
				s.lastRefusal = link
				s.fail(s.clientRefusals.Add(link))
			}
		}
	}
	if accepted && s.lastAccepted != id {
		s.lastAccepted = id
		s.actors++
	}
	return refused
}

// client returns this part's sums of a client.
func (s *sessionizer) client(c timeline.Client) *ClientStats {
	stats := s.clients[c]
	if stats == nil {
		const no = parse.NoTime
		stats = &ClientStats{Tally: timeline.Tally{First: no, Last: no, FirstAccepted: no, LastAccepted: no, FirstRefused: no, LastRefused: no}}
		s.clients[c] = stats
	}
	return stats
}

// countAlive counts the actor for the endpoints that refused it while its session
// was alive.
func (s *sessionizer) countAlive(a *timeline.Actor, id uint32) {
	for _, i := range s.alive {
		e := &a.Events[i]
		if endpoint := &s.endpoints[e.Endpoint]; endpoint.aliveActor != id {
			endpoint.aliveActor = id
			endpoint.AliveActors++
		}
	}
}

// walk finds the sessions in the events of an actor, counts every request to a
// protected route that a session survived, and sets the actor's Refusals. lookAhead
// must have been called if it has any.
func (s *sessionizer) walk(a *timeline.Actor, id uint32) {
	p := beginning()
	switch {
	case a.Continues:
		p = s.place
	case len(a.Before) > 0:
		p = s.restore(a)
	}
	next := 0 // of s.aheads
	s.alive = s.alive[:0]
	save := s.saver != nil
	s.news = !save || a.Continues && s.news
	for i := range a.Events {
		e := &a.Events[i]
		if e.Refusal != timeline.EarlierEvent {
			s.news = true
		}
		if save && e.Time >= s.saver.since {
			save = false
			s.saver.mark(&p)
		}
		switch late := e.Time < p.since; {
		case late && e.Outcome != timeline.Unauthorized:
			s.countLate(&p.life, e)
			continue
		case e.User != 0:
			p.user = e.User
		}
		p.visit.request(e.Time)
		switch {
		case s.SignedIn(a, i):
			if !s.enteredAt(&p.life, e) {
				s.signIn(&p, a, e)
			}
		case s.signedOut(e):
			s.close(&p.life, e)
			p.user, p.last, p.lastOther, p.left = 0, LongAgo, LongAgo, true
		case e.Outcome == timeline.Unauthorized:
			s.refuse(&p, a, i, &s.aheads[next], id)
			next++
			continue
		case e.Outcome == timeline.Accepted && s.Roles[e.Endpoint]&Guards != 0:
			if !p.open || e.Time-p.protected >= pauseBefore {
				if by := s.signInOfInstant(a, i); by != nil {
					s.signIn(&p, a, by)
				}
			}
			s.accept(&p, a, e)
		}
		if p.open {
			p.row.Requests++
			if p.any = e.Time; p.row.User == 0 {
				p.row.User = p.user
			}
		}
	}
	if a.More {
		s.place = p
		return
	}
	if s.saver != nil {
		if save {
			s.saver.mark(&p)
		}
		s.fail(s.saver.add(a))
	}
	s.close(&p.life, nil)
}

// signInOfInstant returns the sign-in of the same time as event i, an acceptance after a pause;
// nil for none. A log of whole seconds does not show which of them came first, but a page that
// follows a sign-in at once shows nothing of the session before it.
func (s *sessionizer) signInOfInstant(a *timeline.Actor, i int) *timeline.Event {
	e := &a.Events[i]
	for j := i + 1; j < len(a.Events) && a.Events[j].Time == e.Time; j++ {
		if s.SignedIn(a, j) && !s.givesTokens(a.Events[j].Endpoint) { // a renewal begins no session
			return &a.Events[j]
		}
	}
	return nil
}

// pauseBefore is the least time in milliseconds for which a session was not used before a
// sign-in that begins another one.
const pauseBefore = 60_000

// enteredAt reports whether the session was begun by e, which was seen ahead.
func (s *sessionizer) enteredAt(l *life, e *timeline.Event) bool {
	return l.open && l.seen && l.accepted && l.start == e.Time && l.first == e.Endpoint
}

// signIn counts a sign-in, or a renewal, which continues a session that is open.
func (s *sessionizer) signIn(p *position, a *timeline.Actor, e *timeline.Event) {
	if p.open && p.accepted && s.Roles[e.Endpoint]&Renews != 0 {
		s.survive(&p.life, e, false)
		p.protected, p.row.LastAccepted = e.Time, e.Time
	} else {
		s.close(&p.life, e)
		s.open(p, a, e, e.Time, true)
		p.row.Renewed = a.Session != nil && !p.known && s.Roles[e.Endpoint]&Renews != 0
	}
	if s.givesTokens(e.Endpoint) {
		p.renewal = e.Time
	}
	p.basic, p.left = false, false
	p.address, p.moves = e.Client.Address, true
	// Strangers may request a learnt page, too, which shows nothing by itself; they have no ticket.
	to := &s.State.Endpoints[e.Endpoint]
	p.known = p.known || to.Method != "GET" || takesTickets(to)
	p.last, p.lastOther, p.lastOn = e.Time, e.Time, timeline.NoRefusal
}

// startWindow is how long, in milliseconds, before the first request of a session id the
// sign-in that gave it may have been logged.
const startWindow = 30_000

// accept counts an acceptance on a protected route.
func (s *sessionizer) accept(p *position, a *timeline.Actor, e *timeline.Event) {
	if s.State.Sessions && a.Session == nil && p.open && p.seen && !p.accepted && e.Time-p.start > startWindow {
		p.life = life{} // the sign-in gave a session id, under which it goes on: e is no part of that
	}
	switch {
	case p.open:
		s.survive(&p.life, e, a.Session == nil && s.near.renewed(e.Client, p.start, e.Time))
	case !p.basic:
		// Who comes back to what refused has signed in since, where this log does not
		// show it.
		at, seen := e.Time, p.dead && e.Time-p.lastRefused <= arrivalWindow
		if a.Session != nil {
			signIn, ok, isNew, err := s.State.SignedIn(e.Client, e.Time-startWindow, e.Time)
			s.fail(err)
			if ok {
				at, seen = signIn, true
				s.news = s.news || isNew // earlier runs reported the session without it
			}
		}
		s.open(p, a, e, at, seen)
	}
	s.acceptVisit(p, a, e)
	p.known, p.accepted, p.vain, p.left = true, p.open, 0, false
	p.address, p.moves = e.Client.Address, true
	p.protected = e.Time
	p.row.Accepted++
	p.row.LastAccepted = e.Time
	if p.lastOn != e.Endpoint {
		p.lastOther, p.lastOn = p.last, e.Endpoint
	}
	p.last = e.Time
}

// refuse fills in the Refusal of event i, which ends the session if what follows
// shows that it needed a new sign-in. h is what follows.
func (s *sessionizer) refuse(p *position, a *timeline.Actor, i int, h *ahead, id uint32) {
	e := &a.Events[i]
	late := e.Time < p.since
	refusedBefore := p.lastRefused
	p.lastRefused = e.Time
	if p.open && p.seen && !p.accepted && refusedBefore <= p.start {
		p.vain++
	}
	r := &s.refusal
	*r = Refusal{
		Time: e.Time, Actor: id, Endpoint: e.Endpoint, User: p.user,
		Address: e.Client.Address, Agent: e.Client.Agent, Upstream: e.Upstream, Scheme: e.Origin.Scheme(),
		Named: e.User != 0, Session: a.Session != nil, Known: p.known, Shared: s.shared,
		Moved: p.moves && e.Client.Address != p.address, Redirect: s.redirectBefore(a, i),
		Back: min(h.accepted, h.signIn)-e.Time <= arrivalWindow, Resumed: h.resumes,
	}
	r.SignIn, r.Renewal = s.attempts(p, a, i)
	other := p.last
	if p.lastOn == e.Endpoint {
		other = p.lastOther
	}
	r.Good = p.known || a.Session != nil && h.accepted-e.Time <= Nearby && h.signIn > h.accepted
	near := int64(Nearby)
	if p.open && p.seen && !s.shared {
		near = returnWindow // its next sign-in would be seen, too
	}
	r.Alive = e.Time-other <= near && h.other-e.Time <= near && h.signIn > h.other
	p.asked = p.asked || s.asked(a, e, h)
	r.Entry = a.Session == nil && e.User == 0 && !r.SignIn && !r.Renewal && h.enters(e, s.shared, s.State.Sessions)
	switch {
	case !r.SignIn && s.stepsUp(e, h):
		r.Cause = Challenge
	case s.handshakes(p, a, i, h):
		r.Cause = Challenge
		if !p.basic && (s.habit.answersNamed() || s.habit.types() || s.habit.answersAlways() || s.habit.repeats()) {
			p.basic, p.life = true, life{} // no session
		}
	case !r.SignIn && !r.Renewal && !p.dead && s.discovers(p, a, i, h):
		r.Cause = Challenge
	case r.Renewal && !p.dead && raced(p, a, e, h):
		r.Cause, r.Raced = TokenRenewal, true
	case !r.SignIn && !r.Renewal && !p.dead && renewed(p, e, h, refusedBefore) && !ownCredentials(s.stated(e)):
		r.Cause = SessionEnd // of the token, which ends no session
		if !s.shared && p.renewal != LongAgo {
			r.age = spanOf(e.Time - p.renewal)
		}
	case !r.SignIn && !late && !p.dead && s.ended(p, e, h):
		s.die(&p.life, e)
		r.Fatal = true
		fallthrough
	default:
		r.Cause = s.cause(a, i, r, h, p)
		r.Arrival = r.Cause == Challenge && !p.known && h.arrives(e)
		r.Denied = s.stated(e) == field.CredentialsGood
		r.Proven = r.Cause != Challenge && !r.SignIn && (r.Denied || p.known && (p.basic || p.asked && s.userProven(e)))
		r.Good = r.Good || r.Denied || s.stated(e) == field.CredentialsWeak
	}
	if p.open && !late && r.Cause != Challenge && e.Time-refusedBefore > renewalWindow && goesOn(e, h) {
		s.survive(&p.life, e, false)
	}
	// A sign-in tries other credentials than those of the session.
	r.Alive = r.Alive && r.Cause != Challenge && !p.dead && !r.SignIn && !r.Entry
	r.Returned = s.returned(p, a, e, r, h)
	r.Left = p.left && !r.SignIn
	r.Vain = !r.SignIn && !r.Renewal && s.renewedInVain(a, i)
	r.Settled = r.Cause != Challenge && s.settles(e, r, h)
	r.Back = r.Back || a.Session == nil && s.State.Sessions && s.signsInWithin(e, arrivalWindow)
	if r.Cause == SessionEnd && p.dead {
		r.Dead, r.Door, r.gap, r.gapAny, r.age = true, p.door, spanOf(p.gap), spanOf(p.gapAny), spanOf(p.age)
	}
	r.Visit = s.refuseVisit(p, a, e, r)
	if e.Refusal < timeline.EarlierEvent {
		s.fail(s.put(e.Refusal, r))
		if r.Cause == Challenge && !r.Shared {
			s.newLegs = true
			s.challenges.Add(int(e.Refusal))
		}
		if r.Alive || r.Proven || r.Returned {
			s.alive = append(s.alive, uint32(i))
		}
	}
	s.addOpenLeg(a, e, r, h)
	if late {
		s.countLate(&p.life, e)
	} else if p.open {
		p.row.Requests++
		p.row.Unauthorized++
	}
}

// settles reports whether the actor of a refusal is accepted soon after it. It may sign in by
// the client alone, which gives it another session id.
func (s *sessionizer) settles(e *timeline.Event, r *Refusal, h *ahead) bool {
	if r.SignIn {
		return h.signIn-e.Time <= Nearby
	}
	if min(h.accepted, h.signIn)-e.Time <= Nearby {
		return true
	}
	return s.signsInWithin(e, Nearby)
}

// signsInWithin reports whether the client of a refusal signs in within some milliseconds after
// it, by itself or in a session.
func (s *sessionizer) signsInWithin(e *timeline.Event, window int64) bool {
	_, ok, _, err := s.State.SignedIn(e.Client, e.Time, e.Time+window)
	s.fail(err)
	return ok
}

// returned reports whether an actor was accepted before the refusal e, and is accepted after it
// before it signs in, however long it was away. What it sent is good, if it is the same: a
// session id, the only user that the actor names, or what its sign-in in this log gave it. A
// session that expired looks like that where the sign-in is not logged, but then other visitors
// are accepted on the route: this one must accept nobody, before or since.
func (s *sessionizer) returned(p *position, a *timeline.Actor, e *timeline.Event, r *Refusal, h *ahead) bool {
	if !r.Known || !h.resumes || p.dead || r.Cause == Challenge || r.SignIn || r.Renewal || r.Entry || !s.closedAt(e) {
		return false
	}
	if c := s.stated(e); c == field.CredentialsWrong || c == field.CredentialsExpired {
		return false
	}
	return a.Session != nil || s.naming.users == 1 && (e.User == 0 || e.User == s.naming.user) || p.open && p.seen && !s.shared
}

// closedAt reports whether the route of a refusal accepts nobody, or has not done so yet, or
// does so no longer.
func (s *sessionizer) closedAt(e *timeline.Event) bool {
	if s.Roles[e.Endpoint]&denies != 0 {
		return true
	}
	to := &s.State.Endpoints[e.Endpoint]
	if to.LastAccepted == parse.NoTime {
		return false // redirects, or earlier runs
	}
	return to.LastAccepted < e.Time*1000 || to.FirstAccepted > e.Time*1000 && to.Known.Accepted == 0
}

// countLate counts a request that comes too late to change its session.
func (s *sessionizer) countLate(l *life, e *timeline.Event) {
	if !l.open || e.Time < l.start {
		return
	}
	l.row.Requests++
	switch {
	case e.Outcome == timeline.Unauthorized:
		l.row.Unauthorized++
	case e.Outcome == timeline.Accepted && s.Roles[e.Endpoint]&Guards != 0:
		l.row.Accepted++
	}
}

// open begins a session by e. at is its sign-in where that was seen.
func (s *sessionizer) open(p *position, a *timeline.Actor, e *timeline.Event, at int64, seen bool) {
	p.life = life{open: true, seen: seen, start: at, protected: e.Time, any: e.Time, first: e.Endpoint}
	p.row = Record{
		Client: e.Client, Site: s.siteOf[e.Endpoint], User: p.user, Start: at, StartSeen: seen, Door: s.doors.of(e.Endpoint),
		LastAccepted: LongAgo, End: LongAgo, EndRefusal: timeline.NoRefusal,
	}
	if a.Session != nil {
		p.row.ID, p.row.Named = sumOf(a), true
	}
}

// sumOf returns the hash of an actor's session id.
func sumOf(a *timeline.Actor) timeline.SessionSum {
	if a.Hashed {
		return timeline.SessionSum(a.Session)
	}
	return privacy.SessionSum(a.Session)
}

// close ends a session by a request, or by the end of the log if that is nil. It adds
// a Record if the session was accepted on a protected route, unless it ended before
// the first new request: then an earlier run has added it.
func (s *sessionizer) close(l *life, by *timeline.Event) {
	if l.open && l.accepted && s.news {
		l.row.Open = by == nil
		s.fail(s.sessions.Add(l.row))
		if h := s.lifetimesOf(l.first); h != nil {
			h.finished(l, s.shared)
			if door := s.doors.of(l.first); door > 0 && l.seen {
				h.door(door).finished(l, s.shared)
			}
		}
	}
	*l = life{}
}

// die ends the session by the refusal e. Refusals until the next sign-in belong to
// the same end.
func (s *sessionizer) die(l *life, e *timeline.Event) {
	gap, gapAny, age := e.Time-l.protected, e.Time-l.any, int64(-1)
	if l.seen {
		age = e.Time - l.start
	}
	door := uint8(0)
	if l.seen {
		door = s.doors.of(l.first)
	}
	l.row.End, l.row.EndRefusal = e.Time, e.Refusal
	s.close(l, e)
	*l = life{dead: true, gap: gap, gapAny: gapAny, age: age, door: door}
}

// survive counts a request to a protected route that the session survived. shared
// reports whether the session may be a newer one, whose age is unknown.
func (s *sessionizer) survive(l *life, e *timeline.Event, shared bool) {
	gap := e.Time - l.protected
	l.row.LongestGap = max(l.row.LongestGap, gap)
	h := s.lifetimesOf(e.Endpoint)
	if h == nil || e.Refusal == timeline.EarlierEvent || s.shared {
		return
	}
	if l.seen && !shared { // gather adds it to Gap and GapAny
		h.survive(gap, e.Time-l.any, e.Time-l.start)
		if door := s.doors.of(l.first); door > 0 {
			h.door(door).survive(gap, e.Time-l.any, e.Time-l.start)
		}
		return
	}
	if s.State.Sessions && !l.row.Named {
		h.bareGap.Add(gap)
		h.bareGapAny.Add(e.Time - l.any)
		return
	}
	h.Gap.Add(gap)
	h.GapAny.Add(e.Time - l.any)
}

// lifetimesOf returns this part's lifetimes of an endpoint's host, nil if the
// host is not followed.
func (s *sessionizer) lifetimesOf(endpoint uint32) *Lifetimes {
	site := s.siteOf[endpoint]
	if s.lifetimes[site] == nil && s.followed[site] {
		s.lifetimes[site] = &Lifetimes{}
	}
	return s.lifetimes[site]
}
