package analyze

import (
	"math"
	"time"

	"logscan/analyze/session"
	"logscan/analyze/stats"
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
	// openedBefore is the minimum number of sign-ins that the log shows to succeed, so
	// that their absence means something.
	openedBefore = 10
	// failingFalse is the accepted chance that so many people in a row fail by chance,
	// anywhere in the log.
	failingFalse = 0.001
)

// excessive returns, by refusal, whether it looks ordinary and is one of too many to be
// so: of one client that was never accepted, of one actor for every session of it that
// ended, or of a time at which nobody could sign in. Refusals that a finding explains do
// not count.
func (a *assembly) excessive() (all session.Bits) {
	limit := ordinaryDaily * max(1, (a.To-a.From+day-1)/day)
	strangers := map[timeline.Client]int64{}
	known := map[timeline.Client]bool{}
	actors := map[uint32]*ended{}
	for i := range a.Refusals.Len() {
		r := a.Refusals.At(i)
		client := r.Client()
		known[client] = known[client] || (r.Known || r.Good) && !a.State.Unlisted(client)
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
			if r.Fatal || !r.Dead && r.Back { // the end of a session, or of a token that was renewed
				x.sessions++
			}
		}
	}
	closed, doubted := a.closedSignIns(), a.doubtsArrivals()
	for i := range a.Refusals.Len() {
		r := a.Refusals.At(i)
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		excess := false
		switch r.Cause {
		case session.Anonymous, session.LoginFailure:
			excess = !known[r.Client()] && strangers[r.Client()] > limit || closed.Has(i)
		case session.SessionEnd:
			x := actors[r.Actor]
			excess = x.refused > limit*max(1, x.sessions)
		case session.Challenge:
			excess = r.Arrival && doubted
		}
		if excess {
			all.Add(i)
		}
	}
	return all
}

// ended counts the sessions of an actor that ended, and the refusals after that.
type ended struct{ refused, sessions int64 }

// closedSignIns returns the failed sign-ins at times when many people tried in a row and
// nobody got in, though people do in this log: then they did not mistype. The chance
// that k people in a row fail is at most n·p^k among n people, with the share p of those who
// fail at other times, for which its upper bound (Wilson) stands; each person counts once
// in a row.
func (a *assembly) closedSignIns() (closed session.Bits) {
	var failures []uint32
	for i := range a.Refusals.Len() {
		if r := a.Refusals.At(i); r.Cause == session.LoginFailure && r.Actor != 0 && a.Of[i] == 0 {
			failures = append(failures, uint32(i))
		}
	}
	if len(failures) == 0 {
		return nil
	}
	var rows [][]uint32 // between two successes
	rest, successes := failures, 0
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		if !s.StartSeen {
			continue
		}
		successes++
		n := 0
		for n < len(rest) && a.Refusals.At(int(rest[n])).Time < s.Start {
			n++
		}
		if n > 0 {
			rows, rest = append(rows, rest[:n]), rest[n:]
		}
	}
	if successes < openedBefore {
		return nil
	}
	rows = append(rows, rest)
	people, all := make([]int64, len(rows)), int64(0)
	for n, row := range rows {
		distinct := map[timeline.Client]bool{}
		for _, i := range row {
			distinct[a.Refusals.At(int(i)).Client()] = true
		}
		people[n] = int64(len(distinct))
		all += people[n]
	}
	for n, row := range rows {
		others := all - people[n] + int64(successes)
		share := 1 - stats.WilsonLower(int64(successes), others, stats.Z95)
		if float64(all+int64(successes))*math.Pow(share, float64(people[n])) > failingFalse {
			continue
		}
		for _, i := range row {
			closed.Add(int(i))
		}
	}
	return closed
}
