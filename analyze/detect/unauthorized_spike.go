package detect

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/stats"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// unauthorizedSpike finds a period in which a host answers far more 401s than is
// usual for its traffic, and what the excess has in common.
//
// Sign: within minutes to hours, 401s that nothing else explains are several times
// their usual share of the requests. Not: the morning's sign-ins (their 401s grow
// with the requests), a quiet night (too few), anything that another kind explains: only
// the refusals that all others leave unexplained count.
//
// Statistic: 401s per step against the requests of the step, by the median of their
// ratio over the run, or over the steps of the same time of day where the run has
// enough days; the spread about it by the median absolute deviation
// (stats.MedianDeviation). The run of steps that exceeds most is tested by the Poisson
// tail, its counts shrunk by the dispersion, corrected for the number of steps. The
// excess is localised attribute by attribute, each within what the one before has
// found: Adtributor (Bhagwan et al., NSDI 2014), applied again as in Persson and
// Rudenius' recursive variant (Linköping, 2018).
var unauthorizedSpike = Kind{
	Name:     "unauthorized_spike",
	Label:    "Spike",
	Meaning:  "401s were far above their usual level.",
	Category: TrafficCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraHost, parse.ExtraTimeZone},
	Details:  func() any { return new(Spike) },
	Title:    `{{fixed 0 .Details.Factor}} times the usual number of 401s{{with .Subject.Host}} on {{.}}{{end}} from {{time .Details.From}}`,
	Explanation: `{{with .Details}}
		Between {{time .From}} and {{time .To}} there were {{number .Observed}} 401s that nothing else explains; for as many requests, {{fixed 0 .Expected}} are usual.
		{{if .Common}}What they have in common: {{list .Common}}.{{else}}They have nothing in common: no endpoint, client, user, user agent or backend stands out.{{end}}{{end}}`,
	Remedy: []string{
		`Look at the evidence lines: who asks, for what, and from where (the referrer names the link).`,
		`If a link, a campaign or a release leads people to a page that requires sign-in, redirect them to the sign-in page (302) or make the page public.`,
		`If it is one client or user agent, limit its rate (nginx limit_req, Apache mod_qos) and inform its owner.`,
	},
	residual: true,
	inspect:  inspectSpikes,
}

// Spike is the details of an unauthorized_spike finding.
type Spike struct {
	From     result.Time        `json:"from"`
	To       result.Time        `json:"to"`
	Observed float64            `json:"observed"` // 401s that nothing else explains
	Expected float64            `json:"expected"` // 401s at the usual level
	Factor   float64            `json:"factor"`   // of both
	MadeBy   []string           `json:"made_by"`  // attribute: elements (share of the excess), strongest first
	Common   []string           `json:"-"`        // attribute and elements
	PValue   result.Probability `json:"p_value"`
}

const (
	// spikeStep is the resolution in milliseconds: nobody on call acts on anything
	// shorter.
	spikeStep = 5 * 60_000
	// spikeSteps bounds the memory for logs of many days, which get longer steps.
	spikeSteps = 8192
	// spikeHistory is the least number of steps with requests, outside the spike,
	// that show a usual level.
	spikeHistory = 24
	// spikeDays is the number of days from which on each time of day has a level of
	// its own.
	spikeDays = 4
	// spikeFactor is the minimum ratio to the usual level.
	spikeFactor = 4
	// spikeExcess is the least number of 401s beyond the usual level.
	spikeExcess = 40
	// spikeLongest is the longest part of the run that a spike can be: what lasts
	// longer is the level.
	spikeLongest = 0.25
	// spikeFalse is the allowed chance of a false report for each host and run.
	spikeFalse = 0.001
	// spikeLoud is the ratio to the usual level from which on the severity is medium.
	spikeLoud = 10
	// dayLength is a day in milliseconds.
	dayLength = 24 * 3_600_000
)

// spikeSeries is the numbers of one host by step.
type spikeSeries struct {
	refused  []float64 // open 401s
	requests []float64 // all others
	expected []float64 // usual 401s for the requests
	spread   float64   // standard deviation, in those of Poisson
}

func inspectSpikes(d *Diagnosis, _ observer) ([]candidate, error) {
	width := max(spikeStep, (d.To-d.From)/spikeSteps+1)
	steps := int((d.To-d.From)/width) + 1
	if steps < spikeHistory {
		return nil, nil
	}
	hosts := d.spikeSeries(width, steps)
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		s := hosts[host]
		s.expect(int(dayLength / width))
		if x, ok := s.loudest(); ok && s.surprising(&x) {
			from, to := d.From+int64(x.first)*width, d.From+int64(x.end)*width
			// The first and last step include what lies outside the window.
			if x.first == 0 {
				from = session.LongAgo
			}
			if x.end == steps {
				to = session.Never
			}
			found = append(found, spike(d, host, x, from, to))
		}
	}
	return found, nil
}

// spikeSeries counts the open refusals and the other requests by host and step of a
// width in milliseconds.
func (d *Diagnosis) spikeSeries(width int64, steps int) map[string]*spikeSeries {
	at := func(ms int64) int { return int(min(max(ms-d.From, 0)/width, int64(steps-1))) }
	hosts := map[string]*spikeSeries{}
	for i := range d.Refusals {
		if r := &d.Refusals[i]; d.open(i) {
			host := d.State.Endpoints[r.Endpoint].Host
			if hosts[host] == nil {
				hosts[host] = &spikeSeries{refused: make([]float64, steps), requests: make([]float64, steps)}
			}
			hosts[host].refused[at(r.Time)]++
		}
	}
	for _, m := range d.State.Minutes {
		if s := hosts[m.Host]; s != nil {
			for o, n := range m.N {
				if timeline.Outcome(o) != timeline.Unauthorized {
					s.requests[at(m.Time/1000)] += float64(n)
				}
			}
		}
	}
	return hosts
}

// expect sets what is usual in each step. perDay is the number of steps of a day.
func (s *spikeSeries) expect(perDay int) {
	var ratios []float64
	for i, n := range s.requests {
		if n > 0 {
			ratios = append(ratios, s.refused[i]/n)
		}
	}
	level, _ := stats.MedianDeviation(ratios)
	// The median of many steps without any is 0: then take the mean of the lower
	// nine tenths, which a spike does not reach.
	if tail := len(ratios) * 9 / 10; level == 0 && tail > 0 {
		for _, r := range ratios[:tail] { // sorted by MedianDeviation
			level += r / float64(tail)
		}
	}
	s.expected = make([]float64, len(s.requests))
	for i, n := range s.requests {
		own := level
		if perDay > 0 && len(s.requests) >= spikeDays*perDay {
			var same []float64
			for j := i % perDay; j < len(s.requests); j += perDay {
				if s.requests[j] > 0 {
					same = append(same, s.refused[j]/s.requests[j])
				}
			}
			daily, _ := stats.MedianDeviation(same)
			own = max(own, daily)
		}
		s.expected[i] = own*n + 0.5 // half a 401: an empty step shows little
	}
	residuals := make([]float64, 0, len(s.requests))
	for i, e := range s.expected {
		if s.requests[i] > 0 {
			residuals = append(residuals, (s.refused[i]-e)/math.Sqrt(e))
		}
	}
	_, spread := stats.MedianDeviation(residuals)
	s.spread = max(1, spread)
}

// excess is a run of steps with too many 401s.
type excess struct {
	first, end         int // steps [first, end)
	observed, expected float64
	p                  float64
}

// loudest returns the run of steps whose 401s exceed half of spikeFactor times the
// expected ones by most: the maximum-sum segment (Kadane; Bentley, Programming
// Pearls, 1984).
func (s *spikeSeries) loudest() (x excess, ok bool) {
	best, sum, start := 0.0, 0.0, 0
	for i, k := range s.refused {
		if sum <= 0 {
			sum, start = 0, i
		}
		if sum += k - spikeFactor/2*s.expected[i]; sum > best {
			best, x.first, x.end, ok = sum, start, i+1, true
		}
	}
	return x, ok
}

// surprising reports whether a run of steps is a spike, and sets its numbers.
func (s *spikeSeries) surprising(x *excess) bool {
	history := 0
	for i := range s.refused {
		switch {
		case i >= x.first && i < x.end:
			x.observed += s.refused[i]
			x.expected += s.expected[i]
		case s.requests[i] > 0:
			history++
		}
	}
	if x.observed < spikeFactor*x.expected || x.observed-x.expected < spikeExcess || history < spikeHistory ||
		float64(x.end-x.first) > spikeLongest*float64(len(s.refused)) {
		return false
	}
	dispersion := s.spread * s.spread
	x.p = stats.PoissonTail(int64(x.observed/dispersion), x.expected/dispersion) * float64(len(s.refused))
	return x.p <= spikeFalse
}

// spike returns the finding of an excess from one time to another, in Unix
// milliseconds.
func spike(d *Diagnosis, host string, x excess, from, to int64) candidate {
	causes, claims := localise(d, host, from, to, x.expected)
	claims = densest(d, claims)
	c := candidate{claims: claims}
	c.Subject = result.Subject{Type: "site", Host: host}
	c.Onset = d.State.Refusals[claims[0]].Time
	c.Severity = result.Low
	if x.observed >= spikeLoud*x.expected {
		c.Severity = result.Medium
	}
	c.Confidence = confidence(x.p, 1-x.expected/x.observed)
	details := &Spike{
		From: result.Time(c.Onset), To: result.Time(d.State.Refusals[claims[len(claims)-1]].Time),
		Observed: x.observed, Expected: round(x.expected, 1), Factor: round(x.observed/x.expected, 1), PValue: result.Probability(x.p),
	}
	for _, m := range causes {
		elements := strings.Join(m.elements, ", ")
		details.MadeBy = append(details.MadeBy, fmt.Sprintf("%s: %s (%.0f%% of the excess)", m.attribute, elements, 100*min(m.power, 1)))
		details.Common = append(details.Common, m.attribute+" "+elements)
	}
	c.Details = details
	return c
}

// edgeRate is the share of the mean rate that the edges of a spike must have.
const edgeRate = 0.3

// densest drops the stragglers on both sides of a spike, which the steps of time have
// included: it returns the maximum-sum segment of the 401s, each worth one, less the
// time between them at edgeRate of the mean rate.
func densest(d *Diagnosis, claims []uint32) []uint32 {
	n := len(claims)
	span := d.Refusals[claims[n-1]].Time - d.Refusals[claims[0]].Time
	rate := edgeRate * float64(n) / float64(max(span, 1))
	best, sum, start, from, to := 0.0, 0.0, 0, 0, n
	for i, claim := range claims {
		if i > 0 {
			sum -= rate * float64(d.Refusals[claim].Time-d.Refusals[claims[i-1]].Time)
		}
		if sum < 0 || i == 0 {
			sum, start = 0, i
		}
		if sum++; sum > best {
			best, from, to = sum, start, i+1
		}
	}
	return claims[from:to]
}

// commonCause is an attribute whose elements make an excess.
type commonCause struct {
	attribute string
	elements  []string
	power     float64 // share of the excess
}

// attribute is a property of refusals that an excess may share.
type attribute struct {
	name   string
	number func(*session.Refusal) uint64 // of the element; 0 for none
	label  func(uint64) string
}

func attributes(d *Diagnosis) []attribute {
	s := d.State
	return []attribute{
		{"endpoint", func(r *session.Refusal) uint64 { return uint64(r.Endpoint) + 1 }, func(n uint64) string { return endpointLabel(&s.Endpoints[n-1]) }},
		{"client", func(r *session.Refusal) uint64 { return uint64(r.Address) + 1 }, func(n uint64) string { return s.Addresses[n-1] }},
		{"user", func(r *session.Refusal) uint64 { return uint64(r.User) }, func(n uint64) string { return s.Users[n-1].Name }},
		{"user agent", func(r *session.Refusal) uint64 { return uint64(r.Agent) + 1 }, func(n uint64) string { return s.Agents[n-1] }},
		{"backend", func(r *session.Refusal) uint64 { return uint64(r.Upstream) }, func(n uint64) string { return s.Upstreams[n-1].Name }},
		{"cause", func(r *session.Refusal) uint64 { return uint64(r.Cause) + 1 }, func(n uint64) string { return session.Cause(n - 1).String() }},
	}
}

// localise returns what makes the excess of a host's 401s from one time to another,
// the most surprising attribute first, and which 401s these are.
func localise(d *Diagnosis, host string, from, to int64, expected float64) (causes []commonCause, claims []uint32) {
	var inside, outside []uint32
	for i := range d.Refusals {
		r := &d.Refusals[i]
		if !d.open(i) || d.State.Endpoints[r.Endpoint].Host != host {
			continue
		}
		if r.Time >= from && r.Time < to {
			inside = append(inside, uint32(i))
		} else {
			outside = append(outside, uint32(i))
		}
	}
	left := attributes(d)
	for len(left) > 0 {
		var best stats.Share
		place := -1
		for i, a := range left {
			if s, ok := stats.Localise(parts(d, a, inside, outside, expected)); ok && (place < 0 || s.Surprise > best.Surprise) {
				best, place = s, i
			}
		}
		if place < 0 {
			break
		}
		a := left[place]
		left = slices.Delete(left, place, place+1)
		m := commonCause{attribute: a.name, power: best.Power}
		for _, n := range best.Elements {
			name := "none"
			if n > 0 {
				name = a.label(n)
			}
			m.elements = append(m.elements, name)
		}
		causes = append(causes, m)
		// The usual level of the other attributes is taken from the whole host: a
		// combination that is new has no history.
		before := float64(len(inside))
		inside = slices.DeleteFunc(inside, func(i uint32) bool { return !slices.Contains(best.Elements, a.number(&d.Refusals[i])) })
		expected *= float64(len(inside)) / before
	}
	return causes, inside
}

// parts returns the actual and the expected number of 401s of each element.
func parts(d *Diagnosis, a attribute, inside, outside []uint32, expected float64) []stats.Part {
	actual, usual := map[uint64]float64{}, map[uint64]float64{}
	for _, i := range inside {
		actual[a.number(&d.Refusals[i])]++
	}
	for _, i := range outside {
		n := a.number(&d.Refusals[i])
		usual[n]++
		actual[n] += 0
	}
	parts := make([]stats.Part, 0, len(actual))
	for _, n := range slices.Sorted(maps.Keys(actual)) { // sums of floats depend on the order
		p := stats.Part{Element: n, Actual: actual[n]}
		if len(outside) > 0 {
			p.Expected = expected * usual[n] / float64(len(outside))
		}
		parts = append(parts, p)
	}
	return parts
}
