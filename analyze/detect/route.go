package detect

import (
	"maps"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

// Limits of the kinds that are about one route.
const (
	// routeRefused is the minimum number of refusals on the route.
	routeRefused = 8
	// routeClients is the minimum number of distinct clients: with fewer, the
	// clients may be the cause.
	routeClients = 3
	// routeCertain is the number of refusals without an acceptance from which on the
	// route is the cause, however few the clients: the lower bound of the refused
	// share is 0.8.
	routeCertain = 16
	// routeFalse is the accepted probability of a false report, after correction
	// for the number of routes tested.
	routeFalse = 0.001
)

// refusalsByEndpoint returns the open refusals that fit, grouped by endpoint, and
// the endpoints in ascending order. Endpoints with fewer than least of them are left
// out.
func (d *Diagnosis) refusalsByEndpoint(fits func(*session.Refusal) bool, least int) (endpoints []uint32, refusals map[uint32][]uint32) {
	refusals = map[uint32][]uint32{}
	for i, r := range d.eachOpen() {
		if fits(r) {
			refusals[r.Endpoint] = append(refusals[r.Endpoint], uint32(i))
		}
	}
	maps.DeleteFunc(refusals, func(_ uint32, list []uint32) bool { return len(list) < least })
	return slices.Sorted(maps.Keys(refusals)), refusals
}

// distinctClients returns the number of distinct clients of refusals.
func (d *Diagnosis) distinctClients(refusals []uint32) int {
	seen := map[timeline.Client]bool{}
	for _, r := range d.Refusals.Of(slices.Values(refusals)) {
		seen[r.Client()] = true
	}
	return len(seen)
}

func endpointSubject(e *timeline.Endpoint) result.Subject {
	return result.Subject{Type: "endpoint", Host: e.Host, Method: e.Method, Route: e.Template}
}

// ongoing reports whether the last of some refusals is near the end of the log.
func (d *Diagnosis) ongoing(last uint32) bool {
	return d.Refusals.At(int(last)).Time >= d.To-session.Nearby
}

// routeSeverity returns the severity of a route that refuses signed-in users: high
// if the last of the refusals is near the end of the log and many clients are affected.
func (d *Diagnosis) routeSeverity(last uint32, clients int) result.Severity {
	if d.ongoing(last) && float64(clients) >= max(20, 0.05*float64(d.Actors)) {
		return result.High
	}
	return result.Medium
}
