package detect

import (
	"math"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// A session from before the log is known by its id alone: its first request is accepted
// without a sign-in, or refused. If all of those that come before an instant are accepted,
// and all that come after it refused, they have ended at it, too.

// earlierSessions are the first requests of a site's sessions that began before the log,
// or at a sign-in that it does not show.
type earlierSessions struct {
	refused            []uint32 // refusals, the first of each session
	refusedBefore      int64    // of them: before the instant
	acceptedBefore     int64
	acceptedAfterwards int64
}

// earlierRefused returns, by site, the sessions that the log shows refused only.
func (d *Diagnosis) earlierRefused() []earlierSessions {
	sites := map[string]int{}
	for i, host := range d.Sites {
		sites[host] = i
	}
	all, seen := make([]earlierSessions, len(d.Sites)), map[uint32]bool{}
	for i, r := range d.eachOpen() {
		if !unknownSession(r) || seen[r.Actor] {
			continue
		}
		seen[r.Actor] = true
		if site, ok := sites[d.State.Endpoints[r.Endpoint].Host]; ok {
			all[site].refused = append(all[site].refused, uint32(i))
		}
	}
	return all
}

// unknownSession reports whether a refusal is of a session id that had not been accepted.
func unknownSession(r *session.Refusal) bool {
	return r.Session && !r.Good && !r.SignIn && r.Cause == session.SessionEnd
}

// divide counts the refused ones before an instant, in Unix milliseconds.
func (x *earlierSessions) divide(d *Diagnosis, from int64) {
	for _, r := range d.Refusals.Of(slices.Values(x.refused)) {
		if r.Time <= from {
			x.refusedBefore++
		}
	}
}

// accepted adds a session that was accepted for the first time at start.
func (x *earlierSessions) accepted(start int64, at instant) {
	if start <= at.from {
		x.acceptedBefore++
	} else {
		x.acceptedAfterwards++
	}
}

// after returns the number of sessions refused after the instant, and how surprising they
// are: the sum of the negative log of the share refused before it. They show nothing if
// others are accepted after it, or refused before, and are no surprise unless it is certain
// that hardly any was: in the morning, many have expired.
func (x *earlierSessions) after() (n int64, evidence float64) {
	n = int64(len(x.refused)) - x.refusedBefore
	before := x.acceptedBefore + x.refusedBefore
	switch {
	case float64(n) < invalidatedShare*float64(n+x.acceptedAfterwards), float64(x.acceptedBefore) < invalidatedShare*float64(before):
		return 0, 0
	case stats.WilsonLower(x.acceptedBefore, before, stats.Z95) < invalidatedShare:
		return n, 0
	}
	usual := (float64(x.refusedBefore) + 0.5) / float64(before+1)
	return n, float64(n) * min(maxSurprise, -math.Log(usual))
}

// end adds the first refusals after an instant, in Unix milliseconds, to ended.
func (x *earlierSessions) end(d *Diagnosis, from int64, ended map[uint32]bool) {
	for i, r := range d.Refusals.Of(slices.Values(x.refused)) {
		if r.Time > from {
			ended[i] = true
		}
	}
}
