package session

import (
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// Where one of several processes does not know the key, or the sessions of the others, requests are
// refused by chance, and repeated with success: the log shows challenges that are answered at once.
// But who is challenged is so by its habit: a program asks first on each new connection, always or
// never, and hardly ever soon after an acceptance; one whose token ends renews it after a while.
// Where chance decides, the same share of requests is refused whatever a client did before: after a
// pause, in the midst of use and after a refusal; and all clients meet it alike.
//
// Statistic: odds ratios of the three shares; the dispersion of the share after a pause over the
// actors, in that of the binomial distribution, which is about 1 for chance. Actors of which some
// are always challenged and some never have as much as they have pauses.

const (
	// chanceActors is the minimum number of actors, each with repeatMatches pauses.
	chanceActors = 5
	// chanceLeast is the least share that is refused, and that is accepted: one process of ten.
	chanceLeast = 0.1
	// chanceOdds is the largest ratio of the odds of two of the shares.
	chanceOdds = 2
	// chanceDispersion is the maximum dispersion.
	chanceDispersion = 2
)

// chances are the answers to actors of a site that are challenged in use, but not always after a
// pause; the hits are challenges.
type chances struct {
	actors  int64
	pauses  stats.Cell // requests after a pause
	uses    stats.Cell // requests soon after an acceptance
	again   stats.Cell // requests right after a challenge
	squares int64      // of the challenges after a pause, by their trials, in units of 1/fixed; their sum
	refused Bits       // the challenges
}

func (c *chances) merge(d *chances) {
	c.actors += d.actors
	c.pauses.Merge(d.pauses)
	c.uses.Merge(d.uses)
	c.again.Merge(d.again)
	c.squares += d.squares
	c.refused.Merge(d.refused)
}

// decides reports whether chance decides what is challenged.
func (c *chances) decides() bool {
	if c.actors < chanceActors {
		return false
	}
	share := c.pauses.Smoothed()
	like := func(x stats.Cell) bool {
		ratio := stats.Odds(x.Smoothed()) / stats.Odds(share)
		return ratio <= chanceOdds && ratio >= 1.0/chanceOdds
	}
	hits, trials := float64(c.pauses.Hits), float64(c.pauses.Trials)
	dispersion := (float64(c.squares)/fixed - 2*share*hits + share*share*trials) / (share * (1 - share)) / float64(c.actors-1)
	return share >= chanceLeast && share <= 1-chanceLeast && like(c.uses) && like(c.again) && dispersion <= chanceDispersion
}

// countChances adds an actor that was challenged in use to the chances of its site, the one of its
// first event.
func (s *sessionizer) countChances(a *timeline.Actor) {
	x, site := chances{actors: 1}, s.siteOf[a.Events[0].Endpoint]
	if !s.followed[site] {
		return
	}
	last, before := LongAgo, LongAgo // the acceptance that nothing refused followed, and the request before
	for i := range a.Events {
		e := &a.Events[i]
		accepted, challenged := s.answered(e, s.challenges)
		if (accepted || challenged) && s.siteOf[e.Endpoint] == site {
			switch {
			case e.Time-before >= arrivalWindow:
				x.pauses.Add(challenged)
			case e.Time-last <= useWindow:
				x.uses.Add(challenged)
			case last == LongAgo && e.Time-before <= legWindow:
				x.again.Add(challenged)
			}
		}
		switch {
		case accepted:
			last = e.Time
		case e.Outcome == timeline.Unauthorized:
			last = LongAgo
		}
		before = e.Time
	}
	if n := x.pauses; n.Trials < repeatMatches || float64(n.Hits) >= habitShare*float64(n.Trials) {
		return
	}
	x.squares = fixed * x.pauses.Hits * x.pauses.Hits / x.pauses.Trials
	to := s.chances[site]
	if to == nil {
		to = &chances{}
		s.chances[site] = to
	}
	to.merge(&x)
	for i := range a.Events {
		if e := &a.Events[i]; s.siteOf[e.Endpoint] == site {
			if _, challenged := s.answered(e, s.challenges); challenged {
				to.refused.Add(int(e.Refusal))
			}
		}
	}
}

// chanceChallenges returns the challenges at the sites at which chance decides: they are none.
func (ev *Evidence) chanceChallenges(parts []*sessionizer) (all Bits) {
	for site := range ev.Sites {
		var sum chances
		for _, s := range parts {
			if c := s.chances[site]; c != nil {
				sum.merge(c)
			}
		}
		if sum.decides() {
			all.Merge(sum.refused)
		}
	}
	return all
}
