package privacy

import (
	"bytes"
	"encoding/base64"
)

// schemes maps the names of authentication schemes, in lower case, to the size in bytes
// from which what follows them may be a credential: names that are also
// words need more. https://www.iana.org/assignments/http-authschemes
var schemes = map[string]int{
	"bearer": 6, "basic": 6, "negotiate": 6, "ntlm": 6, "dpop": 6, "digest": 6, "kerberos": 6, "gnap": 6, "hoba": 6, "hawk": 6, "vapid": 6, "webpush": 6,
	"scram-sha-1": 6, "scram-sha-256": 6, "privatetoken": 6, "concealed": 6, "ssws": 6, "geniekey": 6, "sharedkey": 6, "sharedkeylite": 6,
	"sharedaccesssignature": 6, "googlelogin": 6, "zoho-oauthtoken": 6, "apikey": 6, "api-key": 6, "apitoken": 6, "api-token": 6, "bearertoken": 6, "jwt": 6, "oauth2": 6,
	"pve": 6, "macaroon": 6, "splunk": 6, "discogs": 6, "wsse": 6, "passport": 6, "authsub": 6, "pvetoken": 6, "pveapitoken": 6, "aws": 6, "aws4-hmac-sha256": 6, "oauth": 6, "hmac": 6, "usernametoken": 6,
	"token": 16, "key": 16, "mutual": 16, "mac": 16, "signature": 16, "bot": 16, "session": 16, "client-id": 16, "secret": 16, "acs": 16, "oss": 16, "bce": 16, "gateway": 16,
}

// signedSchemes are endings of the names of schemes that sign requests, such as
// TC3-HMAC-SHA256 and goog4-rsa-sha256.
var signedSchemes = [][]byte{[]byte("-hmac-sha256"), []byte("-rsa-sha256"), []byte("-ecdsa-p256-sha256"), []byte("-hmac-sha512"), []byte("-hmac-sha1"), []byte("-hmac"), []byte("-hmac-sm3")}

// longestScheme is the longest name of a scheme in bytes.
const longestScheme = 32

// schemeLengths holds, by the last byte of the names of schemes, their lengths, as a set: most
// words are told from names by it.
var schemeLengths = func() (set [256]uint64) {
	for name := range schemes {
		set[name[len(name)-1]] |= 1 << len(name)
	}
	for _, s := range signedSchemes {
		for n := len(s); n <= longestScheme; n++ {
			set[s[len(s)-1]] |= 1 << n
		}
	}
	for c := byte('a'); c <= 'z'; c++ {
		set[c&^0x20] = set[c]
	}
	return set
}()

// inScheme holds the bytes of names of schemes.
var inScheme = classOf(func(c byte) bool { return isAlnum(c) || c == '-' })

// schemeLeast returns the size in bytes from which what follows a scheme is looked at, 0 if
// name is not the name of a scheme.
func schemeLeast(name []byte) int {
	if len(name) < len("key") || len(name) > longestScheme || schemeLengths[name[len(name)-1]]>>len(name)&1 == 0 {
		return 0
	}
	var scratch [longestName]byte
	low := lowerName(&scratch, name)
	if n := schemes[string(low)]; n > 0 {
		return n
	}
	for _, s := range signedSchemes {
		if bytes.IndexByte(low, '-') < 0 {
			break
		}
		if bytes.HasSuffix(low, s) {
			return oddValue
		}
	}
	return 0
}

// isScheme reports whether a word is the name of a scheme. Some clients send the name
// twice, with the credential behind the second.
func isScheme(word []byte) bool { return schemeLeast(word) > 0 }

// afterBlank finds the credential behind the blank at i, if the name of an authentication
// scheme or a flag stands before it. It returns the end of the credential, 0 if there is none.
func (f *finder) afterBlank(i int) int {
	if i == 0 || !inName[f.text[i-1]] {
		return 0
	}
	name := nameBefore(f.text[f.from:i], &inName)
	if len(name) > 2 && name[0] == '-' && name[1] == '-' {
		return f.afterFlag(name, i)
	}
	return f.afterScheme(name, i)
}

// afterScheme implements afterBlank for the name of a scheme.
func (f *finder) afterScheme(name []byte, i int) int {
	t := f.text
	least := schemeLeast(name)
	if n := i - len(name); least == 0 || n > 0 && inToken[t[n-1]] {
		return 0
	}
	if n := i - len(name); n > 0 && t[n-1] == '"' {
		least = min(least, oddValue) // the field of a line, and no text
	}
	start := i
	for start < len(t) && t[start] == t[i] {
		start++
	}
	if bytes.EqualFold(name, []byte("digest")) {
		if end := f.digestEnd(start); end > start {
			return f.cut(start, end)
		}
	}
	if end := f.parameters(start, false); end > start {
		return f.cut(start, end)
	}
	run := start + tokenRun(t[start:])
	word := t[start:run]
	if len(word) < least || challengeParameter(word) || isScheme(word) || string(word) == redacted {
		return 0
	}
	if !looksSecret(word) && !isLongWord(word) && !(bytes.EqualFold(name, []byte("basic")) && isBasic(word)) {
		return 0
	}
	if least > oddValue && !LooksLikeKey(word) {
		return 0
	}
	return f.cut(start, run)
}

// isLongWord reports whether a word is longer than those of a language, or ends as base64
// does.
func isLongWord(w []byte) bool {
	return len(w) > oddValue && w[len(w)-1] == '=' || len(w) > longestWord && !bytes.ContainsAny(w, "-_%")
}

// isBasic reports whether a word is the base64 of a user and a password.
func isBasic(w []byte) bool {
	w = bytes.TrimRight(w[:min(len(w), judged)], "=")
	var text [judged]byte
	n, _ := base64.RawStdEncoding.Decode(text[:], w[:len(w)/4*4])
	rest, _ := base64.RawStdEncoding.Decode(text[n:], w[len(w)/4*4:])
	return bytes.IndexByte(text[:n+rest], ':') >= 0
}

// credentials returns the end of the credentials at i, with the name of their scheme or
// without, i if there are none.
func (f *finder) credentials(i int) int {
	t := f.text
	n := i
	for n < len(t) && inScheme[t[n]] && n-i <= longestScheme {
		n++
	}
	if n > i && n < len(t) && t[n] == ' ' {
		i = f.blanks(n)
	}
	if end := f.parameters(i, true); end > i {
		return end
	}
	return i + tokenRun(t[i:])
}

// longestParameters is how many bytes a list of parameters may have.
const longestParameters = 8 << 10

// parameters returns the end of the list of parameters at i (RFC 9110, section 11.4), i if
// there is none: name="x", response="y". Unless proves, one of them must be of credentials and
// not of a challenge.
func (f *finder) parameters(i int, proves bool) int {
	t := f.text
	end := i
	for n := i; n < len(t) && n-i < longestParameters; {
		name := n
		for n < len(t) && (inScheme[t[n]] || t[n] == '_' || t[n] == '*') {
			n++
		}
		if n == name || n == len(t) || t[n] != '=' {
			break
		}
		proves = proves || provingParameter(t[name:n])
		if start, closed, next, ok := f.quoted(n + 1); ok && start < len(t) && next-n < longestParameters {
			n, end = next, closed
			if next > closed && (closed == len(t) || f.text[next-1] == '"') {
				end = next
			}
		} else {
			for n++; n < len(t) && bytes.IndexByte([]byte(", \"\t\n"), t[n]) < 0; {
				n++
			}
			end = n
		}
		if n == len(t) || t[n] != ',' {
			break
		}
		n = f.blanks(n + 1)
	}
	if !proves {
		return i
	}
	return end
}

// provingParameter reports whether a parameter of this name is in credentials and not in a
// challenge.
func provingParameter(name []byte) bool {
	switch string(bytes.ToLower(name)) {
	case "response", "signature", "mac", "oauth_signature", "oauth_token", "oauth_consumer_key", "credential", "sig", "cnonce", "hmac", "id", "keyid", "username", "user", "auth",
		"token", "client_token", "access_token", "result", "passworddigest", "k", "t", "app_id", "key", "secret", "data", "sid", "p", "a":
		return true
	}
	return false
}

// digestEnd returns where the Digest credentials that begin at n end, or n if a challenge
// stands there. Several of their parameters help to guess the password, so all are removed:
// up to the quote that closes the field of the line if quotes within it are escaped, else
// to the end of the line.
func (f *finder) digestEnd(n int) int {
	value := f.text[n:]
	name := bytes.IndexByte(value[:min(len(value), longestName)], '=')
	if name < 0 || !bytes.Contains(value[:name], []byte("user")) || bytes.IndexByte(value[:name], '\n') >= 0 {
		return n
	}
	if i := bytes.IndexByte(value, '\n'); i >= 0 {
		value = value[:i]
	}
	if rest := value[name+1:]; len(rest) > 0 && rest[0] != '\\' {
		return max(f.parameters(n, false), n+name+1)
	}
	for i, c := range value {
		if c == '"' && i > 0 && value[i-1] != '\\' {
			return n + i
		}
	}
	return n + len(value)
}

// challengeParameter reports whether b begins with a parameter of a challenge, as in Basic
// realm="x".
func challengeParameter(b []byte) bool {
	for _, name := range []string{"realm=", "error=", "charset=", "scope=", "nonce=", "algs="} {
		if len(b) >= len(name) && bytes.EqualFold(b[:len(name)], []byte(name)) {
			return true
		}
	}
	return false
}

// tokenRun returns the length in bytes of the token at the start of b, padding included.
// The user of a signature may stand before it: AWS AKIA…:base64.
func tokenRun(b []byte) int {
	n := 0
	for n < len(b) && (inCredential[b[n]] || b[n] == ':' && n+1 < len(b) && inCredential[b[n+1]]) {
		n++
	}
	return n
}
