package detect

import (
	"fmt"
	"math"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
)

// bruteForce finds clients that guess many passwords at one or a few accounts.
//
// Sign: from one address, whatever user agents it shows, a run of failed tries
// at a sign-in route or with names of their own, hardly any of which succeeds:
// 20, within ten minutes where the log does not name the accounts, or 50. Not: a forgotten password (a few tries), the
// owner of an account (the user was accepted from that address before), an
// address that hundreds share (their tries succeed), a program whose key has
// expired (it was accepted, and goes on at its pace, or begins to repeat itself at
// one), a program with a wrong password (one name, at one pace, from the first
// line to the last), few tries at each of many accounts (password_spraying,
// credential_stuffing).
//
// Statistic: the tries of an address in the order of time, each scored by its
// log likelihood under an attack against that under a clumsy crowd; the run
// with the greatest sum is the attack, and n·exp(-sum) bounds its chance
// (Karlin and Altschul 1990). The thresholds are those of the detection rules
// that Elastic publishes for identity providers.
var bruteForce = Kind{
	Name:     "brute_force",
	Label:    "Brute force",
	Meaning:  "One client guesses many passwords of one or few accounts.",
	Category: AttackCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	observe:  observeGuesses,
	inspect:  inspectBruteForce,
}

const (
	// bruteFast failures at accounts that were never accepted from there are
	// more than a person tries. Where the log names no account, one may be the
	// owner: then they must fall within bruteWindow milliseconds, or be bruteAll.
	bruteFast   = 20
	bruteWindow = 10 * 60_000
	bruteAll    = 50
	// bruteFails is the share of an attack's tries that fail, crowdFails that of
	// a crowd: half is beyond the clumsiest, of whom each knows a password.
	bruteFails = 0.97
	crowdFails = 0.5
	// bruteShare of the tries in the run must fail: success is near 0.
	bruteShare = 0.9
	// sprayUsers from which on an attack with few tries at each is no brute
	// force; sprayFew and sprayMost are these few: lock-out begins beyond.
	sprayUsers = 5
	sprayFew   = 3
	sprayMost  = 8
	// goesOn is how much later, in milliseconds, the success of an attack is
	// still its own: it stops when it has what it wants.
	goesOn = 10 * 60_000
	// bruteHuge tries make a finding of weight, even without a success.
	bruteHuge = 1000
)

// wide tells whether an attack tries few passwords at each of many accounts.
func (a *attack) wide() bool {
	if len(a.users) < sprayUsers {
		return false
	}
	median, _, upTo := a.perUser(sprayMost)
	return median <= sprayFew && upTo >= bruteShare
}

func inspectBruteForce(c *Diagnosis, _ observer) ([]candidate, error) {
	if c.guesses == nil {
		return nil, nil
	}
	var found []candidate
	for _, a := range c.guesses.attackers(c.guesses.bruteRun) {
		if !a.wide() {
			found = append(found, c.guessing(&a))
		}
	}
	return found, nil
}

// bruteRun finds the run of failures in the tries of a guesser.
func (o *guessObserver) bruteRun(g guesser, list []try) (attack, bool) {
	scores := make([]float64, len(list))
	for i := range list {
		scores[i] = math.Log((1 - bruteFails) / (1 - crowdFails))
		if list[i].failed() {
			scores[i] = math.Log(bruteFails / crowdFails)
		}
	}
	from, to, sum := stats.MaxSegment(scores)
	a := attack{guesser: g, p: stats.SegmentTail(sum, len(list))}
	failed := 0
	for i := range list {
		if list[i].failed() {
			failed++
		}
	}
	if float64(failed) >= bruteShare*float64(len(list)) {
		from, to = 0, len(list) // nobody else comes from there
	}
	agents := map[uint32]int{}
	for _, t := range list[from:to] {
		if t.failed() {
			a.failures = append(a.failures, t)
			agents[t.agent]++
		}
	}
	if len(a.failures) < bruteFast || float64(len(a.failures)) < bruteShare*float64(to-from) {
		return a, false
	}
	a.tally()
	if len(a.users) == 0 && len(a.failures) < bruteAll && !a.fast() || pacedBefore(list[:from], a.failures) || o.program(&a) {
		return a, false
	}
	for _, t := range list {
		guessed := a.users[t.user] > 0 || t.user == 0 && agents[t.agent] >= bruteFast/2
		if !t.failed() && t.time >= a.start && t.time <= a.end+goesOn && guessed {
			a.successes = append(a.successes, t)
		}
	}
	return a, true
}

// fast tells whether bruteFast failures fall into bruteWindow somewhere.
func (a *attack) fast() bool {
	for i := bruteFast - 1; i < len(a.failures); i++ {
		if a.failures[i].time-a.failures[i-bruteFast+1].time <= bruteWindow {
			return true
		}
	}
	return false
}

// program tells whether the failures are those of a program that repeats itself
// at a pace: a client that the log names nobody for and that was accepted before,
// or one that was there all the time with one name and one route.
func (o *guessObserver) program(a *attack) bool {
	known, first := 0, &a.failures[0]
	times := make([]int64, len(a.failures))
	same := len(a.users) <= 1
	for i := range a.failures {
		t := &a.failures[i]
		times[i] = t.time
		if o.Refusals[t.fact].Known {
			known++
		}
		same = same && t.endpoint == first.endpoint && t.agent == first.agent
	}
	if len(a.users) == 0 && 2*known > len(times) {
		_, steady := pace(times)
		return steady
	}
	return same && o.allDay(times)
}

// allDay tells whether a client keeps a pace from the beginning of the log to
// its end.
func (c *Diagnosis) allDay(times []int64) bool {
	period, steady := pace(times)
	return steady && period >= probePeriod &&
		times[0]-c.From <= 2*period && c.To-times[len(times)-1] <= 2*period+60_000 // whole minutes
}

// pacedBefore tells whether the tries before succeeded, and came at the pace of
// the failures: a program whose credentials have come to their end.
func pacedBefore(tries, failures []try) bool {
	succeeded := make([]int64, 0, len(tries))
	for _, t := range tries {
		if !t.failed() {
			succeeded = append(succeeded, t.time)
		}
	}
	failed := make([]int64, len(failures))
	for i := range failures {
		failed[i] = failures[i].time
	}
	then, steadyThen := pace(succeeded)
	now, steadyNow := pace(failed)
	return steadyThen && steadyNow && now <= 2*then && then <= 2*now
}

// pace gives the typical gap between times, and whether a machine keeps it.
func pace(times []int64) (typical int64, steady bool) {
	gaps := gapsOf(times)
	typical, near := stats.Steady(gaps, clockStep)
	return typical, len(gaps) >= steadyGaps && float64(near) >= steadyShare*float64(len(gaps))
}

const (
	// steadyGaps is how many gaps show a pace at all.
	steadyGaps = 4
	// steadyShare of the gaps are near the typical one where a machine asks:
	// of random ones it is a third.
	steadyShare = 0.8
)

func (c *Diagnosis) guessing(a *attack) candidate {
	cand := candidate{claims: c.claimsOf(a)}
	cand.Subject = c.guesserSubject(a.guesser)
	cand.Onset = a.start * 1000
	cand.Confidence = confidence(a.p, stats.WilsonLower(int64(len(a.failures)), int64(len(a.failures)+len(a.successes)), stats.Z95))
	cand.Severity = a.severity(c)
	whom := fmt.Sprintf("at %s", count(len(a.users), "account"))
	if len(a.users) == 0 {
		whom = "at accounts that the log does not name"
	}
	cand.Title = Say("%s guesses passwords %s: %d failures", c.who(a.guesser), whom, len(a.failures))
	cand.Explanation = Say("%d tries %s failed between %s and %s; %s.",
		len(a.failures), whom, Clock(a.start*1000), Clock(a.end*1000), succeeded(len(a.successes)))
	if len(a.users) > 0 {
		cand.Explanation += " None was made by a user who had been accepted from that address before."
	} else {
		cand.Explanation += " Whether they were made at one account or at many, this log cannot tell."
	}
	cand.Remediation = append(c.successRemedy(a),
		"Limit tries per address and per account (nginx limit_req on the sign-in location, Apache mod_evasive or mod_security, fail2ban on 401s), and slow down after each failure.",
		"Block the address while it lasts; look for the same user agent from others.",
		"Ask for a second factor: then a guessed password alone opens nothing.",
	)
	cand.Details, cand.Exhibit = c.attackDetails(a), c.byAccount(a, cand.claims)
	return cand
}

// severity is critical where the attack got in, and otherwise by its size and
// whether it lasts.
func (a *attack) severity(c *Diagnosis) result.Severity {
	switch {
	case len(a.successes) > 0:
		return result.Critical
	case len(a.failures) >= bruteHuge || a.end >= c.To-session.Nearby:
		return result.High
	}
	return result.Medium
}

func (c *Diagnosis) who(g guesser) string {
	s := result.Clean(c.State.Addresses[g.address])
	if s == "" {
		return "A client"
	}
	return "Client " + s
}

func succeeded(n int) string {
	if n == 0 {
		return "none succeeded"
	}
	return Say("%d then succeeded", n)
}

// successRemedy tells first what is urgent.
func (c *Diagnosis) successRemedy(a *attack) []string {
	if len(a.successes) == 0 {
		return nil
	}
	return []string{
		"Somebody got in: lock the accounts named in the details, end their sessions, change their passwords, and look at what they did since.",
	}
}

func (c *Diagnosis) attackDetails(a *attack) map[string]any {
	agents, guessed := map[uint32]bool{}, make([]uint32, 0, len(a.users))
	for i := range a.failures {
		agents[a.failures[i].agent] = true
	}
	for u := range a.users {
		guessed = append(guessed, u)
	}
	d := map[string]any{
		"start": Clock(a.start * 1000), "end": Clock(a.end * 1000), "failures": len(a.failures), "successes": len(a.successes),
		"user_agents": len(agents), "p_value": a.p,
	}
	if len(a.users) > 0 {
		d["accounts"], d["account_names"] = len(a.users), c.userNames(guessed)
	}
	var opened []uint32
	for i := range a.successes {
		if u := a.successes[i].user; u != 0 {
			opened = append(opened, u)
		}
	}
	if len(a.successes) > 0 {
		d["first_success"] = Clock(a.successes[0].time * 1000)
		d["compromised"] = c.userNames(opened)
	}
	return d
}
