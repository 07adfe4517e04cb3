package session

import (
	"strings"

	"logscan/analyze/timeline"
	"logscan/parse/field"
)

// Cause is the cause of a refusal as its actor's timeline shows it. A finding that
// explains the refusal takes precedence.
type Cause uint8

// The causes.
const (
	Challenge    Cause = iota // a handshake that then succeeds
	LoginFailure              // wrong credentials
	SessionEnd                // an ordinary expiry
	Anonymous                 // never signed in, no credentials
	TokenRenewal              // a client asks for a new token and is refused
	Unexplained
	NumCauses
)

// String returns the stable name of c.
func (c Cause) String() string {
	return [...]string{"challenge", "login_failure", "session_end", "anonymous", "token_renewal", "unexplained"}[c]
}

// cause returns the cause of the refusal r, which is not a leg of a handshake, by what
// its actor did before and after. p is the position after the refusal.
func (s *sessionizer) cause(a *timeline.Actor, i int, r *Refusal, h *ahead, p *position) Cause {
	e := &a.Events[i]
	stated := s.stated(e)
	again, flood := s.tries.add(e, h)
	named := r.Named || h.failed(e)
	switch {
	case r.SignIn:
		return LoginFailure // a wrong password at the sign-in route
	case stated == field.CredentialsExpired:
		return SessionEnd // the log itself says so
	case r.Renewal:
		return s.renewalCause(e, r, p)
	case stated == field.CredentialsGood, stated == field.CredentialsWeak:
		return Unexplained // denied all the same: detectors find out why
	case stated == field.CredentialsWrong && !r.Alive:
		return LoginFailure
	case !named && a.Session == nil && !p.open && !p.dead && (flood && h.answered-e.Time <= Nearby || s.tried(e, h, again)):
		return LoginFailure
	case !named && a.Session == nil && !p.dead && s.challenged(e, h, p) && !s.sentUnasked(a, i):
		return Challenge
	case !named && a.Session == nil && h.fetchesToken(e):
		return Challenge
	case p.dead:
		return SessionEnd
	case r.Entry && s.State.Sessions: // otherwise, a session may have ended
		return Anonymous
	case r.Alive:
		return Unexplained // accepted elsewhere, refused here: detectors find out why
	case named && (!r.Known || h.accepted-e.Time <= Nearby):
		return LoginFailure // wrong credentials on the request itself, such as Basic's
	case named, p.basic:
		return Unexplained
	case p.vain >= vainSignIns:
		return Unexplained // what it was given at the sign-in is refused
	case a.Session != nil && !r.Good:
		return SessionEnd // a session from before the log
	case !r.Good:
		return Anonymous
	case !p.open:
		return SessionEnd // after signing out
	}
	return Unexplained
}

// sentUnasked reports whether event i, a refusal, had credentials all the same: its actor sends
// them unasked, and was accepted on the same endpoint just before, or at the same time more
// often than it was refused, which is more than the answers to challenges.
func (s *sessionizer) sentUnasked(a *timeline.Actor, i int) bool {
	if !s.habit.sendsUnasked() {
		return false
	}
	e := &a.Events[i]
	accepted, refused := 0, 0
	for _, x := range a.Events[max(0, i-2*maxParallel):min(len(a.Events), i+2*maxParallel)] {
		switch {
		case x.Endpoint != e.Endpoint || e.Time-x.Time > handshakeWindow || x.Time > e.Time:
		case x.Outcome == timeline.Accepted && x.Time < e.Time:
			return true
		case x.Outcome == timeline.Accepted:
			accepted++
		case x.Outcome == timeline.Unauthorized && x.Time == e.Time:
			refused++
		}
	}
	return accepted > refused
}

// stepsUp reports whether the refusal e states that its user must authenticate once more, with a
// second factor or anew, and the request is accepted after that (RFC 9470).
func (s *sessionizer) stepsUp(e *timeline.Event, h *ahead) bool {
	return s.stated(e) == field.CredentialsWeak && h.answered-e.Time <= arrivalWindow
}

// vainSignIns is the number of sign-ins in a row that succeed, and do not last until the next
// request, from which on the refusals are not those of a visitor: a form that answers a
// wrong password like a right one may be sent a few times.
const vainSignIns = 3

// arrivalWindow is how soon, in milliseconds, a visitor who met a 401 signs in by
// hand, or tries another password.
const arrivalWindow = 5 * 60_000

// entryWindow is how soon, in milliseconds, somebody types a password at whom the page
// asked for it when it began, and entryCalls the number of requests that it begins with.
const (
	entryWindow = 60_000
	entryCalls  = 5
)

// enters reports whether somebody signs in by hand at once after the refusal e, is
// accepted, and is not refused there again: an application that begins asks whether its
// user is signed in. What a shared client is refused later may concern somebody else. In a
// log with session ids, what is accepted then has one, so that it is of another actor.
func (h *ahead) enters(e *timeline.Event, shared, sessions bool) bool {
	return h.signIn-e.Time <= entryWindow && !h.renews && (sessions || h.accepted != Never && h.refusals <= entryCalls) &&
		(shared || h.again-h.signIn > Nearby)
}

// fetchesToken reports whether a program fetched a token right after the refusal e, and
// was not refused again: registries name the token endpoint in their challenge at /v2/,
// and what is requested with the token may be missing.
func (h *ahead) fetchesToken(e *timeline.Event) bool {
	return h.renews && h.signIn-e.Time <= legWindow && h.refusals == 1
}

// discovers reports whether event i, a refusal, told a program where to get a token: it
// asked a token endpoint at once, or what lies below the route that refused, such as /v2/
// of a registry. What it asks for may be missing.
func (s *sessionizer) discovers(p *position, a *timeline.Actor, i int, h *ahead) bool {
	e := &a.Events[i]
	to := &s.State.Endpoints[e.Endpoint]
	root := len(to.Template) > 1 && strings.HasSuffix(to.Template, "/")
	if accepts := s.Roles[e.Endpoint]&denies == 0; a.Session != nil || e.User != 0 || accepts && !root {
		return false
	}
	if h.renews && h.signIn-e.Time <= legWindow || e.Time-p.renewal < clock {
		return true
	}
	const near = 4 // requests
	for _, x := range a.Events[max(0, i-near):min(len(a.Events), i+near+1)] {
		after := x.Time - e.Time
		if !root || x.Outcome == timeline.Unauthorized || after <= -clock || after > legWindow {
			continue
		}
		if s.below(x.Endpoint, e.Endpoint) || s.habit.accepted > 0 && x.Outcome == timeline.NotFound && s.siteOf[x.Endpoint] == s.siteOf[e.Endpoint] {
			return true
		}
	}
	return false
}

// clock is the time in milliseconds within which a log of whole seconds does not show the
// order of requests.
const clock = 1000

// arrives reports whether a visitor signs in by hand after the refusal e, at a page that
// the log shows or elsewhere: a program answers at once.
func (h *ahead) arrives(e *timeline.Event) bool {
	if h.signIn <= h.answered {
		return h.signIn-e.Time <= arrivalWindow
	}
	return h.answered-e.Time > legWindow && h.answered-e.Time <= arrivalWindow
}

// challenged reports whether a refusal is a challenge, as far as a log shows it that
// does not name the user: a 401 to a request without credentials, after which the same
// client is accepted on the same URL or below it (RFC 9110, section 11; NTLM has two
// legs; registries visit a token endpoint between them). It is harmless, however often
// it comes. See handshakes for logs that do.
//
// It is not the end of a session: there, a session was open, and a sign-in lies
// between the refusal and the acceptance. It is not a broken endpoint: there, the
// same request is not accepted afterwards. A session that is refused now and then does
// not go on each time, and one that began at a form needs no handshake. Nor is the next
// request of a program that polls an answer, or that is refused and accepted in turn.
func (s *sessionizer) challenged(e *timeline.Event, h *ahead, p *position) bool {
	if s.habit.polls() || s.habit.alternates() {
		return false
	}
	if p.open {
		return !p.seen && (h.answered-e.Time <= handshakeWindow && h.signIn > h.answered && s.habit.answersSoon() || s.asksAgain(e, h, p.last))
	}
	// A visitor who is asked to sign in and does, or answers the password box.
	return h.signIn-e.Time <= arrivalWindow || h.answered-e.Time <= arrivalWindow
}
