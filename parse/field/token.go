package field

import (
	"bytes"

	"logscan/parse/scan"
)

// A log may hold a whole Authorization header, or a JSON Web Token (RFC 7519) in a
// cookie or a query. The claims of the token are used, though it was not verified;
// the token itself is dropped.

// ShortestToken is the least length of a token in bytes.
const ShortestToken = len("eyJhbGciOiJub25lIn0.e30.")

// longestToken is the greatest length of a token in bytes: servers refuse headers
// of more than 8 to 16 KiB.
const longestToken = 16 << 10

// ReadAuthorization stores what an Authorization header contains: the user of
// Basic (RFC 7617) and Digest (RFC 7616), the token of Bearer (RFC 6750) and DPoP
// (RFC 9449).
func (h *Hints) ReadAuthorization(s *scan.Scratch, header []byte) {
	scheme, rest, _ := bytes.Cut(header, space)
	rest = bytes.TrimLeft(rest, " ")
	switch {
	case equalFold(scheme, "basic"):
		h.User = basicUser(s, rest)
	case equalFold(scheme, "digest"):
		h.User = quotedParameter(rest, "username")
	case equalFold(scheme, "bearer"), equalFold(scheme, "dpop"), equalFold(scheme, "token"):
		if t := FindToken(rest); t != nil {
			h.Token = t
		}
	}
}

var space = []byte(" ")

// equalFold reports whether b equals s, which is in lower case, ignoring case.
func equalFold(b []byte, s string) bool { return len(b) == len(s) && equalLower(b, s) }

// basicUser returns the user of Basic credentials, nil if there is none. The
// password is ignored.
func basicUser(s *scan.Scratch, b []byte) []byte {
	if len(b) > longestToken {
		return nil
	}
	text, ok := decodeBase64(s, b)
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

// quotedParameter returns the value of a parameter of a challenge or of
// credentials (RFC 9110, section 11.2), name=value or name="value", nil if there
// is none.
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

// FindToken returns the first JSON Web Token in b, nil if there is none: three
// parts in base64url, of which the first two are objects.
func FindToken(b []byte) []byte {
	for from := 0; ; {
		i := bytes.Index(b[from:], tokenStart)
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
		if dots == 2 && end-i >= ShortestToken && end-i <= longestToken {
			return b[i:end]
		}
		if end == len(b) {
			return nil
		}
		from = end
	}
}

// tokenStart is {" in base64.
var tokenStart = []byte("eyJ")

// StartsToken reports whether b is long enough for a token and begins like one.
func StartsToken(b []byte) bool {
	return len(b) >= ShortestToken && scan.HasPrefix(b, tokenStart)
}

// Claims are the claims of a token that are used. Texts are JSON strings without
// quotes, with their escapes; they are empty if the token does not have them.
type Claims struct {
	User    []byte // sub
	Session []byte // sid, or else jti
	Expiry  int64  // exp, in Unix microseconds; 0 if there is none
}

// TokenClaims returns the claims of a token, none if it cannot be read.
func TokenClaims(s *scan.Scratch, token []byte) (c Claims) {
	_, rest, _ := bytes.Cut(token, point)
	payload, _, _ := bytes.Cut(rest, point)
	text, ok := decodeBase64(s, payload)
	if !ok {
		return c
	}
	var id []byte
	for m := scan.ObjectMembers(text); m.Next(); {
		value := m.Value()
		if !m.Quoted {
			value = bytes.TrimSpace(value)
			if len(value) > 0 && (value[0] == '{' || value[0] == '[') {
				value = nil
			}
		}
		switch string(m.Key) {
		case "sub":
			c.User = value
		case "sid":
			c.Session = value
		case "jti":
			id = value
		case "exp":
			if t, ok := parseEpoch(value); ok && t >= MinTime && t < MaxTime {
				c.Expiry = t
			}
		}
	}
	if len(c.Session) == 0 {
		c.Session = id
	}
	if len(c.User) > LongestClaim {
		c.User = nil
	}
	if len(c.Session) > LongestClaim {
		c.Session = nil
	}
	return c
}

var point = []byte(".")

// LongestClaim is the greatest length in bytes of a claim that is used.
const LongestClaim = 512

// base64Digit maps a digit of either alphabet of RFC 4648 to its six bits plus
// one, other bytes to 0.
var base64Digit = func() (t [256]uint8) {
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = uint8(i + 1)
	}
	t['+'], t['/'] = t['-'], t['_']
	return t
}()

// decodeBase64 decodes b, padded or not.
func decodeBase64(s *scan.Scratch, b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "=")
	text := s.Grow(len(b))
	bits, have := uint32(0), 0
	for _, c := range b {
		d := base64Digit[c]
		if d == 0 {
			return nil, false
		}
		bits = bits<<6 | uint32(d-1)
		if have += 6; have >= 8 {
			have -= 8
			text = append(text, byte(bits>>have))
		}
	}
	return s.Keep(text), true
}
