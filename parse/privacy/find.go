package privacy

import (
	"bytes"
	"net/netip"
)

// span is a part of a text and its replacement.
type span struct {
	start, end int
	with       []byte
}

var dot, colon = []byte("."), []byte(":")

// email replaces every e-mail address.
var email = []byte("{email}")

// find returns the names in b, in order and without overlap. own includes the names of the
// current line. The result is valid until the next call.
func (m *Mask) find(b []byte, own bool) []span {
	m.spans = m.spans[:0]
	own = own && len(m.own) > 0
	// Most texts hold nothing that an address or a parameter is made of.
	encoded := encoded(b)
	dots, colons := encoded || bytes.Count(b, dot) >= 3, encoded || bytes.Count(b, colon) >= 2
	if !encoded && bytes.IndexByte(b, '@') < 0 && (m.Key == nil || !own && !dots && !colons && bytes.IndexByte(b, '=') < 0 && bytes.IndexByte(b, '"') < 0) {
		return nil
	}
	seen := viewOf(b)
	v := &seen
	t := v.text
	for i := 0; i < len(t); {
		start, end, with := i, 0, []byte(nil)
		if own {
			end, with = m.ownAt(t, i)
		}
		switch c := t[i]; {
		case end > 0:
		case c == '@':
			if start, end = emailAround(t, i); start == end {
				break
			}
			m.drop(v.source(start))
			if with = email; !m.Emails {
				with = m.User(t[start:end])
			}
		case m.Key == nil:
		case c == '=' || c == ':' && i > 0 && t[i-1] == '"':
			if start, end = valueOfUser(v, i); end > start {
				with = m.User(t[start:end])
			}
		case dots && isDigit(c), colons && (isHex(c) || c == ':'):
			a, n := addressAt(t, i)
			if end = n; n > i && a.IsValid() && !m.stays(t, i, a) {
				with = m.address(a)
			}
		}
		if with != nil {
			s := span{v.source(start), v.source(end), with}
			if n := len(m.spans); n > 0 { // addresses such as a@b@c share a part
				s.start = max(s.start, m.spans[n-1].end)
			}
			if s.start < s.end {
				m.spans = append(m.spans, s)
			}
		}
		i = max(i+1, end)
	}
	return m.spans
}

// drop removes the spans found from an offset on, because they are part of an e-mail
// address.
func (m *Mask) drop(from int) {
	for n := len(m.spans); n > 0 && m.spans[n-1].start >= from; n-- {
		m.spans = m.spans[:n-1]
	}
}

// ownAt returns where a name of the current line that begins at i ends, and its
// replacement. end is 0 if there is none.
func (m *Mask) ownAt(t []byte, i int) (end int, with []byte) {
	for j := range m.own {
		o := &m.own[j]
		n := i + len(o.name)
		if n > len(t) || t[i]|0x20 != o.name[0]|0x20 || !bytes.EqualFold(t[i:n], o.name) || !m.apart(t, i, n) {
			continue
		}
		if o.kind == User {
			return n, m.User(o.full)
		}
		return n, m.Address(o.full)
	}
	return 0, nil
}

// apart reports whether t[i:n] is not part of a longer word.
func (m *Mask) apart(t []byte, i, n int) bool {
	if n-i < shortName {
		return (i == 0 || separator[t[i-1]]) && (n == len(t) || separator[t[n]])
	}
	return (i == 0 || !inWord[t[i-1]] || !inWord[t[i]]) && (n == len(t) || !inWord[t[n]] || !inWord[t[n-1]])
}

// stays reports whether the address that begins at i is that of the line's host or upstream
// and not its client's.
func (m *Mask) stays(t []byte, i int, a netip.Addr) bool {
	for _, k := range m.keep {
		if len(k) == 0 || !bytes.HasPrefix(t[i:], k) && !(k[0] == '[' && i > 0 && bytes.HasPrefix(t[i-1:], k)) {
			continue
		}
		var scratch [64]byte
		return !bytes.Equal(a.Unmap().AppendTo(scratch[:0]), m.client)
	}
	return false
}

// valueOfUser finds the value that belongs to the name before i, which holds an equals sign
// or the colon behind a JSON key, if the name is that of a user. start equals end
// otherwise.
func valueOfUser(v *view, i int) (start, end int) {
	t := v.text
	if t[i] == '=' {
		if !userName(nameBefore(t[:i], &inUserName)) {
			return i, i
		}
		start, end = parameterValue(v, i)
	} else {
		if !userName(nameBefore(bytes.TrimRight(t[:i], `"`), &inUserName)) {
			return i, i
		}
		start, end = jsonValue(v, i)
	}
	if string(t[start:end]) == "-" { // nobody
		return i, i
	}
	return start, end
}

// parameterValue finds the value of a parameter whose = is at i.
func parameterValue(v *view, i int) (start, end int) {
	t := v.text
	start = i + 1
	nested := v.width(i) > 1 // a URL within a URL: the end of the value is encoded too
	for end = start; end < len(t); end++ {
		if (nested || v.width(end) == 1) && bytes.IndexByte([]byte("&#; \t\"'<>,)]}\n"), t[end]) >= 0 {
			break
		}
	}
	return start, end
}

// jsonValue finds the string or number that follows the colon at i. The JSON may itself
// stand in a string.
func jsonValue(v *view, i int) (start, end int) {
	t := v.text
	start = i + 1
	for start < len(t) && (t[start] == ' ' || t[start] == '[') {
		start++
	}
	if end = start; end == len(t) || t[end] != '"' {
		for end < len(t) && isDigit(t[end]) { // true and null name nobody
			end++
		}
		return start, end
	}
	quote := v.width(start)
	start++
	end = start
	for end < len(t) && (t[end] != '"' || v.width(end) != quote) {
		end++
	}
	return start, end
}
