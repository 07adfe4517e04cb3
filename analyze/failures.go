package analyze

import (
	"cmp"
	"slices"
	"strings"

	"logscan/analyze/authevents"
	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/field"
)

const (
	// maxFailures is the maximum number of different failures that are collected. A
	// server has few faults; scanners can make up any number of routes.
	maxFailures = 4096
	// maxFailureClients bounds how many clients of a failure are told apart: enough for
	// every threshold.
	maxFailureClients = 1000
)

// failure is a detect.Failure while its events are collected.
type failure struct {
	detect.Failure
	clients map[uint64]struct{}
}

// failuresOf returns what the events state of requests that could not be authenticated and
// were not answered 401, in a total order.
func failuresOf(s *timeline.State, joined *authevents.Joined, kept lineStore) ([]detect.Failure, error) {
	read := kept.messages()
	type key struct{ host, method, route, reason, code string }
	found := map[key]*failure{}
	lines := pairs{first: map[requestKey]firstLine{}}
	for i := range joined.Events {
		x := &joined.Events[i]
		if x.Outcome != events.Failed || x.Refusal >= 0 || x.Ambiguous || x.Outside || x.Time == parse.NoTime {
			continue
		}
		e, err := read(i, false)
		if err != nil {
			return nil, err
		}
		k := key{strings.ToLower(string(field.WithoutPort([]byte(e.Host)))), e.Method, e.Route, joined.Reasons[x.Reason], e.Code}
		f := found[k]
		if f == nil {
			if len(found) == maxFailures {
				continue
			}
			f = &failure{Failure: detect.Failure{
				Host: k.host, Method: k.method, Route: k.route, Reason: k.reason, Code: k.code, First: x.Time, Last: x.Time,
			}, clients: map[uint64]struct{}{}}
			found[k] = f
		}
		if !lines.second(s.Messages.At(i).Input, x.Time, e) {
			f.Requests++
		}
		f.First, f.Last = min(f.First, x.Time), max(f.Last, x.Time)
		if len(f.clients) < maxFailureClients {
			f.clients[e.Sender] = struct{}{}
		}
		if len(f.Messages) < result.MaxEvidence {
			f.Messages = append(f.Messages, uint32(i))
		}
	}
	all := make([]detect.Failure, 0, len(found))
	for _, f := range found {
		f.Clients = int64(len(f.clients))
		all = append(all, f.Failure)
	}
	slices.SortFunc(all, func(a, b detect.Failure) int {
		return cmp.Compare(a.Messages[0], b.Messages[0])
	})
	return all, nil
}

// sameRequest is how far apart the two lines about one request may be. nginx says that an
// authentication service does not answer, and then with which status that ended.
const sameRequest = 1_000_000 // microseconds

// requestKey identifies a request in the log of an input.
type requestKey struct {
	input   int32
	request uint64 // message.Request
}

// pairs finds the second of two lines about one request.
type pairs struct{ first map[requestKey]firstLine }

// firstLine is a line that may be the first of two.
type firstLine struct {
	time int64
	code string
}

// second reports whether another message about the same request has been counted.
func (p *pairs) second(input int32, at int64, m *message) bool {
	if m.Request == 0 {
		return false
	}
	key := requestKey{input, m.Request}
	before, ok := p.first[key]
	if ok && before.code != m.Code && at-before.time <= sameRequest {
		delete(p.first, key)
		return true
	}
	p.first[key] = firstLine{at, m.Code}
	return false
}
