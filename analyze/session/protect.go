package session

import (
	"context"

	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// In a log without users and sessions, a route that never refused anybody may still be
// protected: people follow the links of the application, which they see when they have
// signed in.
//
// Sign: the actors that are accepted there have signed in before. Not: public pages,
// which strangers and crawlers request, too; pages that are accepted between a refusal
// and the sign-in that follows it, such as the page of a single-page application.
//
// Statistic: of the visits in which a route was accepted, the share that followed a
// sign-in of the same actor; its lower bound (Wilson) must reach memberShare. A visit
// ends with the next sign-in or sign-out. On small sites a few visits suffice where none is
// without a sign-in, though many strangers come, the request changes something, or people go
// on there for long after another route refused them and never sign in again: then their
// sessions have not ended.

const (
	// memberShare is the minimum share of visits after a sign-in: 16 of 16 reach it.
	memberShare = 0.8
	// memberFew is the minimum number of visits where all followed a sign-in, and memberStrangers
	// the number of actors without one that makes their absence significant.
	memberFew       = 5
	memberStrangers = 20
	// openShare is the maximum share of visits in which the route was accepted while
	// another refused the actor until it signed in.
	openShare = 0.1
	// namelessShare is the minimum share of accepted requests without user and session
	// in a log of which this is asked. Otherwise the names tell; see protects.
	namelessShare = 0.9
	// maxPending bounds the routes remembered between a refusal and the sign-in.
	maxPending = 16
)

// visits counts the visits to endpoints, for one goroutine.
type visits struct {
	*Evidence
	asked                 []bool // by endpoint: whether it is asked if it is protected
	members, others, open []int64
	kept                  []int64  // by endpoint: actors that went on there after a refusal, and did not sign in again
	stamps                []uint32 // by endpoint: the visit counted last
	visit                 uint32
	pending               []pendingRoute
	member, refused       bool // of the actor visited last
	strangers             int64
	doubted               doubted
}

// pendingRoute is a route that was accepted after a refusal, and when it was first and last.
// The page of an application is followed by the sign-in within minutes; who is accepted for
// longer is signed in, and what refused him is at fault.
type pendingRoute struct {
	endpoint    uint32
	first, time int64
}

// openForms takes the role of protected pages from those that show a form by which people
// sign in, if they refused nobody. Where every visitor has a session id, nothing else
// distinguishes them.
func (ev *Evidence) openForms() {
	type page struct{ host, template string }
	forms := map[page]bool{}
	for i, role := range ev.Roles {
		if e := &ev.State.Endpoints[i]; e.Method == "POST" && role.Begins() && role&Renews == 0 {
			forms[page{e.Host, e.Template}] = true
		}
	}
	for i := range ev.Roles {
		e := &ev.State.Endpoints[i]
		if e.Method == "GET" && e.N[timeline.Unauthorized]+e.Known.Unauthorized == 0 && forms[page{e.Host, e.Template}] {
			ev.Roles[i] &^= Guards
		}
	}
}

// askProtected returns by endpoint whether its visits decide if it is protected, nil if
// none is, nor one of those that rarely refuse anybody.
func (ev *Evidence) askProtected(rarely []bool) []bool {
	s := ev.State
	asked := make([]bool, len(s.Endpoints))
	accepted, bare, signIns := int64(0), int64(0), int64(0)
	found := false
	for i := range s.Endpoints {
		e := &s.Endpoints[i]
		accepted += e.N[timeline.Accepted]
		bare += e.Bare
		if ev.Roles[i]&(SignsIn|redirectsIn) != 0 {
			signIns += e.N[timeline.Accepted] + e.N[timeline.Redirected]
			continue
		}
		asked[i] = ev.Roles[i]&(Guards|SignsOut) == 0 && e.N[timeline.Accepted] >= provenRequests &&
			e.Method != "OPTIONS" && e.Method != "HEAD" && !IsAsset(e.Template)
		found = found || asked[i] || rarely[i]
	}
	if !found || s.Sessions || s.Refusals.Len() == 0 || signIns < memberFew || float64(bare) < namelessShare*float64(accepted) {
		return nil
	}
	return asked
}

// learnProtected sets the roles of protected endpoints that only visits show, by a walk
// over all actors.
func (ev *Evidence) learnProtected(ctx context.Context) error {
	rarely := ev.rarelyRefuse()
	asked := ev.askProtected(rarely)
	if asked == nil {
		return nil
	}
	counts := func() []int64 { return make([]int64, len(asked)) }
	parts := make([]*visits, ev.Workers)
	for i := range parts {
		parts[i] = &visits{Evidence: ev, asked: asked, members: counts(), others: counts(), open: counts(), kept: counts(), stamps: make([]uint32, len(asked)), doubted: newDoubted(rarely)}
	}
	if err := ev.Visit(ctx, nil, func(worker int, _ uint32, a *timeline.Actor) { parts[worker].actor(a) }); err != nil {
		return err
	}
	strangers := int64(0)
	for _, p := range parts {
		strangers += p.strangers
	}
	for i := range asked {
		var members, others, open, kept int64
		for _, p := range parts {
			members += p.members[i]
			others += p.others[i]
			open += p.open[i]
			kept += p.kept[i]
		}
		few := others == 0 && members >= memberFew &&
			(strangers >= memberStrangers || changes(ev.State.Endpoints[i].Method) || open == 0 && kept >= memberFew)
		if (few || stats.WilsonLower(members, members+others, stats.Z95) >= memberShare) && float64(open) <= openShare*float64(members) {
			ev.Roles[i] |= Guards
		}
	}
	ev.openVisited(parts)
	return nil
}

// changes reports whether requests with a method change something (RFC 9110, section
// 9.2.1).
func changes(method string) bool {
	switch method {
	case "POST", "PUT", "PATCH", "DELETE":
		return true
	}
	return false
}

// actor counts the visits of an actor.
func (v *visits) actor(a *timeline.Actor) {
	member, refused := false, false
	if a.Continues {
		member, refused = v.member, v.refused
	} else {
		v.visit++
		v.pending = v.pending[:0]
		v.doubted.reset()
	}
	for i := range a.Events {
		e := &a.Events[i]
		role := v.Roles[e.Endpoint]
		switch {
		case v.doubted.rarely[e.Endpoint] && (e.Outcome == timeline.Accepted || e.Outcome == timeline.Unauthorized):
			v.doubted.answer(e)
		case v.SignedIn(a, i):
			v.doubted.signIn(e)
			for _, r := range v.pending {
				if e.Time-r.time <= arrivalWindow {
					v.open[r.endpoint]++
				}
			}
			v.pending = v.pending[:0]
			member, refused = true, false
			v.visit++
		case v.signedOut(e):
			member = false
			v.visit++
		case e.Outcome == timeline.Unauthorized:
			refused = refused || role&Guards != 0
			v.doubted.refuse(e)
		case e.Outcome != timeline.Accepted:
		case role&Guards != 0:
			v.pending = v.pending[:0]
			v.doubted.accept(e)
			refused = false
		case v.asked[e.Endpoint]:
			v.accept(e.Endpoint, member)
			if refused {
				v.wait(e)
			}
		}
	}
	if v.member, v.refused = member, refused; !member && !a.Continues {
		v.strangers++
	}
	if member && !a.More {
		v.keep()
	}
}

// keep counts the routes on which an actor went on for longer than it takes to sign in
// again.
func (v *visits) keep() {
	for _, r := range v.pending {
		if r.time-r.first >= arrivalWindow {
			v.kept[r.endpoint]++
		}
	}
}

// wait notes a route that is accepted after a refusal.
func (v *visits) wait(e *timeline.Event) {
	for i := range v.pending {
		if r := &v.pending[i]; r.endpoint == e.Endpoint {
			r.time = e.Time
			return
		}
	}
	if len(v.pending) < maxPending {
		v.pending = append(v.pending, pendingRoute{e.Endpoint, e.Time, e.Time})
	}
}

// accept counts an acceptance, once for each visit.
func (v *visits) accept(endpoint uint32, member bool) {
	if v.stamps[endpoint] == v.visit {
		return
	}
	v.stamps[endpoint] = v.visit
	if member {
		v.members[endpoint]++
	} else {
		v.others[endpoint]++
	}
}
