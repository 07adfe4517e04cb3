package analyze

import (
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// A session that is bound to an address ends when the address changes. In a log without
// session ids the person is then another client, whose first request is refused: it looks
// like a visitor with a bookmark who is asked to sign in. But another client with the same
// browser has just made its last request. By chance, as many clients end in the minutes
// after the first request of a newcomer as in those before it: the design is case-crossover
// (Maclure, Am. J. Epidemiol. 133, 1991), and hours and browsers that are busy do not matter.

const (
	// movedWindow is how long, in microseconds, before or after a newcomer's first request
	// another client ends: somebody who is at work makes the next request by then.
	movedWindow = inUse * 1000
	// movedReferents is the number of other windows on each side that are compared with the one
	// before a newcomer: half an hour, in which about as many people are there.
	movedReferents = 5
	// movedOdds is the minimum ratio of the odds that a client ends just before a newcomer to
	// those that one does at other times.
	movedOdds = 3
)

// newcomer is a client whose first request was refused and that was accepted later.
type newcomer struct {
	timeline.Client
	first, accepted int64 // Unix microseconds
	follows         bool  // on a client that ended
}

// movedSessions returns the refusals of newcomers that follow on another client with the same
// browser, where so many do that their sessions ended by the change of the address.
func (a *assembly) movedSessions() (all session.Bits) {
	list := a.newcomers()
	if len(list) == 0 {
		return nil
	}
	ends := a.clientEnds(list)
	before, chance := int64(0), int64(0)
	for _, c := range list {
		own := a.Clients[c.Client].Tally.Last
		others := func(from, to int64) bool { // whether another client ends between them
			n := countBetween(ends[c.Agent], from, to)
			return n > 1 || n == 1 && (own < from || own > to)
		}
		// The order of requests of one second is unknown: it counts as before.
		if c.follows = others(c.first-movedWindow, c.first); c.follows {
			before++
		}
		for k := range int64(movedReferents) {
			if from := c.first - (k+2)*movedWindow; others(from, from+movedWindow-1) {
				chance++
			}
			if from := c.first + k*movedWindow; others(from+1, from+movedWindow) {
				chance++
			}
		}
	}
	const referents = 2 * movedReferents
	n := float64(len(list))
	if stats.Odds(float64(before)/n) < movedOdds*stats.Odds(float64(chance)/(referents*n)) ||
		stats.BinomialTail(before, before+chance, 1/(1+float64(referents))) > doubtful {
		return nil
	}
	for i, r := range a.Refusals.All() {
		if c := list[r.Client()]; c != nil && c.follows && r.Time*1000 <= c.accepted && !r.SignIn {
			all.Add(i)
		}
	}
	return all
}

// newcomers returns the clients whose first request was refused without an explanation, that
// were not answering a challenge of their program, and that were accepted later.
func (a *assembly) newcomers() map[timeline.Client]*newcomer {
	list := map[timeline.Client]*newcomer{}
	if a.State.Sessions {
		return nil // which shows whether an address changed
	}
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || r.Actor == 0 || r.Cause != session.Anonymous && !r.Arrival || list[r.Client()] != nil {
			continue
		}
		s := a.Clients[r.Client()]
		if s == nil || s.Tally.First != r.Time*1000 || s.Tally.FirstAccepted == parse.NoTime {
			continue
		}
		list[r.Client()] = &newcomer{Client: r.Client(), first: s.Tally.First, accepted: s.Tally.FirstAccepted}
	}
	return list
}

// clientEnds returns the times of the last requests of clients that were accepted, ascending,
// by the user agents of the newcomers.
func (a *assembly) clientEnds(list map[timeline.Client]*newcomer) map[uint32][]int64 {
	ends := map[uint32][]int64{}
	for c := range list {
		ends[c.Agent] = nil
	}
	for c, s := range a.Clients {
		if _, wanted := ends[c.Agent]; wanted && s.Tally.LastAccepted != parse.NoTime {
			ends[c.Agent] = append(ends[c.Agent], s.Tally.Last)
		}
	}
	for _, times := range ends {
		slices.Sort(times)
	}
	return ends
}

// countBetween returns how many of the ascending times are between two times, inclusively.
func countBetween(times []int64, from, to int64) int {
	low, _ := slices.BinarySearch(times, from)
	high, _ := slices.BinarySearch(times, to+1)
	return high - low
}
