package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/stats"
	"logscan/parse"
)

// What password_spraying and credential_stuffing share: one client tries many
// accounts, a few times or once each.

const (
	// sprayUsers is the least number of accounts of an attack on many accounts;
	// one with fewer is brute force.
	sprayUsers = 5
	// sprayTries is the minimum number of failed tries. Fewer may be a family that
	// has changed its passwords. Published rules require 15 to 25, but do not take
	// other users of the address into account.
	sprayTries = 10
	// sprayFew is the maximum median of tries per account, and sprayMost the maximum
	// for nearly all accounts: more would lock them.
	sprayFew  = 3
	sprayMost = 8
	// sprayRound is the time, in milliseconds, after which an attack from many addresses may try
	// each account as often again: products count the failures of half an hour or less.
	sprayRound = 3_600_000
	// sprayShare is the minimum share of accounts with at most sprayMost tries.
	sprayShare = 0.9
	// wideFails is the share of the users of an attack that are not accepted.
	wideFails = 0.97
	// wideShare is the minimum share of users in the run that fail: a few percent of
	// stolen passwords work.
	wideShare = 0.8

	// stuffUsers is the least number of accounts of a list of stolen passwords.
	stuffUsers = 10
	// stuffPause is the maximum of the typical time between tries, in milliseconds,
	// at which a list is being worked through: spraying waits for lockouts to expire.
	// If no account was opened, the maximum is stuffFast, at which nobody sprays.
	stuffPause = 60_000
	stuffFast  = 20_000
	// stuffOnce is the minimum share of users that are tried once: few users have two
	// passwords on a list.
	stuffOnce = 0.9
	// ownShare is the share of the accounts tried that sign in elsewhere from which on the
	// names are the site's own, as those of a directory: a list stolen elsewhere has a few
	// percent of them, and not all of their owners come on the same day.
	ownShare = 0.25
)

// wide reports whether an attack tries few passwords at each of many accounts.
func (a *attack) wide() bool {
	if len(a.users) < sprayUsers {
		return false
	}
	rounds := 1
	if a.place == everywhere {
		rounds += int((a.end - a.start) / sprayRound)
	}
	median, _, upTo := a.perUser(sprayMost * rounds)
	return median <= sprayFew*rounds && upTo >= sprayShare
}

// arrival is a user who tries from an address for the first time.
type arrival struct {
	user     uint32 // 0 for an acceptance that names nobody
	accepted *try   // the first acceptance; nil for none
}

// arrivals are users in the order in which they first tried.
type arrivals struct {
	order []arrival
	place map[uint32]int // in order, by user
}

// arrivalsOf returns the arrivals of tries.
func arrivalsOf(list []try) []arrival {
	var a arrivals
	for i := range list {
		a.add(&list[i])
	}
	return a.order
}

// add adds a try that follows the others.
func (a *arrivals) add(t *try) {
	n, ok := a.place[t.user]
	switch {
	case t.user == 0 && t.failed():
		return
	case t.user == 0 || !ok:
		n = len(a.order)
		if a.place == nil {
			a.place = map[uint32]int{}
		}
		a.place[t.user] = n
		a.order = append(a.order, arrival{user: t.user})
	}
	if !t.failed() && a.order[n].accepted == nil {
		x := *t
		a.order[n].accepted = &x
	}
}

// neverIn returns how many of the users were never accepted.
func neverIn(order []arrival) int {
	n := 0
	for i := range order {
		if order[i].accepted == nil {
			n++
		}
	}
	return n
}

// wideRun finds the run of failing users in the tries of an origin.
func (o *guessObserver) wideRun(place int, list []try) (attack, bool) {
	run, ok := o.runOf(arrivalsOf(list), place != everywhere)
	if !ok {
		return attack{}, false
	}
	a := newAttack(place, run.p)
	for i := range list {
		run.add(o.d, &a, &list[i])
	}
	return a, o.isWide(&a, run)
}

// userRun is a run of users who fail.
type userRun struct {
	users []arrival
	in    map[uint32]bool // that are in users
	p     float64         // bound of its chance
}

// runOf returns the run of failing users. alone reports whether the tries are all that their
// addresses send: a user agent is that of others, too.
//
// The users are scored in the order in which they first came, by the log likelihood
// of an attack against that of a crowd in which as many give up as among the users
// who mistype elsewhere. The run with the greatest sum is returned, with the bound of
// its chance by Karlin and Altschul (1990).
func (o *guessObserver) runOf(order []arrival, alone bool) (run userRun, ok bool) {
	scores := make([]float64, len(order))
	for i := range order {
		scores[i] = math.Log(wideFails / o.givingUp)
		if order[i].accepted != nil {
			scores[i] = math.Log((1 - wideFails) / (1 - o.givingUp))
		}
	}
	from, to, sum := stats.MaxSegment(scores)
	if to-from < sprayUsers {
		return run, false
	}
	run = userRun{in: map[uint32]bool{}, p: stats.SegmentTail(sum, len(order))}
	if alone && float64(neverIn(order)) >= wideShare*float64(len(order)) {
		from, to = 0, len(order) // nobody else comes from there
	}
	run.users = order[from:to]
	for i := range run.users {
		if u := run.users[i].user; u != 0 {
			run.in[u] = true
		}
	}
	return run, true
}

// add adds a try, which follows the others, to the attack of a run if it is one of its failures.
func (r *userRun) add(d *Diagnosis, a *attack, t *try) {
	if t.failed() && r.in[t.user] {
		a.add(d, t)
	}
}

// isWide reports whether an attack with the failures of a run is one on many accounts, and
// sets its successes.
func (o *guessObserver) isWide(a *attack, run userRun) bool {
	if failed := neverIn(run.users); failed < sprayUsers || a.failures < sprayTries || float64(failed) < wideShare*float64(len(run.users)) {
		return false
	}
	if o.ofOffice(a) {
		return false
	}
	for i := range run.users {
		if x := run.users[i].accepted; x != nil && x.user != 0 && a.detail.agents[x.agent] > 0 {
			a.successes = append(a.successes, *x)
		}
	}
	slices.SortFunc(a.successes, compareTries)
	return a.wide()
}

// once reports whether an attack on many accounts tries each of them once.
func (a *attack) once() bool {
	_, once, _ := a.perUser(1)
	return len(a.users)+len(a.successes) >= stuffUsers && once >= stuffOnce
}

// stuffs reports whether an attack that tries each account once works through a
// list.
func (a *attack) stuffs() bool {
	pause, _ := a.gaps.Steady(clockStep)
	switch len(a.successes) {
	case 0:
		return pause < stuffFast
	case 1:
		return pause < stuffPause
	}
	return true
}

// enters reports whether a user was ever accepted.
func (d *Diagnosis) enters(user uint32) bool {
	return d.State.Users[user-1].FirstAccepted != parse.NoTime
}

// known returns how many of the accounts that an attack did not open sign in elsewhere.
func (d *Diagnosis) known(a *attack) (n int) {
	for u := range a.users {
		if d.enters(u) {
			n++
		}
	}
	return n
}

// ownNames reports whether the accounts of an attack are the site's own, so that it needs no
// list that was stolen elsewhere.
func (d *Diagnosis) ownNames(a *attack) bool {
	return stats.WilsonLower(int64(d.known(a)), int64(len(a.users)), stats.Z95) >= ownShare
}

// foreignNames reports whether hardly any account of an attack is the site's own, though
// the log shows who signs in.
func (d *Diagnosis) foreignNames(a *attack) bool {
	named := 0
	for u := range d.State.Users {
		if d.enters(uint32(u + 1)) {
			named++
		}
	}
	users := int64(len(a.users))
	return named >= stuffUsers && stats.WilsonLower(users-int64(d.known(a)), users, stats.Z95) > 1-ownShare
}

// stuffing reports, for each of the attacks on many accounts, whether it is
// credential stuffing; the others are spraying. Clients that try accounts once each
// at the same time, and not each other's, share a list: a client that sprays alone
// would try them all.
func (d *Diagnosis) stuffing(all []attack) []bool {
	stuffs := make([]bool, len(all))
	clients := map[uint32]int{} // by user tried
	for i := range all {
		if all[i].once() {
			stuffs[i] = all[i].stuffs() && (len(all[i].successes) > 0 || !d.ownNames(&all[i]))
			for u := range all[i].users {
				clients[u]++
			}
		}
	}
	var apart []int // the attacks whose accounts hardly any other attack tries
	for i := range all {
		a := &all[i]
		if !a.once() {
			continue
		}
		common := 0
		for u := range a.users {
			if clients[u] > 1 {
				common++
			}
		}
		if float64(common) <= (1-stuffOnce)*float64(len(a.users)) {
			apart = append(apart, i)
		}
	}
	// In the order of their beginnings, compare each with the one before it that
	// ends last.
	slices.SortStableFunc(apart, func(i, j int) int { return cmp.Compare(all[i].start, all[j].start) })
	latest := -1
	for _, i := range apart {
		if latest >= 0 && all[i].start <= all[latest].end {
			stuffs[i], stuffs[latest] = true, true
		}
		if latest < 0 || all[i].end > all[latest].end {
			latest = i
		}
	}
	return stuffs
}

// wideFinding returns what the findings of attacks on many accounts have in common.
func (d *Diagnosis) wideFinding(a *attack) (candidate, *Attack) {
	c, details := d.attackFinding(a, stats.WilsonLower(int64(len(a.users)), int64(len(a.users)+len(a.successes)), stats.Z95)+0.1)
	details.TriesPerAccount = round(float64(a.failures)/float64(max(len(a.users), 1)), 2)
	details.Known = d.known(a)
	details.Stolen = len(a.successes) > 1 && !d.ownNames(a) || d.foreignNames(a)
	return c, details
}
