package field

import (
	"bytes"
	"encoding/binary"
	"strings"

	"logscan/parse/scan"
)

// A session id is found by the name of its cookie, of a URL parameter or of a
// header. Frameworks have names of their own (OWASP, session id name
// fingerprinting).

// sessionCookies maps the names of session cookies, in lower case, to a rank: of
// several in one request, the application's own (1) is preferred to that of a
// single sign-on or a proxy in front of it (2), which live longer.
var sessionCookies = map[string]uint8{
	// languages and servers
	"phpsessid": 1, "jsessionid": 1, "asp.net_sessionid": 1, "connect.sid": 1, "rack.session": 1,
	".aspnetcore.session": 1, ".aspnetcore.cookies": 1, ".aspnet.applicationcookie": 1, ".aspxauth": 1,
	"cfid": 1, "cftoken": 1, "play_session": 1, "beaker.session.id": 1, "zope.session": 1, "dancer.session": 1,
	"mojolicious": 1, "cgisessid": 1, "plack_session": 1, "koa.sid": 1, "koa.sess": 1, "koa:sess": 1,
	"express:sess": 1, "express.sid": 1, "sails.sid": 1, "nsessionid": 1, "webwork": 1, "vaadin_session": 1, "quarkus-credential": 1,
	"gosessionid": 1, "gorilla.session": 1, "gin_session": 1, "actix-session": 1, "hapi-session": 1,
	// frameworks
	"sessionid": 1, "session": 1, "session_id": 1, "session-id": 1, "sid": 1, "sess": 1, "_session": 1, "_session_id": 1,
	"laravel_session": 1, "ci_session": 1, "cakephp": 1, "symfony": 1, "yii_session": 1, "fuelcid": 1,
	"kohanasession": 1, "zendsession": 1, "flasksession": 1, "authjs.session-token": 1, "next-auth.session-token": 1,
	"better-auth.session_token": 1, "session_token": 1, "session-token": 1, "sessiontoken": 1, "authsession": 1,
	// applications
	"grafana_session": 1, "_gitlab_session": 1, "i_like_gitea": 1, "_redmine_session": 1, "pveauthcookie": 1,
	"concrete5": 1, "typo3_fe": 1, "fe_typo_user": 1, "be_typo_user": 1, "oscsid": 1, "zenid": 1, "phpbb3_sid": 1,
	"bugzilla_login_request_cookie": 1, "ipsconnect": 1, "dokuwiki": 1, "dw": 1, "_t": 1, "roundcube_sessid": 1,
	"zm_auth_token": 1, "mrhsession": 1, "nsc_aaac": 1, "splunkd_8000": 1, "sap_sessionid": 1, "couchdb_authsession": 1,
	// single sign-on and proxies
	"_oauth2_proxy": 2, "mod_auth_openidc_session": 2, "jsessionidsso": 2, "keycloak_session": 2, "keycloak_identity": 2,
	"auth_session_id": 2, "simplesamlsessionid": 2, "smsession": 2, "iplanetdirectorypro": 2, "obssocookie": 2,
	"ltpatoken": 2, "ltpatoken2": 2, "mysapsso2": 2, "cf_authorization": 2, "awselbauthsessioncookie-0": 2,
	"crowd.token_key": 2, "tgc": 2, "castgc": 2, "authelia_session": 2, "authentik_session": 2, "pomerium": 2, "_pomerium": 2,
	"kc_session": 2, "opbs": 2, "okta-oauth-state": 2, "vouchcookie": 2, "fedauth": 2, "msisauth": 2, "ory_kratos_session": 2,
	"oathkeeper_session": 2, "_forward_auth": 2, "lemonldap": 2, "idsrv.session": 2, "auth0": 2, "supertokens": 2,
}

// sessionPrefixes and sessionSuffixes recognise names that contain an id or the
// application's own name: ASPSESSIONIDQQRSTBCD, _shop_session.
var (
	sessionPrefixes = []string{
		"aspsessionid", "wordpress_logged_in_", "moodlesession", "_shibsession_", "mod_auth_openidc_session",
		"_oauth2_proxy_", "awselbauthsessioncookie", "authjs.session-token.", "next-auth.session-token.", ".aspnetcore.cookiesc",
		"jsessionid_", "phpsessid_", "jsessionid-", "ssess",
	}
	sessionSuffixes = []string{"_session", "_session_id", "_sessionid", "_sessid", "-session", ".session", ".sid", "_sid"}
	// notSessions are analytics cookies with such names.
	notSessions = map[string]bool{
		"ai_session": true, "amplitude_session": true, "analytics_session": true, "snowplow_session": true,
		"mp_session": true, "hs_session": true, "tracking_session": true, "_hjsession": true, "utm_session": true,
		"posthog_session": true, "fs_session": true, "visitor_session": true, "_ga_session": true,
	}
)

// worstRank is the rank of a name that only looks like a session's.
const worstRank = 3

// sessionRank returns how certain it is that a cookie with this name holds a
// session id: 1 certain, larger less so, 0 not at all.
func sessionRank(name []byte) uint8 {
	var scratch [64]byte
	if len(name) > len(scratch) {
		return 0
	}
	low := scratch[:copy(scratch[:], name)]
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c | 0x20
		}
	}
	// Remove the prefixes that bind a cookie to its host (RFC 6265bis, section 4.1.3).
	low = bytes.TrimPrefix(bytes.TrimPrefix(low, hostPrefix), securePrefix)
	if r := sessionCookies[string(low)]; r != 0 {
		return r
	}
	if notSessions[string(low)] {
		return 0
	}
	for _, s := range sessionPrefixes {
		if len(low) >= len(s) && string(low[:len(s)]) == s {
			return worstRank
		}
	}
	for _, s := range sessionSuffixes {
		if len(low) > len(s) && string(low[len(low)-len(s):]) == s {
			return worstRank
		}
	}
	return 0
}

// IsSessionCookie reports whether a cookie with this name holds a session id.
func IsSessionCookie(name []byte) bool { return sessionRank(name) != 0 }

var (
	hostPrefix   = []byte("__host-")
	securePrefix = []byte("__secure-")
)

// IsSessionName reports whether a cookie holds a session id, by its name in a
// format string: nginx cannot spell dots and dashes in $cookie_NAME.
func IsSessionName(name string) bool {
	if sessionRank([]byte(name)) != 0 {
		return true
	}
	plain := strings.NewReplacer(".", "_", "-", "_")
	for s := range sessionCookies {
		if strings.EqualFold(name, plain.Replace(s)) {
			return true
		}
	}
	return false
}

// SessionCookie returns the session id in a Cookie header, that of the most
// certain name; of equals the first.
func SessionCookie(b []byte) []byte {
	var id []byte
	best := uint8(worstRank + 1)
	for len(b) > 0 && best > 1 {
		var pair []byte
		pair, b, _ = bytes.Cut(b, semicolon)
		name, value, ok := bytes.Cut(bytes.TrimSpace(pair), equals)
		if value = bytes.Trim(value, `"`); !ok || isNoSession(value) {
			continue
		}
		if r := sessionRank(name); r != 0 && r < best {
			best, id = r, value
		}
	}
	return id
}

var equals = []byte("=")

// isNoSession reports whether the value of a session cookie means that there is no
// session: PHP deletes a cookie by setting it to "deleted".
func isNoSession(value []byte) bool {
	switch string(value) {
	case "", "-", "deleted", "null", "undefined", "None", "REDACTED":
		return true
	}
	return false
}

// sessionParameters are the names of URL parameters that hold a session id, in
// lower case. Others, such as sid, have too many meanings there.
var sessionParameters = []string{"jsessionid", "phpsessid", "sessionid", "session_id", "sessid", "oscsid", "zenid", "aspsessionid", "cftoken", "nsessionid"}

// sessionParameter returns the value of a parameter that holds a session id.
func sessionParameter(pair []byte) (value []byte, ok bool) {
	i := bytes.IndexByte(pair, '=')
	if i < 5 || i > 12 {
		return nil, false
	}
	for _, s := range sessionParameters {
		if i == len(s) && equalLower(pair[:i], s) {
			return pair[i+1:], true
		}
	}
	return nil, false
}

// equalLower reports whether b equals s, which is in lower case, ignoring case.
// They must have the same length.
func equalLower(b []byte, s string) bool {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// PathSession returns the path without session ids and the first of the ids, nil
// if there is none. It removes a parameter of a segment, as Java servers write it,
// and a segment of its own, as ASP.NET does:
//
//	/cart;jsessionid=1A2B/items     /(S(1a2b3c))/default.aspx
func PathSession(s *scan.Scratch, path []byte) (rest, id []byte) {
	kept, from := 0, 0
	for {
		i := bytes.IndexAny(path[from:], ";(")
		if i < 0 {
			break
		}
		i += from
		from = i + 1
		value, start, end := sessionInPath(path, i)
		if end == 0 {
			continue
		}
		if len(id) == 0 && !isNoSession(value) {
			id = value
		}
		if rest == nil {
			rest = s.Grow(len(path))
		}
		rest = append(rest, path[kept:start]...)
		kept, from = end, end
	}
	if rest == nil {
		return path, nil
	}
	return s.Keep(append(rest, path[kept:]...)), id
}

// sessionInPath returns the session id that the byte at i, a semicolon or a
// parenthesis, introduces, and the part of the path to remove with it. end is 0 if
// there is none.
func sessionInPath(path []byte, i int) (value []byte, start, end int) {
	if path[i] == ';' {
		end = i + 1
		for end < len(path) && path[end] != ';' && path[end] != '/' {
			end++
		}
		if value, ok := sessionParameter(path[i+1 : end]); ok {
			return value, i, end
		}
		return nil, 0, 0
	}
	rest := path[i:]
	if i == 0 || path[i-1] != '/' || len(rest) < len("(S(x))") || rest[2] != '(' || rest[1] != 'S' && rest[1] != 'F' && rest[1] != 'A' {
		return nil, 0, 0
	}
	n := bytes.IndexByte(rest, '/')
	if n < 0 {
		n = len(rest)
	}
	if !bytes.HasSuffix(rest[:n], []byte("))")) {
		return nil, 0, 0
	}
	if rest[1] == 'S' {
		value = rest[3 : 3+bytes.IndexByte(rest[3:], ')')]
	}
	if n < len(rest) {
		n++ // with the slash after it
	}
	return value, i, i + n
}

// MayHoldSecrets reports whether a query may hold a session id, because a name in
// it ends in d, f, l or n, as all of sessionParameters do (d and n differ in two bits,
// which are not looked at), and whether it may hold a token, because it has a letter of
// tokenStart. Nearly every query has neither.
func MayHoldSecrets(query []byte) (session, token bool) {
	var names, letters, before uint64
	look := func(x uint64) {
		last := x<<8 | before
		names |= scan.ZeroBytes((x ^ scan.Ones*'=') | ((last | scan.Ones*(0x20|('d'^'n'))) ^ scan.Ones*('d'|'n')))
		letters |= scan.ZeroBytes(x ^ scan.Ones*'J')
		before = x >> 56
	}
	for ; len(query) > 8; query = query[8:] {
		look(binary.LittleEndian.Uint64(query))
	}
	look(scan.LoadWord(query))
	return names != 0, letters != 0
}

// ShortestSecret is the length in bytes up to which a query holds neither session
// nor token.
const ShortestSecret = len("sid=12345678")

// QuerySession returns the session id in a query, nil if there is none.
func QuerySession(query []byte) []byte {
	for rest := query; len(rest) > ShortestSecret; {
		pair := rest
		if i := bytes.IndexByte(rest, '&'); i >= 0 {
			pair, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if value, ok := sessionParameter(pair); ok && !isNoSession(value) {
			return value
		}
	}
	return nil
}
