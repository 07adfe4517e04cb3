package analyze

import "logscan/analyze/timeline"

// ordinaryCause gives the cause that a 401 shows by itself, from what its actor
// did before and after: the background that belongs to every site. Findings
// come over it. l is the session as it stands after the refusal.
func (w *walker) ordinaryCause(a *timeline.Actor, e *timeline.Event, f *fact, h *ahead, l *life) Cause {
	switch {
	case f.signIn:
		return LoginFailure // a wrong password at the sign-in route
	case e.Refusal != timeline.EarlierEvent && w.state.Refusals[e.Refusal].Expired:
		return SessionEnd // the log says so
	case w.challenge(a, e, h, l):
		return Challenge
	case l.dead:
		return SessionEnd
	case f.alive:
		return Unexplained // accepted elsewhere, refused here: for a detector to say why
	case f.named && (!f.known || h.accepted-e.Time <= nearby):
		return LoginFailure // credentials of its own that were wrong, such as Basic's
	case f.named:
		return Unexplained
	case a.Session != nil && !f.good:
		return SessionEnd // a session from before the log
	case !f.good:
		return Anonymous
	case !l.open:
		return SessionEnd // after signing out
	}
	return Unexplained
}
