package parse

import "bytes"

// A log may hold the whole Authorization header, or a JSON Web Token (RFC 7519)
// in a cookie or a query. What the token says of itself – for whom it is, until
// when it holds – is of use; it was not verified. The token itself is dropped.

// Limits of tokens, in bytes: servers refuse headers of more than 8 to 16 KiB.
const (
	shortestToken = len("eyJhbGciOiJub25lIn0.e30.")
	longestToken  = 16 << 10
)

// authorization reads an Authorization header: the user of Basic (RFC 7617) and
// Digest (RFC 7616), the token of Bearer (RFC 6750) and DPoP (RFC 9449).
func (p *Parser) authorization(b []byte) {
	scheme, rest, _ := bytes.Cut(b, space)
	rest = bytes.TrimLeft(rest, " ")
	switch {
	case equalFold(scheme, "basic"):
		p.said.user = p.basicUser(rest)
	case equalFold(scheme, "digest"):
		p.said.user = quotedParameter(rest, "username")
	case equalFold(scheme, "bearer"), equalFold(scheme, "dpop"), equalFold(scheme, "token"):
		if t := findToken(rest); t != nil {
			p.said.token = t
		}
	}
}

var space = []byte(" ")

// equalFold tells whether b is s, which is in lower case, but for case.
func equalFold(b []byte, s string) bool { return len(b) == len(s) && equalLower(b, s) }

// basicUser gives the user of Basic credentials. The password is not looked at.
func (p *Parser) basicUser(b []byte) []byte {
	if len(b) > longestToken {
		return nil
	}
	text, ok := p.base64(b)
	if !ok {
		return nil
	}
	user, _, ok := bytes.Cut(text, colon)
	if !ok || len(user) == 0 {
		return nil
	}
	return user
}

var colon = []byte(":")

// quotedParameter gives the value of a parameter of a challenge or of
// credentials (RFC 9110, section 11.2): name=value or name="value". It is nil
// where there is none.
func quotedParameter(b []byte, name string) []byte {
	for i := 0; i < len(b); {
		n := i
		for n < len(b) && (b[n]-'0' <= 9 || b[n]|0x20 >= 'a' && b[n]|0x20 <= 'z' || b[n] == '_' || b[n] == '-' || b[n] == '*') {
			n++
		}
		if n == i {
			i++
			continue
		}
		key := b[i:n]
		i = n
		for n < len(b) && b[n] == ' ' {
			n++
		}
		if n == len(b) || b[n] != '=' {
			continue
		}
		n++
		for n < len(b) && b[n] == ' ' {
			n++
		}
		start, end := n, n
		if n < len(b) && b[n] == '"' {
			start++
			for end = start; end < len(b) && b[end] != '"'; end++ {
				if b[end] == '\\' {
					end++
				}
			}
			end = min(end, len(b))
			i = min(end+1, len(b))
		} else {
			for end < len(b) && b[end] != ',' && b[end] != ' ' {
				end++
			}
			i = end
		}
		if equalFold(key, name) {
			return b[start:end]
		}
	}
	return nil
}

// findToken gives the first JSON Web Token in b, nil where there is none: three
// parts in base64url, of which the first two are objects.
func findToken(b []byte) []byte {
	for from := 0; ; {
		i := bytes.Index(b[from:], objectStart)
		if i < 0 {
			return nil
		}
		i += from
		end, dots := i, 0
		for end < len(b) && (base64Digit[b[end]] != 0 || b[end] == '.') {
			if b[end] == '.' {
				dots++
			}
			end++
		}
		if dots == 2 && end-i >= shortestToken && end-i <= longestToken {
			return b[i:end]
		}
		if end == len(b) {
			return nil
		}
		from = end
	}
}

// objectStart is how {" looks in base64.
var objectStart = []byte("eyJ")

// claims takes the claims of a token: sub is the user and sid or jti the
// session, where the line names no other, exp is when it expires.
func (p *Parser) claims(e *Entry, token []byte) {
	_, rest, _ := bytes.Cut(token, point)
	payload, _, _ := bytes.Cut(rest, point)
	text, ok := p.base64(payload)
	if !ok {
		return
	}
	i := skipSpace(text, 0)
	if i == len(text) || text[i] != '{' {
		return
	}
	var user, session, id []byte
	for i++; ; {
		key, value, next := member(text, i)
		if next < 0 {
			break
		}
		i = next
		switch string(key) {
		case "sub":
			user = value
		case "sid":
			session = value
		case "jti":
			id = value
		case "exp":
			if t, ok := parseEpoch(value); ok && t >= minTime && t < maxTime {
				e.TokenExpiry = t
			}
		}
	}
	if len(session) == 0 {
		session = id
	}
	if len(e.User) == 0 && len(p.said.user) == 0 && len(user) <= longestClaim {
		e.User = p.unescape(user)
	}
	// A cookie that is the token is another id with every refresh: sid is not.
	if (len(e.Session) == 0 || bytes.Equal(e.Session, token)) && len(session) > 0 && len(session) <= longestClaim {
		e.Session = p.unescape(session)
	}
}

var point = []byte(".")

// longestClaim bounds in bytes what is taken for a name.
const longestClaim = 512

// member reads the member of an object that begins at i, or at the comma before
// it. value is the text of a string or number, empty of anything else; next is
// -1 at the end, and where the text is no JSON.
func member(b []byte, i int) (key, value []byte, next int) {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ',' {
		i = skipSpace(b, i+1)
	}
	if i >= len(b) || b[i] != '"' {
		return nil, nil, -1
	}
	end := stringEnd(b, i+1)
	if end < 0 {
		return nil, nil, -1
	}
	key = b[i+1 : end]
	if i = skipSpace(b, end+1); i >= len(b) || b[i] != ':' {
		return nil, nil, -1
	}
	if i = skipSpace(b, i+1); i >= len(b) {
		return nil, nil, -1
	}
	if b[i] == '"' {
		if end = stringEnd(b, i+1); end < 0 {
			return nil, nil, -1
		}
		return key, b[i+1 : end], end + 1
	}
	// Anything else ends at the comma or brace of this object.
	start, depth := i, 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			if end = stringEnd(b, i+1); end < 0 {
				return nil, nil, -1
			}
			i = end
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if depth < 0 || depth == 0 && b[i] == ',' {
			break
		}
	}
	if b[start] != '{' && b[start] != '[' {
		value = bytes.TrimSpace(b[start:i])
	}
	return key, value, i
}

// base64Digit gives the six bits of a digit plus one, of both alphabets of
// RFC 4648; 0 is no digit.
var base64Digit = func() (t [256]uint8) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = uint8(i + 1)
	}
	t['+'], t['/'] = t['-'], t['_']
	return t
}()

// base64 decodes b into the scratch memory, padded or not.
func (p *Parser) base64(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "=")
	p.room(len(b))
	n := len(p.scratch)
	bits, have := uint32(0), 0
	for _, c := range b {
		d := base64Digit[c]
		if d == 0 {
			return nil, false
		}
		bits = bits<<6 | uint32(d-1)
		if have += 6; have >= 8 {
			have -= 8
			p.scratch = append(p.scratch, byte(bits>>have))
		}
	}
	return p.scratch[n:len(p.scratch):len(p.scratch)], true
}
