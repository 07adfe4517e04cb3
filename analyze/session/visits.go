package session

import "logscan/analyze/timeline"

// A visit is a stretch of an actor's requests without a pause longer than Nearby. Whoever has
// an account is accepted or refused first in it; strangers, who are only refused, have none.
// Where nothing is wrong, the share of visits with a refusal depends on whether they are the
// first ones of their actors, because sessions end overnight, but not on the time. The first visit
// of a session id is mostly that of its sign-in, which cannot be refused for want of a session; so
// those of sessions from before the log are another kind.

// Visit says whether a refusal is the first one of a visit, and of which.
type Visit uint8

// The visits.
const (
	NoVisit      Visit = iota // it is not the first one, or of a stranger, or part of a handshake or renewal that succeeds
	FirstVisit                // of its actor
	EarlierVisit              // the same, of a session id whose sign-in the log does not show, after the log began
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

// visitOf returns the kind of the current visit of an actor at e, its first acceptance or
// refusal.
func (s *sessionizer) visitOf(p *position, a *timeline.Actor, e *timeline.Event) Visit {
	switch {
	case p.visit.again:
		return LaterVisit
	case a.Session != nil && !p.known && !p.seen && e.Time-s.From >= Nearby:
		return EarlierVisit
	}
	return FirstVisit
}

// acceptVisit counts the current visit at its first acceptance on a protected route.
func (s *sessionizer) acceptVisit(p *position, a *timeline.Actor, e *timeline.Event) {
	if p.visit.accepted || p.visit.refused || s.shared || e.Refusal == timeline.EarlierEvent {
		return
	}
	p.visit.accepted = true
	if l := s.lifetimesOf(e.Endpoint); l != nil {
		list := &l.Visits[s.visitOf(p, a, e)]
		if *list == nil {
			*list = make([]int64, MaxSteps)
		}
		(*list)[s.Step(e.Time)]++
	}
}

// refuseVisit returns which visit the refusal e is the first one of.
func (s *sessionizer) refuseVisit(p *position, a *timeline.Actor, e *timeline.Event, r *Refusal) Visit {
	if p.visit.refused || s.shared || !r.interrupts() || s.renewsElsewhere(a, e) {
		return NoVisit
	}
	p.visit.refused = true
	return s.visitOf(p, a, e)
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
