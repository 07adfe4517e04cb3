package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// What the detectors of one route's troubles have in common.

const (
	// routeRefused 401s, and
	routeRefused = 8
	// routeClients distinct clients show that it is the route and not somebody.
	routeClients = 3
	// routeFalse is the chance of a false report, corrected for the routes that
	// are looked at.
	routeFalse = 0.001
)

// byEndpoint groups the facts that fit by their endpoint, those with too few
// left out, in ascending order of the endpoint.
func (c *Diagnosis) byEndpoint(fits func(*session.Refusal) bool) (endpoints []uint32, claims map[uint32][]uint32) {
	claims = map[uint32][]uint32{}
	for i := range c.Refusals {
		if f := &c.Refusals[i]; c.open(i) && fits(f) {
			claims[f.Endpoint] = append(claims[f.Endpoint], uint32(i))
		}
	}
	maps.DeleteFunc(claims, func(_ uint32, list []uint32) bool { return len(list) < routeRefused })
	return slices.Sorted(maps.Keys(claims)), claims
}

// clientsOf counts the distinct clients of facts.
func (c *Diagnosis) clientsOf(claims []uint32) int {
	seen := map[timeline.Client]bool{}
	for _, i := range claims {
		f := &c.Refusals[i]
		seen[timeline.Client{Address: f.Address, Agent: f.Agent}] = true
	}
	return len(seen)
}

// endpointSubject names an endpoint.
func endpointSubject(e *timeline.Endpoint) result.Subject {
	return result.Subject{Type: "endpoint", Host: e.Host, Method: e.Method, Route: e.Template}
}

// ongoing tells whether the last of the claims lies near the end of the log.
func (c *Diagnosis) ongoing(claims []uint32) bool {
	return c.Refusals[claims[len(claims)-1]].Time >= c.To-session.Nearby
}

// neighbours notes of 401s without a session, which therefore are of no actor
// that was accepted, whether their client was accepted with one close by.
type neighbours struct {
	*Diagnosis
	window int64 // milliseconds before and after
	by     map[timeline.Client][]uint32
	// suspect are their endpoints, whose acceptances say nothing.
	suspect map[uint32]bool
	near    []bool // by fact
	parts   []map[uint32]bool
}

// observeNeighbours looks for the facts that fit; nil where there are too few.
func observeNeighbours(c *Diagnosis, window int64, fits func(*session.Refusal) bool) observer {
	o := &neighbours{Diagnosis: c, window: window, by: map[timeline.Client][]uint32{}, suspect: map[uint32]bool{}}
	endpoints, claims := c.byEndpoint(fits)
	if len(endpoints) == 0 {
		return nil
	}
	for _, e := range endpoints {
		o.suspect[e] = true
		for _, i := range claims[e] {
			f := &c.Refusals[i]
			client := timeline.Client{Address: f.Address, Agent: f.Agent}
			o.by[client] = append(o.by[client], i)
		}
	}
	for _, list := range o.by {
		slices.Sort(list) // facts are in the order of time
	}
	o.near = make([]bool, len(c.Refusals))
	return o
}

func (o *neighbours) part() func(*timeline.Actor, uint32) {
	near := map[uint32]bool{}
	o.parts = append(o.parts, near)
	return func(a *timeline.Actor, _ uint32) {
		var client timeline.Client
		var wanted []uint32
		for i := range a.Events {
			e := &a.Events[i]
			if i == 0 || e.Client != client {
				client = e.Client
				wanted = o.by[client]
			}
			if len(wanted) == 0 || e.Outcome != timeline.Accepted || !o.Protected[e.Endpoint] || o.suspect[e.Endpoint] {
				continue
			}
			// Both are in the order of time, so that none is looked at twice.
			for len(wanted) > 0 && o.Refusals[wanted[0]].Time <= e.Time+o.window {
				if o.Refusals[wanted[0]].Time >= e.Time-o.window {
					near[wanted[0]] = true
				}
				wanted = wanted[1:]
			}
		}
	}
}

func (o *neighbours) gather() {
	for _, near := range o.parts {
		for i := range near {
			o.near[i] = true
		}
	}
	o.parts = nil
}

// count counts those of the claims that have a neighbour.
func (o *neighbours) count(claims []uint32) (n int64) {
	for _, i := range claims {
		if o.near[i] {
			n++
		}
	}
	return n
}

// severityOf is that of a route that refuses people: high when it is many and
// goes on.
func (c *Diagnosis) severityOf(claims []uint32, clients int) result.Severity {
	if c.ongoing(claims) && float64(clients) >= max(20, 0.05*float64(c.Actors)) {
		return result.High
	}
	return result.Medium
}
