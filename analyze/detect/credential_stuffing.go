package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/parse"
)

// credentialStuffing finds clients that try a list of stolen names and passwords,
// each pair once.
//
// Sign: from one address, or from many that share the list or one user agent (tools.go),
// users are tried once each, in quick succession or with some success. Not: an address that many share
// (most who come there succeed), spraying (the same accounts come again and again, or
// one slowly after the other). A single client that tries each account once, slowly,
// and opens one of them may be either: it is reported as spraying.
//
// Statistic: that of password_spraying, over an address or over all addresses at
// which nearly every user fails.
var credentialStuffing = Kind{
	Name:     "credential_stuffing",
	Label:    "Credential stuffing",
	Meaning:  "Many accounts are tried once each, with passwords stolen elsewhere.",
	Category: AttackCategory,
	Subjects: []string{"client", "site"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	Uses:     []parse.Extra{parse.ExtraUser, parse.ExtraForwarded},
	Details:  func() any { return new(Attack) },
	Title: `{{if eq .Subject.Type "site"}}Clients at {{plural .Details.Addresses "address" "addresses"}}{{else}}` + guesserName + `{{end}}
		tried {{with .Details}}{{count .Tried "account"}} once each{{with $.Subject.Host}} on {{.}}{{end}}, probably with stolen passwords: {{if .Successes}}{{number .Successes}} opened{{else}}none opened{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{number .Accounts}} of {{count .Tried "account"}} ({{part .Accounts .Tried}}) failed between {{time .Start}} and {{time .End}}, nearly all in a single try, as with names and passwords stolen elsewhere.
		{{if .Successes}}{{number .Successes}} {{if eq .Successes 1}}was{{else}}were{{end}} opened, the first at {{time .FirstSuccess}}.{{else}}None was opened.{{end}}
		Most ordinary users who mistype sign in soon afterwards; nearly none of these did.{{end}}`,
	Remedy: []string{
		enteredRemedy,
		networkRemedy,
		`Check the passwords of all accounts against lists of leaked ones, and reject those that are listed.`,
		`Require a second factor, at least for sign-ins from a new address or device.`,
		`Limit failed tries per address over all accounts, and ask for a CAPTCHA when many clients fail at once.`,
	},
	observe: observeGuesses,
	inspect: inspectStuffing,
}

// stuffAddresses is the number of addresses or networks from which on there is one
// finding for the site instead of one for each: nobody blocks so many one by one.
const stuffAddresses = 5

func inspectStuffing(d *Diagnosis, _ observer) ([]candidate, error) {
	if d.guesses == nil {
		return nil, nil
	}
	var found []candidate
	attacks := d.guesses.attackers(d.guesses.wideRun)
	for i, stuffs := range stuffing(attacks) {
		if stuffs {
			c, details := d.wideFinding(&attacks[i])
			details.Addresses = max(details.Addresses, 1)
			found = append(found, c)
		}
	}
	shared := d.guesses.sharedLists()
	for _, host := range slices.Sorted(maps.Keys(shared)) {
		a, ok := d.guesses.wideRun(everywhere, shared[host])
		if !ok || !a.once() || a.p > attackFalse {
			continue
		}
		origins := map[uint32]bool{}
		for i := range a.failures {
			origins[d.guesses.from(a.failures[i].address)] = true
		}
		if len(origins) < stuffAddresses {
			continue // too few: each gets a finding of its own
		}
		c, details := d.wideFinding(&a)
		c.Subject = result.Subject{Type: "site", Host: host}
		details.Addresses = addressesOf(a.failures)
		found = append(found, c)
	}
	for _, a := range d.guesses.toolAttacks(func(list []try) (attack, bool) {
		a, ok := d.guesses.wideRun(everywhere, list)
		return a, ok && a.once()
	}) {
		c, details := d.wideFinding(&a)
		c.Subject, details.Addresses = d.toolSubject(&a), addressesOf(a.failures)
		found = append(found, c)
	}
	return found, nil
}

// sharedLists returns, by host, the tries of all addresses at which nearly every
// user fails: if a list is shared, these are its parts.
func (o *guessObserver) sharedLists() map[string][]try {
	lists := map[string][]try{}
	for _, all := range o.tries {
		list := o.strangers(all)
		order := arrivals(list)
		if failed := neverIn(order); failed < guessUsers || float64(failed) < wideShare*float64(len(order)) {
			continue
		}
		for _, t := range list {
			host := result.Clean(o.d.State.Endpoints[t.endpoint].Host)
			lists[host] = append(lists[host], t)
		}
	}
	for _, list := range lists {
		slices.SortFunc(list, compareTries)
	}
	return lists
}
