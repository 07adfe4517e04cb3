package detect

import (
	"cmp"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// distributedGuessing finds accounts whose password many clients guess, each in a
// few tries.
//
// Sign: failures of one account from at least 10 addresses from which it had never
// been accepted. Not: the owner on the move, who is accepted after a mistyped
// password; an account that is locked, which fails where it is at home; one client's
// many guesses (brute_force).
//
// Statistic: the Poisson tail of the number of strange addresses against the mean
// over the accounts that fail, adjusted by Benjamini and Hochberg.
var distributedGuessing = Kind{
	Name:     "distributed_guessing",
	Label:    "Distributed guessing",
	Meaning:  "Many clients guess the password of one account.",
	Category: AttackCategory,
	Subjects: []string{"account"},
	folds:    byAttack,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	Uses:     []parse.Extra{parse.ExtraUser, parse.ExtraForwarded},
	Details:  func() any { return new(Distributed) },
	Title: `Clients at {{with .Details}}{{plural .Addresses "address" "addresses"}} guessed the password of account {{$.Subject.User}}:
		{{plural .Failures "failed try" "failed tries"}}{{with .EnteredFrom}}, then accepted from {{plural . "address" "addresses"}}{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{plural .Failures "try" "tries"}} from {{plural .Addresses "address" "addresses"}} failed between {{time .Start}} and {{time .End}}.
		The account had not been accepted from any of these addresses before{{with .EnteredFrom}}; later it was accepted from {{number .}} of them{{end}}.
		Other accounts that fail do so from at most {{fixed 1 .Usual}} addresses on average.{{end}}`,
	Remedy: []string{
		`{{if .Details.EnteredFrom}}Somebody got in from an address that had guessed: lock the account, end its sessions, change its password, and check what it did since.{{end}}`,
		`Limit failed tries per account with a growing delay. A limit per address does not stop this attack, and locking the account shuts out its owner.`,
		`Require a second factor, and inform the owner.`,
		`Rename well-known accounts (admin, root, test), or let them sign in from internal addresses only.`,
	},
	observe: observeGuesses,
	inspect: inspectDistributed,
}

// Distributed is the details of a distributed_guessing finding.
type Distributed struct {
	Start             result.Time        `json:"start"` // first failed try
	End               result.Time        `json:"end"`   // last failed try
	Failures          int                `json:"failures"`
	Addresses         int                `json:"addresses"`
	UserAgents        int                `json:"user_agents"`
	EnteredFrom       int                `json:"entered_from"`       // addresses from which the account was accepted later
	AcceptedElsewhere int64              `json:"accepted_elsewhere"` // accepted requests of the account
	Usual             float64            `json:"-"`                  // mean number of addresses of accounts that fail
	PValue            result.Probability `json:"p_value"`
}

const (
	// strangeAddresses is the minimum number of addresses from which an account fails.
	strangeAddresses = 10
	// slips is the maximum number of failures at an address that is accepted later
	// for which the client is taken to be the owner.
	slips = 4
)

func inspectDistributed(d *Diagnosis, _ observer) ([]candidate, error) {
	o := d.guesses
	if o == nil {
		return nil, nil
	}
	var all []guess
	for i, r := range d.Refusals.All() {
		if r.User == 0 || !r.Named || !d.failedTry(i, r) || o.user[r.User] == 0 || d.inOutageOf(i, r, anyContrast) || o.atHome(r.User, r.Address, r.Time) {
			continue
		}
		all = append(all, guess{r.User, r.Address, uint32(i)})
	}
	slices.SortFunc(all, compareGuesses)
	var accounts []guessedAccount
	var p []float64
	for len(all) > 0 {
		var a guessedAccount
		a, all = o.nextAccount(all)
		accounts = append(accounts, a)
		p = append(p, stats.PoissonTail(int64(a.addresses), o.usualFrom))
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n := range accounts {
		if a := &accounts[n]; a.addresses >= strangeAddresses && adjusted[n] <= falseReports && !d.spread(a.endpoints(d)) {
			found = append(found, a.finding(d, adjusted[n]))
		}
	}
	return found, nil
}

// guess is a failed try at an account.
type guess struct{ user, address, refusal uint32 }

func compareGuesses(a, b guess) int {
	return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.address, b.address), cmp.Compare(a.refusal, b.refusal))
}

// guessedAccount is the failed tries at an account, without those of its owner.
type guessedAccount struct {
	guesses   []guess // by address
	addresses int
	entered   int // addresses from which the account was accepted
}

// nextAccount returns the first account of sorted guesses, and the guesses at others. It
// changes the list.
func (o *guessObserver) nextAccount(all []guess) (a guessedAccount, rest []guess) {
	user := all[0].user
	kept := all[:0]
	for rest = all; len(rest) > 0 && rest[0].user == user; {
		address, n := rest[0].address, 1
		for n < len(rest) && rest[n].user == user && rest[n].address == address {
			n++
		}
		_, accepted := o.accepted[home{user, o.from(address)}]
		if accepted && n <= slips { // the owner, who signed in later
			rest = rest[n:]
			continue
		}
		if a.addresses++; accepted {
			a.entered++
		}
		kept = append(kept, rest[:n]...)
		rest = rest[n:]
	}
	a.guesses = kept
	return a, rest
}

// endpoints returns the number of guesses by endpoint.
func (a *guessedAccount) endpoints(d *Diagnosis) map[uint32]int {
	n := map[uint32]int{}
	for _, g := range a.guesses {
		n[d.Refusals.At(int(g.refusal)).Endpoint]++
	}
	return n
}

// finding returns the finding of an account.
func (a *guessedAccount) finding(d *Diagnosis, p float64) candidate {
	var c candidate
	user := a.guesses[0].user
	agents := map[uint32]bool{}
	for _, g := range a.guesses {
		c.claims = append(c.claims, g.refusal)
		agents[d.Refusals.At(int(g.refusal)).Agent] = true
	}
	slices.Sort(c.claims)
	first, last := d.Refusals.At(int(c.claims[0])).Time, d.Refusals.At(int(c.claims[len(c.claims)-1])).Time
	c.Subject = result.Subject{Type: "account", User: result.Clean(d.State.Users[user-1].Name)}
	c.Onset = first * 1000
	c.Confidence = confidence(p, stats.WilsonLower(int64(a.addresses-a.entered), int64(a.addresses), stats.Z95)+0.1)
	c.Severity = result.Medium
	switch {
	case a.entered > 0:
		c.Severity = result.Critical
	case last >= d.To-session.Nearby:
		c.Severity = result.High
	}
	c.Details = &Distributed{
		Start: result.Time(first * 1000), End: result.Time(last * 1000), Failures: len(c.claims), Addresses: a.addresses,
		UserAgents: len(agents), EnteredFrom: a.entered, AcceptedElsewhere: d.State.Users[user-1].N[timeline.Accepted],
		Usual: d.guesses.usualFrom, PValue: result.Probability(p),
	}
	c.pack()
	return c
}
