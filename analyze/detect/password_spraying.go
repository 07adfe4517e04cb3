package detect

import (
	"math"
	"slices"

	"logscan/analyze/stats"
)

// passwordSpraying finds clients that try a few passwords at each of many
// accounts, so that none of them is locked.
//
// Sign: from one address at least 5 users fail in at least 15 tries, few tries
// each, some of them more than once, and hardly any is accepted. Not: an
// address that hundreds share (those who mistype are accepted soon after),
// accounts that fail by themselves (they are at home where they fail), a list of
// stolen passwords (once each: credential_stuffing).
//
// Statistic: the users of an address in the order in which they first came,
// accepted or not, scored by the log likelihood of an attack against that of a
// crowd in which as many give up as among those who mistype elsewhere; the run
// with the greatest sum, with the bound of Karlin and Altschul (1990).
var passwordSpraying = Kind{
	Name:     "password_spraying",
	Label:    "Password spraying",
	Meaning:  "One client tries few passwords on each of many accounts.",
	Category: AttackCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	observe:  observeGuesses,
	inspect:  inspectSpraying,
}

const (
	// sprayTries at sprayUsers are the least that tell spraying from a family
	// that has changed its passwords; published rules ask for 15 to 25, without
	// looking at who else comes from the address.
	sprayTries = 10
	// wideFails is the share of the users of an attack that are not accepted.
	wideFails = 0.97
	// wideShare of the users of the run must fail: of stolen passwords a few in
	// a hundred work.
	wideShare = 0.8
)

func inspectSpraying(c *Diagnosis, _ observer) ([]candidate, error) {
	if c.guesses == nil {
		return nil, nil
	}
	var found []candidate
	attacks := c.guesses.attackers(c.guesses.wideRun)
	for i, stuffs := range tell(attacks) {
		if !stuffs {
			found = append(found, c.spraying(&attacks[i]))
		}
	}
	return found, nil
}

// comer is a user as it first comes to a guesser.
type comer struct {
	user  uint32 // 0 for an acceptance that names nobody
	first int64
	in    *try // its first acceptance
}

// comers lists the users of a guesser in the order of time.
func comers(list []try) []comer {
	var order []comer
	place := map[uint32]int{}
	for i := range list {
		t := &list[i]
		n, ok := place[t.user]
		switch {
		case t.user == 0 && t.failed():
			continue
		case t.user == 0 || !ok:
			n = len(order)
			place[t.user] = n
			order = append(order, comer{user: t.user, first: t.time})
		}
		if !t.failed() && order[n].in == nil {
			order[n].in = t
		}
	}
	return order
}

// acceptedOf counts those who were accepted.
func acceptedOf(order []comer) int {
	n := 0
	for i := range order {
		if order[i].in != nil {
			n++
		}
	}
	return n
}

// wideRun finds the run of users that fail in the tries of a guesser.
func (o *guessObserver) wideRun(g guesser, list []try) (attack, bool) {
	order := comers(list)
	scores := make([]float64, len(order))
	for i := range order {
		scores[i] = math.Log(wideFails / o.givingUp)
		if order[i].in != nil {
			scores[i] = math.Log((1 - wideFails) / (1 - o.givingUp))
		}
	}
	from, to, sum := stats.MaxSegment(scores)
	a := attack{guesser: g, p: stats.SegmentTail(sum, len(order))}
	if to-from < sprayUsers {
		return a, false
	}
	if none := len(order) - acceptedOf(order); float64(none) >= wideShare*float64(len(order)) {
		from, to = 0, len(order) // nobody else comes from there
	}
	in, agents := map[uint32]bool{}, map[uint32]bool{}
	for i := from; i < to; i++ {
		if order[i].user != 0 {
			in[order[i].user] = true
		}
	}
	failed := to - from - acceptedOf(order[from:to])
	for _, t := range list {
		if t.failed() && in[t.user] {
			a.failures = append(a.failures, t)
			agents[t.agent] = true
		}
	}
	if failed < sprayUsers || len(a.failures) < sprayTries || float64(failed) < wideShare*float64(to-from) {
		return a, false
	}
	a.tally()
	for i := from; i < to; i++ {
		if x := order[i].in; x != nil && x.user != 0 && agents[x.agent] {
			a.successes = append(a.successes, *x)
		}
	}
	slices.SortFunc(a.successes, compareTries)
	return a, a.wide()
}

func (c *Diagnosis) spraying(a *attack) candidate {
	cand := c.wideFinding(a)
	median, _, _ := a.perUser(sprayMost)
	cand.Subject = c.guesserSubject(a.guesser)
	cand.Title = Say("%s tries a few passwords at each of %d accounts", c.who(a.guesser), len(a.users))
	cand.Explanation = Say("%d tries at %d accounts failed between %s and %s, mostly %d at each: few enough that no account is locked. None of the users had been accepted from that address before, and %s since.",
		len(a.failures), len(a.users), Clock(a.start*1000), Clock(a.end*1000), median, wereAccepted(len(a.successes)))
	cand.Remediation = append(c.successRemedy(a),
		"Limit failures per address over all accounts; a lock for each account does not see this attack.",
		"Refuse common and leaked passwords, and ask for a second factor.",
		"Look for the accounts' next sign-in from another address: the same passwords are tried from elsewhere.",
	)
	return cand
}

func wereAccepted(n int) string {
	switch n {
	case 0:
		return "none was"
	case 1:
		return "1 was"
	}
	return Say("%d were", n)
}

// wideFinding is what the findings of attacks on many accounts have in common.
func (c *Diagnosis) wideFinding(a *attack) candidate {
	cand := candidate{claims: c.claimsOf(a)}
	cand.Onset = a.start * 1000
	cand.Confidence = confidence(a.p, stats.WilsonLower(int64(len(a.users)), int64(len(a.users)+len(a.successes)), stats.Z95)+0.1)
	cand.Severity = a.severity(c)
	cand.Details, cand.Exhibit = c.attackDetails(a), c.byAccount(a, cand.claims)
	cand.Details.(map[string]any)["tries_per_account"] = round(float64(len(a.failures))/float64(max(len(a.users), 1)), 2)
	return cand
}
