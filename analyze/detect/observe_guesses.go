package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

const (
	// guessAddress is the minimum number of failed tries of an address that is
	// followed: no threshold for attacks by one client is lower.
	guessAddress = 12
	// guessUsers is the minimum number of failing users of an address that is followed
	// as one of many that share a list of accounts. A household has fewer.
	guessUsers = 3
	// guessFrom is the minimum number of addresses from which an account that is
	// followed was tried. A person has few.
	guessFrom = 6
	// maxGuessed bounds the addresses and the accounts that are followed: those
	// with most failures. An attack from a /64 has as many addresses as tries; each
	// takes about as much memory as its refusals do already.
	maxGuessed = 1 << 17
	// acceptedAgain is the time, in milliseconds, in which further acceptances of a
	// user by one actor are not counted: an acceptance stands for a visit, not for
	// each page.
	acceptedAgain = 30 * 60_000
)

// failedTry reports whether a refusal is a failed try of credentials: at a sign-in
// route, with a name on the line where no session had been accepted before, or one of
// the submissions. A request of which a log states that it had no credentials tries none.
func (d *Diagnosis) failedTry(i int) bool {
	r := d.Refusals.At(i)
	return d.open(i) && d.State.Stated(uint32(i)) != field.CredentialsMissing && (r.SignIn || !r.Renewal && r.Named && !r.Session && !r.Alive || d.submitted[submission{r.Address, r.Endpoint}])
}

// try is a try of credentials.
type try struct {
	time      int64  // Unix milliseconds
	refusal   uint32 // index of the refusal, timeline.NoRefusal when accepted
	user      uint32 // named on the line, plus one; 0 none
	address   uint32
	agent     uint32
	endpoint  uint32
	challenge uint32 // refusal of the same request without credentials just before, or timeline.NoRefusal
}

func (t *try) failed() bool { return t.refusal != timeline.NoRefusal }

func compareTries(a, b try) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.refusal, b.refusal), cmp.Compare(a.user, b.user),
		cmp.Compare(a.address, b.address), cmp.Compare(a.agent, b.agent), cmp.Compare(a.endpoint, b.endpoint))
}

// home is a user at an address.
type home struct{ user, address uint32 }

// distinctHomes sorts by user and address, and drops duplicates.
func distinctHomes(list []home) []home {
	slices.SortFunc(list, func(a, b home) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.address, b.address))
	})
	return slices.Compact(list)
}

// guessObserver collects the tries from addresses that fail often, and from where
// the accounts that are tried are accepted. The detectors of attacks share it. A request
// takes constant time; the tries are sorted by address.
type guessObserver struct {
	d       *Diagnosis
	tools   map[tool]*toolUse        // that guess from many addresses
	address []int32                  // by address: place of its origin plus one, 0 for those not followed
	origins []origin                 // by place
	user    []int32                  // by user plus one: the same
	clients map[timeline.Client]bool // those that named a followed user; nil if unknown
	failing session.Bits             // the refusals that are failed tries, before any finding
	known   session.Bits             // those of them whose actor had been accepted before
	tries   [][]try                  // by place of the origin, by time
	// accepted holds when a user was first accepted from an address, or from the first
	// one of its origin, in Unix milliseconds.
	accepted map[home]int64
	// passed holds when a client that named no user first signed in, the same.
	passed map[timeline.Client]int64
	office map[uint32]int64 // by address as in accepted, see offices
	// givingUp is the share of the users failing elsewhere that are never accepted,
	// usualFrom the mean number of addresses from which such an account fails.
	givingUp, usualFrom float64
	parts               []*guessPart
}

// observeGuesses returns the observer of the addresses and accounts with many
// failed tries, nil if there are none. All detectors of attacks get the same one.
func observeGuesses(d *Diagnosis) observer {
	d.guessOnce.Do(func() { d.guesses = newGuessObserver(d) })
	if d.guesses == nil {
		return nil
	}
	return d.guesses
}

// newGuessObserver returns nil if there is nothing to follow.
func newGuessObserver(d *Diagnosis) *guessObserver {
	o := &guessObserver{d: d, accepted: map[home]int64{}, passed: map[timeline.Client]int64{}}
	tries := make([]int, len(d.State.Addresses))
	var pairs []home
	for i := range d.Refusals.Len() {
		if r := d.Refusals.At(i); d.failedTry(i) {
			o.failing.Add(i)
			if r.Known {
				o.known.Add(i)
			}
			tries[r.Address]++
			if r.User != 0 {
				pairs = append(pairs, home{r.User, r.Address})
			}
		}
	}
	pairs = distinctHomes(pairs)
	users, from := make([]int, len(d.State.Addresses)), make([]int, len(d.State.Users)+1)
	for _, p := range pairs {
		users[p.address]++
		from[p.user]++
	}
	o.tools = d.toolsOf(func(i int) bool { return o.failing.Has(i) })
	together := session.Bits{} // addresses
	for _, u := range o.tools {
		for a := range u.addresses {
			together.Add(int(a))
		}
	}
	addresses := topIndexes(tries, maxGuessed, func(a int) bool { return tries[a] >= guessAddress || users[a] >= guessUsers || together.Has(a) })
	accounts := topIndexes(from, maxGuessed, func(u int) bool { return from[u] >= guessFrom })
	o.follow(addresses, tries)
	if len(o.origins)+len(accounts) == 0 {
		return nil
	}
	o.user = places(accounts, len(from))
	o.tries = make([][]try, len(o.origins))
	o.findClients()
	return o
}

// findClients sets the clients that named a followed user.
func (o *guessObserver) findClients() {
	clients := map[timeline.Client]bool{}
	for l, err := range spill.Sorted(o.d.Links...) {
		if err != nil {
			return // follow all clients
		}
		if o.user[l.To+1] != 0 {
			clients[l.Client] = true
		}
	}
	o.clients = clients
}

// wants leaves out the actors whose only client neither comes from a followed
// address nor named a followed user.
func (o *guessObserver) wants(_ uint32, w timeline.ActorSummary) bool {
	return !w.Only || o.clients == nil || o.address[w.Client.Address] != 0 || o.clients[w.Client]
}

func (o *guessObserver) part() func(*timeline.Actor, uint32) {
	p := &guessPart{guessObserver: o, tries: make([][]try, len(o.tries)), accepted: map[home]int64{}, passed: map[timeline.Client]int64{}}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *guessObserver) gather() {
	for _, p := range o.parts {
		for n := range o.tries {
			if o.tries[n] == nil {
				o.tries[n] = p.tries[n]
			} else {
				o.tries[n] = append(o.tries[n], p.tries[n]...)
			}
			p.tries[n] = nil
		}
		for at, first := range p.accepted {
			if x, ok := o.accepted[at]; !ok || first < x {
				o.accepted[at] = first
			}
		}
		for client, first := range p.passed {
			if x, ok := o.passed[client]; !ok || first < x {
				o.passed[client] = first
			}
		}
	}
	for n := range o.tries {
		slices.SortFunc(o.tries[n], compareTries)
	}
	o.parts = nil
	o.office = o.offices()
	o.measureCrowd()
}

const (
	// giveUpLeast and giveUpMost bound the share of ordinary users that are assumed
	// to fail and never be accepted.
	giveUpLeast, giveUpMost = 0.3, 0.7
	// usualLeast is the least number of addresses from which an account without an
	// attack is expected to fail away from home: a phone and a café.
	usualLeast = 2
)

// measureCrowd sets givingUp and usualFrom from unsuspicious failures: those of
// accounts that are not followed, givingUp at addresses that are not followed alone either.
func (o *guessObserver) measureCrowd() {
	gaveUp := map[uint32]bool{}
	var pairs []home
	for i := range o.d.Refusals.Len() {
		r := o.d.Refusals.At(i)
		if r.User == 0 || !o.d.failedTry(i) || o.user[r.User] != 0 {
			continue
		}
		pairs = append(pairs, home{r.User, r.Address})
		if place := o.address[r.Address] - 1; place < 0 || o.origins[place].shared() {
			gaveUp[r.User] = o.d.State.Users[r.User-1].FirstAccepted == parse.NoTime
		}
	}
	n := 0
	for _, yes := range gaveUp {
		if yes {
			n++
		}
	}
	// Adding one of four keeps a few users from deciding it.
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

// guessPart is the part of one goroutine.
type guessPart struct {
	*guessObserver // read only
	tries          [][]try
	accepted       map[home]int64
	passed         map[timeline.Client]int64
}

// actor records the tries of an actor, and which users were accepted from where.
func (p *guessPart) actor(a *timeline.Actor, _ uint32) {
	counted, countedAt := uint32(0), session.LongAgo // the user whose acceptance was recorded last
	var bare *timeline.Event                         // the last refusal without credentials
	for i := range a.Events {
		e := &a.Events[i]
		place := p.address[e.Client.Address] - 1
		if place < 0 && p.user[e.User] == 0 {
			continue
		}
		t := try{e.Time, e.Refusal, e.User, e.Client.Address, e.Client.Agent, e.Endpoint, timeline.NoRefusal}
		signIn := p.d.Roles[e.Endpoint]&session.Tries != 0 && p.d.SignedIn(a, i) ||
			place >= 0 && e.Outcome == timeline.Accepted && p.d.submitted[submission{e.Client.Address, e.Endpoint}]
		switch {
		case e.Refusal != timeline.NoRefusal:
			if place < 0 {
				continue
			}
			if !p.failing.Has(int(e.Refusal)) {
				bare = e
				continue
			}
			if bare != nil && bare.User == 0 && bare.Endpoint == e.Endpoint && e.Time-bare.Time <= tryGap {
				t.challenge = bare.Refusal
			}
			bare, counted = nil, 0
			p.tries[place] = append(p.tries[place], t)
			continue
		case signIn:
			counted = 0
		case e.User == 0 || e.Outcome != timeline.Accepted || !p.d.Protected[e.Endpoint]:
			continue
		}
		if at := (home{e.User, p.from(e.Client.Address)}); e.User != 0 {
			if first, ok := p.accepted[at]; !ok || e.Time < first {
				p.accepted[at] = e.Time
			}
		} else if first, ok := p.passed[e.Client]; signIn && (!ok || e.Time < first) {
			p.passed[e.Client] = e.Time
		}
		if place < 0 || counted == e.User && counted != 0 && e.Time-countedAt < acceptedAgain {
			continue
		}
		// Nobody tries credentials within a session.
		if signIn || a.Session == nil {
			p.tries[place] = append(p.tries[place], t)
			counted, countedAt = e.User, e.Time
		}
	}
}

// atHome reports whether the user had been accepted from the address or its origin before.
func (o *guessObserver) atHome(user, address uint32, ms int64) bool {
	first, ok := o.accepted[home{user, o.from(address)}]
	return ok && user != 0 && first < ms
}

// strangers returns the tries without those that a finding explains, those of users
// at home (an owner who mistypes is not guessing), and the failures of an outage. The
// list must not be changed.
func (o *guessObserver) strangers(list []try) []try {
	return triesBut(list, func(t *try) bool {
		return t.failed() && (!o.d.open(int(t.refusal)) || o.d.inOutage(int(t.refusal))) || o.atHome(t.user, t.address, t.time)
	})
}

// failuresOf returns the failures among tries that meet a condition. The list must not
// be changed.
func failuresOf(list []try, meets func(*try) bool) []try {
	return triesBut(list, func(t *try) bool { return !t.failed() || !meets(t) })
}

// triesBut returns the tries without some of them: the same list if there are none, as
// for nearly all addresses of a large attack.
func triesBut(list []try, drop func(*try) bool) []try {
	for i := range list {
		if !drop(&list[i]) {
			continue
		}
		kept := slices.Clone(list[:i])
		for j := i + 1; j < len(list); j++ {
			if !drop(&list[j]) {
				kept = append(kept, list[j])
			}
		}
		return kept
	}
	return list
}

// officeUsers is the number of users accepted from an address from which on it is that
// of an office, or of a proxy. A household has fewer.
const officeUsers = 4

// offices returns, by address, when the last of the first officeUsers users was
// accepted from there for the first time, in Unix milliseconds.
func (o *guessObserver) offices() map[uint32]int64 {
	first := map[uint32][]int64{}
	for at, ms := range o.accepted {
		first[at.address] = append(first[at.address], ms)
	}
	since := map[uint32]int64{}
	for address, times := range first {
		if len(times) >= officeUsers {
			slices.Sort(times)
			since[address] = times[officeUsers-1]
		}
	}
	return since
}

// ofOffice reports whether an attack comes from an address from which many users had
// been accepted before it began, at a pace of people: colleagues whose passwords fail
// sit there.
func (o *guessObserver) ofOffice(a *attack) bool {
	if a.place == everywhere {
		return false
	}
	since, ok := o.office[o.origins[a.place].address]
	return ok && since < a.start && !a.fast()
}

// owner reports whether a success is that of a client that had been accepted before
// the attack, where the log names no user: it is no break-in.
func (o *guessObserver) owner(t *try, start int64) bool {
	first, ok := o.passed[timeline.Client{Address: t.address, Agent: t.agent}]
	return t.user == 0 && ok && first < start
}
