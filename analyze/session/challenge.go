package session

import "logscan/analyze/timeline"

// A challenge is the first leg of an authentication that then succeeds: a 401
// to a request without credentials, answered by the same client with an
// acceptance on the same URL or below it (RFC 9110, section 11; two legs for
// NTLM; a token endpoint between for registries). It is harmless, however often
// it comes.
//
// It is not the end of a session: there, a session was open and a sign-in lies
// between the refusal and the acceptance. And it is not a broken endpoint:
// there, the same request is not accepted after.
func (w *sessionizer) challenge(a *timeline.Actor, e *timeline.Event, h *ahead, l *life) bool {
	if e.User != 0 || a.Session != nil || l.dead {
		return false
	}
	if !l.open && h.signIn-e.Time <= arrivalWindow {
		return true // a visitor who is asked to sign in, and does
	}
	window := int64(handshakeWindow)
	if !l.open {
		window = arrivalWindow // a person at the password box
	}
	return h.answered-e.Time <= window && (!l.open || h.signIn > h.answered)
}
