package session

import (
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// A route that refused somebody once is not therefore protected: a scanner, a wrong password
// sent by a browser or a fault of a minute may have been refused at the start page, which
// everybody else may see. What it accepts would then look like sessions that outlive every
// timeout.
//
// Sign: it refuses a far smaller share than the other protected routes. Where these name users
// or sessions, it accepts next to nobody with one. In a log of neither, it accepts people at the
// time of a refusal elsewhere, before they sign in. Not: routes of programs that are rarely
// refused while nothing else has names.
//
// Statistic: Wilson's lower bound of the share of the sign-ins after a refusal before which it
// accepted the actor instead of refusing it.

const (
	// openRefuses is the maximum ratio of its refused share to that of the others, and openBare
	// the minimum share of its acceptances without a user or session.
	openRefuses = 0.1
	openBare    = 0.95
	// pageWindow is the time in milliseconds in which a page makes its first calls.
	pageWindow = 5000
)

// rarelyRefuse reports by endpoint which of the protected pages refuse a far smaller share than
// the others together.
func (ev *Evidence) rarelyRefuse() []bool {
	counts := func(i int) stats.Cell {
		e := &ev.State.Endpoints[i]
		refused := e.N[timeline.Unauthorized] + e.Known.Unauthorized
		return stats.Cell{Hits: refused, Trials: refused + e.N[timeline.Accepted] + e.Known.Accepted}
	}
	var all stats.Cell
	for i, role := range ev.Roles {
		if role&Guards != 0 {
			all.Merge(counts(i))
		}
	}
	rarely := make([]bool, len(ev.Roles))
	for i, role := range ev.Roles {
		own := counts(i)
		rest := stats.Cell{Hits: all.Hits - own.Hits, Trials: all.Trials - own.Trials}
		rarely[i] = role&Guards != 0 && ev.State.Endpoints[i].Method == "GET" && own.Hits > 0 && rest.Hits > 0 && own.Trials-own.Hits >= provenRequests &&
			float64(own.Hits)*float64(rest.Trials) <= openRefuses*float64(rest.Hits)*float64(own.Trials)
	}
	return rarely
}

// openNameless takes the role of protected routes from pages that rarely refuse anybody, and
// accept next to nobody with a user or session while most protected routes do.
func (ev *Evidence) openNameless() {
	nameless := func(i int) bool {
		e := &ev.State.Endpoints[i]
		return float64(e.Bare+e.Known.Bare) >= openBare*float64(e.N[timeline.Accepted]+e.Known.Accepted)
	}
	routes, named := 0, 0
	for i, role := range ev.Roles {
		if role&Guards != 0 {
			if routes++; !nameless(i) {
				named++
			}
		}
	}
	if 2*named <= routes {
		return
	}
	for i, rarely := range ev.rarelyRefuse() {
		if rarely && nameless(i) {
			ev.Roles[i] &^= Guards
		}
	}
}

// doubted follows the protected pages that rarely refuse anybody, for one goroutine.
type doubted struct {
	rarely         []bool  // by endpoint
	opened, closed []int64 // by endpoint: sign-ins after a refusal before which it accepted, or refused, the actor
	// Of the actor visited last: what it was answered since it was accepted on another
	// protected route, and when that refused it first; LongAgo for never.
	answers []pendingAnswer
	since   int64
	by      uint32          // the route that refused it first
	waiting []pendingAnswer // answers before a sign-in, until by accepts the actor: it may be broken
}

// pendingAnswer is how a page answered last, and when.
type pendingAnswer struct {
	endpoint uint32
	refused  bool
	time     int64
}

func newDoubted(rarely []bool) doubted {
	return doubted{rarely: rarely, opened: make([]int64, len(rarely)), closed: make([]int64, len(rarely)), since: LongAgo}
}

func (d *doubted) reset() { d.answers, d.since, d.waiting = d.answers[:0], LongAgo, d.waiting[:0] }

// answer notes how a page answered.
func (d *doubted) answer(e *timeline.Event) {
	a := pendingAnswer{e.Endpoint, e.Outcome == timeline.Unauthorized, e.Time}
	for i := range d.answers {
		if d.answers[i].endpoint == e.Endpoint {
			d.answers[i] = a
			return
		}
	}
	if len(d.answers) < maxPending {
		d.answers = append(d.answers, a)
	}
}

// refuse notes a refusal by another protected route.
func (d *doubted) refuse(e *timeline.Event) {
	if d.waiting = d.waiting[:0]; d.since == LongAgo {
		d.since, d.by = e.Time, e.Endpoint
	}
}

// signIn notes the pages that answered at the time of a refusal, before the actor signed in.
func (d *doubted) signIn(e *timeline.Event) {
	answers, since := d.answers, d.since
	d.reset()
	for _, a := range answers {
		switch {
		case a.refused:
			d.closed[a.endpoint]++
		case since != LongAgo && a.time >= since-pageWindow && e.Time-a.time <= arrivalWindow:
			d.waiting = append(d.waiting, a)
		}
	}
}

// accept counts the pages that accepted the actor while the protected route refused it which now
// accepts it.
func (d *doubted) accept(e *timeline.Event) {
	if e.Endpoint == d.by {
		for _, a := range d.waiting {
			d.opened[a.endpoint]++
		}
	}
	d.reset()
}

// openVisited takes the role of protected routes from pages that accept people who are not
// signed in.
func (ev *Evidence) openVisited(parts []*visits) {
	for i, rarely := range parts[0].doubted.rarely {
		if !rarely {
			continue
		}
		opened, closed := int64(0), int64(0)
		for _, p := range parts {
			opened += p.doubted.opened[i]
			closed += p.doubted.closed[i]
		}
		if stats.WilsonLower(opened, opened+closed, stats.Z95) >= memberShare {
			ev.Roles[i] &^= Guards
		}
	}
}
