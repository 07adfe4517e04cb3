package session

import (
	"slices"

	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

const (
	// handshakeWindow is how soon, in milliseconds, a challenge is answered: a
	// client's second leg follows at once, a person at the browser's password box
	// answers within seconds.
	handshakeWindow = 10_000
	// legWindow is how soon, in milliseconds, a program answers a challenge by
	// itself, in logs of whole seconds and with slow responses.
	legWindow = 2500
	// maxLegs is how many refusals an answer may have: one with Basic and Digest,
	// two with NTLM (RFC 4559, section 5).
	maxLegs = 2
	// maxParallel is how many requests a client has in progress: browsers open six
	// connections to a host, sync clients and package managers up to 16.
	maxParallel = 16
)

// answers holds the answers to requests that named their user, for the last few
// distinct endpoints, while the events are read backwards.
//
// A request that named its user and got any status but 401, 400, 408 or 429 had its
// credentials accepted (RFC 9110, section 15.5.2): WebDAV answers 207, 404 or 423,
// git and registries 404, a collection without a slash 301. So does a 401 whose line
// states that access was denied to good credentials.
type answers struct {
	recency
	list   [maxRecent]answer // by slot
	failed answer            // the last request with a user that was refused
}

// answer is the answers on one endpoint without a refusal between them.
type answer struct {
	endpoint uint32
	time     int64 // of the earliest
	legs     int   // refusals that may still be legs of them
	used     bool  // a refusal was
	gone     bool  // 404 or 410: the endpoint is that of all missing paths
}

func (n *answers) reset() {
	n.recency.reset(maxRecent)
	n.failed = answer{endpoint: timeline.NoRefusal, time: Never}
	for i := range n.list {
		n.list[i] = n.failed
	}
}

func (n *answers) push(e *timeline.Event) {
	slot, known := n.use(e.Endpoint)
	a := &n.list[slot]
	if !known || a.used || a.time-e.Time > handshakeWindow {
		*a = answer{endpoint: e.Endpoint, gone: e.Outcome == timeline.NotFound}
	}
	a.time, a.legs = e.Time, min(a.legs+maxLegs, maxLegs*maxParallel)
}

// answer adds a request that named its user.
func (s *sessionizer) answer(n *answers, e *timeline.Event) {
	switch {
	case e.Outcome == timeline.Other:
	case e.Outcome != timeline.Unauthorized, s.stated(e) == field.CredentialsGood:
		n.push(e)
	default:
		n.failed = answer{endpoint: e.Endpoint, time: e.Time}
	}
}

// stated returns what the line of a refusal states about its credentials.
func (ev *Evidence) stated(e *timeline.Event) field.Credentials {
	if e.Refusal >= timeline.EarlierEvent {
		return field.CredentialsUnknown
	}
	return ev.State.Stated(e.Refusal)
}

// ownCredentials reports whether the line of a refusal states that it is no expired
// session: the request had a wrong password, or good credentials.
func ownCredentials(stated field.Credentials) bool {
	return stated == field.CredentialsWrong || stated == field.CredentialsGood || stated == field.CredentialsWeak
}

// leg returns the time of the answer that a refusal without a user is a leg of, and of
// the next refusal of the same request with a user; Never for none.
func (s *sessionizer) leg(n *answers, e *timeline.Event) (named, refused int64) {
	refused = Never
	if s.samePlace(n.failed.endpoint, e.Endpoint) {
		refused = n.failed.time
	}
	if s.stated(e) == field.CredentialsWrong {
		return Never, refused
	}
	best := -1
	for i := range n.each {
		a := &n.list[i]
		if a.legs > 0 && (best < 0 || a.time < n.list[best].time) && s.answers(a, e.Endpoint) {
			best = int(i)
		}
	}
	if best < 0 || refused-e.Time <= legWindow && refused < n.list[best].time {
		return Never, refused
	}
	a := &n.list[best]
	if a.time-e.Time <= arrivalWindow {
		a.legs--
		a.used = true
	}
	return a.time, refused
}

// answers reports whether an answer may be that to a challenge at an endpoint: it is
// on the same URL, or below it. The path of a missing resource is not kept: there,
// the same method on the same host must do.
func (ev *Evidence) answers(a *answer, endpoint uint32) bool {
	if a.endpoint == timeline.NoRefusal || ev.siteOf[a.endpoint] != ev.siteOf[endpoint] {
		return false
	}
	if a.gone {
		return ev.State.Endpoints[a.endpoint].Method == ev.State.Endpoints[endpoint].Method
	}
	return ev.samePlace(a.endpoint, endpoint) || ev.below(a.endpoint, endpoint)
}

// samePlace reports whether two endpoints are the same URL, whatever the method: some
// clients ask with HEAD or OPTIONS before the request itself.
func (ev *Evidence) samePlace(a, b uint32) bool {
	if a == b || a == timeline.NoRefusal {
		return a == b
	}
	x, y := &ev.State.Endpoints[a], &ev.State.Endpoints[b]
	return x.Host == y.Host && x.Template == y.Template
}

// habit sums up how the challenges of an actor were answered.
type habit struct {
	bare     int   // refusals without a user, but for those of handshakes that failed, and before long troubles
	named    int   // of them: answered at once by the same request with a user
	plain    int   // of them: answered at once by an acceptance
	soon     int   // of them: answered within handshakeWindow by an acceptance or with a user
	accepted int   // acceptances on protected routes
	refused  int   // refusals without a user, but for those on routes that accept nothing soon after: a broken one says nothing about the habit
	repeated int   // of them: answered at once by the same request, where the actor never names a user
	asked    int   // of bare: the same request came with a user within arrivalWindow
	slow     int   // refusals without a user, answered within arrivalWindow, but not at once
	inStep   int   // of them: after about as long as the refusal came after the request before it
	prompt   int   // refusals without a user, answered within legWindow
	lead     int64 // of them: milliseconds since the request before each, up to longLead; their sum
	lag      int64 // of them: milliseconds to the answer, or clock where both have one time; their sum
	typed    int   // refusals with a user on protected routes, after which the same request was accepted with a user
	renewed  int   // refusals with a user, answered at once by the same request
	failed   int   // other refusals with a user
	later    int64 // the renewed one that was read last, Unix milliseconds
	gaps     []int64
	unasked  int // series of requests that begin with an acceptance on a protected route
	greeted  int // series that begin with a refusal without a user
}

// refuseNamed adds a refusal with a user.
func (b *habit) refuseNamed(e *timeline.Event, h *ahead) {
	if h.answered-e.Time > legWindow || h.signIn <= h.answered {
		b.failed++
		return
	}
	if b.renewed++; b.renewed > 1 && len(b.gaps) < maxNonces {
		b.gaps = append(b.gaps, b.later-e.Time)
	}
	b.later = e.Time
}

// renews reports whether the actor's credentials are good for a time, after which it is asked
// for new ones and repeats the request with them, as the nonce of Digest is (RFC 7616, section
// 3.3): each of them is answered at once, and none comes soon after another. What is refused at
// random has long and short gaps, and so have the repeats of it.
func (b *habit) renews() bool {
	if b.renewed < nonces || float64(b.renewed) < habitShare*float64(b.renewed+b.failed) {
		return false
	}
	slices.Sort(b.gaps)
	return b.gaps[0] >= max(nonceLifetime, b.gaps[len(b.gaps)/2]/2)
}

func (b *habit) refuse(e *timeline.Event, h *ahead) {
	if min(h.answered, h.repeated)-e.Time <= Nearby {
		b.refused++
	}
	if h.repeated-e.Time <= repeatWindow && h.signIn > h.repeated {
		b.repeated++
	}
	named := h.named-e.Time <= legWindow
	plain := h.answered-e.Time <= legWindow && h.signIn > h.answered
	if !named && !plain && (h.failed(e) || h.accepted-e.Time > Nearby || h.nameless-e.Time <= legWindow) {
		return
	}
	b.bare++
	if named {
		b.named++
	}
	if h.named-e.Time <= arrivalWindow && h.signIn > h.named {
		b.asked++
	}
	if h.named-e.Time <= handshakeWindow || h.answered-e.Time <= handshakeWindow && h.signIn > h.answered {
		b.soon++
	}
	if plain {
		b.plain++
	}
}

// step adds a refusal that came some time after the request before it, and was answered after
// another, both in milliseconds.
func (b *habit) step(before, answer int64) {
	if answer <= legWindow {
		b.prompt++
		b.lead += min(before, longLead)
		if b.lag += answer; answer == 0 {
			b.lag += clock // the order of what has one time is unknown
		}
		return
	}
	if answer > arrivalWindow {
		return
	}
	b.slow++
	if 2*before >= answer && before <= 2*answer {
		b.inStep++
	}
}

// polls reports whether the actor's next request comes when it would come anyway: a program
// at its pace, whose requests are refused now and then, answers nothing.
func (b *habit) polls() bool {
	return b.inStep >= repeatMatches && float64(b.inStep) >= habitShare*float64(b.slow) && b.slow > b.plain
}

// alternates reports whether the actor is refused and accepted in turn without a pause: what
// follows its refusals comes no sooner than what comes before them, as far as the times show,
// so nothing shows that it is an answer. A load test with good and bad tokens looks so.
func (b *habit) alternates() bool {
	return b.prompt >= alternations && b.lead <= leadFactor*b.lag
}

// begin adds the first request of a series: after a pause, connections are new.
func (b *habit) begin(e *timeline.Event, protected bool) {
	switch {
	case e.Outcome == timeline.Unauthorized && e.User == 0:
		b.greeted++
	case e.Outcome == timeline.Accepted && protected:
		b.unasked++
	}
}

// sendsUnasked reports whether the actor sends its credentials without being asked: nearly all
// of its series of requests begin with an acceptance, on connections that are new.
func (b *habit) sendsUnasked() bool {
	return b.unasked >= repeatMatches && float64(b.unasked) >= unaskedShare*float64(b.unasked+b.greeted)
}

const (
	// unaskedShare is the minimum share of the series of an actor that begin without a
	// challenge, if it sends its credentials unasked. A part of what is refused at random begins
	// a series.
	unaskedShare = 0.8
	// alternations is the minimum number of refusals from which alternates is told. A program
	// that answers challenges takes a round trip for an answer, and more than leadFactor times
	// as long between what it does. longLead is the longest time, in milliseconds, that counts
	// as one before a refusal: builds have pauses, and a night is one.
	alternations = 100
	leadFactor   = 2
	longLead     = 10 * 60_000
	// nonces is the minimum number of them that shows it: of as many gaps at random, all are
	// seldom as long as half the median. maxNonces is the number of gaps that are looked at, and
	// nonceLifetime, in milliseconds, the least time that a nonce is good for.
	nonces        = 9
	maxNonces     = 64
	nonceLifetime = 30_000
	// habitShare is the minimum share of the challenges of an actor that are answered
	// at once: a program always does, a page that is refused now and then is loaded
	// again by chance.
	habitShare = 0.9
	// habitRepeats is the minimum number of them if the log names no users.
	habitRepeats = 3
	// repeatWindow is how soon, in milliseconds, a program repeats a request where the
	// log names no users and its connections carry several requests: a page that loads
	// itself again takes longer. repeatShare is the minimum share of all its refusals
	// that are answered so, and repeatMatches their minimum number: where requests are
	// refused at random, so are some of the repeats.
	repeatWindow  = 1500
	repeatShare   = 0.95
	repeatMatches = 8
)

// answersNamed reports whether the actor answers challenges by naming its user.
func (b *habit) answersNamed() bool {
	return b.named > 0 && float64(b.named) >= habitShare*float64(b.bare)
}

// types reports whether a person answers challenges at a password box, which takes longer at
// times than a program needs, but shows now and then: the answer comes at once, or the user
// is named by a wrong password, too.
func (b *habit) types() bool {
	return b.named+b.typed > 0 && float64(b.asked) >= habitShare*float64(b.bare)
}

// answersSoon reports whether the actor goes on after a challenge, with or without a
// user in the log.
func (b *habit) answersSoon() bool { return float64(b.soon) >= habitShare*float64(b.bare) }

// answersAlways reports whether each acceptance of the actor is the answer to a
// challenge, which it waits for with every request.
func (b *habit) answersAlways() bool {
	return b.plain >= habitRepeats && b.plain <= maxLegs*b.accepted && float64(b.plain) >= habitShare*float64(b.accepted)
}

// repeats reports whether the actor repeats each request that is refused, and is accepted
// in most cases: the first request of each of its connections is challenged.
func (b *habit) repeats() bool {
	return b.repeated >= repeatMatches && float64(b.repeated) >= repeatShare*float64(b.refused) && b.accepts()
}

// accepts reports whether the actor is accepted about as often as it seems to repeat a
// request. What follows a scanner's refusal is missing.
func (b *habit) accepts() bool { return maxLegs*b.accepted >= b.repeated }

// handshakes reports whether a refusal is a leg of an HTTP authentication that
// succeeded: a request without credentials, or with some that are no longer good, that the
// same client repeats at once with them. A cookie in both requests means nothing. Where a person signed in at a form,
// the session is what was refused.
func (s *sessionizer) handshakes(p *position, a *timeline.Actor, i int, h *ahead) bool {
	e := &a.Events[i]
	if p.open && p.seen {
		return false
	}
	if e.User != 0 {
		return h.answered-e.Time <= legWindow && h.signIn > h.answered && s.stated(e) != field.CredentialsWrong && s.habit.renews()
	}
	window, signIn := int64(legWindow), h.signIn > h.named
	switch to := &s.State.Endpoints[e.Endpoint]; {
	case to.Renew || to.SignIn && to.Method == "POST":
		return false // a form
	case to.SignIn:
		signIn = h.signIn >= h.named // the answer is the sign-in
	}
	switch {
	case a.Session != nil && !s.habit.answersNamed():
		window = -1
	case a.Session != nil:
	case p.basic, s.habit.types(): // its user may be asked for the password, or the request takes long
		window = arrivalWindow
	case s.habit.answersNamed():
		window = handshakeWindow
	}
	if signIn && h.named-e.Time <= window ||
		s.habit.named >= habitRepeats && s.habit.answersNamed() && h.nameless-e.Time <= legWindow && h.signIn > h.nameless {
		return true
	}
	repeats := s.habit.repeats() && h.repeated-e.Time <= repeatWindow && h.signIn > h.repeated
	always := s.habit.answersAlways() && h.answered-e.Time <= legWindow && h.signIn > h.answered
	return (repeats || always) && !s.habit.alternates() && s.stated(e) != field.CredentialsWrong && !s.sentUnasked(a, i)
}

// asked reports whether a refusal without a user asked for a user name and password,
// which then came: at a password box it may take its user minutes, and be refused again.
func (s *sessionizer) asked(a *timeline.Actor, e *timeline.Event, h *ahead) bool {
	came := min(h.named, h.refused)
	return e.User == 0 && (a.Session == nil || s.habit.answersNamed()) && came-e.Time <= arrivalWindow && h.signIn > came
}

// boxUsers is the minimum number of users whose refusals name them, at a site where credentials
// come with the request: then a refusal without a user had none.
const boxUsers = 3

// asksForPasswords reports whether the log names users by the credentials of the request, as
// with Basic: several who are accepted are named by refusals, too.
func (ev *Evidence) asksForPasswords() bool {
	users := 0
	for i := range ev.State.Users {
		if t := &ev.State.Users[i].Tally; t.FirstAccepted != parse.NoTime && t.N[timeline.Unauthorized] > 0 {
			users++
		}
	}
	return users >= boxUsers
}

// asksAgain reports whether the refusal e, which h follows, asked somebody for a password who
// comes back after a while, to a browser that no longer has it: the next thing that is accepted
// is the same request, and it names its user. last is the acceptance before e.
func (s *sessionizer) asksAgain(e *timeline.Event, h *ahead, last int64) bool {
	return s.passwords && e.User == 0 && e.Time-last > Nearby &&
		h.named-e.Time <= arrivalWindow && h.named <= h.accepted && h.signIn > h.named
}

// userProven reports whether the line of a refusal names a user that had been accepted.
func (s *sessionizer) userProven(e *timeline.Event) bool {
	if e.User == 0 {
		return false
	}
	first := s.State.Users[e.User-1].FirstAccepted
	return first != parse.NoTime && timeline.FloorDiv(first, 1000) < e.Time
}
