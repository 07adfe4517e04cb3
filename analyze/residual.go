package analyze

import (
	"cmp"
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
	var list []uint32
	for i := range a.Refusals.Len() {
		if a.cause(i) == unexplained {
			list = append(list, uint32(i))
		}
	}
	if len(list) == 0 {
		return nil
	}
	r := &result.Residual{Unexplained: int64(len(list)), Missing: missingFields(formats)}
	r.Reason, r.AnsweredBy = detect.StatedReason(a.State, list)
	a.addPlaces(r, list)
	a.addClients(r, list)
	a.addHours(r, list)
	return r
}

// addPlaces adds the dimensions.
func (a *assembly) addPlaces(r *result.Residual, list []uint32) {
	s := a.State
	timed := slices.DeleteFunc(slices.Clone(list), func(i uint32) bool { return a.Refusals.At(int(i)).Actor == 0 })
	add := func(name string, list []uint32, values int, of func(i uint32) int, place func(v int) result.Place) {
		if d := divide(list, values, of, place); d.Distinct > 0 {
			d.Name = name
			r.Dimensions = append(r.Dimensions, d)
		}
	}
	add("endpoint", timed, len(s.Endpoints), func(i uint32) int { return int(a.Refusals.At(int(i)).Endpoint) }, func(v int) result.Place {
		e := &s.Endpoints[v]
		subject := result.Subject{Host: result.Clean(e.Host), Method: e.Method, Route: result.Clean(e.Template)}
		return placeOf(subject.Endpoint(), &e.Tally)
	})
	addresses, agents := a.tallies()
	add("client_address", timed, len(s.Addresses), func(i uint32) int { return int(a.Refusals.At(int(i)).Address) },
		func(v int) result.Place { return placeOf(a.addresses[v], &addresses[v]) })
	add("user_agent", timed, len(s.Agents), func(i uint32) int { return int(a.Refusals.At(int(i)).Agent) },
		func(v int) result.Place { return placeOf(a.agents[v], &agents[v]) })
	add("user", timed, len(s.Users), func(i uint32) int { return int(a.Refusals.At(int(i)).User) - 1 },
		func(v int) result.Place { return placeOf(result.Clean(s.Users[v].Name), &s.Users[v].Tally) })
	sites, siteOf := a.sites()
	add("host", timed, len(sites), func(i uint32) int { return siteOf[a.Refusals.At(int(i)).Endpoint] },
		func(v int) result.Place { return placeOf(result.Clean(sites[v].Name), &sites[v].Tally) })
	add("upstream", timed, len(s.Upstreams), func(i uint32) int { return int(a.Refusals.At(int(i)).Upstream) - 1 },
		func(v int) result.Place { return placeOf(result.Clean(s.Upstreams[v].Name), &s.Upstreams[v].Tally) })
	add("file", list, len(s.Inputs), func(i uint32) int { return int(s.Refusals.At(int(i)).Input) }, func(v int) result.Place {
		l := &s.Inputs[v]
		return result.Place{Name: a.reader.inputs[v].Path, Unauthorized: l.Unauthorized, Requests: l.Verdicts[parse.Parsed]}
	})
}

// divide counts refusals by a value below values; of returns -1 for none. A dimension of
// which all values are empty has no places.
func divide(list []uint32, values int, of func(i uint32) int, place func(v int) result.Place) (d result.Dimension) {
	n := make([]int64, values)
	for _, i := range list {
		if v := of(i); v >= 0 {
			n[v]++
		}
	}
	var order []int
	for v := range n {
		if n[v] > 0 {
			order = append(order, v)
		}
	}
	slices.SortStableFunc(order, func(v, w int) int { return cmp.Compare(n[w], n[v]) })
	d.Distinct = int64(len(order))
	for _, v := range order[:min(len(order), result.MaxPlaces)] {
		p := place(v)
		p.Unexplained = n[v]
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
func (a *assembly) addClients(r *result.Residual, list []uint32) {
	n := map[timeline.Client]int64{}
	for _, i := range list {
		if x := a.Refusals.At(int(i)); x.Actor != 0 {
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
func (a *assembly) addHours(r *result.Residual, list []uint32) {
	const hour = int64(time.Hour / time.Microsecond)
	r.FirstTime, r.LastTime, r.BusiestHour = parse.NoTime, parse.NoTime, parse.NoTime
	hours := map[int64]int64{}
	for _, i := range list {
		at := a.State.Refusals.At(int(i)).Time
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
