package parse

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"

	"logscan/parse/field"
)

// Extra is a kind of information about requests that a log may hold besides time,
// target and status. The more there is, the more can be diagnosed.
type Extra uint8

// The extras, in the order they are reported.
const (
	ExtraUser Extra = iota
	ExtraSession
	ExtraUserAgent
	ExtraReferrer
	ExtraHost
	ExtraUpstream
	ExtraUpstreamStatus
	ExtraDuration
	ExtraScheme
	ExtraReason
	ExtraSubSecond // times finer than a second
	ExtraTimeZone  // times with an offset from UTC, or counted from the epoch
	ExtraForwarded // X-Forwarded-For: needed if every client is a proxy

	NumExtras
)

var extraNames = [NumExtras]string{
	"user", "session", "user_agent", "referrer", "host", "upstream", "upstream_status", "duration", "scheme", "reason",
	"sub_second", "time_zone", "forwarded",
}

// String returns the stable name of x, which --field accepts if it has such a field.
func (x Extra) String() string { return extraNames[x] }

// extraFields maps extras to the fields that hold them. Fractions of seconds and
// offsets are parts of a time and only seen in its value.
var extraFields = [NumExtras][]fieldID{
	ExtraUser:           {fieldUser},
	ExtraSession:        {fieldSession, fieldCookie},
	ExtraUserAgent:      {fieldAgent},
	ExtraReferrer:       {fieldReferrer},
	ExtraHost:           {fieldHost},
	ExtraUpstream:       {fieldUpstream, fieldServer, fieldHierarchy},
	ExtraUpstreamStatus: {fieldUpstreamStatus},
	ExtraDuration:       {fieldSeconds, fieldMillis, fieldMicros, fieldNanos, fieldLatency, fieldSecondsMore, fieldTaken},
	ExtraScheme:         {fieldScheme},
	ExtraReason:         {fieldReason, fieldState, fieldSubstatus},
	ExtraForwarded:      {fieldForwarded},
}

// Presence counts the extras in some lines of a log. It is determined from the lines
// rather than the format, because a variable may always be "-".
type Presence struct {
	Lines   int64            // that were examined and could be parsed
	Refused int64            // of them, with status 401
	Private int64            // of them, with a client in a private network
	Has     [NumExtras]int64 // of them, with the extra
	Logged  [NumExtras]bool  // the format or a key of the lines has a field for the extra
	Open    bool             // the lines may have fields that are not in the format
	JSON    bool             // the lines are JSON objects
	Server  string           // that writes the keys of JSON lines: nginx, caddy, traefik; empty if unknown
}

// surveyed is how many lines are examined: the sample of an input has a few thousand
// at most, and each is parsed once.
const surveyed = 2000

// surveyedKeys is how many lines have their JSON keys examined, which takes longer:
// servers write nearly the same keys in every line.
const surveyedKeys = 50

// Survey determines which extras the lines of a sample hold.
func Survey(sample []byte, f *Format) Presence {
	var s Presence
	var e Entry
	p := f.NewParser()
	for _, g := range f.programs {
		s.Open = f.openEnd
		s.mark(&g.reads)
	}
	if f.described != nil {
		s.mark(&f.described.reads)
	} else if len(f.tables) > 0 {
		s.mark(&f.tables[0].reads)
	}
	for _, v := range p.surveyed(sample, &e) {
		if v == Parsed {
			s.add(p, &e)
		}
	}
	if f.keys != nil {
		s.JSON = f.kind == kindJSON
		s.keys(sample, f)
	}
	return s
}

// surveyed parses lines that are spread evenly over a sample, each into e.
func (p *Parser) surveyed(sample []byte, e *Entry) iter.Seq2[[]byte, Verdict] {
	return func(yield func([]byte, Verdict) bool) {
		clock := &p.values.clock
		forget := func() {
			clock.Forget()
			p.values.zoned = false // both are set by the time of this line
		}
		if f := p.formats[0]; f.kind == kindText && p.carrier == nil && bytes.Count(sample, newline) < surveyed {
			p.Lines(sample) // all of them, which is faster
			// A time is read faster after another one of the same day.
			stamped := f.prefixed && len(f.programs) == 1 && !f.programs[0].reads[fieldTimePart]
			for forget(); ; {
				line, v, ok := p.Next(e)
				if stamp, us := clock.Last(); stamped && us != e.Time && !bytes.Contains(line, stamp) {
					clock.Forget() // it is that of a line before
				}
				if !ok || !yield(line, v) {
					return
				}
				if p.values.zoned = false; !stamped {
					clock.Forget()
				}
			}
		}
		for _, line := range spreadLines(sample, surveyed) {
			if forget(); !yield(line, p.Parse(line, e)) {
				return
			}
		}
	}
}

// add counts the extras of a line that was just parsed.
func (s *Presence) add(p *Parser, e *Entry) {
	h := &p.values.hints
	stamp, _ := p.values.clock.Last()
	s.Lines++
	if e.Status == 401 {
		s.Refused++
	}
	if field.Private(e.Client) {
		s.Private++
	}
	s.count(ExtraUser, len(e.User) > 0)
	s.count(ExtraSession, len(e.Session) > 0)
	s.count(ExtraUserAgent, len(e.UserAgent) > 0)
	s.count(ExtraReferrer, len(e.Referrer) > 0)
	s.count(ExtraHost, len(e.Host) > 0)
	s.count(ExtraUpstream, len(e.Upstream) > 0)
	s.count(ExtraUpstreamStatus, len(e.UpstreamStatus) > 0)
	s.count(ExtraDuration, e.Duration >= 0)
	s.count(ExtraScheme, len(e.Scheme) > 0)
	s.count(ExtraReason, len(e.Reason) > 0)
	s.count(ExtraSubSecond, e.Time != NoTime && e.Time%1e6 != 0)
	s.count(ExtraTimeZone, e.Time != NoTime && (p.values.zoned || isAbsolute(stamp)))
	s.count(ExtraForwarded, len(h.ForwardedFor)+len(h.Forwarded)+len(h.RealIP) > 0)
}

// count counts an extra that a line holds.
func (s *Presence) count(x Extra, held bool) {
	if held {
		s.Has[x]++
	}
}

// Add adds the counts of another sample of the same format.
func (s *Presence) Add(o *Presence) {
	switch {
	case s.Lines == 0:
		s.Server = o.Server
	case o.Lines > 0 && s.Server != o.Server:
		s.Server = "" // lines of several servers
	}
	s.Lines += o.Lines
	s.Refused += o.Refused
	s.Private += o.Private
	s.Open = s.Open || o.Open
	s.JSON = s.JSON || o.JSON
	for x := range s.Has {
		s.Has[x] += o.Has[x]
		s.Logged[x] = s.Logged[x] || o.Logged[x]
	}
}

// Missing returns the extras that no line holds although these lines should: without
// refusals there is no reason for one, and with public clients there need not be
// forwarded ones. Host and scheme can also be part of a request, as in
// GET http://a.example/: if only some clients send them, the log has no such field.
func (s *Presence) Missing() []Extra {
	var missing []Extra
	for x := range NumExtras {
		switch {
		case s.Lines == 0:
		case s.Has[x] > 0 && (s.Logged[x] || 2*s.Has[x] > s.Lines || x != ExtraHost && x != ExtraScheme):
		case x == ExtraReason && s.Logged[x] && s.Refused == 0:
		case x == ExtraForwarded && s.Private < s.Lines:
		default:
			missing = append(missing, x)
		}
	}
	return missing
}

// mark sets Logged for the extras that the fields can hold.
func (s *Presence) mark(reads *[numFields]bool) {
	for x, fields := range extraFields {
		for _, f := range fields {
			s.Logged[x] = s.Logged[x] || reads[f]
		}
	}
}

// isAbsolute reports whether a time does not depend on the zone: it counts from the
// epoch or has an offset from UTC.
func isAbsolute(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if len(b) == field.CommonLen && b[11] == ':' && b[20] == ' ' && (b[21] == '+' || b[21] == '-') {
		return true // 10/Oct/2000:13:55:36 -0700, as most
	}
	colons := bytes.Count(b, []byte(":"))
	if colons == 0 {
		return true // epoch
	}
	if c := b[len(b)-1]; c == 'Z' || c == 'z' || bytes.HasSuffix(b, []byte("UTC")) {
		return true
	}
	clock := b[bytes.IndexByte(b, ':')+1:] // dates have dashes, clocks have none
	return bytes.ContainsAny(clock, "+-")
}

// keys examines the keys of JSON lines, including those without a value.
func (s *Presence) keys(sample []byte, f *Format) {
	servers := map[uint64]string{}
	for _, o := range serverKeys {
		for key := range strings.FieldsSeq(o.keys) {
			servers[hashKey(fnvOffset, []byte(key))] = o.server
		}
	}
	var reads [numFields]bool
	found := map[uint64]bool{} // of servers
	for _, line := range spreadLines(sample, surveyedKeys) {
		var object map[string]any
		if json.Unmarshal(f.text(line), &object) != nil {
			continue
		}
		walk(fnvOffset, object, 0, func(h uint64) {
			if slot := f.keys.find(h); slot.hash != 0 {
				reads[slot.field] = true
			}
			if servers[h] != "" {
				found[h] = true
			}
		})
	}
	s.mark(&reads)
	count := map[string]int{}
	for h := range found {
		count[servers[h]]++
	}
	for _, o := range serverKeys {
		if s.Server == "" && count[o.server] >= o.enough {
			s.Server = o.server
		}
	}
	if s.Server == "caddy" { // it logs all headers that a request has
		for _, x := range []Extra{ExtraSession, ExtraUserAgent, ExtraReferrer, ExtraReason} {
			s.Logged[x] = true
		}
	}
}

// serverKeys are keys that one server writes, and how many of them identify it: other
// programs use some names of nginx.
var serverKeys = []struct {
	server string
	enough int
	keys   string
}{
	{"caddy", 1, "request.remote_ip request.client_ip"},
	{"traefik", 1, "downstreamstatus entrypointname"},
	{"nginx", 3, "remote_addr remote_user time_iso8601 time_local request_uri body_bytes_sent http_user_agent http_referer request_time upstream_addr"},
}

// walk calls visit with the hash of the path of every value, as jsonReader computes
// it.
func walk(path uint64, value any, depth int, visit func(path uint64)) {
	if depth > maxDepth {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if depth > 0 {
			path = pathOf(path)
		}
		for k, member := range v {
			walk(hashKey(path, []byte(k)), member, depth+1, visit)
		}
	case []any:
		visit(path)
		if len(v) > 0 {
			walk(hashKey(path, firstItem), v[0], depth+1, visit)
		}
	default:
		visit(path)
	}
}
