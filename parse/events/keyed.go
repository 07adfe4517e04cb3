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
		k.object(line, "", e, c)
	} else if !k.pairs(line, e, c) {
		return false
	}
	for _, s := range k.needs {
		if c[s] == nil {
			return false
		}
	}
	c.set(e)
	return k.finish(c, e)
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
	known := false
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
			i = to + 1
		} else {
			if n := bytes.IndexByte(b[i:], ' '); n >= 0 {
				to = i + n
			}
			i = to
		}
		for j := range k.paths {
			if p := &k.paths[j]; p.key == string(key) && e.prefers(j, p.to) {
				known = true
				if c[p.to] = b[from:to]; quoted {
					c[p.to] = e.unescape(c[p.to])
				}
			}
		}
	}
	return known
}

// unescape decodes the escapes of b.
func (e *Event) unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	return e.memory.Keep(scan.AppendUnescaped(e.memory.Grow(len(b)+4), b))
}
