package privacy

import (
	"bytes"
	"slices"
)

// credentialAfterColon finds the credential that the colon at i announces: the value of a
// JSON key or a header, or the userinfo of a URL. start equals end if there is none.
func credentialAfterColon(b []byte, from, i int) (start, end int) {
	if bytes.HasPrefix(b[i:], []byte("://")) {
		return i + 3, i + 3 + userinfo(b[i+3:])
	}
	before := bytes.TrimRight(b[from:i], " \t")
	quote := bytes.TrimRight(before, `"\`)
	name := nameBefore(quote, &inName)
	if !secretName(name) && !bytes.EqualFold(name, []byte("cookie")) && !bytes.EqualFold(name, []byte("set-cookie")) &&
		!bytes.EqualFold(name, []byte("http_cookie")) && !bytes.EqualFold(name, []byte("request_cookie")) {
		return i, i
	}
	start = i + 1
	for start < len(b) && (b[start] == ' ' || b[start] == '[') {
		start++
	}
	if len(quote) == len(before) { // a header: to the end of the quoted text or line
		if end = bytes.IndexAny(b[start:], "\"\n"); end < 0 {
			return start, len(b)
		}
		return start, start + end
	}
	// A JSON value, perhaps within an escaped string.
	n := start
	for n < len(b) && b[n] == '\\' {
		n++
	}
	slashes := n - start
	if n == len(b) || b[n] != '"' {
		if end = bytes.IndexAny(b[start:], ",}]\"\n"); end < 0 {
			return start, len(b)
		}
		return start, start + end
	}
	start = n + 1
	for end = start; end < len(b); end++ {
		if b[end] != '"' {
			continue
		}
		k := 0
		for end-1-k >= start && b[end-1-k] == '\\' {
			k++
		}
		if k <= slashes {
			end -= k
			break
		}
	}
	return start, min(end, len(b))
}

// userinfo returns the size in bytes of the userinfo that authority begins with.
func userinfo(authority []byte) int {
	if n := bytes.IndexAny(authority, "/?# \t\"'<>\\"); n >= 0 {
		authority = authority[:n]
	}
	return max(bytes.LastIndexByte(authority, '@'), 0)
}

// relativeUserinfo finds the userinfo of a URL without a scheme whose slashes begin at i.
// It must contain a password, because paths may begin with two slashes as well.
func relativeUserinfo(b []byte, i int) (start, end int) {
	start = i + 2
	end = start + userinfo(b[start:])
	if bytes.IndexByte(b[start:end], ':') < 0 {
		return i, i
	}
	return start, end
}

// schemes are the authentication schemes whose credentials are one token:
// https://www.iana.org/assignments/http-authschemes
var schemes = [][]byte{
	[]byte("bearer"), []byte("basic"), []byte("negotiate"), []byte("ntlm"), []byte("dpop"), []byte("token"), []byte("apikey"),
}

// schemesBy and keysBy hold the schemes and known keys by their first byte.
var schemesBy, keysBy = func() (schemesBy [256][][]byte, keysBy [256][]serviceKey) {
	for _, s := range schemes {
		schemesBy[s[0]] = append(schemesBy[s[0]], s)
		schemesBy[s[0]&^0x20] = schemesBy[s[0]]
	}
	for _, k := range knownKeys {
		keysBy[k.prefix[0]] = append(keysBy[k.prefix[0]], k)
	}
	return schemesBy, keysBy
}()

// credentialAfterScheme finds the credential behind the name of an authentication scheme at
// i.
func credentialAfterScheme(b []byte, i int) (start, end int) {
	for _, scheme := range schemesBy[b[i]] {
		n := i + len(scheme)
		if len(b) <= n || b[i+1]|0x20 != scheme[1] || !bytes.EqualFold(b[i:n], scheme) {
			continue
		}
		gap := 0
		if b[n] == ' ' || b[n] == '+' {
			for n+gap < len(b) && b[n+gap] == b[n] {
				gap++
			}
		}
		least := 6
		if c := scheme[0]; c == 't' || c == 'n' || c == 'a' {
			least = 16 // these names are also words: what follows may be another word
		}
		start = n + gap
		if run := tokenRun(b[start:]); gap > 0 && run >= least && !challengeParameter(b[start:]) && !schemeName(b[start:start+run]) {
			return start, start + run
		}
	}
	if n := i + len("digest "); b[i]|0x20 == 'd' && len(b) > n && bytes.EqualFold(b[i:n], []byte("digest ")) {
		return n, digestEnd(b, n)
	}
	return i, i
}

// digestEnd returns where the Digest credentials that begin at n end, or n if a challenge
// stands there. Several of their parameters help to guess the password, so all are removed:
// up to the quote that closes the field of the line if quotes within it are escaped, else
// to the end of the line.
func digestEnd(b []byte, n int) int {
	value := b[n:]
	if i := bytes.IndexByte(value, '\n'); i >= 0 {
		value = value[:i]
	}
	name := bytes.IndexByte(value, '=')
	if name < 0 || name > 64 || !bytes.Contains(value[:name], []byte("user")) {
		return n
	}
	if rest := value[name+1:]; len(rest) > 0 && rest[0] != '\\' {
		return n + len(value)
	}
	for i, c := range value {
		if c == '"' && i > 0 && value[i-1] != '\\' {
			return n + i
		}
	}
	return n + len(value)
}

// schemeName reports whether b is the name of a scheme. Some clients send the name twice,
// with the credential behind the second.
func schemeName(b []byte) bool {
	return slices.ContainsFunc(schemes, func(s []byte) bool { return bytes.EqualFold(b, s) })
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

// serviceKey describes the keys of a service: their prefix and the minimum number of bytes
// that follow it.
type serviceKey struct {
	prefix string
	least  int
}

// knownKeys are those of well-known services. A short prefix, or one that is a word, needs
// more bytes behind it.
var knownKeys = func() (keys []serviceKey) {
	for _, k := range []string{
		"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-",
		"sk_live_", "sk_test_", "rk_live_", "sk-proj-", "sk-ant-", "AIza", "ya29.", "npm_", "pypi-AgE", "dop_v1_", "shpat_", "shpss_", "shpca_",
		"AKIA", "ASIA", "dckr_pat_", "whsec_", "sntrys_", "figd_", "lin_api_", "rubygems_", "hvs.", "glsa_", "PMAK-", "ATATT", "SG.",
	} {
		keys = append(keys, serviceKey{k, 16})
	}
	return append(keys, serviceKey{"hf_", 30}, serviceKey{"dapi", 32})
}()

// knownKey finds the key of a service at i: a known prefix with enough bytes behind it.
func knownKey(b []byte, i int) (start, end int) {
	for _, k := range keysBy[b[i]] {
		if len(b)-i < len(k.prefix) || b[i+1] != k.prefix[1] || string(b[i:i+len(k.prefix)]) != k.prefix {
			continue
		}
		dotted := k.prefix[len(k.prefix)-1] == '.'
		n := i + len(k.prefix)
		for n < len(b) && (base64URL[b[n]] || b[n] == '.' && dotted || b[n] == '{' || b[n] == '}') { // {id}: in a route
			n++
		}
		if n-i-len(k.prefix) >= k.least {
			return i, n
		}
	}
	return i, i
}

// cookielessSession finds the session id that ASP.NET puts into a path, at i: (S(id)). F
// instead of S is a forms ticket, A that of an anonymous user.
func cookielessSession(b []byte, i int) (start, end int) {
	if i == 0 || b[i-1] != '/' || len(b)-i < len("(S(x))") || b[i+2] != '(' || b[i+1] != 'S' && b[i+1] != 'F' && b[i+1] != 'A' {
		return i, i
	}
	n := i + 1
	for n < len(b) && b[n] != '/' && b[n] != ' ' && b[n] != '"' && b[n] != '?' {
		n++
	}
	if b[n-1] != ')' || n-1 <= i+1 || b[n-2] != ')' {
		return i, i
	}
	return i + 1, n - 1
}

// tokenRun returns the length in bytes of the token at the start of b, padding included.
func tokenRun(b []byte) int {
	n := 0
	for n < len(b) && inCredential[b[n]] {
		n++
	}
	return n
}

// valueEnd returns where the value that starts at i ends: at a delimiter that is encoded no
// more often than the byte before the value.
func valueEnd(v *view, i int) int {
	b, width := v.text, 1
	if i > 0 {
		width = v.width(i - 1)
	}
	for i < len(b) {
		switch b[i] {
		case '&', '#', ' ', '\t', '"', '\'', '<', '>', ';', '\n':
			if v.width(i) <= width {
				return i
			}
		}
		i++
	}
	return i
}
