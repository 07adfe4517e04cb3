package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

const (
	// guessAddress is how many failed tries make an address worth a look: no
	// threshold for attacks by one client is below it.
	guessAddress = 12
	// guessUsers is how many users that fail make an address worth a look, as
	// one of many that share out a list of accounts: a household has fewer.
	guessUsers = 3
	// guessFrom is from how many addresses an account must be tried to be worth
	// a look: people have few.
	guessFrom = 6
	// maxGuessed bounds the addresses and the accounts that are followed: those
	// with most failures.
	maxGuessed = 10_000
	// retold is for how long, in milliseconds, an accepted user of one actor is
	// not counted again: an acceptance stands for somebody who comes, not for
	// each page.
	retold = 30 * 60_000
)

// guess tells whether a 401 is a failed try of credentials: at a sign-in route,
// or with a name on the line where no session had opened the door before.
func (c *Diagnosis) guess(i int) bool {
	f := &c.Refusals[i]
	return c.open(i) && (f.SignIn || f.Named && !f.Session && !f.Alive)
}

// try is a try of credentials.
type try struct {
	time     int64  // Unix milliseconds
	fact     uint32 // index of the fact, or timeline.NoRefusal when it was accepted
	user     uint32 // named on the line, plus one; 0 none
	address  uint32
	agent    uint32
	endpoint uint32
	leg      uint32 // fact of the same request without credentials just before, or timeline.NoRefusal
}

func (t *try) failed() bool { return t.fact != timeline.NoRefusal }

func compareTries(a, b try) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.fact, b.fact), cmp.Compare(a.user, b.user),
		cmp.Compare(a.address, b.address), cmp.Compare(a.agent, b.agent), cmp.Compare(a.endpoint, b.endpoint))
}

// home is a user at an address.
type home struct{ user, address uint32 }

// guessObserver collects what came of the tries from addresses that fail often,
// and where the accounts that are tried are at home. Several detectors read it.
type guessObserver struct {
	*Diagnosis
	address []int32                  // by address: place plus one, 0 is not followed
	user    []int32                  // by user plus one: the same
	clients map[timeline.Client]bool // those that named such a user; nil where that is not known
	tries   [][]try                  // by place of the address, by time
	// accepted holds when a user was first accepted from an address.
	accepted map[home]int64
	// givingUp is the share of those who fail elsewhere that is never accepted,
	// usualFrom from how many addresses an account fails there on average.
	givingUp, usualFrom float64
	parts               []*guessPart
}

// observeGuesses follows the addresses and accounts with many failed tries. All
// detectors of attacks share what it gives.
func observeGuesses(c *Diagnosis) observer {
	c.guessOnce.Do(func() { c.guesses = newGuessObserver(c) })
	if c.guesses == nil {
		return nil
	}
	return c.guesses
}

// newGuessObserver gives nil where there is nobody to follow.
func newGuessObserver(c *Diagnosis) *guessObserver {
	tries := make([]int, len(c.State.Addresses))
	var pairs []home
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.guess(i) {
			tries[f.Address]++
			if f.User != 0 {
				pairs = append(pairs, home{f.User, f.Address})
			}
		}
	}
	pairs = distinctHomes(pairs)
	users, from := make([]int, len(c.State.Addresses)), make([]int, len(c.State.Users)+1)
	for _, p := range pairs {
		users[p.address]++
		from[p.user]++
	}
	addresses := most(tries, func(a int) bool { return tries[a] >= guessAddress || users[a] >= guessUsers })
	accounts := most(from, func(u int) bool { return from[u] >= guessFrom })
	if len(addresses)+len(accounts) == 0 {
		return nil
	}
	o := &guessObserver{
		Diagnosis: c, address: places(addresses, len(tries)), user: places(accounts, len(from)),
		tries: make([][]try, len(addresses)), accepted: map[home]int64{},
	}
	o.link()
	return o
}

// link finds the clients that named a user who is followed.
func (o *guessObserver) link() {
	clients := map[timeline.Client]bool{}
	for l, err := range spill.Sorted(o.Links...) {
		if err != nil {
			return // nobody is left out
		}
		if o.user[l.To+1] != 0 {
			clients[l.Client] = true
		}
	}
	o.clients = clients
}

// wants leaves out the actors whose only client neither comes from an address
// that is followed nor named a user who is.
func (o *guessObserver) wants(_ uint32, w timeline.ActorSummary) bool {
	return !w.Only || o.clients == nil || o.address[w.Client.Address] != 0 || o.clients[w.Client]
}

// most lists the indexes that fit, those with the greatest numbers where they
// are too many.
func most(n []int, fits func(int) bool) []uint32 {
	var list []uint32
	for i := range n {
		if n[i] > 0 && fits(i) {
			list = append(list, uint32(i))
		}
	}
	if len(list) > maxGuessed {
		slices.SortStableFunc(list, func(a, b uint32) int { return n[b] - n[a] })
		list = list[:maxGuessed]
		slices.Sort(list)
	}
	return list
}

// places gives the place plus one, by number, of what is in the list.
func places(list []uint32, n int) []int32 {
	p := make([]int32, n)
	for i, x := range list {
		p[x] = int32(i) + 1
	}
	return p
}

func (o *guessObserver) part() func(*timeline.Actor, uint32) {
	p := &guessPart{guessObserver: o, tries: make([][]try, len(o.tries)), accepted: map[home]int64{}}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *guessObserver) gather() {
	for _, p := range o.parts {
		for n := range o.tries {
			o.tries[n] = append(o.tries[n], p.tries[n]...)
		}
		for at, first := range p.accepted {
			if x, ok := o.accepted[at]; !ok || first < x {
				o.accepted[at] = first
			}
		}
	}
	for n := range o.tries {
		slices.SortFunc(o.tries[n], compareTries)
	}
	o.parts = nil
	o.measureCrowd()
}

const (
	// giveUpLeast and giveUpMost bound what is taken for the share of users in
	// a crowd that come and are never accepted.
	giveUpLeast, giveUpMost = 0.3, 0.7
	// usualLeast is the least number of addresses that an account is expected
	// to fail from where it is not at home: a phone and a café.
	usualLeast = 2
)

// measureCrowd measures how those fail whom nobody suspects: accounts that are
// not followed, at addresses that are not either.
func (o *guessObserver) measureCrowd() {
	gaveUp := map[uint32]bool{}
	var pairs []home
	for i := range o.Refusals {
		f := &o.Refusals[i]
		if f.User == 0 || !o.guess(i) || o.user[f.User] != 0 {
			continue
		}
		pairs = append(pairs, home{f.User, f.Address})
		if o.address[f.Address] == 0 {
			gaveUp[f.User] = o.State.Users[f.User-1].FirstAccepted == parse.NoTime
		}
	}
	n := 0
	for _, yes := range gaveUp {
		if yes {
			n++
		}
	}
	// One in four more, so that a few do not decide it.
	o.givingUp = min(max(float64(n+1)/float64(len(gaveUp)+4), giveUpLeast), giveUpMost)
	pairs = distinctHomes(pairs)
	users := 0
	for i := range pairs {
		if i == 0 || pairs[i].user != pairs[i-1].user {
			users++
		}
	}
	o.usualFrom = max(usualLeast, float64(len(pairs))/float64(max(users, 1)))
}

// distinctHomes sorts by user and address, and drops the repeated ones.
func distinctHomes(list []home) []home {
	slices.SortFunc(list, func(a, b home) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.address, b.address))
	})
	return slices.Compact(list)
}

// guessPart is one goroutine's part.
type guessPart struct {
	*guessObserver // read only
	tries          [][]try
	accepted       map[home]int64
}

// actor notes the tries of an actor, and who was accepted from where.
func (p *guessPart) actor(a *timeline.Actor, _ uint32) {
	told, toldAt := uint32(0), session.LongAgo // the user whose acceptance was noted last
	var bare *timeline.Event                   // the refusal without credentials met last
	for i := range a.Events {
		e := &a.Events[i]
		place := p.address[e.Client.Address] - 1
		if place < 0 && p.user[e.User] == 0 {
			continue
		}
		t := try{e.Time, e.Refusal, e.User, e.Client.Address, e.Client.Agent, e.Endpoint, timeline.NoRefusal}
		signIn := p.State.Endpoints[e.Endpoint].SignIn
		switch {
		case e.Refusal != timeline.NoRefusal:
			if place < 0 {
				continue
			}
			if !p.guess(int(e.Refusal)) {
				bare = e
				continue
			}
			if bare != nil && bare.User == 0 && bare.Endpoint == e.Endpoint && e.Time-bare.Time <= tryGap {
				t.leg = bare.Refusal
			}
			bare, told = nil, 0
			p.tries[place] = append(p.tries[place], t)
			continue
		case signIn && (e.Outcome == timeline.Accepted || e.Outcome == timeline.Redirected):
			told = 0
		case e.User == 0 || e.Outcome != timeline.Accepted || !p.Protected[e.Endpoint]:
			continue
		}
		if at := (home{e.User, e.Client.Address}); e.User != 0 {
			if first, ok := p.accepted[at]; !ok || e.Time < first {
				p.accepted[at] = e.Time
			}
		}
		if place < 0 || told == e.User && told != 0 && e.Time-toldAt < retold {
			continue
		}
		// Within a session nobody tries credentials.
		if signIn || a.Session == nil {
			p.tries[place] = append(p.tries[place], t)
			told, toldAt = e.User, e.Time
		}
	}
}

// atHome tells whether the user had been accepted from the address before.
func (o *guessObserver) atHome(user, address uint32, ms int64) bool {
	first, ok := o.accepted[home{user, address}]
	return ok && user != 0 && first < ms
}

// strangers gives the tries that still want an explanation, without those of
// users at home: what an owner mistypes is no guess.
func (o *guessObserver) strangers(list []try) []try {
	return slices.DeleteFunc(slices.Clone(list), func(t try) bool {
		return t.failed() && !o.open(int(t.fact)) || o.atHome(t.user, t.address, t.time)
	})
}

// guesser is where guesses come from: an address. Who else comes from there by
// another user agent is left out where one user agent makes nearly all guesses.
type guesser struct{ address uint32 }

func (c *Diagnosis) guesserSubject(g guesser) result.Subject {
	return result.Subject{Type: "client", ClientAddress: result.Clean(c.State.Addresses[g.address])}
}

// attack is a run of tries that fail.
type attack struct {
	guesser
	start, end int64 // Unix milliseconds
	failures   []try
	users      map[uint32]int // failures by user named
	successes  []try          // of guessed accounts, by time
	p          float64
}

// claims are the 401s of an attack, and those before them of a client that first
// asks without credentials.
func (c *Diagnosis) claimsOf(a *attack) []uint32 {
	list := make([]uint32, 0, len(a.failures))
	for i := range a.failures {
		t := &a.failures[i]
		list = append(list, t.fact)
		if t.leg != timeline.NoRefusal && c.open(int(t.leg)) {
			list = append(list, t.leg)
		}
	}
	slices.Sort(list)
	return list
}

// attackers gives what is found at each address. Many may share one: where one
// user agent makes nearly all the guesses, or the address as a whole shows
// nothing, the tries of that user agent are the attack.
func (o *guessObserver) attackers(find func(guesser, []try) (attack, bool)) []attack {
	var found []attack
	tested := 0
	for _, all := range o.tries {
		list := o.strangers(all)
		if len(list) == 0 {
			continue
		}
		tested++
		g := guesser{list[0].address}
		a, ok := find(g, list)
		failures := a.failures
		if !ok {
			failures = list
		}
		if agent, share := mainAgent(failures); share < 1 && (!ok || share >= mainShare) {
			tested++
			own := slices.DeleteFunc(list, func(t try) bool { return t.agent != agent })
			if b, okOwn := find(g, own); okOwn {
				a, ok = b, true
			}
		}
		if ok {
			found = append(found, a)
		}
	}
	return slices.DeleteFunc(found, func(a attack) bool { return a.p*float64(tested) > attackFalse })
}

// mainShare of the failures by one user agent show that the attack is its own:
// an attacker who changes user agents uses them alike.
const mainShare = 0.75

// mainAgent gives the user agent of most failures, and its share.
func mainAgent(list []try) (agent uint32, share float64) {
	n := map[uint32]int{}
	failures := 0
	for i := range list {
		if list[i].failed() {
			n[list[i].agent]++
			failures++
		}
	}
	most := 0
	for a, k := range n {
		if k > most || k == most && a < agent {
			agent, most = a, k
		}
	}
	return agent, float64(most) / float64(max(failures, 1))
}

// attackFalse is the share of runs with a false alarm that is allowed: the
// p-values are multiplied by the number of guessers (Bonferroni), as an attack
// is far beyond any of them.
const attackFalse = 0.01

// tally sums what an attack tried.
func (a *attack) tally() {
	a.users = map[uint32]int{}
	for i := range a.failures {
		if u := a.failures[i].user; u != 0 {
			a.users[u]++
		}
	}
	a.start, a.end = a.failures[0].time, a.failures[len(a.failures)-1].time
}

// perUser gives how many tries the users of an attack had: the median, and the
// shares of those tried once and at most some times.
func (a *attack) perUser(few int) (median int, once, upTo float64) {
	n := slices.Sorted(maps.Values(a.users))
	if len(n) == 0 {
		return 0, 0, 0
	}
	for _, k := range n {
		if k == 1 {
			once++
		}
		if k <= few {
			upTo++
		}
	}
	return n[(len(n)-1)/2], once / float64(len(n)), upTo / float64(len(n))
}

// userNames lists users by name, as many as a finding shows.
func (c *Diagnosis) userNames(users []uint32) []any {
	slices.Sort(users)
	users = slices.Compact(users)
	names := make([]any, 0, min(len(users), result.MaxEvidence))
	for _, u := range users[:min(len(users), result.MaxEvidence)] {
		names = append(names, result.Clean(c.State.Users[u-1].Name))
	}
	return names
}
