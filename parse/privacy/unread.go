package privacy

import "bytes"

// delimiter holds the bytes between the words of a line whose format is not known.
var delimiter = classOf(func(c byte) bool { return bytes.IndexByte([]byte(" \t\r\n\"'\\,;:|()[]{}<>"), c) >= 0 })

// findUnread appends the words of t[from:to] that look like credentials, though nothing
// says what they are: keys and ids, and the values of what looks like
// a list of cookies. Paths stay: their credentials have names.
func findUnread(cuts []Span, v *view, from, to int) []Span {
	t := v.text
	cut := func(start, end int) {
		if end > start && string(t[start:end]) != redacted {
			cuts = append(cuts, Span{v.source(start), v.source(end)})
		}
	}
	cookies := -1 // where the name of the next cookie of a list begins
	for i := from; i < to; {
		if delimiter[t[i]] {
			i++
			continue
		}
		start := i
		for i < to && !delimiter[t[i]] {
			i++
		}
		word := t[start:i]
		if word[0] == '/' || bytes.Contains(word, []byte("://")) {
			continue
		}
		name, value, pair := bytes.Cut(word, []byte("="))
		if !pair || len(name) == 0 || len(bytes.Trim(value, "=")) == 0 {
			if LooksLikeKey(word) || isField(t, start, i) {
				cut(start, i)
			}
			continue
		}
		at := start + len(name) + 1
		end := at // cookies hold most delimiters
		for end < to && bytes.IndexByte([]byte("; \t\"\n"), t[end]) < 0 {
			end++
		}
		next := nextCookie(t[:to], end)
		quoted := start > 0 && t[start-1] == '"' && end < len(t) && t[end] == '"'
		switch {
		case saysNothing(t[at:end]):
		case start == cookies, next > 0, quoted && looksSecret(t[at:end]), LooksLikeKey(t[at:end]):
			cut(at, end)
		}
		cookies = next
		i = end
	}
	return cuts
}

// nextCookie returns where the name of a cookie begins behind the semicolon at i, -1 if there
// is none.
func nextCookie(t []byte, i int) int {
	if i >= len(t) || t[i] != ';' {
		return -1
	}
	for i++; i < len(t) && (t[i] == ' ' || t[i] == '+'); {
		i++
	}
	n := i
	for n < len(t) && n-i <= longestName && inName[t[n]] {
		n++
	}
	if n == i || n == len(t) || t[n] != '=' {
		return -1
	}
	return i
}

// shortestCredential is the least size in bytes of credentials behind the name of a scheme that
// is not known.
const shortestCredential = 8

// isField reports whether t[i:end] is all that stands in quotes behind one word, which then
// names a scheme of authentication, and looks like a credential.
func isField(t []byte, i, end int) bool {
	if end-i < shortestCredential || end == len(t) || t[end] != '"' || i < 2 || t[i-1] != ' ' || !looksSecret(t[i:end]) {
		return false
	}
	n := i - 1
	for n > 0 && i-n <= longestScheme && inScheme[t[n-1]] {
		n--
	}
	return n < i-1 && n > 0 && t[n-1] == '"'
}
