package privacy

import (
	"bytes"
)

// redacted replaces a credential.
const redacted = "REDACTED"

// RedactLine appends a raw line of any format to dst without its credentials. session is
// the session id parsed from the line, or nil; every occurrence of it is replaced.
func RedactLine(dst, line, session []byte) []byte {
	if len(session) >= 4 && bytes.Contains(line, session) {
		line = bytes.ReplaceAll(line, session, []byte(redacted))
	}
	return Redact(dst, line)
}

// Redact appends b to dst without its credentials. Redacting a text twice is harmless.
//
// Credentials are looked for in b as it is written, and then in what it means once fully
// decoded: as the value of another URL, in JSON.
func Redact(dst, b []byte) []byte {
	n := len(dst)
	dst = appendClean(dst, b, plainView(b))
	if !encoded(dst[n:]) {
		return dst
	}
	var text, clean [usual]byte
	var at [usual + 1]int32
	return append(dst[:n], appendClean(clean[:0], dst[n:], viewIn(text[:0], at[:0], dst[n:]))...)
}

// usual is the size in bytes of a stack buffer that fits the view of most texts.
const usual = 256

// appendClean appends source without the credentials that its view v holds.
func appendClean(dst, source []byte, v view) []byte {
	b := v.text
	from := 0 // b[from:] is not in dst yet
	cut := func(start, end int) {
		dst = append(append(dst, source[v.source(from):v.source(start)]...), redacted...)
		from = end
	}
	for i := 0; i < len(b); i++ {
		start, end := i, i
		switch b[i] {
		case '=':
			if name := nameBefore(b[from:i], &inName); secretName(name) {
				start, end = i+1, valueEnd(&v, i+1)
				if n := i - len(name); n > 0 && b[n-1] == ';' { // a path parameter, or a cookie
					if q := bytes.IndexAny(b[start:end], "?/"); q >= 0 && bytes.IndexByte(b[:n], '/') >= 0 {
						end = start + q
					}
				}
			}
		case '/':
			if i+1 < len(b) && b[i+1] == '/' {
				start, end = relativeUserinfo(b, i)
			}
		case ':':
			start, end = credentialAfterColon(b, from, i)
		case '(':
			start, end = cookielessSession(b, i)
		case 'e':
			if bytes.HasPrefix(b[i:], []byte("eyJ")) && (i == 0 || !base64URL[b[i-1]]) {
				n := 0
				for i+n < len(b) && inToken[b[i+n]] {
					n++
				}
				if n >= 20 && bytes.IndexByte(b[i:i+n], '.') > 0 {
					end = i + n
				}
			}
		default:
			if i > 0 && inToken[b[i-1]] {
				continue
			}
			if schemesBy[b[i]] != nil {
				start, end = credentialAfterScheme(b, i)
			}
			if end == start && keysBy[b[i]] != nil {
				start, end = knownKey(b, i)
			}
		}
		if end > start {
			cut(start, end)
			i = end - 1
		}
	}
	return append(dst, source[v.source(from):]...)
}
