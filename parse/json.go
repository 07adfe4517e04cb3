package parse

import "bytes"

// maxDepth is how deep objects and arrays may nest; access logs nest by five.
const maxDepth = 64

// object reads a line that is one JSON object. Values of keys that mean nothing
// are walked over, not decoded. Numbers and strings are taken alike: what one
// server writes as 401 the other writes as "401".
func (p *Parser) object(line []byte, e *Entry) Verdict {
	p.unranked()
	if !p.plain {
		if v, ok := p.ordered(line, e); ok && !p.curious(line) {
			p.setUnitless(e)
			return v
		} else if ok {
			p.again(e)
			p.unranked()
		}
	}
	p.orders.begin(line)
	i := skipSpace(line, 0)
	if i == len(line) || line[i] != '{' {
		return RejectJSON
	}
	v := Parsed
	i = p.members(line, i+1, fnvOffset, 1, e, &v)
	if i < 0 {
		return RejectJSON
	}
	if skipSpace(line, i) != len(line) {
		return RejectJSON
	}
	if v == Parsed {
		p.orders.learn(line, p.format.keys)
	}
	p.setUnitless(e)
	return v
}

// unranked forgets which keys the fields of the line at hand were taken from.
func (p *Parser) unranked() {
	clear(p.ranks[:])
	p.latency, p.statusKey = nil, 0
}

// setUnitless converts a duration whose unit the line does not say: Envoy logs
// milliseconds, Traefik nanoseconds, most others seconds. The key of the status
// tells whose line it is.
func (p *Parser) setUnitless(e *Entry) {
	b := p.latency
	if len(b) == 0 {
		return
	}
	if c := b[len(b)-1]; c >= '0' && c <= '9' {
		switch p.statusKey {
		case hashEnvoy:
			setDuration(e, b, 1e3)
			return
		case hashTraefik:
			setDuration(e, b, 1e-3)
			return
		}
	}
	setLatency(e, b)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// members reads the members of an object from behind its brace and gives where
// it ends, -1 where it is not well-formed. path is the hash of the path to the
// object.
func (p *Parser) members(b []byte, i int, path uint64, depth int, e *Entry, v *Verdict) int {
	if depth > maxDepth {
		return -1
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		i = skipSpace(b, i)
		if i == len(b) || b[i] != '"' {
			return -1
		}
		end := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		h := hashKey(path, b[i+1:end])
		i = skipSpace(b, end+1)
		if i == len(b) || b[i] != ':' {
			return -1
		}
		if i = p.value(b, skipSpace(b, i+1), h, depth, e, v); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		if i == len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// value reads one value, whose path has the hash h.
func (p *Parser) value(b []byte, i int, h uint64, depth int, e *Entry, v *Verdict) int {
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		end := stringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		if end == i+1 && hasPrefix(b[end+1:], emptyInside) {
			p.orders.note(i, end+3, h)
			return end + 3
		}
		p.orders.note(i, end+1, h)
		p.assign(e, p.format.keys.find(h), b[i+1:end], v)
		return end + 1
	case c == '{':
		return p.members(b, i+1, hashKey(h, dot), depth+1, e, v)
	case c == '[':
		return p.elements(b, i+1, h, depth+1, e, v)
	}
	n, says := scalar(b[i:])
	if n < 0 {
		return -1
	}
	p.orders.note(i, i+n, h)
	var text []byte
	if says {
		text = b[i : i+n]
	}
	p.assign(e, p.format.keys.find(h), text, v)
	return i + n
}

// scalar gives how long the number or word is that b begins with, -1 where it
// is none, and whether it says something: words do not.
func scalar(b []byte) (n int, says bool) {
	if len(b) == 0 {
		return -1, false
	}
	if c := b[0]; c == '-' || c >= '0' && c <= '9' {
		n = 1
		for n < len(b) && (b[n] >= '0' && b[n] <= '9' || b[n] == '.' || b[n]|0x20 == 'e' || b[n] == '+' || b[n] == '-') {
			n++
		}
		if c == '-' && n == 1 {
			return -1, false
		}
		return n, true
	}
	for _, word := range [...]string{"null", "true", "false"} {
		if len(b) >= len(word) && string(b[:len(word)]) == word {
			return len(word), false
		}
	}
	return -1, false
}

var (
	dot       = []byte(".")
	firstItem = []byte("[0]")
	// Apache writes "" for a user without a name, inside the quotes of the format
	// as well: no JSON, and yet a guess at an account.
	emptyInside = []byte(`""`)
)

// elements reads an array; only its first element has a path.
func (p *Parser) elements(b []byte, i int, h uint64, depth int, e *Entry, v *Verdict) int {
	if depth > maxDepth {
		return -1
	}
	if i = skipSpace(b, i); i < len(b) && b[i] == ']' {
		p.assign(e, p.format.keys.find(h), nil, v)
		p.orders.learns = false // nothing stands between these brackets
		return i + 1
	}
	h = hashKey(h, firstItem)
	for {
		if i = p.value(b, skipSpace(b, i), h, depth, e, v); i < 0 {
			return -1
		}
		h = 1 // the others have none
		if i = skipSpace(b, i); i == len(b) {
			return -1
		}
		switch b[i] {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// stringEnd gives where the string that begins at i ends.
func stringEnd(b []byte, i int) int {
	for from := i; ; {
		n := bytes.IndexByte(b[from:], '"')
		if n < 0 {
			return -1
		}
		n += from
		slashes := 0
		for n-1-slashes >= i && b[n-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return n
		}
		from = n + 1
	}
}

// assign sets the field of the key with the slot s, unless a preferred alias
// has set it. The first value that cannot be read decides the verdict.
func (p *Parser) assign(e *Entry, s *keySlot, b []byte, v *Verdict) {
	if s.hash == 0 || missing(b) {
		if s.hash != 0 && (s.field == fieldUpstream || s.field == fieldUpstreamStatus) {
			e.HasUpstream = true
		}
		return
	}
	if r := p.ranks[s.field]; r != 0 && r <= s.rank+1 {
		return
	}
	f := s.field
	switch f {
	case fieldPath:
		if len(e.Path) > 0 && p.ranks[fieldTarget] != 0 {
			return
		}
	case fieldHost:
		if string(b) == string(noServer) { // HAProxy's server_name: it answered itself
			e.HasUpstream, e.Upstream = true, nil
			p.ranks[fieldUpstream] = 1
			return
		}
	case fieldStatus, fieldOriginStatus:
		p.statusKey = s.hash
	case fieldLatency:
		p.latency = b
		p.ranks[f] = s.rank + 1
		return
	case fieldComposed:
		if p.escaped {
			b = p.unescape(b)
		}
		p.format.keys.programs[s.program-1].read(p, b, e)
		return
	}
	if got := p.set(e, f, b, true); got != Parsed {
		// A key that merely has the name of a field is none: "request" may be
		// an id, "time" a duration.
		if (f == fieldTime || f == fieldStatus) && *v == Parsed {
			*v = got
		}
		return
	}
	if (f == fieldTime && *v == RejectTime) || (f == fieldStatus && *v == RejectStatus) {
		*v = Parsed // another alias could be read
	}
	p.ranks[f] = s.rank + 1
}
