package parse

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/scan"
)

// maxDepth limits the nesting of objects and arrays; access logs nest by five.
const maxDepth = 64

// jsonReader reads lines that are a JSON object, and lines of LTSV, whose fields
// are found by their keys too.
type jsonReader struct {
	orders

	// About the current line:
	d         *decoder
	e         *Entry
	verdict   Verdict
	ranks     [numFields]uint8 // rank of the alias that a field was taken from, plus one
	latency   []byte           // a duration whose unit depends on the server
	mark      uint64           // hash of the key that shows which program writes the line, 0 for none
	statusKey uint64           // hash of the key that the status was taken from
	day, hour []byte           // a time in two values: 2026-03-09 and 14:05:00
	rest      []byte           // the line from its next object on; nil if it has one
}

// start begins a line.
func (r *jsonReader) start(d *decoder, e *Entry) {
	r.d, r.e, r.verdict = d, e, Parsed
	clear(r.ranks[:])
	r.latency, r.mark, r.statusKey, r.day, r.hour = nil, 0, 0, nil, nil
}

// restart discards what was read of the current line.
func (r *jsonReader) restart() {
	r.d.restart(r.e)
	r.start(r.d, r.e)
}

// object reads the first JSON object of a line, which may be in an array; r.rest is
// where the next one begins. Values of unknown keys are skipped without being decoded. Numbers and strings are treated alike, because what one
// server writes as 401 another writes as "401".
func (r *jsonReader) object(d *decoder, line []byte, e *Entry) Verdict {
	r.start(d, e)
	if !d.general && r.readKnown(line) {
		if !r.wantsShape(line) {
			r.settle()
			return r.verdict
		}
		r.restart()
	}
	r.beginLearning(line)
	i := scan.SkipFraming(line, 0)
	if i == len(line) {
		return SkipPartial
	}
	if line[i] != '{' {
		return RejectJSON
	}
	i = r.members(line, i+1, fnvOffset, 1)
	if i < 0 {
		return RejectJSON
	}
	next := scan.SkipFraming(line, i)
	if next < len(line) {
		if line[next] != '{' {
			return RejectJSON
		}
		r.rest = line[next:]
	}
	if r.verdict == Parsed && next == len(line) {
		r.learn(line, d.format.keys)
	}
	r.settle()
	return r.verdict
}

// settle stores what depends on several values of a line.
func (r *jsonReader) settle() {
	if r.mark == hashTomcat && len(r.e.Client) == 0 {
		r.e.Client, r.e.Host = r.e.Host, nil // its host is that of the client
	}
	r.setLatency()
}

// setLatency stores a duration without a unit: Envoy and some libraries log milliseconds,
// Traefik and Datadog nanoseconds, most others seconds with a fraction. Other keys show which
// it is. An integer without any of them may be in any unit, and is not stored.
func (r *jsonReader) setLatency() {
	b := r.latency
	if len(b) == 0 {
		return
	}
	if c := b[len(b)-1]; c >= '0' && c <= '9' {
		switch {
		case r.mark == hashRails || r.mark == hashSerilog || r.statusKey == hashEnvoy || r.statusKey == hashDashed:
			r.e.setDuration(field.Duration(b, 1e3))
			return
		case r.statusKey == hashTraefik || r.statusKey == hashDatadog:
			r.e.setDuration(field.Duration(b, 1e-3))
			return
		case bytes.IndexByte(b, '.') < 0:
			return
		}
	}
	r.e.setDuration(field.Latency(b))
}

// namesPrograms reports whether a key is one in which some programs log a client's address
// and others the name of a program or service.
func namesPrograms(hash uint64) bool { return hash == hashClient || hash == hashRemote }

// isClient reports whether b is an address, perhaps with a port.
func isClient(d *decoder, b []byte) bool {
	client, ok := field.Client(&d.scratch, b)
	return ok && field.IsAddress(client)
}

// retry stores a time or status that is spelled in another way.
func (r *jsonReader) retry(f fieldID, b []byte) {
	switch f {
	case fieldTime:
		r.timePart(b)
	case fieldStatus:
		if len(b) > 4 && (b[3] == ' ' || string(b[3:]) == ".0") && r.d.set(r.e, f, b[:3], true) == Parsed && r.verdict == RejectStatus { // 401 Unauthorized
			r.verdict = Parsed
		}
	}
}

// timePart stores a time in brackets, as Tomcat has it, or a part of a time, and the time if
// both parts are there: CloudFront and IIS have a date and a time of day.
func (r *jsonReader) timePart(b []byte) {
	switch {
	case len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']':
		r.setTime(b[1 : len(b)-1])
		return
	case len(b) > len("2026-03-09T14:05:00") && b[len(b)-1] == ']': // of Java, with the name of its zone
		if n := bytes.IndexByte(b, '['); n > 0 {
			r.setTime(b[:n])
		}
		return
	case len(b) == len("2026-03-09") && b[4] == '-':
		r.day = b
	case len(b) >= len("14:05:00") && b[2] == ':':
		r.hour = b
	}
	if r.day == nil || r.hour == nil || r.e.Time != NoTime {
		return
	}
	joined := append(append(append(r.d.scratch.Grow(len(r.day)+1+len(r.hour)), r.day...), 'T'), r.hour...)
	r.setTime(r.d.scratch.Keep(joined))
}

// setTime stores the time of a line that had none that could be parsed.
func (r *jsonReader) setTime(b []byte) {
	if r.d.set(r.e, fieldTime, b, true) == Parsed && r.verdict == RejectTime {
		r.verdict = Parsed
	}
}

// members reads the members of an object after its brace. It returns the offset
// after the object, -1 if it is not well-formed. path is the hash of the path of the
// object.
func (r *jsonReader) members(b []byte, i int, path uint64, depth int) int {
	if depth > maxDepth {
		return -1
	}
	i = scan.SkipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		i = scan.SkipSpace(b, i)
		if i == len(b) || b[i] != '"' {
			return -1
		}
		end := scan.StringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		h := hashKey(path, b[i+1:end])
		i = scan.SkipSpace(b, end+1)
		if i == len(b) || b[i] != ':' {
			return -1
		}
		if i = r.value(b, scan.SkipSpace(b, i+1), h, depth); i < 0 {
			return -1
		}
		i = scan.SkipSpace(b, i)
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

// value reads one value, whose path has the hash h, and returns the offset after
// it, -1 if it is not well-formed.
func (r *jsonReader) value(b []byte, i int, h uint64, depth int) int {
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		end := scan.StringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		if end == i+1 && scan.HasPrefix(b[end+1:], quotedEmpty) {
			r.note(i, end+3, h)
			return end + 3
		}
		r.note(i, end+1, h)
		r.assign(r.d.format.keys.find(h), b[i+1:end])
		return end + 1
	case c == '{':
		return r.members(b, i+1, pathOf(h), depth+1)
	case c == '[':
		return r.elements(b, i+1, h, depth+1)
	}
	n, number := scan.Scalar(b[i:])
	if n < 0 {
		return -1
	}
	r.note(i, i+n, h)
	var text []byte
	if number {
		text = b[i : i+n]
	}
	r.assign(r.d.format.keys.find(h), text)
	return i + n
}

var (
	dot       = []byte(".")
	firstItem = []byte("[0]")
	// quotedEmpty is what Apache writes for a user without a name, inside the quotes
	// of the format too: not JSON, but an attempt to sign in.
	quotedEmpty = []byte(`""`)
)

// elements reads an array after its bracket. Only its first element has a path.
func (r *jsonReader) elements(b []byte, i int, h uint64, depth int) int {
	if depth > maxDepth {
		return -1
	}
	if i = scan.SkipSpace(b, i); i < len(b) && b[i] == ']' {
		r.assign(r.d.format.keys.find(h), nil)
		r.learning = false // an empty array is no value of an order
		return i + 1
	}
	h = hashKey(h, firstItem)
	for {
		if i = r.value(b, scan.SkipSpace(b, i), h, depth); i < 0 {
			return -1
		}
		h = 1 // the hash of no key
		if i = scan.SkipSpace(b, i); i == len(b) {
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

// assign stores the value of the key in slot s, unless a preferred alias has set the
// field. The first value that cannot be parsed determines the verdict.
func (r *jsonReader) assign(s *keySlot, b []byte) {
	e := r.e
	if s.hash == 0 || field.Missing(b) {
		switch s.field { // that of an unknown key is fieldIgnored
		case fieldUpstream, fieldUpstreamStatus:
			e.HasUpstream = true
		case fieldMark:
			r.mark = s.hash
		}
		return
	}
	if rank := r.ranks[s.field]; rank != 0 && rank <= s.rank+1 {
		return
	}
	f := s.field
	switch f {
	case fieldPath:
		if len(e.Path) > 0 && r.ranks[fieldTarget] != 0 {
			return
		}
	case fieldHost:
		if string(b) == string(noServer) { // HAProxy's server_name: HAProxy answered
			e.HasUpstream, e.Upstream = true, nil
			r.ranks[fieldUpstream] = 1
			return
		}
	case fieldClient:
		if namesPrograms(s.hash) && !isClient(r.d, b) {
			return
		}
	case fieldStatus, fieldOriginStatus:
		r.statusKey = s.hash
	case fieldLatency:
		r.latency = b
		r.ranks[f] = s.rank + 1
		return
	case fieldMark:
		r.mark = s.hash
		return
	case fieldComposed:
		if r.d.escaped {
			b = r.d.unescape(b)
		}
		r.d.format.keys.programs[s.program-1].read(r.d, nil, b, e)
		return
	}
	if v := r.d.set(e, f, b, true); v != Parsed {
		// Other keys may have the name of a field: "request" may be an id, "time" a
		// duration.
		if (f == fieldTime || f == fieldStatus) && r.verdict == Parsed {
			r.verdict = v
		}
		r.retry(f, b)
		return
	}
	if (f == fieldTime && r.verdict == RejectTime) || (f == fieldStatus && r.verdict == RejectStatus) {
		r.verdict = Parsed // another alias could be parsed
	}
	r.ranks[f] = s.rank + 1
}
