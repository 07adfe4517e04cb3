package analyze

import (
	"maps"
	"math"
	"time"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// manyVisitors is how many times ordinaryDaily strangers a day that ask for something
// protected, and for nothing else, are no crowd: link previews and mail scanners do.
const manyVisitors = 4

// suddenly is the time, in milliseconds, within which more than ordinaryDaily strangers come
// who are a crowd, unless a quarter as many are usual: manyVisitors.
const suddenly = int64(10 * time.Minute / time.Millisecond)

// returnsOfStranger is the number of visits from which on a stranger comes back again and
// again: a program that is refused each time.
const returnsOfStranger = 4

// knockingCrowds returns the refusals of crowds of strangers that are answered nothing but
// refusals: a person sees a page or a picture of the site before or after, while each
// address of a botnet makes its try and goes. Failed sign-ins, and requests for what is
// protected, are looked at separately; a crowd is more than limit clients, most of those
// with such a refusal, and more than the sign-ins that succeed: people fail less often.
func (a *assembly) knockingCrowds(limit int64) (all session.Bits) {
	for _, signIn := range []bool{true, false} {
		clients := map[timeline.Client]bool{} // whether it is answered nothing else
		only := int64(0)
		each := func(do func(i int, c timeline.Client)) {
			for i, r := range a.Refusals.All() {
				ordinary := r.Cause == session.LoginFailure || r.Cause == session.TokenRenewal
				if a.Of[i] == 0 && r.Actor != 0 && (ordinary && signIn || r.Cause == session.Anonymous && !signIn) {
					do(i, r.Client())
				}
			}
		}
		each(func(_ int, c timeline.Client) {
			if _, seen := clients[c]; seen {
				return
			}
			if clients[c] = a.onlyRefused(c); clients[c] {
				only++
			}
		})
		least := limit * manyVisitors
		if signIn {
			least = max(limit, a.signInsSeen(limit, only))
		}
		if only <= least || 2*only <= int64(len(clients)) {
			if signIn || only <= ordinaryDaily {
				continue
			}
			clients = a.oddStrangers(clients, limit)
		}
		each(func(i int, c timeline.Client) {
			if clients[c] {
				all.Add(i)
			}
		})
	}
	return all
}

// oddStrangers returns the strangers that come in a crowd within minutes, and those that come
// back again and again or send something, if they are more than limit: who only looks in does
// none of it. only says of each client whether it is a stranger.
func (a *assembly) oddStrangers(only map[timeline.Client]bool, limit int64) map[timeline.Client]bool {
	type visits struct {
		last, visits int64
		sends        bool
	}
	var arrivals []arrival
	of := map[timeline.Client]*visits{}
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || r.Actor == 0 || r.Cause != session.Anonymous || !only[r.Client()] {
			continue
		}
		v := of[r.Client()]
		if v == nil {
			v = &visits{last: session.LongAgo}
			of[r.Client()] = v
			arrivals = append(arrivals, arrival{r.Time, r.Client()})
		}
		if r.Time-v.last > session.Nearby {
			v.visits++
		}
		v.last = r.Time
		v.sends = v.sends || a.State.Endpoints[r.Endpoint].Method == "POST"
	}
	odd, returning := a.suddenCrowd(arrivals), map[timeline.Client]bool{}
	for c, v := range of {
		if v.visits >= returnsOfStranger || v.sends {
			returning[c] = true
		}
	}
	if int64(len(returning)) > limit {
		maps.Copy(odd, returning)
	}
	return odd
}

// arrival is when a client was refused first.
type arrival struct {
	time   int64 // Unix milliseconds
	client timeline.Client
}

// suddenCrowd returns the clients of a list, in the order of time, that come within minutes.
func (a *assembly) suddenCrowd(list []arrival) map[timeline.Client]bool {
	crowd := map[timeline.Client]bool{}
	from, known := 0, 0
	for to := range list {
		for list[to].time-list[from].time > suddenly {
			from++
		}
		n := to + 1 - from
		usual := float64(len(list)-n) * float64(suddenly) / float64(max(a.To-a.From-suddenly, suddenly))
		if n <= ordinaryDaily || float64(n) < manyVisitors*usual {
			continue
		}
		for _, x := range list[max(from, known) : to+1] {
			crowd[x.client] = true
		}
		known = to + 1
	}
	return crowd
}

// signInsSeen returns how many sign-ins succeeded, as far as the log shows it; 0 if that is
// of no use, because failures of n clients are at most limit.
func (a *assembly) signInsSeen(limit, n int64) (seen int64) {
	if n <= limit {
		return 0
	}
	for s, err := range a.EachSession() {
		if err != nil {
			return math.MaxInt64 // the rows of the sessions report it
		}
		if s.StartSeen {
			seen++
		}
	}
	return seen
}
