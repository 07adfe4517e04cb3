package parse

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
)

// Extra is what a log may tell of a request beside its time, what was asked,
// and the status: what more there is, the more can be diagnosed.
type Extra uint8

// The extras, in the order they are told of.
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
	ExtraTimeZone  // times with their offset from UTC, or counted from the epoch
	ExtraForwarded // X-Forwarded-For: wanted where every client is a proxy

	NumExtras
)

var extraNames = [NumExtras]string{
	"user", "session", "user_agent", "referrer", "host", "upstream", "upstream_status", "duration", "scheme", "reason",
	"sub_second", "time_zone", "forwarded",
}

// String gives the stable name of x: that of --field, where it takes x.
func (x Extra) String() string { return extraNames[x] }

// extraFields are the fields that carry an extra. Sub-seconds and offsets are
// part of a time, and seen in its value alone.
var extraFields = [NumExtras][]field{
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

// Presence says which extras some lines of a log hold. It is judged by the
// lines, not by the format: a variable that is always "-" tells nothing.
type Presence struct {
	Lines   int64            // that were looked at and could be read
	Refused int64            // of them, answered 401
	Private int64            // of them, whose client has an address of a private network
	Has     [NumExtras]int64 // of them, that hold the extra
	Logged  [NumExtras]bool  // the format has a place for it, or a key of the lines is one
	Open    bool             // the lines may hold fields that the format does not know
	JSON    bool             // the lines are JSON objects
	Server  string           // whose keys JSON lines have: nginx, caddy, traefik; empty where that cannot be told
}

// surveyed is how many lines are looked at: the sample of an input is a few
// thousand at most, and each is parsed once.
const surveyed = 2000

// surveyedKeys is how many lines have their JSON keys looked at, which takes
// longer: servers write the same keys in every line, or nearly.
const surveyedKeys = 50

// Survey looks which extras the lines of a sample hold.
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
	for _, line := range spreadLines(sample, surveyed) {
		p.lastTimeLen, p.zoned = 0, false // what stands there afterwards is the time of this line
		if p.Parse(line, &e) == Parsed {
			s.add(p, &e)
		}
	}
	if f.keys != nil {
		s.JSON = f.kind == kindJSON
		s.keys(sample, f)
	}
	return s
}

// add counts the extras of a line.
func (s *Presence) add(p *Parser, e *Entry) {
	s.Lines++
	if e.Status == 401 {
		s.Refused++
	}
	if private(e.Client) {
		s.Private++
	}
	for x, held := range [NumExtras]bool{
		ExtraUser:           len(e.User) > 0,
		ExtraSession:        len(e.Session) > 0,
		ExtraUserAgent:      len(e.UserAgent) > 0,
		ExtraReferrer:       len(e.Referrer) > 0,
		ExtraHost:           len(e.Host) > 0,
		ExtraUpstream:       len(e.Upstream) > 0,
		ExtraUpstreamStatus: len(e.UpstreamStatus) > 0,
		ExtraDuration:       e.Duration >= 0,
		ExtraScheme:         len(e.Scheme) > 0,
		ExtraReason:         len(e.Reason) > 0,
		ExtraSubSecond:      e.Time != NoTime && e.Time%1e6 != 0,
		ExtraTimeZone:       e.Time != NoTime && (p.zoned || absolute(p.lastTime[:p.lastTimeLen])),
		ExtraForwarded:      len(p.said.forwardedFor)+len(p.said.forwarded)+len(p.said.realIP) > 0,
	} {
		if held {
			s.Has[x]++
		}
	}
}

// Add adds what another sample of the same format holds.
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

// Missing gives the extras that no line holds, of those that these lines should
// hold one of: where nothing was refused there is no reason for a refusal, and
// where clients are known nobody needs to have been forwarded. Host and scheme
// can stand in a request as well, as in GET http://a.example/: where only some
// clients write it so, that is no field of the log.
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

// mark notes the extras that fields are a place for.
func (s *Presence) mark(reads *[numFields]bool) {
	for x, fields := range extraFields {
		for _, f := range fields {
			s.Logged[x] = s.Logged[x] || reads[f]
		}
	}
}

// absolute tells whether a time of the log is the same everywhere: it counts
// from the epoch or says its offset from UTC.
func absolute(b []byte) bool {
	if len(b) == 0 {
		return false
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

// sharedNetwork are the addresses that providers share among customers (RFC
// 6598), which networks use like private ones.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

func private(b []byte) bool {
	if len(b) > 64 {
		return false
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return false
	}
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedNetwork.Contains(a)
}

// keys looks which keys there are in JSON lines, those without a value too.
func (s *Presence) keys(sample []byte, f *Format) {
	servers := map[uint64]string{}
	for _, o := range serverKeys {
		for key := range strings.FieldsSeq(o.keys) {
			servers[hashKey(fnvOffset, []byte(key))] = o.server
		}
	}
	var reads [numFields]bool
	told := map[uint64]bool{} // keys that tell one server from another
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
				told[h] = true
			}
		})
	}
	s.mark(&reads)
	count := map[string]int{}
	for h := range told {
		count[servers[h]]++
	}
	for _, o := range serverKeys {
		if s.Server == "" && count[o.server] >= o.enough {
			s.Server = o.server
		}
	}
	if s.Server == "caddy" { // it logs the headers there are, under keys of their own
		for _, x := range []Extra{ExtraSession, ExtraUserAgent, ExtraReferrer, ExtraReason} {
			s.Logged[x] = true
		}
	}
}

// serverKeys are keys that one server writes, and how many of them tell it:
// others took some names of nginx for theirs.
var serverKeys = []struct {
	server string
	enough int
	keys   string
}{
	{"caddy", 1, "request.remote_ip request.client_ip"},
	{"traefik", 1, "downstreamstatus entrypointname"},
	{"nginx", 3, "remote_addr remote_user time_iso8601 time_local request_uri body_bytes_sent http_user_agent http_referer request_time upstream_addr"},
}

// walk calls visit with the hash of the path of every value, as object has it.
func walk(path uint64, value any, depth int, visit func(path uint64)) {
	if depth > maxDepth {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if depth > 0 {
			path = hashKey(path, dot)
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
