package detect

import (
	"fmt"
	"iter"
	"maps"
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
// Sign: from one time to another, for minutes or for most of the log, the refused
// share of the visits of a host is several times that of all other times. Not: the
// morning's sign-ins (they succeed soon after, and grow with the requests), what
// happens at the same time of every day, one client that repeats itself (it counts
// once an hour, and three must be refused), anything that another kind explains.
//
// Statistic: the epidemic model of stats.Excursions on visits (see contrast.go): one
// share of refusals in a period, another at all other times, so that the usual level
// does not depend on how long the trouble lasts. With enough days it is the greater
// one of that share and of that at the same time on other days. The binomial tail of
// the refused visits at the usual share, shrunk by the dispersion of the other steps,
// is corrected for the number of periods and hosts. The excess is localised attribute
// by attribute, each within what the one before has found: Adtributor (Bhagwan et al.,
// NSDI 2014), applied again as in Persson and Rudenius' recursive variant (Linköping,
// 2018).
var unauthorizedSpike = Kind{
	Name:     "unauthorized_spike",
	Label:    "Spike",
	Meaning:  "401s were far above their usual level.",
	Category: TrafficCategory,
	Subjects: []string{"site"},
	Needs:    []string{needTime, needStatus, needPath, needClient},
	Uses:     []parse.Extra{parse.ExtraHost, parse.ExtraTimeZone},
	Details:  func() any { return new(Spike) },
	Title:    `{{fixed 0 .Details.Factor}} times the usual number of {{refusals}}{{with .Subject.Host}} on {{.}}{{end}} from {{time .Details.From}}{{with .Details.Common}}: {{index . 0}}{{end}}`,
	Explanation: `{{with .Details}}
		Between {{time .From}} and {{time .To}} there were {{number .Observed}} {{refusals}} that nothing else explains{{$own := number $.Unauthorized}}{{if ne $own (number .Observed)}}, {{$own}} of which belong to it{{end}}; for as many visits, {{fixed 0 .Expected}} are usual.
		{{plural .Clients "client was" "clients were"}} refused. Of the visits to what requires credentials, {{share .RefusedShare}} (at least {{share .RefusedLow}} with 95% confidence) were refused; at other times it is {{share .UsualShare}}.
		{{if .Visitors}}More visitors came: nearly all of the refused had just arrived, were served something else first and did not try to sign in. Of those who arrive at other times, about as many are refused.{{end}}
		{{if .Common}}What they have in common: {{list .Common}}.{{else if ge .RefusedShare 0.8}}Next to nobody was accepted, whoever asked for whatever.{{else}}They have nothing in common: no endpoint, client, user, user agent or backend stands out.{{end}}{{end}}`,
	Remedy: []string{
		`{{with .Details}}{{if and (ge .RefusedShare 0.8) (not .Common)}}Next to nobody was accepted: check what verifies the credentials at that time, such as the directory (LDAP), the identity provider, the session store or the service of auth_request.{{end}}{{end}}`,
		`Look at the evidence lines: who asks, for what, and from where (the referrer names the link).`,
		`If a link, a campaign or a release leads people to a page that requires sign-in, redirect them to the sign-in page (302) or make the page public.`,
		`If it is one client or user agent, limit its rate (nginx limit_req, Apache mod_qos) and inform its owner.`,
	},
	residual: true,
	observe:  observeContrast,
	inspect:  inspectSpikes,
}

// Spike is the details of an unauthorized_spike finding.
type Spike struct {
	From     result.Time `json:"from"`
	To       result.Time `json:"to"`
	Observed float64     `json:"observed"` // 401s that nothing else explains
	Expected float64     `json:"expected"` // 401s at the usual level
	Factor   float64     `json:"factor"`   // of both
	Clients  int         `json:"clients"`  // distinct users, sessions or addresses refused
	// Shares of the visits that were refused, see contrast.go.
	RefusedShare result.Share       `json:"refused_share"`
	RefusedLow   result.Share       `json:"refused_share_low" label:"refused share (at least)"` // 95% bound
	UsualShare   result.Share       `json:"usual_share"`
	MadeBy       []string           `json:"made_by"` // attribute: elements (share of the excess), strongest first
	Common       []string           `json:"-"`       // attribute and elements
	Visitors     bool               `json:"-"`       // more people came, who are refused as usual
	PValue       result.Probability `json:"p_value"`
}

const (
	// spikeDays is the number of days from which on each time of day has a level of
	// its own.
	spikeDays = 4
	// spikeExcess is the least number of refused visits beyond the usual level.
	spikeExcess = 5
	// spikeRise is the minimum ratio of the refused visits in a time to those in as long a
	// time otherwise. At night, crawlers go on while people sleep: the share rises, but
	// nothing happens.
	spikeRise = 2
	// spikeZ is the number of standard deviations of the bounds of both shares of
	// requests: the period was chosen for its contrast among thousands.
	spikeZ = 3
	// spikeLoud is the ratio to the usual level, and spikeMany the number of clients,
	// from which on the severity is medium.
	spikeLoud = 10
	spikeMany = 10
	// spikeTotal is the refused share from which on the host accepts next to nobody:
	// the severity is high if spikeMany clients are refused.
	spikeTotal = 0.8
	// spikeRest is the least share of the refusals of its time that a spike must have
	// beside other findings: less is the edge of what they explain.
	spikeRest = 0.2
	// spikeOthers is the maximum share of the refusals that are of others than strangers
	// where more visitors come and nothing else has changed.
	spikeOthers = 0.1
	// dayLength is a day in milliseconds.
	dayLength = 24 * 3_600_000
)

func inspectSpikes(d *Diagnosis, _ observer) ([]candidate, error) {
	if d.contrast == nil {
		return nil, nil
	}
	d.contrast.mu.Lock()
	defer d.contrast.mu.Unlock()
	var found []candidate
	// First outages, in which refusals that were settled when it was over count, too.
	for _, outage := range []bool{true, false} {
		s := d.contrast.spikeSeries(outage)
		for place := range s.o.keys {
			if s.o.keys[place].kind != siteContrast {
				continue
			}
			if f, ok := s.findSpike(place, outage); ok {
				found = append(found, f) // the first one of a host is proposed
			}
		}
	}
	return found, nil
}

// spikeSeries returns the series in which spikes are sought. In an outage nearly all visits
// are refused, and those count that were settled when it was over.
func (o *contrastObserver) spikeSeries(outage bool) *contrastSeries {
	share := 0.0
	if outage {
		share = outageShare
	}
	return o.series([]contrastType{siteContrast}, outage, share, allRefusals)
}

// findSpike returns the finding of the period of a site that contrasts most with all
// others.
func (s *contrastSeries) findSpike(place int, outage bool) (f candidate, ok bool) {
	s.spikes(place, outage, func(c *contrast) bool {
		f, ok = spike(s, c, outage)
		return ok
	})
	return f, ok
}

// spikes calls use with the periods of a site that contrast with all others, those that
// do most first, until it returns true. In an outage nearly all visits are refused, and
// next to none accepted.
func (s *contrastSeries) spikes(place int, outage bool, use func(*contrast) bool) {
	cells, excursions := s.excursions(place)
	for _, x := range excursions {
		c := contrast{place: place, Excursion: x}
		if outage && (c.share() < outageShare || !s.collapsed(&c, nil)) {
			continue
		}
		if x.Outside.Trials < contrastOutside || !s.rises(&x) || !s.requestsRise(place, &x) || !s.test(&c, cells, s.usualShare(cells, &x)) ||
			float64(x.Inside.Hits)-c.usual*float64(x.Inside.Trials) < spikeExcess {
			continue
		}
		if use(&c) {
			return
		}
	}
}

// rises reports whether more visits are refused in a period than in as long a time
// outside of it.
func (s *contrastSeries) rises(x *stats.Excursion) bool {
	inside, outside := float64(x.To-x.From), float64(s.o.steps-(x.To-x.From))
	return float64(x.Inside.Hits)*outside >= spikeRise*float64(x.Outside.Hits+1)*inside
}

// requestsRise reports whether more of the requests that ask for credentials are refused
// in a period than outside of it. In a busy hour a person makes more requests and is one
// visit all the same: where every request has the same risk, more visits meet a refusal.
// What took its ordinary course counts, too: newcomers take it more often than others.
func (s *contrastSeries) requestsRise(place int, x *stats.Excursion) bool {
	within := func(step int) bool { return step >= x.From && step < x.To }
	var in, out stats.Cell
	cellOf := func(step int) *stats.Cell {
		if within(step) {
			return &in
		}
		return &out
	}
	for step, n := range s.o.requests[place] {
		cellOf(step).Trials += int64(n)
	}
	for i, r := range s.o.d.Refusals.All() {
		if !s.o.d.explained(i) && (s.o.d.open(i) || r.Arrival) && s.o.d.State.Endpoints[r.Endpoint].Host == s.o.keys[place].host {
			cellOf(s.o.step(r.Time)).Merge(stats.Cell{Hits: 1, Trials: 1})
		}
	}
	if in.Trials == in.Hits && out.Trials == out.Hits { // the log does not show what asks for credentials
		for i := range s.o.d.State.Minutes {
			if m := &s.o.d.State.Minutes[i]; m.Host == s.o.keys[place].host {
				cellOf(s.o.step(m.Time / 1000)).Trials += m.N[timeline.Accepted]
			}
		}
	}
	return risen(in, out)
}

// risen reports whether the share of hits is certainly greater than at other times.
func risen(in, out stats.Cell) bool {
	upper := 1 - stats.WilsonLower(out.Trials-out.Hits, out.Trials, spikeZ)
	return stats.WilsonLower(in.Hits, in.Trials, spikeZ) >= spikeRise*upper
}

// usualShare returns the refused share of visits that is usual for a period: that of
// all other times, or that of the same time on other days if it is greater and there
// are enough days.
func (s *contrastSeries) usualShare(cells []stats.Cell, x *stats.Excursion) float64 {
	usual := x.Outside.Smoothed()
	if s.o.d.To-s.o.d.From < spikeDays*dayLength {
		return usual
	}
	clock := func(step int) int { return int((s.o.d.From + int64(step)*s.o.width) % dayLength / s.o.width) }
	same := map[int]*stats.Cell{} // by time of day: outside of the period
	for i, c := range cells {
		if i < x.From || i >= x.To {
			at := clock(i)
			if same[at] == nil {
				same[at] = &stats.Cell{}
			}
			same[at].Merge(c)
		}
	}
	expected, trials := 0.0, 0.0
	for i := x.From; i < x.To; i++ {
		share := usual
		if daily := same[clock(i)]; daily != nil && daily.Trials > 0 {
			share = max(usual, float64(daily.Hits)/float64(daily.Trials))
		}
		expected += share * float64(cells[i].Trials)
		trials += float64(cells[i].Trials)
	}
	return min(max(usual, expected/trials), (trials+1)/(trials+2))
}

// spike returns the finding of a host's contrast; false if a few clients make it. What
// refuses everybody is not localised: it has all that is common to the requests.
func spike(s *contrastSeries, x *contrast, outage bool) (candidate, bool) {
	d, host := s.o.d, s.o.keys[x.place].host
	// The first and last step include what lies outside the window.
	from, to := d.From+int64(x.From)*s.o.width, d.From+int64(x.To)*s.o.width
	if x.From == 0 {
		from = session.LongAgo
	}
	if x.To == s.o.steps {
		to = session.Never
	}
	all := s.claims(x)
	observed := float64(all.n)
	share := x.share()
	expected := observed * x.usual / share
	var causes []commonCause
	if !outage {
		causes, all = localise(d, host, from, to, expected)
	}
	claims := all.slice(densest(d, all))
	clients := voters(d, claims.each)
	if clients < contrastVoters || isRest(d, host, &claims) || clients < spikeMany && ordinary(d, &claims) {
		return candidate{}, false
	}
	c := candidate{packed: claims}
	c.Subject = result.Subject{Type: "site", Host: host}
	c.Onset = d.State.Refusals.At(int(claims.first())).Time
	c.Severity = result.Low
	switch ratio := share / x.usual; {
	case clients >= spikeMany && share >= spikeTotal:
		c.Severity = result.High
	case clients >= spikeMany && (ratio >= spikeLoud || share >= spikeTotal):
		c.Severity = result.Medium
	}
	visitors := !outage && c.Severity > result.Low && moreVisitors(d, &claims)
	if visitors {
		c.Severity = result.Low
	}
	c.Confidence = confidence(x.p, 1-expected/observed)
	details := &Spike{
		From: result.Time(c.Onset), To: result.Time(d.State.Refusals.At(int(claims.last)).Time),
		Observed: observed, Expected: round(expected, 1), Factor: round(observed/expected, 1), PValue: result.Probability(x.p),
		Clients: clients, RefusedShare: result.Share(round(share, 4)), RefusedLow: result.Share(round(x.lower, 4)),
		UsualShare: result.Share(round(x.usual, 4)), Visitors: visitors,
	}
	for _, m := range causes {
		elements := strings.Join(m.elements, ", ")
		details.MadeBy = append(details.MadeBy, fmt.Sprintf("%s: %s (%.0f%% of the excess)", m.attribute, elements, 100*min(m.power, 1)))
		if m.tells() {
			details.Common = append(details.Common, m.attribute+" "+elements)
		}
	}
	c.Details = details
	return c, true
}

// moreVisitors reports whether hardly anything but the number of visitors has risen: the refused
// are strangers who have just come, are served something else first and do not try to sign in,
// and of those who come at other times as many are refused.
func moreVisitors(d *Diagnosis, claims *ascending) bool {
	const window = session.Nearby * 1000
	others := 0
	for _, r := range d.Refusals.Of(claims.each) {
		s := d.Clients[r.Client()]
		if s == nil || r.Known || r.Good || r.SignIn || r.Time*1000-s.Tally.First > window ||
			s.Tally.FirstAccepted == parse.NoTime || s.Tally.FirstAccepted > r.Time*1000 {
			others++
		}
	}
	if float64(others) > spikeOthers*float64(claims.n) {
		return false
	}
	from, to := d.Refusals.At(int(claims.first())).Time*1000-window, d.Refusals.At(int(claims.last)).Time*1000
	var in, out stats.Cell // those who come, at that time and at others; hits are refused
	for _, s := range d.Clients {
		if t := &s.Tally; t.N[timeline.Accepted] > 0 {
			cell := &out
			if t.First >= from && t.First <= to {
				cell = &in
			}
			cell.Add(t.FirstRefused != parse.NoTime && t.FirstRefused-t.First <= window)
		}
	}
	return out.Trials >= contrastOutside && !risen(in, out)
}

// isRest reports whether refusals are what findings have left of their time on a host.
func isRest(d *Diagnosis, host string, claims *ascending) bool {
	elsewhere := 0
	for i := claims.first(); i <= claims.last; i++ {
		if d.explained(int(i)) && d.State.Endpoints[d.Refusals.At(int(i)).Endpoint].Host == host {
			elsewhere++
		}
	}
	return float64(claims.n) < spikeRest*float64(elsewhere+claims.n)
}

// ordinary reports whether most refusals have an ordinary cause.
func ordinary(d *Diagnosis, refusals *ascending) bool {
	n := 0
	for _, r := range d.Refusals.Of(refusals.each) {
		if r.Cause != session.Unexplained {
			n++
		}
	}
	return 2*n > refusals.n
}

// voters returns the number of distinct users, sessions or addresses that refusals
// count for.
func voters(d *Diagnosis, refusals iter.Seq[uint32]) int {
	seen := map[uint64]bool{}
	for _, r := range d.Refusals.Of(refusals) {
		seen[voter(r)] = true
	}
	return len(seen)
}

// edgeRate is the share of the mean rate that the edges of a spike must have.
const edgeRate = 0.3

// densest drops the stragglers on both sides of a spike, which the steps of time have
// included: it returns the places of the maximum-sum segment of the 401s, each worth one,
// less the time between them at edgeRate of the mean rate.
func densest(d *Diagnosis, claims *ascending) (from, to int) {
	before := d.Refusals.At(int(claims.first())).Time
	span := d.Refusals.At(int(claims.last)).Time - before
	rate := edgeRate * float64(claims.n) / float64(max(span, 1))
	best, sum, start, i := 0.0, 0.0, 0, 0
	to = claims.n
	for _, r := range d.Refusals.Of(claims.each) {
		at := r.Time
		if i > 0 {
			sum -= rate * float64(at-before)
		}
		before = at
		if sum < 0 || i == 0 {
			sum, start = 0, i
		}
		i++
		if sum++; sum > best {
			best, from, to = sum, start, i
		}
	}
	return from, to
}

// commonCause is an attribute whose elements make an excess.
type commonCause struct {
	attribute string
	elements  []string
	power     float64 // share of the excess
}

// tells reports whether what an excess has in common says anything about it: that it is
// unexplained does not, nor do several browsers, which everybody has.
func (m *commonCause) tells() bool {
	switch m.attribute {
	case "cause":
		return !slices.Contains(m.elements, session.Unexplained.String())
	case "user agent":
		return len(m.elements) == 1 || slices.ContainsFunc(m.elements, func(agent string) bool { return !isBrowser(agent) })
	}
	return true
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
func localise(d *Diagnosis, host string, from, to int64, expected float64) (causes []commonCause, claims *ascending) {
	left := attributes(d)
	inside, usual, others := &ascending{}, newElements(left), 0
	for i, r := range d.Refusals.All() {
		switch {
		case !d.open(i) || d.State.Endpoints[r.Endpoint].Host != host:
		case r.Time >= from && r.Time < to:
			inside.add(uint32(i))
		default:
			usual.add(r)
			others++
		}
	}
	for len(left) > 0 {
		actual := newElements(left)
		for _, r := range d.Refusals.Of(inside.each) {
			actual.add(r)
		}
		var best stats.Share
		place := -1
		for i := range left {
			if s, ok := stats.Localise(parts(actual.counts[i], usual.counts[i], expected, others)); ok && (place < 0 || s.Surprise > best.Surprise) {
				best, place = s, i
			}
		}
		if place < 0 {
			break
		}
		a := left[place]
		left = slices.Delete(left, place, place+1)
		usual.counts = slices.Delete(usual.counts, place, place+1)
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
		common := ascendingOf(func(yield func(uint32) bool) {
			inside.each(func(i uint32) bool {
				return !slices.Contains(best.Elements, a.number(d.Refusals.At(int(i)))) || yield(i)
			})
		})
		expected *= float64(common.n) / float64(inside.n)
		inside = &common
	}
	return causes, inside
}

// elements counts 401s by the elements of attributes.
type elements struct {
	of     []attribute
	counts []map[uint64]float64 // by attribute
}

func newElements(of []attribute) elements {
	e := elements{of, make([]map[uint64]float64, len(of))}
	for i := range e.counts {
		e.counts[i] = map[uint64]float64{}
	}
	return e
}

func (e *elements) add(r *session.Refusal) {
	for i, n := range e.counts {
		n[e.of[i].number(r)]++
	}
}

// parts returns the actual and the expected number of 401s of each element of an attribute.
// usual counts the others, which it is expected to be like.
func parts(actual, usual map[uint64]float64, expected float64, others int) []stats.Part {
	all := slices.AppendSeq(slices.Collect(maps.Keys(actual)), maps.Keys(usual))
	slices.Sort(all) // sums of floats depend on the order
	all = slices.Compact(all)
	parts := make([]stats.Part, 0, len(all))
	for _, n := range all {
		p := stats.Part{Element: n, Actual: actual[n]}
		if others > 0 {
			p.Expected = expected * usual[n] / float64(others)
		}
		parts = append(parts, p)
	}
	return parts
}
