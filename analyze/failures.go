package analyze

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
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

// failures returns what the events state of requests that could not be authenticated and
// were not answered 401, in a total order.
func (r *reader) failures(s *timeline.State, joined *authevents.Joined) ([]detect.Failure, error) {
	read := r.messages(s)
	mask := r.options.Parse.Privacy.NewMask()
	seed := maphash.MakeSeed()
	type key struct{ host, method, route, reason, code string }
	found := map[key]*failure{}
	lines := pairs{seed: seed, first: map[uint64]firstLine{}}
	for i := range joined.Events {
		x := &joined.Events[i]
		if x.Outcome != events.Failed || x.Refusal >= 0 || x.Ambiguous || x.Outside || x.Time == parse.NoTime {
			continue
		}
		_, e, _, err := read(i)
		if err != nil {
			return nil, err
		}
		path, _, _ := bytes.Cut(e.Target, []byte("?"))
		if mask != nil {
			mask.Line(e.User, e.Client, nil, e.Session, e.Host, nil)
			path = mask.Text(path)
		}
		k := key{
			strings.ToLower(string(field.WithoutPort(e.Host))), string(e.Method), timeline.Template(path), x.Reason, string(e.Code),
		}
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
		if !lines.second(s.Messages[i].Input, x.Time, e) {
			f.Requests++
		}
		f.First, f.Last = min(f.First, x.Time), max(f.Last, x.Time)
		if len(f.clients) < maxFailureClients {
			f.clients[maphash.Bytes(seed, e.Client)] = struct{}{}
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

// pairs finds the second of two lines about one request.
type pairs struct {
	seed  maphash.Seed
	first map[uint64]firstLine // by connection and request
}

// firstLine is a line that may be the first of two.
type firstLine struct {
	time int64
	code string
}

// second reports whether another message about the same request has been counted.
func (p *pairs) second(input int32, at int64, e *events.Event) bool {
	if len(e.Connection) == 0 {
		return false
	}
	var h maphash.Hash
	h.SetSeed(p.seed)
	h.Write(binary.LittleEndian.AppendUint32(nil, uint32(input)))
	for _, b := range [][]byte{e.Connection, e.Method, e.Target, e.Client} {
		h.Write(b)
		h.WriteByte(0)
	}
	key := h.Sum64()
	before, ok := p.first[key]
	if ok && before.code != string(e.Code) && at-before.time <= sameRequest {
		delete(p.first, key)
		return true
	}
	p.first[key] = firstLine{at, string(e.Code)}
	return false
}
