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
// refused. Not: a person's browser or app whose session has ended (it requested many
// routes, at no pace), a route that refuses others too, a probe (it was never
// accepted), a program that is challenged each time and then succeeds.
//
// Statistic: the change-point in the outcomes of the client's own rounds; the chance
// that so many in a row are refused at the share of refusals before, or at that of
// others on the same routes where it is greater, adjusted by Benjamini and Hochberg
// over the clients; and a pace before and after.
var integrationFailure = Kind{
	Name:     "integration_failure",
	Label:    "Failing integration",
	Meaning:  "A machine client that used to be accepted is refused from one time on.",
	Category: ClientCategory,
	Subjects: []string{"client"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraUserAgent, parse.ExtraReason},
	Details:  func() any { return new(FailingIntegration) },
	Title: `{{with .Subject.UserAgent}}{{.}}{{else}}A program without a user agent{{end}}{{with .Subject.ClientAddress}} at {{.}}{{end}}
		{{with .Details}}{{if .Ongoing}}has been refused on {{.Route}} since {{time .FirstRefused}}{{else}}was refused on {{.Route}} from {{time .FirstRefused}} to {{time .AcceptedAgain}}{{end}}{{end}}`,
	Explanation: `{{with .Details}}
		A program sends requests every {{duration .Period}}{{with $.Subject.User}} as {{.}}{{end}}. It was accepted {{plural .AcceptedBefore "time" "times"}}, last at {{time .LastAccepted}}.
		From {{time .FirstRefused}} on, all {{plural .RoundsRefused "round" "rounds"}} of requests ({{count .Requests "request"}} on {{count .Routes "route"}}) were refused.
		The routes do not refuse others at this rate, so its credentials are the likely cause.
		{{if .Ongoing}}It is still refused at the end of the log.{{else}}It has been accepted again since {{time .AcceptedAgain}}.{{end}}{{end}}`,
	Remedy: []string{
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
	LastAccepted   result.Time        `json:"last_accepted"`
	FirstRefused   result.Time        `json:"first_refused"`
	AcceptedAgain  result.Time        `json:"-"`               // where it is not ongoing
	AcceptedBefore int64              `json:"accepted_before"` // rounds
	RoundsRefused  int64              `json:"rounds_refused"`
	Requests       int                `json:"-"`      // of the refused rounds
	Routes         int                `json:"routes"` // of the refused rounds
	Route          string             `json:"route"`  // the one with most requests
	Ongoing        bool               `json:"ongoing"`
	PValue         result.Probability `json:"p_value"`
}

const (
	// machineAccepted is the minimum number of accepted rounds, and machineRounds that
	// of the refused rounds that follow: fewer show no pace.
	machineAccepted = 5
	machineRounds   = 4
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
	for i := range o.machines {
		m := &o.machines[i]
		if b, ok := findBreakdown(openAnswers(d, m.answers)); ok {
			b.machine = m
			tests = append(tests, b)
			rate := max(float64(b.refusedBefore+1)/float64(b.refusedBefore+b.accepted+2), othersRefused(d, b.since, refused))
			p = append(p, math.Pow(rate, float64(b.rounds)))
		}
	}
	adjusted := stats.BenjaminiHochberg(p)
	var found []candidate
	for n := range tests {
		if adjusted[n] <= falseReports {
			found = append(found, failingIntegration(d, &tests[n], adjusted[n]))
		}
	}
	return found, nil
}

// openAnswers returns the answers without the refusals that a finding explains.
func openAnswers(d *Diagnosis, all []answer) []answer {
	return slices.DeleteFunc(slices.Clone(all), func(a answer) bool { return explained(d, a.refusal) })
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
	since                      []answer
	again                      int64 // first acceptance after, or session.Never
}

// machineRound is the requests made together with the same outcome.
type machineRound struct {
	time, end int64
	refused   bool
	from, to  int // answers
}

// roundsOf joins answers to rounds.
func roundsOf(list []answer) []machineRound {
	var all []machineRound
	for i, a := range list {
		refused := a.refusal != timeline.NoRefusal
		if n := len(all) - 1; n >= 0 && a.time-all[n].end <= tryGap && all[n].refused == refused {
			all[n].end, all[n].to = a.time, i+1
			continue
		}
		all = append(all, machineRound{a.time, a.time, refused, i, i + 1})
	}
	return all
}

// findBreakdown finds the longest series of refused rounds, and reports whether it
// is that of a machine whose credentials have expired.
func findBreakdown(list []answer) (breakdown, bool) {
	all := roundsOf(list)
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
	var before, since bool
	b.period, before = pace(accepted)
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
	c.Subject = d.clientSubject(m.client.Address)
	c.Subject.UserAgent = result.Clean(d.State.Agents[m.client.Agent])
	if m.user != 0 {
		c.Subject.User = result.Clean(d.State.Users[m.user-1].Name)
	}
	c.Onset = b.firstRefused * 1000
	c.Confidence = confidence(p, stats.WilsonLower(b.rounds, b.rounds, stats.Z95)+0.2)
	details := &FailingIntegration{
		Period: result.Seconds(round(float64(b.period)/1000, 1)), LastAccepted: result.Time(b.lastAccepted * 1000),
		FirstRefused: result.Time(c.Onset), AcceptedBefore: b.accepted, RoundsRefused: b.rounds, Requests: len(c.claims),
		Routes: len(routes), Route: endpointLabel(&d.State.Endpoints[mostAsked(routes)]),
		Ongoing: b.again == session.Never, PValue: result.Probability(p),
	}
	c.Severity = result.Medium
	switch {
	case !details.Ongoing:
		details.AcceptedAgain = result.Time(b.again * 1000)
	case len(c.claims) >= machineHigh:
		c.Severity = result.High
	}
	c.Details, c.Exhibit = details, beforeSince(b.accepted, b.refusedBefore, b.rounds)
	return c
}
