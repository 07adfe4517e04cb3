package carrier

import (
	"bytes"

	"logscan/parse/scan"
)

// docker locates the text in {"log":"text\n","stream":"stdout","time":"…"}. A
// text without a final line feed continues in the next line: the daemon splits
// long ones.
func docker(line []byte) (text, bool) {
	t, ok := dockerLines(line)
	if ok && t.end > t.start && !bytes.HasSuffix(line[t.start:t.end], lineFeed) {
		t.partial = true
	}
	return t, ok
}

// dockerLines is docker for texts that are whole without a final line feed.
func dockerLines(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	stamped := false
	for m.Next() {
		switch {
		case !m.Quoted:
		case string(m.Key) == "log":
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
		case string(m.Key) == "stream":
			t.stream, stamped = streamNamed(m.Value()), true
		case string(m.Key) == "time":
			t.stamp, stamped = m.Value(), true
		}
	}
	return t, ok && stamped && m.Whole()
}

var lineFeed = []byte(`\n`)

// journald locates the text in an entry of the journal. MESSAGE is an array of
// byte values if the text is not UTF-8.
// https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
func journald(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	stamped := false
	for m.Next() {
		switch {
		case string(m.Key) == "MESSAGE" && m.Quoted:
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
		case string(m.Key) == "MESSAGE" && line[m.Start] == '[':
			t.start, t.end, t.encoding, ok = m.Start, m.End, jsonBytes, true
		case string(m.Key) == "__REALTIME_TIMESTAMP" && m.Quoted:
			t.stamp, stamped = m.Value(), true
		case string(m.Key) == "_HOSTNAME", string(m.Key) == "SYSLOG_IDENTIFIER":
			stamped = true
		}
	}
	return t, ok && stamped && m.Whole()
}

// message locates an access line in a member of an object that a shipper has made of it,
// such as Filebeat's {"@timestamp":"…","message":"text"}. The messages of programs about
// themselves are none.
func message(line []byte) (t text, ok bool) {
	m := scan.ObjectMembers(line)
	for m.Next() {
		switch {
		case !m.Quoted || m.Start == m.End:
		case string(m.Key) == "message" || string(m.Key) == "msg" || string(m.Key) == "log":
			if v := m.Value(); v[0] == '{' || bytes.Contains(v, protocol) {
				t.start, t.end, t.encoding, ok = m.Start, m.End, jsonString, true
			}
		case string(m.Key) == "@timestamp" || string(m.Key) == "timestamp" || string(m.Key) == "time":
			t.stamp = m.Value()
		}
	}
	return t, ok && m.Whole()
}

var protocol = []byte(" HTTP/")

// appendBytes appends the bytes of a JSON array of byte values to dst, up to the
// first that is none.
func appendBytes(dst, array []byte) []byte {
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
