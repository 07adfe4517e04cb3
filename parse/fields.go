package parse

import (
	"bytes"
	"math"
)

// field is what a variable, directive or key of a log means to logscan.
type field uint8

const (
	fieldIgnored field = iota
	fieldTime          // any time that parseTime reads
	fieldRequest       // METHOD target PROTOCOL
	fieldTarget        // path?query, or an absolute URL
	fieldPath          // path alone
	fieldQuery         // query alone, perhaps with its '?'
	fieldMethod
	fieldProtocol
	fieldScheme
	fieldHost
	fieldStatus
	fieldBytes
	fieldSeconds // duration, with a fraction
	fieldMillis
	fieldMicros
	fieldNanos
	fieldLatency // duration with its unit: 0.12s, 5ms
	fieldReferrer
	fieldAgent
	fieldUser
	fieldSession
	fieldCookie // a whole Cookie header: the session id is looked for in it
	fieldClient
	fieldClientPort      // address:port
	fieldForwarded       // X-Forwarded-For
	fieldForwardedHeader // Forwarded, RFC 7239
	fieldRealIP          // X-Real-IP and others that hold one address
	fieldProxied         // client by the PROXY protocol
	fieldPeer
	fieldAuthorization // a whole Authorization header: user or token is looked for in it
	fieldUpstream
	fieldUpstreamStatus
	fieldReason
	fieldOriginStatus // status, in a log that has the origin's status where one was asked
	fieldSource       // who answered: kong or upstream
	fieldCount        // digits that are not kept, but tell this format from others
	fieldWord         // as fieldCount, without blanks
	fieldTimePart     // a part of a time, by a pattern
	fieldSecondsMore  // seconds that come to the duration
	fieldTaken        // milliseconds, or seconds with a fraction
	fieldServer       // HAProxy's backend/server
	fieldState        // HAProxy's termination state
	fieldResult       // Squid's result/status
	fieldHierarchy    // Squid's hierarchy/peer
	fieldAddress      // an address, whatever stands around it
	fieldSubstatus    // IIS: what follows the status
	fieldWin32        // IIS: the system's own error
	fieldServerName   // host, where none was asked
	fieldComposed     // several fields in the value of a JSON key
	numFields
)

// fieldNames are the names --field takes.
var fieldNames = map[string]field{
	"time": fieldTime, "request": fieldRequest, "target": fieldTarget, "path": fieldPath, "query": fieldQuery,
	"method": fieldMethod, "protocol": fieldProtocol, "scheme": fieldScheme, "host": fieldHost,
	"status": fieldStatus, "bytes": fieldBytes, "duration": fieldSeconds, "referrer": fieldReferrer,
	"user_agent": fieldAgent, "user": fieldUser, "session": fieldSession, "client": fieldClient,
	"peer": fieldPeer, "forwarded_for": fieldForwarded, "forwarded": fieldForwardedHeader, "real_ip": fieldRealIP,
	"cookie": fieldCookie, "authorization": fieldAuthorization, "upstream": fieldUpstream, "upstream_status": fieldUpstreamStatus, "reason": fieldReason,
}

// missing tells whether a value says that there is none.
func missing(b []byte) bool { return len(b) == 0 || len(b) == 1 && b[0] == '-' }

// set converts a value and stores it. escaped values, and those of JSON strings,
// are decoded.
func (p *Parser) set(e *Entry, f field, b []byte, escaped bool) Verdict {
	if missing(b) {
		if f == fieldUpstream || f == fieldUpstreamStatus {
			e.HasUpstream = true
		}
		return Parsed
	}
	if p.escaped && escaped {
		b = p.unescape(b)
	}
	switch f {
	case fieldTime:
		t, ok := p.time(b)
		if !ok {
			return RejectTime
		}
		e.Time = t
	case fieldRequest:
		splitLine(e, b)
	case fieldTarget:
		splitTarget(e, b)
	case fieldPath:
		e.Path = b
	case fieldQuery:
		if b[0] == '?' {
			b = b[1:]
		}
		e.Query = b
	case fieldMethod:
		e.Method = b
	case fieldProtocol:
		e.Protocol = b
	case fieldScheme:
		e.Scheme = b
	case fieldHost:
		if holds(b, ',', ':') || b[0] == '[' {
			if bytes.IndexByte(b, ',') >= 0 {
				return RejectSyntax // a list of addresses: the format is another
			}
			b = withoutPort(b)
		}
		e.Host = b
	case fieldStatus:
		n, ok := statusCode(b)
		if !ok {
			return RejectStatus
		}
		e.Status = n
	case fieldOriginStatus:
		p.said.any, p.said.origin = true, true
		return p.set(e, fieldStatus, b, false)
	case fieldBytes:
		n, ok := integer(bytes.TrimPrefix(b, plus))
		if !ok {
			return RejectNumber
		}
		e.BodySize = n
	case fieldSeconds:
		if us, ok := seconds(b); ok {
			e.Duration = us
			return Parsed
		}
		return setDuration(e, last(b), 1e6)
	case fieldMillis:
		return setDuration(e, b, 1e3)
	case fieldMicros:
		return setDuration(e, b, 1)
	case fieldNanos:
		return setDuration(e, b, 1e-3)
	case fieldLatency:
		return setLatency(e, b)
	case fieldReferrer:
		e.Referrer = b
	case fieldAgent:
		e.UserAgent = b
	case fieldUser:
		p.setUser(e, b, escaped)
	case fieldSession:
		p.setSession(e, b)
	case fieldClient:
		if !p.setClient(e, b) {
			return RejectSyntax
		}
	case fieldClientPort:
		return p.setClientPort(e, b)
	case fieldForwarded, fieldForwardedHeader, fieldRealIP, fieldProxied, fieldAuthorization, fieldCookie, fieldSource:
		p.say(e, f, b)
	case fieldPeer:
		e.Peer = p.address(b)
	case fieldUpstream:
		e.HasUpstream = true
		if b = last(b); !missing(b) {
			e.Upstream = b
		}
	case fieldUpstreamStatus:
		e.HasUpstream = true
		if b = last(b); !missing(b) && !(len(b) == 1 && b[0] == '0') { // 0: none was asked
			e.UpstreamStatus = b
		}
	case fieldCount:
		if _, ok := integer(b); !ok {
			return RejectSyntax
		}
	case fieldReason:
		e.Reason = b
	case fieldIgnored:
	default:
		return p.setRare(e, f, b)
	}
	return Parsed
}

// splitLine takes a request line apart, as servers write it.
func splitLine(e *Entry, b []byte) {
	if len(b) > 1 && b[0] == '-' && b[1] == ' ' {
		splitDashes(e, b)
	} else {
		splitRequest(e, b)
	}
}

// splitDashes takes a request apart whose method the server does not know:
// "- - -", "- - HTTP/1.1", "- http://example.org:80- -".
func splitDashes(e *Entry, b []byte) {
	if i := bytes.LastIndexByte(b, ' '); bytes.HasPrefix(b[i+1:], httpSlash) {
		e.Protocol, b = b[i+1:], b[:i]
	}
	if b = bytes.Trim(b, "- "); len(b) > 0 {
		splitTarget(e, b)
	}
}

// setClientPort sets the client of address:port. An IPv6 address may stand
// without brackets: the last colon counts. A UNIX socket has no port.
func (p *Parser) setClientPort(e *Entry, b []byte) Verdict {
	i := bytes.LastIndexByte(b, ':')
	switch {
	case b[0] == '/', bytes.HasPrefix(b, []byte("unix:")):
		e.Client = b
		return Parsed
	case i < 0, !allDigits(b[i+1:]):
		return RejectSyntax
	}
	if b = b[:i]; len(b) > 1 && b[0] == '[' && b[len(b)-1] == ']' {
		b = b[1 : len(b)-1]
	}
	if bytes.IndexByte(b, ' ') >= 0 {
		return RejectSyntax
	}
	if !missing(b) {
		e.Client = p.address(b)
	}
	return Parsed
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// setRare is set for the fields of few formats.
func (p *Parser) setRare(e *Entry, f field, b []byte) Verdict {
	switch f {
	case fieldServerName:
		if len(e.Host) == 0 {
			e.Host = withoutPort(b)
		}
	case fieldSecondsMore:
		before := max(e.Duration, 0)
		e.Duration = -1
		v := setDuration(e, b, 1e6)
		if e.Duration >= 0 || before > 0 {
			e.Duration = max(e.Duration, 0) + before
		}
		return v
	case fieldWord:
		if bytes.IndexByte(b, ' ') >= 0 || b[0] == '"' {
			return RejectSyntax
		}
	case fieldTaken:
		if bytes.IndexByte(b, '.') >= 0 {
			return setDuration(e, b, 1e6)
		}
		return setDuration(e, b, 1e3)
	case fieldServer:
		e.HasUpstream = true
		if !bytes.HasSuffix(b, noServer) {
			e.Upstream = b
		}
	case fieldState:
		if b[0] != '-' || len(b) > 1 && b[1] != '-' {
			e.Reason = b
		}
	case fieldResult:
		i := bytes.LastIndexByte(b, '/')
		if i < 0 {
			return RejectSyntax
		}
		if bytes.HasPrefix(b, []byte("TCP_DENIED")) {
			e.Reason = b[:i]
		}
		return p.set(e, fieldStatus, b[i+1:], false)
	case fieldHierarchy:
		i := bytes.LastIndexByte(b, '/')
		if i < 0 {
			return RejectSyntax
		}
		return p.set(e, fieldUpstream, b[i+1:], false)
	case fieldAddress:
		e.Client = p.address(b)
	case fieldSubstatus:
		p.substatus = b
	case fieldWin32:
		p.win32 = b
	}
	return Parsed
}

var (
	plus     = []byte("+")
	noServer = []byte("<NOSRV>")
)

// last gives the last element of a list as upstream variables write it.
func last(b []byte) []byte {
	if n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == ',' || b[n-1] == ':') {
		b = bytes.TrimRight(b, " ,:")
	}
	if holds(b, ' ', ',') {
		return b[bytes.LastIndexAny(b, " ,")+1:]
	}
	return b
}

func statusCode(b []byte) (int32, bool) {
	if len(b) != 3 {
		switch {
		case len(b) == 1 && b[0] == '0':
			return 0, true
		case len(b) == 2 && b[0] == '-' && b[1] == '1': // HAProxy: none was sent
			return -1, true
		}
		return 0, false
	}
	n := int32(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int32(c-'0')
	}
	return n, n == 0 || n >= 100
}

// integer reads decimal digits that fit in 63 bits.
func integer(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// decimal reads digits with a fraction and perhaps an exponent, as JSON and
// servers write them.
func decimal(b []byte) (x float64, ok bool) {
	scale, digits, point := 1.0, 0, false
	i := 0
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		x = x*10 + float64(c-'0')
		digits++
		if point {
			scale *= 10
		}
	}
	if digits == 0 || digits > 40 {
		return 0, false
	}
	x /= scale
	if i < len(b) {
		if b[i] != 'e' && b[i] != 'E' || i+1 == len(b) {
			return 0, false
		}
		exp := b[i+1:]
		negative := exp[0] == '-'
		if exp[0] == '-' || exp[0] == '+' {
			exp = exp[1:]
		}
		n, ok := integer(exp)
		if !ok || n > 40 {
			return 0, false
		}
		if negative {
			n = -n
		}
		x *= math.Pow10(int(n))
	}
	return x, true
}

// seconds reads seconds with at most six digits behind the point, as nearly all
// servers write them, in microseconds.
func seconds(b []byte) (us int64, ok bool) {
	if len(b) > 15 {
		return 0, false
	}
	if len(b) == len("0.123") && b[1] == '.' { // nginx's, as a rule
		s, x, y, z := b[0]-'0', b[2]-'0', b[3]-'0', b[4]-'0'
		return (int64(s)*1000 + int64(x)*100 + int64(y)*10 + int64(z)) * 1000, max(s, x, y, z) < 10
	}
	unit := int64(0) // of the next digit behind the point; 0 before it
	for i, c := range b {
		switch {
		case c-'0' < 10 && unit == 0:
			us = us*10 + int64(c-'0')
		case c-'0' < 10 && unit > 1:
			unit /= 10
			us += int64(c-'0') * unit
		case c == '.' && unit == 0 && i > 0 && i < len(b)-1:
			us *= 1e6
			unit = 1e6
		default:
			return 0, false
		}
	}
	if unit == 0 {
		us *= 1e6
	}
	return us, true
}

func setDuration(e *Entry, b []byte, micros float64) Verdict {
	if len(b) == 0 || b[0] == '-' { // HAProxy and ALB write -1 for "not reached"
		return Parsed
	}
	if b[0] == '+' { // HAProxy: the request went on
		b = b[1:]
	}
	x, ok := decimal(b)
	if x *= micros; !ok || x > math.MaxInt64/4 {
		return RejectNumber
	}
	e.Duration = int64(math.Round(x))
	return Parsed
}

func setLatency(e *Entry, b []byte) Verdict {
	for _, u := range []struct {
		unit   string
		micros float64
	}{{"ms", 1e3}, {"us", 1}, {"µs", 1}, {"ns", 1e-3}, {"s", 1e6}} {
		if bytes.HasSuffix(b, []byte(u.unit)) {
			return setDuration(e, b[:len(b)-len(u.unit)], u.micros)
		}
	}
	return setDuration(e, b, 1e6)
}
