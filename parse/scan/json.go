package scan

import "bytes"

// SkipSpace returns the offset of the first byte of b from i on that is not JSON
// white space.
func SkipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// SkipFraming returns the offset of the first byte of b from i on that is not between the
// objects of a JSON array: not white space, a comma, a bracket, or the object around it
// that IsWrapper describes.
func SkipFraming(b []byte, i int) int {
	ended := false // a bracket has closed
	for {
		i = SkipSpace(b, i)
		if i == len(b) {
			return i
		}
		switch c := b[i]; {
		case c == ',' || c == '[':
		case c == ']':
			ended = true
			i++
			continue
		case c == '}' && ended:
		case c == '{':
			n := wrapperLength(b[i:])
			if n == 0 {
				return i
			}
			i += n - 1
		default:
			return i
		}
		ended = false
		i++
	}
}

// wrapperLength returns the length of the beginning of an object that wraps an array of the records
// of a log, as cloud services export them: {"records":[ of Azure and CloudTrail, {"events":[ of
// CloudWatch, {"@odata.context":"…","value":[ of Microsoft Graph; 0 if b begins otherwise.
func wrapperLength(b []byte) int {
	b = b[:min(len(b), LongestWrapper)]
	i := 0
	for before := byte('{'); ; before = ',' {
		if i = SkipSpace(b, i); i == len(b) || b[i] != before {
			return 0
		}
		if i = SkipSpace(b, i+1); i == len(b) || b[i] != '"' {
			return 0
		}
		end := StringEnd(b, i+1)
		if end < 0 {
			return 0
		}
		name := b[i+1 : end]
		if i = SkipSpace(b, end+1); i == len(b) || b[i] != ':' {
			return 0
		}
		if i = SkipSpace(b, i+1); i == len(b) {
			return 0
		}
		switch string(name) {
		case "records", "Records", "RECORDS", "events", "value":
			if b[i] == '[' {
				return i + 1
			}
			return 0
		case "@odata.context", "@odata.nextLink":
		default:
			return 0
		}
		if b[i] != '"' {
			return 0
		}
		if i = StringEnd(b, i+1) + 1; i == 0 {
			return 0
		}
	}
}

// IsWrapper reports whether b begins an object whose only array holds the records of a log: see
// wrapperLength. It ends with the bracket and blanks.
func IsWrapper(b []byte) bool {
	n := wrapperLength(b)
	return n > 0 && SkipSpace(b, n) == len(b)
}

// LongestWrapper is the longest wrapper in bytes, with its blanks.
const LongestWrapper = 1 << 10

// ObjectEnd returns the length of the JSON object at the start of b by its brackets and
// strings alone, -1 if it does not end.
func ObjectEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = StringEnd(b, i+1); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
	}
	return -1
}

// StringEnd returns the offset of the closing quote of the JSON string whose text
// begins at i, -1 if there is none.
func StringEnd(b []byte, i int) int {
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

// Scalar returns the length of the JSON number or word at the start of b, -1 if
// there is none, and whether it is a number.
func Scalar(b []byte) (n int, number bool) {
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

// Members iterates over the members of one JSON object, skipping nested values.
// It returns what it can of a damaged object; Whole reports damage.
type Members struct {
	Key        []byte // without its quotes, escapes as they are
	Start, End int    // position of the value, without quotes
	Quoted     bool   // the value is a string

	b       []byte
	next    int
	damaged bool
	ended   bool
}

// ObjectMembers returns an iterator over the object in b.
func ObjectMembers(b []byte) Members {
	m := Members{b: b}
	if m.next = SkipSpace(b, 0); m.at() != '{' {
		m.damaged, m.next = true, len(b)
		return m
	}
	m.next = SkipSpace(b, m.next+1)
	switch m.at() {
	case ',':
		m.damaged = true
		m.skip()
	case '}':
		m.ended = true
	}
	return m
}

// Value returns the text of the value: of a string, without quotes.
func (m *Members) Value() []byte { return m.b[m.Start:m.End] }

// Whole reports whether all of the text was one well-formed object. It is valid
// after Next has returned false.
func (m *Members) Whole() bool { return m.ended && !m.damaged && SkipSpace(m.b, m.next+1) == len(m.b) }

// Next advances to the next member. It returns false at the end of the object and
// where the text cannot be read on.
func (m *Members) Next() bool {
	if m.at() != '"' || !m.readString() {
		return false
	}
	m.Key = m.Value()
	if m.at() != ':' {
		return false
	}
	m.skip()
	if m.next == len(m.b) {
		return false
	}
	m.Quoted = m.at() == '"'
	if m.Quoted && !m.readString() || !m.Quoted && !m.readBare() {
		return false
	}
	switch m.at() {
	case ',':
		m.skip()
	case '}':
		m.ended = true
	default:
		m.damaged = true
	}
	return true
}

// readString reads the string at the current position and the space after it.
func (m *Members) readString() bool {
	end := StringEnd(m.b, m.next+1)
	if end < 0 {
		return false
	}
	m.Start, m.End = m.next+1, end
	m.next = SkipSpace(m.b, end+1)
	return true
}

// readBare reads a value that is no string, up to the comma or brace of the object.
func (m *Members) readBare() bool {
	m.Start = m.next
	for depth := 0; m.next < len(m.b); m.next++ {
		c := m.b[m.next]
		switch c {
		case '"':
			end := StringEnd(m.b, m.next+1)
			if end < 0 {
				return false
			}
			m.next = end
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth < 0 || depth == 0 && c == ',' {
			break
		}
	}
	m.End = m.next
	m.damaged = m.damaged || m.End == m.Start
	return true
}

// at returns the byte at the current position, 0 at the end.
func (m *Members) at() byte {
	if m.next < len(m.b) {
		return m.b[m.next]
	}
	return 0
}

// skip advances past the current byte and the space after it.
func (m *Members) skip() { m.next = SkipSpace(m.b, m.next+1) }
