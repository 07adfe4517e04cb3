package carrier

import "bytes"

// logcli locates the text in `time {name="value", …} text`, perhaps coloured, as Loki's
// logcli query prints it. The labels are padded to the same length.
// https://grafana.com/docs/loki/latest/query/logcli/
func logcli(line []byte) (t text, ok bool) {
	rest := withoutColour(line)
	n := isoTime(rest)
	if n == 0 {
		return t, false
	}
	stamp := rest[:n]
	if rest = withoutColour(rest[n:]); len(rest) == 0 || rest[0] != ' ' {
		return t, false
	}
	rest = withoutColour(rest[1:])
	end := labelsEnd(rest)
	if end == 0 {
		return t, false
	}
	rest = withoutColour(bytes.TrimLeft(rest[end:], " "))
	rest = bytes.TrimLeft(rest, " ")
	return text{start: len(line) - len(rest), end: len(line), stamp: stamp}, true
}

// labelsEnd returns the length of the labels at the start of b, 0 if there are none: names
// with values in quotes, between braces.
func labelsEnd(b []byte) int {
	if len(b) == 0 || b[0] != '{' {
		return 0
	}
	for i := 1; i < len(b) && b[i] != '}'; {
		name := i
		for i < len(b) && isNameByte(b[i]) {
			i++
		}
		if i == name || i+1 >= len(b) || b[i] != '=' || b[i+1] != '"' {
			return 0
		}
		for i += 2; i < len(b) && b[i] != '"'; i++ {
			if b[i] == '\\' {
				i++
			}
		}
		switch i++; {
		case i < len(b) && b[i] == '}':
			return i + 1
		case i+1 >= len(b) || b[i] != ',' || b[i+1] != ' ':
			return 0
		}
		i += 2
	}
	return 0
}

// isNameByte reports whether c may be in the name of a label.
func isNameByte(c byte) bool { return c-'0' <= 9 || c|0x20-'a' <= 25 || c == '_' }

// stern locates the text in "pod container text", perhaps coloured, as stern prints it. With
// -t a time precedes the text. Only pods with a generated name are recognised: other words in
// front of a line may be anything.
// https://github.com/stern/stern
func stern(line []byte) (t text, ok bool) {
	pod, rest, ok := bytes.Cut(line, space)
	if pod = plainName(pod); !ok || !isKubernetesName(pod, true) || !isGenerated(pod) {
		return t, false
	}
	container, rest, ok := bytes.Cut(rest, space)
	if !ok || !isKubernetesName(plainName(container), false) {
		return t, false
	}
	const nano = len("2006-01-02T15:04:05.000000000Z")
	if n := isoTime(rest); n >= nano && n < len(rest) && rest[n] == ' ' {
		t.stamp, rest = rest[:n], rest[n+1:]
	}
	t.start, t.end = len(line)-len(rest), len(line)
	return t, true
}

// plainName returns a name without the colour around it.
func plainName(b []byte) []byte {
	b = withoutColour(b)
	if i := bytes.IndexByte(b, 0x1b); i >= 0 && len(withoutColour(b[i:])) == 0 {
		b = b[:i]
	}
	return b
}

// isGenerated reports whether the name of a pod ends with the characters that Kubernetes draws
// for it: no vowels, and no digits that look like them.
// https://pkg.go.dev/k8s.io/apimachinery/pkg/util/rand
func isGenerated(pod []byte) bool {
	const drawn = 5
	n := len(pod) - drawn
	return n > 1 && pod[n-1] == '-' && len(bytes.Trim(pod[n:], "bcdfghjklmnpqrstvwxz2456789")) == 0
}

// isKubernetesName reports whether b is a name of an object (RFC 1123): letters in lower case,
// digits and hyphens, with dots between them if it may have any.
func isKubernetesName(b []byte, dots bool) bool {
	for i, c := range b {
		inner := c == '-' || c == '.' && dots
		if c-'0' > 9 && c-'a' > 25 && (!inner || i == 0 || i == len(b)-1) {
			return false
		}
	}
	return len(b) > 0
}
