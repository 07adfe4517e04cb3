package detect

import (
	"fmt"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// accountFailure finds accounts that were accepted before and are refused from
// a time on, while others go on being accepted on the same routes.
//
// Sign: one user, refused every time since, in several tries. Not: a mistyped
// password (success follows), an expired session that a page keeps polling
// (one session, no credentials of its own), a broken route (others are refused
// there too), guessing at an account by strangers (from where it was never
// accepted), a program's account (its rounds keep a pace: integration_failure).
//
// Statistic: a change-point in the user's own outcomes, bursts taken as one; and
// the chance that all tries since are refused at the shares of refusals that
// other users met on the same routes, adjusted by Benjamini and Hochberg over
// the accounts.
var accountFailure = Kind{
	Name:     "account_failure",
	Label:    "Failing account",
	Meaning:  "One account is refused where others are accepted: locked, expired or revoked.",
	Category: AccountCategory,
	Needs:    []string{needTime, needStatus, needPath, needUser},
	observe:  observeAccounts,
	inspect:  inspectAccounts,
}

const (
	// accountRefused is how many 401s make an account worth a look.
	accountRefused = 4
	// accountTries refused, each a burst of its own, show that it is not one
	// page that was open.
	accountTries = 4
	// accountFew tries, if not more, must lie accountSpan milliseconds apart: who
	// mistypes and gives up does so in one sitting.
	accountFew  = 8
	accountSpan = 5 * 60_000
	// tryGap in milliseconds joins what one page asks for into one try; a
	// person who tries again needs longer.
	tryGap = 2000
	// accountAccepted times it must have been accepted before: an account that
	// never was may not exist.
	accountAccepted = 2
	// accountGain is what the change must gain in log likelihood.
	accountGain = 3
	// accountFalse is the share of false reports allowed over all accounts.
	accountFalse = 0.001
	// accountPlaces is from how many addresses, beside those where the account
	// was accepted, its owner may try: home, phone, a friend's.
	accountPlaces = 3
	// maxAccounts are looked at: those with most 401s.
	maxAccounts = 2000
)

func inspectAccounts(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	followed := seen.(*accountObserver)
	type tested struct {
		user uint32
		turn turn
	}
	var tests []tested
	var p []float64
	refused := c.openRefused()
	for n, u := range followed.users {
		if t, ok := findTurn(byOwner(c.openAttempts(followed.attempts[n]))); ok && !t.machine() {
			expected, chance := c.compare(&t, refused)
			t.expected = expected
			tests = append(tests, tested{u, t})
			p = append(p, chance)
		}
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, t := range tests {
		if adjusted[n] <= accountFalse {
			found = append(found, c.failingAccount(t.user, t.turn, adjusted[n]))
		}
	}
	return found, nil
}

// openAttempts gives attempts without those that are explained.
func (c *Diagnosis) openAttempts(all []attempt) []attempt {
	return slices.DeleteFunc(slices.Clone(all), func(a attempt) bool {
		return a.fact != timeline.NoRefusal && !c.open(int(a.fact))
	})
}

// byOwner gives attempts without the failures of strangers: those from
// addresses where the account was never accepted, when there are many, when they
// are more than a person tries, or with a user agent of their own.
func byOwner(all []attempt) []attempt {
	home, agents := map[uint32]bool{}, map[uint32]bool{}
	for _, a := range all {
		if a.fact == timeline.NoRefusal {
			home[a.client.Address], agents[a.client.Agent] = true, true
		}
	}
	strange := map[uint32]int{}
	for _, a := range all {
		if !home[a.client.Address] {
			strange[a.client.Address]++
		}
	}
	return slices.DeleteFunc(all, func(a attempt) bool {
		n := strange[a.client.Address]
		return n > 0 && (len(strange) > accountPlaces || n >= bruteFast || !agents[a.client.Agent])
	})
}

// turn is where an account turns from accepted to refused.
type turn struct {
	lastAccepted, firstRefused int64 // Unix milliseconds
	accepted                   int64 // tries before
	tries                      int64 // tries since, all refused
	gain                       float64
	expected                   float64 // of the tries since, refused as others were
	before, since              []attempt
}

// machine tells whether a program made the attempts: one client keeps a pace
// before and after.
func (t *turn) machine() bool {
	client := t.since[0].client
	for _, a := range t.since {
		if a.client != client {
			return false
		}
	}
	times := func(list []attempt) []int64 {
		var all []int64
		for _, a := range list {
			if a.client == client {
				all = append(all, a.time)
			}
		}
		return rounds(all)
	}
	_, then := pace(times(t.before))
	_, now := pace(times(t.since))
	return then && now
}

// findTurn finds the change from acceptance to refusal that lasts to the end.
func findTurn(list []attempt) (turn, bool) {
	var t turn
	from := len(list)
	for from > 0 && list[from-1].fact != timeline.NoRefusal {
		from--
	}
	if from == 0 || from == len(list) {
		return t, false
	}
	t.before, t.since = list[:from], list[from:]
	t.lastAccepted, t.firstRefused = list[from-1].time, list[from].time
	actors := map[uint32]bool{}
	own := false
	for _, a := range t.since {
		actors[a.actor] = true
		own = own || a.own
	}
	// One try is a burst; the outcomes are those of the tries.
	var tries []stats.Cell
	last, lastRefused := int64(session.LongAgo), false
	for i, a := range list {
		refused := a.fact != timeline.NoRefusal
		if a.time-last > tryGap || refused != lastRefused {
			hit := int64(0)
			if refused {
				hit = 1
			}
			tries = append(tries, stats.Cell{Hits: hit, Trials: 1})
			if i >= from {
				t.tries++
			} else if !refused {
				t.accepted++
			}
		}
		last, lastRefused = a.time, refused
	}
	cut, ok := stats.Split(tries)
	t.gain = cut.Gain
	if !ok || cut.Gain < accountGain || cut.At != len(tries)-int(t.tries) {
		return t, false
	}
	if t.tries < accountFew && list[len(list)-1].time-t.firstRefused < accountSpan {
		return t, false
	}
	return t, t.tries >= accountTries && t.accepted >= accountAccepted && (own || len(actors) > 1)
}

// compare tells how many of the tries since the turn would have been refused had
// the account fared as others did on the same routes, and the chance that all
// would. refusals counts the 401s by endpoint that nothing explains.
func (c *Diagnosis) compare(t *turn, refusals []int64) (expected, chance float64) {
	own := map[uint32]int64{}
	for _, a := range t.since {
		own[a.endpoint]++
	}
	chance = 1
	last := int64(session.LongAgo)
	for _, a := range t.since {
		if a.time-last <= tryGap {
			last = a.time
			continue
		}
		last = a.time
		refused := max(refusals[a.endpoint]-own[a.endpoint], 0)
		accepted := c.State.Endpoints[a.endpoint].N[timeline.Accepted] + c.State.Endpoints[a.endpoint].N[timeline.Redirected]
		// One more of each: a route that nobody else asked says nothing.
		share := float64(refused+1) / float64(refused+accepted+2)
		expected += share
		chance *= share
	}
	return expected, chance
}

func (c *Diagnosis) failingAccount(user uint32, t turn, p float64) candidate {
	name := result.Clean(c.State.Users[user-1].Name)
	var cand candidate
	addresses, routes := map[uint32]bool{}, map[uint32]bool{}
	for _, a := range t.since {
		cand.claims = append(cand.claims, a.fact)
		addresses[c.Refusals[a.fact].Address] = true
		routes[a.endpoint] = true
	}
	slices.Sort(cand.claims)
	cand.Subject = result.Subject{Type: "account", User: name}
	cand.Onset = t.firstRefused * 1000
	cand.Confidence = confidence(p, stats.WilsonLower(t.tries, t.tries, stats.Z95)+0.2)
	cand.Severity = result.Medium
	cand.Title = fmt.Sprintf("Account %s is refused every time since %s", name, Clock(cand.Onset))
	cand.Explanation = Say("All %d tries (%s, from %s, on %s) were refused since %s; before, the account was accepted %d times, last at %s. As other users fared on the same routes, %.1f refusals were to be expected.",
		t.tries, count(len(t.since), "request"), plural(len(addresses), "address", "addresses"), count(len(routes), "route"), Clock(t.firstRefused*1000), t.accepted, Clock(t.lastAccepted*1000), t.expected)
	cand.Remediation = []string{
		"Ask the directory or identity provider for the account's state: locked, expired, disabled, password expired, removed from a group.",
		"For Basic authentication look for the entry in the .htpasswd file or the LDAP group that Require names.",
		"When a program uses the account, renew the stored password there first, or it will lock the account again.",
	}
	cand.Exhibit = beforeSince(t.accepted, 0, t.tries)
	cand.Details = map[string]any{
		"last_accepted": Clock(t.lastAccepted * 1000), "first_refused": Clock(t.firstRefused * 1000),
		"tries": t.tries, "accepted_before": t.accepted, "expected": round(t.expected, 2), "p_value": p,
		"addresses": len(addresses), "routes": len(routes),
	}
	return cand
}
