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
	// randomRatio is the maximum ratio of the refused shares after longer and shorter pauses.
	randomRatio = 1.5
	// randomSurvived is how many times more requests after pauses sessions survive than chance
	// lets them, at most: where some sessions are never refused, it is many times more.
	randomSurvived = 1.5
	// onePlaceMost is the share of the refusals from which on one place is at fault: two that
	// are alike have half of them each.
	onePlaceMost = 0.8
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
	return pauses, from, independent(died, lived, max(from, clockStep))
}

// independent reports whether the share of deaths does not depend on a duration of at least low, in
// milliseconds: wherever the trials, which differ in length, are divided, it is much the same
// among the shorter and among the longer ones.
func independent(died, lived *stats.Durations, low int64) bool {
	diedAbove, livedAbove := died.CountsAbove(), lived.CountsAbove()
	from := func(ms int64) stats.Cell {
		n := diedAbove(ms - 1)
		return stats.Cell{Hits: n, Trials: n + livedAbove(ms-1)}
	}
	all, lengths := from(low), 0
	for long := all; long.Trials > 0; low *= 2 {
		next := from(2 * low)
		if long.Minus(next).Trials >= randomTrials {
			lengths++
		}
		long = next
		if short := all.Minus(long); exceeds(long, short) || exceeds(short, long) {
			return false
		}
	}
	return lengths >= randomLengths
}

// exceeds reports whether the share of a is more than randomRatio times that of b, and not by
// chance.
func exceeds(a, b stats.Cell) bool {
	return shareOf(a) > randomRatio*shareOf(b) && a.Trials >= randomTrials && b.Trials >= randomTrials &&
		stats.WilsonLower(a.Hits, a.Trials, stats.Z95) > 1-stats.WilsonLower(b.Trials-b.Hits, b.Trials, stats.Z95)
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
	if d.atOnePlace(h.deaths) {
		return c, false
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
	d.rateMixture(&c, details, p, int64(len(actors)))
	c.Subject.Host = h.names[0]
	return c, true
}

// atOnePlace reports whether most of the refusals are those of one backend, or server, of
// several: then it is at fault, and chance decides only who reaches it.
func (d *Diagnosis) atOnePlace(refusals []uint32) bool {
	for _, x := range placesOf(d) {
		counts := make([]int, len(x.names))
		for i, r := range d.Refusals.Of(slices.Values(refusals)) {
			if n := x.refuse(int(i), r); n >= 0 {
				counts[n]++
			}
		}
		if float64(slices.Max(counts)) >= onePlaceMost*float64(len(refusals)) {
			return true
		}
	}
	return false
}
