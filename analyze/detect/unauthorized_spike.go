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
)

// unauthorizedSpike finds a time in which a host answers far more 401s than its
// traffic lets expect, and says what made them.
//
// Sign: within minutes to hours, 401s that nothing else explains are several
// times their usual share of the requests. Not: the morning's sign-ins (their
// 401s grow with the requests), a quiet night (too few), anything that another
// kind tells: it looks at what is left when all others are done.
//
// Statistic: 401s per step against the requests of the step, by the median of
// their ratio over the run, or over the steps of the same time of day where the
// run has enough days; the spread about it by the median absolute deviation
// (stats.MedianDeviation). The run of steps that exceeds most is tested by the
// Poisson tail, its counts shrunk by the dispersion, corrected for the number
// of steps. What made the excess is localised attribute by attribute, each
// within what the one before has found: Adtributor (Bhagwan et al., NSDI 2014),
// applied again as in Persson and Rudenius' recursive variant (Linköping, 2018).
var unauthorizedSpike = Kind{
	Name:     "unauthorized_spike",
	Label:    "Spike",
	Meaning:  "401s were far above their usual level.",
	Category: TrafficCategory,
	Needs:    []string{needTime, needStatus, needPath, needClient},
	residual: true,
	inspect:  inspectSpikes,
}

const (
	// spikeStep is the resolution in milliseconds: what lasts less is noise to
	// somebody who is on call.
	spikeStep = 5 * 60_000
	// spikeSteps bounds the memory for logs of many days; they get longer steps.
	spikeSteps = 8192
	// spikeHistory steps with requests, outside of the spike, are the least to
	// know a usual level from.
	spikeHistory = 24
	// spikeDays with the same time of day give a level of their own.
	spikeDays = 4
	// spikeFactor is how many times the usual level it has to be.
	spikeFactor = 4
	// spikeExcess 401s beyond the usual level are the least to report.
	spikeExcess = 40
	// spikeLongest is the longest part of the run that a spike can be: what
	// lasts longer is the level.
	spikeLongest = 0.25
	// spikeFalse is the chance of a false report for each host and run.
	spikeFalse = 0.001
	// spikeLoud times the usual level makes it one to act upon.
	spikeLoud = 10
)

// spikeSeries is what one host shows, step by step.
type spikeSeries struct {
	refused  []float64 // open 401s
	requests []float64 // all others
	expected []float64
	spread   float64 // standard deviation, in those of Poisson
}

func inspectSpikes(c *Diagnosis, _ observer) ([]candidate, error) {
	width := max(spikeStep, (c.To-c.From)/spikeSteps+1)
	steps := int((c.To-c.From)/width) + 1
	if steps < spikeHistory {
		return nil, nil
	}
	at := func(ms int64) int { return int(min(max(ms-c.From, 0)/width, int64(steps-1))) }
	hosts := map[string]*spikeSeries{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) {
			host := c.State.Endpoints[f.Endpoint].Host
			if hosts[host] == nil {
				hosts[host] = &spikeSeries{refused: make([]float64, steps), requests: make([]float64, steps)}
			}
			hosts[host].refused[at(f.Time)]++
		}
	}
	for _, m := range c.State.Minutes {
		if s := hosts[m.Host]; s != nil {
			for o, n := range m.N {
				if timeline.Outcome(o) != timeline.Unauthorized {
					s.requests[at(m.Time/1000)] += float64(n)
				}
			}
		}
	}
	var found []candidate
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		s := hosts[host]
		s.expect(int(dayLength / width))
		if from, to, ok := s.loudest(); ok {
			if p, ok := s.surprising(from, to); ok {
				found = append(found, c.spike(host, s, c.From+int64(from)*width, c.From+int64(to)*width, from, to, p))
			}
		}
	}
	return found, nil
}

const dayLength = 24 * 3_600_000 // milliseconds

// expect sets what is usual in each step, perDay of which are a day.
func (s *spikeSeries) expect(perDay int) {
	var ratios []float64
	for i, n := range s.requests {
		if n > 0 {
			ratios = append(ratios, s.refused[i]/n)
		}
	}
	level, _ := stats.MedianDeviation(ratios)
	// The median of many steps without any is 0: then the mean of the lower
	// nine tenths, which a spike does not reach.
	if tail := len(ratios) * 9 / 10; level == 0 && tail > 0 {
		for _, r := range ratios[:tail] { // sorted by now
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
		s.expected[i] = own*n + 0.5 // half a 401: an empty step says little
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

// loudest finds the run of steps [from, to) whose 401s exceed spikeFactor times
// the expected ones by most: the maximum-sum segment (Kadane; Bentley,
// Programming Pearls, 1984).
func (s *spikeSeries) loudest() (from, to int, ok bool) {
	best, sum, start := 0.0, 0.0, 0
	for i, k := range s.refused {
		if sum <= 0 {
			sum, start = 0, i
		}
		if sum += k - spikeFactor/2*s.expected[i]; sum > best {
			best, from, to, ok = sum, start, i+1, true
		}
	}
	return from, to, ok
}

// surprising tests a run of steps, and gives the chance that it is chance.
func (s *spikeSeries) surprising(from, to int) (p float64, ok bool) {
	var k, e float64
	history := 0
	for i := range s.refused {
		switch {
		case i >= from && i < to:
			k += s.refused[i]
			e += s.expected[i]
		case s.requests[i] > 0:
			history++
		}
	}
	if k < spikeFactor*e || k-e < spikeExcess || history < spikeHistory || float64(to-from) > spikeLongest*float64(len(s.refused)) {
		return 0, false
	}
	dispersion := s.spread * s.spread
	p = stats.PoissonTail(int64(k/dispersion), e/dispersion) * float64(len(s.refused))
	return p, p <= spikeFalse
}

func (c *Diagnosis) spike(host string, s *spikeSeries, from, to int64, first, last int, p float64) candidate {
	var k, e float64
	for i := first; i < last; i++ {
		k += s.refused[i]
		e += s.expected[i]
	}
	// What lies outside of the window counts for the first or last step.
	if first == 0 {
		from = session.LongAgo
	}
	if last == len(s.refused) {
		to = session.Never
	}
	made, claims := c.localise(host, from, to, e)
	claims = c.densest(claims)
	var cand candidate
	cand.claims = claims
	cand.Subject = result.Subject{Type: "site", Host: host}
	cand.Onset = c.State.Refusals[claims[0]].Time
	cand.Severity = result.Low
	if k >= spikeLoud*e {
		cand.Severity = result.Medium
	}
	cand.Confidence = confidence(p, 1-e/k)
	where := ""
	if host != "" {
		where = " on " + host
	}
	cand.Title = fmt.Sprintf("%.0f times the usual 401s%s at %s", k/e, where, Clock(cand.Onset))
	by := "It is spread over everything: no endpoint, client, user, user agent or backend stands out."
	var ranked []any
	var texts []string
	for _, m := range made {
		ranked = append(ranked, fmt.Sprintf("%s: %s (%s of the excess)", m.attribute, strings.Join(m.elements, ", "), percent(min(m.power, 1))))
		texts = append(texts, fmt.Sprintf("%s %s", m.attribute, strings.Join(m.elements, ", ")))
	}
	if len(made) > 0 {
		by = "What made it: " + strings.Join(texts, "; ") + "."
	}
	end := c.State.Refusals[claims[len(claims)-1]].Time
	cand.Explanation = fmt.Sprintf("From %s to %s there were %.0f 401s that nothing else explains; as many requests as then usually bring %.0f. %s",
		Clock(cand.Onset), Clock(end), k, e, by)
	cand.Remediation = []string{
		"Look at the evidence lines: who asks, for what, and where they come from (the referrer names the link).",
		"When a link, a campaign or a new release leads people to a page that asks for sign-in: send them to the sign-in page (302) or make the page public.",
		"When it is one client or user agent: limit its rate (nginx limit_req, Apache mod_qos) and tell its owner.",
	}
	cand.Details = map[string]any{
		"observed": k, "expected": round(e, 1), "factor": round(k/e, 1), "p_value": p,
		"from": Clock(cand.Onset), "to": Clock(end), "made_by": ranked,
	}
	if ranked == nil {
		cand.Details.(map[string]any)["made_by"] = []any{}
	}
	return cand
}

// edgeRate is the share of the mean rate that the edges of a spike must have.
const edgeRate = 0.3

// densest leaves out the stragglers on both sides of a spike, which the steps of
// time have taken in: the maximum-sum segment of the 401s, each worth one, less
// the time between them at edgeRate of the mean rate.
func (c *Diagnosis) densest(claims []uint32) []uint32 {
	n := len(claims)
	span := c.Refusals[claims[n-1]].Time - c.Refusals[claims[0]].Time
	rate := edgeRate * float64(n) / float64(max(span, 1))
	best, sum, start, from, to := 0.0, 0.0, 0, 0, n
	for i, claim := range claims {
		if i > 0 {
			sum -= rate * float64(c.Refusals[claim].Time-c.Refusals[claims[i-1]].Time)
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

// maker is an attribute whose elements make an excess.
type maker struct {
	attribute string
	elements  []string
	power     float64
}

// attributes are what an excess can be told by, with the number of a fact's
// element and its name.
func (c *Diagnosis) attributes() []attribute {
	s := c.State
	return []attribute{
		{"endpoint", func(f *session.Refusal) uint64 { return uint64(f.Endpoint) + 1 }, func(n uint64) string { return endpointLabel(&s.Endpoints[n-1]) }},
		{"client", func(f *session.Refusal) uint64 { return uint64(f.Address) + 1 }, func(n uint64) string { return s.Addresses[n-1] }},
		{"user", func(f *session.Refusal) uint64 { return uint64(f.User) }, func(n uint64) string { return s.Users[n-1].Name }},
		{"user agent", func(f *session.Refusal) uint64 { return uint64(f.Agent) + 1 }, func(n uint64) string { return s.Agents[n-1] }},
		{"backend", func(f *session.Refusal) uint64 { return uint64(f.Upstream) }, func(n uint64) string { return s.Upstreams[n-1].Name }},
		{"cause", func(f *session.Refusal) uint64 { return uint64(f.Cause) + 1 }, func(n uint64) string { return session.Cause(n - 1).String() }},
	}
}

type attribute struct {
	name   string
	number func(*session.Refusal) uint64 // 0: it has none
	label  func(uint64) string
}

// localise says what made the excess of a host's 401s from one time on until
// another, the most surprising attribute first, and which 401s those are.
func (c *Diagnosis) localise(host string, from, to int64, expected float64) (made []maker, claims []uint32) {
	var inside, outside []uint32
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if !c.open(i) || c.State.Endpoints[f.Endpoint].Host != host {
			continue
		}
		if f.Time >= from && f.Time < to {
			inside = append(inside, uint32(i))
		} else {
			outside = append(outside, uint32(i))
		}
	}
	left := c.attributes()
	for len(left) > 0 {
		var best stats.Share
		place := -1
		for i, a := range left {
			if s, ok := stats.Localise(c.parts(a, inside, outside, expected)); ok && (place < 0 || s.Surprise > best.Surprise) {
				best, place = s, i
			}
		}
		if place < 0 {
			break
		}
		a := left[place]
		left = slices.Delete(left, place, place+1)
		m := maker{attribute: a.name, power: best.Power}
		for _, n := range best.Elements {
			name := "none"
			if n > 0 {
				name = a.label(n)
			}
			m.elements = append(m.elements, name)
		}
		made = append(made, m)
		within := func(list []uint32) []uint32 {
			return slices.DeleteFunc(list, func(i uint32) bool { return !slices.Contains(best.Elements, a.number(&c.Refusals[i])) })
		}
		// What is usual of the other attributes is so of the whole host: of a
		// combination that is new there is no history.
		before := float64(len(inside))
		inside = within(inside)
		expected *= float64(len(inside)) / before
	}
	return made, inside
}

// parts counts the 401s of each element, in fact and as was to be expected.
func (c *Diagnosis) parts(a attribute, inside, outside []uint32, expected float64) []stats.Part {
	actual, usual := map[uint64]float64{}, map[uint64]float64{}
	for _, i := range inside {
		actual[a.number(&c.Refusals[i])]++
	}
	for _, i := range outside {
		n := a.number(&c.Refusals[i])
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
