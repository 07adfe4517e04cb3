package detect

import "logscan/parse"

// passwordSpraying finds clients that try a few passwords at each of many accounts,
// so that none of them is locked.
//
// Sign: from one address at least 5 users fail in at least 10 tries, few tries each,
// some of them more than once, or accounts of which many sign in elsewhere (the client
// has the names of the site), and hardly any is accepted. Not: an address that
// hundreds share (those who mistype are accepted soon after), accounts that fail by
// themselves (they are at home where they fail), a list of stolen passwords (once
// each: credential_stuffing).
//
// From many addresses it shows by its software (see toolAttacks), and by the typical address, which
// tries more accounts than a household has: a version of an app that cannot sign in fails for
// one user at each.
//
// Statistic: the run of users who fail, by the maximum of a sum of log likelihoods:
// see wideRun.
var passwordSpraying = Kind{
	Name:     "password_spraying",
	Label:    "Password spraying",
	Meaning:  "One client tries a few passwords on each of many accounts.",
	Category: AttackCategory,
	Subjects: []string{"client", "site"},
	folds:    byNetwork,
	Needs:    []string{needTime, needStatus, needPath, needClient, needUser},
	Uses:     []parse.Extra{parse.ExtraUser, parse.ExtraForwarded},
	Details:  func() any { return new(Attack) },
	Title: guesserName + `{{with .Subject.Host}} on {{.}}{{end}} tried {{if eq .Details.TriesPerAccount 1.0}}one password{{else}}a few passwords{{end}} on each of {{with .Details}}{{count .Accounts "account"}}:
		{{if .Successes}}{{number .Successes}} opened{{else}}none opened{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		{{plural .Failures "try" "tries"}} on {{count .Accounts "account"}} failed between {{time .Start}} and {{time .End}}.
		That is {{fixed 1 .TriesPerAccount}} per account on average{{if eq $.Subject.Type "client"}}, too few to lock them{{end}}.
		{{with .Known}}{{count . "account"}} of these {{if eq . 1}}signs{{else}}sign{{end}} in elsewhere in the log.{{end}}
		None of the users had been accepted from {{if gt .Addresses 1}}these addresses{{else}}this address{{end}} before;
		{{if .Successes}}{{number .Successes}} {{if eq .Successes 1}}was{{else}}were{{end}} accepted afterwards, the first at {{time .FirstSuccess}}{{else}}none was accepted afterwards{{end}}.{{end}}`,
	Remedy: []string{
		enteredRemedy,
		networkRemedy,
		`Limit failed tries per address over all accounts. Locking accounts after several failures does not stop this attack.`,
		`Reject common and leaked passwords, and require a second factor.`,
		`Watch these accounts for sign-ins from other addresses: the same passwords may be tried from elsewhere.`,
	},
	observe: observeGuesses,
	inspect: inspectSpraying,
}

func inspectSpraying(d *Diagnosis, _ observer) ([]candidate, error) {
	if d.guesses == nil {
		return nil, nil
	}
	var found []candidate
	attacks, err := d.guesses.attackers(d.guesses.wideRun)
	for i, stuffs := range d.stuffing(attacks) {
		if !stuffs {
			c, _ := d.wideFinding(&attacks[i])
			found = append(found, c)
		}
	}
	if err != nil {
		return nil, err
	}
	attacks, err = d.guesses.toolAttacks(func(list []try) (attack, bool) {
		if !sharesAccounts(list) {
			return attack{}, false
		}
		a, ok := d.guesses.wideRun(everywhere, list)
		return a, ok && !a.once()
	})
	for i := range attacks {
		c, details := d.wideFinding(&attacks[i])
		c.Subject, details.Addresses = d.toolSubject(&attacks[i]), attacks[i].addresses
		found = append(found, c)
	}
	return found, err
}

// sharesAccounts reports whether the typical address of failed tries names guessUsers accounts or
// more.
func sharesAccounts(list []try) bool {
	var pairs homes
	for i := range list {
		if t := &list[i]; t.failed() && t.user != 0 {
			pairs.add(home{t.user, t.address})
		}
	}
	users, many := map[uint32]int{}, 0
	for _, p := range pairs.sorted() {
		if users[p.address]++; users[p.address] == guessUsers {
			many++
		}
	}
	return many > 0 && 2*many >= len(users)
}
