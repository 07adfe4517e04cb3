package carrier

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/scan"
)

const (
	// longestLogger exceeds the length in bytes of what a logging framework puts in front.
	longestLogger = 256
	// mostNames is how many words are in front of a text behind the level: a process, a
	// thread, ids and the name of the logger, and marks between them.
	mostNames = 8
)

// logger locates the text behind what the logging framework of an application puts in front:
// time, level, process, thread and name, in its own order.
//
//	2026-03-09 14:05:00,131 INFO uvicorn.access text
//	2026-03-09 14:05:00.123  INFO 1 --- [nio-8080-exec-1] c.e.AccessLog : text
//	[2026-03-09T14:05:00Z INFO  actix_web::middleware::logger] text
//	I, [2026-03-09T14:05:00.123456 #12]  INFO -- : [5f2287e0-9ccf] text
//	INFO:uvicorn.access:text
//
// One of the words is a level. Behind it the text begins with the first word that begins a
// request or an object.
func logger(line []byte) (t text, ok bool) {
	levelled, names := false, 0
	for rest := line; ; {
		rest = bytes.TrimLeft(withoutColour(bytes.TrimLeft(rest, " \t")), " \t")
		if len(rest) == 0 || len(line)-len(rest) > longestLogger || names > mostNames {
			return t, false
		}
		if levelled && beginsRequest(rest) {
			t.start, t.end = len(line)-len(rest), len(line)
			return t, true
		}
		if n := dateTime(bytes.TrimPrefix(rest, bracket)); n > 0 && t.stamp == nil {
			rest = bytes.TrimPrefix(rest, bracket)
			t.stamp, rest = rest[:n], rest[n:]
			continue
		}
		n := bytes.IndexAny(rest, " \t\x1b")
		switch n {
		case 0: // an escape that is no colour
			return t, false
		case -1:
			n = len(rest)
		}
		word := rest[:n]
		switch name, more, _ := bytes.Cut(rest, colon); {
		case isLevel(word):
			levelled = true
		case !levelled && isLevel(name): // level:name:text
			levelled = true
			_, more, _ = bytes.Cut(more, colon)
			n = len(rest) - len(more)
		case !isNameOfLogger(word):
			return t, false
		case levelled:
			names++
		}
		rest = rest[n:]
	}
}

// isMessage reports whether a line has a level among its first words, perhaps behind a time, or
// goes on with a message, as traces of the stack do.
func isMessage(line []byte) bool {
	if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
		return true
	}
	line = withoutColour(line)
	rest := bytes.TrimPrefix(line, bracket)
	if n := dateTime(rest); n > 0 {
		line = rest[n:]
	}
	const mostWords = 3
	words := 0
	for word := range bytes.FieldsSeq(line[:min(len(line), longestLogger)]) {
		if isLevel(withoutColour(word)) {
			return true
		}
		if words++; words == mostWords {
			break
		}
	}
	return false
}

// mentionsRefusal reports whether a number in a line is the status of a refusal.
func mentionsRefusal(line []byte) bool {
	status := []byte("401")
	for at := 0; ; {
		i := bytes.Index(line[at:], status)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(status)
		if (start == 0 || line[start-1]-'0' > 9) && (end == len(line) || line[end]-'0' > 9) {
			return true
		}
		at = end
	}
}

var bracket, colon = []byte("["), []byte(":")

// levels are the names of the severity of a message, in lower case. Those of one letter stand
// in front of a comma or behind a bracket.
var levels = map[string]bool{
	"trace": true, "trc": true, "debug": true, "dbg": true, "info": true, "inf": true, "information": true, "notice": true,
	"warn": true, "warning": true, "wrn": true, "error": true, "err": true, "severe": true, "critical": true, "fatal": true,
	"d,": true, "i,": true, "w,": true, "e,": true, "f,": true, "[d": true, "[i": true, "[w": true, "[e": true, "[c": true,
}

// isLevel reports whether a word is a level, perhaps in brackets or with a mark behind it.
func isLevel(word []byte) bool {
	var memory [len("[information]:")]byte
	if len(word) > len(memory) {
		return false
	}
	lower := memory[:copy(memory[:], word)]
	for i, c := range lower {
		if c-'A' <= 'Z'-'A' {
			lower[i] = c | 0x20
		}
	}
	return levels[string(lower)] || levels[string(bytes.Trim(lower, "[]():|"))]
}

// isNameOfLogger reports whether a word may be in front of a text: a number, a name with its
// package, an id in brackets, or a mark.
func isNameOfLogger(word []byte) bool {
	for _, c := range word {
		if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte("\"'={}<>?&;`\\"), c) >= 0 {
			return false
		}
	}
	return true
}

// dateTime returns the length of a time such as "2026-03-09 14:05:00,131 +0100", or of
// isoTime, at the start of b, 0 if there is none.
func dateTime(b []byte) int {
	const layout = "2006-01-02 15:04:05"
	if n := isoTime(b); n > 0 {
		return n
	}
	if len(b) < len(layout) || b[4] != '-' && b[4] != '/' || b[7] != b[4] || b[10] != ' ' || !scan.AllDigits(b[:4]) || !isClock(b[11:19]) {
		return 0
	}
	n := fraction(b, len(layout))
	if n+5 < len(b) && b[n] == ' ' && (b[n+1] == '+' || b[n+1] == '-') && scan.AllDigits(b[n+2:n+4]) {
		n += 2
		for n < len(b) && (b[n]-'0' <= 9 || b[n] == ':') {
			n++
		}
	}
	return n
}

// beginsRequest reports whether b begins with what a request does in an access log: the
// address of a client, a method, a request in quotes, a status in front of a method, or an
// object or key.
func beginsRequest(b []byte) bool {
	word, rest, _ := bytes.Cut(b, space)
	switch c := word[0]; {
	case c == '{':
		return len(word) > 1 && (word[1] == '"' || word[1] == '\\')
	case c == '"':
		return isMethod(word[1:])
	case c == '\\': // in a JSON string
		return len(word) > 1 && word[1] == '"' && isMethod(word[2:])
	case len(word) == 3 && scan.AllDigits(word) && c >= '1' && c <= '5', string(word) == "HTTP":
		word, _, _ = bytes.Cut(rest, space)
		return isMethod(word)
	case isMethod(word):
		return len(rest) > 0 && (rest[0] == '/' || rest[0] == '*' || bytes.HasPrefix(rest, []byte("http")))
	}
	if key, _, found := bytes.Cut(word, []byte("=")); found {
		return len(key) > 0 && len(bytes.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-")) == 0
	}
	return field.IsAddress(word)
}

// isMethod reports whether b is the name of a method in capitals.
func isMethod(b []byte) bool {
	const shortest, longest = 3, 16
	return len(b) >= shortest && len(b) <= longest && len(bytes.Trim(b, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) == 0
}
