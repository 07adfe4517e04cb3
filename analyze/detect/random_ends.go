package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// Processes that do not share their secret end each session at the first request that
// another one gets, if the page then asks for a new sign-in: nothing is refused and
// accepted in turn. Connections that are kept alive stay at one process, so requests that
// follow each other closely are spared. What decides is chance, which neither the length of
// the pause nor the age of the session changes; a timeout is the opposite.

const (
	// aliveConnection is the longest time in milliseconds for which clients and servers keep a
	// connection without requests: browsers 5 minutes at most, servers a minute or two.
	aliveConnection = 5 * 60_000
	// randomTrials is the minimum number of requests after pauses of about one length, up to
	// twice the shortest, and randomLengths the minimum number of such lengths: what is the same
	// for all of them does not depend on the length.
	randomTrials  = 20
	randomLengths = 3
	// randomRatio is the maximum ratio of the refused shares after longer and shorter pauses, and
	// of older and younger sessions.
	randomRatio = 1.5
	// randomSurvived is how many times more requests after pauses sessions survive than chance
	// lets them, at most: where some sessions are never refused, it is many times more.
	randomSurvived = 1.5
	// sparesNone is the share of refused requests from which on a timeout ends the sessions,
	// whatever its length: chance ends fewer in fewer than twenty processes.
	sparesNone = 0.95
)

// endsAtRandom returns the requests after a pause that keeps no connection alive, of sessions
// whose sign-in was seen, of which the hits were refused and ended their sessions; false if
// chance does not decide which.
func (d *Diagnosis) endsAtRandom(h *mortalHost) (pauses stats.Cell, from int64, ok bool) {
	died, lived := durations(d, h.deaths, true, idleTime), &h.lifetimes.SeenGap
	if died.Total() < mixedRefused {
		return pauses, 0, false
	}
	t, found := stats.FindThreshold(died, lived)
	if found = found && t.Gain >= expiryGain; found {
		from = t.High
	}
	age, aged := stats.FindThreshold(durations(d, h.deaths, true, ageOf), &h.lifetimes.SeenAge)
	if from > aliveConnection || aged && age.Gain >= expiryGain && (!found || age.LogLikelihood > t.LogLikelihood) {
		return pauses, from, false
	}
	hits := died.CountsAbove()(from - 1)
	pauses = stats.Cell{Hits: hits, Trials: hits + lived.CountsAbove()(from-1)}
	p := shareOf(pauses)
	survived, sessions := float64(pauses.Trials-pauses.Hits), float64(h.lifetimes.SeenLongest.CountsAbove()(from-1))
	if pauses.Hits < mixedRefused || p < mixedShare || p >= sparesNone || p*survived > randomSurvived*sessions {
		return pauses, from, false
	}
	return pauses, from, ageless(died, lived, max(from, clockStep))
}

// ageless reports whether the share of deaths does not depend on a duration of at least low, in
// milliseconds: it is much the same in the shorter and in the longer half of the trials, which
// differ in length.
func ageless(died, lived *stats.Durations, low int64) bool {
	diedAbove, livedAbove := died.CountsAbove(), lived.CountsAbove()
	above := func(ms int64) stats.Cell {
		n := diedAbove(ms - 1)
		return stats.Cell{Hits: n, Trials: n + livedAbove(ms-1)}
	}
	all, lengths := above(low), 0
	half := all
	for ; above(low).Trials > 0; low *= 2 {
		n := above(low)
		if without(n, above(2*low)).Trials >= randomTrials {
			lengths++
		}
		if off := 2*n.Trials - all.Trials; max(off, -off) <= max(2*half.Trials-all.Trials, all.Trials-2*half.Trials) {
			half = n
		}
	}
	long, short := shareOf(half), shareOf(without(all, half))
	return lengths >= randomLengths && long <= randomRatio*short && short <= randomRatio*long
}

// randomEnds returns a finding of intermittent_refusal for each host whose sessions end at
// random.
func randomEnds(d *Diagnosis) (found []candidate) {
	hosts := d.mortalHosts()
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		h := hosts[host]
		if pauses, from, ok := d.endsAtRandom(h); ok {
			if c, ok := d.randomEnd(h, pauses, from); ok {
				found = append(found, c)
			}
		}
	}
	return found
}

func (d *Diagnosis) randomEnd(h *mortalHost, pauses stats.Cell, from int64) (c candidate, ok bool) {
	actors, routes, moved := map[uint32]bool{}, map[uint32]bool{}, 0
	for _, r := range d.Refusals.Of(slices.Values(h.deaths)) {
		actors[r.Actor], routes[r.Endpoint] = true, true
		if r.Moved {
			moved++
		}
	}
	for i, r := range d.Refusals.All() {
		if (r.Dead || r.Good && r.Cause == session.Unexplained) && !r.SignIn && d.open(i) && h.has(d, r) {
			c.claims = append(c.claims, uint32(i))
		}
	}
	p := min(1, stats.BinomialTail(pauses.Hits, pauses.Trials, mixedUsual)*float64(len(d.Sites)))
	if len(actors) < mixedSessions || len(routes) < 2 || 2*moved > len(h.deaths) || p > mixedFalse || d.ofOneVersion(c.claims) {
		return c, false
	}
	details := (&mixture{answers: pauses}).details()
	details.Ends, details.Pause = pauses.Hits, result.Seconds(round(float64(from)/1000, 1))
	details.Sessions, details.Routes = pauses.Hits, len(routes)
	d.rateMixture(&c, details, p, len(actors))
	c.Subject.Host = h.names[0]
	return c, true
}
