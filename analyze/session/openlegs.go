package session

import (
	"cmp"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// A server may begin a session when it accepts the credentials. Then the first leg of
// the handshake has no session id and belongs to the client, and the answer is the first
// request of a session. A client that sends its cookie only with its credentials does so
// with every request. Where several people share a client, some of them send one, so that
// its answers are in its own timeline and in those of sessions. openLeg is a leg or an answer.
type openLeg struct {
	Client   timeline.Client
	Endpoint uint32
	Refusal  uint32 // index; timeline.NoRefusal for an answer
	Time     int64
	Again    bool // an answer that is not the first request of its session; a leg that the client itself answers without one
	Gone     bool // an answer 404 or 410
	Failed   bool // an answer that was refused as well
}

// openLegSize is the size of an openLeg in memory, in bytes.
const openLegSize = 32

func compareOpenLegs(a, b *openLeg) int {
	return cmp.Or(timeline.CompareClients(a.Client, b.Client), cmp.Compare(a.Time, b.Time),
		cmp.Compare(a.Refusal, b.Refusal), cmp.Compare(a.Endpoint, b.Endpoint),
		cmp.Compare(flags(a.Again, a.Gone, a.Failed), flags(b.Again, b.Gone, b.Failed)))
}

var openLegCodec = spill.FixedCodec(compareOpenLegs)

// addOpenLeg adds a refusal of a client without a session that is no challenge by itself. h
// is what follows.
func (s *sessionizer) addOpenLeg(a *timeline.Actor, e *timeline.Event, r *Refusal, h *ahead) {
	if s.State.Sessions && a.Session == nil && !r.Named && !r.SignIn && (!r.Dead || s.bare[e.Client]) && r.Cause != Challenge && e.Refusal < timeline.EarlierEvent {
		again := h.repeated-e.Time <= repeatWindow && h.signIn > h.repeated && s.habit.accepts()
		s.addLeg(openLeg{Client: e.Client, Endpoint: e.Endpoint, Refusal: e.Refusal, Time: e.Time, Again: again})
	}
}

// addAnswers adds the first requests of a session that name the user, or all of them if
// the log names no users, and the later ones of clients that meet many challenges without
// a session. What such a client is answered without a session counts, too, if names tell its
// answers from the requests of strangers.
func (s *sessionizer) addAnswers(a *timeline.Actor) {
	own := a.Session == nil
	if own && !(s.State.Sessions && s.naming.some) || len(a.Before) > 0 {
		return
	}
	var client timeline.Client
	challenged := false // client is
	for i := range a.Events {
		e := &a.Events[i]
		if i == 0 || e.Client != client {
			client, challenged = e.Client, s.bare[e.Client]
		}
		again := own || e.Time > a.Events[0].Time
		if again && len(s.bare) == 0 {
			return
		}
		if again && !challenged {
			continue
		}
		l := openLeg{e.Client, e.Endpoint, timeline.NoRefusal, e.Time, again, e.Outcome == timeline.NotFound, e.Outcome == timeline.Unauthorized}
		switch {
		case e.Outcome == timeline.Other, own && e.User == 0 && (s.naming.failures || e.Outcome <= timeline.Unauthorized):
		case l.Failed && challenged:
			s.addLeg(l)
		case !l.Failed && (challenged || e.User != 0 || len(s.State.Users) == 0) && (l.Gone || s.State.Endpoints[e.Endpoint].N[timeline.Unauthorized] > 0):
			s.addLeg(l)
		}
	}
}

func (s *sessionizer) addLeg(l openLeg) {
	if !s.State.Unlisted(l.Client) {
		s.fail(s.openLegs.Add(l))
	}
}

// joinLegs returns the refusals that a new session of the same client answered at once,
// and all those that a session answered if that is the client's habit: they are
// challenges.
func (ev *Evidence) joinLegs(parts []*spill.Sorter[openLeg]) (Bits, error) {
	j := legJoin{lapsed: map[place]lapse{}}
	for l, err := range spill.Sorted(parts...) {
		if err != nil {
			return nil, err
		}
		if l.Client != j.client {
			j.settle()
			j.client = l.Client
		}
		if l.Refusal != timeline.NoRefusal {
			j.leg(ev, l)
		} else {
			j.answer(ev, l)
		}
	}
	j.settle()
	return j.challenges, nil
}

// legJoin is where joinLegs stands at one client.
type legJoin struct {
	client   timeline.Client
	legs     int       // legs, but for those of handshakes that failed, and on routes that accept nothing soon after: a broken one says nothing about the habit
	joined   int       // of them: answered at once
	pending  []openLeg // the last legs without an answer, at most maxLegs*maxParallel
	lapsed   map[place]lapse
	answered []uint32 // legs that count only if answers are its habit

	challenges Bits // of all clients
}

// place is a URL, whatever the method; see samePlace.
type place struct{ host, template string }

func (ev *Evidence) placeOf(endpoint uint32) place {
	e := &ev.State.Endpoints[endpoint]
	return place{e.Host, e.Template}
}

// lapse is the legs at a place that were not answered, of at most Nearby.
type lapse struct {
	n           int
	first, last int64
}

// lapse notes that a leg was not answered.
func (j *legJoin) lapse(ev *Evidence, l *openLeg) {
	at := ev.placeOf(l.Endpoint)
	x := j.lapsed[at]
	if x.n == 0 || l.Time-x.first > Nearby {
		x = lapse{first: l.Time}
	}
	x.n++
	x.last = l.Time
	j.lapsed[at] = x
}

func (j *legJoin) leg(ev *Evidence, l *openLeg) {
	if l.Again {
		j.legs++
		j.joined++
		j.answered = append(j.answered, l.Refusal)
		return
	}
	if len(j.pending) == maxLegs*maxParallel {
		j.lapse(ev, &j.pending[0])
		j.pending = append(j.pending[:0], j.pending[1:]...)
	}
	j.pending = append(j.pending, *l)
}

// answer answers up to maxLegs legs, the earliest first.
func (j *legJoin) answer(ev *Evidence, l *openLeg) {
	n, to := 0, answer{endpoint: l.Endpoint, gone: l.Gone}
	kept := j.pending[:0]
	for _, leg := range j.pending {
		switch {
		case l.Time-leg.Time > legWindow:
			j.lapse(ev, &leg)
		case n == maxLegs || !ev.answers(&to, leg.Endpoint):
			kept = append(kept, leg)
		case l.Failed:
			n++
		default:
			n++
			j.legs++
			j.joined++
			if l.Again {
				j.answered = append(j.answered, leg.Refusal)
			} else {
				j.challenges.Add(int(leg.Refusal))
			}
		}
	}
	j.pending = kept
	if l.Failed || len(j.lapsed) == 0 {
		return
	}
	at := ev.placeOf(l.Endpoint)
	if x, ok := j.lapsed[at]; ok {
		if l.Time-x.last <= Nearby {
			j.legs += x.n
		}
		delete(j.lapsed, at)
	}
}

// settle makes challenges of what is a habit of the client, and begins with the next one.
func (j *legJoin) settle() {
	if j.joined >= repeatMatches && float64(j.joined) >= habitShare*float64(j.legs) {
		for _, refusal := range j.answered {
			j.challenges.Add(int(refusal))
		}
	}
	j.legs, j.joined, j.pending, j.answered = 0, 0, j.pending[:0], j.answered[:0]
	clear(j.lapsed)
}
