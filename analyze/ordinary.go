package analyze

import "logscan/analyze/timeline"

// ordinaryCause gives the cause that a 401 shows by itself, from what its actor
// did before and after: the background that belongs to every site. Findings
// come over it. l is the session as it stands after the refusal.
func (w *walker) ordinaryCause(a *timeline.Actor, e *timeline.Event, f *fact, h *ahead, l *life) cause {
	switch {
	case f.signIn:
		return causeLoginFailure // a wrong password at the sign-in route
	case e.Refusal != timeline.EarlierEvent && w.state.Refusals[e.Refusal].Expired:
		return causeSessionEnd // the log says so
	case w.challenge(a, e, h, l):
		return causeChallenge
	case l.dead:
		return causeSessionEnd
	case f.alive:
		return causeUnexplained // accepted elsewhere, refused here: for a detector to say why
	case f.named && (!f.known || h.accepted-e.Time <= nearby):
		return causeLoginFailure // credentials of its own that were wrong, such as Basic's
	case f.named:
		return causeUnexplained
	case a.Session != nil && !f.good:
		return causeSessionEnd // a session from before the log
	case !f.good:
		return causeAnonymous
	case !l.open:
		return causeSessionEnd // after signing out
	}
	return causeUnexplained
}
