package analyze

import (
	"context"
	"math"
	"slices"

	"logscan/analyze/fold"
)

// Most logs have no route that refuses good sessions and no account that is
// refused again and again. Those that have are followed over time, in a second
// walk over the timelines, when it is known whose are wanted.

// cell counts the actors of one endpoint in one step of time.
type cell struct {
	accepted, refused          int32 // distinct actors; refused ones were alive elsewhere
	lastAccepted, firstRefused int64 // Unix milliseconds
}

// attempt is one request by or in the name of a user.
type attempt struct {
	time     int64 // Unix milliseconds
	endpoint uint32
	actor    uint32
	fact     uint32 // index of the fact, or fold.NoRefusal when accepted
	own      bool   // refused with credentials of its own: named on the line, or signing in
}

// followed is what the second walk finds.
type followed struct {
	cells    map[uint32][]cell    // by endpoint, one for each step of time
	attempts map[uint32][]attempt // by user plus one, by time
}

// follow walks over the timelines again for the endpoints and users that are
// worth it.
func (c *correlation) follow(ctx context.Context) error {
	endpoints, users := c.suspectEndpoints(), c.suspectUsers()
	c.followed = followed{map[uint32][]cell{}, map[uint32][]attempt{}}
	if len(endpoints) == 0 && len(users) == 0 {
		return nil
	}
	followers := make([]*follower, c.workers)
	for i := range followers {
		followers[i] = newFollower(c, endpoints, users)
	}
	err := c.visit(ctx, func(worker, shard int, a *fold.Actor) { followers[worker].actor(a) })
	if err != nil {
		return err
	}
	for n, e := range endpoints {
		sum := followers[0].cells[n]
		for _, f := range followers[1:] {
			for i := range sum {
				sum[i].merge(&f.cells[n][i])
			}
		}
		c.followed.cells[e] = sum
	}
	for n, u := range users {
		var all []attempt
		for _, f := range followers {
			all = append(all, f.attempts[n]...)
		}
		slices.SortFunc(all, compareAttempts)
		c.followed.attempts[u] = all
	}
	return nil
}

func (x *cell) merge(y *cell) {
	x.accepted += y.accepted
	x.refused += y.refused
	x.lastAccepted = max(x.lastAccepted, y.lastAccepted)
	x.firstRefused = min(x.firstRefused, y.firstRefused)
}

// suspectEndpoints lists the endpoints that refused enough actors while their
// sessions were alive, in ascending order.
func (c *correlation) suspectEndpoints() []uint32 {
	var list []uint32
	for i := range c.endpoints {
		if c.endpoints[i].aliveActors >= endpointActors {
			list = append(list, uint32(i))
		}
	}
	slices.SortStableFunc(list, func(a, b uint32) int {
		return int(c.endpoints[b].aliveActors - c.endpoints[a].aliveActors)
	})
	list = list[:min(len(list), maxFollowed)]
	slices.Sort(list)
	return list
}

// suspectUsers lists the users, each plus one, that were refused often enough
// to be worth a look.
func (c *correlation) suspectUsers() []uint32 {
	refused := make([]int, len(c.state.Users)+1)
	for i := range c.facts {
		if f := &c.facts[i]; f.open() && f.user != 0 {
			refused[f.user]++
		}
	}
	var list []uint32
	for u := 1; u < len(refused); u++ {
		if refused[u] >= accountRefused {
			list = append(list, uint32(u))
		}
	}
	slices.SortStableFunc(list, func(a, b uint32) int { return refused[b] - refused[a] })
	return list[:min(len(list), maxAccounts)]
}

// follower is one goroutine's part of the second walk.
type follower struct {
	*correlation                         // read only
	placeOfEndpoint, placeOfUser []int32 // plus one; 0 is not followed
	cells                        [][]cell
	attempts                     [][]attempt
	counted                      []inStep // by place of the endpoint
	visits                       uint32
}

// inStep remembers in which step an endpoint's actor was counted last.
type inStep struct {
	visit             uint32
	accepted, refused int32 // step plus one
}

func newFollower(c *correlation, endpoints, users []uint32) *follower {
	f := &follower{
		correlation:     c,
		placeOfEndpoint: make([]int32, len(c.state.Endpoints)), placeOfUser: make([]int32, len(c.state.Users)+1),
		cells: make([][]cell, len(endpoints)), attempts: make([][]attempt, len(users)),
		counted: make([]inStep, len(endpoints)),
	}
	for n, e := range endpoints {
		f.placeOfEndpoint[e] = int32(n) + 1
		f.cells[n] = make([]cell, maxSteps)
		for i := range f.cells[n] {
			f.cells[n][i].lastAccepted, f.cells[n][i].firstRefused = math.MinInt64, math.MaxInt64
		}
	}
	for n, u := range users {
		f.placeOfUser[u] = int32(n) + 1
	}
	return f
}

// actor takes in one actor.
func (f *follower) actor(a *fold.Actor) {
	f.visits++
	user := uint32(0)
	for i := range a.Events {
		e := &a.Events[i]
		if e.User != 0 {
			user = e.User
		}
		if n := f.placeOfEndpoint[e.Endpoint]; n != 0 {
			f.count(int(n-1), e)
		}
		if n := f.placeOfUser[user]; n != 0 {
			f.collect(int(n-1), e, user)
		}
		if f.state.Endpoints[e.Endpoint].SignOut && e.Outcome != fold.Unauthorized {
			user = 0
		}
	}
}

// count counts the actor once in each step of time in which the endpoint
// accepted it, or refused it while it was alive elsewhere.
func (f *follower) count(place int, e *fold.Event) {
	step := f.step(e.Time)
	c, in := &f.cells[place][step], &f.counted[place]
	if in.visit != f.visits {
		*in = inStep{visit: f.visits}
	}
	switch {
	case e.Outcome == fold.Accepted:
		c.lastAccepted = max(c.lastAccepted, e.Time)
		if in.accepted != int32(step)+1 {
			in.accepted = int32(step) + 1
			c.accepted++
		}
	case e.Refusal != fold.NoRefusal && f.facts[e.Refusal].alive:
		c.firstRefused = min(c.firstRefused, e.Time)
		if in.refused != int32(step)+1 {
			in.refused = int32(step) + 1
			c.refused++
		}
	}
}

// collect notes what came of a user's request where that says something.
func (f *follower) collect(place int, e *fold.Event, user uint32) {
	signIn := f.state.Endpoints[e.Endpoint].SignIn
	list := &f.attempts[place]
	switch {
	case e.Refusal != fold.NoRefusal:
		if x := &f.facts[e.Refusal]; x.user == user && x.cause != causeChallenge {
			*list = append(*list, attempt{e.Time, e.Endpoint, x.actor, e.Refusal, x.named || x.signIn})
		}
	case e.Outcome == fold.Accepted && (f.protected[e.Endpoint] || signIn),
		e.Outcome == fold.Redirected && signIn:
		*list = append(*list, attempt{e.Time, e.Endpoint, 0, fold.NoRefusal, false})
	}
}
