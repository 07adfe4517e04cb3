package session

import "logscan/analyze/timeline"

// Cause is the cause of a refusal as its actor's timeline shows it. A finding that
// explains the refusal takes precedence.
type Cause uint8

// The causes.
const (
	Challenge    Cause = iota // a handshake that then succeeds
	LoginFailure              // wrong credentials
	SessionEnd                // an ordinary expiry
	Anonymous                 // never signed in, no credentials
	Unexplained
	NumCauses
)

// String returns the stable name of c.
func (c Cause) String() string {
	return [...]string{"challenge", "login_failure", "session_end", "anonymous", "unexplained"}[c]
}

// cause returns the cause of the refusal r by what its actor did before and after. l is
// the session after the refusal.
func (s *sessionizer) cause(a *timeline.Actor, e *timeline.Event, r *Refusal, h *ahead, l *life) Cause {
	switch {
	case r.SignIn:
		return LoginFailure // a wrong password at the sign-in route
	case e.Refusal != timeline.EarlierEvent && s.State.Refusals[e.Refusal].Expired:
		return SessionEnd // the log itself says so
	case challenged(a, e, h, l):
		return Challenge
	case l.dead:
		return SessionEnd
	case r.Alive:
		return Unexplained // accepted elsewhere, refused here: detectors find out why
	case r.Named && (!r.Known || h.accepted-e.Time <= Nearby):
		return LoginFailure // wrong credentials on the request itself, such as Basic's
	case r.Named:
		return Unexplained
	case a.Session != nil && !r.Good:
		return SessionEnd // a session from before the log
	case !r.Good:
		return Anonymous
	case !l.open:
		return SessionEnd // after signing out
	}
	return Unexplained
}

const (
	// handshakeWindow is how soon, in milliseconds, a challenge is answered: a
	// client's second leg follows at once, a person at the browser's password box
	// answers within seconds.
	handshakeWindow = 10_000
	// arrivalWindow is how soon, in milliseconds, a visitor who met a 401 signs in
	// by hand.
	arrivalWindow = 5 * 60_000
)

// challenged reports whether a refusal is a challenge, the first leg of an
// authentication that then succeeds: a 401 to a request without credentials, after
// which the same client is accepted on the same URL or below it (RFC 9110, section
// 11; NTLM has two legs; registries visit a token endpoint between them). It is
// harmless, however often it comes.
//
// It is not the end of a session: there, a session was open, and a sign-in lies
// between the refusal and the acceptance. It is not a broken endpoint: there, the
// same request is not accepted afterwards.
func challenged(a *timeline.Actor, e *timeline.Event, h *ahead, l *life) bool {
	if e.User != 0 || a.Session != nil || l.dead {
		return false
	}
	if l.open {
		return h.answered-e.Time <= handshakeWindow && h.signIn > h.answered
	}
	// A visitor who is asked to sign in and does, or answers the password box.
	return h.signIn-e.Time <= arrivalWindow || h.answered-e.Time <= arrivalWindow
}
