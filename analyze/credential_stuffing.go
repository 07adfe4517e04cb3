package analyze

import (
	"fmt"
	"maps"
	"slices"

	"logscan/analyze/stats"
)

// credentialStuffing finds clients that try a list of stolen names and
// passwords, each pair once.
//
// Sign: from one address, or from many that share the list out, users are tried
// once each, in quick succession or with some success. Not: an address that many
// share (most who come there succeed), spraying (the same accounts come again
// and again, or one slowly after the other).
//
// Statistic: that of password_spraying, over an address or over all addresses
// at which nearly every user fails.
var credentialStuffing = Detector{
	Kind:     "credential_stuffing",
	Category: "attack",
	Doc:      "many accounts are tried once each, and some succeed",
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	observe:  observeGuesses,
	inspect:  inspectStuffing,
}

const (
	// stuffUsers are the least of a list.
	stuffUsers = 10
	// stuffPause in milliseconds is the typical time between tries below which a
	// list is worked through: who sprays waits for the guards to forget.
	stuffPause = 2 * 60_000
	// stuffOpened accounts that are opened tell a list of stolen passwords from
	// one password that fits somebody.
	stuffOpened = 2
	// stuffAddresses from which on the finding is the site's and not that of
	// each client: nobody blocks them one by one.
	stuffAddresses = 5
	// stuffOnce of the users are tried once: each pair of the list is tried
	// once, and few users have two.
	stuffOnce = 0.9
)

// stuffs tells whether an attack on many accounts tries each once, as from a
// list.
func (a *attack) stuffs() bool {
	_, once, _ := a.perUser(1)
	if len(a.users)+len(a.successes) < stuffUsers || once < stuffOnce {
		return false
	}
	times := make([]int64, len(a.failures))
	for i := range a.failures {
		times[i] = a.failures[i].time
	}
	pause, _ := stats.Steady(gapsOf(times), clockStep)
	return pause < stuffPause || len(a.successes) >= stuffOpened
}

func inspectStuffing(c *correlation, _ observer) ([]candidate, error) {
	if c.guesses == nil {
		return nil, nil
	}
	var found []candidate
	givingUp := c.guesses.givingUp()
	run := func(g guesser, list []try) (attack, bool) { return wideRun(g, list, givingUp) }
	for _, a := range c.guesses.attackers(run) {
		if a.stuffs() {
			found = append(found, c.stuffing(&a, c.guesserSubject(a.guesser), c.who(a.guesser), 1))
		}
	}
	shared := c.guesses.sharedLists()
	for _, host := range slices.Sorted(maps.Keys(shared)) {
		a, ok := run(guesser{}, shared[host])
		if !ok || !a.stuffs() || a.p > attackFalse {
			continue
		}
		from := map[uint32]int{}
		for i := range a.failures {
			from[a.failures[i].address]++
		}
		if len(from) < stuffAddresses {
			continue
		}
		who := "Clients at " + count(len(from), "address") + "es"
		found = append(found, c.stuffing(&a, Subject{Type: "site", Host: host}, who, len(from)))
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
		failed := 0
		for i := range order {
			if order[i].in == nil {
				failed++
			}
		}
		if failed < guessUsers || float64(failed) < wideShare*float64(len(order)) {
			continue
		}
		for _, t := range list {
			host := text([]byte(o.state.Endpoints[t.endpoint].Host))
			lists[host] = append(lists[host], t)
		}
	}
	for _, list := range lists {
		slices.SortFunc(list, compareTries)
	}
	return lists
}

func (c *correlation) stuffing(a *attack, s Subject, who string, addresses int) candidate {
	cand := c.wideFinding(a)
	cand.Subject = s
	cand.Title = fmt.Sprintf("%s tries %d accounts once each: a list of stolen passwords", who, len(a.users)+len(a.successes))
	cand.Explanation = fmt.Sprintf("%d accounts failed between %s and %s, nearly all of them in one try, as names and passwords stolen elsewhere do; %s accepted. At least %s of the accounts failed with 95 %% confidence, which no crowd of users shows.",
		len(a.users), clock(a.start*1000), clock(a.end*1000), wereAccepted(len(a.successes)),
		percent(stats.WilsonLower(int64(len(a.users)), int64(len(a.users)+len(a.successes)), stats.Z95)))
	cand.Remediation = append(c.successRemedy(a),
		"Compare the passwords of all accounts with lists of leaked ones, and refuse those that are on them.",
		"Ask for a second factor, at least for a sign-in from a new address or device.",
		"Limit failures per address over all accounts, and challenge clients that come in numbers.",
	)
	cand.Details["addresses"] = addresses
	return cand
}
