package events

import (
	"bytes"

	"logscan/parse/field"
)

// Event logs of identity providers: JSON lines, for the most part.

var okta = keyed{
	paths: []path{
		{"eventType", slotCode}, {"published", slotTime}, {"outcome.result", slotStatus}, {"outcome.reason", slotReason}, {"actor.alternateId", slotUser}, {"actor.type", slotMore}, {"client.ipAddress", slotClient},
		{"debugContext.debugData.requestId", slotID}, {"displayMessage", slotMessage}, {"authenticationContext.externalSessionId", slotSession},
	},
	needs: []slot{slotCode, slotTime, slotStatus, slotUser},
	finish: func(c *captures, e *Event) bool {
		switch string(c[slotStatus]) {
		case "SUCCESS", "ALLOW":
			if hasPrefix(e.Code, "user.session.start") || hasPrefix(e.Code, "user.authentication") || hasPrefix(e.Code, "app.oauth2") && bytes.Contains(e.Code, []byte("grant")) {
				e.Outcome = Accepted
			}
		case "FAILURE", "DENY":
			e.refuse(c[slotReason], oktaReasons, "")
		}
		if string(e.Code) == "user.account.lock" {
			e.state(Refused, "account_locked", 0)
		}
		if bytes.HasSuffix(c[slotMore], []byte("ClientApp")) { // a program, not a person
			e.User, e.Service = nil, e.User
		}
		return true
	},
}

// oktaReasons are the reasons of outcomes, in lower case.
// https://developer.okta.com/docs/reference/api/system-log/
var oktaReasons = []sign{
	{"invalid_credentials", "invalid_credentials"}, {"locked_out", "account_locked"}, {"password_expired", "password_expired"}, {"verification_error", "invalid_credentials"},
	{"unknown_user", "unknown_user"}, {"invalid_login", "unknown_user"}, {"mfa", "step_up_required"}, {"challenge", "step_up_required"}, {"policy", "acl_denied"}, {"no_matching_policy", "acl_denied"},
	{"suspended", "account_disabled"}, {"deactivated", "account_disabled"}, {"expired", "token_expired"}, {"invalid_client", "invalid_client"}, {"revoked", "invalid_token"},
}

// refuse stores that a sign-in was refused for a reason in the source's own words.
// otherwise is the reason if they are not recognised, empty for the words themselves.
func (e *Event) refuse(text []byte, signs []sign, otherwise string) {
	w := firstSign(signs, text)
	if w == "" {
		w = reasonIn(text)
	}
	if w == "" {
		w = otherwise
	}
	outcome := Refused
	if w == "identity_provider_down" {
		outcome = Failed
	}
	if e.state(outcome, w, 0); w == "" {
		e.Reason = text
	}
}

var entra = keyed{
	paths: []path{
		{"createdDateTime", slotTime}, {"userPrincipalName", slotUser}, {"status.errorCode", slotCode}, {"status.failureReason", slotMessage}, {"ipAddress", slotClient},
		{"appDisplayName", slotService}, {"correlationId", slotID},
		// as Azure Monitor exports it
		{"properties.createdDateTime", slotTime}, {"time", slotTime}, {"properties.userPrincipalName", slotUser}, {"properties.status.errorCode", slotCode},
		{"properties.status.failureReason", slotMessage}, {"properties.ipAddress", slotClient}, {"properties.appDisplayName", slotService}, {"properties.correlationId", slotID},
		// and as Log Analytics has it in a table
		{"TimeGenerated", slotTime}, {"UserPrincipalName", slotUser}, {"ResultType", slotCode}, {"ResultDescription", slotMessage}, {"IPAddress", slotClient}, {"AppDisplayName", slotService},
		{"CorrelationId", slotID},
	},
	needs: []slot{slotTime, slotUser, slotCode},
	finish: func(_ *captures, e *Event) bool {
		if string(e.Code) == "0" {
			e.Outcome = Accepted
			return true
		}
		if w := entraCodes[string(e.Code)]; w != "" {
			e.state(Refused, w, 0)
		} else {
			e.refuse(e.Message, nil, "")
		}
		return true
	},
}

// entraCodes are the codes of errors (AADSTS).
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var entraCodes = map[string]string{
	"50126": "wrong_password", "50034": "unknown_user", "50053": "account_locked", "50055": "password_expired", "50056": "invalid_credentials", "50057": "account_disabled",
	"50074": "step_up_required", "50076": "step_up_required", "50079": "step_up_required", "50072": "step_up_required", "53003": "acl_denied", "53000": "acl_denied", "50105": "acl_denied",
	"65001": "acl_denied", "700016": "config", "50011": "config", "90002": "config", "7000215": "invalid_client", "7000222": "invalid_client", "70008": "token_expired", "700082": "session_idle",
	"700084": "session_expired", "50078": "session_expired", "50173": "token_expired", "70043": "token_expired", "70044": "session_expired", "50133": "session_expired", "50089": "session_expired",
	"50020": "unknown_user", "90072": "unknown_user", "50144": "password_expired", "50097": "step_up_required", "50158": "step_up_required", "500121": "step_up_required",
	"53001": "acl_denied", "53002": "acl_denied", "500011": "config",
	"50058": "no_credentials", "500133": "token_expired", "500134": "token_expired", "50013": "invalid_token", "90094": "acl_denied", "530003": "acl_denied",
}

var auth0 = keyed{
	paths: []path{
		{"log_id", slotMark}, {"date", slotTime}, {"type", slotCode}, {"client_id", slotService}, {"ip", slotClient}, {"user_name", slotUser}, {"description", slotMessage},
		{"data.log_id", slotMark}, {"data.date", slotTime}, {"data.type", slotCode}, {"data.client_id", slotService}, {"data.ip", slotClient}, {"data.user_name", slotUser}, {"data.description", slotMessage},
	},
	needs: []slot{slotMark, slotTime, slotCode},
	finish: func(_ *captures, e *Event) bool {
		code := string(e.Code)
		if w, ok := auth0Types[code]; ok {
			outcome := Refused
			if w == "" {
				outcome = Accepted
			}
			e.state(outcome, w, 0)
		} else if len(code) > 0 && code[0] == 'f' {
			e.refuse(e.Message, nil, "")
		}
		return true
	},
}

// auth0Types are the types of events; those of a success have no reason.
// https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes
var auth0Types = map[string]string{
	"s": "", "ss": "", "ssa": "", "seacft": "", "seccft": "", "sepft": "", "sertft": "", "scoa": "",
	"fp": "wrong_password", "fu": "unknown_user", "fc": "config", "fco": "config", "fcoa": "config", "fsa": "no_credentials",
	"feacft": "invalid_request", "feccft": "invalid_client", "fepft": "invalid_credentials", "fertft": "invalid_token", "ferrt": "token_reused",
	"limit_wc": "account_locked", "limit_mu": "address_denied", "limit_sul": "account_locked", "limit_ui": "account_locked", "pwd_leak": "account_restricted", "gd_auth_failed": "step_up_required", "gd_auth_rejected": "step_up_required", "gd_otp_rate_limit_exceed": "step_up_required", "fapi": "invalid_request",
}

var authentik = keyed{
	paths: []path{
		{"logger", slotMark}, {"timestamp", slotTime}, {"action", slotCode}, {"event", slotMessage}, {"client_ip", slotClient}, {"request_id", slotID}, {"username", slotUser},
		{"context.username", slotUser}, {"user.username", slotMore}, {"identifier", slotUser}, {"reason", slotReason}, {"error", slotReason},
	},
	needs: []slot{slotMark, slotTime},
	finish: func(c *captures, e *Event) bool {
		if !hasPrefix(c[slotMark], "authentik.") {
			return false
		}
		if len(e.User) == 0 && string(c[slotMore]) != "AnonymousUser" {
			e.User = c[slotMore]
		}
		switch {
		case string(e.Code) == "login_failed", string(e.Message) == "invalid_login":
			e.state(Refused, "invalid_credentials", 0)
		case string(e.Code) == "login":
			e.Outcome = Accepted
		case string(e.Code) == "suspicious_request", string(e.Code) == "authorize_denied":
			e.state(Refused, "acl_denied", 0)
		case string(e.Code) == "configuration_error":
			e.state(Failed, "config", 0)
		case string(e.Message) == "failed to redeem code": // of an outpost
			e.refuse(c[slotReason], authentikSigns, "")
		}
		return true
	},
}

// authentikSigns are parts of the errors of outposts.
var authentikSigns = []sign{{"cannot fetch token: 401", "invalid_client"}}

var dex = keyed{
	paths: []path{
		{"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"err", slotReason}, {"client_id", slotService}, {"token_id", slotMore}, {"user", slotUser}, {"username", slotUser},
		{"client_remote_addr", slotClient}, {"request_id", slotID}, {"connector_id", slotMark},
	},
	needs: []slot{slotTime, slotLevel, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if dexRules.read(e.Message, e) {
			switch {
			case index(c[slotReason], "initial bind for user") >= 0:
				e.state(Failed, "config", 500) // the connector's own account
			case reasonIn(c[slotReason]) == "identity_provider_down", string(e.Reason) == "identity_provider_down":
				e.state(Failed, "identity_provider_down", 500)
			}
			e.Message = c[slotMessage]
			return true
		}
		return hasPrefix(e.Message, "dex ") || c[slotMark] != nil
	},
}

// dexRules are messages of Dex. Source: dexidp/dex, server.
var dexRules = newRules(
	rule{`refresh token expired due to inactivity`, Refused, "session_idle", 400},
	rule{`refresh token expired`, Refused, "token_expired", 400},
	rule{`refresh token claimed twice`, Refused, "token_reused", 400},
	rule{`refresh token with id {text} claimed twice`, Refused, "token_reused", 400},
	rule{`trying to claim token for different client`, Refused, "invalid_client", 400},
	rule{`refresh: refused, session ended`, Refused, "session_expired", 400},
	rule{`failed to get refresh token`, Refused, "invalid_token", 400},
	rule{`failed to login user`, Refused, "invalid_credentials", 0},
	rule{`failed to authenticate`, Refused, "invalid_credentials", 0},
	rule{`failed to rotate token: {skip}claimed twice`, Refused, "token_reused", 400},
	// Before version 2.39 the error is in the message.
	rule{`Failed to login user: {skip}initial bind for user {text}`, Failed, "config", 500},
	rule{`Failed to login user: {reason}`, Refused, "invalid_credentials", 0},
	rule{`Failed to authenticate: {reason}`, Refused, "invalid_credentials", 0},
	rule{`failed to get refresh token: {text}`, Refused, "invalid_token", 400},
	rule{`failed login attempt{text}`, Refused, "invalid_credentials", 401},
	rule{`invalid client_secret on token request{text}`, Refused, "invalid_client", 401},
	rule{`invalid client_secret{text}`, Refused, "invalid_client", 401},
	rule{`failed to verify id token{text}`, Refused, "invalid_token", 401},
	rule{`failed to get client`, Refused, "invalid_client", 401},
	rule{`login successful{text}`, Accepted, "", 0},
)

var authelia = keyed{
	paths: []path{
		{"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"method", slotMethod}, {"path", slotTarget}, {"remote_ip", slotClient}, {"error", slotReason}, {"status_code", slotStatus},
	},
	needs: []slot{slotTime, slotLevel, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if c[slotStatus] != nil {
			return false // a request
		}
		if string(e.Message) == "Error occurred while attempting to authenticate a request" {
			cause := c[slotReason]
			if i := bytes.LastIndex(cause, headerColon); i >= 0 { // what precedes names the user
				cause = cause[i+len(headerColon):]
			}
			e.refuse(cause, autheliaSigns, "")
			e.splitURL()
			return true
		}
		if autheliaRules.read(c[slotMessage], e) {
			if w := reasonIn(c[slotReason]); w != "" && string(e.Reason) == "invalid_credentials" {
				e.Reason = e.memory.String(w)
			}
			e.Message = c[slotMessage]
			e.splitURL()
			return true
		}
		return c[slotClient] != nil && c[slotMethod] != nil || hasPrefix(e.Message, "Authelia ")
	},
}

// autheliaSigns are parts of the errors of requests that could not be authenticated.
var autheliaSigns = []sign{{"invalid scheme", "wrong_scheme"}}

var headerColon = []byte("header: ")

// splitURL sets the host and the target of a request that is named by its URL.
func (e *Event) splitURL() {
	_, rest, ok := cut(e.Target, "://")
	if n := bytes.IndexByte(rest, '/'); ok && n > 0 {
		e.Host, e.Target = field.WithoutPort(rest[:n]), rest[n:]
	}
}

// autheliaRules are messages of Authelia. Source: authelia/authelia, internal/handlers.
var autheliaRules = newRules(
	rule{`Unsuccessful 1FA authentication attempt by user '{user}': {reason}`, Refused, "invalid_credentials", 401},
	rule{`Unsuccessful 1FA authentication attempt by user '{user}' and they are banned until {text}`, Refused, "account_locked", 401},
	rule{`Unsuccessful 1FA authentication attempt by user '{user}'`, Refused, "invalid_credentials", 401},
	rule{`Unsuccessful {word} authentication attempt by user '{user}': {text}`, Refused, "step_up_required", 401},
	rule{`Unsuccessful {word} authentication attempt by user '{user}'`, Refused, "step_up_required", 401},
	rule{`Successful {word} authentication attempt made by user '{user}'`, Accepted, "", 0},
	rule{`Access to '{uri}' is not authorized to user '<anonymous>', responding with status code 302{text}`, Refused, "no_credentials", 302},
	rule{`Access to '{uri}' is not authorized to user '<anonymous>', responding with status code {text}`, Refused, "no_credentials", 401},
	rule{`Access to '{uri}' is not authorized to user '{user}', responding with status code {text}`, Refused, "step_up_required", 401},
	rule{`Access to '{uri}' is forbidden to user '{user}'{text}`, Refused, "acl_denied", 403},
	rule{`Access to {uri} (method {method}) is not authorized to user <anonymous>, responding with status code 302{text}`, Refused, "no_credentials", 302},
	rule{`Access to {uri} (method {method}) is not authorized to user <anonymous>, responding with status code {text}`, Refused, "no_credentials", 401},
	rule{`Credentials are wrong for user {user}`, Refused, "invalid_credentials", 401},
	rule{`Access Request failed with error: Client authentication failed{text}`, Refused, "invalid_client", 401},
	rule{`Access Request failed with error: The provided authorization grant {text}`, Refused, "invalid_token", 400},
	rule{`Destroying session cookie as the cookie domain {text}`, Refused, "invalid_session", 401},
	rule{`Session for user '{user}' does not match the Session-Username header{text}`, Refused, "invalid_session", 401},
	rule{`User {user} has been inactive for too long`, Refused, "session_idle", 401},
	rule{`{skip}token does not contain a valid audience{text}`, Refused, "invalid_token", 401},
	rule{`{skip}insecure scheme 'http', only {text}`, Refused, "config", 400},
)

// readShibboleth reads a line of idp-audit.log: "20260309T140500Z|binding|…|". Only
// answers are logged. https://shibboleth.atlassian.net/wiki/spaces/IDP4/pages/1265631741
func readShibboleth(line []byte, e *Event) bool {
	if !shaped(line, "00000000T000000Z|") || bytes.Count(line, []byte("|")) < 6 || !bytes.Contains(line, []byte("urn:")) {
		return false
	}
	e.setTime(line[:len("00000000T000000Z")])
	const service, user = 3, 8
	rest := line
	for i := 0; len(rest) > 0; i++ {
		var text []byte
		text, rest, _ = bytes.Cut(rest, []byte("|"))
		switch i {
		case service:
			e.Service = text
		case user:
			e.User, e.Outcome = text, Accepted
		}
	}
	if len(e.User) == 0 {
		e.Outcome = Other
	}
	return true
}

// casActions are the results of Apereo CAS's audit trail that are about a sign-in.
var casActions = map[string]meaning{
	"AUTHENTICATION_FAILED": {Refused, "invalid_credentials", 401}, "AUTHENTICATION_SUCCESS": {Accepted, "", 0},
	"TICKET_GRANTING_TICKET_NOT_CREATED": {Refused, "invalid_credentials", 401}, "SERVICE_TICKET_NOT_CREATED": {Refused, "session_expired", 0},
	"SERVICE_TICKET_VALIDATE_FAILED": {Refused, "invalid_token", 0}, "SERVICE_TICKET_VALIDATION_FAILED": {Refused, "invalid_token", 0},
	"SERVICE_ACCESS_ENFORCEMENT_FAILED": {Refused, "acl_denied", 403}, "AUTHENTICATION_EVENT_TRIGGERED": {Other, "", 0},
}

var casHeader = newTemplate(`{time} {level} [{mark}] - {message}`)

// readCAS reads a line of Apereo CAS's audit trail: "date|CAS|what|ACTION|user|client|
// server". What precedes the action has names, so fields count from the end.
func readCAS(line []byte, e *Event) bool {
	var c captures
	if !casHeader.match(line, &c) || !bytes.HasSuffix(c[slotMark], []byte("AuditTrailManager")) {
		return false
	}
	c.set(e)
	rest := e.Message
	if hasPrefix(rest, "{") {
		return casJSON.read(rest, e)
	}
	var last [4][]byte // server, client, user, action
	for i := range last {
		n := bytes.LastIndexByte(rest, '|')
		if n < 0 {
			return true
		}
		last[i], rest = rest[n+1:], rest[:n]
	}
	e.setClient(last[1])
	if m, ok := casActions[string(last[3])]; ok {
		e.state(m.outcome, m.reason, m.status)
		e.Code = last[3]
		if hasPrefix(last[2], "audit:") {
			last[2] = nil
		}
		e.User = last[2]
	}
	return true
}

var teleport = keyed{
	paths: []path{
		{"event", slotMark}, {"code", slotCode}, {"time", slotTime}, {"user", slotUser}, {"success", slotStatus}, {"error", slotReason}, {"addr.remote", slotClient}, {"cluster_name", slotService}, {"sid", slotSession},
	},
	needs: []slot{slotMark, slotCode, slotTime, slotService},
	finish: func(c *captures, e *Event) bool {
		if string(c[slotMark]) != "user.login" {
			return true
		}
		if string(c[slotStatus]) == "true" {
			e.Outcome = Accepted
			return true
		}
		e.refuse(c[slotReason], nil, "invalid_credentials")
		return true
	},
}

// shibboleth is shibd.log, of Shibboleth's service provider.
var shibboleth = texts{
	shape:   "0000-00-00 00:00:00 ",
	headers: templates(`{time} {level} Shibboleth.{mark} [{skip}]: {message}`, `{time} {level} OpenSAML.{mark} [{skip}]: {message}`),
	rules: newRules(
		rule{`detected a problem with assertion: Message expired, was issued too long ago.{text}`, Refused, "clock_skew", 500},
		rule{`detected a problem with assertion: Message rejected, was issued in the future.{text}`, Refused, "clock_skew", 500},
		rule{`detected a problem with assertion: Assertion is no longer valid.{text}`, Refused, "clock_skew", 500},
		rule{`detected a problem with assertion: Unable to establish security of incoming assertion.{text}`, Refused, "unknown_key", 500},
		rule{`detected a problem with assertion: {text}`, Refused, "invalid_token", 500},
	),
}

// readPingFederate reads a line of PingFederate's audit.log: "date| tid:id| event| subject| ip|
// application| connection| protocol| host| role| status| adapter| description| time".
// https://docs.pingidentity.com/pingfederate
func readPingFederate(line []byte, e *Event) bool {
	const stamp = "0000-00-00 00:00:00,000"
	const event, subject, client, application, status, description, number = 2, 3, 4, 5, 10, 12, 13
	if !shaped(line, stamp+"| tid:") {
		return false
	}
	var fields [number][]byte
	for i, rest := 0, line; i < number && len(rest) > 0; i++ {
		fields[i], rest, _ = cut(rest, "|")
		fields[i] = trimBlanks(fields[i])
	}
	if len(fields[status]) == 0 {
		return false
	}
	e.setTime(line[:len(stamp)])
	e.setClient(fields[client])
	e.Code, e.User, e.Service = fields[event], fields[subject], fields[application]
	switch string(fields[status]) {
	case "success":
		e.Outcome = Accepted
	case "failure":
		e.refuse(fields[description], nil, "invalid_credentials")
	}
	return true
}

// casJSON are the keys of Apereo CAS's audit trail as JSON.
var casJSON = keyed{
	paths: []path{{"action", slotCode}, {"who", slotUser}, {"clientIpAddress", slotClient}, {"application", slotService}},
	needs: []slot{slotCode, slotClient},
	finish: func(_ *captures, e *Event) bool {
		if m, ok := casActions[string(e.Code)]; ok {
			e.state(m.outcome, m.reason, m.status)
		}
		if hasPrefix(e.User, "audit:") {
			e.User = nil
		}
		return true
	},
}
