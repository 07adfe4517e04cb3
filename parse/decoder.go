package parse

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/field/strftime"
	"logscan/parse/privacy"
	"logscan/parse/scan"
)

// decoder stores the values of fields in entries. It holds the options of the
// parser and what is known about the current line.
type decoder struct {
	proxies  field.Proxies
	since    int64 // Unix microseconds
	until    int64
	clock    field.Clock
	mask     *privacy.Mask // nil: names stay
	refusals []int32       // Options.Refusals
	general  bool          // skip the fast paths; for tests

	// About the current line:
	format    *Format
	escaped   bool // it contains escapes
	plainPath bool // its path is known to have no parameters
	scratch   scan.Scratch
	hints     field.Hints
	parts     strftime.Civil // of its time
	zoned     bool           // parts have an offset
	substatus []byte         // of IIS
	win32     []byte

	keys     *Keys    // of the current line; nil unless they are asked for
	located  *located // where its credentials stand; nil unless they are looked for
	locating located  // what located points to, for all lines
}

// start begins a line of a format.
func (d *decoder) start(f *Format) {
	d.format = f
	d.scratch.Reset()
	if d.hints.Any {
		d.hints = field.Hints{}
	}
	d.plainPath = false
}

// restart discards what was read of the current line.
func (d *decoder) restart(e *Entry) {
	e.Reset()
	d.scratch.Reset()
	d.hints, d.plainPath = field.Hints{}, false
}

// set converts a value and stores it. If it is escaped, as in quotes and JSON
// strings, escapes are decoded.
func (d *decoder) set(e *Entry, f fieldID, b []byte, escaped bool) Verdict {
	if field.Missing(b) {
		if f == fieldUpstream || f == fieldUpstreamStatus {
			e.HasUpstream = true
		}
		return Parsed
	}
	if d.located != nil {
		d.located.field(f, b)
	}
	if d.escaped && escaped {
		b = d.unescape(b)
	}
	switch f {
	case fieldTime:
		t, ok := d.clock.Parse(b)
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
		e.Query = bytes.TrimPrefix(b, question)
	case fieldMethod:
		e.Method = b
	case fieldProtocol:
		e.Protocol = b
	case fieldScheme:
		e.Scheme = b
	case fieldHost:
		return setHost(e, b)
	case fieldStatus:
		n, ok := field.Status(b)
		if !ok {
			return RejectStatus
		}
		e.Status = n
	case fieldBytes:
		n, ok := field.Integer(bytes.TrimPrefix(b, plus))
		if !ok {
			return RejectNumber
		}
		e.BodySize = n
	case fieldSeconds:
		if us, ok := field.Seconds(b); ok {
			e.Duration = us
			return Parsed
		}
		return e.setDuration(field.Duration(lastElement(b), 1e6))
	case fieldReferrer:
		e.Referrer = b
	case fieldAgent:
		e.UserAgent = b
	case fieldUser:
		d.setUser(e, b, escaped)
	case fieldSession:
		d.setSession(e, b)
	case fieldClient:
		if !field.PlainAddress(b) {
			return d.setClient(e, b)
		}
		e.Client = b
	case fieldForwarded, fieldForwardedHeader, fieldRealIP, fieldProxied, fieldAuthorization, fieldCookie, fieldAnswerer:
		d.setHint(e, f, b)
	case fieldCount:
		if _, ok := field.Integer(b); !ok {
			return RejectSyntax
		}
	case fieldUpstream, fieldUpstreamStatus:
		setUpstream(e, f, lastElement(b))
	default:
		return d.setRare(e, f, b)
	}
	return Parsed
}

// setRare implements set for the fields of fewer formats.
func (d *decoder) setRare(e *Entry, f fieldID, b []byte) Verdict {
	switch f {
	case fieldReason:
		setReason(e, b)
	case fieldFlags:
		if bytes.Contains(b, externalDenied) {
			setReason(e, externalDenied)
		}
	case fieldMillis, fieldMicros, fieldNanos, fieldLatency, fieldSecondsMore, fieldTaken:
		return setDuration(e, f, b)
	case fieldPeer:
		e.Peer = field.Address(&d.scratch, b)
	case fieldClientPort:
		client, ok := field.ClientPort(&d.scratch, b)
		if !ok {
			return RejectSyntax
		}
		if client != nil {
			e.Client = client
		}
		d.setKey(f, b)
	case fieldConnection, fieldOrdinal, fieldPort, fieldRequestID, fieldTraceID:
		d.setKey(f, b)
	case fieldOriginStatus:
		d.hints.Any, d.hints.OriginStatus = true, true
		return d.set(e, fieldStatus, b, false)
	case fieldResponse:
		if n, ok := field.Status(b); ok && e.Status < 0 {
			e.Status = n
		}
	case fieldServerName:
		if len(e.Host) == 0 {
			e.Host = field.WithoutPort(b)
		}
	case fieldWord:
		if bytes.IndexByte(b, ' ') >= 0 || b[0] == '"' {
			return RejectSyntax
		}
	case fieldKeyword:
		for _, c := range b {
			if c|0x20-'a' > 25 && c != '-' {
				return RejectSyntax
			}
		}
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
		return d.set(e, fieldStatus, b[i+1:], false)
	case fieldHierarchy:
		i := bytes.LastIndexByte(b, '/')
		if i < 0 {
			return RejectSyntax
		}
		return d.set(e, fieldUpstream, b[i+1:], false)
	case fieldAddress:
		e.Client = field.Address(&d.scratch, b)
	case fieldSubstatus:
		d.substatus = b
	case fieldWin32:
		d.win32 = b
	}
	return Parsed
}

// setHint stores a field that is one of several sources for the client, the user,
// the session or the answerer.
func (d *decoder) setHint(e *Entry, f fieldID, b []byte) {
	h := &d.hints
	h.Any = true
	switch f {
	case fieldForwarded:
		h.ForwardedFor = b
	case fieldForwardedHeader:
		h.Forwarded = b
	case fieldRealIP:
		h.RealIP = b
	case fieldProxied:
		h.Proxied = b
	case fieldAuthorization:
		h.ReadAuthorization(&d.scratch, b)
	case fieldCookie:
		if len(e.Session) == 0 {
			e.Session = field.SessionCookie(b)
		}
		if len(h.Token) == 0 {
			h.Token = field.FindToken(b)
		}
	case fieldAnswerer:
		switch string(b) {
		case "upstream":
			h.Answerer = field.Upstream
		case "kong":
			h.Answerer = field.Proxy
		}
	}
}

// setUpstream stores the name or the status of the last backend.
func setUpstream(e *Entry, f fieldID, b []byte) {
	e.HasUpstream = true
	switch {
	case field.Missing(b):
	case f == fieldUpstream:
		e.Upstream = b
	case len(b) > 1 || b[0] != '0': // 0: no backend was asked
		e.UpstreamStatus = b
	}
}

// externalDenied is the flag of Envoy for a refusal by an external service.
var externalDenied = []byte("UAEX")

// setReason stores a reason. Of several that a line states, one that is recognised
// counts more than a text, such as a header that says how to authenticate.
func setReason(e *Entry, b []byte) {
	if len(e.Reason) > 0 {
		if word, known := field.ReasonOf(b); !known || word == "" {
			return
		}
	}
	e.Reason = b
}

// setHost stores the host without its port. It rejects a list of addresses: the
// line then has another format.
func setHost(e *Entry, b []byte) Verdict {
	if scan.ContainsEither(b, ',', ':') || b[0] == '[' {
		if bytes.IndexByte(b, ',') >= 0 {
			return RejectSyntax
		}
		b = field.WithoutPort(b)
	}
	e.Host = b
	return Parsed
}

// setClient stores the client. It rejects a value that is no address; a JSON line
// keeps it nevertheless.
func (d *decoder) setClient(e *Entry, b []byte) Verdict {
	client, ok := field.Client(&d.scratch, b)
	if client != nil {
		e.Client = client
	}
	if !ok {
		return RejectSyntax
	}
	return Parsed
}

// setUser stores the user. Apache writes "" for an empty one, languages of programs write a
// word for no value, and Artifactory, Spring, Kubernetes and GlassFish names for somebody without
// credentials.
func (d *decoder) setUser(e *Entry, b []byte, unescaped bool) {
	switch string(b) {
	case `""`, "undefined", "null", "NULL", "(null)", "nil", "<nil>", "None", "none", "0", "anonymous", "Anonymous", "anonymousUser", "non_authenticated_user", "system:anonymous", "NULL-AUTH-USER":
		return
	}
	if d.escaped && !unescaped {
		b = field.UnescapeUser(&d.scratch, b)
	}
	e.User = b
}

// setSession stores a session id. If it is a JSON Web Token, the token's own id
// replaces it: see applyClaims.
func (d *decoder) setSession(e *Entry, b []byte) {
	e.Session = b
	if len(d.hints.Token) == 0 && field.StartsToken(b) {
		if t := field.FindToken(b); t != nil {
			d.hints.Any, d.hints.Token = true, t
		}
	}
}

// setDuration stores a duration in the unit of field f.
func setDuration(e *Entry, f fieldID, b []byte) Verdict {
	switch f {
	case fieldMillis:
		if n := len(b); n > 0 && b[n-1] == 's' { // with its own unit
			return e.setDuration(field.Latency(b))
		}
		return e.setDuration(field.Duration(b, 1e3))
	case fieldMicros:
		return e.setDuration(field.Duration(b, 1))
	case fieldNanos:
		return e.setDuration(field.Duration(b, 1e-3))
	case fieldLatency:
		return e.setDuration(field.Latency(b))
	case fieldSecondsMore:
		us, ok := field.Duration(b, 1e6)
		before := max(e.Duration, 0)
		if us >= 0 {
			us += before
		} else if before == 0 {
			e.Duration = -1
		}
		return e.setDuration(us, ok)
	default: // fieldTaken
		if bytes.IndexByte(b, '.') >= 0 {
			return e.setDuration(field.Duration(b, 1e6))
		}
		return e.setDuration(field.Duration(b, 1e3))
	}
}

// setDuration stores a duration that was parsed; a negative one was not logged.
func (e *Entry) setDuration(us int64, ok bool) Verdict {
	if !ok {
		return RejectNumber
	}
	if us >= 0 {
		e.Duration = us
	}
	return Parsed
}

var (
	plus     = []byte("+")
	question = []byte("?")
	noServer = []byte("<NOSRV>")
)

// lastElement returns the last element of a list, as upstream variables have it.
func lastElement(b []byte) []byte {
	if n := len(b); n > 0 && (b[n-1] == ' ' || b[n-1] == ',' || b[n-1] == ':') {
		b = bytes.TrimRight(b, " ,:")
	}
	if scan.ContainsEither(b, ' ', ',') {
		return b[bytes.LastIndexAny(b, " ,")+1:]
	}
	return b
}

// unescape decodes the escapes of b.
func (d *decoder) unescape(b []byte) []byte {
	if bytes.IndexByte(b, d.format.escape()) < 0 {
		return b
	}
	text := d.scratch.Grow(len(b) + 4)
	if d.format.hashEscapes {
		return d.scratch.Keep(scan.AppendHashUnescaped(text, b))
	}
	return d.scratch.Keep(scan.AppendUnescaped(text, b))
}

// settle stores the time that was read in parts, if there was one.
func (d *decoder) settle(e *Entry) Verdict {
	if !d.parts.Any() {
		return Parsed
	}
	parts := d.parts
	d.parts = strftime.Civil{}
	if !parts.Whole() || e.Time != NoTime && !parts.Epoch() {
		return Parsed // the format has no date or no hour, or a whole time besides
	}
	t, ok := d.clock.Assemble(&parts)
	d.zoned = parts.Zoned()
	if !ok {
		return RejectTime
	}
	e.Time = t
	return Parsed
}
