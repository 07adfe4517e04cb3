package wrap

import "bytes"

// docker reads {"log":"text\n","stream":"stdout","time":"…"}. A text without
// its line feed goes on in the next line: the daemon cuts long ones.
func docker(line []byte) (Text, bool) {
	t, ok := dockerLines(line)
	if ok && t.End > t.Start && !bytes.HasSuffix(line[t.Start:t.End], lineFeed) {
		t.Partial = true
	}
	return t, ok
}

// dockerLines is docker for lines that are whole without a line feed.
func dockerLines(line []byte) (t Text, ok bool) {
	m := members{b: line}
	stamped := false
	for m.next() {
		switch {
		case !m.quoted:
		case string(m.key) == "log":
			t.Start, t.End, t.Encoding, ok = m.start, m.end, String, true
		case string(m.key) == "stream":
			t.Stream, stamped = stream(m.value()), true
		case string(m.key) == "time":
			t.Stamp, stamped = m.value(), true
		}
	}
	return t, ok && stamped && m.whole
}

var lineFeed = []byte(`\n`)

// journald reads the object of an entry of the journal. MESSAGE is an array of
// byte values where the text is no UTF-8.
// https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
func journald(line []byte) (t Text, ok bool) {
	m := members{b: line}
	stamped := false
	for m.next() {
		switch {
		case string(m.key) == "MESSAGE" && m.quoted:
			t.Start, t.End, t.Encoding, ok = m.start, m.end, String, true
		case string(m.key) == "MESSAGE" && line[m.start] == '[':
			t.Start, t.End, t.Encoding, ok = m.start, m.end, Bytes, true
		case string(m.key) == "__REALTIME_TIMESTAMP" && m.quoted:
			t.Stamp, stamped = m.value(), true
		case string(m.key) == "_HOSTNAME", string(m.key) == "SYSLOG_IDENTIFIER":
			stamped = true
		}
	}
	return t, ok && stamped && m.whole
}

// AppendBytes appends what a JSON array of byte values stands for. What is no
// byte ends it.
func AppendBytes(dst, array []byte) []byte {
	n, digits := 0, 0
	for _, c := range array {
		switch {
		case c >= '0' && c <= '9' && n < 256:
			n = n*10 + int(c-'0')
			digits++
		case c == ',' || c == ']':
			if digits == 0 || n > 255 {
				return dst
			}
			dst = append(dst, byte(n))
			n, digits = 0, 0
		}
	}
	return dst
}

// members walks over the members of one JSON object.
type members struct {
	b          []byte
	i          int
	key        []byte // of the member, without its quotes
	start, end int    // of its value, without quotes
	quoted     bool   // the value is a string
	whole      bool   // the object was read to its end
}

func (m *members) value() []byte { return m.b[m.start:m.end] }

// next reads a member. It gives false at the end, and where the object is not
// well-formed.
func (m *members) next() bool {
	if m.i == 0 {
		if m.skip(); m.at() != '{' {
			return false
		}
	} else if m.skip(); m.at() != ',' {
		if m.at() == '}' {
			m.i++
			m.skip()
			m.whole = m.i == len(m.b)
		}
		return false
	}
	m.i++
	m.skip()
	end := m.stringEnd()
	if end < 0 {
		return false
	}
	m.key = m.b[m.i+1 : end]
	m.i = end + 1
	if m.skip(); m.at() != ':' {
		return false
	}
	m.i++
	m.skip()
	m.start, m.quoted = m.i, m.at() == '"'
	if m.quoted {
		if end = m.stringEnd(); end < 0 {
			return false
		}
		m.start++
		m.end, m.i = end, end+1
		return true
	}
	for depth := 0; m.i < len(m.b); m.i++ {
		switch m.b[m.i] {
		case '"':
			if end = m.stringEnd(); end < 0 {
				return false
			}
			m.i = end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				m.end = m.i
				return m.end > m.start
			}
		case ',':
			if depth == 0 {
				m.end = m.i
				return m.end > m.start
			}
		}
	}
	return false
}

// at gives the byte at hand, 0 at the end.
func (m *members) at() byte {
	if m.i < len(m.b) {
		return m.b[m.i]
	}
	return 0
}

func (m *members) skip() {
	for m.i < len(m.b) && (m.b[m.i] == ' ' || m.b[m.i] == '\t' || m.b[m.i] == '\r') {
		m.i++
	}
}

// stringEnd gives where the closing quote of the string at hand stands, -1
// where there is none.
func (m *members) stringEnd() int {
	if m.at() != '"' {
		return -1
	}
	for i := m.i + 1; i < len(m.b); i++ {
		switch m.b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
