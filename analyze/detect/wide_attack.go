package detect

import (
	"cmp"
	"math"
	"slices"

	"logscan/analyze/stats"
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
)

// wide reports whether an attack tries few passwords at each of many accounts.
func (a *attack) wide() bool {
	if len(a.users) < sprayUsers {
		return false
	}
	median, _, upTo := a.perUser(sprayMost)
	return median <= sprayFew && upTo >= sprayShare
}

// arrival is a user who tries from an address for the first time.
type arrival struct {
	user     uint32 // 0 for an acceptance that names nobody
	accepted *try   // the first acceptance; nil for none
}

// arrivals returns the users in the order in which they first tried.
func arrivals(list []try) []arrival {
	var order []arrival
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
			order = append(order, arrival{user: t.user})
		}
		if !t.failed() && order[n].accepted == nil {
			order[n].accepted = t
		}
	}
	return order
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
//
// The users are scored in the order in which they first came, by the log likelihood
// of an attack against that of a crowd in which as many give up as among the users
// who mistype elsewhere. The run with the greatest sum is returned, with the bound of
// its chance by Karlin and Altschul (1990).
func (o *guessObserver) wideRun(place int, list []try) (attack, bool) {
	order := arrivals(list)
	scores := make([]float64, len(order))
	for i := range order {
		scores[i] = math.Log(wideFails / o.givingUp)
		if order[i].accepted != nil {
			scores[i] = math.Log((1 - wideFails) / (1 - o.givingUp))
		}
	}
	from, to, sum := stats.MaxSegment(scores)
	if to-from < sprayUsers {
		return attack{}, false
	}
	p := stats.SegmentTail(sum, len(order))
	if float64(neverIn(order)) >= wideShare*float64(len(order)) {
		from, to = 0, len(order) // nobody else comes from there
	}
	run := order[from:to]
	in, agents := map[uint32]bool{}, map[uint32]bool{}
	for i := range run {
		if run[i].user != 0 {
			in[run[i].user] = true
		}
	}
	failures := failuresOf(list, func(t *try) bool { return in[t.user] })
	for i := range failures {
		agents[failures[i].agent] = true
	}
	a := newAttack(place, failures, p)
	if failed := neverIn(run); failed < sprayUsers || len(failures) < sprayTries || float64(failed) < wideShare*float64(len(run)) {
		return a, false
	}
	if o.ofOffice(&a) {
		return a, false
	}
	for i := range run {
		if x := run[i].accepted; x != nil && x.user != 0 && agents[x.agent] {
			a.successes = append(a.successes, *x)
		}
	}
	slices.SortFunc(a.successes, compareTries)
	return a, a.wide()
}

// once reports whether an attack on many accounts tries each of them once.
func (a *attack) once() bool {
	_, once, _ := a.perUser(1)
	return len(a.users)+len(a.successes) >= stuffUsers && once >= stuffOnce
}

// stuffs reports whether an attack that tries each account once works through a
// list.
func (a *attack) stuffs() bool {
	times := make([]int64, len(a.failures))
	for i := range a.failures {
		times[i] = a.failures[i].time
	}
	pause, _ := stats.Steady(gapsOf(times), clockStep)
	switch len(a.successes) {
	case 0:
		return pause < stuffFast
	case 1:
		return pause < stuffPause
	}
	return true
}

// stuffing reports, for each of the attacks on many accounts, whether it is
// credential stuffing; the others are spraying. Clients that try accounts once each
// at the same time, and not each other's, share a list: a client that sprays alone
// would try them all.
func stuffing(all []attack) []bool {
	stuffs := make([]bool, len(all))
	clients := map[uint32]int{} // by user tried
	for i := range all {
		if all[i].once() {
			stuffs[i] = all[i].stuffs()
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
	details.TriesPerAccount = round(float64(len(a.failures))/float64(max(len(a.users), 1)), 2)
	return c, details
}
