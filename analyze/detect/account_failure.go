package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// accountFailure finds accounts that were accepted before and are refused from a
// time on, while others are still accepted on the same routes.
//
// Sign: one user, refused every time since, in several tries. Not: a mistyped
// password (success follows), an expired session that a page keeps polling (one
// session, no credentials of its own), a broken route (others are refused there too),
// guessing at an account by strangers (from where it was never accepted), a program's
// account (its rounds keep a pace: integration_failure).
//
// An account that signs in and is refused ever after, from the first line on, counts,
// too, and one that is refused from its first line on if its owner seems to ask: the
// same few clients come again over hours, for no other account, in a few tries each.
//
// Statistic: a change-point in the user's own outcomes, bursts taken as one; and the
// chance that all tries since are refused at the greater one of the shares of
// refusals that other users met on the same routes and of the account's own before,
// shrunk to that of all (Efron and Morris, JASA 70, 1975). People fail several times in
// a row: after a refusal, the chance is at least the share of tries that are refused
// after another refused one. It is adjusted by Benjamini and Hochberg over all accounts
// of the log, because each of them might have failed.
var accountFailure = Kind{
	Name:     "account_failure",
	Label:    "Failing account",
	Meaning:  "One account is refused where others are accepted: locked, expired or revoked.",
	Category: AccountCategory,
	Subjects: []string{"account"},
	folds:    byOnset,
	Needs:    []string{needTime, needStatus, needPath, needUser},
	Uses:     []parse.Extra{parse.ExtraUser, parse.ExtraReason},
	Details:  func() any { return new(FailingAccount) },
	Title:    `Account {{.Subject.User}} has been refused on every try since {{time .Details.FirstRefused}}`,
	Explanation: `{{with .Details}}
		All {{number .Tries}} tries ({{count .Requests "request"}} from {{plural .Addresses "address" "addresses"}} on {{count .Routes "route"}}) have been refused since {{time .FirstRefused}}.
		{{if .SignedIn}}It was never accepted in this log, though it signed in{{else if .Never}}It was never accepted in this log, and may not exist; its tries come in {{count .Visits "visit"}}, as a person's do{{else}}Before, the account was accepted {{plural .AcceptedBefore "time" "times"}}, last at {{time .LastAccepted}}{{end}}.
		The routes are not at fault: at the rate at which they refuse other users, {{fixed 1 .Expected}} of these tries would have been refused.{{end}}`,
	Remedy: []string{
		`Check in the directory or identity provider whether the account is locked, disabled or expired, whether its password has expired, and whether it was removed from a group.`,
		`For Basic authentication, check that it is still in the .htpasswd file or in the LDAP group that Require names.`,
		`If a program uses the account, update the stored password there before you unlock it, or the program will lock it again.`,
	},
	observe: observeAccounts,
	inspect: inspectAccounts,
}

// FailingAccount is the details of an account_failure finding.
type FailingAccount struct {
	LastAccepted   result.Time        `json:"last_accepted,omitempty"`
	FirstRefused   result.Time        `json:"first_refused"`
	SignedIn       bool               `json:"signed_in_only,omitempty"` // it signed in, but was never accepted
	Never          bool               `json:"never_accepted,omitempty"` // it never signed in either
	Visits         int                `json:"-"`                        // of an account that was never accepted
	Tries          int64              `json:"tries"`                    // since then, all refused
	Requests       int                `json:"-"`                        // of these tries
	AcceptedBefore int64              `json:"accepted_before"`
	Expected       float64            `json:"expected"`  // refused tries at the rate of other users
	Addresses      int                `json:"addresses"` // of the tries
	Routes         int                `json:"routes"`    // of the tries
	PValue         result.Probability `json:"p_value"`
}

const (
	// accountTries is the minimum number of refused tries. Each is a burst of its
	// own, so together they are more than one open page.
	accountTries = 4
	// Fewer tries than accountFew must span accountSpan milliseconds: a person who
	// mistypes and gives up does so in one sitting.
	accountFew  = 8
	accountSpan = 5 * 60_000
	// accountAccepted is how often it must have been accepted before: an account
	// that never was may not exist.
	accountAccepted = 2
	// accountGain is what the change must gain in log likelihood.
	accountGain = 3
	// accountPlaces is from how many addresses, beside those where the account was
	// accepted, its owner may try: home, phone, a friend's.
	accountPlaces = 3
	// neverSpan is the minimum time, in milliseconds, over which the owner of an account
	// that was never accepted comes again, visitPause the least pause between visits, and
	// accountVisits the minimum number of visits.
	neverSpan     = 60 * 60_000
	visitPause    = 5 * 60_000
	accountVisits = 4
	// ownNames is the maximum number of names that the clients of such an account try:
	// its owner has a second one, or mistypes it.
	ownNames = 2
)

func inspectAccounts(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	followed := seen.(*accountObserver)
	if followed.err != nil {
		return nil, followed.err
	}
	var turns []turn
	var habits habitCounts
	names := followed.namesTried()
	for n, u := range followed.users {
		all, err := followed.of(n)
		if err != nil {
			return nil, err
		}
		all = openAttempts(d, all)
		own := byOwner(all)
		habits.add(own)
		t, ok := neverAccepted(all, names)
		if !ok {
			t, ok = refusedFromStart(d, own)
		}
		if !ok {
			t, ok = findTurn(own)
		}
		if ok && !t.machine() {
			t.user, t.before, t.since = u, nil, slices.Clone(t.since)
			turns = append(turns, t)
		}
	}
	var p []float64
	refused, habit := d.openRefused(), habits.habit()
	for i := range turns {
		t := &turns[i]
		t.expected, t.chance = compare(d, t, refused, habit)
		p = append(p, t.chance)
	}
	adjusted := stats.BenjaminiHochbergAmong(p, len(d.State.Users))
	var found []candidate
	for n := range turns {
		if adjusted[n] <= falseReports {
			found = append(found, failingAccount(d, &turns[n], adjusted[n]))
		}
	}
	return found, nil
}

// habit is how the followed accounts are refused in the ordinary course.
type habit struct {
	share float64 // of all tries that are refused
	again float64 // of the tries after a refused one that are refused
}

const (
	// habitWeight is the number of an account's own tries that the share of all is
	// worth.
	habitWeight = 8
	// habitPrior is the number of tries of which one is taken to be refused in logs
	// that show none: people mistype about one in twenty.
	habitPrior = 20
)

// habitCounts counts the tries of accounts without their last runs of refusals, which are
// what is tested.
type habitCounts struct {
	all, after stats.Cell   // after those that were refused
	tries      []accountTry // scratch
}

// add adds the tries of an account.
func (h *habitCounts) add(list []attempt) {
	h.tries = appendTries(h.tries[:0], list)
	tries := h.tries
	for len(tries) > 0 && tries[len(tries)-1].refused {
		tries = tries[:len(tries)-1]
	}
	for i, t := range tries {
		h.all.Add(t.refused)
		if i > 0 && tries[i-1].refused {
			h.after.Add(t.refused)
		}
	}
}

// habit returns the habit of the accounts that were added.
func (h *habitCounts) habit() habit {
	share := float64(h.all.Hits+1) / float64(h.all.Trials+habitPrior)
	return habit{share, (float64(h.after.Hits) + habitWeight*share) / float64(h.after.Trials+habitWeight)}
}

// accountTry is a burst of attempts with the same outcome.
type accountTry struct {
	from    int // index of its first attempt
	refused bool
}

// triesOf joins attempts to tries.
func triesOf(list []attempt) []accountTry { return appendTries(nil, list) }

// appendTries appends the tries of attempts.
func appendTries(tries []accountTry, list []attempt) []accountTry {
	last, first := int64(session.LongAgo), len(tries)
	for i, a := range list {
		refused := a.refusal != timeline.NoRefusal
		if n := len(tries); n == first || a.time-last > tryGap || refused != tries[n-1].refused {
			tries = append(tries, accountTry{i, refused})
		}
		last = a.time
	}
	return tries
}

// openAttempts returns the attempts without the refusals that a finding explains, and
// those of an outage, which are nobody's own.
func openAttempts(d *Diagnosis, all []attempt) []attempt {
	return but(all, func(a *attempt) bool {
		return explained(d, a.refusal) || a.refusal != timeline.NoRefusal && d.inOutage(int(a.refusal))
	})
}

// byOwner returns the attempts without the failures of strangers: those from
// addresses where the account was never accepted, if there are many such addresses,
// more tries than a person makes, or a user agent of their own. Where the account is refused
// at home before a stranger tries it, at a device's pace, that is the owner's device elsewhere.
func byOwner(all []attempt) []attempt {
	home, agents := map[uint32]bool{}, map[uint32]bool{}
	var last timeline.Client // accepted
	for _, a := range all {
		if a.refusal == timeline.NoRefusal && (len(home) == 0 || a.client != last) {
			last = a.client
			home[last.Address], agents[last.Agent] = true, true
		}
	}
	strange := map[uint32][]int64{} // times of failures by address
	for _, a := range all {
		if a.refusal != timeline.NoRefusal && !home[a.client.Address] {
			strange[a.client.Address] = append(strange[a.client.Address], a.time)
		}
	}
	if len(strange) == 0 {
		return all
	}
	locked := lockedAtHome(all, home)
	return but(all, func(a *attempt) bool {
		times := strange[a.client.Address]
		if len(times) == 0 {
			return false
		}
		guesses := !locked || crowded(times)
		return guesses && (len(strange) > accountPlaces || len(times) >= bruteFast) || !agents[a.client.Agent]
	})
}

// lockedAtHome reports whether the first thing that an account is refused after it was accepted
// last is at home, and strangers had not tried it before.
func lockedAtHome(all []attempt, home map[uint32]bool) bool {
	from := len(all)
	for from > 0 && all[from-1].refusal != timeline.NoRefusal {
		from--
	}
	return from > 0 && from < len(all) && home[all[from].client.Address] &&
		!slices.ContainsFunc(all[:from], func(a attempt) bool { return a.refusal != timeline.NoRefusal && !home[a.client.Address] })
}

// crowded reports whether as many tries as those of guessing come within bruteWindow somewhere.
func crowded(times []int64) bool {
	for i := bruteFast - 1; i < len(times); i++ {
		if times[i]-times[i-bruteFast+1] <= bruteWindow {
			return true
		}
	}
	return false
}

// turn is the change of an account from accepted to refused.
type turn struct {
	user                       uint32 // plus one
	lastAccepted, firstRefused int64  // Unix milliseconds
	accepted                   int64  // tries before
	tries                      int64  // tries since, all refused
	refusedBefore              int64  // tries before
	signedIn                   bool   // it signed in, but was never accepted
	visits                     int    // if it was never accepted and never signed in
	expected                   float64
	chance                     float64   // that all tries since are refused
	before, since              []attempt // before: until machine has been asked
}

// machine reports whether a program made the attempts: a single client that keeps a
// steady pace before and after the change.
func (t *turn) machine() bool {
	client := t.since[0].client
	for _, a := range t.since {
		if a.client != client {
			return false
		}
	}
	times := func(list []attempt) []int64 {
		var all []int64
		for _, a := range list {
			if a.client == client {
				all = append(all, a.time)
			}
		}
		return rounds(all)
	}
	_, before := pace(times(t.before))
	_, since := pace(times(t.since))
	return (before || t.visits > 0) && since
}

// findTurn returns the change from accepted to refused that lasts to the end of the
// attempts, if it meets the thresholds.
func findTurn(list []attempt) (turn, bool) {
	var t turn
	from := len(list)
	for from > 0 && list[from-1].refusal != timeline.NoRefusal {
		from--
	}
	if from == 0 || from == len(list) {
		return t, false
	}
	t.before, t.since = list[:from], list[from:]
	t.lastAccepted, t.firstRefused = list[from-1].time, list[from].time
	var cells []stats.Cell
	for _, x := range triesOf(list) {
		hit := int64(0)
		switch {
		case x.from >= from:
			hit = 1
			t.tries++
		case x.refused:
			hit = 1
			t.refusedBefore++
		default:
			t.accepted++
		}
		cells = append(cells, stats.Cell{Hits: hit, Trials: 1})
	}
	cut, ok := stats.Split(cells)
	if !ok || cut.Gain < accountGain || cut.At != len(cells)-int(t.tries) {
		return t, false
	}
	return t, t.lasting() && t.accepted >= accountAccepted
}

// refusedFromStart returns the turn of an account that was refused at each request that
// requires credentials, although it signed in.
func refusedFromStart(d *Diagnosis, list []attempt) (turn, bool) {
	var t turn
	for _, a := range list {
		switch {
		case a.refusal != timeline.NoRefusal:
			t.signedIn = t.signedIn || d.Refusals.At(int(a.refusal)).Known
			if !d.Refusals.At(int(a.refusal)).SignIn {
				t.since = append(t.since, a)
			}
		case !a.signIn:
			return t, false
		default:
			t.signedIn = true
			t.before = append(t.before, a)
		}
	}
	if len(t.since) == 0 || !t.signedIn {
		return t, false
	}
	t.firstRefused = t.since[0].time
	t.tries = int64(len(triesOf(t.since)))
	return t, t.tries >= accountFew && t.lasting()
}

// namesTried returns some names, at most one more than ownNames, that each client was refused
// with: of clients that were refused with the name of an account that is followed.
func (o *accountObserver) namesTried() map[timeline.Client][]uint32 {
	names := map[timeline.Client][]uint32{}
	tried := func(r *session.Refusal) bool { return r.User != 0 && r.Cause != session.Challenge }
	for _, r := range o.d.Refusals.All() {
		if tried(r) && o.place[r.User] != 0 {
			names[r.Client()] = nil
		}
	}
	for _, r := range o.d.Refusals.All() {
		c := r.Client()
		if list, ok := names[c]; ok && tried(r) && len(list) <= ownNames && !slices.Contains(list, r.User) {
			names[c] = append(list, r.User)
		}
	}
	return names
}

// neverAccepted returns the turn of an account that was refused at each request, by the
// clients of one person at a person's pace.
func neverAccepted(list []attempt, names map[timeline.Client][]uint32) (turn, bool) {
	var t turn
	clients := map[timeline.Client]bool{}
	last := int64(session.LongAgo)
	visit := 0 // tries in it
	for _, a := range list {
		if a.refusal == timeline.NoRefusal || len(names[a.client]) > ownNames {
			return t, false
		}
		clients[a.client] = true
		switch {
		case a.time-last > visitPause:
			t.visits++
			visit = 1
		case a.time-last > tryGap:
			visit++
		}
		if last = a.time; visit >= bruteFast {
			return t, false
		}
	}
	if len(clients) > accountPlaces || t.visits < accountVisits || last-list[0].time < neverSpan {
		return t, false
	}
	t.since, t.firstRefused, t.tries = list, list[0].time, int64(len(triesOf(list)))
	return t, t.tries >= accountFew && t.lasting()
}

// lasting reports whether the refusals since are several tries, more than one open
// page makes.
func (t *turn) lasting() bool {
	actors := map[uint32]bool{}
	own := false
	for _, a := range t.since {
		actors[a.actor] = true
		own = own || a.own
	}
	if t.tries < accountFew && t.since[len(t.since)-1].time-t.firstRefused < accountSpan {
		return false
	}
	return t.tries >= accountTries && (own || len(actors) > 1)
}

// compare returns how many of the tries since the turn would have been refused if
// the account had fared as others did on the same routes, or as it did itself before,
// and the chance that all would. refusals are the unexplained ones by endpoint.
func compare(d *Diagnosis, t *turn, refusals []int64, h habit) (expected, chance float64) {
	own := map[uint32]int64{}
	for _, a := range t.since {
		own[a.endpoint]++
	}
	before := (float64(t.refusedBefore) + habitWeight*h.share) / float64(t.accepted+t.refusedBefore+habitWeight)
	chance = 1
	for i, x := range triesOf(t.since) {
		endpoint := t.since[x.from].endpoint
		outcomes := &d.State.Endpoints[endpoint].N
		refused := max(refusals[endpoint]-own[endpoint], 0)
		accepted := outcomes[timeline.Accepted] + outcomes[timeline.Redirected]
		// One more of each: a route that nobody else requested shows nothing.
		share := max(before, float64(refused+1)/float64(refused+accepted+2))
		expected += share
		if i > 0 {
			share = max(share, h.again)
		}
		chance *= share
	}
	return expected, chance
}

func failingAccount(d *Diagnosis, t *turn, p float64) candidate {
	var c candidate
	addresses, routes := map[uint32]bool{}, map[uint32]bool{}
	for _, a := range t.since {
		c.claims = append(c.claims, a.refusal)
		addresses[d.Refusals.At(int(a.refusal)).Address] = true
		routes[a.endpoint] = true
	}
	slices.Sort(c.claims)
	c.Subject = result.Subject{Type: "account", User: result.Clean(d.State.Users[t.user-1].Name)}
	c.Onset = t.firstRefused * 1000
	// A client that was accepted without a name may have been so in the account's.
	first := d.Refusals.At(int(t.since[0].refusal))
	if t.signedIn || t.visits > 0 && !first.Known && !first.Good {
		c.Onset = parse.NoTime
	}
	c.Confidence = confidence(p, stats.WilsonLower(t.tries, t.tries, stats.Z95)+0.2)
	c.Severity = result.Medium
	c.Exhibit = beforeSince(t.accepted, 0, t.tries)
	c.Details = &FailingAccount{
		LastAccepted: result.Time(t.lastAccepted * 1000), SignedIn: t.signedIn, Never: t.visits > 0, Visits: t.visits, FirstRefused: result.Time(t.firstRefused * 1000),
		Tries: t.tries, Requests: len(t.since), AcceptedBefore: t.accepted, Expected: round(t.expected, 2),
		Addresses: len(addresses), Routes: len(routes), PValue: result.Probability(p),
	}
	return c
}
