package analyze

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/advice"
)

// residual describes the refusals without a cause, nil if there are none. It costs a
// pass over the refusals. formats are those of the run.
func (a *assembly) residual(formats []result.LogFormat) *result.Residual {
	unexplained := len(a.names) - int(session.NumCauses) + int(session.Unexplained)
	var of session.Bits
	n := int64(0)
	for i, x := range a.Refusals.All() {
		if a.cause(i, x) == unexplained {
			of.Add(i)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	list := func(yield func(uint32) bool) {
		of.Each(func(i int) bool { return yield(uint32(i)) })
	}
	r := &result.Residual{Unexplained: n, Missing: missingFields(formats)}
	r.Reason, r.AnsweredBy = detect.StatedReason(a.State, list)
	a.addPlaces(r, list)
	a.addClients(r, list)
	a.addHours(r, list)
	return r
}

// dimension is a property of refusals by which they are counted.
type dimension struct {
	name   string
	of     func(r *session.Refusal, line *timeline.Refusal) int // the number of its value; -1 for none
	place  func(v int) result.Place                             // of a value
	counts []int64                                              // by value
}

// dimensions returns those of the residual, without counts of refusals.
func (a *assembly) dimensions() []dimension {
	s := a.State
	addresses, agents := a.tallies()
	sites, siteOf := a.sites()
	return []dimension{
		{"endpoint", func(r *session.Refusal, _ *timeline.Refusal) int { return int(r.Endpoint) }, func(v int) result.Place {
			e := &s.Endpoints[v]
			subject := result.Subject{Host: result.Clean(e.Host), Method: e.Method, Route: result.Clean(e.Template)}
			return placeOf(subject.Endpoint(), &e.Tally)
		}, make([]int64, len(s.Endpoints))},
		{"client_address", func(r *session.Refusal, _ *timeline.Refusal) int { return int(r.Address) },
			func(v int) result.Place { return placeOf(a.addresses[v], &addresses[v]) }, make([]int64, len(s.Addresses))},
		{"user_agent", func(r *session.Refusal, _ *timeline.Refusal) int { return int(r.Agent) },
			func(v int) result.Place { return placeOf(a.agents[v], &agents[v]) }, make([]int64, len(s.Agents))},
		{"user", func(r *session.Refusal, _ *timeline.Refusal) int { return int(r.User) - 1 },
			func(v int) result.Place { return placeOf(result.Clean(s.Users[v].Name), &s.Users[v].Tally) }, make([]int64, len(s.Users))},
		{"host", func(r *session.Refusal, _ *timeline.Refusal) int { return siteOf[r.Endpoint] },
			func(v int) result.Place { return placeOf(result.Clean(sites[v].Name), &sites[v].Tally) }, make([]int64, len(sites))},
		{"upstream", func(r *session.Refusal, _ *timeline.Refusal) int { return int(r.Upstream) - 1 },
			func(v int) result.Place { return placeOf(result.Clean(s.Upstreams[v].Name), &s.Upstreams[v].Tally) }, make([]int64, len(s.Upstreams))},
		{fileDimension, func(_ *session.Refusal, line *timeline.Refusal) int { return int(line.Input) }, func(v int) result.Place {
			l := &s.Inputs[v]
			return result.Place{Name: a.reader.inputs[v].Path, Unauthorized: l.Unauthorized, Requests: l.Verdicts[parse.Parsed]}
		}, make([]int64, len(s.Inputs))},
	}
}

// fileDimension is the only one that a refusal without a time has.
const fileDimension = "file"

// addPlaces adds the dimensions.
func (a *assembly) addPlaces(r *result.Residual, list iter.Seq[uint32]) {
	dimensions := a.dimensions()
	lineAt := a.State.Refusals.Reader()
	for i, x := range a.Refusals.Of(list) {
		line := lineAt(int(i))
		for n := range dimensions {
			d := &dimensions[n]
			if x.Actor == 0 && d.name != fileDimension {
				continue
			}
			if v := d.of(x, line); v >= 0 {
				d.counts[v]++
			}
		}
	}
	r.Faults = a.faultsOf(dimensions[0].counts)
	for i := range dimensions {
		if d := dimensions[i].divide(); d.Distinct > 0 {
			r.Dimensions = append(r.Dimensions, d)
		}
	}
}

// divide returns the values with most refusals. A dimension of which all values are empty
// has no places.
func (x *dimension) divide() (d result.Dimension) {
	d.Name = x.name
	var order []int
	for v, n := range x.counts {
		if n > 0 {
			order = append(order, v)
		}
	}
	slices.SortStableFunc(order, func(v, w int) int { return cmp.Compare(x.counts[w], x.counts[v]) })
	d.Distinct = int64(len(order))
	for _, v := range order[:min(len(order), result.MaxPlaces)] {
		p := x.place(v)
		p.Unexplained = x.counts[v]
		d.Top = append(d.Top, p)
	}
	if d.Distinct == 1 && d.Top[0].Name == "" {
		d.Distinct = 0 // no line has the field
	}
	return d
}

func placeOf(name string, t *timeline.Tally) result.Place {
	c := counts(t)
	return result.Place{Name: name, Unauthorized: c.Unauthorized, Requests: c.Requests}
}

// tallies sums the requests of the clients by address and by user agent.
func (a *assembly) tallies() (addresses, agents []timeline.Tally) {
	addresses, agents = make([]timeline.Tally, len(a.State.Addresses)), make([]timeline.Tally, len(a.State.Agents))
	for client, stats := range a.Clients {
		for o, n := range stats.Tally.N {
			addresses[client.Address].N[o] += n
			agents[client.Agent].N[o] += n
		}
	}
	return addresses, agents
}

// sites sums the requests by virtual host, and returns the host of each endpoint.
func (a *assembly) sites() (sites []timeline.NamedTally, siteOf []int) {
	siteOf = make([]int, len(a.State.Endpoints))
	for i := range a.State.Endpoints { // sorted by host
		e := &a.State.Endpoints[i]
		if len(sites) == 0 || sites[len(sites)-1].Name != e.Host {
			sites = append(sites, timeline.NamedTally{Name: e.Host})
		}
		siteOf[i] = len(sites) - 1
		for o, n := range e.N {
			sites[siteOf[i]].N[o] += n
		}
	}
	return sites, siteOf
}

// addClients adds how else the clients of unexplained refusals were answered.
func (a *assembly) addClients(r *result.Residual, list iter.Seq[uint32]) {
	n := map[timeline.Client]int64{}
	for _, x := range a.Refusals.Of(list) {
		if x.Actor != 0 {
			n[x.Client()]++
		}
	}
	var sum timeline.Tally
	for client, refused := range n {
		stats := a.Clients[client]
		if stats == nil {
			continue
		}
		r.Clients++
		if stats.Tally.N[timeline.Accepted] > 0 {
			r.AcceptedClients++
		}
		for o, k := range stats.Tally.N {
			sum.N[o] += k
		}
		sum.N[timeline.Unauthorized] -= refused
	}
	r.Others = counts(&sum)
}

// addHours adds the times.
func (a *assembly) addHours(r *result.Residual, list iter.Seq[uint32]) {
	const hour = int64(time.Hour / time.Microsecond)
	r.FirstTime, r.LastTime, r.BusiestHour = parse.NoTime, parse.NoTime, parse.NoTime
	hours := map[int64]int64{}
	for _, x := range a.State.Refusals.Of(list) {
		at := x.Time
		if at == parse.NoTime {
			continue
		}
		if r.FirstTime == parse.NoTime || at < r.FirstTime {
			r.FirstTime = at
		}
		r.LastTime = max(r.LastTime, at)
		hours[timeline.FloorDiv(at, hour)*hour]++
	}
	for h, n := range hours {
		if n > r.InBusiestHour || n == r.InBusiestHour && h < r.BusiestHour {
			r.BusiestHour, r.InBusiestHour = h, n
		}
	}
}

// telling are the fields that say most about a refusal, the most important first.
var telling = [...]parse.Extra{
	parse.ExtraReason, parse.ExtraUser, parse.ExtraSession, parse.ExtraUserAgent, parse.ExtraUpstreamStatus, parse.ExtraUpstream, parse.ExtraForwarded,
}

// missingFields returns the gaps of the formats in the fields that say most, one for
// each field.
func missingFields(formats []result.LogFormat) []advice.Gap {
	var all []advice.Gap
	for _, x := range telling {
		for i := range formats {
			gaps := formats[i].Advice.Gaps
			if at := slices.IndexFunc(gaps, func(g advice.Gap) bool { return g.Extra == x }); at >= 0 {
				all = append(all, gaps[at])
				break
			}
		}
	}
	return all
}
