package privacy

import (
	"bytes"
	"slices"
)

// afterEquals finds the value of the parameter, cookie or attribute whose equals sign is at
// i. It returns the end of the value, 0 if it is no credential.
func (f *finder) afterEquals(i int) int {
	t := f.text
	if i+1 < len(t) && t[i+1] == '>' { // "name" => "value"
		return f.afterKey(i, i+2)
	}
	name := nameBefore(bytes.TrimRight(t[f.from:i], " "), &inName)
	k := kindOf(name)
	if k == harmless {
		return 0
	}
	at := i + 1
	if i > 0 && t[i-1] == ' ' { // name = value
		at = f.blanks(at)
	}
	start, end, next, ok := f.quoted(at)
	// A quote before a blank or the end closes the text around the parameter.
	if ok && (start == len(t) || bytes.IndexByte([]byte(" ,)]}\r\n"), t[start]) >= 0) {
		return 0
	}
	if !ok {
		start, end = at, f.parameterEnd(i, at, at+limit(k))
		next = end
		if k == whole {
			end = f.headerEnd(start, end)
			next = end
		} else if n := i - len(name); n > 0 && t[n-1] == ';' && !endsInReference(t[:n]) && bytes.IndexByte(t[max(0, n-longestPath):n], '/') >= 0 { // of a path
			end = start + pathParameter(t[start:end])
			next = end
		}
	}
	if !k.holds(name, t[start:end]) {
		return 0
	}
	if end == at+limit(k) {
		end = f.parameterEnd(i, at, len(t))
		next = end
	}
	f.cut(start, end)
	return next
}

// pathParameter returns the length of the value of a parameter of a path, which ends at the
// next segment, the query or the next parameter. A session id may hold a semicolon: what is
// behind one and has no name, and is no word, belongs to the value.
func pathParameter(b []byte) int {
	n := 0
	for {
		i := bytes.IndexAny(b[n:], "?/;")
		if i < 0 {
			return len(b)
		}
		if n += i; b[n] != ';' {
			return n
		}
		part := b[n+1:]
		if i := bytes.IndexAny(part, "?/;"); i >= 0 {
			part = part[:i]
		}
		part = bytes.TrimRight(part, "=") // of Base64
		if bytes.IndexByte(part, '=') >= 0 || !slices.ContainsFunc(part, func(c byte) bool { return c-'a' > 25 && c != '-' && c != '_' }) {
			return n
		}
		n++
	}
}

// limit returns how many bytes of a value without quotes are read to decide about it. Those
// that may be harmless are read again, so it must not be much.
func limit(k kind) int {
	if k == open || k == numbered {
		return judged
	}
	return 1 << 30
}

// longestPath is how many bytes before a semicolon are searched for a slash.
const longestPath = 256

// parameterEnd returns where the value that begins at i ends, or most if it is longer: at
// a delimiter that is encoded no more often than the equals sign. Passwords hold
// apostrophes, semicolons and angle brackets, so these do not end it.
func (f *finder) parameterEnd(equals, i, most int) int {
	t, width := f.text[:min(len(f.text), most)], f.width(equals)
	for ; i < len(t); i++ {
		switch t[i] {
		case '&', ' ', '\t', '\n', '\r':
		case '"':
			if f.inside(i) || !f.decoded() && f.level(i) > f.opened {
				continue
			}
			if f.decoded() && f.width(i) > max(width, f.opened+1) {
				continue
			}
			if !f.decoded() {
				return i - f.level(i)
			}
			return i
		case ';':
			if i+1 < len(t) && t[i+1] != ' ' {
				continue
			}
		case '#':
			n := i + 1
			for n < len(t) && inName[t[n]] {
				n++
			}
			if n < len(t) && t[n] != '=' {
				continue
			}
		default:
			continue
		}
		if f.width(i) <= width {
			return i
		}
	}
	return i
}

// endsInReference reports whether b ends in a reference of HTML, such as &amp;.
func endsInReference(b []byte) bool {
	_, from := reference(b)
	return from >= 0
}

// headerEnd returns where the value of a whole header ends that has no quotes around it and
// whose first word is t[start:end]: after further cookies, or the credentials
// behind the name of a scheme.
func (f *finder) headerEnd(start, end int) int {
	t := f.text
	for end+1 < len(t) && t[end] == ';' && (t[end+1] == ' ' || t[end+1] == '+') {
		n := end + 2
		for n < len(t) && inName[t[n]] {
			n++
		}
		if n == len(t) || t[n] != '=' {
			break
		}
		end = f.parameterEnd(n, n+1, len(t))
	}
	if end == len(t) || t[end] != ' ' || bytes.HasPrefix(t[end+1:], []byte("HTTP/")) {
		return end
	}
	if isScheme(t[start:end]) {
		return max(end, f.credentials(end+1))
	}
	next := end + 1 + tokenRun(t[end+1:]) // behind a scheme that is not known
	if next > end+1 && bytes.IndexByte(bytes.TrimRight(t[end+1:next], "="), '=') < 0 && len(bytes.TrimFunc(t[start:end], isSchemeRune)) == 0 {
		return next
	}
	return end
}

// isSchemeRune reports whether r may be in the name of a scheme.
func isSchemeRune(r rune) bool { return r < 0x80 && inScheme[r] }

// afterColon finds the value that the colon at i announces: that of a JSON key or a header,
// or the userinfo of a URL. It returns the end of the value, 0 if there is none.
func (f *finder) afterColon(i int) int {
	t := f.text
	if bytes.HasPrefix(t[i:], []byte("://")) {
		return f.cut(i+3, i+3+userinfo(t[i+3:]))
	}
	if end := f.botToken(i); end > 0 {
		return end
	}
	return f.afterKey(i, i+1)
}

// afterKey finds the value at value of the key before i, which may stand in quotes.
func (f *finder) afterKey(i, value int) int {
	before := trimBlanks(f.text[f.from:i])
	if n := len(before); n > 0 && (before[n-1] == '"' || before[n-1] == '\'') {
		return f.member(nameBefore(bytes.TrimRight(before, `"'\`), &inName), value)
	}
	return f.header(nameBefore(before, &inName), i, value)
}

// member finds the value at i of a key in quotes.
func (f *finder) member(name []byte, i int) int {
	k := kindOf(name)
	if k == harmless && isValueKey(name) {
		name = f.siblingName(i)
		k = kindOf(name)
	}
	if k == harmless {
		return 0
	}
	t := f.text
	i = f.blanks(i)
	if i == len(t) {
		return 0
	}
	if t[i] == '[' || t[i] == '{' {
		return f.nested(name, k, i)
	}
	start, end, next, ok := f.quoted(i)
	if !ok {
		start = i
		if end = bytes.IndexAny(t[i:], ",}]\"\n"); end < 0 {
			end = len(t) - i
		}
		end += i
		next = end
		if word, _, _ := bytes.Cut(t[start:end], []byte(" ")); saysNothing(word) {
			return 0
		}
	}
	if !k.holds(name, t[start:end]) {
		return 0
	}
	f.cut(start, end)
	return next
}

// isName reports whether b may be a name, and nothing else.
func isName(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return !inName[c] })
}

// nested finds the values in the array or object at i, all of which a name says to be
// credentials, and returns its end. Keys that are names stay.
func (f *finder) nested(name []byte, k kind, i int) int {
	t := f.text[:min(len(f.text), i+limit(k))]
	if k == open && t[i] == '{' {
		return 0 // its members have names
	}
	depth := 0
	objects := uint64(0) // the innermost brackets, a bit each: 1 is an object
	for i < len(t) {
		switch c := t[i]; {
		case c == '[' || c == '{':
			if objects <<= 1; c == '{' {
				objects |= 1
			}
			depth++
			i++
		case c == ']' || c == '}':
			objects >>= 1
			i++
			if depth--; depth == 0 {
				return i
			}
		case c == '"' || c == '\'' || c == '\\':
			start, end, next, ok := f.quoted(i)
			if !ok || next > len(t) {
				i++
				break
			}
			after := f.blanks(next)
			isKey := objects&1 == 1 && after < len(t) && t[after] == ':' && isName(t[start:end])
			if !isKey && k.holds(name, t[start:end]) {
				f.cut(start, end)
			}
			i = next
		case c == '\n':
			return i
		case bytes.IndexByte([]byte(" \t,:"), c) >= 0:
			i++
		default:
			start := i
			for i < len(t) && bytes.IndexByte([]byte(",]}\"\n"), t[i]) < 0 {
				i++
			}
			if k.holds(name, t[start:i]) {
				f.cut(start, i)
			}
		}
	}
	return i
}

// isValueKey reports whether the member of an object with this key holds the value of a
// header, a cookie or a variable that another member names: {"name":"Cookie","value":"a=b"}.
func isValueKey(key []byte) bool {
	switch string(bytes.ToLower(key)) {
	case "value", "values", "val", "v", "content", "headervalue", "rawvalue", "stringvalue":
		return true
	}
	return false
}

// isNameKey reports whether the member with this key holds the name.
func isNameKey(key []byte) bool {
	switch string(bytes.ToLower(key)) {
	case "name", "key", "header", "headername", "k", "n", "field", "id":
		return true
	}
	return false
}

// longestSibling is how many bytes before and behind a value are searched for the member
// that names it.
const longestSibling = 256

// mostSiblings is how many colons there are looked at.
const mostSiblings = 16

// siblingName returns the name in the object around i, the value of another member.
func (f *finder) siblingName(i int) []byte {
	t := f.text
	from, to := max(f.from, i-longestSibling), min(len(t), i+longestSibling)
	if n := bytes.LastIndexByte(t[from:i], '{'); n >= 0 {
		from += n
	}
	if n := bytes.IndexByte(t[i:to], '}'); n >= 0 {
		to = i + n
	}
	for range mostSiblings {
		n := bytes.IndexByte(t[from:max(from, to)], ':')
		if n < 0 {
			return nil
		}
		n += from
		from = n + 1
		before := trimBlanks(t[:n])
		if !bytes.HasSuffix(before, []byte(`"`)) && !bytes.HasSuffix(before, []byte(`'`)) {
			continue
		}
		if !isNameKey(nameBefore(bytes.TrimRight(before[:len(before)-1], `\`), &inName)) {
			continue
		}
		if start, end, _, ok := f.quoted(f.blanks(n + 1)); ok && end-start <= longestName {
			return t[start:end]
		}
	}
	return nil
}

// afterName finds the string behind a comma at i that follows a string with the name of a
// header, as in ["Cookie","a=b"].
func (f *finder) afterName(i int) int {
	t := f.text
	before := trimBlanks(t[f.from:i])
	n := len(before)
	if n < 2 || before[n-1] != '"' && before[n-1] != '\'' {
		return 0
	}
	before = bytes.TrimRight(before[:n-1], `\`)
	name := nameBefore(before, &inName)
	if m := len(before) - len(name); m == 0 || before[m-1] != '"' && before[m-1] != '\'' {
		return 0
	}
	if k := kindOf(name); k != whole && (k != secret || !bytes.ContainsAny(name, "-_")) {
		return 0
	}
	at := f.blanks(i + 1)
	if at < len(t) && t[at] == '[' {
		return f.nested(name, secret, at)
	}
	start, end, next, ok := f.quoted(at)
	if after := f.blanks(next); after < len(t) && t[after] == ':' { // a key, of the next member of an object
		return 0
	}
	if !ok || saysNothing(t[start:end]) || f.cut(start, end) == 0 {
		return 0
	}
	return next
}

// header finds the value at i of a name without quotes that ends before at: that of a
// header or a label, or in text. It returns the end of the value, 0 if it is no credential.
func (f *finder) header(name []byte, at, i int) int {
	k := kindOf(name)
	t := f.text
	start := f.blanks(i)
	if k == harmless || start == len(t) {
		return 0
	}
	if t[start] == '[' || t[start] == '{' {
		return f.nested(name, k, start)
	}
	if from, end, next, ok := f.quoted(start); ok && from < len(t) && t[from] != ' ' {
		if !k.holds(name, t[from:end]) || f.cut(from, end) == 0 {
			return 0
		}
		return next
	}
	if start == i && bytes.IndexAny(name, ".-") > 0 && isPort(t[i:]) {
		return 0
	}
	end := start
	if k == whole || k == secret && bytes.IndexByte(name, '-') > 0 {
		end = f.textEnd(start, len(t))
		if n := f.credentials(start); n > end {
			end = n
		}
		if saysNothing(bytes.TrimSpace(t[start:end])) {
			return 0
		}
		return f.cut(start, end)
	}
	for end < len(t) && end-start < limit(k) && (bytes.IndexByte([]byte(" \t\n\r\"&"), t[end]) < 0 || t[end] == '"' && f.inside(end)) {
		end++
	}
	value := bytes.TrimRight(t[start:end], `\,;})]`)
	n := at - len(name)
	object := n > 0 && t[n-1] == '{' || bytes.IndexByte(t[start+len(value):end], '}') >= 0
	sentence := start > i && t[i-1] == ':' && !object || n > 0 && t[n-1] == '/' // or a title: /wiki/Token:Ring
	if sentence && !looksSecret(value) || !k.holds(name, value) {
		return 0
	}
	return f.cut(start, start+len(value))
}

// isPort reports whether b begins with the port of a host.
func isPort(b []byte) bool {
	n := 0
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	return n > 0 && n <= len("65535") && (n == len(b) || !inCredential[b[n]] || b[n] == '/')
}

// afterFlag implements afterBlank for a flag of a command: --password x.
func (f *finder) afterFlag(name []byte, i int) int {
	t := f.text
	start, end, next, ok := f.quoted(i + 1)
	if !ok {
		start = i + 1
		if end = bytes.IndexAny(t[start:], " \t\n\""); end < 0 {
			end = len(t) - start
		}
		end += start
		next = end
	}
	if k := kindOf(name); k < secret || end > start && t[start] == '-' || !k.holds(name, t[start:end]) {
		return 0
	}
	f.cut(start, end)
	return next
}

// element finds the text of the XML element whose tag ends at i. It returns the end of the
// text, 0 if it is no credential.
func (f *finder) element(i int) int {
	t := f.text
	n := bytes.LastIndexByte(t[max(0, i-longestPath):i], '<')
	if n < 0 || t[i-1] == '/' {
		return 0
	}
	tag := t[max(0, i-longestPath)+n+1 : i]
	n = 0
	for n < len(tag) && n <= longestName && (inName[tag[n]] || tag[n] == ':') {
		n++
	}
	name := tag[:n]
	if at := bytes.LastIndexByte(name, ':'); at >= 0 {
		name = name[at+1:]
	}
	k := kindOf(name)
	if k == harmless {
		return 0
	}
	start := i + 1
	end := bytes.Index(t[start:min(len(t), start+limit(k))], []byte("</"))
	if end < 0 {
		end = f.textEnd(start, start+limit(k)) - start
	}
	if !k.holds(name, t[start:start+end]) {
		return 0
	}
	return f.cut(start, start+end)
}

// userinfo returns the size in bytes of the userinfo that authority begins with.
func userinfo(authority []byte) int {
	whole := authority[:min(len(authority), longestPath)]
	if n := bytes.IndexAny(authority, "/?# \t\"'<>\\"); n >= 0 {
		authority = authority[:n]
	}
	if n := bytes.LastIndexByte(authority, '@'); n >= 0 {
		return n
	}
	// A password may hold slashes that should have been encoded.
	colon := bytes.IndexByte(authority, ':')
	if colon < 0 || isPort(authority[colon+1:]) || len(authority) == colon+1 || bytes.HasPrefix(authority, []byte("[")) {
		return 0
	}
	if n := bytes.IndexAny(whole, " \t\"'<>&\\"); n >= 0 {
		whole = whole[:n]
	}
	return max(bytes.IndexByte(whole, '@'), 0)
}
