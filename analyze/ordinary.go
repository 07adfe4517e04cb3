package analyze

import (
	"maps"
	"math"
	"slices"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

// A refusal may look ordinary by itself and not be so in such numbers: a person
// mistypes a few times, an expired session is refused until its owner signs in again, a
// crawler looks in. What repeats beyond that is not harmless, and no finding says what
// it is: it is unexplained.

const (
	// ordinaryDaily is the number of refusals a day up to which a stranger, who was
	// never accepted, or a session that has ended is ordinary: the number from which on
	// published rules count failures as guessing whatever their pace (Elastic and Okta
	// use 10 to 50), and more than a crawler retries.
	ordinaryDaily = 50
	// failedDaily is the number of failed sign-ins a day up to which a client that never
	// succeeds is somebody who mistypes: products lock an account after 3 to 10, and who has
	// forgotten a password asks for a new one.
	failedDaily = 10
	// fewOrdinary is the number of refusals up to which their share of all requests does not
	// matter: one person's bad morning.
	fewOrdinary = 10
	day         = int64(24 * time.Hour / time.Millisecond)
	// openedBefore is the minimum number of sign-ins that the log shows to succeed, so
	// that their absence means something.
	openedBefore = 10
	// doorOpened is the same of one of several doors: others show that people can sign in.
	doorOpened = 5
	// failingFalse is the accepted chance that so many people in a row fail by chance,
	// anywhere in the log.
	failingFalse = 0.001
)

// excessive returns, by refusal, whether it looks ordinary and is one of too many to be so: of
// one client that was never accepted, of one that fails to sign in more often than it succeeds
// or many times since, of one actor for every session of it that ended, of a time at which
// nobody could sign in, of a crowd that asks for nothing else, of sessions that were
// interrupted at the same time or moved to another address, of a time at which far more than
// usual do not get in, of links that somebody else may have opened before, of tokens that had
// just been given, of ends of sessions that go on, of those that are cut off in use or whose
// owners do not come back, of sessions from before a log in which none of them goes on, of those
// whose lines state a fault, of routes that are refused by a mistake in the configuration, or of
// a log in which much is refused. So are those of which nothing shows that they are ordinary;
// see doubtfulRefusals. Refusals that a finding explains do not count.
func (a *assembly) excessive() (all session.Bits) {
	days := max(1, (a.To-a.From+day-1)/day)
	limit := ordinaryDaily * days
	mistyped, submitted := map[timeline.Client]int64{}, map[timeline.Client]int64{}
	known := map[timeline.Client]bool{}
	// By day: what is too much for a day is so in a log of a month.
	type clientDay struct {
		client timeline.Client
		day    int64
	}
	type actorDay struct {
		actor uint32
		day   int64
	}
	strangers, actors := map[clientDay]int64{}, map[actorDay]*ended{}
	dayOf := func(r *session.Refusal) int64 { return (r.Time - a.From) / day }
	for i, r := range a.Refusals.All() {
		client := r.Client()
		if (r.Known || r.Good) && !known[client] && !a.State.Unlisted(client) {
			known[client] = true
		}
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		switch r.Cause {
		case session.Anonymous, session.LoginFailure, session.TokenRenewal:
			strangers[clientDay{client, dayOf(r)}]++
			switch {
			case r.Cause == session.LoginFailure:
				mistyped[client]++
			case r.Cause == session.Anonymous && a.State.Endpoints[r.Endpoint].Method == "POST":
				submitted[client]++
			}
		case session.SessionEnd:
			x := actors[actorDay{r.Actor, dayOf(r)}]
			if x == nil {
				x = &ended{}
				actors[actorDay{r.Actor, dayOf(r)}] = x
			}
			x.refused++
			// The end of a session that began again by a sign-in, or of a token that was renewed.
			if r.Fatal && !r.Resumed || !r.Dead && r.Back {
				x.sessions++
			}
		}
	}
	unbroken := a.unbrokenFailures(mistyped)
	succeeds := a.allowSuccesses(mistyped, failedDaily*days)
	closed, doubted, revived, crowd := a.closedSignIns(), a.doubtfulArrivals(), a.revivedHosts(), a.knockingCrowds(limit)
	away := detect.TurnedAway(a.Evidence, func(i int) bool { return a.Of[i] != 0 })
	cut, left, kept, young := a.cutHosts(), a.leftHosts(), a.carriedHosts(), a.youngTokenHosts()
	interrupted, moved, submits := a.interruptions(), a.movedSessions(), a.submitters(submitted, known, days)
	unshown := a.doubtfulRefusals()
	for i, r := range a.Refusals.All() {
		if a.Of[i] != 0 || r.Actor == 0 {
			continue
		}
		excess := interrupted.Has(i) || moved.Has(i) || a.Doubted.Has(i) || unshown.Has(i) ||
			slices.ContainsFunc(away, func(x detect.Away) bool { return x.Has(a.Evidence, r) })
		switch r.Cause {
		case session.Anonymous, session.LoginFailure, session.TokenRenewal:
			excess = excess || (!known[r.Client()] || r.Cause == session.TokenRenewal) && strangers[clientDay{r.Client(), dayOf(r)}] > ordinaryDaily || submits[r.Client()] || closed.Has(i) || crowd.Has(i) || unbroken.Has(i) ||
				r.Cause == session.LoginFailure && (mistyped[r.Client()] > limit || !known[r.Client()] && !succeeds[r.Client()] && mistyped[r.Client()] > failedDaily*days)
		case session.SessionEnd:
			x := actors[actorDay{r.Actor, dayOf(r)}]
			excess = excess || x.refused > ordinaryDaily*max(1, x.sessions) || left.Has(i) || revives(r) && revived[a.State.Endpoints[r.Endpoint].Host] ||
				cutInUse(r) && cut[a.State.Endpoints[r.Endpoint].Host] || r.TokenAge() > 0 && young[a.State.Endpoints[r.Endpoint].Host] || carried(r) && kept[a.State.Endpoints[r.Endpoint].Host]
		case session.Challenge:
			excess = excess || r.Arrival && doubted[r.Client()]
		}
		if excess {
			all.Add(i)
		}
	}
	a.addFaults(&all)
	return all
}

// addFaults adds the refusals of routes that are refused by a mistake in the configuration, those
// whose lines state a fault, and all of a log in which much is refused.
func (a *assembly) addFaults(all *session.Bits) {
	if a.faulty = a.faultyRoutes(); len(a.faulty) > 0 {
		for i, r := range a.Refusals.All() {
			if a.Of[i] == 0 && a.faulty[r.Endpoint] != nil {
				all.Add(i)
			}
		}
	}
	if much := a.refusesMuch(); much || !a.State.Unstated {
		for i, r := range a.Refusals.All() {
			if a.Of[i] == 0 && r.Cause != session.Challenge && (much || a.statedFault(i)) {
				all.Add(i)
			}
		}
	}
}

// statedFault reports whether the line of a refusal states a fault of the server, or of what
// it asks: no key verifies the token, the identity provider does not answer, something is set
// up wrongly or clocks differ. Whoever asks, that is no expired session and no wrong password.
func (a *assembly) statedFault(i int) bool {
	switch a.State.ReasonClass(i) {
	case field.KeyReason, field.UnavailableReason, field.ConfigReason, field.ClockReason:
		return true
	}
	return false
}

// refusesMuch reports whether the refusals that no finding explains, but for challenges, are
// so large a part of the requests that they are not ordinary. What findings explain is
// neither.
func (a *assembly) refusesMuch() bool {
	left := int64(0)
	for i := range a.State.Inputs {
		left += a.State.Inputs[i].Verdicts[parse.Parsed]
	}
	refused := int64(0)
	for i, r := range a.Refusals.All() {
		switch {
		case a.Of[i] != 0:
			left--
		case r.Cause != session.Challenge:
			refused++
		}
	}
	return refused >= fewOrdinary && float64(refused) >= result.MuchRefused*float64(left)
}

// submitters returns the strangers that submit something again and again, and are answered hardly
// anything but refusals: crawlers and previews only read, and people look at more pages than the
// form. Those that submit no more often than who mistypes count if they are many together.
// submitted is the number of their refused submissions.
func (a *assembly) submitters(submitted map[timeline.Client]int64, known map[timeline.Client]bool, days int64) map[timeline.Client]bool {
	all, sum := map[timeline.Client]bool{}, int64(0)
	for c, n := range submitted {
		if s := a.Clients[c]; s == nil || n <= detect.PersonTries || !detect.OnlyTries(&s.Tally) || known[c] {
			continue
		}
		all[c] = true
		sum += n
	}
	if sum <= ordinaryDaily*days {
		maps.DeleteFunc(all, func(c timeline.Client, _ bool) bool { return submitted[c] <= failedDaily*days })
	}
	return all
}

// onlyRefused reports whether a client is answered nothing but refusals.
func (a *assembly) onlyRefused(c timeline.Client) bool {
	s := a.Clients[c]
	return s != nil && s.Tally.OnlyRefused()
}

// allowSuccesses subtracts from the failed sign-ins of each client, where they are more
// than limit, those that succeeded: many people who share an address mistype now and then,
// but even the clumsiest succeed as often as they fail. It returns which of these clients
// succeed at all, and drops the other clients.
func (a *assembly) allowSuccesses(failed map[timeline.Client]int64, limit int64) (succeeds map[timeline.Client]bool) {
	maps.DeleteFunc(failed, func(_ timeline.Client, n int64) bool { return n <= limit })
	if len(failed) == 0 {
		return nil
	}
	succeeds = map[timeline.Client]bool{}
	for s, err := range a.EachSession() {
		if err != nil {
			return succeeds // the rows of the sessions report it
		}
		if n, many := failed[s.Client]; many {
			failed[s.Client], succeeds[s.Client] = n-1, true
		}
	}
	return succeeds
}

// ended counts the sessions of an actor that ended, and the refusals after that.
type ended struct{ refused, sessions int64 }

// closedSignIns returns the failed sign-ins at times when many people tried in a row and
// nobody got in, though people do in this log: then they did not mistype. It looks at all
// sign-ins together and, where there are several doors, at each: one tenant's may be closed,
// or the form while programs get tokens. So are those at times when far more people fail than
// at others; see risen. The chance that k people in a row fail is at most
// n·p^k among n people, with the share p of those who fail there at other times, for which its
// upper bound (Wilson) stands; each person counts once in a row.
func (a *assembly) closedSignIns() (closed session.Bits) {
	doors := make([]door, 1+len(a.Doors()))
	for i, r := range a.Refusals.All() {
		if r.Cause != session.LoginFailure || r.Actor == 0 || a.Of[i] != 0 {
			continue
		}
		doors[0].failures = append(doors[0].failures, uint32(i))
		if n := a.DoorOf(a.Form(r.Endpoint)); n > 0 {
			doors[n].failures = append(doors[n].failures, uint32(i))
		}
	}
	if len(doors[0].failures) == 0 {
		return nil
	}
	refusal := a.Refusals.Reader()
	for s, err := range a.EachSession() {
		if err != nil {
			return nil // the rows of the sessions report it
		}
		for n := range doors {
			if s.StartSeen && (n == 0 || s.Door == 0 || int(s.Door) == n) {
				doors[n].open(s.Start, func(i uint32) int64 { return refusal(int(i)).Time })
			}
		}
	}
	for n := range doors {
		least := openedBefore
		if n > 0 {
			least = doorOpened
		}
		if doors[n].successes >= least {
			a.addClosed(&doors[n], &closed)
		}
	}
	return closed
}

// door is a way to sign in, or all together.
type door struct {
	failures  []uint32   // those after the last success so far
	rows      [][]uint32 // those between two successes
	before    []int      // by row: how many successes were before it
	next      int64      // time of the first of failures, 0 if unknown: reading it may take a while
	successes int
}

// open adds a success at a time, in Unix milliseconds.
func (x *door) open(at int64, timeOf func(refusal uint32) int64) {
	x.successes++
	n := 0
	for ; n < len(x.failures); n++ {
		if n > 0 || x.next == 0 {
			x.next = timeOf(x.failures[n])
		}
		if x.next >= at {
			break
		}
	}
	if n > 0 {
		x.rows, x.before, x.failures = append(x.rows, x.failures[:n]), append(x.before, x.successes-1), x.failures[n:]
	}
}

// addClosed adds the failures of the rows that are too long for chance, and of the times in
// which far more people fail than at others.
func (a *assembly) addClosed(x *door, closed *session.Bits) {
	rows, before := append(x.rows, x.failures), append(x.before, x.successes)
	people, all := make([]int64, len(rows)), int64(0)
	for n, row := range rows {
		distinct := map[timeline.Client]bool{}
		for _, r := range a.Refusals.Of(slices.Values(row)) {
			distinct[r.Client()] = true
		}
		people[n] = int64(len(distinct))
		all += people[n]
	}
	risen := x.risen(before, people)
	for n, row := range rows {
		others := all - people[n] + int64(x.successes)
		share := 1 - stats.WilsonLower(int64(x.successes), others, stats.Z95)
		if float64(all+int64(x.successes))*math.Pow(share, float64(people[n])) > failingFalse && !risen[n] {
			continue
		}
		for _, i := range row {
			closed.Add(int(i))
		}
	}
}

const (
	// doorCells is the maximum number of parts, with as many successes each, in which the
	// shares of those who fail are compared.
	doorCells = 256
	// risenOdds is the least ratio of the odds to fail to the usual ones that is no mood of the
	// day.
	risenOdds = 4
)

// risen reports by row whether it is of a time in which a far greater share of the people fails
// than at others, though most get in at last: the directory is slow, or one of several is down.
func (x *door) risen(before []int, people []int64) []bool {
	risen := make([]bool, len(before))
	width := x.successes/doorCells + 1
	cells := make([]stats.Cell, x.successes/width+1)
	for i := range x.successes {
		cells[i/width].Trials++
	}
	for n, i := range before {
		cells[i/width].Merge(stats.Cell{Hits: people[n], Trials: people[n]})
	}
	for _, run := range stats.Excursions(cells) {
		usual := run.Outside.Smoothed()
		low := stats.WilsonLower(run.Inside.Hits, run.Inside.Trials, stats.Z95)
		tests := float64(len(cells)) * float64(len(cells)) / 2
		if run.Inside.Hits < fewOrdinary || stats.Odds(low) < risenOdds*stats.Odds(usual) ||
			stats.BinomialTail(run.Inside.Hits, run.Inside.Trials, usual)*tests > failingFalse {
			continue
		}
		for n, i := range before {
			risen[n] = risen[n] || i/width >= run.From && i/width < run.To
		}
	}
	return risen
}
