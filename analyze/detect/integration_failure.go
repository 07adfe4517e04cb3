package detect

import (
	"math"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// integrationFailure finds programs whose credentials have expired or were changed.
//
// Sign: one client requests few routes at a steady pace, in one name or none; it is
// accepted, with its handshakes, until a time from which on each of its rounds is
// refused. A program that reports events has no pace: it is one if it names itself, few
// clients do, and it never gives up. The addresses of a sender of events count as one client
// (senders.go), and one whose address changes as one, too (moved_machines.go). Not: a person's browser or app whose session has ended (it requested many
// routes, at no pace; but a program whose tries to sign in are all refused, too, has lost its
// account), a route that refuses others too, a probe (it was never
// accepted), a program that is challenged each time and then succeeds.
//
// Statistic: the change-point in the outcomes of the client's own rounds; the chance
// that so many in a row are refused at the share of refusals before, or at that of
// others on the same routes where it is greater, adjusted by Benjamini and Hochberg
// over all clients that were refused as often; and a pace before and after. Requests
// that another finding explains, such as those of a bad backend, show the pace, but
// no outcome: what the good backends answer decides.
var integrationFailure = Kind{
	Name:     "integration_failure",
	Label:    "Failing integration",
	Meaning:  "A machine client that used to be accepted is refused from one time on.",
	Category: ClientCategory,
	Subjects: []string{"client"},
	folds:    byOnset,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUserAgent, parse.ExtraReason},
	Details:  func() any { return new(FailingIntegration) },
	Title: `{{with .Subject.UserAgent}}{{.}}{{else}}A program without a user agent{{end}}{{with .Subject.ClientAddress}} at {{.}}{{end}}{{with .Details.Addresses}} at {{plural . "address" "addresses"}}{{end}}
		{{with .Details}}{{if .Ongoing}}has been refused on {{.Route}} since {{time .FirstRefused}}{{else}}was refused on {{.Route}} from {{time .FirstRefused}} to {{time .AcceptedAgain}}{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		A program sends requests {{if .Irregular}}at irregular times{{else}}every {{duration .Period}}{{end}}{{with $.Subject.User}} as {{.}}{{end}}. It was accepted {{plural .AcceptedBefore "time" "times"}}{{with .MovedFrom}} at {{.}}{{end}}, last at {{time .LastAccepted}}.
		{{with .MovedFrom}}Then this address fell silent, and the same requests have come at the same pace from {{$.Subject.ClientAddress}}.{{end}}
		From {{time .FirstRefused}} on, all {{plural .RoundsRefused "round" "rounds"}} of requests ({{count .Requests "request"}} on {{count .Routes "route"}}) were refused.
		The routes do not refuse others at this rate, so {{if .MovedFrom}}a list of allowed addresses, or credentials that were left behind, is the likely cause{{else}}its credentials are the likely cause{{end}}.
		{{if .Ongoing}}It is still refused at the end of the log.{{else}}It has been accepted again since {{time .AcceptedAgain}}.{{end}}{{end}}`,
	Remedy: []string{
		`{{with .Details.MovedFrom}}Look for {{.}} in the lists of allowed addresses (nginx allow, Apache Require ip, the restrictions of the API key, security groups), and put the new address beside it. If there is none, check whether the program still has its credentials where it runs now.{{end}}`,
		`Renew its credentials. Usual causes are an expired API key or password, a rotated client secret, or a token whose scope or audience has changed.`,
		`Check what changed at the onset: .htpasswd or the directory, the allowed addresses (nginx allow, Apache Require ip), the OAuth client.`,
		`Make the program stop and raise an alarm on a 401 instead of repeating the request, and set a reminder before the next credential expires.`,
	},
	observe: observeMachines,
	inspect: inspectIntegrations,
}

// FailingIntegration is the details of an integration_failure finding.
type FailingIntegration struct {
	Period         result.Seconds     `json:"period_seconds"` // between rounds while it was accepted
	Irregular      bool               `json:"-"`              // Period is the typical time only
	LastAccepted   result.Time        `json:"last_accepted"`
	FirstRefused   result.Time        `json:"first_refused"`
	AcceptedAgain  result.Time        `json:"-"`               // where it is not ongoing
	AcceptedBefore int64              `json:"accepted_before"` // rounds
	RoundsRefused  int64              `json:"rounds_refused"`
	Requests       int                `json:"-"`                    // of the refused rounds
	Routes         int                `json:"routes"`               // of the refused rounds
	Route          string             `json:"route"`                // the one with most requests
	Addresses      int                `json:"addresses,omitempty"`  // of a program that shares credentials among them
	MovedFrom      string             `json:"moved_from,omitempty"` // the address at which it was accepted before
	Ongoing        bool               `json:"ongoing"`
	PValue         result.Probability `json:"p_value"`
}

const (
	// machineAccepted is the minimum number of accepted rounds, and machineRounds that
	// of the refused rounds that follow: fewer show no pace.
	machineAccepted = 5
	machineRounds   = 4
	// persistentRounds is the minimum number of refused rounds of a program without a
	// pace, and persistentTime how long, in milliseconds, they last at least: nobody
	// reloads a page for so long.
	persistentRounds = 20
	persistentTime   = 60 * 60_000
	// machineFleet is the maximum number of clients of such a program that were
	// accepted: those of an app that many people use have sessions, which end.
	machineFleet = 10
	// machineHigh is the number of refused requests from which on the severity is
	// high: somebody depends on so many.
	machineHigh = 500
)

func inspectIntegrations(d *Diagnosis, seen observer) ([]candidate, error) {
	if seen == nil {
		return nil, nil
	}
	o := seen.(*machineObserver)
	var tests []breakdown
	var p []float64
	refused := d.openRefused()
	machines := slices.Concat(o.machines, o.senders(), o.movedMachines())
	for i := range machines {
		m := &machines[i]
		b, paced := findBreakdown(d, m.answers)
		ok := paced && !(m.wide && b.accepted < persistentRounds && !o.triesInVain(m.client) && !o.bringsName(m.client))
		if ok || b.rounds >= persistentRounds && o.persists(m, &b) {
			b.machine, b.irregular = m, !paced
			tests = append(tests, b)
			rate := max(float64(b.refusedBefore+1)/float64(b.refusedBefore+b.accepted+2), othersRefused(d, b.since, refused))
			// The series may begin at any of the rounds.
			p = append(p, min(1, math.Pow(rate, float64(b.rounds))*float64(b.accepted+b.refusedBefore+1)))
		}
	}
	adjusted := stats.BenjaminiHochbergAmong(p, len(d.Clients))
	var found []candidate
	for n := range tests {
		if adjusted[n] <= falseReports {
			found = append(found, failingIntegration(d, &tests[n], adjusted[n]))
		}
	}
	return found, nil
}

// persists reports whether a machine is a program by its name that was refused for long,
// though its rounds have no pace.
func (o *machineObserver) persists(m *machine, b *breakdown) bool {
	agent := o.d.State.Agents[m.client.Agent]
	return b.accepted >= persistentRounds && agent != "" && !isBrowser(agent) &&
		b.since[len(b.since)-1].time-b.firstRefused >= persistentTime &&
		(m.addresses > 0 || o.bringsName(m.client) || o.fleets[m.client.Agent] <= machineFleet || o.triesInVain(m.client))
}

// othersRefused returns the share of others' requests that the routes of the
// refusals refused: that of the worst route.
func othersRefused(d *Diagnosis, since []answer, refused []int64) float64 {
	own := map[uint32]int64{}
	for _, a := range since {
		own[a.endpoint]++
	}
	share := 0.0
	for endpoint, n := range own {
		others := max(refused[endpoint]-n, 0)
		accepted := d.State.Endpoints[endpoint].N[timeline.Accepted]
		share = max(share, float64(others)/float64(others+accepted+1))
	}
	return share
}

// breakdown is the change of a machine from accepted to refused.
type breakdown struct {
	machine                    *machine
	lastAccepted, firstRefused int64 // Unix milliseconds
	accepted, refusedBefore    int64 // rounds before
	rounds                     int64 // refused since
	period                     int64 // milliseconds, before
	irregular                  bool  // the rounds have no pace
	since                      []answer
	again                      int64 // first acceptance after, or session.Never
}

// machineRound is the requests made together with the same outcome.
type machineRound struct {
	time, end int64
	outcome   roundOutcome
	from, to  int // answers
}

// roundOutcome is how a round was answered.
type roundOutcome uint8

const (
	acceptedRound  roundOutcome = iota
	refusedRound                // open
	explainedRound              // refused for a reason that another finding explains
)

// roundsOf joins answers to rounds.
func roundsOf(d *Diagnosis, list []answer) []machineRound {
	var all []machineRound
	for i, a := range list {
		outcome := acceptedRound
		switch {
		case explained(d, a.refusal):
			outcome = explainedRound
		case a.refused():
			outcome = refusedRound
		}
		if n := len(all) - 1; n >= 0 && a.time-all[n].end <= tryGap && all[n].outcome == outcome {
			all[n].end, all[n].to = a.time, i+1
			continue
		}
		all = append(all, machineRound{a.time, a.time, outcome, i, i + 1})
	}
	return all
}

// longestRefusal returns the rounds [from, to) of the longest series of refused ones
// without an accepted one, and how many of them are refused for no known reason. It
// begins with such a round.
func longestRefusal(all []machineRound) (from, to int, refused int64) {
	for i := 0; i < len(all); i++ {
		if all[i].outcome != refusedRound {
			continue
		}
		n, j := int64(0), i
		for ; j < len(all) && all[j].outcome != acceptedRound; j++ {
			if all[j].outcome == refusedRound {
				n++
			}
		}
		if n > refused {
			from, to, refused = i, j, n
		}
		i = j
	}
	return from, to, refused
}

// findBreakdown finds the longest series of refused rounds, and reports whether it
// is that of a machine whose credentials have expired.
func findBreakdown(d *Diagnosis, list []answer) (breakdown, bool) {
	all := roundsOf(d, list)
	from, to, rounds := longestRefusal(all)
	b := breakdown{rounds: rounds, again: session.Never}
	var paced, refused []int64
	for _, r := range all[:from] {
		switch r.outcome {
		case refusedRound:
			b.refusedBefore++
			continue
		case acceptedRound:
			b.accepted++
			b.lastAccepted = r.end
		}
		paced = append(paced, r.time)
	}
	if b.rounds < machineRounds || b.accepted < machineAccepted {
		return b, false
	}
	for _, r := range all[from:to] {
		refused = append(refused, r.time)
		if r.outcome == refusedRound {
			b.since = append(b.since, list[r.from:r.to]...)
		}
	}
	if to < len(all) {
		b.again = all[to].time
	}
	b.firstRefused = all[from].time
	var before, since bool
	b.period, before = pace(paced)
	_, since = pace(refused)
	if b.rounds <= steadyGaps {
		since = true // too few to show a pace of their own
	}
	return b, before && since && b.period > tryGap
}

func failingIntegration(d *Diagnosis, b *breakdown, p float64) candidate {
	var c candidate
	routes := map[uint32]int{}
	for _, a := range b.since {
		c.claims = append(c.claims, a.refusal)
		routes[a.endpoint]++
	}
	slices.Sort(c.claims)
	m := b.machine
	c.Subject = result.Subject{Type: "client"}
	if m.addresses == 0 {
		c.Subject = d.clientSubject(m.client.Address)
	}
	c.Subject.UserAgent = result.Clean(d.State.Agents[m.client.Agent])
	if m.user != 0 {
		c.Subject.User = result.Clean(d.State.Users[m.user-1].Name)
	}
	c.Onset = b.firstRefused * 1000
	c.Confidence = confidence(p, stats.WilsonLower(b.rounds, b.rounds, stats.Z95)+0.2)
	details := &FailingIntegration{
		Period: result.Seconds(round(float64(b.period)/1000, 1)), Irregular: b.irregular, LastAccepted: result.Time(b.lastAccepted * 1000),
		FirstRefused: result.Time(c.Onset), AcceptedBefore: b.accepted, RoundsRefused: b.rounds, Requests: len(c.claims),
		Routes: len(routes), Route: endpointLabel(&d.State.Endpoints[mostAsked(routes)]),
		Addresses: m.addresses, Ongoing: b.again == session.Never, PValue: result.Probability(p),
	}
	if m.moved {
		details.MovedFrom = result.Clean(d.State.Addresses[m.from])
		c.weight = certainty // by themselves, the refusals look like a probe, or like guesses
	}
	c.Severity = result.Medium
	switch {
	case !details.Ongoing:
		if details.AcceptedAgain = result.Time(b.again * 1000); b.rounds < persistentRounds && b.again-b.firstRefused < persistentTime {
			c.Severity = result.Low // somebody has seen to it
		}
	case len(c.claims) >= machineHigh:
		c.Severity = result.High
	}
	c.Details, c.Exhibit = details, beforeSince(b.accepted, b.refusedBefore, b.rounds)
	return c
}
