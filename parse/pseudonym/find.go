package pseudonym

import (
	"bytes"
	"net/netip"

	"logscan/parse/redact/view"
)

// span is a part of a text, and what is to stand there instead.
type span struct {
	start, end int
	with       []byte
}

var dot, colon = []byte("."), []byte(":")

// email stands for every e-mail address.
var email = []byte("{email}")

// find gives the names in b, in their order and apart. It is valid until the
// next call.
func (m *Mask) find(b []byte, own bool) []span {
	m.spans = m.spans[:0]
	own = own && len(m.own) > 0
	// Most texts have nothing of what an address or a parameter is made of.
	encoded := view.Encoded(b)
	dots, colons := encoded || bytes.Count(b, dot) >= 3, encoded || bytes.Count(b, colon) >= 2
	if !encoded && bytes.IndexByte(b, '@') < 0 && (m.Key == nil || !own && !dots && !colons && bytes.IndexByte(b, '=') < 0 && bytes.IndexByte(b, '"') < 0) {
		return nil
	}
	seen := view.Of(b)
	v := &seen
	t := v.Text
	for i := 0; i < len(t); {
		start, end, with := i, 0, []byte(nil)
		if own {
			end, with = m.ownAt(t, i)
		}
		switch c := t[i]; {
		case end > 0:
		case c == '@':
			if start, end = emailAround(t, i); start == end {
				break
			}
			m.drop(v.Source(start))
			if with = email; !m.Emails {
				with = m.User(t[start:end])
			}
		case m.Key == nil:
		case c == '=' || c == ':' && i > 0 && t[i-1] == '"':
			if start, end = valueOfUser(v, i); end > start {
				with = m.User(t[start:end])
			}
		case dots && c-'0' <= 9, colons && (c-'0' <= 9 || c-'a' <= 5 || c-'A' <= 5 || c == ':'):
			a, n := addressAt(t, i)
			if end = n; n > i && a.IsValid() && !m.stays(t, i, a) {
				with = m.address(a)
			}
		}
		if with != nil {
			m.spans = append(m.spans, span{v.Source(start), v.Source(end), with})
		}
		i = max(i+1, end)
	}
	return m.spans
}

// drop takes back what was found from a place on: it is part of an e-mail
// address.
func (m *Mask) drop(from int) {
	for n := len(m.spans); n > 0 && m.spans[n-1].start >= from; n-- {
		m.spans = m.spans[:n-1]
	}
}

// ownAt gives where a name of the line at hand ends that begins at i, and what
// stands for it; 0 where none does.
func (m *Mask) ownAt(t []byte, i int) (end int, with []byte) {
	for j := range m.own {
		o := &m.own[j]
		n := i + len(o.name)
		if n > len(t) || t[i]|0x20 != o.name[0]|0x20 || !bytes.EqualFold(t[i:n], o.name) || !m.apart(t, i, n) {
			continue
		}
		if o.kind == User {
			return n, m.User(o.full)
		}
		return n, m.Address(o.full)
	}
	return 0, nil
}

// apart tells whether t[i:n] is not a part of a longer word.
func (m *Mask) apart(t []byte, i, n int) bool {
	if n-i < shortName {
		return (i == 0 || separator[t[i-1]]) && (n == len(t) || separator[t[n]])
	}
	return (i == 0 || !inWord[t[i-1]] || !inWord[t[i]]) && (n == len(t) || !inWord[t[n]] || !inWord[t[n-1]])
}

// stays tells whether an address that begins at i is that of a host or a
// backend of the line, and not that of its client.
func (m *Mask) stays(t []byte, i int, a netip.Addr) bool {
	for _, k := range m.keep {
		if len(k) == 0 || !bytes.HasPrefix(t[i:], k) && !(k[0] == '[' && i > 0 && bytes.HasPrefix(t[i-1:], k)) {
			continue
		}
		var scratch [64]byte
		return !bytes.Equal(a.Unmap().AppendTo(scratch[:0]), m.client)
	}
	return false
}

// inWord are the bytes of words, separator those that stand between values.
var inWord, separator = func() (word, between [256]bool) {
	for c := range word {
		word[c] = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
	}
	for _, c := range []byte(" \t\"'/?&=;:,()[]{}<>") {
		between[c] = true
	}
	return word, between
}()

// longestAddress is the most bytes of an address.
const longestAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")

// addressAt reads the address that begins at i. Where end is i there is none;
// where it is not and a is not valid, what stands there is a version.
func addressAt(t []byte, i int) (a netip.Addr, end int) {
	c := t[i]
	if c-'0' > 9 && c-'a' > 5 && c-'A' > 5 && c != ':' {
		return a, i
	}
	if i == 0 || !inWord[t[i-1]] && t[i-1] != ':' {
		n, colons := i, 0
		for n < len(t) && n-i <= longestAddress && (t[n]-'0' <= 9 || t[n]-'a' <= 5 || t[n]-'A' <= 5 || t[n] == ':' || t[n] == '.') {
			if t[n] == ':' {
				colons++
			}
			n++
		}
		if colons >= 2 && (n == len(t) || !inWord[t[n]]) {
			for n > i && (t[n-1] == '.' || t[n-1] == ':' && (n-2 < i || t[n-2] != ':')) {
				n--
			}
			if a, err := netip.ParseAddr(string(t[i:n])); err == nil && !a.IsUnspecified() {
				return a, n
			}
		}
	}
	if c-'0' > 9 || i > 0 && (t[i-1]-'0' <= 9 || t[i-1] == '.') {
		return a, i
	}
	n := i
	for n < len(t) && n-i <= longestAddress && (t[n]-'0' <= 9 || t[n] == '.') {
		n++
	}
	for t[n-1] == '.' {
		n--
	}
	if a, ok := parseIPv4(t[i:n]); ok && !version(t, i, n) {
		return a, n
	}
	return netip.Addr{}, n
}

// parseIPv4 reads four decimal bytes, as netip.ParseAddr does, which wants a
// string: nearly every line has an address.
func parseIPv4(b []byte) (netip.Addr, bool) {
	var a [4]byte
	part, n, digits := 0, 0, 0
	for _, c := range b {
		switch {
		case c == '.' && digits > 0 && part < 3:
			a[part] = byte(n)
			part, n, digits = part+1, 0, 0
		case c == '.', digits > 0 && n == 0: // 01 is octal to some
			return netip.Addr{}, false
		default:
			if n, digits = n*10+int(c-'0'), digits+1; n > 255 {
				return netip.Addr{}, false
			}
		}
	}
	a[part] = byte(n)
	return netip.AddrFrom4(a), part == 3 && digits > 0
}

// version tells whether t[i:n] is the version of a product, as in
// Chrome/120.0.0.0: no client has an address with such an end.
func version(t []byte, i, n int) bool {
	return i >= 2 && t[i-1] == '/' && t[i-2]|0x20 >= 'a' && t[i-2]|0x20 <= 'z' && bytes.HasSuffix(t[i:n], []byte(".0.0"))
}

// redacted is what package redact leaves of the userinfo of a URL.
const redacted = "REDACTED"

// longestEmail is the most bytes of each part of an e-mail address (RFC 5321,
// section 4.5.3.1).
const longestEmail = 255

// emailAround gives where the e-mail address is whose @ stands at i; there is
// none where start is end.
func emailAround(t []byte, i int) (start, end int) {
	start = i
	for start > 0 && i-start < longestEmail && (inWord[t[start-1]] || bytes.IndexByte([]byte("._%+-"), t[start-1]) >= 0) {
		start--
	}
	end = i + 1
	dot := 0
	for end < len(t) && end-i < longestEmail && (inWord[t[end]] || t[end] == '-' || t[end] == '.') {
		if t[end] == '.' {
			dot = end
		}
		end++
	}
	if dot == end-1 && dot > 0 { // the end of a sentence
		end--
		dot = i + 1 + bytes.LastIndexByte(t[i+1:end], '.')
	}
	if start == i || string(t[start:i]) == redacted || dot <= i+1 || end-dot < 3 || t[dot+1]-'0' <= 9 {
		return i, i
	}
	return start, end
}

// valueOfUser gives where the value stands that belongs to the name before i, an
// equals sign or the colon behind a JSON key, where the name says that it is a
// user; start is end where it does not.
func valueOfUser(v *view.View, i int) (start, end int) {
	t := v.Text
	if t[i] == '=' {
		if !names(nameBefore(t[:i])) {
			return i, i
		}
		start, end = parameterValue(v, i)
	} else {
		if !names(nameBefore(bytes.TrimRight(t[:i], `"`))) {
			return i, i
		}
		start, end = jsonValue(v, i)
	}
	if string(t[start:end]) == "-" { // nobody
		return i, i
	}
	return start, end
}

// parameterValue gives where the value of a parameter stands whose = is at i.
func parameterValue(v *view.View, i int) (start, end int) {
	t := v.Text
	start = i + 1
	nested := v.Width(i) > 1 // a URL within a URL: what ends its value is encoded too
	for end = start; end < len(t); end++ {
		if (nested || v.Width(end) == 1) && bytes.IndexByte([]byte("&#; \t\"'<>,)]}\n"), t[end]) >= 0 {
			break
		}
	}
	return start, end
}

// jsonValue gives where the text or number stands that follows a colon at i. The
// JSON may itself stand in a string.
func jsonValue(v *view.View, i int) (start, end int) {
	t := v.Text
	start = i + 1
	for start < len(t) && (t[start] == ' ' || t[start] == '[') {
		start++
	}
	if end = start; end == len(t) || t[end] != '"' {
		for end < len(t) && t[end]-'0' <= 9 { // true and null are nobody
			end++
		}
		return start, end
	}
	quote := v.Width(start)
	start++
	end = start
	for end < len(t) && (t[end] != '"' || v.Width(end) != quote) {
		end++
	}
	return start, end
}

// longestName bounds how far back the name of a parameter is looked for.
const longestName = 64

func nameBefore(t []byte) []byte {
	n := len(t)
	for n > 0 && len(t)-n < longestName && (inWord[t[n-1]] || bytes.IndexByte([]byte("_-.[]$"), t[n-1]) >= 0) {
		n--
	}
	return t[n:]
}

// names tells whether a parameter's or key's name says that its value is a
// user: one of userWords, or such a word after a separator, as customer_email
// and user[login].
func names(name []byte) bool {
	name = bytes.TrimRight(name, "]")
	if len(name) == 0 {
		return false
	}
	var scratch [longestName]byte
	low := scratch[:copy(scratch[:], name)]
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c | 0x20
		}
	}
	if userWords[string(low)] {
		return true
	}
	if i := bytes.LastIndexAny(low, "_-.["); i >= 0 {
		switch string(low[i+1:]) {
		case "user", "username", "userid", "login", "email", "mail", "upn":
			return true
		}
	}
	return false
}

// userWords are names of parameters and keys whose value is a user.
var userWords = map[string]bool{
	"user": true, "username": true, "user_name": true, "user-name": true, "user.name": true, "userid": true, "user_id": true, "user-id": true, "user.id": true,
	"uid": true, "uname": true, "login": true, "login_name": true, "loginname": true, "loginid": true, "login_id": true, "login_hint": true,
	"email": true, "e-mail": true, "mail": true, "emailaddress": true, "email_address": true, "mailaddress": true,
	"account": true, "account_name": true, "accountname": true, "nick": true, "nickname": true, "principal": true, "preferred_username": true,
	"upn": true, "samaccountname": true, "sub": true, "subject": true, "screen_name": true, "remoteuser": true, "enduser": true, "member": true,
}
