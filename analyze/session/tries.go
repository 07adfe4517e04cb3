package session

import "logscan/analyze/timeline"

// tries remembers for the last few endpoints how an actor was refused there, to tell
// the first refusal, which asks for a password, from the passwords tried after it.
type tries [4]struct {
	endpoint    uint32 // plus one
	first, last int64
	answered    int64 // acceptance that ends the tries
	legs        int   // refusals of the current try
}

// add adds a refusal. It reports whether the actor was refused at that endpoint before
// and tries again by hand, and whether it sends more requests at a time than the legs of
// a handshake. Refusals at the same instant are one try.
func (t *tries) add(e *timeline.Event, h *ahead) (again, flood bool) {
	i := 0
	for i < len(t)-1 && t[i].endpoint != e.Endpoint+1 {
		i++
	}
	x := t[i]
	if x.endpoint != e.Endpoint+1 || e.Time > x.answered || e.Time-x.last > arrivalWindow {
		x.endpoint, x.first = e.Endpoint+1, e.Time
	}
	if x.legs++; e.Time-x.last > legWindow {
		x.legs = 1
	}
	x.last, x.answered = e.Time, h.answered
	copy(t[1:i+1], t[:i])
	t[0] = x
	return e.Time-x.first > legWindow, x.legs > maxLegs*maxParallel
}

// tried reports whether a refusal without a session is one of several passwords, of
// which a later one was accepted on the same endpoint: it is not the first, or it is
// the submission of a form. A program's second leg would follow at once.
func (s *sessionizer) tried(e *timeline.Event, h *ahead, again bool) bool {
	if h.answered-e.Time > Nearby || h.answered-e.Time <= legWindow || h.signIn <= h.answered {
		return false
	}
	return again || h.answered-e.Time > handshakeWindow && s.State.Endpoints[e.Endpoint].Method == "POST"
}
