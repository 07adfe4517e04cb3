package analyze

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
)

// Servers refuse by other statuses than 401 too: 403 for bad credentials, 407 for a
// proxy's, 419 and 440 for an expired session (Laravel, IIS), 498 for an expired token
// (Esri), 500 where the service that authenticates is down, and 302 to a page for
// signing in. They count only if the user names them; otherwise notes say that they
// stand where 401s would.

const (
	// otherFew is the number below which other statuses are not worth a note.
	otherFew = 20
	// otherShare is the share of a route's requests from which on another answer
	// stands for it.
	otherShare = 0.5
)

// otherRefusals returns the notes on refusals that do not count as such.
func (a *assembly) otherRefusals() (notes []result.Note) {
	counted := a.reader.options.Parse.Refusals
	if len(counted) > 0 {
		names := []string{"401"}
		for _, s := range counted {
			names = append(names, strconv.Itoa(int(s)))
		}
		slices.Sort(names)
		notes = append(notes, result.Note{Kind: result.NoteStatuses, Name: strings.Join(names, ", ")})
	}
	for _, status := range []int32{403, 407, 419, 440, 498} {
		if n := a.State.Statuses[status]; n >= otherFew && !slices.Contains(counted, status) {
			note := result.Note{Kind: result.NoteOtherStatus, Name: strconv.Itoa(int(status)), N: n}
			if status == 403 {
				note.N, note.M = a.forbiddenElsewhere()
			}
			if note.N >= otherFew {
				notes = append(notes, note)
			}
		}
	}
	add := func(kind result.NoteKind, o timeline.Outcome, matches func(i int, e *timeline.Endpoint, n, all int64) bool) {
		if note := a.routesThat(o, matches); note.N > 0 {
			note.Kind = kind
			notes = append(notes, note)
		}
	}
	add(result.NoteServerErrors, timeline.ServerError, func(i int, _ *timeline.Endpoint, n, all int64) bool {
		return a.Protected[i] && float64(n) >= otherShare*float64(all)
	})
	if !slices.Contains(counted, 302) {
		add(result.NoteRedirects, timeline.Redirected, func(i int, e *timeline.Endpoint, _, _ int64) bool {
			return a.Protected[i] && e.Method == "GET" && e.N[timeline.Unauthorized] == 0
		})
	}
	return notes
}

// forbiddenElsewhere returns how many requests were answered 403 to clients that were
// accepted elsewhere, who are no strangers, and how many such clients there are.
func (a *assembly) forbiddenElsewhere() (requests, clients int64) {
	for _, c := range a.Clients {
		if n := c.Tally.N[timeline.Forbidden]; n > 0 && c.Tally.N[timeline.Accepted] > 0 {
			requests += n
			clients++
		}
	}
	return requests, clients
}

// routesThat returns a note with the number of routes whose requests with an outcome
// are at least otherFew and match, that of these requests, and the route with most.
func (a *assembly) routesThat(o timeline.Outcome, matches func(i int, e *timeline.Endpoint, n, all int64) bool) (note result.Note) {
	var routes []int
	for i := range a.State.Endpoints {
		e := &a.State.Endpoints[i]
		if n := e.N[o]; n >= otherFew && matches(i, e, n, counts(&e.Tally).Requests) {
			routes = append(routes, i)
			note.N += n
		}
	}
	if len(routes) == 0 {
		return note
	}
	slices.SortStableFunc(routes, func(i, j int) int { return cmp.Compare(a.State.Endpoints[j].N[o], a.State.Endpoints[i].N[o]) })
	first := &a.State.Endpoints[routes[0]]
	subject := result.Subject{Host: result.Clean(first.Host), Method: first.Method, Route: result.Clean(first.Template)}
	note.M, note.Text = int64(len(routes)), subject.Endpoint()
	return note
}
