package detect

import (
	"maps"
	"slices"

	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// Guessing from so many addresses that none of them stands out, under the names of ordinary
// browsers, shows by what its clients are: strangers that do nothing but fail to sign in,
// where others sign in and use the site. Either they are more than those who get in, or the
// typical one tries more often in a day than a person does. At night, when hardly anybody signs
// in, it shows that they submit a form that they have not loaded, while those who sign in at
// other times loaded a page before.
//
// Not: people who mistype (they load pages, and most get in), a sign-in that is down
// (nobody gets in), an application or device with an old password (it is no browser).

const (
	// crowdNetworks is the minimum number of networks of a crowd: each of fewer is found by
	// its own failures.
	crowdNetworks = strangeAddresses
	// crowdSignIns is the minimum number of clients that sign in, at any host, while the crowd
	// fails: the accounts of several hosts are often the same.
	crowdSignIns = 10
	// crowdFew is that number if they are at least crowdUsual times as many as at other times:
	// the sign-in works, and one may have come by another door.
	crowdFew   = 2
	crowdUsual = 0.5
	// crowdBrowsers is the minimum share of the failures under the name of a browser.
	crowdBrowsers = 0.5
	// crowdTries is the number of failed tries a day of the typical client above which it is
	// no person: products lock an account after 3 to 10.
	crowdTries = 10
)

// guessingCrowd is the failures of strangers at a sign-in.
type guessingCrowd struct {
	endpoint uint32
	attack
	clients  map[timeline.Client]int
	networks map[string]bool
	browsers int // failures
	entered  map[timeline.Client]bool
	others   int // sign-ins at other times
	// Of a part of another crowd, that crowd: its clients had loaded no page, and the lines name no
	// accounts.
	pagelessOf *guessingCrowd
	// Of a burst, see guessing_bursts.go; tools says that most of it is software with which nobody
	// signs in.
	burst, tools bool
}

// arrivalsByPage counts the clients that signed in, once each.
type arrivalsByPage struct {
	clients map[timeline.Client]bool
	loaded  int // of them: had loaded a page before
}

// add adds a sign-in that the log shows.
func (n *arrivalsByPage) add(d *Diagnosis, s *session.Record) {
	if n.clients[s.Client] {
		return
	}
	n.clients[s.Client] = true
	if d.loadedBefore(s.Client, s.Start) {
		n.loaded++
	}
}

// loadedBefore reports whether a client was answered with a page, or anything else, before a
// time, which is in Unix milliseconds.
func (d *Diagnosis) loadedBefore(client timeline.Client, ms int64) bool {
	c := d.Clients[client]
	return c != nil && c.Tally.FirstAccepted != parse.NoTime && c.Tally.FirstAccepted < ms*1000
}

// chance returns the chance that as many clients of a crowd as are in a part of it have loaded
// nothing, if they are like those who sign in; 1 if too few do.
func (n *arrivalsByPage) chance(part, crowd *guessingCrowd) float64 {
	came := int64(len(n.clients))
	if came < crowdSignIns {
		return 1
	}
	return stats.BinomialTail(int64(len(part.clients)), int64(len(crowd.clients)), 1-stats.WilsonLower(int64(n.loaded), came, stats.Z95))
}

// works reports whether people can sign in while the crowd fails.
func (c *guessingCrowd) works(d *Diagnosis) bool {
	n, lasts := len(c.entered), c.end-c.start
	usual := float64(c.others) * float64(lasts) / float64(max(d.To-d.From-lasts, 1))
	return n >= crowdSignIns || n >= crowdFew && float64(n) >= crowdUsual*usual
}

// restOfGuesses returns the crowds that guess passwords, of what other kinds leave.
func restOfGuesses(d *Diagnosis, _ observer) ([]candidate, error) {
	crowds := d.guessingCrowds()
	if failing := d.failingComers(); len(failing) > 0 {
		in, err := d.whoSignsIn()
		if err != nil {
			return nil, err
		}
		crowds = append(crowds, d.guessingBursts(failing, in)...)
	}
	if len(crowds) == 0 {
		return nil, nil
	}
	byPage := arrivalsByPage{clients: map[timeline.Client]bool{}}
	for s, err := range d.EachSession() {
		if err != nil {
			return nil, err
		}
		if s.StartSeen {
			byPage.add(d, s)
		}
		for _, c := range crowds {
			switch {
			case !s.StartSeen:
			case c.clients[s.Client] > 0 && s.Start > c.start: // one of the tries was good
				c.successes = append(c.successes, try{
					time: s.Start, refusal: timeline.NoRefusal, user: s.User, address: s.Client.Address, agent: s.Client.Agent, endpoint: c.endpoint, challenge: timeline.NoRefusal,
				})
			case s.Start >= c.start && s.Start <= c.end:
				c.entered[s.Client] = true
			default:
				c.others++
			}
		}
	}
	var found []candidate
	for _, c := range crowds {
		entered, crowd := int64(len(c.entered)), int64(len(c.clients))
		a := &c.attack
		counts := slices.Sorted(maps.Values(c.clients))
		days := (a.end-a.start)/dayLength + 1
		switch {
		case c.pagelessOf != nil:
			a.p = byPage.chance(c, c.pagelessOf)
		case !c.tools && !c.works(d):
			continue
		case c.burst:
		case int64(counts[len(counts)/2]) > crowdTries*days:
			a.p = stats.BinomialTail(int64(c.failures), int64(c.failures)+entered, crowdFails)
		default:
			a.p = stats.BinomialTail(crowd, crowd+entered, crowdFails)
		}
		if a.p *= float64(len(crowds)); a.p > attackFalse {
			continue
		}
		a.settle(d)
		cand, details := d.attackFinding(a, stats.WilsonLower(crowd, crowd+entered, stats.Z95))
		cand.Subject, details.Addresses = d.toolSubject(a), a.addresses
		found = append(found, cand)
	}
	return found, nil
}

// guessingCrowds returns the failures at each sign-in of clients that do nothing else, if
// they are many and from many networks, in the order of the endpoints, each followed by its
// part that had loaded no page.
func (d *Diagnosis) guessingCrowds() (found []*guessingCrowd) {
	all := map[uint32]*[2]*guessingCrowd{}
	type failures struct {
		n     int64
		first int64 // Unix milliseconds
	}
	failed := map[timeline.Client]failures{}
	idle := func(i int, r *session.Refusal) bool {
		if !r.SignIn || r.Known || r.Good || r.Renewal || d.State.Unlisted(r.Client()) || d.inOutageOf(i, r, anyContrast) {
			return false
		}
		s := d.Clients[r.Client()]
		return s != nil && s.Tally.N[timeline.Accepted] <= s.Tally.N[timeline.Unauthorized]
	}
	for i, r := range d.eachOpen() {
		if idle(i, r) {
			f := failed[r.Client()]
			if f.n++; f.n == 1 {
				f.first = r.Time
			}
			failed[r.Client()] = f
		}
	}
	for i, r := range d.eachOpen() {
		f := failed[r.Client()]
		if !idle(i, r) || 2*f.n <= d.Clients[r.Client()].Tally.N[timeline.Unauthorized] {
			continue
		}
		c := all[r.Endpoint]
		if c == nil {
			whole := newGuessingCrowd(r.Endpoint, nil)
			c = &[2]*guessingCrowd{whole, newGuessingCrowd(r.Endpoint, whole)}
			all[r.Endpoint] = c
		}
		c[0].fail(d, i, r)
		if r.User == 0 && !d.loadedBefore(r.Client(), f.first) {
			c[1].fail(d, i, r)
		}
	}
	for _, endpoint := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[endpoint] {
			if c.failures >= bruteAll && len(c.networks) >= crowdNetworks && float64(c.browsers) >= crowdBrowsers*float64(c.failures) {
				found = append(found, c)
			}
		}
	}
	return found
}

// newGuessingCrowd returns a crowd without failures; of is the one of which it is the part that
// had loaded no page, or nil.
func newGuessingCrowd(endpoint uint32, of *guessingCrowd) *guessingCrowd {
	return &guessingCrowd{
		endpoint: endpoint, attack: newAttack(everywhere, 1), clients: map[timeline.Client]int{}, networks: map[string]bool{},
		entered: map[timeline.Client]bool{}, pagelessOf: of,
	}
}

// fail adds a failure.
func (c *guessingCrowd) fail(d *Diagnosis, i int, r *session.Refusal) {
	c.add(d, &try{time: r.Time, refusal: uint32(i), user: r.User, address: r.Address, agent: r.Agent,
		endpoint: r.Endpoint, challenge: timeline.NoRefusal})
	if c.clients[r.Client()]++; c.clients[r.Client()] == 1 {
		p, _ := networkOf(d.State.Addresses[r.Address])
		c.networks[p.String()] = true
	}
	if isBrowser(d.State.Agents[r.Agent]) {
		c.browsers++
	}
}
