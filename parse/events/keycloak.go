package events

import "bytes"

// keycloakHeader is the beginning of a line of Keycloak's server log.
var keycloakHeader = newTemplate(`{time} {level}{skip}[{code}] ({skip}) {message}`)

// keycloakJSON are the keys of the same as JSON, in the names of JBoss and of Elastic (ECS).
var keycloakJSON = keyed{
	paths: []path{
		{"loggerName", slotMark}, {"log.logger", slotMark}, {"loggerClassName", slotMore}, {"timestamp", slotTime}, {"@timestamp", slotTime}, {"message", slotMessage},
	},
	needs: []slot{slotMark, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if c[slotMore] == nil && !hasPrefix(c[slotMark], "org.keycloak.") {
			return false
		}
		e.readKeycloakEvent(c[slotMessage])
		return true
	},
}

// readKeycloak reads a line of Keycloak's server log.
func readKeycloak(line []byte, e *Event) bool {
	if len(line) > 0 && line[0] == '{' {
		return keycloakJSON.read(line, e)
	}
	var c captures
	dated := shaped(line, "0000-00-00 00:00:00,000 ")
	if !dated && !shaped(line, "00:00:00,000 ") || !keycloakHeader.match(line, &c) { // WildFly's console has no date
		return false
	}
	c[slotCode] = nil
	c.set(e)
	e.readKeycloakEvent(e.Message)
	return true
}

// keycloakErrors are Keycloak's words for errors. Source: org.keycloak.events.Errors.
var keycloakErrors = map[string]string{
	"user_not_found": "unknown_user", "invalid_user_credentials": "wrong_password", "invalid_user": "unknown_user", "username_missing": "no_credentials", "password_missing": "no_credentials",
	"user_disabled": "account_disabled", "user_temporarily_disabled": "account_locked",
	"invalid_client_credentials": "invalid_client", "client_not_found": "invalid_client", "client_disabled": "invalid_client", "invalid_client": "invalid_client",
	"unauthorized_client": "config", "not_allowed": "config", "invalid_redirect_uri": "config", "invalid_issuer": "config", "ssl_required": "config", "cookie_not_found": "invalid_session",
	"invalid_token": "invalid_token", "invalid_code": "invalid_request", "expired_code": "session_expired", "token_introspection_failed": "invalid_token", "user_session_not_found": "session_expired",
	"session_expired": "session_expired", "expired_action_token": "token_expired", "access_denied": "acl_denied", "rejected_by_user": "acl_denied", "consent_denied": "acl_denied",
	"invalid_request": "invalid_request", "invalid_form": "invalid_request", "identity_provider_error": "identity_provider_down", "identity_provider_login_failure": "identity_provider_down",
	"invalid_signature": "unknown_key", "reset_credential_disabled": "config", "pkce_verification_failed": "invalid_request", "code_verifier_missing": "invalid_request",
}

// keycloakSigns are parts of the text in which Keycloak says more than by the error.
var keycloakSigns = []sign{
	{"session not active", "session_expired"}, {"session doesn't have required client", "session_expired"}, {"offline user session not found", "session_expired"}, {"session not found", "session_expired"},
	{"stale token", "token_reused"}, {"maximum allowed refresh token reuse", "token_reused"}, {"already used", "token_reused"},
	{"token is not active", "token_expired"}, {"token expired", "token_expired"}, {"expired", "token_expired"}, {"invalid token issuer", "config"}, {"not yet active", "clock_skew"},
	{"signature", "unknown_key"}, {"key", "unknown_key"},
}

// readKeycloakEvent reads an event: "type=LOGIN_ERROR, realmId=main, …, error=E, k=v".
// Values are quoted in newer versions; in older ones those with blanks are. What stands
// before the error is not from the client; names given more than once after it are not
// read.
func (e *Event) readKeycloakEvent(m []byte) {
	if !hasPrefix(m, "type=") {
		return
	}
	var v keycloakValues
	v.read(m)
	e.Message = m
	e.Code, e.Service, e.Session = v.kind, v.client, v.session
	if e.setClient(v.address); len(v.name) > 0 {
		e.User = v.name
	} else {
		e.User = v.user
	}
	if !bytes.HasSuffix(v.kind, []byte("_ERROR")) {
		switch string(v.kind) {
		case "LOGIN", "REFRESH_TOKEN", "CODE_TO_TOKEN", "CLIENT_LOGIN", "TOKEN_EXCHANGE", "USER_INFO_REQUEST":
			e.Outcome = Accepted
		}
		return
	}
	reason, known := keycloakErrors[string(v.failure)]
	if w := firstSign(keycloakSigns, v.reason); w != "" && (reason == "invalid_token" || !known) {
		reason = w
	}
	outcome := Refused
	if reason == "identity_provider_down" {
		outcome = Failed
	}
	status, endpoint := int32(0), ""
	switch string(v.kind) {
	case "USER_INFO_REQUEST_ERROR":
		status, endpoint = 401, "userinfo"
	case "CLIENT_LOGIN_ERROR":
		status, endpoint = 401, "token"
	case "REFRESH_TOKEN_ERROR", "CODE_TO_TOKEN_ERROR": // RFC 6749, section 5.2
		if status, endpoint = 400, "token"; reason == "invalid_client" {
			status = 0 // 401 since version 8
		}
	}
	if len(e.User) == 0 && len(v.realm) > 0 && endpoint != "" {
		e.Target = e.memory.Keep(append(append(append(append(e.memory.Grow(len(v.realm)+64), "/realms/"...), v.realm...), "/protocol/openid-connect/"...), endpoint...))
	}
	if e.state(outcome, reason, status); reason == "" {
		e.Reason = v.failure
	}
}

// keycloakValues are the values of an event.
type keycloakValues struct {
	kind, client, user, session, address, failure []byte
	realm                                         []byte
	name, reason                                  []byte
	names, reasons                                int
}

// read reads the values of an event.
func (v *keycloakValues) read(b []byte) {
	for len(b) > 0 {
		key, rest, ok := cut(b, "=")
		if !ok || len(key) > 64 {
			break
		}
		var value []byte
		if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
			end := keycloakQuote(rest)
			value, rest = rest[1:end], rest[min(end+1, len(rest)):]
			b, _ = cutPrefix(rest, ", ")
		} else {
			value, b, _ = cut(rest, ", ")
		}
		v.set(key, value)
	}
	if v.names > 1 {
		v.name = nil
	}
	if v.reasons > 1 {
		v.reason = nil
	}
}

// keycloakQuote returns the offset of the quote that ends the value that b begins with:
// one before a comma or the end.
func keycloakQuote(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] == b[0] && b[i-1] != '\\' && (i+1 == len(b) || b[i+1] == ',') {
			return i
		}
	}
	return len(b)
}

// set stores a value. Of those before the error the first counts.
func (v *keycloakValues) set(key, value []byte) {
	if string(value) == "null" {
		return
	}
	for _, x := range [...]struct {
		key string
		to  *[]byte
	}{{"type", &v.kind}, {"clientId", &v.client}, {"userId", &v.user}, {"sessionId", &v.session}, {"ipAddress", &v.address}, {"error", &v.failure}, {"realmName", &v.realm}} {
		if x.key == string(key) {
			if *x.to == nil {
				*x.to = value
			}
			return
		}
	}
	switch string(key) {
	case "username":
		v.name = value
		v.names++
	case "reason":
		v.reason = value
		v.reasons++
	}
}
