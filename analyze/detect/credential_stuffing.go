package detect

import (
	"cmp"
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/stats"
)

// credentialStuffing finds clients that try a list of stolen names and
// passwords, each pair once.
//
// Sign: from one address, or from many that share the list out, users are tried
// once each, in quick succession or with some success. Not: an address that many
// share (most who come there succeed), spraying (the same accounts come again
// and again, or one slowly after the other). A single client that tries each
// account once, slowly, and opens one of them may be either: it is told as
// spraying.
//
// Statistic: that of password_spraying, over an address or over all addresses
// at which nearly every user fails.
var credentialStuffing = Kind{
	Name:     "credential_stuffing",
	Label:    "Credential stuffing",
	Meaning:  "Many accounts are tried once each, with passwords stolen elsewhere.",
	Category: AttackCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	observe:  observeGuesses,
	inspect:  inspectStuffing,
}

const (
	// stuffUsers are the least of a list.
	stuffUsers = 10
	// stuffPause in milliseconds is the typical time between tries below which a
	// list is worked through: who sprays waits for the guards to forget. Where
	// no account was opened it takes a pace (stuffFast) that nobody sprays at.
	stuffPause = 60_000
	stuffFast  = 20_000
	// stuffAddresses from which on the finding is the site's and not that of
	// each client: nobody blocks them one by one.
	stuffAddresses = 5
	// stuffOnce of the users are tried once: each pair of the list is tried
	// once, and few users have two.
	stuffOnce = 0.9
)

// once tells whether an attack on many accounts tries each of them once.
func (a *attack) once() bool {
	_, once, _ := a.perUser(1)
	return len(a.users)+len(a.successes) >= stuffUsers && once >= stuffOnce
}

// stuffs tells whether an attack that tries each account once works through a
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

// tell tells stuffing from spraying, for each of the attacks on many accounts.
// Clients that try each account once at the same time, and not those of each
// other, have shared a list out: who sprays alone would try them all.
func tell(all []attack) (stuffing []bool) {
	stuffing = make([]bool, len(all))
	tried := map[uint32]int{} // clients by user
	for i := range all {
		if all[i].once() {
			stuffing[i] = all[i].stuffs()
			for u := range all[i].users {
				tried[u]++
			}
		}
	}
	var list []int
	for i := range all {
		a := &all[i]
		if !a.once() {
			continue
		}
		common := 0
		for u := range a.users {
			if tried[u] > 1 {
				common++
			}
		}
		if float64(common) <= (1-stuffOnce)*float64(len(a.users)) {
			list = append(list, i)
		}
	}
	// By the beginning, each with the one whose end is the latest before it.
	slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(all[i].start, all[j].start) })
	latest := -1
	for _, i := range list {
		if latest >= 0 && all[i].start <= all[latest].end {
			stuffing[i], stuffing[latest] = true, true
		}
		if latest < 0 || all[i].end > all[latest].end {
			latest = i
		}
	}
	return stuffing
}

func inspectStuffing(c *Diagnosis, _ observer) ([]candidate, error) {
	if c.guesses == nil {
		return nil, nil
	}
	var found []candidate
	attacks := c.guesses.attackers(c.guesses.wideRun)
	for i, stuffs := range tell(attacks) {
		if a := attacks[i]; stuffs {
			found = append(found, c.stuffing(&a, c.guesserSubject(a.guesser), c.who(a.guesser)+" tries", 1))
		}
	}
	shared := c.guesses.sharedLists()
	for _, host := range slices.Sorted(maps.Keys(shared)) {
		a, ok := c.guesses.wideRun(guesser{}, shared[host])
		if !ok || !a.once() || a.p > attackFalse {
			continue
		}
		from := map[uint32]int{}
		for i := range a.failures {
			from[a.failures[i].address]++
		}
		if len(from) < stuffAddresses {
			continue // each is an attacker of its own
		}
		who := Say("Clients at %d addresses try", len(from))
		found = append(found, c.stuffing(&a, result.Subject{Type: "site", Host: host}, who, len(from)))
	}
	return found, nil
}

// sharedLists gives, by host, the tries of all addresses at which nearly every
// user fails: the parts of one list, if there is one.
func (o *guessObserver) sharedLists() map[string][]try {
	lists := map[string][]try{}
	for _, all := range o.tries {
		list := o.strangers(all)
		order := comers(list)
		failed := len(order) - acceptedOf(order)
		if failed < guessUsers || float64(failed) < wideShare*float64(len(order)) {
			continue
		}
		for _, t := range list {
			host := result.Clean(o.State.Endpoints[t.endpoint].Host)
			lists[host] = append(lists[host], t)
		}
	}
	for _, list := range lists {
		slices.SortFunc(list, compareTries)
	}
	return lists
}

func (c *Diagnosis) stuffing(a *attack, s result.Subject, who string, addresses int) candidate {
	cand := c.wideFinding(a)
	cand.Subject = s
	cand.Title = Say("%s %d accounts once each: a list of stolen passwords", who, len(a.users)+len(a.successes))
	cand.Explanation = Say("%d accounts failed between %s and %s, nearly all of them in one try, as names and passwords stolen elsewhere do; %s accepted. At least %s of the accounts failed with 95 %% confidence, which no crowd of users shows.",
		len(a.users), Clock(a.start*1000), Clock(a.end*1000), wereAccepted(len(a.successes)),
		percent(stats.WilsonLower(int64(len(a.users)), int64(len(a.users)+len(a.successes)), stats.Z95)))
	cand.Remediation = append(c.successRemedy(a),
		"Compare the passwords of all accounts with lists of leaked ones, and refuse those that are on them.",
		"Ask for a second factor, at least for a sign-in from a new address or device.",
		"Limit failures per address over all accounts, and challenge clients that come in numbers.",
	)
	cand.Details.(map[string]any)["addresses"] = addresses
	return cand
}
