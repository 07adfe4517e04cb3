package detect

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
)

// integrationFailure finds programs whose credentials have come to their end.
//
// Sign: one client asks few routes at a steady pace, in one name or none; it is
// accepted, with its handshakes, until a time from which on each of its rounds
// is refused. Not: a person's browser or app whose session has ended (it asked
// many routes, at no pace), a route that refuses others too, a probe (it was
// never accepted), a program that is challenged each time and then succeeds.
//
// Statistic: the change-point in the outcomes of the client's own rounds; the
// chance that so many in a row are refused at the share of refusals before, or
// at that of others on the same routes where it is greater, adjusted by
// Benjamini and Hochberg over the clients; and a pace before and after.
var integrationFailure = Kind{
	Name:     "integration_failure",
	Label:    "Failing integration",
	Meaning:  "A machine client that used to be accepted is refused from one time on.",
	Category: ClientCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	observe:  observeMachines,
	inspect:  inspectIntegrations,
}

const (
	// machineAccepted and machineRounds are how many rounds must be accepted
	// and then refused: fewer have no pace.
	machineAccepted = 5
	machineRounds   = 4
	// machineHigh requests refused are so many that somebody waits for them.
	machineHigh = 500
)

func inspectIntegrations(c *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*machineObserver)
	type tested struct {
		*machine
		breakdown
	}
	var tests []tested
	var p []float64
	refused := c.openRefused()
	for i := range o.machines {
		m := &o.machines[i]
		if b, ok := findBreakdown(c.openAnswers(m.answers)); ok {
			tests = append(tests, tested{m, b})
			rate := max(float64(b.refusedBefore+1)/float64(b.refusedBefore+b.accepted+2), c.othersRefused(b.since, refused))
			p = append(p, math.Pow(rate, float64(b.rounds)))
		}
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n, t := range tests {
		if adjusted[n] <= accountFalse {
			found = append(found, c.failingMachine(t.machine, t.breakdown, adjusted[n]))
		}
	}
	return found, nil
}

// openAnswers gives answers without the refusals that are explained.
func (c *Diagnosis) openAnswers(all []answer) []answer {
	return slices.DeleteFunc(slices.Clone(all), func(a answer) bool {
		return a.fact != timeline.NoRefusal && !c.open(int(a.fact))
	})
}

// openRefused counts the 401s by endpoint that nothing explains yet.
func (c *Diagnosis) openRefused() []int64 {
	n := make([]int64, len(c.Endpoints))
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) {
			n[f.Endpoint]++
		}
	}
	return n
}

// othersRefused is the share of the requests of others that the routes of the
// refusals refused, where others ask them.
func (c *Diagnosis) othersRefused(since []answer, refused []int64) float64 {
	own := map[uint32]int64{}
	for _, a := range since {
		own[a.endpoint]++
	}
	share := 0.0
	for endpoint, n := range own {
		others := max(refused[endpoint]-n, 0)
		accepted := c.State.Endpoints[endpoint].N[timeline.Accepted]
		share = max(share, float64(others)/float64(others+accepted+1))
	}
	return share
}

// breakdown is where a machine turns from accepted to refused.
type breakdown struct {
	lastAccepted, firstRefused int64 // Unix milliseconds
	accepted, refusedBefore    int64 // rounds before
	rounds                     int64 // refused since
	period                     int64 // milliseconds, before
	since                      []answer
	again                      int64 // first acceptance after, or never
}

// asking is a round: what is asked together with the same outcome.
type asking struct {
	time, end int64
	refused   bool
	from, to  int // answers
}

// findBreakdown finds the longest row of rounds that are refused, and tells
// whether it is a machine's whose credentials have ended.
func findBreakdown(list []answer) (breakdown, bool) {
	var all []asking
	for i, a := range list {
		refused := a.fact != timeline.NoRefusal
		if n := len(all) - 1; n >= 0 && a.time-all[n].end <= tryGap && all[n].refused == refused {
			all[n].end, all[n].to = a.time, i+1
			continue
		}
		all = append(all, asking{a.time, a.time, refused, i, i + 1})
	}
	from, to := 0, 0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].refused {
			j++
		}
		if j-i > to-from {
			from, to = i, j
		}
		i = j + 1
	}
	b := breakdown{rounds: int64(to - from), again: session.Never}
	var accepted, refused []int64
	for i := range all[:from] {
		if all[i].refused {
			b.refusedBefore++
		} else {
			accepted = append(accepted, all[i].time)
		}
	}
	b.accepted = int64(len(accepted))
	if b.rounds < machineRounds || b.accepted < machineAccepted {
		return b, false
	}
	for _, r := range all[from:to] {
		refused = append(refused, r.time)
	}
	if to < len(all) {
		b.again = all[to].time
	}
	b.since = list[all[from].from:all[to-1].to]
	b.lastAccepted, b.firstRefused = all[from-1].end, all[from].time
	var then, now bool
	b.period, then = pace(accepted)
	_, now = pace(refused)
	if b.rounds <= steadyGaps {
		now = true // too few to show a pace of their own
	}
	return b, then && now && b.period > tryGap
}

func (c *Diagnosis) failingMachine(m *machine, b breakdown, p float64) candidate {
	var cand candidate
	routes := map[uint32]int{}
	for _, a := range b.since {
		cand.claims = append(cand.claims, a.fact)
		routes[a.endpoint]++
	}
	slices.Sort(cand.claims)
	agent := result.Clean(c.State.Agents[m.client.Agent])
	cand.Subject = result.Subject{Type: "client", ClientAddress: result.Clean(c.State.Addresses[m.client.Address]), UserAgent: agent}
	name := cmp.Or(agent, "A program without user agent")
	as := ""
	if m.user != 0 {
		cand.Subject.User = result.Clean(c.State.Users[m.user-1].Name)
		as = " as " + cand.Subject.User
	}
	cand.Onset = b.firstRefused * 1000
	cand.Confidence = confidence(p, stats.WilsonLower(b.rounds, b.rounds, stats.Z95)+0.2)
	ongoing := b.again == session.Never
	cand.Severity = result.Medium
	if ongoing && len(cand.claims) >= machineHigh {
		cand.Severity = result.High
	}
	route := endpointLabel(&c.State.Endpoints[c.mostAsked(routes)])
	period := seconds(round(float64(b.period)/1000, 1))
	cand.Title = fmt.Sprintf("%s at %s is refused on %s since %s", name, cand.Subject.ClientAddress, route, Clock(cand.Onset))
	ended := "It is still refused at the end."
	if !ongoing {
		ended = "It is accepted again since " + Clock(b.again*1000) + "."
	}
	cand.Explanation = Say("A program asks every %s%s. It was accepted %d times, last at %s; since %s all %d rounds (%d requests on %s) were refused, while others go on being accepted there. %s",
		period, as, b.accepted, Clock(b.lastAccepted*1000), Clock(cand.Onset), b.rounds, len(cand.claims), count(len(routes), "route"), ended)
	cand.Remediation = []string{
		"Renew its credentials: an API key or a password that has expired, a client secret that was rotated, a token whose scope or audience was changed.",
		"Look at what was changed at the onset: .htpasswd or the directory, the list of addresses allowed (nginx allow, Apache Require ip), the OAuth client.",
		"Let it give up and raise an alarm on a 401 instead of asking on, and be told before the next key expires.",
	}
	cand.Exhibit = beforeSince(b.accepted, b.refusedBefore, b.rounds)
	cand.Details = map[string]any{
		"period_seconds": round(float64(b.period)/1000, 1), "last_accepted": Clock(b.lastAccepted * 1000),
		"first_refused": Clock(cand.Onset), "accepted_before": b.accepted, "rounds_refused": b.rounds,
		"routes": len(routes), "route": route, "ongoing": ongoing, "p_value": p,
	}
	return cand
}
