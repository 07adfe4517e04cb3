package session

import (
	"cmp"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// A server may begin a session when it accepts the credentials. Then the first leg of
// the handshake has no session id and belongs to the client, and the answer is the first
// request of a session. openLeg is one of both.
type openLeg struct {
	Client   timeline.Client
	Endpoint uint32
	Refusal  uint32 // index; timeline.NoRefusal for an answer
	Time     int64
}

// openLegSize is the size of an openLeg in memory, in bytes.
const openLegSize = 24

func compareOpenLegs(a, b *openLeg) int {
	return cmp.Or(timeline.CompareClients(a.Client, b.Client), cmp.Compare(a.Endpoint, b.Endpoint),
		cmp.Compare(a.Time, b.Time), cmp.Compare(a.Refusal, b.Refusal))
}

var openLegCodec = spill.FixedCodec(compareOpenLegs)

// addOpenLeg adds a refusal of a client without a session that nothing answered.
func (s *sessionizer) addOpenLeg(a *timeline.Actor, e *timeline.Event, r *Refusal) {
	if s.State.Sessions && a.Session == nil && !r.Named && !r.SignIn && !r.Dead && r.Cause != Challenge && e.Refusal < timeline.EarlierEvent {
		s.addLeg(e)
	}
}

// addAnswers adds the first requests of a session that name the user, or all of them if
// the log names no users.
func (s *sessionizer) addAnswers(a *timeline.Actor) {
	if a.Session == nil || len(a.Before) > 0 {
		return
	}
	for i := range a.Events {
		e := &a.Events[i]
		if e.Time > a.Events[0].Time {
			return
		}
		if (e.User != 0 || len(s.State.Users) == 0) && e.Outcome != timeline.Unauthorized && e.Outcome != timeline.Other && e.Refusal == timeline.NoRefusal &&
			s.State.Endpoints[e.Endpoint].N[timeline.Unauthorized] > 0 {
			s.addLeg(e)
		}
	}
}

func (s *sessionizer) addLeg(e *timeline.Event) {
	if s.State.OtherClients == 0 || s.State.Addresses[e.Client.Address] != timeline.OtherName {
		s.fail(s.openLegs.Add(openLeg{e.Client, e.Endpoint, e.Refusal, e.Time}))
	}
}

// joinLegs makes challenges of the refusals that a new session of the same client
// answered at once on the same endpoint.
func (ev *Evidence) joinLegs(parts []*spill.Sorter[openLeg]) error {
	var pending []openLeg // the last legs without an answer, at most maxLegs
	for l, err := range spill.Sorted(parts...) {
		if err != nil {
			return err
		}
		if n := len(pending); n > 0 && (pending[0].Client != l.Client || pending[0].Endpoint != l.Endpoint) {
			pending = pending[:0]
		}
		if l.Refusal != timeline.NoRefusal {
			if len(pending) == maxLegs {
				pending = append(pending[:0], pending[1:]...)
			}
			pending = append(pending, *l)
			continue
		}
		for _, leg := range pending {
			if l.Time-leg.Time <= legWindow {
				r := &ev.Refusals[leg.Refusal]
				r.Cause, r.Alive, r.Proven = Challenge, false, false
			}
		}
		pending = pending[:0]
	}
	return nil
}
