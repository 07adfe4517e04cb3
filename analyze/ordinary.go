package analyze

import (
	"time"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// A refusal may look ordinary by itself and not be so in such numbers: a person
// mistypes a few times, an expired session is refused until its owner signs in again, a
// crawler looks in. What repeats beyond that is not harmless, and no finding says what
// it is: it is unexplained.

const (
	// ordinaryDaily is the number of refusals a day up to which a stranger, who was
	// never accepted, or a session that has ended is ordinary: the number from which on
	// published rules count failures as guessing whatever their pace (Elastic and Okta
	// use 10 to 50), and more than a crawler retries.
	ordinaryDaily = 50
	day           = int64(24 * time.Hour / time.Millisecond)
)

// excessive returns, by refusal, whether it looks ordinary and is one of too many to be
// so: of one client that was never accepted, or of one actor for every session of it
// that ended. Refusals that a finding explains do not count.
func (a *assembly) excessive() []bool {
	limit := ordinaryDaily * max(1, (a.To-a.From+day-1)/day)
	strangers := map[timeline.Client]int64{}
	known := map[timeline.Client]bool{}
	actors := map[uint32]*ended{}
	for i := range a.Refusals {
		r := &a.Refusals[i]
		client := clientOf(r)
		known[client] = known[client] || r.Known || r.Good
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		switch r.Cause {
		case session.Anonymous, session.LoginFailure:
			strangers[client]++
		case session.SessionEnd:
			x := actors[r.Actor]
			if x == nil {
				x = &ended{}
				actors[r.Actor] = x
			}
			x.refused++
			if r.Fatal {
				x.sessions++
			}
		}
	}
	all := make([]bool, len(a.Refusals))
	for i := range a.Refusals {
		r := &a.Refusals[i]
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		switch r.Cause {
		case session.Anonymous, session.LoginFailure:
			all[i] = !known[clientOf(r)] && strangers[clientOf(r)] > limit
		case session.SessionEnd:
			x := actors[r.Actor]
			all[i] = x.refused > limit*max(1, x.sessions)
		}
	}
	return all
}

// ended counts the sessions of an actor that ended, and the refusals after that.
type ended struct{ refused, sessions int64 }
