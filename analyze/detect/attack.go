package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

const (
	// attackFalse is the accepted share of runs with a false alarm. The p-values are
	// multiplied by the number of tests (Bonferroni), which costs little because an
	// attack is far beyond any threshold.
	attackFalse = 0.01
	// mainShare is the share of failures by one user agent from which on the attack
	// is attributed to it alone: an attacker who changes user agents uses all of
	// them about equally.
	mainShare = 0.75
	// hugeAttack is the number of failed tries from which on an attack is severe even
	// without a success.
	hugeAttack = 1000
	// spreadRoutes is the number of routes from which on, and spreadMost the share of the
	// most frequent one up to which, failures are those of people who use the site: who
	// guesses repeats one request with other passwords.
	spreadRoutes = 5
	spreadMost   = 0.5
)

// Attack is the details of a brute_force, password_spraying or credential_stuffing
// finding.
type Attack struct {
	Start           result.Time        `json:"start"`                       // first failed try
	End             result.Time        `json:"end"`                         // last failed try
	Failures        int                `json:"failures"`                    // failed tries
	Successes       int                `json:"successes"`                   // accepted tries at the same accounts
	FirstSuccess    result.Time        `json:"first_success,omitempty"`     // where Successes is not 0
	Accounts        int                `json:"accounts,omitempty"`          // that failed; 0 where the log does not name them
	AccountNames    []string           `json:"account_names,omitempty"`     // the first of them
	Compromised     []string           `json:"compromised,omitempty"`       // the first accounts that were opened; not nil where Successes is not 0
	Tried           int                `json:"-"`                           // accounts and successes
	TriesPerAccount float64            `json:"tries_per_account,omitempty"` // of attacks on many accounts
	Known           int                `json:"known_accounts,omitempty"`    // of those: accounts that failed, but sign in elsewhere
	Stolen          bool               `json:"-"`                           // the names, or what was opened, are those of a list stolen elsewhere
	Addresses       int                `json:"addresses,omitempty"`         // of credential_stuffing, and of a network
	UserAgents      int                `json:"user_agents"`
	PValue          result.Probability `json:"p_value"`
}

const (
	// clientName is the template of the client of a finding at the beginning of a
	// sentence.
	clientName = `{{with .Subject.ClientAddress}}Client {{.}}{{else}}A client{{end}}`
	// guesserName is the same for who guesses, which may be a network.
	guesserName = `{{if gt .Details.Addresses 1}}Clients at {{plural .Details.Addresses "address" "addresses"}}{{with .Subject.ClientAddress}} of {{.}}{{end}}{{else}}` + clientName + `{{end}}`
	// networkRemedy is a step against a network.
	networkRemedy = `{{if and (gt .Details.Addresses 1) .Subject.ClientAddress}}Limit or block the network {{.Subject.ClientAddress}} as a whole: its addresses cost nothing.{{end}}`
	// enteredRemedy is the first step after an attack that succeeded.
	enteredRemedy = `{{with .Details}}{{if .Successes}}Somebody got in: {{if .Compromised}}lock {{list .Compromised}}{{else}}find out which accounts were opened, lock them{{end}}, end their sessions, change their passwords, and check what they did since {{time .FirstSuccess}}.{{end}}{{end}}`
)

// attack is a series of tries from one origin, whatever the user agents, that mostly
// failed.
type attack struct {
	place      int   // of the origin, everywhere for those of several
	start, end int64 // of the failures, Unix milliseconds
	failures   int
	route      uint32         // endpoint of the first failure
	users      map[uint32]int // failures by user named
	successes  []try          // of guessed accounts, by time
	p          float64

	gaps    stats.Gaps // between failures
	guesses int        // failures, those of one page taken as one: requests to different routes that follow each other at once
	fast    bool       // bruteFast guesses fall within bruteWindow somewhere

	// What is known of the failures until settle, which sets what is below.
	detail            *attackDetail
	claims            ascending // see attackDetail
	addresses, agents int
	spread            bool // see Diagnosis.spread
}

// attackDetail is what takes memory for each failure of an attack, of which there may be
// thousands in a log.
type attackDetail struct {
	agents, endpoints, addresses map[uint32]int // failures
	// claims are the failures, and the refusals before them of a client that first asks
	// without credentials.
	claims []uint32
	round  map[uint32]bool  // endpoints of the last guess
	last   [bruteFast]int64 // times of guesses, each at its number modulo bruteFast
}

// everywhere is the place of an attack from several origins.
const everywhere = -1

// newAttack returns an attack from an origin, without failures, with a p-value.
func newAttack(place int, p float64) attack {
	return attack{place: place, p: p, users: map[uint32]int{}, detail: &attackDetail{
		agents: map[uint32]int{}, endpoints: map[uint32]int{}, addresses: map[uint32]int{}, round: map[uint32]bool{},
	}}
}

// add adds a failure that follows the others.
func (a *attack) add(d *Diagnosis, t *try) {
	x := a.detail
	if a.failures == 0 {
		a.start, a.route = t.time, t.endpoint
	} else {
		a.gaps.Add(t.time - a.end)
	}
	if a.failures == 0 || t.time-a.end > tryGap || x.round[t.endpoint] {
		clear(x.round)
		x.last[a.guesses%bruteFast] = t.time
		a.guesses++
		a.fast = a.fast || a.guesses >= bruteFast && t.time-x.last[a.guesses%bruteFast] <= bruteWindow
	}
	x.round[t.endpoint] = true
	a.failures++
	a.end = t.time
	if t.user != 0 {
		a.users[t.user]++
	}
	x.agents[t.agent]++
	x.endpoints[t.endpoint]++
	x.addresses[t.address]++
	x.claims = append(x.claims, t.refusal)
	if t.challenge != timeline.NoRefusal && d.open(int(t.challenge)) {
		x.claims = append(x.claims, t.challenge)
	}
}

// settle must be called when all failures were added.
func (a *attack) settle(d *Diagnosis) {
	x := a.detail
	slices.Sort(x.claims)
	a.claims = ascendingOf(slices.Values(x.claims))
	a.addresses, a.agents, a.spread = len(x.addresses), len(x.agents), d.spread(x.endpoints)
	a.detail = nil
}

// perUser returns the median number of tries per user, and the shares of the users
// tried once and at most few times.
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

// attackers returns the attacks that find detects in the tries of each origin. Many
// people may share an address: if one user agent makes nearly all the failures, or
// the origin as a whole shows no attack, find is applied to the tries of that user
// agent alone.
func (o *guessObserver) attackers(find func(place int, tries []try) (attack, bool)) ([]attack, error) {
	var found []attack
	tested := 0
	err := o.eachOrigin(func(place int, all []try) {
		list := o.strangers(all)
		if len(list) == 0 {
			return
		}
		tested++
		a, ok := find(place, list)
		var failures map[uint32]int
		if ok {
			failures = a.detail.agents
		} else {
			failures = agentsOf(list)
		}
		if agent, share := mainAgent(failures); share < 1 && (!ok || share >= mainShare) {
			tested++
			own := but(list, func(t *try) bool { return t.agent != agent })
			if b, okOwn := find(place, own); okOwn {
				a, ok = b, true
			}
		}
		if ok {
			a.settle(o.d)
			found = append(found, a)
		}
	})
	return slices.DeleteFunc(found, func(a attack) bool { return a.p*float64(tested) > attackFalse || a.spread }), err
}

// spread reports whether failures, by endpoint, are spread over many routes, as those of
// people who use the site.
func (d *Diagnosis) spread(failures map[uint32]int) bool {
	forms := map[uint32]int{}
	sum, most := 0, 0
	for endpoint, n := range failures {
		form := d.Form(endpoint)
		forms[form] += n
		sum, most = sum+n, max(most, forms[form])
	}
	return len(forms) >= spreadRoutes && float64(most) <= spreadMost*float64(sum)
}

// agentsOf returns the number of failures by user agent.
func agentsOf(list []try) map[uint32]int {
	n := map[uint32]int{}
	for i := range list {
		if list[i].failed() {
			n[list[i].agent]++
		}
	}
	return n
}

// mainAgent returns the user agent with most failures, and its share of them.
func mainAgent(n map[uint32]int) (agent uint32, share float64) {
	most, failures := 0, 0
	for a, k := range n {
		failures += k
		if k > most || k == most && a < agent {
			agent, most = a, k
		}
	}
	return agent, float64(most) / float64(max(failures, 1))
}

// attackFinding returns what the findings of all attacks, which are settled, have in
// common. The confidence is that of an effect.
func (d *Diagnosis) attackFinding(a *attack, effect float64) (candidate, *Attack) {
	details := attackDetails(d, a)
	c := candidate{packed: a.claims}
	if a.place != everywhere {
		c.Subject = d.guesses.origins[a.place].subject(d)
		if a.addresses > 1 {
			details.Addresses = a.addresses
		}
	}
	c.Onset = a.start * 1000
	c.Confidence = confidence(a.p, effect)
	c.Severity = attackSeverity(d, a)
	c.Details, c.Exhibit = details, d.byAccount(a)
	return c, details
}

// clientSubject returns the subject of a client at an address, whatever its user
// agents.
func (d *Diagnosis) clientSubject(address uint32) result.Subject {
	return result.Subject{Type: "client", ClientAddress: result.Clean(d.State.Addresses[address])}
}

// attackSeverity returns critical for an attack that succeeded, else a severity by
// its size and whether it goes on at the end of the log.
func attackSeverity(d *Diagnosis, a *attack) result.Severity {
	switch {
	case len(a.successes) > 0:
		return result.Critical
	case a.failures >= hugeAttack || a.end >= d.To-session.Nearby:
		return result.High
	}
	return result.Medium
}

func attackDetails(d *Diagnosis, a *attack) *Attack {
	details := &Attack{
		Start: result.Time(a.start * 1000), End: result.Time(a.end * 1000), Failures: a.failures, Successes: len(a.successes),
		Accounts: len(a.users), Tried: len(a.users) + len(a.successes), UserAgents: a.agents, PValue: result.Probability(a.p),
	}
	if len(a.users) > 0 {
		details.AccountNames = userNames(d, slices.Collect(maps.Keys(a.users)))
	}
	if len(a.successes) > 0 {
		var opened []uint32
		for i := range a.successes {
			if u := a.successes[i].user; u != 0 {
				opened = append(opened, u)
			}
		}
		details.FirstSuccess = result.Time(a.successes[0].time * 1000)
		details.Compromised = userNames(d, opened)
	}
	return details
}

// userNames returns the names of users in their order, at most MaxEvidence of them.
func userNames(d *Diagnosis, users []uint32) []string {
	slices.Sort(users)
	users = slices.Compact(users)
	names := make([]string, 0, min(len(users), result.MaxEvidence))
	for _, u := range users[:min(len(users), result.MaxEvidence)] {
		names = append(names, d.State.Users[u-1].Name)
	}
	return names
}
