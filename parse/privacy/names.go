package privacy

import (
	"bytes"
	"strings"

	"logscan/parse/field"
)

// longestName is the longest name of a parameter, cookie or JSON key in bytes:
// it bounds how far back a name is looked for.
const longestName = 96

// nameBefore returns the name that b ends with. class holds the bytes of names.
func nameBefore(b []byte, class *[256]bool) []byte {
	n := len(b)
	for n > 0 && len(b)-n < longestName && class[b[n-1]] {
		n--
	}
	if n > 0 && n < len(b) && b[n-1] == '\\' && (b[n] == 'n' || b[n] == 'r' || b[n] == 't') { // the end of a line, escaped
		n++
	}
	return b[n:]
}

// lowerName writes name to scratch with its ASCII letters in lower case, cut to
// the size of scratch.
func lowerName(scratch *[longestName]byte, name []byte) []byte {
	low := scratch[:copy(scratch[:], name)]
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c | 0x20
		}
	}
	return low
}

// trimBlanks returns b without the blanks and tabs that it ends with.
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// kind is what a name tells about its value.
type kind uint8

// The kinds, the less certain first.
const (
	harmless kind = iota
	open          // a credential if the value looks like one: code, key, state, token_type
	numbered      // a credential, unless it is a small number: sid
	secret        // a credential
	whole         // a header of credentials, which may hold blanks and several values
)

// secretNames maps names to the kind of their values.
var secretNames = func() map[string]kind {
	all := map[string]kind{}
	for k, names := range map[kind]string{
		secret: "pass pwd pw pswd pword passcode passphrase psk otp totp tan mfa pin sig hmac csrf xsrf tok appkey app_key app-key skey ukey samlart samlresponse " +
			"device_code user_code auth_code authcode authorization_code verification_code activation_code mfa_code code_verifier subscription-key " +
			"x-functions-key _wpnonce cnonce oauth_nonce openid.sig x-amz-credential x-goog-credential awsaccesskeyid hdnts hdnea assertion credential pgtiou pgtid oauth_verifier " +
			"crumb jenkins-crumb passkey passwort kennwort contrasena senha wachtwoord mdp motdepasse mot_de_passe lozinka haslo heslo salasana pwhash " +
			"cftoken cfid samlrequest id_token_hint",
		numbered: "sid sess session sessionid session_id session-id sessid zenid oscsid",
		open: "code key auth ticket hash nonce state session_state relaystate reset invite invitation magic activate activation activation_key confirm confirmation verify verification unsubscribe unsub " +
			"recovery sign mac digest md5 policy wctx wresult appid st pt pgt code_challenge uuid_token license licence rp_key reset_key invite_code promo_code sso hub.challenge clave identity remember remember_me rememberme lt execution access",
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = k
		}
	}
	return all
}()

// secretParts mark a name that contains one of them as that of a credential.
var secretParts = [][]byte{
	[]byte("token"), []byte("secret"), []byte("passw"), []byte("session"), []byte("sessid"), []byte("jwt"), []byte("signature"),
	[]byte("apikey"), []byte("api_key"), []byte("api-key"), []byte("accesskey"), []byte("access_key"), []byte("access-key"), []byte("credential"),
	[]byte("authorization"), []byte("authkey"), []byte("auth_key"), []byte("auth-key"), []byte("csrf"), []byte("xsrf"),
	[]byte("private_key"), []byte("privatekey"), []byte("private-key"), []byte("bearer"), []byte("oauth2_proxy"), []byte("passphrase"), []byte("assertion"), []byte("sharedaccesskey"), []byte("accountkey"),
}

// letters returns the set of the letters in a text in lower case.
func letters(low []byte) (set uint32) {
	for _, c := range low {
		if c -= 'a'; c < 26 {
			set |= 1 << c
		}
	}
	return set
}

// partLetters holds the letters of the secretParts.
var partLetters = func() (sets []uint32) {
	for _, part := range secretParts {
		sets = append(sets, letters(part))
	}
	return sets
}()

// Names that tell something about a credential end or begin so, as token_type, max_tokens
// and session_timeout do, and wordsWith contain a part by chance. Their values are
// credentials only if they look like one.
var (
	aboutEnds = [][]byte{
		[]byte("type"), []byte("expiry"), []byte("expires"), []byte("expiration"), []byte("expires_in"), []byte("expiresin"), []byte("exp"), []byte("ttl"), []byte("timeout"), []byte("time"),
		[]byte("length"), []byte("size"), []byte("count"), []byte("limit"), []byte("status"), []byte("policy"), []byte("version"), []byte("enabled"), []byte("required"), []byte("method"),
		[]byte("alg"), []byte("algorithm"), []byte("endpoint"), []byte("url"), []byte("uri"), []byte("page"), []byte("strength"), []byte("name"), []byte("state"), []byte("format"),
		[]byte("duration"), []byte("lifetime"), []byte("age"), []byte("created"), []byte("_at"), []byte("updated"), []byte("reset"), []byte("renewal"), []byte("issuer"), []byte("scope"),
		[]byte("error"), []byte("label"), []byte("mode"), []byte("valid"), []byte("usage"), []byte("tokens"), []byte("sessions"), []byte("passwords"), []byte("reused"), []byte("resumed"), []byte("question"),
		[]byte("hint"), []byte("_no"), []byte("_date"), []byte("headers"), []byte("details"), []byte("source"), []byte("provider"),
	}
	aboutBegins = [][]byte{
		[]byte("max"), []byte("min_"), []byte("num"), []byte("total"), []byte("has_"), []byte("has-"), []byte("is_"), []byte("is-"), []byte("show"), []byte("require"), []byte("forgot"), []byte("supports"),
	}
	wordsWith = [][]byte{[]byte("tokeniz"), []byte("secretar"), []byte("passwordless"), []byte("possession"), []byte("obsession"), []byte("sessionize"), []byte("jwt_claim"), []byte("jwt-claim"), []byte("jwt_header"), []byte("jwt-header")}
)

// publicKeys are names of keys that are no credentials.
var publicKeys = map[string]bool{
	"public": true, "sort": true, "partition": true, "primary": true, "foreign": true, "cache": true, "idempotency": true, "object": true, "websocket": true, "routing": true,
	"row": true, "group": true, "order": true, "map": true, "hot": true, "short": true, "surrogate": true,
}

// kindOf returns what a name tells about its value. Of name[part] either may.
func kindOf(name []byte) kind {
	own := name
	for len(own) > 0 && (own[0] == '-' || own[0] == '$' || own[0] == '[' || own[0] == '.') {
		own = own[1:]
	}
	if len(own) == 0 {
		return harmless
	}
	var scratch [longestName]byte
	low := lowerName(&scratch, own)
	if letters(low) == 0 { // a number: all names below have letters
		return harmless
	}
	k := plainKind(low)
	if i := bytes.IndexByte(low, '['); i > 0 && k < secret {
		k = max(k, plainKind(low[:i]), plainKind(bytes.TrimRight(low[i+1:], "]")))
	}
	if k == harmless && field.IsSessionCookie(name) {
		if len(name) < shortestSession {
			return open
		}
		return numbered
	}
	return k
}

// shortestSession is the length in bytes from which the name of a session cookie is not
// likely that of a parameter too, as _t and dw are.
const shortestSession = 5

// plainKind returns the kind of a name in lower case.
func plainKind(low []byte) kind {
	if k, ok := secretNames[string(low)]; ok {
		return k
	}
	last := low // its last word
	before := low[:0]
	if i := bytes.LastIndexAny(low, "_-."); i >= 0 {
		before, last = low[:i], low[i+1:]
	}
	switch string(last) {
	case "cookie", "cookies", "cookie2", "authorization":
		return whole
	case "pass", "pwd", "otp", "sig", "passcode":
		return secret
	case "sid":
		return numbered
	case "auth":
		return open
	case "key":
		if i := bytes.LastIndexAny(before, "_-."); publicKeys[string(before[i+1:])] {
			return harmless
		}
	}
	held := letters(low)
	for i, part := range secretParts {
		if partLetters[i]&^held == 0 && bytes.Contains(low, part) {
			if about(low) {
				return open
			}
			return secret
		}
	}
	switch {
	case string(last) == "key", bytes.HasPrefix(low, []byte("cookie_")), bytes.HasPrefix(low, []byte("cookie-")):
		return open
	case bytes.HasSuffix(low, []byte("pwd")), bytes.HasPrefix(low, []byte("aspsession")):
		return secret
	}
	return harmless
}

// about reports whether a name in lower case is about a credential rather than its own.
func about(low []byte) bool {
	for _, s := range aboutEnds {
		if bytes.HasSuffix(low, s) {
			return true
		}
	}
	for _, s := range aboutBegins {
		if bytes.HasPrefix(low, s) {
			return true
		}
	}
	for _, s := range wordsWith {
		if bytes.Contains(low, s) {
			return true
		}
	}
	return false
}

// holds reports whether the value of a name of this kind is a credential.
func (k kind) holds(name, value []byte) bool {
	value = bytes.TrimSpace(value)
	if k == harmless || saysNothing(value) {
		return false
	}
	const small, code, longestCode = 5, 6, 8 // digits
	digits := onlyDigits(value)
	switch k {
	case numbered:
		return !digits || len(value) > small
	case open:
		if digits { // a code that was sent to a person, unless it is a date
			return len(value) >= code && len(value) <= longestCode && bytes.EqualFold(name, []byte("code")) && !(len(value) == longestCode && (value[0] == '2' || value[0] == '1'))
		}
		return looksSecret(value)
	}
	return true
}

// SecretField reports whether a field of a log holds a credential, by the name that its
// server's format string has for it: $http_x_api_key, %{Set-Cookie}o, %[req.hdr(X-Token)].
func SecretField(name string) bool {
	b := []byte(name)
	if i := bytes.LastIndexByte(b, '('); i >= 0 { // of an operator
		b = b[i+1:]
	}
	b, _, _ = bytes.Cut(b, []byte(")"))
	b = bytes.Trim(b, "$%{}[] ")
	b = b[bytes.LastIndexByte(b, ':')+1:] // of a path of metadata
	own := len(b)
	for _, prefix := range []string{"sent_http_", "upstream_http_", "http_", "arg_", "upstream_cookie_", "cookie_"} {
		if rest, ok := bytes.CutPrefix(b, []byte(prefix)); ok {
			if prefix == "upstream_cookie_" || prefix == "cookie_" {
				return true
			}
			b = rest
			break
		}
	}
	switch k := kindOf(bytes.ReplaceAll(b, []byte("_"), []byte("-"))); {
	case k > open:
		return true
	case k == open:
		return len(b) < own && !about(bytes.ToLower(b))
	}
	return kindOf(b) > open
}

// userNames are names of parameters and JSON keys whose value is a user.
var userNames = map[string]bool{
	"user": true, "username": true, "user_name": true, "user-name": true, "user.name": true, "userid": true, "user_id": true, "user-id": true, "user.id": true,
	"uid": true, "uname": true, "login": true, "login_name": true, "loginname": true, "loginid": true, "login_id": true, "login_hint": true,
	"email": true, "e-mail": true, "mail": true, "emailaddress": true, "email_address": true, "mailaddress": true,
	"account": true, "account_name": true, "accountname": true, "nick": true, "nickname": true, "principal": true, "preferred_username": true,
	"upn": true, "samaccountname": true, "sub": true, "subject": true, "screen_name": true, "remoteuser": true, "enduser": true, "member": true,
}

// userName reports whether the value of a parameter or JSON key of this name is
// a user: it is one of userNames or ends in such a word after a separator, as
// in customer_email and user[login].
func userName(name []byte) bool {
	name = bytes.TrimRight(name, "]")
	if len(name) == 0 {
		return false
	}
	var scratch [longestName]byte
	low := lowerName(&scratch, name)
	if userNames[string(low)] {
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
