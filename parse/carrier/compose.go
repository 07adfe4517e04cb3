package carrier

import "bytes"

// compose locates the text in "web-1  | text", perhaps coloured, as docker compose logs
// prints it, or in "web.1.id@node    | text" of docker service logs. With -t a time precedes the
// text.
func compose(line []byte) (t text, ok bool) {
	name, rest, ok := bytes.Cut(line, bar)
	if !ok || len(name) > longestService {
		return t, false
	}
	name = bytes.TrimRight(withoutColour(name), " ")
	if len(name) == 0 {
		return t, false
	}
	for _, c := range name {
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '_' && c != '-' && c != '.' && c != '@' {
			return t, false
		}
	}
	rest = withoutColour(rest)
	if len(rest) > 0 && rest[0] == ' ' {
		rest = withoutColour(rest[1:])
	}
	const nano = len("2006-01-02T15:04:05.000000000Z") // any other time is the text's own
	if n := isoTime(rest); n == nano && n < len(rest) && rest[n] == ' ' && rest[n-1] == 'Z' {
		t.stamp, rest = rest[:n], rest[n+1:]
	}
	t.start, t.end = len(line)-len(rest), len(line)
	return t, true
}

// longestService exceeds the length of a name with its padding and colours.
const longestService = 100

// longestColour exceeds the length of a sequence that sets colours.
const longestColour = 32

var bar = []byte("|")

// withoutColour removes the escape sequence at the start of b, \x1b[…m, if there is one.
func withoutColour(b []byte) []byte {
	if len(b) > 2 && b[0] == 0x1b && b[1] == '[' {
		if i := bytes.IndexByte(b[:min(len(b), longestColour)], 'm'); i >= 0 {
			return b[i+1:]
		}
	}
	return b
}
