package events

import (
	"bytes"
	"errors"
	"sync"

	"logscan/parse/field"
	"logscan/parse/scan"
)

// meaning is what a message means.
type meaning struct {
	outcome Outcome
	reason  string
	status  int32
}

// apacheCodes are the numbers of Apache's messages that are about authentication. They
// identify a message whatever a client has put into its text.
// Source: httpd, modules/aaa, modules/ldap and server/request.c of 2.4 and trunk.
var apacheCodes = map[string]meaning{
	// mod_auth_basic, mod_authn_file
	"AH01614": {Refused, "wrong_scheme", 401}, "AH01617": {Refused, "wrong_password", 401}, "AH01618": {Refused, "unknown_user", 401},
	"AH01615": {Failed, "config", 500}, "AH01616": {Failed, "config", 500}, "AH01619": {Failed, "config", 500},
	"AH01620": {Failed, "password_file_missing", 500}, "AH01621": {Failed, "config", 500}, "AH01622": {Failed, "password_file_missing", 500},
	"AH01664": {Failed, "password_file_missing", 500}, "AH01665": {Failed, "password_file_missing", 500},
	// request.c, mod_authz_core
	"AH00027": {Failed, "config", 500}, "AH00028": {Failed, "config", 500}, "AH01627": {Failed, "config", 500}, "AH01796": {Failed, "config", 500},
	"AH01629": {Refused, "no_credentials", 401}, "AH01631": {Refused, "acl_denied", 401}, "AH01630": {Refused, "acl_denied", 403}, "AH01797": {Refused, "acl_denied", 403},
	"AH01632": {Refused, "acl_denied", 401}, "AH01633": {Refused, "acl_denied", 401}, "AH01634": {Refused, "acl_denied", 401}, "AH01635": {Refused, "acl_denied", 401},
	"AH01636": {Refused, "acl_denied", 401}, "AH01637": {Refused, "acl_denied", 401}, "AH01638": {Refused, "acl_denied", 401}, "AH01639": {Refused, "acl_denied", 401},
	"AH01640": {Refused, "acl_denied", 401}, "AH01641": {Refused, "acl_denied", 401}, "AH01663": {Refused, "acl_denied", 401}, "AH01666": {Refused, "acl_denied", 401},
	"AH01667": {Refused, "acl_denied", 401}, "AH01670": {Refused, "acl_denied", 401},
	// mod_auth_digest
	"AH01770": {Failed, "config", 500}, "AH01780": {Failed, "config", 500}, "AH01781": {Refused, "wrong_scheme", 401},
	"AH01774": {Refused, "stale_nonce", 401}, "AH01775": {Refused, "stale_nonce", 401}, "AH01776": {Refused, "stale_nonce", 401}, "AH01777": {Refused, "clock_skew", 401},
	"AH01778": {Refused, "stale_nonce", 401}, "AH01779": {Refused, "stale_nonce", 401},
	"AH01782": {Refused, "invalid_request", 0}, "AH01783": {Refused, "invalid_request", 0}, "AH01785": {Refused, "invalid_request", 0}, "AH01786": {Refused, "invalid_request", 0},
	"AH01788": {Refused, "config", 401}, "AH02533": {Refused, "config", 401}, "AH01790": {Refused, "unknown_user", 401}, "AH01791": {Refused, "invalid_credentials", 401},
	"AH01792": {Refused, "wrong_password", 401}, "AH01793": {Refused, "invalid_request", 401}, "AH01794": {Refused, "wrong_password", 401},
	// mod_auth_form, mod_session
	"AH01806": {Failed, "config", 500}, "AH01810": {Failed, "config", 500}, "AH01816": {Refused, "invalid_session", 401}, "AH01817": {Refused, "invalid_session", 401},
	"AH01842": {Refused, "unknown_key", 401},
	// trunk: mod_auth_bearer, mod_autht_jwt
	"AH10425": {Refused, "invalid_token", 401}, "AH10426": {Refused, "token_expired", 401}, "AH10427": {Refused, "clock_skew", 401}, "AH10449": {Failed, "config", 500},
}

// apacheRules are texts of messages. For a message with a known number, only the fields
// of its text count.
var apacheRules = newRules(
	rule{`user '{user}': authentication failure for "{uri}": {text}`, Refused, "wrong_password", 401},
	rule{`user {user}: authentication failure for "{uri}": Password Mismatch`, Refused, "wrong_password", 401},
	rule{`user {user}: authentication failure for "{uri}": {reason}`, Refused, "invalid_credentials", 401},
	rule{`user {user}: authorization failure for "{uri}":{text}`, Refused, "acl_denied", 401},
	rule{"user `{user}' in realm `{text}' not found: {uri}", Refused, "unknown_user", 401},
	rule{"user `{user}' in realm `{text}' denied by provider: {uri}", Refused, "invalid_credentials", 401},
	rule{"user `{user}': password mismatch: {uri}", Refused, "wrong_password", 401},
	rule{`user '{user}' not found: {uri}`, Refused, "unknown_user", 401},
	rule{`user {user}: password mismatch: {uri}`, Refused, "wrong_password", 401},
	rule{`user {user}: nonce expired ({text}`, Refused, "stale_nonce", 401},
	rule{`user {user}: one-time-nonce mismatch{text}`, Refused, "stale_nonce", 401},
	rule{`user {user} not found: {uri}`, Refused, "unknown_user", 401},
	rule{`user {user} authentication failure for Baikal`, Refused, "invalid_credentials", 401},
	rule{`client used wrong authentication scheme: {uri}`, Refused, "wrong_scheme", 401},
	rule{"client used wrong authentication scheme `{text}': {uri}", Refused, "wrong_scheme", 401},
	rule{`Authorization of user {user} to access {uri} failed, reason: {text}`, Refused, "acl_denied", 401},
	rule{`access to {uri} failed, reason: user {user} not allowed access`, Refused, "acl_denied", 401},
	rule{`access to {uri} failed, reason: {text}`, Refused, "acl_denied", 401},
	rule{`client denied by server configuration: {text}`, Refused, "acl_denied", 403},
	rule{`need AuthName: {uri}`, Failed, "config", 500},
	rule{`No authentication done but request not allowed without authentication for {uri}. Authentication not configured?`, Failed, "config", 500},
	rule{`configuration error:{text}`, Failed, "config", 500},
	rule{`Could not open password file: {text}`, Failed, "password_file_missing", 500},
	rule{`could not open pw file: {text}`, Failed, "password_file_missing", 500},
	rule{`authorization failure (no authenticated user): {uri}`, Refused, "no_credentials", 401},
	rule{`auth_ldap authenticate: user {user} authentication failed; URI {uri} [{text}`, Refused, "invalid_credentials", 401},
	rule{`[{digits}] auth_ldap authenticate: user {user} authentication failed; URI {uri} [{text}`, Refused, "invalid_credentials", 401},
	rule{`bearer token {text}: Token Rejected{text}`, Refused, "invalid_token", 401},
	rule{`bearer token {text}has expired{text}`, Refused, "token_expired", 401},
	rule{`bearer token {text}not yet valid{text}`, Refused, "clock_skew", 401},

	// mod_authn_dbd
	rule{`Failed to acquire database connection to look up user '{user}'`, Failed, "identity_provider_down", 500},
	rule{`Query execution error looking up '{user}' in database{text}`, Failed, "identity_provider_down", 500},
	rule{`No AuthDBDUserPWQuery has been specified`, Failed, "config", 500},

	// mod_auth_openidc puts the name of a function before the text.
	rule{`{word}: session restored from cache has expired{text}`, Refused, "session_idle", 401},
	rule{`{word}: maximum session duration exceeded for user: {user}`, Refused, "session_expired", 401},
	rule{`{word}: aborting: detected attempt to play cookie against a different domain/host{text}`, Refused, "invalid_session", 401},
	rule{`{word}: no "{text}" state cookie found: check domain and samesite cookie settings`, Refused, "invalid_session", 401},
	rule{`{word}: state has expired{text}`, Refused, "session_expired", 400},
	rule{`{word}: JWT access token signature could not be validated{text}`, Refused, "unknown_key", 401},
	rule{`{word}: "exp" validation failure ({text}`, Refused, "token_expired", 401},
	rule{`{word}: "iat" validation failure ({text}`, Refused, "clock_skew", 401},
	rule{`{word}: "nbf" validation failure ({text}`, Refused, "clock_skew", 401},
	rule{`{word}: none of our configured audience values{text}`, Refused, "invalid_token", 401},
	rule{`{word}: requested issuer ({text}`, Refused, "config", 401},
	rule{`{word}: cache backend failure for key{text}`, Failed, "identity_provider_down", 500},
	rule{`{word}: could not get a validation response from the Authorization server`, Failed, "identity_provider_down", 0},
	rule{`{word}: curl_easy_perform() failed {text}`, Failed, "identity_provider_down", 0},
	rule{`{word}: no bearer token found in the request ({text}`, Refused, "no_credentials", 401},
	rule{`{word}: access_token could not be refreshed{text}`, Refused, "token_expired", 401},
	rule{`{word}: client ({text}) secret expired{text}`, Failed, "invalid_client", 500},
	rule{`{word}: client used unsupported authentication scheme: {text}`, Refused, "wrong_scheme", 401},

	// mod_auth_mellon: the endpoint that takes the answer of the identity provider
	rule{`Error processing authn response. Lasso error: [-201] {text}`, Failed, "config", 400}, // unknown provider
	rule{`Error processing authn response. {text}`, Refused, "invalid_token", 400},
	rule{`User has disabled cookies, or has lost the cookie before returning from the SAML2 login server.`, Refused, "invalid_session", 400},

	// mod_shib
	rule{`Unable to locate metadata for identity provider{text}`, Failed, "config", 0},

	// mod_auth_kerb
	rule{`krb5_get_init_creds_password() failed: {text}`, Refused, "invalid_credentials", 401},
	rule{`failed to verify krb5 credentials: {text}`, Refused, "invalid_token", 401},
	rule{`Warning: received token seems to be NTLM, {text}`, Refused, "wrong_scheme", 401},

	// mod_auth_gssapi
	rule{`Failed to unseal session data!`, Refused, "invalid_session", 401},
	rule{`Session key not available, no cookies!`, Failed, "config", 0},
	rule{`NO AUTH DATA Client did not send any authentication headers`, Refused, "no_credentials", 401},
	rule{`GSS ERROR {text}`, Refused, "invalid_token", 401},
	rule{`In Negotiate Auth: {text}`, Refused, "invalid_token", 401},
	rule{`gss_{text}`, Refused, "invalid_token", 401},
)

// gssSigns are parts of the errors of GSSAPI and Kerberos (RFC 4120, section 7.5.9; MIT
// krb5, error tables).
var gssSigns = []sign{
	{"clock skew", "clock_skew"}, {"ticket not yet valid", "clock_skew"}, {"ticket expired", "token_expired"}, {"credentials have expired", "token_expired"},
	{"server creds", "config"}, {"key table", "config"}, {"keytab", "config"}, {"wrong principal", "config"}, {"no credentials were supplied", "config"}, {"decrypt integrity check", "unknown_key"},
	{"cannot contact any kdc", "identity_provider_down"},
	{"preauthentication failed", "wrong_password"}, {"not found in kerberos database", "unknown_user"}, {"unsupported mechanism", "wrong_scheme"},
	{"password has expired", "password_expired"}, {"credentials have been revoked", "account_locked"},
}

// ldapSigns are parts of the errors of LDAP (RFC 4511, appendix A, and OpenLDAP).
var ldapSigns = []sign{
	{"can't contact", "identity_provider_down"}, {"server is down", "identity_provider_down"}, {"timed out", "identity_provider_down"}, {"unavailable", "identity_provider_down"},
	{"user not found", "unknown_user"}, {"no such object", "unknown_user"}, {"not unique", "config"}, {"invalid credentials", "wrong_password"},
}

// apacheLayout reads lines of Apache's own formats, and apacheSyslogLayout those that it
// sends to syslog, which have no time of their own (server/log.c, do_errorlog_default).
var (
	apacheLayout       = ownLayout(`[%t] ` + apacheDefault)
	apacheSyslogLayout = ownLayout(apacheDefault)
)

func ownLayout(format string) func() *layout {
	return sync.OnceValue(func() *layout {
		l, err := newLayout(format)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		l.anyVersion = true
		return l
	})
}

// WithErrorLogFormat returns Apache's ErrorLog in a format of its configuration. One
// without a time or message cannot be read.
func WithErrorLogFormat(format string) (*Log, error) {
	l, err := newLayout(format)
	if err == nil && l.undated {
		err = errors.New("no %t, the time")
	}
	if err != nil {
		return nil, err
	}
	return &Log{Name: apacheName, Doc: "Apache's ErrorLog, in the format of its configuration", read: l.read}, nil
}

// apacheName is the name of Apache's ErrorLog, whatever its format is.
const apacheName = "apache-error"

// readApache reads a line of an ErrorLog in one of Apache's own formats.
func readApache(line []byte, e *Event) bool {
	if len(line) < 2 || line[0] != '[' || line[1] <= '9' {
		return false // others begin like that too
	}
	if isApacheSyslog(line) {
		return apacheSyslogLayout().read(line, e)
	}
	return apacheLayout().read(line, e)
}

// isApacheSyslog reports whether a line begins with a level, and perhaps its module, before
// a process or a client.
func isApacheSyslog(line []byte) bool {
	level, rest, ok := cut(line[1:], "] [")
	return ok && letters(level) && (hasPrefix(rest, "pid ") || hasPrefix(rest, "client "))
}

// read reads a line of the layout.
func (l *layout) read(line []byte, e *Event) bool {
	var c captures
	if !l.match(line, &c) || len(c[slotTime]) == 0 && !l.undated {
		return false
	}
	message := c[slotMessage]
	if len(message) > 8 && hasPrefix(message, "AH") && message[7] == ':' && scan.AllDigits(message[2:7]) {
		c[slotCode], message = message[:7], trimBlanks(message[8:])
	}
	client := c[slotClient]
	c[slotMessage], c[slotClient] = nil, nil
	c.set(e)
	e.setApacheClient(client, len(c[slotMark]) > 0 || !l.anyVersion)
	e.readApacheMessage(message, c[slotMark])
	return true
}

// setApacheClient stores an address. Version 2.4 puts the port after it, without brackets
// around IPv6.
func (e *Event) setApacheClient(b []byte, ported bool) {
	if i := bytes.LastIndexByte(b, ':'); ported && i > 0 && field.IsAddress(b[:i]) && scan.AllDigits(b[i+1:]) {
		e.setClient(b[:i])
		e.Port = b[i+1:]
		return
	}
	e.setClient(b)
}

// readApacheMessage stores what a message of a module means.
func (e *Event) readApacheMessage(message, module []byte) {
	e.Message = message
	if text, ok := cutPrefix(message, "Got error '"); ok { // of a FastCGI process
		e.readScriptMessage(text)
		return
	}
	if hasPrefix(module, "php") || hasPrefix(module, "cgi") || hasPrefix(module, "fcgid") || hasPrefix(module, "wsgi") {
		e.readScriptMessage(message)
		return
	}
	code := e.Code
	m, ok := apacheCodes[string(code)]
	apacheRules.readAs(m.reason, message, e)
	e.User, e.Target = e.unescape(e.User), e.unescape(e.Target) // ap_escape_errorlog_item
	e.Code, e.Message = code, message
	if ok {
		e.state(m.outcome, m.reason, m.status)
		return
	}
	signs := []sign(nil)
	switch {
	case string(code) == "AH01695", hasPrefix(message, "auth_ldap"), hasPrefix(message, "[") && index(message, "auth_ldap") > 0:
		signs = ldapSigns
		if i := index(message, "; URI "); i >= 0 { // what precedes is the user's
			message = message[i:]
		}
	case hasPrefix(message, "GSS"), hasPrefix(message, "gss_"), hasPrefix(message, "In Negotiate"), hasPrefix(message, "krb5_"), hasPrefix(message, "failed to verify krb5"):
		signs = gssSigns
	default:
		return
	}
	switch w := firstSign(signs, message); {
	case w == "":
	case w != "identity_provider_down" && w != "config":
		e.state(Refused, w, 401)
	case index(message, "gss_accept_sec_context") >= 0, hasPrefix(message, "failed to verify krb5"): // answered 401, whatever is wrong
		e.state(Failed, w, 401)
	default:
		e.state(Failed, w, 0)
	}
}
