package field

import "bytes"

// Servers name the reason of a refusal in many ways. They are mapped to one
// vocabulary; texts that are not recognised stay as the server wrote them.

// The reasons. They are stable: they are the values of auth_reason.
const (
	reasonTokenExpired      = "token_expired"
	reasonInvalidToken      = "invalid_token"
	reasonInvalidSession    = "invalid_session"
	reasonSessionExpired    = "session_expired"
	reasonCredentials       = "invalid_credentials"
	reasonNoCredentials     = "no_credentials"
	reasonACL               = "acl_denied"
	reasonScope             = "insufficient_scope"
	reasonStepUp            = "step_up_required"
	reasonStaleNonce        = "stale_nonce"
	reasonProvider          = "identity_provider_down"
	reasonConfig            = "config"
	reasonRequest           = "invalid_request"
	reasonPasswordExpired   = "password_expired"
	reasonAccountLocked     = "account_locked"
	reasonAccountDisabled   = "account_disabled"
	reasonAccountExpired    = "account_expired"
	reasonAccountRestricted = "account_restricted"
	reasonClockSkew         = "clock_skew"
	reasonAddress           = "address_denied"
	reasonFilter            = "denied_by_filter"
	reasonApplication       = "denied_by_application"
	reasonAuthorizer        = "denied_by_authorizer"
	reasonKey               = "unknown_key"
	reasonClient            = "invalid_client"
	reasonWrongPassword     = "wrong_password"
	reasonUnknownUser       = "unknown_user"
	reasonWrongScheme       = "wrong_scheme"
	reasonHeaderDropped     = "header_dropped"
	reasonCookieTooLarge    = "cookie_too_large"
	reasonPasswordFile      = "password_file_missing"
	reasonSessionIdle       = "session_idle"
	reasonTokenReused       = "token_reused"
)

// LongestReason is the greatest length in bytes of a server's own text that is
// kept.
const LongestReason = 256

// Credentials is what the line of a refusal states about the credentials of the
// request.
type Credentials uint8

// The states of credentials.
const (
	CredentialsUnknown Credentials = iota
	CredentialsMissing
	CredentialsWrong   // a wrong user name or password
	CredentialsExpired // a token or session that was good
	CredentialsGood    // access was denied all the same, such as by an access control list
	CredentialsWeak    // good, and more is asked for: a second factor, or a newer sign-in
)

// ReasonCredentials returns what a reason states about the credentials.
func ReasonCredentials(reason []byte) Credentials {
	switch string(reason) {
	case reasonNoCredentials:
		return CredentialsMissing
	case reasonCredentials, reasonWrongPassword, reasonUnknownUser:
		return CredentialsWrong
	case reasonTokenExpired, reasonSessionExpired, reasonSessionIdle:
		return CredentialsExpired
	case reasonACL, reasonScope, reasonFilter, reasonApplication:
		return CredentialsGood
	case reasonStepUp:
		return CredentialsWeak
	}
	return CredentialsUnknown
}

// reasonWords maps the words that proxies and authorization servers use, in lower
// case.
var reasonWords = map[string]string{
	// RFC 6750, section 3.1; RFC 9449; RFC 9470
	"invalid_token": reasonInvalidToken, "invalid_request": reasonRequest, "insufficient_scope": reasonScope,
	"insufficient_user_authentication": reasonStepUp, "use_dpop_nonce": reasonStaleNonce, "invalid_dpop_proof": reasonInvalidToken,
	"invalid_client": reasonClient, "invalid_grant": reasonCredentials, "unauthorized_client": reasonConfig,
	"expired_token": reasonTokenExpired, "unauthorized": "", "access_denied": reasonACL,

	// Envoy: in the braces of jwt_authn_access_denied, and other filters' details
	"jwt_is_missing": reasonNoCredentials, "jwt_is_expired": reasonTokenExpired, "jwt_not_yet_valid": reasonClockSkew,
	"jwt_is_not_in_the_form_of_header.payload.signature_with_two_dots_and_3_sections": reasonInvalidToken,
	"jwt_verification_fails": reasonKey, "jwt_issuer_is_not_configured": reasonConfig,
	"audiences_in_jwt_are_not_allowed": reasonInvalidToken, "jwks_remote_fetch_is_failed": reasonProvider,
	"jwks_doesn't_have_key_to_match_kid_or_alg_from_jwt": reasonKey, "jwt_header_is_an_invalid_base64url_encoded": reasonInvalidToken,
	"no_credential_found_for_basic_auth": reasonNoCredentials, "invalid_credential_for_basic_auth": reasonCredentials,
	"ext_authz_denied": reasonAuthorizer, "ext_authz_error": reasonProvider, "uaex": reasonAuthorizer,
	"found_multiple_jwt_tokens": reasonRequest,
	"missing_api_key":           reasonNoCredentials, "unknown_api_key": reasonCredentials,
	"oauth.missing_credentials": reasonNoCredentials, "oauth.invalid_token": reasonInvalidToken,
	"oauth.logged_in": "", "oauth.race_redirect": "", "oauth.sign_out": "",

	// AWS Application Load Balancer: error_reason
	"authinvalidcookie": reasonInvalidSession, "authinvalidgranterror": reasonCredentials, "authinvalididtoken": reasonInvalidToken,
	"authinvalidawsalbauthnonce": reasonRequest, "authmissingawsalbauthnonce": reasonRequest,
	"authinvalidstateparam": reasonRequest, "authmissingstateparam": reasonRequest, "authmissingcodeparam": reasonRequest,
	"authmissinghostheader": reasonRequest, "authunhandledexception": reasonProvider,
	"authtokeneprequestfailed": reasonProvider, "authtokeneprequesttimeout": reasonProvider,
	"authuserinfoeprequestfailed": reasonProvider, "authuserinfoeprequesttimeout": reasonProvider,
	"authuserinforesponsesizeexceeded": reasonConfig,
	"jwtheadernotpresent":              reasonNoCredentials, "jwtrequestformatinvalid": reasonInvalidToken,
	"jwtsignaturevalidationfailed": reasonKey, "jwtclaimnotpresent": reasonInvalidToken,
	"jwtclaimvalidationfailed": reasonInvalidToken, "jwtclaimformatinvalid": reasonInvalidToken,
	"jwksrequesttimeout": reasonProvider, "jwksrequestfailed": reasonProvider, "jwksresponsesizeexceeded": reasonConfig,

	// applications
	"token_expired": reasonTokenExpired, "expired": reasonTokenExpired, "jwt_expired": reasonTokenExpired,
	"token_is_expired": reasonTokenExpired, "access_token_expired": reasonTokenExpired, "tokenexpired": reasonTokenExpired,
	"tokenexpirederror": reasonTokenExpired, "expiredsignatureerror": reasonTokenExpired, "the_token_is_expired": reasonTokenExpired,
	"token_has_expired": reasonTokenExpired, "signature_has_expired": reasonTokenExpired, "the_access_token_expired": reasonTokenExpired,
	"token_invalid": reasonInvalidToken, "jsonwebtokenerror": reasonInvalidToken, "invalid_signature": reasonKey, "unknown_key": reasonKey,
	"invalid_credentials": reasonCredentials, "bad_credentials": reasonCredentials, "wrong_password": reasonWrongPassword,
	"invalid_password": reasonWrongPassword, "authentication_failed": reasonCredentials, "user_not_found": reasonUnknownUser, "unknown_user": reasonUnknownUser,
	"no_credentials": reasonNoCredentials, "missing_token": reasonNoCredentials, "token_missing": reasonNoCredentials,
	"missing_credentials": reasonNoCredentials, "no_api_key_found_in_request": reasonNoCredentials, "unauthenticated": reasonNoCredentials,
	"session_expired": reasonSessionExpired, "invalid_session": reasonInvalidSession, "session_not_found": reasonInvalidSession,
	"account_locked": reasonAccountLocked, "user_locked": reasonAccountLocked, "account_disabled": reasonAccountDisabled,
	"user_disabled": reasonAccountDisabled, "password_expired": reasonPasswordExpired, "account_expired": reasonAccountExpired,
	"acl_denied": reasonACL, "stale_nonce": reasonStaleNonce, "identity_provider_down": reasonProvider,
	"step_up_required": reasonStepUp, "mfa_required": reasonStepUp, "config": reasonConfig, "clock_skew": reasonClockSkew,
	"wrong_scheme": reasonWrongScheme, "header_dropped": reasonHeaderDropped, "cookie_too_large": reasonCookieTooLarge,
	"password_file_missing": reasonPasswordFile, "session_idle": reasonSessionIdle, "token_reused": reasonTokenReused,

	// libraries for tokens: jose, PyJWT, jjwt, jsonwebtoken; and headers made of their errors
	"err_jwt_expired": reasonTokenExpired, "err_jws_signature_verification_failed": reasonKey, "err_jwks_no_matching_key": reasonKey,
	"err_jwt_claim_validation_failed": reasonInvalidToken, "err_jwt_invalid": reasonInvalidToken, "err_jws_invalid": reasonInvalidToken, "err_jwks_timeout": reasonProvider,
	"jwt_malformed": reasonInvalidToken, "jwt_invalid": reasonInvalidToken, "jwt_claims": reasonInvalidToken, "jwt_no_sub": reasonInvalidToken, "jwt_signature": reasonKey,
	"jwks_error": reasonProvider, "jwt_not_active": reasonClockSkew, "immature_signature_error": reasonClockSkew, "immaturesignatureerror": reasonClockSkew,
	"jwssignatureexception": reasonKey, "invalidsignatureerror": reasonKey, "signature_verification_failed": reasonKey, "decodeerror": reasonInvalidToken,
	"jwt_strings_must_contain_exactly_2_period_characters": reasonInvalidToken, "notbeforeerror": reasonClockSkew, "expiredjwtexception": reasonTokenExpired,
	"user_token_not_found": reasonInvalidSession, "token_needs_to_be_rotated": reasonSessionExpired, // Grafana
	"password_auth.failed": reasonCredentials, "password_auth.invalid": reasonWrongPassword, "password_auth.empty": reasonNoCredentials, "login_attempt.blocked": reasonAccountLocked,
	"identity.not_found": reasonUnknownUser, "api_key.expired": reasonTokenExpired, "api_key.invalid": reasonCredentials, "session.token.rotate": reasonSessionExpired,
	"user_inactive": reasonAccountDisabled, "no_token": reasonNoCredentials, "jwt_must_be_provided": reasonNoCredentials,

	// Amazon API Gateway: types of responses and messages of authorizers
	"access_denied_exception": reasonACL, "invalid_api_key": reasonCredentials, "missing_authentication_token": reasonNoCredentials,
	"authorizer_failure": reasonProvider, "authorizer_configuration_error": reasonConfig, "the_incoming_token_has_expired": reasonTokenExpired,
	"api_configuration_error": reasonConfig, "integration_timeout": reasonProvider,

	// Google Cloud load balancers: statusDetails
	"handled_by_identity_aware_proxy": reasonAuthorizer, "denied_by_security_policy": reasonFilter, "response_sent_by_backend": "",

	// Envoy, if the upstream answered: no reason.
	"via_upstream": "", "-": "",
}

// iisSubstatus maps the digits of IIS after 401.
var iisSubstatus = map[string]string{
	"1": reasonCredentials, "2": reasonConfig, "3": reasonACL, "4": reasonFilter, "5": reasonApplication, "7": reasonACL,
	"501": reasonAddress, "502": reasonAddress, "503": reasonAddress, "504": reasonAddress,
}

// win32Status maps the codes of Windows that are more specific than the substatus
// of IIS.
var win32Status = map[string]string{
	"2148074254": reasonNoCredentials,     // 0x8009030E: the first leg of a handshake
	"2148074252": reasonCredentials,       // 0x8009030C
	"2148074248": reasonInvalidToken,      // 0x80090308
	"2148074257": reasonProvider,          // 0x80090311: no domain controller
	"2148074274": reasonConfig,            // 0x80090322: the service principal name
	"2148074276": reasonClockSkew,         // 0x80090324
	"2148074310": reasonConfig,            // 0x80090346: channel binding
	"1326":       reasonCredentials,       // logon failure
	"1327":       reasonAccountRestricted, // account restriction
	"1328":       reasonAccountRestricted, // logon hours
	"1329":       reasonAccountRestricted, // workstation
	"1330":       reasonPasswordExpired,
	"1331":       reasonAccountDisabled,
	"1385":       reasonAccountRestricted, // logon type not granted
	"1793":       reasonAccountExpired,
	"1907":       reasonPasswordExpired, // must be changed
	"1909":       reasonAccountLocked,
	"1311":       reasonProvider, // no logon servers
}

// Refusal returns who refused a request and why, given the logged reason and what
// the log says about the backend. word is of the vocabulary; known is false if the
// reason is not recognised.
func (h *Hints) Refusal(raw []byte, u *Upstreams) (by Answerer, word string, known bool) {
	by = h.RefusedBy(u)
	if len(raw) == 0 {
		return by, "", false
	}
	if detail, explicit := envoyDetail(raw); explicit && h.Answerer == Unknown {
		by = Proxy
		if detail == "via_upstream" || detail == "response_sent_by_backend" {
			by = Upstream
		}
	}
	word, known = reasonOf(raw)
	return by, word, known
}

// envoyDetail returns the response code detail of Envoy, or of Google's load balancers,
// that raw begins with, if it determines who answered.
func envoyDetail(raw []byte) (detail string, known bool) {
	for _, d := range []string{"via_upstream", "jwt_authn_access_denied", "ext_authz_denied", "ext_authz_error", "rbac_access_denied", "direct_response", "handled_by_identity_aware_proxy", "denied_by_security_policy", "response_sent_by_backend"} {
		if len(raw) >= len(d) && equalLower(raw[:len(d)], d) {
			return d, true
		}
	}
	return "", false
}

// reasonOf returns the word for a reason as a server writes it.
func reasonOf(raw []byte) (reason string, known bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 4<<10 {
		raw = raw[:4<<10]
	}
	if len(raw) > 4 && string(raw[:4]) == "401." {
		return iisReason(raw[4:])
	}
	if open := bytes.IndexByte(raw, '{'); open > 0 && raw[len(raw)-1] == '}' { // Envoy: what{why}
		return envoyReason(raw[:open], raw[open+1:len(raw)-1])
	}
	if len(raw) > 4 && equalLower(raw[:4], "rbac") {
		return reasonACL, true
	}
	if reason, known = word(raw); known {
		return reason, true
	}
	if len(raw) > 0 && raw[0] == '[' {
		return identifiedReason(raw)
	}
	return challengeReason(raw)
}

// identifiedReason reads errors that have an id, as those of Grafana: "[id] text: [id of the
// cause] text". The innermost one that is known counts.
func identifiedReason(raw []byte) (reason string, known bool) {
	for {
		_, rest, open := bytes.Cut(raw, []byte("["))
		id, rest, closed := bytes.Cut(rest, []byte("]"))
		if !open || !closed {
			return reason, known
		}
		if r, ok := word(id); ok {
			reason, known = r, true
		}
		raw = rest
	}
}

// jwtVerifyParts begin the texts of google/jwt_verify_lib (status.cc) that have no row of
// their own: what is wrong with the keys of the issuer, and with the token.
var jwtVerifyParts = []struct{ begin, reason string }{
	{"jwks", reasonConfig}, {"[kty]", reasonConfig}, {"[alg]", reasonConfig}, {"x509", reasonConfig}, {"pem", reasonConfig}, {"jwt", reasonInvalidToken},
}

// envoyReason reads a response code detail of Envoy, what{why}.
func envoyReason(what, why []byte) (reason string, known bool) {
	if reason, known = word(why); known {
		return reason, true
	}
	if len(what) >= len("jwt_authn") && equalLower(what[:len("jwt_authn")], "jwt_authn") {
		for _, p := range jwtVerifyParts {
			if len(why) >= len(p.begin) && equalLower(why[:len(p.begin)], p.begin) {
				return p.reason, true
			}
		}
	}
	return word(what)
}

// word looks up a text in reasonWords, with underscores for blanks.
func word(b []byte) (reason string, known bool) {
	var scratch [96]byte
	if len(b) > len(scratch) {
		return "", false
	}
	low := scratch[:copy(scratch[:], b)]
	for i, c := range low {
		switch {
		case c >= 'A' && c <= 'Z':
			low[i] = c | 0x20
		case c == ' ' || c == '-' && len(low) > 1:
			low[i] = '_'
		}
	}
	reason, known = reasonWords[string(bytes.TrimRight(low, ".!"))]
	return reason, known
}

// challengeReason reads a WWW-Authenticate header. One without an error says how
// to authenticate, not why it failed.
func challengeReason(raw []byte) (reason string, known bool) {
	if equalFold(quotedParameter(raw, "stale"), "true") {
		return reasonStaleNonce, true
	}
	failure := quotedParameter(raw, "error")
	if len(failure) == 0 {
		return "", false
	}
	reason, known = word(failure)
	if reason == reasonInvalidToken {
		// All faults of a token have this code; the description may name the most
		// frequent one.
		if d := quotedParameter(raw, "error_description"); containsFold(d, "expired") {
			return reasonTokenExpired, true
		}
	}
	return reason, known && reason != ""
}

// containsFold reports whether b contains s, which is in lower case, ignoring
// case.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if equalLower(b[i:i+len(s)], s) {
			return true
		}
	}
	return false
}

// iisReason reads "1 2148074254": the substatus and the Windows status.
func iisReason(b []byte) (reason string, known bool) {
	sub, win, _ := bytes.Cut(b, space)
	win = bytes.TrimSpace(win)
	if r, ok := win32Status[string(win)]; ok {
		return r, true
	}
	if string(sub) == "2" && string(win) == "5" {
		return reasonNoCredentials, true // anonymous access is off: first leg of a handshake
	}
	reason, known = iisSubstatus[string(sub)]
	return reason, known
}

// ReasonOf returns the word of the vocabulary for a reason in a server's own words. It is
// empty for words that state no reason.
func ReasonOf(raw []byte) (reason string, known bool) { return reasonOf(raw) }
