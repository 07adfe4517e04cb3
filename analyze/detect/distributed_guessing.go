package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// distributedGuessing finds accounts at which many clients guess, each a few
// times.
//
// Sign: failures of one account from at least 10 addresses from which it had
// never been accepted. Not: the owner on the move, who is accepted after a
// mistyped password; an account that is locked, which fails where it is at
// home; one client's many guesses (brute_force).
//
// Statistic: the Poisson tail of the number of strange addresses against the
// mean over the accounts that fail, adjusted by Benjamini and Hochberg.
var distributedGuessing = Kind{
	Name:     "distributed_guessing",
	Label:    "Distributed guessing",
	Meaning:  "Many clients guess the password of one account.",
	Category: AttackCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	observe:  observeGuesses,
	inspect:  inspectDistributed,
}

const (
	// strangeAddresses is from how many addresses an account must fail.
	strangeAddresses = 10
	// slips is how many failures before a success are the owner's own.
	slips = 4
)

func inspectDistributed(c *Diagnosis, _ observer) ([]candidate, error) {
	o := c.guesses
	if o == nil {
		return nil, nil
	}
	by := map[uint32]map[uint32][]uint32{} // facts by user and address
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if f.User == 0 || !f.Named || !c.guess(i) || o.user[f.User] == 0 || o.atHome(f.User, f.Address, f.Time) {
			continue
		}
		if by[f.User] == nil {
			by[f.User] = map[uint32][]uint32{}
		}
		by[f.User][f.Address] = append(by[f.User][f.Address], uint32(i))
	}
	var users []uint32
	var p []float64
	for u := range uint32(len(o.user)) {
		if by[u] == nil {
			continue
		}
		for a, facts := range by[u] {
			if _, ok := o.accepted[home{u, a}]; ok && len(facts) <= slips {
				delete(by[u], a) // it was the owner, who got in in the end
			}
		}
		users = append(users, u)
		p = append(p, stats.PoissonTail(int64(len(by[u])), o.usualFrom))
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, u := range users {
		if len(by[u]) >= strangeAddresses && adjusted[n] <= accountFalse {
			found = append(found, c.guessedAccount(u, by[u], adjusted[n]))
		}
	}
	return found, nil
}

func (c *Diagnosis) guessedAccount(user uint32, by map[uint32][]uint32, p float64) candidate {
	var cand candidate
	agents := map[uint32]bool{}
	entered := 0
	for a, facts := range by {
		cand.claims = append(cand.claims, facts...)
		if _, ok := c.guesses.accepted[home{user, a}]; ok {
			entered++
		}
		for _, i := range facts {
			agents[c.Refusals[i].Agent] = true
		}
	}
	slices.Sort(cand.claims)
	name := result.Clean(c.State.Users[user-1].Name)
	first, last := c.Refusals[cand.claims[0]].Time, c.Refusals[cand.claims[len(cand.claims)-1]].Time
	cand.Subject = result.Subject{Type: "account", User: name}
	cand.Onset = first * 1000
	cand.Confidence = confidence(p, stats.WilsonLower(int64(len(by)-entered), int64(len(by)), stats.Z95)+0.1)
	cand.Severity = result.Medium
	switch {
	case entered > 0:
		cand.Severity = result.Critical
		cand.Remediation = []string{"Somebody got in from an address that had guessed: lock the account, end its sessions, change its password, and look at what it did since."}
	case last >= c.To-session.Nearby:
		cand.Severity = result.High
	}
	cand.Title = Say("Account %s is guessed at from %d addresses", name, len(by))
	cand.Explanation = Say("%d tries from %d addresses failed between %s and %s; the account had not been accepted from any of them before. Other accounts fail from up to %.1f addresses on average.",
		len(cand.claims), len(by), Clock(first*1000), Clock(last*1000), c.guesses.usualFrom)
	cand.Remediation = append(cand.Remediation,
		"Limit failures per account, with a delay that grows; a limit per address does not see this attack, and a lock shuts out the owner.",
		"Ask for a second factor, and tell the owner.",
		"Rename accounts that everybody knows (admin, root, test), or refuse them from outside.",
	)
	u := &c.State.Users[user-1]
	cand.Details = map[string]any{
		"start": Clock(first * 1000), "end": Clock(last * 1000), "failures": len(cand.claims), "addresses": len(by),
		"user_agents": len(agents), "entered_from": entered, "accepted_elsewhere": u.N[timeline.Accepted], "p_value": p,
	}
	return cand
}
