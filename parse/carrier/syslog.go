package carrier

import (
	"bytes"

	"logscan/parse/scan"
)

// syslog locates the text behind a header of RFC 3164, with its own or an ISO
// 8601 time, or of RFC 5424:
//
//	<190>Oct 10 13:55:36 host nginx: text
//	2026-03-09T14:05:00+02:00 host haproxy[28029]: text
//	Mar  9 14:05:00 host sogod [70]: text
//	Mon 2026-03-09 14:05:00 CET host nginx[771]: text
//	1773065100.000123 host nginx[771]: text
//	<165>1 2026-03-09T14:05:00.003Z host nginx 1234 ID47 [a@1 b="c"] text
func syslog(line []byte) (t text, ok bool) {
	rest := line
	if len(rest) > 0 && rest[0] == '<' {
		end := bytes.IndexByte(rest, '>')
		if end < 2 || end > 4 || !scan.AllDigits(rest[1:end]) {
			return t, false
		}
		if rest = rest[end+1:]; bytes.HasPrefix(rest, version1) {
			return rfc5424(line, rest[len(version1):])
		}
	}
	n := bsdTime(rest)
	if n == 0 {
		n = isoTime(rest)
	}
	if n == 0 {
		n = unixTime(rest)
	}
	if n == 0 {
		if n = fullTime(rest); n == 0 {
			return t, false
		}
		t.stamp = rest[len("Mon "):n]
		n += 1 + max(bytes.IndexByte(rest[n+1:], ' '), 0) // the zone
	} else {
		t.stamp = rest[:n]
	}
	if rest = rest[n:]; len(rest) == 0 || rest[0] != ' ' {
		return t, false
	}
	rest = rest[1:]
	// A tag ends in a colon; the host before it is optional, and some programs have a
	// space before their process id.
	for i := range 3 {
		word, more, _ := bytes.Cut(rest, space)
		if i < 2 && isTag(word) || i > 0 && isProcess(word) {
			t.start, t.end = len(line)-len(more), len(line)
			return t, true
		}
		if len(word) == 0 || len(word) > 255 {
			return t, false
		}
		rest = more
	}
	return t, false
}

var version1 = []byte("1 ")

// isTag reports whether a word is a program's name, an optional process id and a
// colon: nginx:, haproxy[28029]:.
func isTag(b []byte) bool {
	n := len(b) - 1
	if n < 1 || n > 128 || b[n] != ':' {
		return false
	}
	if c := b[0] | 0x20; (c < 'a' || c > 'z') && c != '_' && c != '/' {
		return false
	}
	return bytes.IndexByte(b[:n], ':') < 0 && bytes.IndexByte(b[:n], '"') < 0
}

// isProcess reports whether a word is a process id in brackets and a colon.
func isProcess(b []byte) bool {
	n := len(b)
	return n > 3 && b[0] == '[' && b[n-2] == ']' && b[n-1] == ':' && scan.AllDigits(b[1:n-2])
}

// rfc5424 reads a header after its version: time, host, application, process,
// message id, structured data.
func rfc5424(line, rest []byte) (t text, ok bool) {
	for i := range 5 {
		word, more, found := bytes.Cut(rest, space)
		if !found || len(word) == 0 {
			return t, false
		}
		if i == 0 && len(word) > 1 {
			if isoTime(word) == 0 {
				return t, false
			}
			t.stamp = word
		}
		rest = more
	}
	if len(rest) > 0 && rest[0] == '-' {
		rest = rest[1:]
	} else {
		for len(rest) > 0 && rest[0] == '[' {
			end := elementEnd(rest)
			if end < 0 {
				return t, false
			}
			rest = rest[end:]
		}
	}
	rest = bytes.TrimPrefix(bytes.TrimPrefix(rest, space), byteOrderMark)
	t.start, t.end = len(line)-len(rest), len(line)
	return t, true
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// elementEnd returns the offset after the element of structured data at the start
// of b, -1 if it has no end. Brackets in values do not count.
func elementEnd(b []byte) int {
	inValue := false
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			inValue = !inValue
		case ']':
			if !inValue {
				return i + 1
			}
		}
	}
	return -1
}

// bsdTime returns the length of a time such as "Oct  9 13:55:36" at the start of
// b, with an optional fraction of a second, 0 if there is none.
func bsdTime(b []byte) int {
	const layout = "Mmm dd 00:00:00"
	if len(b) < len(layout) || b[3] != ' ' || b[6] != ' ' || b[0] < 'A' || b[0] > 'Z' {
		return 0
	}
	if (b[4] != ' ' && b[4]-'0' > 3) || b[5]-'0' > 9 || !isClock(b[7:15]) {
		return 0
	}
	return fraction(b, len(layout))
}

// fullTime returns the length of a time such as "Mon 2026-03-09 14:05:00", which a name of
// the zone follows (journalctl -o short-full), at the start of b, 0 if there is none.
func fullTime(b []byte) int {
	const layout = "Mon 2006-01-02 15:04:05"
	if len(b) < len(layout) || b[3] != ' ' || b[8] != '-' || b[11] != '-' || b[14] != ' ' || !scan.AllDigits(b[4:8]) || !isClock(b[15:23]) {
		return 0
	}
	if n := fraction(b, len(layout)); n < len(b) && b[n] == ' ' {
		return n
	}
	return 0
}

// unixTime returns the length of a time in seconds and microseconds since 1970 (journalctl -o
// short-unix) at the start of b, 0 if there is none.
func unixTime(b []byte) int {
	const layout = "1773065100.000123"
	if len(b) <= len(layout) || b[10] != '.' || b[len(layout)] != ' ' || !scan.AllDigits(b[:10]) || !scan.AllDigits(b[11:len(layout)]) {
		return 0
	}
	return len(layout)
}

// isoTime returns the length of a time such as 2026-03-09T14:05:00.123+02:00 at
// the start of b, 0 if there is none.
func isoTime(b []byte) int {
	const layout = "2006-01-02T15:04:05"
	if len(b) < len(layout) || b[4] != '-' || b[7] != '-' || b[10] != 'T' || !scan.AllDigits(b[:4]) || !isClock(b[11:19]) {
		return 0
	}
	n := fraction(b, len(layout))
	switch {
	case n < len(b) && b[n] == 'Z':
		return n + 1
	case n < len(b) && (b[n] == '+' || b[n] == '-'):
		n++
		for n < len(b) && (b[n]-'0' <= 9 || b[n] == ':') {
			n++
		}
	}
	return n
}

func isClock(b []byte) bool {
	return b[2] == ':' && b[5] == ':' && scan.AllDigits(b[:2]) && scan.AllDigits(b[3:5]) && scan.AllDigits(b[6:8])
}

// fraction returns the offset after the fraction of a second that begins at n.
func fraction(b []byte, n int) int {
	if n < len(b) && (b[n] == '.' || b[n] == ',') {
		n++
		for n < len(b) && b[n]-'0' <= 9 {
			n++
		}
	}
	return n
}
