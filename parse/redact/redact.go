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
	"encoding/hex"
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
func Append(dst, b []byte) []byte {
	from := 0 // what of b is not yet in dst
	cut := func(start, end int) {
		dst = append(append(dst, b[from:start]...), redacted...)
		from = end
	}
	for i := 0; i < len(b); i++ {
		start, end := i, i
		switch b[i] {
		case '=':
			if name := nameBefore(b[from:i]); secretName(name) {
				start, end = i+1, valueEnd(b, i+1)
				if n := i - len(name); n > 0 && b[n-1] == ';' { // a path parameter, or a cookie
					if q := bytes.IndexAny(b[start:end], "?/"); q >= 0 && bytes.IndexByte(b[:n], '/') >= 0 {
						end = start + q
					}
				}
			}
		case '%': // a URL within a URL, perhaps encoded twice
			if n := encoded(b[i:], '='); n > 0 && secretName(lastName(nameBefore(b[from:i]))) {
				start = i + n
				end = encodedValueEnd(b, start)
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
			if i > 0 && inWord[b[i-1]] && (b[i-1] != '0' || !bytes.HasSuffix(b[:i], encodedSpace)) {
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
	return append(dst, b[from:]...)
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

// schemes are the authentication schemes whose credentials are one token.
// https://www.iana.org/assignments/http-authschemes
var schemes = [][]byte{
	[]byte("bearer"), []byte("basic"), []byte("negotiate"), []byte("ntlm"), []byte("dpop"), []byte("token"), []byte("apikey"),
}

// encodedSpace is a space in a URL: what follows it begins a word.
var encodedSpace = []byte("%20")

// inWord are the bytes of words. schemesBy and keysBy are the schemes and known
// keys by the byte that they begin with.
var inWord, schemesBy, keysBy = func() (in [256]bool, schemesBy [256][][]byte, keysBy [256][]string) {
	for c := range in {
		in[c] = jwtByte(byte(c)) || c == '.'
	}
	for _, s := range schemes {
		schemesBy[s[0]] = append(schemesBy[s[0]], s)
		schemesBy[s[0]&^0x20] = schemesBy[s[0]]
	}
	for _, k := range knownKeys {
		keysBy[k[0]] = append(keysBy[k[0]], k)
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
		switch {
		case b[n] == ' ' || b[n] == '+':
			for n+gap < len(b) && b[n+gap] == b[n] {
				gap++
			}
		case bytes.HasPrefix(b[n:], encodedSpace):
			gap = 3
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

// knownKeys are how keys of well-known services begin.
var knownKeys = []string{
	"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-",
	"sk_live_", "sk_test_", "rk_live_", "sk-proj-", "sk-ant-", "AIza", "ya29.", "npm_", "pypi-AgE", "dop_v1_", "shpat_",
}

// knownKey finds the key of a service at i: its beginning and enough behind it.
func knownKey(b []byte, i int) (start, end int) {
	for _, k := range keysBy[b[i]] {
		if len(b)-i < len(k) || b[i+1] != k[1] || string(b[i:i+len(k)]) != k {
			continue
		}
		n := i + len(k)
		for n < len(b) && (jwtByte(b[n]) || b[n] == '.' && k == "ya29.") {
			n++
		}
		if n-i-len(k) >= 16 {
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

// encoded gives how long the percent-encoding of c is that b begins with, once
// or twice encoded; 0 where b begins otherwise.
func encoded(b []byte, c byte) int {
	if d, n := decode(b); d == c {
		return n
	}
	return 0
}

// decode gives the byte whose percent-encoding b begins with, once or twice
// encoded, and how long that is; 0 where b begins otherwise.
func decode(b []byte) (c byte, n int) {
	if len(b) < 3 || b[0] != '%' {
		return 0, 0
	}
	n = 1
	if b[1] == '2' && b[2] == '5' {
		if n = 3; len(b) < 5 {
			return 0, 0
		}
	}
	high, low := hexDigit(b[n]), hexDigit(b[n+1])
	if high|low > 0xf {
		return 0, 0
	}
	return high<<4 | low, n + 2
}

// hexDigit gives the value of a hexadecimal digit, 255 of what is none.
func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// lastName gives what follows the last encoded separator of a URL in name.
func lastName(name []byte) []byte {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] != '%' {
			continue
		}
		switch c, n := decode(name[i:]); c {
		case '&', '?', ';', '#', '/':
			return name[i+n:]
		}
	}
	return name
}

// encodedValueEnd gives where a value ends that begins at i in a URL within a
// URL: at an encoded separator, or where the outer value ends.
func encodedValueEnd(b []byte, i int) int {
	end := valueEnd(b, i)
	for n := i; n < end; n++ {
		if b[n] != '%' {
			continue
		}
		if c, _ := decode(b[n:end]); c == '&' || c == '#' || c == ' ' {
			return n
		}
	}
	return end
}

func nameByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-' || c == '.' || c == '%' || c == '[' || c == ']' || c == '$'
}

// valueEnd gives where the value that starts at i ends.
func valueEnd(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case '&', '#', ' ', '\t', '"', '\'', '<', '>', ';', '\n':
			return i
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

// secretName tells whether a name, percent-encoded or not, is that of a
// credential; name[part] counts as name.
func secretName(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	var scratch [longestName]byte
	var decoded [1]byte
	low := scratch[:0]
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' {
			if n, err := hex.Decode(decoded[:], name[i+1:min(i+3, len(name))]); err == nil && n == 1 {
				c = decoded[0]
				i += 2
			}
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low = append(low, c)
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
