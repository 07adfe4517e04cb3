package carrier

import (
	"bytes"

	"logscan/parse/scan"
)

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

// stern locates the text in "pod container text", perhaps coloured, as stern prints it; with -A
// the namespace precedes the pod. With -t a time precedes the text. Other words in front of a line
// may be anything, so only pods with a generated name are recognised, those of a StatefulSet that
// have the name of the container, and coloured ones.
// https://github.com/stern/stern
func stern(line []byte) (t text, ok bool) {
	first, rest, _ := bytes.Cut(line, space)
	second, rest, ok := bytes.Cut(rest, space)
	if !ok {
		return t, false
	}
	if !isPodAndContainer(first, second) {
		third, more, ok := bytes.Cut(rest, space)
		if !ok || !isKubernetesName(plainName(first), false) || !isPodAndContainer(second, third) {
			return t, false
		}
		rest = more
	}
	return stampedText(line, rest), true
}

// isPodAndContainer reports whether two words are the names of a pod and of its container as stern
// prints them.
func isPodAndContainer(first, second []byte) bool {
	pod, container := plainName(first), plainName(second)
	if !isKubernetesName(pod, true) || !isKubernetesName(container, false) {
		return false
	}
	set, ordinal := pod, []byte(nil)
	if i := bytes.LastIndexByte(pod, '-'); i > 0 {
		set, ordinal = pod[:i], pod[i+1:]
	}
	numbered := len(ordinal) > 0 && scan.AllDigits(ordinal)
	named := bytes.HasSuffix(set, container) && (len(set) == len(container) || set[len(set)-len(container)-1] == '-')
	coloured := len(pod) < len(first) && len(container) < len(second)
	return isGenerated(pod) || numbered && (named || coloured)
}

// kubectl locates the text in "[pod/name/container] text", as kubectl logs --prefix prints it. With
// --timestamps a time precedes the text.
func kubectl(line []byte) (t text, ok bool) {
	rest, ok := bytes.CutPrefix(line, podPrefix)
	if !ok {
		return t, false
	}
	source, rest, ok := bytes.Cut(rest, bracketBlank)
	pod, container, slash := bytes.Cut(source, []byte("/"))
	if !ok || !slash || !isKubernetesName(pod, true) || !isKubernetesName(container, false) {
		return t, false
	}
	return stampedText(line, rest), true
}

// awsTail locates the text in "time stream text", as aws logs tail prints it. Names of streams hold
// slashes: prefix/container/task, or 2026/03/09/[$LATEST]id of a function.
// https://docs.aws.amazon.com/cli/latest/reference/logs/tail.html
func awsTail(line []byte) (t text, ok bool) {
	const whole = len("2026-03-09T14:05:00.123000+00:00")
	if len(line) <= whole || isoTime(line) != whole || line[whole] != ' ' {
		return t, false
	}
	stream, rest, ok := bytes.Cut(line[whole+1:], space)
	if !ok || bytes.IndexByte(stream, '/') < 1 || bytes.IndexByte(stream, '"') >= 0 {
		return t, false
	}
	return text{start: len(line) - len(rest), end: len(line), stamp: line[:whole]}, true
}

var podPrefix, bracketBlank = []byte("[pod/"), []byte("] ")

// stampedText returns the text that line ends with, without the time that may precede it.
func stampedText(line, rest []byte) (t text) {
	const nano = len("2006-01-02T15:04:05.000000000Z")
	if n := isoTime(rest); n >= nano && n < len(rest) && rest[n] == ' ' {
		t.stamp, rest = rest[:n], rest[n+1:]
	}
	t.start, t.end = len(line)-len(rest), len(line)
	return t
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
