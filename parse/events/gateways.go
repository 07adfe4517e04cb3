package events

import (
	"bytes"

	"logscan/parse/field"
)

// Logs of proxies and gateways that decide about requests.

// caddy are the errors of Caddy's HTTP handlers. Its access log has the same keys.
var caddy = keyed{
	paths: []path{
		{"logger", slotMark}, {"ts", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"status", slotStatus}, {"error", slotReason}, {"err_id", slotID},
		{"request.client_ip", slotClient}, {"request.remote_ip", slotClient}, {"request.method", slotMethod}, {"request.uri", slotTarget}, {"request.host", slotHost}, {"request.remote_port", slotMore},
	},
	needs: []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		log, ok := cutPrefix(c[slotMark], "http.")
		if !ok || hasPrefix(log, "log.access") {
			return false
		}
		e.Port = c[slotMore]
		switch status := string(c[slotStatus]); {
		case string(e.Message) == "auth provider returned error": // a module, such as caddy-security's authorizer
			e.refuse(c[slotReason], caddySigns, "")
			e.Status = 401
		case status == "401" && hasPrefix(log, "log.error"):
			e.state(Refused, reasonIn(c[slotReason]), 401) // "not authenticated": with what is not stated
		case status == "403" && hasPrefix(log, "log.error"):
			e.state(Refused, "acl_denied", 403)
		}
		return true
	},
}

// caddySigns are parts of the errors of modules that authenticate for Caddy: caddy-security,
// and http_basic if it cannot read a header.
var caddySigns = []sign{
	{"no token found", "no_credentials"}, {"access list", "acl_denied"}, {"expired", "token_expired"}, {"base64", "invalid_request"}, {"failed to parse token", "invalid_token"},
}

// traefik is Traefik's own log, as logfmt and JSON.
var traefik = keyed{
	paths:  []path{{"middlewareName", slotMark}, {"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"message", slotMessage}, {"error", slotReason}},
	needs:  []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool { return e.readTraefik(c[slotMark]) },
}

// traefikConsole is the beginning of a line of version 3, whose fields follow the message.
var traefikConsole = newTemplate(`{time} {level} {skip} > {message}`)

// readTraefik reads a line of Traefik's own log.
func readTraefik(line []byte, e *Event) bool {
	var c captures
	if !shaped(line, "0000-00-00T00:00:00") {
		return traefik.read(line, e)
	}
	if !traefikConsole.match(line, &c) || len(c[slotLevel]) != 3 || index(line, "traefik") < 0 {
		return false
	}
	c.set(e)
	if text, _, ok := cut(e.Message, " middlewareName="); ok {
		e.Message = text
	}
	return e.readTraefik(nil)
}

// traefikRules are messages of Traefik. Source: traefik/traefik, pkg/middlewares/auth.
var traefikRules = newRules(
	rule{`Authentication failed`, Refused, "invalid_credentials", 401},
	rule{`Digest authentication failed`, Refused, "invalid_credentials", 401},
	rule{`Remote error {skip}. StatusCode: 401`, Refused, "denied_by_authorizer", 401},
	rule{`Remote error {skip}. StatusCode: 403`, Refused, "denied_by_authorizer", 403},
	rule{`Error calling {text}`, Failed, "identity_provider_down", 500},
	rule{`Request body is too large{text}`, Refused, "invalid_request", 401},
)

// readTraefik stores what the message of a middleware means.
func (e *Event) readTraefik(middleware []byte) bool {
	traefikRules.read(e.Message, e)
	e.Service = middleware
	return true
}

// grafana is Grafana's log as logfmt and JSON. Lines of requests are read by the formats
// for access logs.
var grafana = keyed{
	paths: []path{
		{"logger", slotMark}, {"t", slotTime}, {"level", slotLevel}, {"lvl", slotLevel}, {"msg", slotMessage}, {"error", slotReason}, {"err", slotReason}, {"remote_addr", slotClient}, {"status", slotStatus},
		{"traceID", slotID}, {"path", slotTarget}, {"method", slotMethod}, {"uname", slotUser}, {"username", slotUser},
	},
	needs: []slot{slotMark, slotTime, slotLevel, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if c[slotStatus] != nil {
			return false
		}
		if !grafanaRules.read(e.Message, e) {
			return true
		}
		w := firstSign(grafanaSigns, c[slotReason])
		if w == "" {
			w = reasonIn(c[slotReason])
		}
		e.specify(w)
		return true
	},
}

// grafanaRules are messages of Grafana. Source: grafana/grafana, pkg/services/authn.
var grafanaRules = newRules(
	rule{`Failed to authenticate request`, Refused, "", 401},
	rule{`Unauthorized`, Refused, "", 401},
	rule{`Invalid username or password`, Refused, "invalid_credentials", 401},
	rule{`Invalid API key`, Refused, "invalid_credentials", 401},
	rule{`Expired API key`, Refused, "token_expired", 401},
	rule{`Failed to look up user based on cookie`, Refused, "invalid_session", 401},
	rule{`Failed to look up session from cookie`, Refused, "invalid_session", 401},
	rule{`Failed to verify JWT{text}`, Refused, "invalid_token", 401},
	rule{`User is disabled`, Refused, "account_disabled", 401},
)

var grafanaSigns = []sign{
	{"token needs to be rotated", "session_expired"}, {"user token not found", "invalid_session"}, {"token revoked", "invalid_session"}, {"token expired", "session_expired"},
	{"expired", "token_expired"}, {"invalid username or password", "invalid_credentials"},
}

// envoyHeaders are the beginnings of lines of Envoy's own log, and of Istio's.
var envoyHeaders = templates(
	`[{time}][{digits}][{level}][{code}] [{skip}] {message}`,
	"{time}\t{level}\tenvoy {code} {skip}\t{message}\tthread={digits}",
	"{time}\t{level}\tenvoy {code}\t{message}",
)

// envoyVerified is the message of the result of the verification of a token.
const envoyVerified = "JWT token verification completed with: "

// envoyRules are other messages of filters that refuse. Source: envoyproxy/envoy,
// source/extensions/filters/http.
var envoyRules = newRules(
	rule{`enforced denied, matched policy {text}`, Refused, "acl_denied", 403},
	rule{`{skip}ext_authz filter rejected the request. Response status code: '401{text}`, Refused, "denied_by_authorizer", 401},
	rule{`{skip}ext_authz filter rejected the request. Response status code: '403{text}`, Refused, "denied_by_authorizer", 403},
	rule{`fetch pubkey [uri = {text}]: response status code {digits}`, Failed, "identity_provider_down", 0},
	rule{`fetch pubkey [uri = {text}]: network error {text}`, Failed, "identity_provider_down", 0},
)

// readEnvoy reads a line of the log of Envoy, perhaps as Istio's sidecar writes it. The lines name
// neither clients nor requests.
func readEnvoy(line []byte, e *Event) bool {
	if len(line) == 0 || line[0] != '[' && index(line, "\tenvoy ") < 0 {
		return false
	}
	for _, h := range envoyHeaders {
		var c captures
		if !h.match(line, &c) {
			continue
		}
		e.Reset()
		c.set(e)
		message := e.Message
		if _, status, ok := cut(message, envoyVerified); ok && string(status) != "OK" {
			e.readVerification(status)
		} else if !ok {
			envoyRules.read(message, e)
		}
		e.Message = message
		return true
	}
	return false
}

// readVerification stores what a status of Envoy's verification of tokens means.
func (e *Event) readVerification(status []byte) {
	detail := append(append(append(e.memory.Grow(len(status)+16), "jwt_authn{"...), status...), '}')
	reason, _ := field.ReasonOf(detail)
	switch {
	case reason == "identity_provider_down", reason == "config":
		e.state(Failed, reason, 401)
	case reason != "":
		e.state(Refused, reason, 401)
	}
}

// registry is the log of a registry of container images. Lines with the status of a
// response are requests.
var registry = keyed{
	paths: []path{
		{"http.request.id", slotID}, {"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"http.request.host", slotHost}, {"http.request.method", slotMethod},
		{"http.request.remoteaddr", slotClient}, {"http.request.uri", slotTarget}, {"http.response.status", slotStatus}, {"auth.user.name", slotUser},
	},
	needs: []slot{slotID, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if c[slotStatus] != nil {
			return false
		}
		registryRules.read(e.Message, e)
		return true
	},
}

// registryRules are messages of distribution/distribution, registry/auth.
var registryRules = newRules(
	rule{`error authorizing context: authorization token required`, Refused, "no_credentials", 401},
	rule{`error authorizing context: basic authentication challenge for realm {text}: invalid authorization credential`, Refused, "no_credentials", 401},
	// The line before has said it, with the name of the user.
	rule{`error authorizing context: basic authentication challenge for realm {text}: authentication failure`, Other, "", 0},
	rule{`error authorizing context: insufficient scope`, Refused, "insufficient_scope", 401},
	rule{`error authorizing context: invalid token`, Refused, "invalid_token", 401},
	rule{`error authorizing context: {reason}`, Refused, "invalid_token", 401},
	rule{`error authenticating user "{user}": authentication failure`, Refused, "wrong_password", 401},
	rule{`token signed by untrusted key with ID: {text}`, Refused, "unknown_key", 401},
	rule{`token from untrusted issuer: {text}`, Refused, "config", 401},
	rule{`token intended for another audience: {text}`, Refused, "config", 401},
	rule{`token not to be used {text}`, Refused, "token_expired", 401},
)

// oauth2Headers are the beginnings of lines about a sign-in and of others.
// Source: oauth2-proxy/oauth2-proxy, pkg/logger.
var oauth2Headers = templates(
	`{client} - {id} - {user} [{time}] [{code}] {message}`,
	`{client} - {user} [{time}] [{code}] {message}`,
	`[{time}] [{mark}.go:{digits}] {message}`,
)

// oauth2Proxy is what people make of oauth2-proxy's formats to have JSON lines, with its own
// names of the fields. Lines with a number as their status are requests.
// https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview#logging-configuration
var oauth2Proxy = keyed{
	paths: []path{
		{"client", slotClient}, {"request_id", slotID}, {"username", slotUser}, {"timestamp", slotTime}, {"status", slotCode}, {"message", slotMessage}, {"host", slotHost}, {"request_method", slotMethod}, {"file", slotMark},
	},
	needs: []slot{slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if !hasPrefix(c[slotCode], "Auth") && !bytes.Contains(c[slotMark], []byte(".go:")) {
			return false
		}
		e.readOAuth2Message()
		return true
	},
}

// oauth2Rules are messages of oauth2-proxy.
var oauth2Rules = newRules(
	rule{`Invalid authentication via session: removing session {text}`, Refused, "invalid_session", 401},
	rule{`Invalid authentication via OAuth2: unauthorized`, Refused, "acl_denied", 403},
	rule{`Invalid authentication via OAuth2. Error while loading CSRF cookie: {text}`, Refused, "invalid_request", 403},
	rule{`Invalid authentication via OAuth2: {text}CSRF{text}`, Refused, "invalid_request", 403},
	rule{`Invalid authentication via OAuth2: {reason}`, Refused, "invalid_request", 403},
	rule{`Invalid authentication via {text}: {reason}`, Refused, "invalid_credentials", 401},
	rule{`Invalid authentication via {text}`, Refused, "invalid_credentials", 401},
	rule{`Invalid authorization via session {text}`, Refused, "acl_denied", 0}, // 401 for nginx's auth_request, 403 for others
	rule{`Invalid authorization via session: removing session{text}`, Refused, "acl_denied", 0},
	rule{`Session validation failed{text}`, Refused, "invalid_session", 401},
	rule{`Error loading cookied session: {skip}not present{text}`, Refused, "no_credentials", 401},
	rule{`Error loading cookied session: {skip}expired{text}`, Refused, "session_expired", 401},
	// The store of sessions does not answer.
	rule{`Error loading cookied session: {skip}connection refused{text}`, Failed, "identity_provider_down", 401},
	rule{`Error loading cookied session: {skip}no such host{text}`, Failed, "identity_provider_down", 401},
	rule{`Error loading cookied session: {skip}timeout{text}`, Failed, "identity_provider_down", 401},
	// "cookie signature not valid": the secret was changed, or the cookie is too old.
	rule{`Error loading cookied session: {text}`, Refused, "invalid_session", 401},
	rule{`No cookies were found in OAuth callback.`, Refused, "invalid_request", 403},
	rule{`Unable to refresh session: {skip}connection refused{text}`, Failed, "identity_provider_down", 401},
	rule{`Unable to refresh session: {skip}no such host{text}`, Failed, "identity_provider_down", 401},
	rule{`Unable to refresh session: {skip}timeout{text}`, Failed, "identity_provider_down", 401},
	rule{`Unable to refresh session: {skip}deadline exceeded{text}`, Failed, "identity_provider_down", 401},
	rule{`Unable to refresh session: {text}`, Refused, "token_expired", 401},
	rule{`Fatal refresh error detected {text}`, Refused, "session_expired", 401},
	rule{`Session not refreshed - User: {user}; no refresh token available`, Refused, "session_expired", 401},
	rule{`Error retrieving session from token in Authorization header: {reason}`, Refused, "invalid_token", 401},
	rule{`no valid bearer token found in authorization header{text}`, Refused, "invalid_token", 401},
	rule{`unable to verify bearer token{reason}`, Refused, "invalid_token", 401},
	// The provider has answered: it refuses the proxy itself, or a code that it did not give out.
	rule{`Error redeeming code during OAuth2 callback: {skip}cannot fetch token: 401{text}`, Failed, "invalid_client", 500},
	rule{`Error redeeming code during OAuth2 callback: {skip}"invalid_grant"{text}`, Refused, "invalid_request", 500},
	rule{`Error redeeming code during OAuth2 callback: {skip}: EOF`, Failed, "identity_provider_down", 500},
	rule{`Error redeeming code during OAuth2 callback: {skip}"server_error"{text}`, Failed, "identity_provider_down", 500},
	rule{`Error redeeming code during OAuth2 callback: {reason}`, Failed, "", 500},
	rule{`Error while parsing OAuth2 callback: {text}`, Refused, "invalid_request", 403},
)

// readOAuth2Proxy reads a line of oauth2-proxy but for those of requests.
func readOAuth2Proxy(line []byte, e *Event) bool {
	if len(line) > 0 && line[0] == '{' {
		return oauth2Proxy.read(line, e)
	}
	for i, h := range oauth2Headers {
		var c captures
		if !h.match(line, &c) {
			continue
		}
		if i < 2 && len(c[slotCode]) > 0 && !hasPrefix(c[slotCode], "Auth") {
			return false
		}
		e.Reset()
		c.set(e)
		e.readOAuth2Message()
		return true
	}
	return false
}

// readOAuth2Message stores what a message of oauth2-proxy means. The code is what it says of a
// sign-in: AuthSuccess, AuthFailure or AuthError.
func (e *Event) readOAuth2Message() {
	user, code, message := e.User, e.Code, e.Message
	switch string(code) {
	case "AuthSuccess":
		e.Outcome = Accepted
		return
	case "AuthFailure", "AuthError":
		e.state(Refused, "", 0) // 401 for a session, 403 for a sign-in
	}
	oauth2Rules.read(message, e)
	if e.Code, e.Message = code, message; len(user) > 0 {
		e.User = user
	}
	if string(code) == "AuthError" {
		e.Outcome = Failed
	}
}

// tyk is the log of Tyk's gateway, logfmt or JSON lines.
var tyk = keyed{
	paths: []path{{"mw", slotMark}, {"time", slotTime}, {"msg", slotMessage}, {"origin", slotClient}, {"path", slotTarget}, {"api_name", slotService}},
	needs: []slot{slotMark, slotMessage, slotClient},
	finish: func(c *captures, e *Event) bool {
		tykRules.read(c[slotMessage], e)
		if e.Message = c[slotMessage]; e.Time == 0 {
			e.Yearless = c[slotTime] // before version 5.3
		}
		return true
	},
}

// tykRules are messages of Tyk's middlewares.
var tykRules = newRules(
	rule{`Attempted access with malformed header, no auth header found.`, Refused, "no_credentials", 0},
	rule{`Attempted access with expired {text}`, Refused, "token_expired", 0},
	rule{`Attempted access with {text}`, Refused, "invalid_credentials", 0},
	rule{`JWT validation error: {reason}`, Refused, "invalid_token", 0},
)

// krakenD is the log of KrakenD.
var krakenD = texts{
	shape:   "[KRAKEND] 0000/00/00 - 00:00:00",
	headers: templates(`[KRAKEND] {time} {word} {level} {message}`),
	rules: newRules(
		rule{`[ENDPOINT: {target}][JWTValidator] Unable to validate the token: {reason}`, Refused, "invalid_token", 401},
	),
}

// ownCloud is the log of the proxy of ownCloud Infinite Scale and OpenCloud, JSON lines.
var ownCloud = keyed{
	paths: []path{{"authenticator", slotMark}, {"time", slotTime}, {"message", slotMessage}, {"error", slotReason}, {"path", slotTarget}},
	needs: []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if string(e.Message) == "failed to authenticate the request" {
			e.refuse(c[slotReason], nil, "invalid_token")
			e.Status = 401
		}
		return true
	},
}
