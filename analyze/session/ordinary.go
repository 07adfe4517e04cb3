package session

import "logscan/analyze/timeline"

// ordinaryCause gives the cause that a 401 shows by itself, from what its actor
// did before and after: the background that belongs to every site. Findings
// come over it. l is the session as it stands after the refusal.
func (w *sessionizer) ordinaryCause(a *timeline.Actor, e *timeline.Event, f *Refusal, h *ahead, l *life) Cause {
	switch {
	case f.SignIn:
		return LoginFailure // a wrong password at the sign-in route
	case e.Refusal != timeline.EarlierEvent && w.State.Refusals[e.Refusal].Expired:
		return SessionEnd // the log says so
	case w.challenge(a, e, h, l):
		return Challenge
	case l.dead:
		return SessionEnd
	case f.Alive:
		return Unexplained // accepted elsewhere, refused here: for a detector to say why
	case f.Named && (!f.Known || h.accepted-e.Time <= Nearby):
		return LoginFailure // credentials of its own that were wrong, such as Basic's
	case f.Named:
		return Unexplained
	case a.Session != nil && !f.Good:
		return SessionEnd // a session from before the log
	case !f.Good:
		return Anonymous
	case !l.open:
		return SessionEnd // after signing out
	}
	return Unexplained
}
