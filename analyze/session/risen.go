package session

import (
	"context"
	"iter"
	"math"

	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A challenge that is answered at once is no trouble by itself. But where tokens end too soon,
// their renewal fails, a process does not know them or connections are not kept, clients are
// refused again and again, and get through. It shows in the requests that soon follow an
// acceptance of the same actor: the share of them that is challenged is far greater in one
// period than in others, for the same actors.
//
// Not: more or other clients (each actor is compared with itself), expired tokens in the
// morning (requests after a pause do not count), new connections after a restart (one
// challenge of each actor does not count), a busier time, in which more requests are sent at
// once or sooner one after another (the share must have risen both among all requests of an
// actor and among those after about as long a silence).
//
// Statistic: the period is one of stats.Excursions over all actors that are challenged. The
// common odds ratio over the actors (Mantel and Haenszel, JNCI 22, 1959), and the sum over the
// actors of what is above the expectation, divided by the root of the sum of its squares: no
// single actor can make that large.

const (
	// useWindow is the longest time, in milliseconds, after an acceptance within which a
	// request is one in use: most servers keep connections for as long.
	useWindow = 60_000
	// risenOdds is the least ratio of the odds to be challenged to those at other times,
	// and risenMany the number of standard deviations.
	risenOdds = 4
	risenMany = 3
	// risenHits is the minimum number of challenges of a period, and risenFirst the least
	// ratio of its odds to those at other times before actors are compared one by one.
	risenHits  = 20
	risenFirst = 2
	// maxRisen is the maximum number of periods of a site that are tested.
	maxRisen = 8
	// fixed is the unit of sums of fractions, which do not depend on their order.
	fixed = 1 << 20
)

// useSpans are the longest silences, in milliseconds, of classes of requests in use.
var useSpans = [...]int64{1000, 5000, 15_000, useWindow}

// use is a request in use.
type use struct {
	event      *timeline.Event
	span       int // index into useSpans
	challenged bool
}

// uses yields the requests of an actor that soon follow an acceptance and are accepted or
// challenged. Actors that are visited in pieces have none: many people share them.
func (ev *Evidence) uses(a *timeline.Actor, challenges Bits) iter.Seq[use] {
	return func(yield func(use) bool) {
		if a.More || a.Continues {
			return
		}
		last := LongAgo // acceptance that nothing refused followed
		for i := range a.Events {
			e := &a.Events[i]
			accepted, challenged := ev.answered(e, challenges)
			if silence := e.Time - last; (accepted || challenged) && silence <= useWindow {
				span := 0
				for silence > useSpans[span] {
					span++
				}
				if !yield(use{e, span, challenged}) {
					return
				}
			}
			switch {
			case accepted:
				last = e.Time
			case e.Outcome == timeline.Unauthorized:
				last = LongAgo
			}
		}
	}
}

// answered reports whether a request was accepted on a protected route, or challenged in this run.
func (ev *Evidence) answered(e *timeline.Event, challenges Bits) (accepted, challenged bool) {
	return e.Outcome == timeline.Accepted && ev.Roles[e.Endpoint]&Guards != 0,
		e.Outcome == timeline.Unauthorized && e.Refusal < timeline.EarlierEvent && challenges.Has(int(e.Refusal))
}

// challengedInUse reports whether a request in use of an actor was challenged.
func (ev *Evidence) challengedInUse(a *timeline.Actor, challenges Bits) bool {
	for u := range ev.uses(a, challenges) {
		if u.challenged {
			return true
		}
	}
	return false
}

// countUses counts the requests in use of an actor that was challenged in use, by site and step.
func (s *sessionizer) countUses(a *timeline.Actor) {
	if !s.challengedInUse(a, s.challenges) {
		return
	}
	s.countChances(a)
	for u := range s.uses(a, s.challenges) {
		if a.Session == nil {
			x := s.inUse[u.event.Client]
			x.Add(u.challenged)
			s.inUse[u.event.Client] = x
		}
		site := s.siteOf[u.event.Endpoint]
		if !s.followed[site] {
			continue
		}
		if s.used[site] == nil {
			s.used[site] = make([]stats.Cell, MaxSteps)
		}
		s.used[site][s.Step(u.event.Time)].Add(u.challenged)
	}
}

// risenPeriod is a period of a site in which more is challenged than at other times.
type risenPeriod struct {
	site     uint32
	from, to int     // steps
	usual    float64 // share of requests in use that is challenged at other times
}

func (p *risenPeriod) has(ev *Evidence, e *timeline.Event) bool {
	step := ev.Step(e.Time)
	return step >= p.from && step < p.to && ev.siteOf[e.Endpoint] == p.site
}

// risenPeriods returns the periods that may be those of a trouble.
func (ev *Evidence) risenPeriods(parts []*sessionizer) (periods []risenPeriod) {
	for site := range ev.Sites {
		var cells []stats.Cell
		for _, s := range parts {
			if cells == nil {
				cells = s.used[site]
				continue
			}
			for i, c := range s.used[site] {
				cells[i].Merge(c)
			}
		}
		if stats.Sum(cells).Hits < risenHits {
			continue
		}
		n := 0
		for _, x := range stats.Excursions(cells) {
			low, usual := stats.WilsonLower(x.Inside.Hits, x.Inside.Trials, stats.Z95), x.Outside.Smoothed()
			if x.Inside.Hits >= risenHits && stats.Odds(low) >= risenFirst*stats.Odds(usual) && n < maxRisen {
				periods = append(periods, risenPeriod{uint32(site), x.From, x.To, usual})
				n++
			}
		}
	}
	return periods
}

// inUse are the requests in use of an actor at a site, by class of silence.
type inUse [len(useSpans)]stats.Cell

// total returns the requests after any silence.
func (x *inUse) total() inUse { return inUse{0: stats.Sum(x[:])} }

// periodUses are the requests in use of an actor in a period and at other times.
type periodUses struct {
	inside, outside inUse
	challenged      bool // one of them was
	spared          bool // one challenge of the period was not counted
}

func (x *periodUses) add(u *use, within bool) {
	x.challenged = x.challenged || u.challenged
	switch {
	case !within:
		x.outside[u.span].Add(u.challenged)
	case u.challenged && !x.spared:
		x.spared = true
	default:
		x.inside[u.span].Add(u.challenged)
	}
}

// risen reports whether the actor is challenged in the period more often than usual.
func (x *periodUses) risen(usual float64) bool {
	inside, outside := stats.Sum(x.inside[:]), stats.Sum(x.outside[:])
	if outside.Trials > 0 {
		usual = float64(outside.Hits) / float64(outside.Trials)
	}
	return float64(inside.Hits) > usual*float64(inside.Trials)
}

// contrast is the comparison of the actors with themselves, in units of 1/fixed.
type contrast struct {
	up, down       int64 // numerator and denominator of the odds ratio
	above, squares int64 // challenges above the expectation, and their squares
}

func (c *contrast) merge(d contrast) {
	c.up, c.down, c.above, c.squares = c.up+d.up, c.down+d.down, c.above+d.above, c.squares+d.squares
}

// add adds an actor.
func (c *contrast) add(inside, outside inUse) {
	var up, down, above float64
	for span := range useSpans {
		in, out := inside[span], outside[span]
		if in.Trials == 0 || out.Trials == 0 {
			continue
		}
		all := float64(in.Trials + out.Trials)
		up += float64(in.Hits) * float64(out.Trials-out.Hits) / all
		down += float64(out.Hits) * float64(in.Trials-in.Hits) / all
		above += float64(in.Hits) - float64(in.Hits+out.Hits)*float64(in.Trials)/all
	}
	unit := func(x float64) int64 { return int64(math.Round(fixed * x)) }
	c.merge(contrast{unit(up), unit(down), unit(above), unit(above * above)})
}

// certain reports whether what is challenged has risen.
func (c *contrast) certain() bool {
	const half = fixed / 2
	return float64(c.up+half) >= risenOdds*float64(c.down+half) &&
		float64(c.above)/fixed >= risenMany*math.Sqrt(float64(c.squares)/fixed)
}

// risenChallenges returns the challenges of the periods in which far more is challenged in use
// than at other times: they are none.
func (ev *Evidence) risenChallenges(ctx context.Context, parts []*sessionizer) (all Bits, err error) {
	r := &risenSearch{Evidence: ev, periods: ev.risenPeriods(parts)}
	if len(r.periods) == 0 {
		return nil, nil
	}
	for _, s := range parts {
		r.challenges.Merge(s.challenges)
	}
	if err := r.test(ctx); err != nil || len(r.periods) == 0 {
		return nil, err
	}
	found := make([]Bits, ev.Workers)
	err = r.visit(ctx, func(worker, n int, a *timeline.Actor, x *periodUses) {
		if x.risen(r.periods[n].usual) {
			r.addChallenges(&found[worker], a, &r.periods[n])
		}
	})
	for _, b := range found {
		all.Merge(b)
	}
	return all, err
}

// risenSearch tests periods. They are sorted by site.
type risenSearch struct {
	*Evidence
	challenges Bits
	periods    []risenPeriod
}

// test drops the periods in which nothing has risen for certain.
func (r *risenSearch) test(ctx context.Context) error {
	sums := make([][][2]contrast, r.Workers)
	for i := range sums {
		sums[i] = make([][2]contrast, len(r.periods))
	}
	err := r.visit(ctx, func(worker, n int, _ *timeline.Actor, x *periodUses) {
		sums[worker][n][0].add(x.inside.total(), x.outside.total())
		sums[worker][n][1].add(x.inside, x.outside)
	})
	certain := r.periods[:0]
	for n, p := range r.periods {
		var all [2]contrast
		for worker := range sums {
			all[0].merge(sums[worker][n][0])
			all[1].merge(sums[worker][n][1])
		}
		if all[0].certain() && all[1].certain() {
			certain = append(certain, p)
		}
	}
	r.periods = certain
	return err
}

// visit calls do with the requests in use of each actor that was challenged in use at the site of
// a period, by period.
func (r *risenSearch) visit(ctx context.Context, do func(worker, n int, a *timeline.Actor, x *periodUses)) error {
	first := make([]int, len(r.Sites)+1) // by site: of its periods, which end where those of the next begin
	for site := range r.Sites {
		first[site+1] = first[site]
		for first[site+1] < len(r.periods) && r.periods[first[site+1]].site == uint32(site) {
			first[site+1]++
		}
	}
	scratch := make([][]periodUses, r.Workers)
	for i := range scratch {
		scratch[i] = make([]periodUses, len(r.periods))
	}
	refused := func(_ uint32, w timeline.ActorSummary) bool { return w.Refused }
	return r.Visit(ctx, refused, func(worker int, _ uint32, a *timeline.Actor) {
		if !r.challengedInUse(a, r.challenges) {
			return
		}
		all := scratch[worker]
		clear(all)
		for u := range r.uses(a, r.challenges) {
			site := r.siteOf[u.event.Endpoint]
			for n := first[site]; n < first[site+1]; n++ {
				all[n].add(&u, r.periods[n].has(r.Evidence, u.event))
			}
		}
		for n := range all {
			if all[n].challenged {
				do(worker, n, a, &all[n])
			}
		}
	})
}

// addChallenges adds the challenges of an actor in the midst of its visits in a period, with the
// further legs of each.
func (r *risenSearch) addChallenges(to *Bits, a *timeline.Actor, p *risenPeriod) {
	last, leg := LongAgo, false
	for i := range a.Events {
		e := &a.Events[i]
		switch {
		case e.Outcome == timeline.Accepted && r.Roles[e.Endpoint]&Guards != 0:
			last, leg = e.Time, false
		case e.Outcome == timeline.Unauthorized:
			leg = leg || e.Time-last <= Nearby
			if leg && e.Refusal < timeline.EarlierEvent && r.challenges.Has(int(e.Refusal)) && p.has(r.Evidence, e) {
				to.Add(int(e.Refusal))
			}
			last = LongAgo
		}
	}
}
