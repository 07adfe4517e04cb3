package detect

import (
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/parse"
)

const (
	// contrastVoters is the minimum number of distinct users, sessions or addresses
	// that are refused: one or two may be the cause themselves.
	contrastVoters = 3
	// contrastOutside is the minimum number of visits at other times: fewer show no
	// usual share.
	contrastOutside = 8
	// contrastOdds is the minimum ratio of the odds of a refusal to the usual ones.
	contrastOdds = 4
	// contrastLower is the minimum of the lower bound of the refused share.
	contrastLower = 0.25
	// contrastFalse is the accepted rate of false reports over the keys and runs.
	contrastFalse = 0.001
	// contrastCollapse is the part of the acceptances expected in a period down to
	// which they must fall for refused strangers to count: a flood of strangers does
	// not stop others from being accepted.
	contrastCollapse = 0.3
	// crowdTimes is how many times as many visits an hour as at other times are a usual crowd, and
	// openVisits the minimum number of them at other times that show a route to accept
	// everybody.
	crowdTimes = 2
	openVisits = 20
	// silentAround is how many times as long before and after a period requests are counted
	// to compare with, silentRequests the minimum number of them that is expected in it, and
	// silentShare the maximum share of that number that is accepted in a silent one.
	silentAround   = 3
	silentRequests = 20
	silentShare    = 0.05
)

// contrastSeries are the visits of the keys over time.
type contrastSeries struct {
	o        *contrastObserver
	share    float64     // minimum share of a contrast, at least contrastLower of all but sites; 0 for any
	refused  [][]int32   // by place and step
	refusals []ascending // by place: those that count, by time
}

// ordinaryCourse reports whether a refusal took its ordinary course: by itself it looks like an
// expired session, a mistyped password or a visitor without credentials, and its actor was
// accepted soon after. The sign-ins of a morning contrast with nothing.
func ordinaryCourse(r *session.Refusal) bool { return r.Cause != session.Unexplained && r.Settled }

// series returns the visits of keys of some types, and of what they are compared with, with
// the open refusals that count; settled ones count only if they are among them. share is the
// minimum share of the contrasts that are sought in them. Who signs in within a minute, and is
// accepted from then on, shows that the route accepts and that people can sign in; not that
// another backend would have refused as well. The caller holds mu as long as it uses them.
func (o *contrastObserver) series(kinds []contrastType, settled bool, share float64, counts func(*session.Refusal) bool) *contrastSeries {
	wanted := func(place int) bool {
		return o.keys[place].kind == siteContrast || slices.Contains(kinds, o.keys[place].kind)
	}
	replicas := slices.ContainsFunc(kinds, contrastType.replica)
	refusals := o.refusalsOf(wanted, func(r *session.Refusal) bool {
		return !r.Left && (replicas || !r.Entry) && (settled || !ordinaryCourse(r)) && counts(r)
	})
	return &contrastSeries{o, share, o.refusedVisits(refusals), refusals}
}

// cells returns the visits of a key by step; hits are refused.
func (s *contrastSeries) cells(place int) []stats.Cell {
	cells := make([]stats.Cell, s.o.steps)
	for i := range cells {
		hits := int64(s.refused[place][i])
		cells[i] = stats.Cell{Hits: hits, Trials: hits + int64(s.o.accepted[place][i])}
	}
	return cells
}

// excursions returns the visits of a key, and the periods in which it refuses more of them
// than at other times; none if it cannot have a contrast.
func (s *contrastSeries) excursions(place int) ([]stats.Cell, []stats.Excursion) {
	if !s.possible(place) {
		return nil, nil
	}
	cells := s.cells(place)
	return cells, stats.Excursions(cells)
}

// others returns the visits of everything that a key is compared with: the rest of
// its site, or the other backends or servers.
func (s *contrastSeries) others(place int) []stats.Cell {
	cells := make([]stats.Cell, s.o.steps)
	add := func(other int, sign int64) {
		for i, x := range s.cells(other) {
			cells[i].Merge(stats.Cell{Hits: sign * x.Hits, Trials: sign * x.Trials})
		}
	}
	key := &s.o.keys[place]
	switch {
	case key.kind.replica():
		for i := range s.o.keys {
			if s.o.keys[i].kind == key.kind && i != place {
				add(i, 1)
			}
		}
	case key.site >= 0:
		add(key.site, 1)
		add(place, -1)
	}
	for i := range cells { // a visit to several routes of a site is one visit of the site
		cells[i].Hits = max(cells[i].Hits, 0)
		cells[i].Trials = max(cells[i].Trials, cells[i].Hits)
	}
	return cells
}

// contrast is a period in which a key refuses far more of its visits than usual.
type contrast struct {
	place int
	stats.Excursion
	usual  float64 // refused share that was to be expected
	lower  float64 // 95% bound of the refused share
	p      float64 // adjusted for the number of periods and keys
	voters int
	whole  bool // it begins with the last acceptance: no refusal is a straggler
}

// share returns the refused share of the visits in the period.
func (c *contrast) share() float64 { return float64(c.Inside.Hits) / float64(c.Inside.Trials) }

// dispersion returns how many times the variance of the refused visits of a series is
// that of independent ones, outside of a period; at least 1. It is estimated from the
// median deviation, which other troubles do not move.
func dispersion(cells []stats.Cell, x *stats.Excursion) float64 {
	share := x.Outside.Smoothed()
	var residuals []float64
	for i, c := range cells {
		if (i < x.From || i >= x.To) && c.Trials > 0 {
			mean := float64(c.Trials) * share
			residuals = append(residuals, (float64(c.Hits)-mean)/math.Sqrt(mean*(1-share)))
		}
	}
	_, spread := stats.MedianDeviation(residuals)
	return max(1, spread*spread)
}

// test tests a period of a series against a usual share, and reports whether it is a
// contrast. The number of tests is that of all periods of the series and all keys.
func (s *contrastSeries) test(c *contrast, cells []stats.Cell, usual float64) bool {
	if !s.passes(c, cells, usual) {
		return false
	}
	c.voters = voters(s.o.d, s.claims(c).each)
	return c.voters >= contrastVoters
}

// passes is test but for the number of voters.
func (s *contrastSeries) passes(c *contrast, cells []stats.Cell, usual float64) bool {
	c.usual = usual
	spread := dispersion(cells, &c.Excursion)
	hits, trials := int64(float64(c.Inside.Hits)/spread), int64(float64(c.Inside.Trials)/spread)
	c.p = min(1, stats.BinomialTail(hits, trials, usual)*s.tests())
	c.lower = stats.WilsonLower(hits, trials, stats.Z95)
	return c.p <= contrastFalse && stats.Odds(c.lower) >= contrastOdds*stats.Odds(usual)
}

// collapsed reports whether far fewer visits of a key were accepted in a period than
// its share of the accepted visits at other times would have been.
func (s *contrastSeries) collapsed(c *contrast, others []stats.Cell) bool {
	var in, out stats.Cell
	for i, x := range others {
		if i >= c.From && i < c.To {
			in.Merge(x)
		} else {
			out.Merge(x)
		}
	}
	accepted := func(x stats.Cell) float64 { return float64(x.Trials - x.Hits) }
	expected := accepted(c.Outside) * accepted(in) / max(accepted(out), 1)
	if accepted(out) == 0 { // nothing else is asked for: compare with the length of the period
		expected = accepted(c.Outside) * float64(c.To-c.From) / float64(max(s.o.steps-(c.To-c.From), 1))
	}
	k := accepted(c.Inside)
	// The chance of so few is one minus that of more.
	return k <= contrastCollapse*expected && 1-stats.PoissonTail(int64(k)+1, expected) <= contrastFalse
}

// silent reports whether next to none of the requests that ask for credentials were
// accepted in a period of a site, though many were just before and after it. Visits are
// counted by the hour, so a few minutes have few.
func (s *contrastSeries) silent(c *contrast) bool {
	requests := s.o.requests[c.place]
	around := silentAround * (c.To - c.From)
	in, out, steps := int64(0), int64(0), 0
	for i := max(0, c.From-around); i < min(len(requests), c.To+around); i++ {
		if i >= c.From && i < c.To {
			in += int64(requests[i])
			continue
		}
		out += int64(requests[i])
		steps++
	}
	expected := float64(out) * float64(c.To-c.From) / float64(max(steps, 1))
	return expected >= silentRequests && float64(in) <= silentShare*expected
}

// ownPeople reports whether so many of the clients that a sign-in refused in a period are
// accepted at other times that they are no flood of strangers. Then it need not be
// surprising by itself that so few others are accepted; and that pages refuse more at
// that time is a consequence: who is not signed in cannot come back.
func (s *contrastSeries) ownPeople(c *contrast) bool {
	key := &s.o.keys[c.place]
	o, _ := s.o.d.observed["authentication_outage"].(*outageObserver)
	if o == nil || key.kind != routeContrast || !s.o.d.Roles[key.number].Begins() {
		return false
	}
	familiar, clients := o.familiar(s, s.claims(c).each)
	return float64(familiar) >= outageKnown*float64(clients)
}

// find returns the period of a key that contrasts most with other times and with
// everything else at the same time, which must accept somebody. With collapse, the
// acceptances must have collapsed.
func (s *contrastSeries) find(place int, collapse bool) (contrast, bool) {
	cells, excursions := s.excursions(place)
	if len(excursions) == 0 {
		return contrast{}, false
	}
	others := s.others(place)
	for _, x := range excursions {
		c := contrast{place: place, Excursion: x}
		var beside stats.Cell
		for _, y := range others[x.From:x.To] {
			beside.Merge(y)
		}
		own, usual := collapse && c.share() >= outageShare && s.ownPeople(&c), x.Outside.Smoothed()
		if !own {
			usual = max(usual, beside.Smoothed())
		}
		if x.Outside.Trials >= contrastOutside && (beside.Trials-beside.Hits >= contrastVoters || collapse && s.closesAlone(&c)) && s.test(&c, cells, usual) &&
			c.lower >= contrastLower && (!collapse || own || c.share() >= outageShare && s.collapsed(&c, others)) {
			if collapse {
				s.widen(&c)
			}
			return c, true
		}
	}
	return contrast{}, false
}

// closesAlone reports whether a period is that of a route which accepted people and does so no
// longer, though nothing else of its site asks for credentials: nothing can show that they are
// good elsewhere meanwhile. Some of those refused had been accepted there, or hardly anybody
// was refused before and no more come than did; and most see other pages. Strangers come all
// the time, or in crowds.
func (s *contrastSeries) closesAlone(c *contrast) bool {
	key := &s.o.keys[c.place]
	if key.kind != routeContrast || c.share() < outageShare || s.o.d.Roles[key.number].Begins() {
		return false
	}
	others := s.others(c.place)
	if slices.ContainsFunc(others, func(x stats.Cell) bool { return x.Trials > 0 }) || !s.collapsed(c, others) {
		return false
	}
	claims := s.claims(c)
	return (c.Outside.Trials >= openVisits && s.wasOpen(c) || goodVoters(s.o.d, claims.each) >= contrastVoters) && !s.o.d.byTools(claims.each) && !s.o.d.onlyRefused(claims.each)
}

// wasOpen reports whether a part of a site refused hardly anybody but in a period, in which about as
// many come as at other times.
func (s *contrastSeries) wasOpen(c *contrast) bool {
	return shareOf(c.Outside) <= outageUsual && s.usualCrowd(c)
}

// turnsAway reports whether a period is that of a route which accepted nearly everybody and now
// accepts next to nobody, while the rest of the site goes on and about as many come as did. Those
// refused are its usual clients, though each comes but once: builds, and others whose address
// is a new one each time. Strangers come beside them.
func (s *contrastSeries) turnsAway(c *contrast) bool {
	key := &s.o.keys[c.place]
	return key.kind == routeContrast && c.share() >= outageShare && !s.o.d.Roles[key.number].Begins() &&
		s.wasOpen(c) && s.collapsed(c, s.others(c.place))
}

// usualCrowd reports whether about as many visits come in a period as at other times, in the
// hours in which anybody comes.
func (s *contrastSeries) usualCrowd(c *contrast) bool {
	hour := int(s.o.visit/s.o.width) + 1
	var inside, outside struct{ visits, hours int64 }
	cells := s.cells(c.place)
	for from := 0; from < len(cells); from += hour {
		for _, part := range [][2]int{{from, min(from+hour, c.From)}, {max(from, c.From), min(from+hour, c.To)}, {max(from, c.To), min(from+hour, len(cells))}} {
			sum := &outside
			if part[0] >= c.From && part[0] < c.To {
				sum = &inside
			}
			n := int64(0)
			for i := part[0]; i < part[1]; i++ {
				n += cells[i].Trials
			}
			if n > 0 {
				sum.visits += n
				sum.hours += int64(part[1] - part[0])
			}
		}
	}
	return inside.visits*outside.hours <= crowdTimes*outside.visits*inside.hours
}

// findClosed returns the period in which a site refuses nearly all visits and accepts far
// fewer than usual. There may be nothing beside a site to compare it with.
func (s *contrastSeries) findClosed(place int, _ bool) (contrast, bool) {
	cells, excursions := s.excursions(place)
	for _, x := range excursions {
		c := contrast{place: place, Excursion: x}
		if x.Outside.Trials >= contrastOutside && c.share() >= outageShare && s.rises(&x) &&
			(s.collapsed(&c, s.others(place)) || s.silent(&c)) && s.test(&c, cells, x.Outside.Smoothed()) {
			s.widen(&c)
			return c, true
		}
	}
	return contrast{}, false
}

// findReplica is find of a backend or server, which may refuse everybody all the time.
func (s *contrastSeries) findReplica(place int, collapse bool) (contrast, bool) {
	if c, ok := s.find(place, collapse); ok || !collapse {
		return c, ok
	}
	return s.closedAlways(place, s.cells(place), s.others(place))
}

// widen moves the beginning of a period without acceptances to the last one before.
func (s *contrastSeries) widen(c *contrast) {
	for c.From > 0 && s.o.accepted[c.place][c.From-1] == 0 {
		c.From--
	}
	c.whole = true
}

// claims returns the refusals of a contrast's key in its period.
func (s *contrastSeries) claims(c *contrast) *ascending {
	from := func(step int) func(uint32) bool {
		return func(i uint32) bool { return s.o.step(s.o.refusedAt(i)) >= step }
	}
	list := ascendingOf(s.refusals[c.place].between(from(c.From), from(c.To)))
	return &list
}

// fromOnset drops the stragglers before a trouble, which the steps of time include,
// and those after it if it ended.
func (s *contrastSeries) fromOnset(c *contrast, claims *ascending) ascending {
	if c.whole {
		return *claims
	}
	from, to := densest(s.o.d, claims)
	if c.To == s.o.steps {
		to = claims.n
	}
	return claims.slice(from, to)
}

// contrastFinding returns what the findings of all contrasts have in common.
func (s *contrastSeries) contrastFinding(c *contrast, claims *ascending) candidate {
	cand := candidate{packed: s.fromOnset(c, claims)}
	cand.Onset = parse.NoTime
	if c.From > 0 {
		cand.Onset = s.o.d.State.Refusals.At(int(cand.packed.first())).Time
	}
	cand.Confidence = confidence(c.p, c.lower)
	cand.Severity = result.Medium
	return cand
}
