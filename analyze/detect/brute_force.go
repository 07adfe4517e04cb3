package detect

import (
	"math"

	"logscan/analyze/stats"
	"logscan/parse"
)

// bruteForce finds clients that guess many passwords of one or a few accounts.
//
// Sign: from one address, whatever user agents it shows, a run of failed tries at a
// sign-in route or with names of their own, hardly any of which succeeds: 20, within
// ten minutes where the log does not name the accounts, or 50; or from many addresses with
// one user agent (tools.go), or that do nothing else (guessing_crowds.go, guessing_bursts.go).
// Not: a forgotten
// password (a few tries), the owner of an account (the user was accepted from that
// address before), an address that hundreds share (their tries succeed), a program
// whose key has expired (it was accepted, and goes on at its pace, or begins to
// repeat itself at one), a program with a wrong password (one name, at one pace, from
// the first line to the last), one name on many routes at a person's pace (an owner
// whose password has expired, which the browser sends with every page), the device of an account
// that is refused at home, too (it moves to other networks), a client that signed
// in there before and fails at a person's pace (its account may be locked), colleagues at
// an office who fail at such a pace, an outage, few tries at each of many accounts (password_spraying,
// credential_stuffing).
//
// Statistic: the tries of an address in the order of time, each scored by its log
// likelihood under an attack against that under a clumsy crowd; the run with the
// greatest sum is the attack, and n·exp(-sum) bounds its chance (Karlin and Altschul
// 1990). The thresholds are those of the detection rules that Elastic publishes for
// identity providers.
var bruteForce = Kind{
	Name:     "brute_force",
	Label:    "Brute force",
	Meaning:  "One client, or many with one program, guess passwords of a few accounts or of those that the log does not name.",
	Category: AttackCategory,
	Subjects: []string{"client", "site"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraForwarded},
	Details:  func() any { return new(Attack) },
	Title: guesserName + ` guessed passwords of {{with .Details}}{{if .Accounts}}{{count .Accounts "account"}}{{else}}accounts that the log does not name{{end}}:
		{{plural .Failures "failed try" "failed tries"}}, {{if .Successes}}{{number .Successes}} successful{{else}}none successful{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{plural .Failures "try" "tries"}} failed between {{time .Start}} and {{time .End}};
		{{if .Successes}}{{number .Successes}} then succeeded, the first at {{time .FirstSuccess}}{{else}}none succeeded{{end}}.
		{{if .Accounts}}None of these accounts had been accepted from this address before, so this is probably not their owner.
		{{else}}The log does not name the accounts, so it may be one or many.{{end}}{{end}}`,
	Remedy: []string{
		enteredRemedy,
		networkRemedy,
		`Limit tries per address and per account (nginx limit_req on the sign-in location, Apache mod_evasive or mod_security, fail2ban on 401s), and delay the next try after each failure.`,
		`Block the address while the attack lasts, and look for the same user agent at other addresses.`,
		`Require a second factor, so that a guessed password is not enough to sign in.`,
	},
	observe: observeGuesses,
	inspect: inspectBruteForce,
	rest:    restOfGuesses,
}

const (
	// bruteFast is the minimum number of failures, at accounts that were never
	// accepted from the address: more than a person tries. If the log does not name
	// the accounts, one of them may be the client's own. Then the failures must fall
	// within bruteWindow milliseconds, or there must be bruteAll of them.
	bruteFast   = 20
	bruteWindow = 10 * 60_000
	bruteAll    = 50
	// bruteFails is the share of an attack's tries that fail, and crowdFails that of
	// many people at one address: each of them knows a password, so half is more
	// than even the clumsiest fail.
	bruteFails = 0.97
	crowdFails = 0.5
	// bruteShare is the minimum share of failures in the run: success is rare.
	bruteShare = 0.9
	// ownerRoutes is the minimum number of routes on which one name fails if its owner
	// browses: who guesses does so at one.
	ownerRoutes = 3
	// personPause is the typical time between the tries of a person, in milliseconds, at least.
	personPause = 5000
	// successLater is how long after the last failure, in milliseconds, a success
	// still belongs to the attack, which stops when it has what it wants.
	successLater = 10 * 60_000
)

func inspectBruteForce(d *Diagnosis, _ observer) ([]candidate, error) {
	if d.guesses == nil {
		return nil, nil
	}
	var found []candidate
	attacks, err := d.guesses.attackers(d.guesses.bruteRun)
	if err != nil {
		return nil, err
	}
	for _, a := range attacks {
		if !a.wide() {
			c, _ := d.attackFinding(&a, stats.WilsonLower(int64(a.failures), int64(a.failures+len(a.successes)), stats.Z95))
			found = append(found, c)
		}
	}
	attacks, err = d.guesses.toolAttacks(d.guesses.namelessRun)
	for _, a := range attacks {
		c, details := d.attackFinding(&a, stats.WilsonLower(int64(a.failures), int64(a.failures+len(a.successes)), stats.Z95))
		c.Subject, details.Addresses = d.toolSubject(&a), a.addresses
		found = append(found, c)
	}
	return found, err
}

// bruteRun finds the run of failures in the tries of an origin, unless it is a network
// that many subscribers share: whose passwords they mistype, the log may not name.
func (o *guessObserver) bruteRun(place int, list []try) (attack, bool) {
	if o.origins[place].shared() {
		return attack{}, false
	}
	from, to, sum := failingRun(list)
	failures := failuresOf(list[from:to])
	a := newAttack(place, stats.SegmentTail(sum, len(list)))
	for i := range failures {
		a.add(o.d, &failures[i])
	}
	if a.guesses < bruteFast || float64(len(failures)) < bruteShare*float64(to-from) {
		return a, false
	}
	if o.ofOffice(&a) || a.browses() || o.ofOwner(&a, failures) || o.ofDevice(&a, &failures[0]) {
		return a, false
	}
	if len(a.users) == 0 && len(failures) < bruteAll && !a.fast || pacedBefore(list[:from], failures) || o.program(&a, failures) {
		return a, false
	}
	for _, t := range list {
		guessed := a.users[t.user] > 0 || t.user == 0 && a.detail.agents[t.agent] >= bruteFast/2
		if !t.failed() && t.time >= a.start && t.time <= a.end+successLater && guessed && !o.owner(&t, a.start) {
			a.successes = append(a.successes, t)
		}
	}
	return a, true
}

// failingRun returns the run of tries that fail more than those of a clumsy crowd, and its
// score.
func failingRun(list []try) (from, to int, sum float64) {
	scores := make([]float64, len(list))
	failed := 0
	for i := range list {
		scores[i] = math.Log((1 - bruteFails) / (1 - crowdFails))
		if list[i].failed() {
			scores[i] = math.Log(bruteFails / crowdFails)
			failed++
		}
	}
	from, to, sum = stats.MaxSegment(scores)
	if float64(failed) >= bruteShare*float64(len(list)) {
		from, to = 0, len(list) // nobody else comes from there
	}
	return from, to, sum
}

// browses reports whether one name fails on many routes at a person's pace.
func (a *attack) browses() bool {
	return len(a.users) == 1 && len(a.detail.endpoints) >= ownerRoutes && !a.fast
}

// ofDevice reports whether the failures, the first of which is given, are those of the device of
// an account that is refused at home, too.
func (o *guessObserver) ofDevice(a *attack, first *try) bool {
	return len(a.users) == 1 && first.user != 0 && !a.fast && o.d.ownDevice(first.user, first.address)
}

// ofOwner reports whether the failures, for which the log names nobody, are those of clients
// that had signed in before, at a person's pace and no more than a person's: their own accounts
// may be locked.
func (o *guessObserver) ofOwner(a *attack, failures []try) bool {
	typical, _ := a.gaps.Steady(clockStep)
	if len(a.users) > 0 || typical < personPause || len(failures) >= bruteAll {
		return false
	}
	own := 0
	for i := range failures {
		if o.owner(&failures[i], a.start) {
			own++
		}
	}
	return float64(own) >= mainShare*float64(len(failures))
}

// program reports whether the failures are those of a program that repeats itself at
// a pace: one that the log names no user for and that was accepted before, or one
// that was there all the time with one name and one route. A flood has no pace that a log
// of whole seconds shows. If programs share an address, they have no pace together; but each was
// accepted before, and tries to sign in only when another route has refused it.
func (o *guessObserver) program(a *attack, failures []try) bool {
	known, answers, first := 0, 0, &failures[0]
	times := make([]int64, len(failures))
	same := len(a.users) <= 1
	for i := range failures {
		t := &failures[i]
		times[i] = t.time
		if o.known.Has(int(t.refusal)) {
			known++
			if o.answers.Has(int(t.refusal)) {
				answers++
			}
		}
		same = same && t.endpoint == first.endpoint && t.agent == first.agent
	}
	if len(a.users) == 0 && 2*known > len(times) {
		period, steady := pace(times)
		return steady && period >= minPeriod || float64(answers) >= mainShare*float64(len(times))
	}
	return same && o.d.allDay(pacedSeriesOf(times))
}

// pacedBefore reports whether the tries before succeeded, and came at the pace of
// the failures: a program whose credentials have expired.
func pacedBefore(tries, failures []try) bool {
	accepted := make([]int64, 0, len(tries))
	for _, t := range tries {
		if !t.failed() {
			accepted = append(accepted, t.time)
		}
	}
	failed := make([]int64, len(failures))
	for i := range failures {
		failed[i] = failures[i].time
	}
	before, steadyBefore := pace(accepted)
	now, steadyNow := pace(failed)
	return steadyBefore && steadyNow && now <= 2*before && before <= 2*now
}
