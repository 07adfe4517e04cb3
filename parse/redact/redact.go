// Package redact takes credentials out of what leaves the program.
//
// In: any text of a log: a URL or a part of one, a header's value, a raw line.
// Out: the same text with every credential replaced by REDACTED. They end up in
// access logs in the query of a URL, in cookies and headers that are logged, in
// the path.
//
// What counts as a credential: the value of a parameter, cookie, header or JSON
// key whose name says so; a JSON Web Token wherever it stands (RFC 7519); keys
// of services whose beginning tells them; what follows the name of an
// authentication scheme; the userinfo of a URL (RFC 3986, section 3.2.1); a
// session id that ASP.NET puts into the path.
package redact

import (
	"bytes"

	"logscan/parse/redact/view"
)

const redacted = "REDACTED"

// AppendLine appends a raw line of any format. session is the session id that
// was parsed of it, or nil: it is replaced wherever the line has it.
func AppendLine(dst, line, session []byte) []byte {
	if len(session) >= 4 && bytes.Contains(line, session) {
		line = bytes.ReplaceAll(line, session, []byte(redacted))
	}
	return Append(dst, line)
}

// longestName bounds how far back a name is looked for.
const longestName = 96

// Append appends b without its credentials to dst. It may be applied twice.
//
// They are looked for in b as it stands, and then in what it means when all is
// decoded: in a URL that is the value of another one, in JSON.
func Append(dst, b []byte) []byte {
	n := len(dst)
	dst = appendClean(dst, b, view.Plain(b))
	if !view.Encoded(dst[n:]) {
		return dst
	}
	var text, clean [usual]byte
	var at [usual + 1]int32
	return append(dst[:n], appendClean(clean[:0], dst[n:], view.In(text[:0], at[:0], dst[n:]))...)
}

// usual is how many bytes most texts have at most: theirs need no memory.
const usual = 256

// appendClean appends source without the credentials that stand in its view.
func appendClean(dst, source []byte, v view.View) []byte {
	b := v.Text
	from := 0 // what of b is not yet in dst
	cut := func(start, end int) {
		dst = append(append(dst, source[v.Source(from):v.Source(start)]...), redacted...)
		from = end
	}
	for i := 0; i < len(b); i++ {
		start, end := i, i
		switch b[i] {
		case '=':
			if name := nameBefore(b[from:i]); secretName(name) {
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
			if bytes.HasPrefix(b[i:], []byte("eyJ")) && (i == 0 || !jwtByte(b[i-1])) {
				n := 0
				for i+n < len(b) && (jwtByte(b[i+n]) || b[i+n] == '.') {
					n++
				}
				if n >= 20 && bytes.IndexByte(b[i:i+n], '.') > 0 {
					end = i + n
				}
			}
		default:
			if i > 0 && inWord[b[i-1]] {
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
	return append(dst, source[v.Source(from):]...)
}

// credentialAfterColon finds the credential that a colon at i announces: that
// of a JSON key, of a header, or the userinfo of a URL. It is empty where there
// is none.
func credentialAfterColon(b []byte, from, i int) (start, end int) {
	if bytes.HasPrefix(b[i:], []byte("://")) {
		authority := b[i+3:]
		if n := bytes.IndexAny(authority, "/?# \t\"'<>\\"); n >= 0 {
			authority = authority[:n]
		}
		if at := bytes.LastIndexByte(authority, '@'); at > 0 {
			return i + 3, i + 3 + at
		}
		return i, i
	}
	before := b[from:i]
	before = bytes.TrimRight(before, " \t")
	quote := bytes.TrimRight(before, `"\`)
	name := nameBefore(quote)
	if !secretName(name) && !bytes.EqualFold(name, []byte("cookie")) && !bytes.EqualFold(name, []byte("set-cookie")) &&
		!bytes.EqualFold(name, []byte("http_cookie")) && !bytes.EqualFold(name, []byte("request_cookie")) {
		return i, i
	}
	start = i + 1
	for start < len(b) && (b[start] == ' ' || b[start] == '[') {
		start++
	}
	if len(quote) == len(before) { // a header: to the end of the quoted text or line
		end = start
		for end < len(b) && b[end] != '"' && b[end] != '\n' {
			end++
		}
		return start, end
	}
	// A JSON value, perhaps within an escaped string.
	n := start
	for n < len(b) && b[n] == '\\' {
		n++
	}
	slashes := n - start
	if n == len(b) || b[n] != '"' {
		end = start
		for end < len(b) && bytes.IndexByte([]byte(",}]\"\n"), b[end]) < 0 {
			end++
		}
		return start, end
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

// relativeUserinfo finds the userinfo of a URL without a scheme whose slashes
// begin at i: only what has a password, since a path may begin so too.
func relativeUserinfo(b []byte, i int) (start, end int) {
	authority := b[i+2:]
	if n := bytes.IndexAny(authority, "/?# \t\"'<>\\"); n >= 0 {
		authority = authority[:n]
	}
	at := bytes.LastIndexByte(authority, '@')
	if at <= 0 || bytes.IndexByte(authority[:at], ':') < 0 {
		return i, i
	}
	return i + 2, i + 2 + at
}

// schemes are the authentication schemes whose credentials are one token.
// https://www.iana.org/assignments/http-authschemes
var schemes = [][]byte{
	[]byte("bearer"), []byte("basic"), []byte("negotiate"), []byte("ntlm"), []byte("dpop"), []byte("token"), []byte("apikey"),
}

// inWord are the bytes of words. schemesBy and keysBy are the schemes and known
// keys by the byte that they begin with.
var inWord, schemesBy, keysBy = func() (in [256]bool, schemesBy [256][][]byte, keysBy [256][]serviceKey) {
	for c := range in {
		in[c] = jwtByte(byte(c)) || c == '.'
	}
	for _, s := range schemes {
		schemesBy[s[0]] = append(schemesBy[s[0]], s)
		schemesBy[s[0]&^0x20] = schemesBy[s[0]]
	}
	for _, k := range knownKeys {
		keysBy[k.begins[0]] = append(keysBy[k.begins[0]], k)
	}
	return in, schemesBy, keysBy
}()

// credentialAfterScheme finds the credential behind an authentication scheme's
// name at i.
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
			least = 16 // their names are words, too: what follows may be another
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

// digestEnd gives where the credentials of Digest end that begin at n; n itself
// where a challenge stands there. Several of their parameters help to guess the
// password, so all of them go: to the quote that closes the field of the line
// where quotes within are escaped, else to the end.
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

// schemeName tells whether b is the name of a scheme: some clients send it
// twice, and the credential follows the second.
func schemeName(b []byte) bool {
	for _, scheme := range schemes {
		if bytes.EqualFold(b, scheme) {
			return true
		}
	}
	return false
}

// challengeParameter tells whether b begins with a parameter of a challenge, as
// in Basic realm="x".
func challengeParameter(b []byte) bool {
	for _, name := range []string{"realm=", "error=", "charset=", "scope=", "nonce=", "algs="} {
		if len(b) >= len(name) && bytes.EqualFold(b[:len(name)], []byte(name)) {
			return true
		}
	}
	return false
}

// serviceKey is how keys of a service begin, and how many bytes they have behind
// that at least.
type serviceKey struct {
	begins string
	least  int
}

// knownKeys are those of well-known services. Where the beginning is short or a
// word, more has to follow.
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

// knownKey finds the key of a service at i: its beginning and enough behind it.
func knownKey(b []byte, i int) (start, end int) {
	for _, k := range keysBy[b[i]] {
		if len(b)-i < len(k.begins) || b[i+1] != k.begins[1] || string(b[i:i+len(k.begins)]) != k.begins {
			continue
		}
		dotted := k.begins[len(k.begins)-1] == '.'
		n := i + len(k.begins)
		for n < len(b) && (jwtByte(b[n]) || b[n] == '.' && dotted || b[n] == '{' || b[n] == '}') { // {id}: in a template
			n++
		}
		if n-i-len(k.begins) >= k.least {
			return i, n
		}
	}
	return i, i
}

// cookielessSession finds the session id that ASP.NET puts into a path, at i:
// (S(id)), with F for the ticket of forms and A for that of anonymous users.
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

// tokenByte tells whether c may stand in base64 or in a token.
func tokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '~'
}

// jwtByte tells whether c may stand in a part of a JSON Web Token: base64url.
func jwtByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
}

// tokenRun counts the bytes of the token at the start of b, padding included.
func tokenRun(b []byte) int {
	n := 0
	for n < len(b) && (tokenByte(b[n]) || b[n] == '=' || b[n] == '%') {
		n++
	}
	return n
}

// nameBefore gives the name that b ends with.
func nameBefore(b []byte) []byte {
	n := len(b)
	for n > 0 && len(b)-n < longestName && nameByte(b[n-1]) {
		n--
	}
	return b[n:]
}

func nameByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-' || c == '.' || c == '[' || c == ']' || c == '$'
}

// valueEnd gives where the value that starts at i ends: at what is encoded no
// more often than the sign before it.
func valueEnd(v *view.View, i int) int {
	b, width := v.Text, 1
	if i > 0 {
		width = v.Width(i - 1)
	}
	for i < len(b) {
		switch b[i] {
		case '&', '#', ' ', '\t', '"', '\'', '<', '>', ';', '\n':
			if v.Width(i) <= width {
				return i
			}
		}
		i++
	}
	return i
}

// secretNames are names whose values are credentials.
var secretNames = map[string]bool{
	"code": true, "pass": true, "pwd": true, "pw": true, "key": true, "sig": true, "auth": true, "sid": true,
	"ticket": true, "otp": true, "tan": true, "mfa": true, "passcode": true, "passphrase": true, "pswd": true, "pword": true,
	"csrf": true, "xsrf": true, "cookie": true, "sess": true, "zenid": true, "oscsid": true, "cfid": true, "nonce": true, "_wpnonce": true,
	"device_code": true, "user_code": true, "auth_code": true, "authcode": true, "authorization_code": true, "verification_code": true,
	"activation_code": true, "code_verifier": true, "subscription-key": true, "x-functions-key": true, "appkey": true, "app_key": true,
	"app-key": true, "skey": true, "ukey": true, "samlart": true,
	"openid.sig": true, "cnonce": true, "x-amz-credential": true, "awsaccesskeyid": true, "hdnts": true, "hdnea": true, "totp": true, "pin": true, "hash": true, "hmac": true, "assertion": true, "samlresponse": true,
	"reset": true, "invite": true, "magic": true, "credential": true,
}

// secretParts make a name secret wherever in it they stand.
var secretParts = [][]byte{
	[]byte("token"), []byte("secret"), []byte("passw"), []byte("session"), []byte("sessid"), []byte("jwt"), []byte("signature"),
	[]byte("apikey"), []byte("api_key"), []byte("api-key"), []byte("accesskey"), []byte("access_key"), []byte("credential"),
	[]byte("authorization"), []byte("authkey"), []byte("csrf"), []byte("xsrf"), []byte("aspsession"), []byte("auth_key"), []byte("private"), []byte("bearer"), []byte("oauth2_proxy"),
}

// secretName tells whether a name is that of a credential; name[part] counts as
// name.
func secretName(name []byte) bool {
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
	for _, part := range secretParts {
		if bytes.Contains(low, part) {
			return true
		}
	}
	if i := bytes.IndexByte(low, '['); i > 0 {
		if secretNames[string(low[:i])] || secretNames[string(bytes.TrimSuffix(low[i+1:], []byte("]")))] {
			return true
		}
	}
	if secretNames[string(low)] {
		return true
	}
	// The last word of a compound: user_pass, app.sid, x-auth.
	if i := bytes.LastIndexAny(low, "_-."); i >= 0 {
		switch string(low[i+1:]) {
		case "pass", "pwd", "sid", "sig", "otp", "auth":
			return true
		}
	}
	return false
}
