package session

import (
	"cmp"
	"context"

	"logscan/analyze/spill"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// Where sessions have ids, what begins one is also learnt from the ids that it makes: a
// sign-in often follows no refusal, because people come to the form by themselves or are
// redirected to it.
//
// Sign: a client makes the request, which is answered 2xx or 3xx, and at once an id that
// was never seen before is accepted on protected routes. Not: what programs request after
// a session has begun (the calls of a page), nor what many people behind one address
// request, whose sessions begin all the time. The first request with the new id shows
// nothing: an answer may have given the id, or another host.
//
// Statistic: of the times that the request was answered so, the share after which a
// session began; and of the times that one began shortly before or after it, the share
// after. The lower bounds of both (Wilson) must be at least a half. Of several requests
// before a beginning the likeliest and last one counts.
//
// Requests at the instant of a beginning, in logs of whole seconds, count for the first
// share only: their order is unknown.

const (
	// birthWindow is the time in milliseconds between a sign-in and the first request
	// of the session that it began: a page is loaded.
	birthWindow = 5000
	// birthRequests is about how many requests are looked at, those of a sample of the
	// clients: a few dozen beginnings show what made them.
	birthRequests = 1 << 18
	// birthRequired is the minimum number of acceptances on protected routes of a session
	// that counts: an id that changes with each request is none.
	birthRequired = 2
)

// Kinds of a moment, in the order in which those of one instant are looked at.
const (
	sessionLeft  uint8 = iota // the last acceptance of a session that was not refused afterwards
	sessionBegun              // the first request of a session
	wayTaken                  // a request that may begin one
)

// moment is what a client did at a time.
type moment struct {
	Client timeline.Client
	Time   int64
	Way    way // of wayTaken
	Kind   uint8
}

// momentSize is the size of a moment in memory, in bytes.
const momentSize = 24

var momentCodec = spill.FixedCodec(func(a, b *moment) int {
	return cmp.Or(timeline.CompareClients(a.Client, b.Client), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Way, b.Way))
})

// births collects moments, for one goroutine.
type births struct {
	*Evidence
	asked   []bool // by way
	moments *spill.Sorter[moment]
	err     error // the first error of writing to disk
}

// learnBirths sets the roles of endpoints after whose requests new session ids are
// accepted, by a walk over a sample of the clients.
func (ev *Evidence) learnBirths(ctx context.Context) error {
	asked := ev.askBirths()
	if asked == nil {
		return nil
	}
	parts := make([]*births, ev.Workers)
	sorters := make([]*spill.Sorter[moment], ev.Workers)
	for i := range parts {
		sorters[i] = &spill.Sorter[moment]{Codec: momentCodec, Space: ev.memory.Space, Limit: ev.memory.Records(ev.Workers, momentSize)}
		parts[i] = &births{Evidence: ev, asked: asked, moments: sorters[i]}
	}
	err := ev.Visit(ctx, ev.sampleOfClients(birthRequests), func(worker int, _ uint32, a *timeline.Actor) { parts[worker].actor(a) })
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.err != nil {
			return p.err
		}
	}
	c, err := ev.countBirths(sorters)
	if err != nil {
		return err
	}
	c.assign()
	return nil
}

// askBirths returns by way whether it may begin sessions, or is known to; nil if all that
// may are known, or there is nothing to learn for.
func (ev *Evidence) askBirths() []bool {
	if !ev.State.Sessions || ev.State.Refusals.Len() == 0 {
		return nil
	}
	asked := make([]bool, 2*len(ev.State.Endpoints))
	found := false
	for w := range asked {
		e, role := &ev.State.Endpoints[w/2], ev.Roles[w/2]
		n := e.N[timeline.Accepted]
		if w&1 == 1 {
			n = e.N[timeline.Redirected]
		}
		rank := ev.rank(way(w))
		// A protected page redirects who has no session.
		asked[w] = n >= learnReturns && !beginsNone(e) && (rank <= 1 || rank == 2 && role&Guards == 0)
		found = found || asked[w] && role&(SignsIn|redirectsIn) == 0
	}
	if !found {
		return nil
	}
	return asked
}

// sampleOfClients returns a selection of actors, by their clients, that have about so many
// requests. It depends on the names of the clients alone.
func (ev *Evidence) sampleOfClients(n int64) func(uint32, timeline.ActorSummary) bool {
	one := uint64(ev.Requests()/n) + 1 // of so many
	return func(_ uint32, a timeline.ActorSummary) bool { return InSample(a, one) }
}

// InSample reports whether an actor is in a sample of one client of so many. It depends on
// the names of the clients alone. An actor with several clients is in none.
func InSample(a timeline.ActorSummary, of uint64) bool {
	const spread = 0x9E3779B97F4A7C15 // Fibonacci hashing (Knuth, TAOCP 3, 6.4)
	return a.Only && (uint64(a.Client.Address)<<32|uint64(a.Client.Agent))*spread>>32%of == 0
}

// actor adds the moments of an actor.
func (b *births) actor(a *timeline.Actor) {
	if a.Session != nil && !a.Continues && len(a.Before) == 0 && b.begins(a.Events) {
		b.add(moment{Client: a.Events[0].Client, Time: a.Events[0].Time, Kind: sessionBegun})
	}
	left := LongAgo
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Refusal == timeline.EarlierEvent:
		case e.Outcome == timeline.Unauthorized, b.signedOut(e):
			left = LongAgo
		case e.Outcome > timeline.Redirected:
		case b.asked[wayOf(e)]:
			if !b.Bounced(a, i) {
				b.add(moment{e.Client, e.Time, wayOf(e), wayTaken})
			}
		case e.Outcome == timeline.Accepted && b.Roles[e.Endpoint]&Guards != 0 && b.State.Endpoints[e.Endpoint].N[timeline.Unauthorized] > 0:
			left = e.Time
		}
	}
	if a.Session != nil && left != LongAgo {
		b.add(moment{Client: a.Events[0].Client, Time: left, Kind: sessionLeft})
	}
}

// begins reports whether the first requests of a session show that it was accepted from
// its beginning on.
func (b *births) begins(events []timeline.Event) bool {
	accepted := 0
	for i := range events {
		e := &events[i]
		switch {
		case e.Outcome == timeline.Unauthorized:
			return false
		case e.Outcome == timeline.Accepted && b.Roles[e.Endpoint]&Guards != 0:
			if accepted++; accepted == birthRequired {
				return true
			}
		case accepted == 0 && e.Time-events[0].Time > birthWindow:
			return false
		}
	}
	return false
}

func (b *births) add(m moment) {
	if err := b.moments.Add(m); b.err == nil {
		b.err = err
	}
}

// birthCount counts the requests of a way, and the sessions that began around them.
type birthCount struct {
	taken         int64
	after, before int64 // after, or before, which a session began
	same          int64 // at the instant of a beginning
	renewals      int64 // of after and same: the client had just been accepted in another session
	best, beaten  int64 // beginnings of which it was the likeliest cause, and others
}

// birthCounts counts by way.
type birthCounts struct {
	*Evidence
	byWay     []birthCount
	plausible []bool // by way, nil until all is counted
}

// countBirths counts the moments of all clients, twice: what is plausible at all must be
// known before it is known what is likeliest.
func (ev *Evidence) countBirths(moments []*spill.Sorter[moment]) (*birthCounts, error) {
	c := &birthCounts{Evidence: ev, byWay: make([]birthCount, 2*len(ev.State.Endpoints))}
	for range 2 {
		j := birthJoin{birthCounts: c}
		for m, err := range spill.Sorted(moments...) {
			if err != nil {
				return nil, err
			}
			j.add(m)
		}
		if c.plausible == nil {
			c.judge()
		}
	}
	return c, nil
}

// judge sets plausible: what names itself a sign-in, and what sessions begin after.
func (c *birthCounts) judge() {
	c.plausible = make([]bool, len(c.byWay))
	for w := range c.byWay {
		n := &c.byWay[w]
		c.plausible[w] = n.taken > 0 && (c.rank(way(w)) == 0 || n.after >= learnReturns &&
			stats.WilsonLower(n.after+n.same, n.taken, plainZ) >= learnShare && stats.WilsonLower(n.after, n.after+n.before, plainZ) >= learnShare)
	}
}

// assign sets the roles that were learnt.
func (c *birthCounts) assign() {
	for w := range c.byWay {
		n := &c.byWay[w]
		known := c.rank(way(w)) == 0 || c.Roles[w/2]&(SignsIn|redirectsIn) != 0
		// The tokens of programs are renewed while they are good, and so are sessions
		// begun all the time where many people share an address: it shows neither.
		renews := float64(n.renewals) >= renewQuick*float64(n.after+n.same)
		if !known && !renews && n.best >= learnReturns && float64(n.best) >= learnAlone*float64(n.best+n.beaten) {
			c.begins(way(w), false)
		}
	}
}

// recentMoments is the number of requests that are remembered of a client.
const recentMoments = 16

// birthJoin is where the walk over the moments stands, at one client.
type birthJoin struct {
	*birthCounts
	client timeline.Client
	known  bool // client is set
	left   int64
	begun  int64 // last beginning
	taken  [recentMoments]takenWay
	n      int // of taken
}

type takenWay struct {
	way      way
	time     int64
	counted  bool // a beginning at or after it was counted
	renewing bool // the client had just been accepted in a session
}

// add adds the next moment.
func (j *birthJoin) add(m *moment) {
	if !j.known || m.Client != j.client {
		j.client, j.known, j.left, j.begun, j.n = m.Client, true, LongAgo, LongAgo, 0
	}
	switch m.Kind {
	case sessionLeft:
		j.left = m.Time
	case sessionBegun:
		j.begin(m.Time)
	case wayTaken:
		j.take(m)
	}
}

// begin counts the beginning of a session.
func (j *birthJoin) begin(at int64) {
	j.begun = at
	j.drop(at)
	recent := j.taken[:j.n]
	if j.plausible != nil {
		j.credit(recent)
		return
	}
	for i := range recent {
		if t := &recent[i]; !t.counted {
			t.counted = true
			j.byWay[t.way].after++
			j.renewal(t)
		}
	}
}

func (j *birthJoin) renewal(t *takenWay) {
	if t.renewing {
		j.byWay[t.way].renewals++
	}
}

// credit counts what a session began after: the likeliest, and the last of several.
func (j *birthJoin) credit(recent []takenWay) {
	best := -1
	for i := range recent {
		if t := &recent[i]; j.plausible[t.way] && (best < 0 || j.rank(t.way) <= j.rank(recent[best].way)) {
			best = i
		}
	}
	for i := range recent {
		switch t := &recent[i]; {
		case !j.plausible[t.way]:
		case t.way == recent[best].way:
			if i == best {
				j.byWay[t.way].best++
			}
		case j.rank(t.way) > j.rank(recent[best].way) || t.time < recent[best].time:
			j.byWay[t.way].beaten++
		}
	}
}

// take counts a request.
func (j *birthJoin) take(m *moment) {
	j.drop(m.Time)
	if j.n == recentMoments {
		j.n = copy(j.taken[:], j.taken[1:])
	}
	t := &j.taken[j.n]
	*t = takenWay{m.Way, m.Time, j.begun == m.Time, m.Time-j.left <= Nearby}
	j.n++
	if j.plausible != nil {
		return
	}
	n := &j.byWay[m.Way]
	n.taken++
	switch {
	case t.counted:
		n.same++
		j.renewal(t)
	case m.Time-j.begun <= birthWindow:
		n.before++
	}
}

// drop forgets what is too long ago.
func (j *birthJoin) drop(now int64) {
	old := 0
	for old < j.n && now-j.taken[old].time > birthWindow {
		old++
	}
	j.n = copy(j.taken[:], j.taken[old:j.n])
}
