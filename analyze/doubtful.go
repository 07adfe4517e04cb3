package analyze

import (
	"maps"
	"math"
	"slices"
	"time"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A refusal now and then is ordinary if what is ordinary about it shows: people are refused at
// any time alike, who mistypes gets in, and most sessions survive the silences by which some
// end. On a small site too few people are there for a finding to say what is wrong; but that
// is no evidence that nothing is.

// doubtful is the chance, anywhere in the log, below which what looks ordinary one by one is
// not: it becomes unexplained, which costs less than an alarm.
const doubtful = 0.01

// risenShare is the least share of the visits that are refused at a time at which a site is not
// used as ever: some of the sessions of a night end at any site in the morning.
const risenShare = 0.25

// doubtfulRefusals returns the refusals of which the log does not show what is ordinary about them.
func (a *assembly) doubtfulRefusals() session.Bits {
	all, locked, mortalities, hidden := a.unsteady(), a.lockedOut(), a.mortalities(), a.hiddenEnds()
	insisting, turned := a.insisting(), a.turnedAgents()
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		doubt := locked.Has(i) || strange(r) && (insisting[r.Client()] || turned[r.Agent]) || r.Raced || // of two renewals at once, the session lives on
			endsShared(r) && hidden[a.SiteOf(r.Endpoint)]
		switch mortalities[a.SiteOf(r.Endpoint)] {
		case mortal: // others may have had a session from before the log
			doubt = doubt || endsAfterSilence(r) || carried(r) || r.Arrival || r.Cause == session.Anonymous && r.OfMember()
		case unknown:
			doubt = doubt || endsAfterSilence(r)
		}
		if doubt {
			all.Add(i)
		}
	}
	return all
}

// steps is a span of steps of the log, without the end.
type steps struct {
	from, to int
	opening  bool // nobody worked there before
}

// unsteady returns the refusals of members at times at which a far greater share of the visits
// to a host is refused than at others, or nobody is accepted. Visits whose refusals findings
// explain count as accepted, and times with more of them than others are explained, too. That
// newcomers are asked to sign in, and do, in the morning, and come with their sessions later, is how a
// day begins: if nobody was accepted before, nothing has changed for them.
func (a *assembly) unsteady() (all session.Bits) {
	spans, some := make([][]steps, len(a.Sites)), false
	for site, visits := range a.visits() {
		if visits == nil {
			continue
		}
		list := refusedRows(visits)
		for _, cells := range visits.compared() {
			list = append(list, risenVisits(cells)...)
		}
		list = slices.DeleteFunc(list, visits.explained)
		for n := range list {
			list[n].opening = visits.acceptedBefore(list[n].from) < oddActors
		}
		spans[site] = list
		some = some || len(spans[site]) > 0
	}
	if !some {
		return nil
	}
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || r.Actor == 0 || r.Cause == session.Challenge && !r.Arrival || !r.OfMember() {
			continue
		}
		step := a.Step(r.Time)
		if slices.ContainsFunc(spans[a.SiteOf(r.Endpoint)], func(x steps) bool { return step >= x.from && step < x.to && !(x.opening && r.Arrival) }) {
			all.Add(i)
		}
	}
	return all
}

// visitCells are the visits to a host.
type visitCells struct {
	cells  [session.NumVisits][]stats.Cell // by kind and step; the hits are refused
	others [session.MaxSteps]int64         // refused, as a finding explains
}

// compared returns the visits in which the share of the refused ones does not depend on the time: the
// first ones, those of them that a session is needed for which began before the log, and the later ones.
func (v *visitCells) compared() [][]stats.Cell {
	first := slices.Clone(v.cells[session.FirstVisit])
	for step, c := range v.cells[session.EarlierVisit] {
		first[step].Merge(c)
	}
	return [][]stats.Cell{first, v.cells[session.EarlierVisit], v.cells[session.LaterVisit]}
}

// explained reports whether findings explain more refused visits of a time than are left.
func (v *visitCells) explained(x steps) bool {
	balance := int64(0)
	for step := x.from; step < x.to; step++ {
		balance += v.others[step]
		for _, cells := range v.cells {
			balance -= cells[step].Hits
		}
	}
	return balance > 0
}

// acceptedBefore returns how many visits were accepted before a step.
func (v *visitCells) acceptedBefore(step int) int64 {
	n := int64(0)
	for _, cells := range v.cells {
		sum := stats.Sum(cells[:step])
		n += sum.Trials - sum.Hits
	}
	return n
}

// visits returns the visits by site, nil where no lifetimes are followed.
func (a *assembly) visits() []*visitCells {
	all := make([]*visitCells, len(a.Sites))
	for site, host := range a.Sites {
		l := a.Lifetimes[host]
		if l == nil {
			continue
		}
		v := &visitCells{}
		for kind, list := range l.Visits {
			v.cells[kind] = make([]stats.Cell, session.MaxSteps)
			for step, n := range list {
				v.cells[kind][step].Trials = n
			}
		}
		all[site] = v
	}
	for i, r := range a.Refusals.All() {
		v := all[a.SiteOf(r.Endpoint)]
		if v == nil || r.Visit == session.NoVisit {
			continue
		}
		step := a.Step(r.Time)
		v.cells[r.Visit][step].Add(a.Of[i] == 0)
		if a.Of[i] != 0 {
			v.others[step]++
		}
	}
	return all
}

// risenVisits returns the times at which a far greater share of visits is refused.
func risenVisits(visits []stats.Cell) (list []steps) {
	for _, run := range stats.Excursions(visits) {
		usual := run.Outside.Smoothed()
		low := stats.WilsonLower(run.Inside.Hits, run.Inside.Trials, stats.Z95)
		if run.Inside.Hits >= oddActors && low >= risenShare && stats.Odds(low) >= risenOdds*stats.Odds(usual) {
			list = append(list, steps{from: run.From, to: run.To})
		}
	}
	return list
}

// refusedRows returns the times at which more people in a row are refused than are by chance:
// k of n visits are with a chance of at most n·p^k, with the share p of those refused at other
// times, for which its upper bound (Wilson) stands.
func refusedRows(visits *visitCells) (list []steps) {
	var sums, row visitSums
	for kind, cells := range visits.cells {
		sums[kind] = stats.Sum(cells)
	}
	var at steps
	for step := range session.MaxSteps {
		accepted := false
		for kind, cells := range visits.cells {
			c := cells[step]
			accepted = accepted || c.Trials > c.Hits
			if c.Hits > 0 {
				if row == (visitSums{}) {
					at.from = step
				}
				row[kind].Merge(stats.Cell{Hits: c.Hits, Trials: c.Hits})
				at.to = step + 1
			}
		}
		if accepted || step == session.MaxSteps-1 {
			if sums.unlikely(&row) {
				list = append(list, at)
			}
			row = visitSums{}
		}
	}
	return list
}

// visitSums are visits by kind.
type visitSums [session.NumVisits]stats.Cell

// unlikely reports whether a row of refused visits is too long for chance.
func (x *visitSums) unlikely(row *visitSums) bool {
	refused, all, chance := int64(0), int64(0), 0.0
	for kind, sum := range x {
		n := row[kind].Hits
		outside := sum.Minus(stats.Cell{Hits: n, Trials: n})
		share := 1 - stats.WilsonLower(outside.Trials-outside.Hits, outside.Trials, stats.Z95)
		refused, all, chance = refused+n, all+sum.Trials, chance+float64(n)*math.Log(share)
	}
	return refused >= oddActors && float64(all)*math.Exp(chance) <= doubtful
}

// lockedOut returns the failed sign-ins of clients that did not get in, where significantly less
// than half of those who fail get in: they did not mistype. It looks at all sign-ins together and
// at each route: where many tenants have their own, one that is closed is among those that accept
// fewest.
func (a *assembly) lockedOut() (all session.Bits) {
	const everywhere = -1
	people := map[int]map[timeline.Client]bool{everywhere: {}} // by route: whether they get in
	fails := func(do func(i int, r *session.Refusal, route int)) {
		for i, r := range a.Refusals.All() {
			if r.Cause == session.LoginFailure && r.Actor != 0 && a.Of[i] == 0 {
				do(i, r, int(a.Form(r.Endpoint)))
			}
		}
	}
	fails(func(_ int, r *session.Refusal, route int) {
		if people[route] == nil {
			people[route] = map[timeline.Client]bool{}
		}
		in := r.Settled || r.Back
		for _, k := range [...]int{everywhere, route} {
			people[k][r.Client()] = people[k][r.Client()] || in
		}
	})
	tests := float64(len(people))
	maps.DeleteFunc(people, func(_ int, of map[timeline.Client]bool) bool {
		out := int64(0)
		for _, in := range of {
			if !in {
				out++
			}
		}
		return stats.BinomialTail(out, int64(len(of)), 0.5)*tests > doubtful
	})
	fails(func(i int, r *session.Refusal, route int) {
		for _, k := range [...]int{everywhere, route} {
			if in, tested := people[k][r.Client()]; tested && !in {
				all.Add(i)
			}
		}
	})
	return all
}

// mortality is how the sessions of a host end after silences.
type mortality uint8

const (
	outlived mortality = iota // most survive silences like those before the others end
	unknown                   // there is too little evidence
	mortal                    // most end: by a timeout, or something else that no finding names
)

// fewEnds is the number of people up to which the ends of their sessions are events of theirs: the
// browser was closed, or the cookie deleted.
const fewEnds = 2

// mortalities returns by site whether sessions survive silences like those before which they
// end, of minutes to hours.
func (a *assembly) mortalities() []mortality {
	type deaths struct {
		gaps   []int64
		actors map[uint32]bool // at most fewEnds+1
	}
	sites := make([]*deaths, len(a.Sites))
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || !r.Fatal || !endsAfterSilence(r) {
			continue
		}
		x := sites[a.SiteOf(r.Endpoint)]
		if x == nil {
			x = &deaths{actors: map[uint32]bool{}}
			sites[a.SiteOf(r.Endpoint)] = x
		}
		x.gaps = append(x.gaps, r.Gap())
		if len(x.actors) <= fewEnds {
			x.actors[r.Actor] = true
		}
	}
	found := make([]mortality, len(a.Sites))
	for site, x := range sites {
		l := a.Lifetimes[a.Sites[site]]
		if x == nil || l == nil || len(x.actors) <= fewEnds {
			continue
		}
		slices.Sort(x.gaps)
		from := len(x.gaps) / 4 // a few end for other reasons
		ends, survived := int64(len(x.gaps)-from), l.Gap.CountsAbove()(x.gaps[from])
		switch all := ends + survived; {
		case stats.WilsonLower(ends, all, stats.Z95) > 0.5:
			found[site] = mortal
		case stats.WilsonLower(survived, all, stats.Z95) < 0.5:
			found[site] = unknown
		}
	}
	return found
}

// endsShared reports whether a refusal ended a session of a client that several people share, or
// followed that. How old the session was, and how long it had been silent, is not known: the
// requests before it are of others.
func endsShared(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Dead && r.Shared
}

// hiddenEnds returns by site whether the log hides how most sessions end, because several people
// share a client, as where the address is always that of a load balancer. Where most ends are of
// clients of one person, those show what is usual.
func (a *assembly) hiddenEnds() []bool {
	balance := make([]int64, len(a.Sites)) // ends of shared clients, less the others
	for _, r := range a.Refusals.All() {
		if r.Actor == 0 || !r.Fatal {
			continue
		}
		if site := a.SiteOf(r.Endpoint); endsShared(r) {
			balance[site]++
		} else {
			balance[site]--
		}
	}
	hidden := make([]bool, len(balance))
	for site, n := range balance {
		hidden[site] = n > 0
	}
	return hidden
}

// endsAfterSilence reports whether a session ended by a refusal after a silence of minutes to
// hours; a night is longer.
func endsAfterSilence(r *session.Refusal) bool {
	return r.Cause == session.SessionEnd && r.Dead && !r.Shared && r.Gap() >= inUse && r.Gap() < workday
}

const (
	// insistsOften is the number of refusals in a row, and insistsRoutes that of the routes, from
	// which on a client that is answered nothing else does not just follow a link: it is a person
	// or a program that expects to be let in.
	insistsOften  = 5
	insistsRoutes = 3
	// insistsPause is the maximum time between them, in milliseconds: previews of links come
	// one by one.
	insistsPause = int64(time.Minute / time.Millisecond)
)

// strange reports whether a refusal is of somebody who was not accepted, nor tried to sign in.
func strange(r *session.Refusal) bool {
	return (r.Cause == session.Anonymous || r.Cause == session.TokenRenewal) && !r.OfMember()
}

// insisting returns the clients that are answered nothing but refusals and ask for many things in
// a row. A crawler sees what is public, too.
func (a *assembly) insisting() map[timeline.Client]bool {
	type row struct {
		last   int64
		n      int
		routes map[uint32]bool
	}
	found, rows := map[timeline.Client]bool{}, map[timeline.Client]*row{}
	for i, r := range a.Refusals.All() {
		client := r.Client()
		if a.Of[i] != 0 || r.Actor == 0 || !strange(r) || found[client] || !a.onlyRefused(client) {
			continue
		}
		x := rows[client]
		if x == nil || r.Time-x.last > insistsPause {
			x = &row{routes: map[uint32]bool{}}
			rows[client] = x
		}
		x.last = r.Time
		x.n++
		x.routes[r.Endpoint] = true
		if x.n >= insistsOften && len(x.routes) >= insistsRoutes {
			found[client] = true
			delete(rows, client)
		}
	}
	return found
}
