package session

import (
	"slices"
	"strings"

	"logscan/analyze/timeline"
)

// ahead is what follows a refusal in its actor's timeline; Never for nothing.
type ahead struct {
	answered int64 // acceptance on the same endpoint, or on a path below it
	accepted int64 // acceptance on any protected route
	other    int64 // acceptance on another protected route
	signIn   int64 // sign-in, or renewal
	renews   bool  // that may be a renewal
	named    int64 // answer to the same request with a user, if this refusal is a leg of it; see answers
	refused  int64 // refusal of the same request with a user
	repeated int64 // answer to the same request, of an actor that never names a user
	nameless int64 // answer other than 2xx or 3xx to the same request, of an actor that names its user on those alone
	again    int64 // the endpoint refuses again, after an acceptance on a protected route
	refusals int   // this one and the next ones, up to accepted
	returns  bool  // one of them was on an endpoint that then accepts before it refuses again
	resumes  bool  // an acceptance on a protected route comes before the next sign-in, if any
}

// failed reports whether the refusal e, which h follows, is the first leg of a handshake
// of a program that was refused in the end.
func (h *ahead) failed(e *timeline.Event) bool {
	return h.refused-e.Time <= legWindow && h.refused < h.named
}

// maxRecent is the maximum number of endpoints that a recency holds.
const maxRecent = 16

// recency holds the last few distinct endpoints that were used, each in a slot. Using one
// takes constant time, whether it is known or takes the slot of the one used least
// recently.
type recency struct {
	at         []uint8 // by endpoint: its slot, if that is still its own
	endpoints  [maxRecent]uint32
	next, prev [maxRecent]uint8 // a ring in the order of use, most recent first
	first      uint8
}

func newRecency(endpoints int) recency { return recency{at: make([]uint8, endpoints)} }

// reset removes all endpoints. From now on it holds n of them.
func (r *recency) reset(n uint8) {
	for i := range n {
		r.endpoints[i] = timeline.NoRefusal
		r.next[i], r.prev[i] = (i+1)%n, (i+n-1)%n
	}
	r.first = 0
}

// use returns the slot of an endpoint, and whether it had it already.
func (r *recency) use(endpoint uint32) (slot uint8, known bool) {
	slot = r.at[endpoint]
	last := r.prev[r.first]
	switch {
	case r.endpoints[slot] != endpoint:
		r.endpoints[last], r.at[endpoint], r.first = endpoint, last, last
		return last, false
	case slot == r.first:
		return slot, true
	case slot != last:
		before, after := r.prev[slot], r.next[slot]
		r.next[before], r.prev[after] = after, before
		r.next[last], r.prev[slot] = slot, last
		r.next[slot], r.prev[r.first] = r.first, slot
	}
	r.first = slot
	return slot, true
}

// each yields the slots, that of the endpoint used last first.
func (r *recency) each(yield func(slot uint8) bool) {
	for slot := r.first; yield(slot); {
		if slot = r.next[slot]; slot == r.first {
			return
		}
	}
}

// recent holds the last few distinct endpoints that accepted, while the events are read
// backwards.
type recent struct {
	recency
	times [recentAccepted]int64 // by slot; Never for none
}

// recentAccepted is the number of endpoints that recent holds.
const recentAccepted = 8

func (r *recent) reset() {
	r.recency.reset(recentAccepted)
	for i := range r.times {
		r.times[i] = Never
	}
}

func (r *recent) push(endpoint uint32, ms int64) {
	slot, _ := r.use(endpoint)
	r.times[slot] = ms
}

// relapses holds when the last few distinct endpoints refused next, most recent first,
// while the events are read backwards. Refusals without an acceptance on a protected
// route between them are one series.
type relapses struct {
	series int // the current one
	list   [8]relapse
}

type relapse struct {
	endpoint    uint32
	series      int
	time, later int64 // first refusal of the series, and the first one after it
}

func newRelapses() (r relapses) {
	for i := range r.list {
		r.list[i] = relapse{endpoint: timeline.NoRefusal, time: Never, later: Never}
	}
	return r
}

// push adds a refusal and returns when the endpoint refuses again after the series.
func (r *relapses) push(endpoint uint32, ms int64) (later int64) {
	i := 0
	for i < len(r.list)-1 && r.list[i].endpoint != endpoint {
		i++
	}
	x := r.list[i]
	switch {
	case x.endpoint != endpoint:
		x = relapse{endpoint: endpoint, later: Never}
	case x.series != r.series:
		x.later = x.time
	}
	x.series, x.time = r.series, ms
	copy(r.list[1:i+1], r.list[:i])
	r.list[0] = x
	return x.later
}

// lookAhead fills s.aheads, one for each refusal of a in order, and s.habit, by one
// walk from the end: it takes linear time, however many requests a flood puts into a
// second.
func (s *sessionizer) lookAhead(a *timeline.Actor) {
	s.aheads, s.habit, s.tries = s.aheads[:0], habit{gaps: s.habit.gaps[:0]}, tries{}
	last, named, repeated := &s.last, &s.named, &s.repeated
	last.reset()
	named.reset()
	repeated.reset()
	nameless, namesFailures := !s.naming.some, s.naming.failures
	accepted, signIn, renews := Never, Never, false
	acceptedOn, other := timeline.NoRefusal, Never // endpoint of accepted; next acceptance elsewhere
	refusals, returns, resumes := 0, false, false
	later := newRelapses()
	for i := len(a.Events) - 1; i >= 0; i-- {
		e := &a.Events[i]
		if e.User != 0 {
			s.answer(named, e)
		} else if e.Outcome != timeline.Other && e.Outcome != timeline.Unauthorized && (nameless || !namesFailures && e.Outcome > timeline.Redirected) {
			repeated.push(e)
		}
		switch role := s.Roles[e.Endpoint]; {
		case e.Outcome <= timeline.Redirected && role&SignsIn != 0, e.Outcome == timeline.Redirected && role&redirectsIn != 0:
			resumes = false
		case e.Outcome == timeline.Accepted && role&Guards != 0:
			resumes = e.Time != signIn // of one instant, the sign-in came first
		}
		if i == 0 || e.Time-a.Events[i-1].Time >= arrivalWindow {
			s.habit.begin(e, s.Roles[e.Endpoint]&Guards != 0)
		}
		switch {
		case e.Outcome == timeline.Unauthorized:
			h := ahead{answered: Never, accepted: accepted, other: accepted, signIn: signIn, renews: renews, named: Never, refused: Never, repeated: Never, nameless: Never}
			if acceptedOn == e.Endpoint {
				h.other = other
			}
			for slot, time := range last.times {
				if on := last.endpoints[slot]; time < h.answered && (on == e.Endpoint || s.below(on, e.Endpoint)) {
					h.answered = time
				}
			}
			refusals++
			again := later.push(e.Endpoint, e.Time)
			returns = returns || h.answered < again && h.answered-e.Time <= returnWindow
			h.again, h.refusals, h.returns, h.resumes = again, refusals, returns, resumes
			if e.User != 0 && h.answered-e.Time <= arrivalWindow && h.signIn > h.answered {
				s.habit.typed++
			}
			if e.User != 0 {
				s.habit.refuseNamed(e, &h)
			} else {
				h.named, h.refused = s.leg(named, e)
				switch {
				case nameless:
					h.repeated, _ = s.leg(repeated, e)
				case !namesFailures:
					h.nameless, _ = s.leg(repeated, e)
				}
				s.habit.refuse(e, &h)
				if i > 0 {
					s.habit.step(e.Time-a.Events[i-1].Time, h.answered-e.Time)
				}
			}
			s.aheads = append(s.aheads, h)
		case s.SignedIn(a, i):
			signIn, renews = e.Time, s.givesTokens(e.Endpoint)
		case e.Outcome == timeline.Accepted:
			last.push(e.Endpoint, e.Time)
			if s.Roles[e.Endpoint]&Guards != 0 {
				if acceptedOn != e.Endpoint {
					acceptedOn, other = e.Endpoint, accepted
				}
				accepted, refusals, returns = e.Time, 0, false
				later.series++
				s.habit.accepted++
			}
		}
	}
	slices.Reverse(s.aheads)
}

// below reports whether endpoint a lies under the path of endpoint b on the same
// host: the protection space that a challenge at b opens (RFC 7617, section 2.2),
// such as /v2/ of a registry. b must end in a slash. "/" does not count, because all
// paths are below it.
func (ev *Evidence) below(a, b uint32) bool {
	x, y := &ev.State.Endpoints[a], &ev.State.Endpoints[b]
	return len(y.Template) > 1 && y.Template[len(y.Template)-1] == '/' && x.Host == y.Host &&
		strings.HasPrefix(x.Template, y.Template)
}
