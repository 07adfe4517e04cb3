package detect

import (
	"cmp"
	"errors"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/parse"
)

// credentialStuffing finds clients that try a list of stolen names and passwords,
// each pair once.
//
// Sign: from one address, or from many that share the list or one user agent (tools.go),
// users are tried once each, in quick succession or with some success. Not: an address that many share
// (most who come there succeed), spraying (the same accounts come again and again, or
// one slowly after the other, or none opens and many sign in elsewhere: the site's own).
// Where the names are neither the site's own nor foreign to it, the finding says that it may
// be either.
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
		tried {{with .Details}}{{count .Tried "account"}} once each{{with $.Subject.Host}} on {{.}}{{end}}, {{if .Stolen}}probably with stolen passwords{{else}}with stolen passwords or a common one{{end}}: {{if .Successes}}{{number .Successes}} opened{{else}}none opened{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{number .Accounts}} of {{count .Tried "account"}} ({{part .Accounts .Tried}}) failed between {{time .Start}} and {{time .End}}, nearly all in a single try, as with names and passwords stolen elsewhere{{if not .Stolen}}, or in one round of spraying: the log does not show which{{end}}.
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
	attacks, err := d.guesses.attackers(d.guesses.wideRun)
	if err != nil {
		return nil, err
	}
	for i, stuffs := range d.stuffing(attacks) {
		if stuffs {
			c, details := d.wideFinding(&attacks[i])
			details.Addresses = max(details.Addresses, 1)
			found = append(found, c)
		}
	}
	shared, err := d.guesses.sharedLists()
	if err != nil {
		return nil, err
	}
	for i := range shared {
		a := &shared[i]
		c, details := d.wideFinding(a)
		c.Subject, details.Addresses = d.toolSubject(a), a.addresses
		found = append(found, c)
	}
	attacks, err = d.guesses.toolAttacks(func(list []try) (attack, bool) {
		a, ok := d.guesses.wideRun(everywhere, list)
		return a, ok && a.once()
	})
	for i := range attacks {
		c, details := d.wideFinding(&attacks[i])
		c.Subject, details.Addresses = d.toolSubject(&attacks[i]), attacks[i].addresses
		found = append(found, c)
	}
	return found, err
}

// sharedLists returns the attacks on the accounts of a host, in the order of the hosts, by all
// addresses at which nearly every user fails: if a list is shared, these work through its parts.
// Their tries may be all 401s of a log, so they are read twice.
func (o *guessObserver) sharedLists() (found []attack, err error) {
	hostOf, hosts := o.d.cleanHosts()
	tries := o.d.newTries(1)
	defer func() { err = errors.Join(err, tries.Drop()) }()
	var failed error
	err = o.eachOrigin(func(_ int, all []try) {
		list := o.strangers(all)
		order := arrivalsOf(list)
		if failed := neverIn(order); failed < guessUsers || float64(failed) < wideShare*float64(len(order)) {
			return
		}
		for i := range list {
			failed = cmp.Or(failed, tries.Add(groupedTry{hostOf[list[i].endpoint], list[i]}))
		}
	})
	if err := cmp.Or(err, failed); err != nil {
		return nil, err
	}
	users := make([]arrivals, hosts)
	for t, err := range spill.Sorted(tries) {
		if err != nil {
			return nil, err
		}
		users[t.group].add(&t.try)
	}
	runs, attacks := make([]userRun, hosts), make([]attack, hosts)
	for host := range users {
		runs[host], _ = o.runOf(users[host].order, true)
		attacks[host] = newAttack(everywhere, runs[host].p)
	}
	for t, err := range spill.Sorted(tries) {
		if err != nil {
			return nil, err
		}
		runs[t.group].add(o.d, &attacks[t.group], &t.try)
	}
	for host := range attacks {
		a := &attacks[host]
		if !o.isWide(a, runs[host]) || !a.once() || a.p > attackFalse {
			continue
		}
		origins := map[uint32]bool{}
		for address := range a.detail.addresses {
			origins[o.from(address)] = true
		}
		if len(origins) >= stuffAddresses { // each of fewer gets a finding of its own
			a.settle(o.d)
			found = append(found, *a)
		}
	}
	return found, nil
}

// cleanHosts returns the number of the host of each endpoint, in the order of the names as
// outputs hold them, and how many there are.
func (d *Diagnosis) cleanHosts() (of []uint32, n int) {
	names := make([]string, len(d.State.Endpoints))
	for i := range names {
		names[i] = result.Clean(d.State.Endpoints[i].Host)
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(names)))
	of = make([]uint32, len(names))
	for i, name := range names {
		place, _ := slices.BinarySearch(distinct, name)
		of[i] = uint32(place)
	}
	return of, len(distinct)
}
