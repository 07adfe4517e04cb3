package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
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
	start, end int64 // Unix milliseconds
	failures   []try
	users      map[uint32]int // failures by user named
	successes  []try          // of guessed accounts, by time
	p          float64
}

// everywhere is the place of an attack from several origins.
const everywhere = -1

// newAttack returns an attack of the failures of an origin with a p-value.
func newAttack(place int, failures []try, p float64) attack {
	a := attack{place: place, failures: failures, users: map[uint32]int{}, p: p}
	for i := range failures {
		if u := failures[i].user; u != 0 {
			a.users[u]++
		}
	}
	if len(failures) > 0 {
		a.start, a.end = failures[0].time, failures[len(failures)-1].time
	}
	return a
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
func (o *guessObserver) attackers(find func(place int, tries []try) (attack, bool)) []attack {
	var found []attack
	tested := 0
	for place, all := range o.tries {
		list := o.strangers(all)
		if len(list) == 0 {
			continue
		}
		tested++
		a, ok := find(place, list)
		failures := a.failures
		if !ok {
			failures = list
		}
		if agent, share := mainAgent(failures); share < 1 && (!ok || share >= mainShare) {
			tested++
			own := slices.DeleteFunc(slices.Clone(list), func(t try) bool { return t.agent != agent })
			if b, okOwn := find(place, own); okOwn {
				a, ok = b, true
			}
		}
		if ok {
			found = append(found, a)
		}
	}
	return slices.DeleteFunc(found, func(a attack) bool { return a.p*float64(tested) > attackFalse || o.d.spread(a.endpoints()) })
}

// endpoints returns the number of failures by endpoint.
func (a *attack) endpoints() map[uint32]int {
	n := map[uint32]int{}
	for i := range a.failures {
		n[a.failures[i].endpoint]++
	}
	return n
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

// mainAgent returns the user agent with most failures, and its share of them.
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

// attackFinding returns what the findings of all attacks have in common. The
// confidence is that of an effect.
func (d *Diagnosis) attackFinding(a *attack, effect float64) (candidate, *Attack) {
	details := attackDetails(d, a)
	c := candidate{claims: attackClaims(d, a)}
	if a.place != everywhere {
		c.Subject = d.guesses.origins[a.place].subject(d)
		if n := addressesOf(a.failures); n > 1 {
			details.Addresses = n
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

// attackClaims returns the failures of an attack, and the refusals before them of a
// client that first asks without credentials.
func attackClaims(d *Diagnosis, a *attack) []uint32 {
	list := make([]uint32, 0, len(a.failures))
	for i := range a.failures {
		t := &a.failures[i]
		list = append(list, t.refusal)
		if t.challenge != timeline.NoRefusal && d.open(int(t.challenge)) {
			list = append(list, t.challenge)
		}
	}
	slices.Sort(list)
	return list
}

// attackSeverity returns critical for an attack that succeeded, else a severity by
// its size and whether it goes on at the end of the log.
func attackSeverity(d *Diagnosis, a *attack) result.Severity {
	switch {
	case len(a.successes) > 0:
		return result.Critical
	case len(a.failures) >= hugeAttack || a.end >= d.To-session.Nearby:
		return result.High
	}
	return result.Medium
}

func attackDetails(d *Diagnosis, a *attack) *Attack {
	agents := map[uint32]bool{}
	for i := range a.failures {
		agents[a.failures[i].agent] = true
	}
	details := &Attack{
		Start: result.Time(a.start * 1000), End: result.Time(a.end * 1000), Failures: len(a.failures), Successes: len(a.successes),
		Accounts: len(a.users), Tried: len(a.users) + len(a.successes), UserAgents: len(agents), PValue: result.Probability(a.p),
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
