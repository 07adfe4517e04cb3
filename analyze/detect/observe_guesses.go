package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
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
	// signInAgain is how soon, in milliseconds, a program signs in when it is refused.
	signInAgain = 5000
	// acceptedAgain is the time, in milliseconds, in which further acceptances of a
	// user by one actor are not counted: an acceptance stands for a visit, not for
	// each page.
	acceptedAgain = 30 * 60_000
)

// failedTry reports whether a refusal is a failed try of credentials: at a sign-in
// route, with a name on the line where no session had been accepted before, or one of
// the submissions. A request of which a log states that it had no credentials tries none.
func (d *Diagnosis) failedTry(i int, r *session.Refusal) bool {
	return d.open(i) && d.State.Stated(uint32(i)) != field.CredentialsMissing && (r.SignIn || !r.Renewal && r.Named && !r.Session && !r.Alive || d.submitted[submission{r.Address, r.Endpoint}])
}

// home is a user at an address.
type home struct{ user, address uint32 }

// homes are distinct homes.
type homes struct {
	list     []home
	distinct int // the first of list
}

// fewHomes is the number of homes that may be there twice.
const fewHomes = 1 << 12

func (h *homes) add(x home) {
	if h.list = append(h.list, x); len(h.list) >= fewHomes+2*h.distinct {
		h.sorted()
	}
}

// sorted returns the homes by user and address.
func (h *homes) sorted() []home {
	slices.SortFunc(h.list, func(a, b home) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.address, b.address))
	})
	h.list = slices.Compact(h.list)
	h.distinct = len(h.list)
	return h.list
}

// guessObserver collects the tries from addresses that fail often, and from where
// the accounts that are tried are accepted. The detectors of attacks share it. A request
// takes constant time; the tries are sorted by address.
type guessObserver struct {
	d       *Diagnosis
	tools   map[tool]*toolUse         // that guess from many addresses
	address []int32                   // by address: place of its origin plus one, 0 for those not followed
	origins []origin                  // by place
	user    []int32                   // by user plus one: the same
	clients map[timeline.Client]bool  // those that named a followed user; nil if unknown
	failing session.Bits              // the refusals that are failed tries, before any finding
	known   session.Bits              // those of them whose actor had been accepted before
	answers session.Bits              // those of them that follow a refusal elsewhere at once
	tries   *spill.Sorter[groupedTry] // by place of the origin
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
	err                 error // the first one of reading or writing the tries
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
	var pairs homes
	for i, r := range d.Refusals.All() {
		if d.failedTry(i, r) {
			o.failing.Add(i)
			if r.Known {
				o.known.Add(i)
			}
			tries[r.Address]++
			if r.User != 0 {
				pairs.add(home{r.User, r.Address})
			}
		}
	}
	users, from := make([]int, len(d.State.Addresses)), make([]int, len(d.State.Users)+1)
	for _, p := range pairs.sorted() {
		users[p.address]++
		from[p.user]++
	}
	o.tools = d.toolsOf(func(i int, _ *session.Refusal) bool { return o.failing.Has(i) })
	together := session.Bits{} // addresses
	for _, u := range o.tools {
		for a := range u.addresses {
			together.Add(int(a))
		}
	}
	addresses := topIndexes(tries, maxGuessed, func(a int) bool {
		return (tries[a] >= guessAddress || users[a] >= guessUsers || together.Has(a)) && !d.State.UnlistedAddress(uint32(a))
	})
	accounts := topIndexes(from, maxGuessed, func(u int) bool { return from[u] >= guessFrom })
	o.follow(addresses, tries)
	if len(o.origins)+len(accounts) == 0 {
		return nil
	}
	o.user = places(accounts, len(from))
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
	p := &guessPart{guessObserver: o, own: o.d.newTries(o.d.Workers), accepted: map[home]int64{}, passed: map[timeline.Client]int64{}}
	o.parts = append(o.parts, p)
	return p.actor
}

func (o *guessObserver) gather() {
	var tries []*spill.Sorter[groupedTry]
	for _, p := range o.parts {
		tries = append(tries, p.own)
		o.fail(p.err)
		p.answers.Each(func(i int) bool {
			o.answers.Add(i)
			return true
		})
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
	var err error
	o.tries, err = spill.Merged(tries...)
	o.fail(err)
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
	var pairs homes
	for i, r := range o.d.Refusals.All() {
		if r.User == 0 || !o.d.failedTry(i, r) || o.user[r.User] != 0 {
			continue
		}
		pairs.add(home{r.User, r.Address})
		if place := o.address[r.Address] - 1; place < 0 || o.origins[place].shared() {
			gaveUp[r.User] = !o.d.enters(r.User)
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
	users, all := 0, pairs.sorted()
	for i := range all {
		if i == 0 || all[i].user != all[i-1].user {
			users++
		}
	}
	o.usualFrom = max(usualLeast, float64(len(all))/float64(max(users, 1)))
}

// guessPart is the part of one goroutine.
type guessPart struct {
	*guessObserver // read only
	own            *spill.Sorter[groupedTry]
	answers        session.Bits
	err            error // the first one of writing to disk
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
			switch {
			case bare == nil:
			case bare.Endpoint != e.Endpoint && e.Time-bare.Time <= signInAgain:
				p.answers.Add(int(e.Refusal))
			case bare.User == 0 && bare.Endpoint == e.Endpoint && e.Time-bare.Time <= tryGap:
				t.challenge = bare.Refusal
			}
			bare, counted = nil, 0
			p.add(place, t)
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
			p.add(place, t)
			counted, countedAt = e.User, e.Time
		}
	}
}

// add adds a try at a place.
func (p *guessPart) add(place int32, t try) {
	if err := p.own.Add(groupedTry{uint32(place), t}); p.err == nil {
		p.err = err
	}
}

// fail keeps the first error of reading or writing the tries.
func (o *guessObserver) fail(err error) { o.err = cmp.Or(o.err, err) }

// atHome reports whether the user had been accepted from the address or its origin before.
func (o *guessObserver) atHome(user, address uint32, ms int64) bool {
	first, ok := o.accepted[home{user, o.from(address)}]
	return ok && user != 0 && first < ms
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
	return ok && since < a.start && !a.fast
}

// owner reports whether a success is that of a client that had been accepted before
// the attack, where the log names no user: it is no break-in.
func (o *guessObserver) owner(t *try, start int64) bool {
	first, ok := o.passed[timeline.Client{Address: t.address, Agent: t.agent}]
	return t.user == 0 && ok && first < start
}
