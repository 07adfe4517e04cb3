package events

import (
	"bytes"

	"logscan/parse/scan"
)

// path is a key of a JSON object, dotted if it is nested, or of logfmt, and its meaning. Of
// several paths for a field the first counts.
type path struct {
	key string
	to  slot
}

// keyed is a log of keys and values. Lines are JSON objects, or key=value pairs.
type keyed struct {
	paths []path
	needs []slot // that every line has
	// finish stores what the values mean. It reports false if the line is not one of the
	// log.
	finish func(c *captures, e *Event) bool
}

// read reads a line.
func (k *keyed) read(line []byte, e *Event) bool {
	e.keyed = true
	c := &e.fields // finish would move it to the heap
	if len(line) > 0 && line[0] == '{' {
		if k.object(line, "", e, c); !k.complete(c) {
			k.wrapped(line, e, c)
		}
	} else if !k.pairs(line, e, c) {
		return false
	}
	if !k.complete(c) {
		return false
	}
	c.set(e)
	return k.finish(c, e)
}

// complete reports whether the fields are set that every line has.
func (k *keyed) complete(c *captures) bool {
	for _, s := range k.needs {
		if c[s] == nil {
			return false
		}
	}
	return true
}

// wrappers are the members of an object in which a shipper or a store of logs has put the object
// that the program wrote: Google Cloud, Amazon EventBridge, Splunk's collector, Fluent Bit
// (Merge_Log_Key), Elasticsearch.
var wrappers = map[string]bool{"jsonPayload": true, "detail": true, "event": true, "log_processed": true, "_source": true}

// wrapped reads the object that is a member of another one. Google Cloud takes the time out of
// it: then that of the outer one counts.
func (k *keyed) wrapped(line []byte, e *Event, c *captures) {
	var inner, stamp []byte
	for m := scan.ObjectMembers(line); m.Next(); {
		switch key := string(m.Key); {
		case inner == nil && !m.Quoted && wrappers[key] && m.End > m.Start && line[m.Start] == '{':
			inner = m.Value()
		case stamp == nil && (key == "timestamp" || key == "@timestamp" || key == "time"):
			stamp = m.Value()
		}
	}
	if inner == nil {
		return
	}
	*c, e.ranks = captures{}, [numSlots]uint8{}
	if k.object(inner, "", e, c); c[slotTime] == nil {
		c[slotTime] = stamp
	}
}

// object reads the members of an object with the given path, which ends in a dot. Of two
// members with the same key the first counts. Only objects on the way to a known key are
// read, so their depth is bounded.
func (k *keyed) object(b []byte, within string, e *Event, c *captures) {
	m, n := scan.ObjectMembers(b), len(within)
	for m.Next() {
		for i := range k.paths {
			p := &k.paths[i]
			if len(p.key) < n+len(m.Key) || p.key[:n] != within || p.key[n:n+len(m.Key)] != string(m.Key) {
				continue
			}
			rest := p.key[n+len(m.Key):]
			switch {
			case rest == "" && e.prefers(i, p.to):
				if v := m.Value(); m.Quoted {
					c[p.to] = e.unescape(v)
				} else if string(v) != "null" {
					c[p.to] = v
				}
			case len(rest) > 1 && rest[0] == '.' && !m.Quoted && m.End > m.Start && b[m.Start] == '{':
				if within := p.key[:n+len(m.Key)+1]; !k.hasRead(i, within) {
					k.object(m.Value(), within, e, c)
				}
			}
		}
	}
}

// hasRead reports whether a path before the i-th lies in the same object, which is read
// for all of them at once.
func (k *keyed) hasRead(i int, within string) bool {
	for _, p := range k.paths[:i] {
		if len(p.key) > len(within) && p.key[:len(within)] == within {
			return true
		}
	}
	return false
}

// prefers reports whether the i-th path is to set a field: it is not set, or by a later
// path. It then records the path.
func (e *Event) prefers(i int, to slot) bool {
	if r := int(e.ranks[to]); r != 0 && r <= i+1 {
		return false
	}
	e.ranks[to] = uint8(i + 1)
	return true
}

// pairs reads a line of logfmt. It reports false if the line is none.
func (k *keyed) pairs(b []byte, e *Event, c *captures) bool {
	known, doubtful := false, false
	for i := 0; i < len(b); {
		if b[i] == ' ' {
			i++
			continue
		}
		start := i
		for i < len(b) && b[i] != '=' && b[i] != ' ' {
			i++
		}
		key := b[start:i]
		if i == len(b) || b[i] == ' ' {
			if start == 0 {
				return false // prose
			}
			continue
		}
		i++
		quoted := i < len(b) && b[i] == '"'
		from, to := i, len(b)
		if quoted {
			from++
			if to = scan.StringEnd(b, from); to < 0 { // the line was cut
				return known
			}
			if to+1 < len(b) && b[to+1] != ' ' { // a quote in the value that has not been escaped
				doubtful, to = true, looseEnd(b, to)
			}
			i = to + 1
		} else {
			if n := bytes.IndexByte(b[i:], ' '); n >= 0 {
				to = i + n
			}
			i = to
		}
		for j := range k.paths {
			p := &k.paths[j]
			switch {
			case p.key != string(key):
			case doubtful && e.ranks[p.to] != 0: // one of them is a part of a value
				c[p.to] = nil
			case e.prefers(j, p.to):
				known = true
				if c[p.to] = b[from:to]; quoted {
					c[p.to] = e.unescape(c[p.to])
				}
			}
		}
	}
	return known
}

// looseEnd returns the offset of the quote that ends a value with quotes in it: one before a key
// or at the end of the line. at is that of the first quote.
func looseEnd(b []byte, at int) int {
	for i := at; i < len(b); i++ {
		if b[i] != '"' || b[i-1] == '\\' {
			continue
		}
		rest := b[i+1:]
		if len(rest) == 0 {
			return i
		}
		if key, _, ok := cut(rest[1:min(len(rest), longestKey+2)], "="); ok && rest[0] == ' ' && isKey(key) {
			return i
		}
	}
	return len(b)
}

// isKey reports whether b is a key of logfmt, such as http.request.id.
func isKey(b []byte) bool {
	for _, c := range b {
		if c|0x20-'a' > 25 && c-'0' > 9 && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(b) > 0
}

// longestKey bounds the length of keys, so that a line of many quotes takes linear time.
const longestKey = 64

// unescape decodes the escapes of b.
func (e *Event) unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	return e.memory.Keep(scan.AppendUnescaped(e.memory.Grow(len(b)+4), b))
}
