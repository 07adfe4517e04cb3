package privacy

import "bytes"

// finder finds the credentials in a view.
type finder struct {
	view
	cuts []Span // in the source
	from int    // where the last credential begins: no name begins before it
	// opened is the level of the JSON string that the last quote opened, 0 if it did not
	// open one: see level.
	opened int
}

// findCredentials appends where the credentials of a view stand in its source.
func findCredentials(cuts []Span, v *view) []Span {
	f := finder{view: *v, cuts: cuts}
	t := v.text
	for i := 0; i < len(t); i++ {
		end := 0
		switch c := t[i]; role[c] {
		case begins:
			if i > 0 && inToken[t[i-1]] || i+1 == len(t) || keySeconds[c]>>(t[i+1]&63)&1 == 0 {
				continue
			}
			end = f.serviceKey(i)
		case announces:
			end = f.after(i)
		}
		if end > i {
			i = f.last(i, end)
		}
	}
	return f.cuts
}

// The roles of bytes: most are only part of words. begins is that of the first bytes of keys
// of services, announces that of bytes which stand before credentials.
const (
	begins = 1 + iota
	announces
)

// role holds the roles of bytes.
var role = func() (role [256]uint8) {
	for c, keys := range keysBy {
		if keys != nil {
			role[c] = begins
		}
	}
	for _, c := range []byte("=:/(>, +\"-") {
		role[c] = announces
	}
	return role
}()

// after finds the credential that the byte at i announces. It returns its end, 0 if there is
// none.
func (f *finder) after(i int) int {
	switch f.text[i] {
	case '=':
		return f.afterEquals(i)
	case ':':
		return f.afterColon(i)
	case '/':
		return f.afterSlash(i)
	case '(':
		return f.cookielessSession(i)
	case '>':
		return f.element(i)
	case ',':
		return f.afterName(i)
	case ' ', '+':
		return f.afterBlank(i)
	case '"':
		f.quote(i)
	case '-':
		if i+1 < len(f.text) && f.text[i+1] == '-' {
			return f.privateKey(i)
		}
	}
	return 0
}

// last returns the last byte of the credential that ends before end, or the colon or equals
// sign there: it may announce a string, if the quote behind it does not end the value.
func (f *finder) last(i, end int) int {
	n := end - 1
	if n > i && (f.text[n] == '"' || f.text[n] == '\'') {
		n--
	}
	if n > i && (f.text[n] == ':' || f.text[n] == '=') {
		return n - 1
	}
	return end - 1
}

// cut records a credential and returns its end. An empty one, and one that has been
// redacted, count as none.
func (f *finder) cut(start, end int) int {
	if end <= start {
		return 0
	}
	if string(f.text[start:end]) != redacted {
		f.cuts = append(f.cuts, Span{f.source(start), f.source(end)})
	}
	f.from = start
	return end
}

// quote notes whether the quote at i opens a string of JSON.
func (f *finder) quote(i int) {
	f.opened = 0
	n := i
	for n > 0 && f.text[n-1] == '\\' {
		n--
	}
	for n > 0 && f.text[n-1] == ' ' {
		n--
	}
	if n == 0 {
		return
	}
	switch f.text[n-1] {
	case '{', '[', ',', ':':
		f.opened = f.level(i)
	}
}

// level returns how deeply the quote at i is escaped, which tells strings within strings
// apart. Backslashes show it, or in a view of decoded text its width.
func (f *finder) level(i int) int {
	if f.decoded() {
		return f.width(i) - 1
	}
	n := 0
	for n < i && f.text[i-1-n] == '\\' {
		n++
	}
	return n
}

// closes reports whether a quote of one level ends a string that a quote of another opened.
func (f *finder) closes(level, opened int) bool {
	if f.decoded() {
		return level <= opened
	}
	return level%(2*(opened+1)) <= opened // backslashes before may be escaped themselves
}

// longestValue is the longest quoted value in bytes.
const longestValue = 64 << 10

// mostInside is how many quotes a password has: a text of many strings must not be read to
// its end for each of them.
const mostInside = 4

// inside reports whether the quote at i is part of a password rather than the end of one:
// no text goes on with a letter or digit right after a string.
func (f *finder) inside(i int) bool { return i+1 < len(f.text) && isAlnum(f.text[i+1]) }

// closing returns the offset of what closes a string whose text begins at i and whose
// quote is of a level, -1 if nothing does: the quote, without the backslashes
// before it. A single quote ends before a double quote of the text around it.
func (f *finder) closing(i int, quote byte, opened int) int {
	t := f.text
	inside := 0
	for end := min(len(t), i+longestValue); i < end; i++ {
		switch {
		case t[i] != '\n' && t[i] != '"' && t[i] != quote:
		case inside < mostInside && t[i] != '\n' && f.inside(i):
			inside++
		case t[i] == '\n' && quote != '"', t[i] == '"' && quote != '"' && f.level(i) <= opened:
			return -1
		case t[i] == quote:
			if level := f.level(i); f.closes(level, opened) {
				if !f.decoded() {
					i -= min(level, opened)
				}
				return i
			}
		}
	}
	return -1
}

// quoted returns the text of the string at i, which may be escaped, and what
// follows it. ok is false if there is none.
func (f *finder) quoted(i int) (start, end, next int, ok bool) {
	t := f.text
	n := i
	for n < len(t) && t[n] == '\\' {
		n++
	}
	if n == len(t) || t[n] != '"' && t[n] != '\'' {
		return 0, 0, 0, false
	}
	opened := n - i
	if f.decoded() {
		opened = f.width(n) - 1
	}
	start = n + 1
	if opened == 0 && start+1 < len(t) && t[start] == t[n] && inWord[t[start+1]] { // doubled, as in CSV
		start++
		if size := bytes.Index(t[start:min(len(t), start+longestValue)], []byte{t[n], t[n]}); size >= 0 {
			return start, start + size, start + size + 2, true
		}
	}
	if end = f.closing(start, t[n], opened); end < 0 {
		return start, len(t), len(t), t[n] == '"'
	}
	for next = end; t[next] == '\\'; {
		next++
	}
	return start, end, next + 1, true
}

// blanks returns the offset of the first byte from i on that is no blank.
func (f *finder) blanks(i int) int {
	for i < len(f.text) && (f.text[i] == ' ' || f.text[i] == '\t') {
		i++
	}
	return i
}

// textEnd returns where the text around i ends, or most if that is earlier: at the end of
// its string, its line or its column.
func (f *finder) textEnd(i, most int) int {
	t := f.text[:min(len(f.text), most)]
	for ; i < len(t); i++ {
		switch t[i] {
		case '\n', '\t', '\r':
			return i
		case '"':
			if f.level(i) <= f.opened {
				if !f.decoded() {
					i -= f.level(i)
				}
				return i
			}
		}
	}
	return i
}
