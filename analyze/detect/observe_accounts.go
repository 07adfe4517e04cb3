package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// attempt is one request by or in the name of a user.
type attempt struct {
	time     int64 // Unix milliseconds
	endpoint uint32
	actor    uint32
	fact     uint32 // index of the fact, or timeline.NoRefusal when accepted
	client   timeline.Client
	own      bool // refused with credentials of its own: named on the line, or signing in
}

// compareAttempts orders by time, a refusal before an acceptance of the same
// instant, as in timelines.
func compareAttempts(a, b attempt) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.fact, b.fact), cmp.Compare(a.endpoint, b.endpoint),
		timeline.CompareClients(a.client, b.client))
}

// accountObserver collects the attempts of users.
type accountObserver struct {
	*Diagnosis
	users    []uint32    // each plus one
	place    []int32     // by user plus one: place in users plus one; 0 is not followed
	attempts [][]attempt // by place, by time
	parts    []*accountPart
}

// observeAccounts follows the users that were refused often enough to be worth
// a look.
func observeAccounts(c *Diagnosis) observer {
	refused := make([]int, len(c.State.Users)+1)
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && f.User != 0 {
			refused[f.User]++
		}
	}
	var list []uint32
	for u := 1; u < len(refused); u++ {
		if refused[u] >= accountRefused {
			list = append(list, uint32(u))
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b uint32) int { return refused[b] - refused[a] })
	list = list[:min(len(list), maxAccounts)]
	o := &accountObserver{Diagnosis: c, users: list, place: make([]int32, len(refused)), attempts: make([][]attempt, len(list))}
	for n, u := range list {
		o.place[u] = int32(n) + 1
	}
	return o
}

func (o *accountObserver) part() func(*timeline.Actor, uint32) {
	p := &accountPart{accountObserver: o, attempts: make([][]attempt, len(o.users))}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *accountObserver) gather() {
	for n := range o.attempts {
		for _, p := range o.parts {
			o.attempts[n] = append(o.attempts[n], p.attempts[n]...)
		}
		slices.SortFunc(o.attempts[n], compareAttempts)
	}
	o.parts = nil
}

// accountPart is one goroutine's part.
type accountPart struct {
	*accountObserver // read only
	attempts         [][]attempt
}

// actor notes what came of a user's requests where that says something.
func (p *accountPart) actor(a *timeline.Actor, _ uint32) {
	user := uint32(0)
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			user = e.User
		}
		if n := p.place[user]; n != 0 {
			p.collect(&p.attempts[n-1], e, user)
		}
		if p.State.Endpoints[e.Endpoint].SignOut && e.Outcome != timeline.Unauthorized {
			user = 0
		}
	}
}

func (p *accountPart) collect(list *[]attempt, e *timeline.Event, user uint32) {
	signIn := p.State.Endpoints[e.Endpoint].SignIn
	switch {
	case e.Refusal != timeline.NoRefusal:
		if x := &p.Refusals[e.Refusal]; x.User == user && x.Cause != session.Challenge {
			*list = append(*list, attempt{e.Time, e.Endpoint, x.Actor, e.Refusal, e.Client, x.Named || x.SignIn})
		}
	case e.Outcome == timeline.Accepted && (p.Protected[e.Endpoint] || signIn),
		e.Outcome == timeline.Redirected && signIn:
		*list = append(*list, attempt{e.Time, e.Endpoint, 0, timeline.NoRefusal, e.Client, false})
	}
}
