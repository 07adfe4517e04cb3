package detect

import (
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/field"
)

// Who is asked for credentials gets in, or goes away: a stranger, a person without the
// password. Where next to everybody gets in, and from a time on many do not, something is
// broken for a part of the people: one way to authenticate of several, such as Kerberos beside
// NTLM, a directory, a tenant. Each of those turned away looks like a stranger.
//
// Statistic: the visits that a host asks for credentials, in the order of time, each with
// whether it got in; the run with the greatest likelihood (stats.Excursions), the binomial tail
// of the visits in it against the share at all other times, corrected for the number of runs.
// A client that is turned away counts once: a crawler or a program that comes back is no crowd.

const (
	// awayCells is the maximum number of parts, with as many visits each, in which the shares of
	// those turned away are compared.
	awayCells = 256
	// awayTries is the minimum number of tries of somebody who is turned away: who has no account
	// leaves after the first.
	awayTries = 2
	// awayOdds is the least ratio of the odds to be turned away to the usual ones.
	awayOdds = 4
	// awayUsual is the maximum share of those turned away at other times: where more are, nothing
	// follows from those of one time.
	awayUsual = 0.1
	// awayFalse is the accepted probability of a false report by host.
	awayFalse = 0.001
	// awayOwn is the minimum share of the clients turned away that are in a private network.
	awayOwn = 0.9
)

// Away is a time in which a far greater share of those whom a host asks for credentials does not
// get in.
type Away struct {
	host            string
	from, to        int64 // Unix milliseconds; to is that of the last refusal, session.Never if it lasts
	inside, outside stats.Cell
	p               float64
	clients         map[timeline.Client]bool // turned away, and whether they get in at another time
}

// knock is a visit of a client that begins with a refusal, or the part of one after which it is not
// accepted any more.
type knock struct {
	client      timeline.Client
	first, last int64 // Unix milliseconds
	in          bool
	tries       int8 // refusals that are not of the same moment, at most awayTries
	before      int  // index of the part before, plus one; 0 for none
	void        bool // it got in after all: it is no part of its own
}

// TurnedAway returns the times in which hosts turn away far more visits than at others. explained
// reports whether a finding explains a refusal.
func TurnedAway(ev *session.Evidence, explained func(refusal int) bool) (found []Away) {
	for site, visits := range knocks(ev, explained) {
		if x, ok := turnedAway(visits); ok {
			x.host = ev.Sites[site]
			found = append(found, x)
		}
	}
	return found
}

// asksAway reports whether a refusal may be one of somebody who is turned away.
func asksAway(ev *session.Evidence, r *session.Refusal) bool {
	return r.Actor != 0 && !r.SignIn && !r.Renewal && !r.Left && !ev.State.Unlisted(r.Client())
}

// getsIn reports whether somebody is accepted soon after a refusal.
func getsIn(r *session.Refusal) bool {
	return r.Cause == session.Challenge || r.Back || r.Settled || r.Alive
}

// knocks returns the visits by site: those that get in, and of each client the first that does
// not, of software that gets in at some time.
func knocks(ev *session.Evidence, explained func(refusal int) bool) [][]knock {
	type guest struct {
		site uint32
		timeline.Client
	}
	last, sites := map[guest]int{}, make([][]knock, len(ev.Sites))
	for i, r := range ev.Refusals.All() {
		in := getsIn(r)
		if !asksAway(ev, r) || !in && explained(i) {
			continue
		}
		g := guest{ev.SiteOf(r.Endpoint), r.Client()}
		list := sites[g.site]
		n, again := last[g]
		k := knock{client: g.Client, first: r.Time, last: r.Time, in: in, tries: 1}
		switch {
		case !again || r.Time-list[n].last > outageVisit:
			last[g], sites[g.site] = len(list), append(list, k)
			continue
		case list[n].in && !in:
			k.before = n + 1
			last[g], sites[g.site] = len(list), append(list, k)
			continue
		case in && list[n].before > 0:
			list[n].void = true
			n = list[n].before - 1
			last[g] = n
		}
		if r.Time-list[n].last > session.RedirectWindow && list[n].tries < awayTries {
			list[n].tries++
		}
		list[n].in, list[n].last = in, r.Time
	}
	families := map[uint32]string{} // by user agent
	for site, list := range sites {
		getIn, away := map[string]bool{}, map[timeline.Client]bool{} // by family; counted
		for i := range list {
			agent := list[i].client.Agent
			if _, known := families[agent]; !known {
				families[agent], _ = softwareOf(ev.State.Agents[agent])
			}
			getIn[families[agent]] = getIn[families[agent]] || list[i].in
		}
		sites[site] = slices.DeleteFunc(list, func(k knock) bool {
			if k.in || k.void {
				return k.void
			}
			if k.tries < awayTries || away[k.client] || !getIn[families[k.client.Agent]] {
				return true
			}
			away[k.client] = true
			return false
		})
	}
	return sites
}

// turnedAway returns the time in which the share of visits that do not get in is far greater than
// at others, if there is one. visits are in the order of their first refusals.
func turnedAway(visits []knock) (x Away, ok bool) {
	width := len(visits)/awayCells + 1
	cells := make([]stats.Cell, (len(visits)+width-1)/width)
	for i := range visits {
		cells[i/width].Add(!visits[i].in)
	}
	tests := float64(len(cells)) * float64(len(cells)) / 2
	for _, run := range append(stats.Excursions(cells), lasting(cells)...) {
		usual := run.Outside.Smoothed()
		x = Away{inside: run.Inside, outside: run.Outside, p: min(1, stats.BinomialTail(run.Inside.Hits, run.Inside.Trials, usual)*tests)}
		low := stats.WilsonLower(run.Inside.Hits, run.Inside.Trials, stats.Z95)
		if shareOf(run.Outside) > awayUsual || x.p > awayFalse || stats.Odds(low) < awayOdds*stats.Odds(usual) {
			continue
		}
		from, to := run.From*width, min(run.To*width, len(visits))
		x.clients, x.from, x.to = map[timeline.Client]bool{}, session.Never, session.Never
		for i := range visits[from:to] {
			if k := &visits[from+i]; !k.in {
				x.clients[k.client] = false
				x.from = min(x.from, k.first)
			}
		}
		for i := range visits {
			if _, away := x.clients[visits[i].client]; away && visits[i].in {
				x.clients[visits[i].client] = true
			}
		}
		if to < len(visits) {
			x.to = visits[to].first - 1
		}
		return x, len(x.clients) >= outageActors
	}
	return x, false
}

// lasting returns the runs from a change of the share of hits to the end of a series: they have one
// place only to choose, so they need gain less than other runs.
func lasting(cells []stats.Cell) (runs []stats.Excursion) {
	all := stats.Sum(cells)
	for _, change := range stats.Segment(cells) {
		run := stats.Excursion{From: change.At, To: len(cells), Gain: change.Gain, Inside: stats.Sum(cells[change.At:])}
		run.Outside = all.Minus(run.Inside)
		runs = append(runs, run)
	}
	return runs
}

// Has reports whether a refusal is of somebody who was turned away then.
func (x *Away) Has(ev *session.Evidence, r *session.Refusal) bool {
	if r.Time < x.from || r.Time > x.to || !asksAway(ev, r) || getsIn(r) || ev.State.Endpoints[r.Endpoint].Host != x.host {
		return false
	}
	_, away := x.clients[r.Client()]
	return away
}

// awayOutages returns a finding for each time in which people of the site's own network are turned
// away: no stranger has an address there.
func (d *Diagnosis) awayOutages() (found []candidate) {
	for _, x := range TurnedAway(d.Evidence, d.explained) {
		cand := candidate{}
		for i, r := range d.eachOpen() {
			if x.Has(d.Evidence, r) {
				cand.claims = append(cand.claims, uint32(i))
			}
		}
		own, proven := 0, int64(0)
		for c, in := range x.clients {
			if field.Private([]byte(d.State.Addresses[c.Address])) {
				own++
			}
			if in {
				proven++
			}
		}
		claims := slices.Values(cand.claims)
		routes := distinctEndpoints(d, claims)
		if float64(own) < awayOwn*float64(len(x.clients)) || routes < outageRoutes || d.byTools(claims) {
			continue
		}
		lower := stats.WilsonLower(x.inside.Hits, x.inside.Trials, stats.Z95)
		cand.Subject, cand.Onset = result.Subject{Type: "site", Host: x.host}, parse.NoTime
		cand.Confidence, cand.Severity = confidence(x.p, lower), result.Medium
		if clients := len(x.clients); clients >= outageHigh || float64(clients) >= outagePeople*float64(d.Actors) {
			cand.Severity = result.High
		}
		details := &Outage{
			Part: shareOf(x.inside) < outageShare, Network: true, Refused: int64(len(x.clients)), Accepted: x.inside.Trials - x.inside.Hits, Proven: proven, Routes: routes,
			UsualShare: result.Share(round(shareOf(x.outside), 4)), AcceptedOutside: x.outside.Trials - x.outside.Hits,
			PValue: result.Probability(x.p), Ongoing: x.to == session.Never,
		}
		if !details.Ongoing {
			details.Until = result.Time(x.to * 1000)
		}
		if x.from > d.From+session.Nearby {
			cand.Onset = x.from * 1000
			high := result.Time(cand.Onset)
			details.OnsetHigh = &high
		}
		cand.Details = details
		found = append(found, cand)
	}
	return found
}
