package session

import "logscan/analyze/timeline"

// A visit is a stretch of an actor's requests without a pause longer than Nearby. Whoever has
// an account is accepted or refused first in it; strangers, who are only refused, have none.
// Where nothing is wrong, the share of visits with a refusal depends on whether they are the
// first ones of their actors, because sessions end overnight, but not on the time.

// Visit says whether a refusal is the first one of a visit, and of which.
type Visit uint8

// The visits.
const (
	NoVisit    Visit = iota // it is not the first one, or of a stranger, or part of a handshake or renewal that succeeds
	FirstVisit              // of its actor
	LaterVisit
	NumVisits
)

// AcceptedVisits counts, by kind and step, the visits that were accepted before they were
// refused, at their first acceptance on a protected route. It is empty for no visits.
type AcceptedVisits [NumVisits][]int64

func (v *AcceptedVisits) merge(w *AcceptedVisits) {
	for kind, list := range w {
		if len(list) > 0 && v[kind] == nil {
			v[kind] = make([]int64, MaxSteps)
		}
		for step, n := range list {
			v[kind][step] += n
		}
	}
}

// visit is where the walk stands in the visits of an actor.
type visit struct {
	seen              int64 // last request
	again             bool  // it is not the first one
	accepted, refused bool
}

// request continues the visit, or begins another one.
func (v *visit) request(at int64) {
	if v.seen != LongAgo && at-v.seen > Nearby {
		*v = visit{again: true}
	}
	v.seen = at
}

func (v *visit) kind() Visit {
	if v.again {
		return LaterVisit
	}
	return FirstVisit
}

// acceptVisit counts the current visit at its first acceptance on a protected route.
func (s *sessionizer) acceptVisit(v *visit, e *timeline.Event) {
	if v.accepted || v.refused || s.shared || e.Refusal == timeline.EarlierEvent {
		return
	}
	v.accepted = true
	if l := s.lifetimesOf(e.Endpoint); l != nil {
		list := &l.Visits[v.kind()]
		if *list == nil {
			*list = make([]int64, MaxSteps)
		}
		(*list)[s.Step(e.Time)]++
	}
}

// refuseVisit returns which visit the refusal e is the first one of.
func (s *sessionizer) refuseVisit(v *visit, a *timeline.Actor, e *timeline.Event, r *Refusal) Visit {
	if v.refused || s.shared || !r.interrupts() || s.renewsElsewhere(a, e) {
		return NoVisit
	}
	v.refused = true
	return v.kind()
}

// OfMember reports whether a refusal is of somebody who was accepted, or tried to sign in,
// nearby or before.
func (r *Refusal) OfMember() bool {
	return r.Known || r.Good || r.Back || r.Settled || r.SignIn || r.Arrival || r.Cause == LoginFailure
}

// interrupts reports whether a refusal is of a member and no part of a handshake or of a renewal
// that succeeds.
func (r *Refusal) interrupts() bool {
	switch r.Cause {
	case Challenge:
		return r.Arrival
	case SessionEnd:
		return (r.Dead || r.Session || !r.Known) && !(r.Back && r.Resumed)
	case TokenRenewal:
		return !r.Raced
	}
	return r.OfMember()
}

// renewsElsewhere reports whether the client of a session id that was refused gets another one
// at once, as programs renew their tokens.
func (s *sessionizer) renewsElsewhere(a *timeline.Actor, e *timeline.Event) bool {
	return a.Session != nil && s.signsInWithin(e, renewalWindow)
}
