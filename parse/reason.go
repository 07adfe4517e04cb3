package parse

import "bytes"

// Servers say in many ways why they refuse. reason.go makes one vocabulary of
// them; what it does not know stays the server's own text.

// The reasons. They are stable: they stand in auth_reason.
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
)

// longestReason bounds in bytes the text of a server that is passed on.
const longestReason = 256

// reasonWords are the words by which proxies and authorization servers name a
// reason, in lower case.
var reasonWords = map[string]string{
	// RFC 6750, section 3.1; RFC 9449; RFC 9470
	"invalid_token": reasonInvalidToken, "invalid_request": reasonRequest, "insufficient_scope": reasonScope,
	"insufficient_user_authentication": reasonStepUp, "use_dpop_nonce": reasonStaleNonce, "invalid_dpop_proof": reasonInvalidToken,
	"invalid_client": reasonCredentials, "invalid_grant": reasonCredentials, "unauthorized_client": reasonConfig,
	"expired_token": reasonTokenExpired, "unauthorized": "", "access_denied": reasonACL,

	// Envoy: in the braces of jwt_authn_access_denied, and other filters' details
	"jwt_is_missing": reasonNoCredentials, "jwt_is_expired": reasonTokenExpired, "jwt_not_yet_valid": reasonClockSkew,
	"jwt_is_not_in_the_form_of_header.payload.signature_with_two_dots_and_3_sections": reasonInvalidToken,
	"jwt_verification_fails": reasonInvalidToken, "jwt_issuer_is_not_configured": reasonConfig,
	"audiences_in_jwt_are_not_allowed": reasonInvalidToken, "jwks_remote_fetch_is_failed": reasonProvider,
	"jwks_doesn't_have_key_to_match_kid_or_alg_from_jwt": reasonInvalidToken, "jwt_header_is_an_invalid_base64url_encoded": reasonInvalidToken,
	"no_credential_found_for_basic_auth": reasonNoCredentials, "invalid_credential_for_basic_auth": reasonCredentials,
	"ext_authz_denied": reasonAuthorizer, "ext_authz_error": reasonProvider, "uaex": reasonAuthorizer,
	"missing_api_key": reasonNoCredentials, "unknown_api_key": reasonCredentials,
	"oauth.missing_credentials": reasonNoCredentials, "oauth.invalid_token": reasonInvalidToken,

	// AWS Application Load Balancer: error_reason
	"authinvalidcookie": reasonInvalidSession, "authinvalidgranterror": reasonCredentials, "authinvalididtoken": reasonInvalidToken,
	"authinvalidawsalbauthnonce": reasonRequest, "authmissingawsalbauthnonce": reasonRequest,
	"authinvalidstateparam": reasonRequest, "authmissingstateparam": reasonRequest, "authmissingcodeparam": reasonRequest,
	"authmissinghostheader": reasonRequest, "authunhandledexception": reasonProvider,
	"authtokeneprequestfailed": reasonProvider, "authtokeneprequesttimeout": reasonProvider,
	"authuserinfoeprequestfailed": reasonProvider, "authuserinfoeprequesttimeout": reasonProvider,
	"authuserinforesponsesizeexceeded": reasonConfig,
	"jwtheadernotpresent":              reasonNoCredentials, "jwtrequestformatinvalid": reasonInvalidToken,
	"jwtsignaturevalidationfailed": reasonInvalidToken, "jwtclaimnotpresent": reasonInvalidToken,
	"jwtclaimvalidationfailed": reasonInvalidToken, "jwtclaimformatinvalid": reasonInvalidToken,
	"jwksrequesttimeout": reasonProvider, "jwksrequestfailed": reasonProvider, "jwksresponsesizeexceeded": reasonConfig,

	// words that applications use
	"token_expired": reasonTokenExpired, "expired": reasonTokenExpired, "jwt_expired": reasonTokenExpired,
	"token_is_expired": reasonTokenExpired, "access_token_expired": reasonTokenExpired, "tokenexpired": reasonTokenExpired,
	"tokenexpirederror": reasonTokenExpired, "expiredsignatureerror": reasonTokenExpired, "the_token_is_expired": reasonTokenExpired,
	"token_has_expired": reasonTokenExpired, "signature_has_expired": reasonTokenExpired, "the_access_token_expired": reasonTokenExpired,
	"token_invalid": reasonInvalidToken, "jsonwebtokenerror": reasonInvalidToken, "invalid_signature": reasonInvalidToken,
	"invalid_credentials": reasonCredentials, "bad_credentials": reasonCredentials, "wrong_password": reasonCredentials,
	"invalid_password": reasonCredentials, "authentication_failed": reasonCredentials, "user_not_found": reasonCredentials,
	"no_credentials": reasonNoCredentials, "missing_token": reasonNoCredentials, "token_missing": reasonNoCredentials,
	"missing_credentials": reasonNoCredentials, "no_api_key_found_in_request": reasonNoCredentials, "unauthenticated": reasonNoCredentials,
	"session_expired": reasonSessionExpired, "invalid_session": reasonInvalidSession, "session_not_found": reasonInvalidSession,
	"account_locked": reasonAccountLocked, "user_locked": reasonAccountLocked, "account_disabled": reasonAccountDisabled,
	"user_disabled": reasonAccountDisabled, "password_expired": reasonPasswordExpired, "account_expired": reasonAccountExpired,
	"acl_denied": reasonACL, "stale_nonce": reasonStaleNonce, "identity_provider_down": reasonProvider,
	"step_up_required": reasonStepUp, "mfa_required": reasonStepUp, "config": reasonConfig, "clock_skew": reasonClockSkew,

	// Envoy says so where the upstream gave the answer: that is no reason.
	"via_upstream": "", "-": "",
}

// iisSubstatus are IIS's reasons by the digits behind 401.
var iisSubstatus = map[string]string{
	"1": reasonCredentials, "2": reasonConfig, "3": reasonACL, "4": reasonFilter, "5": reasonApplication, "7": reasonACL,
	"501": reasonAddress, "502": reasonAddress, "503": reasonAddress, "504": reasonAddress,
}

// win32Status are the codes of Windows that say more than IIS's substatus.
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

// explain says who refused and makes the reason one of the vocabulary.
func (p *Parser) explain(e *Entry) {
	raw := e.Reason
	if len(raw) == 0 {
		e.AnsweredBy = p.whoAnswered(e)
		return
	}
	if detail, known := envoyDetail(raw); known && p.said.answered == Unknown {
		p.said.answered = Proxy
		if detail == "via_upstream" {
			p.said.answered = Upstream
		}
	}
	e.AnsweredBy = p.whoAnswered(e)
	reason, known := reasonOf(raw)
	if known {
		p.room(len(reason))
		n := len(p.scratch)
		p.scratch = append(p.scratch, reason...)
		e.Reason = p.scratch[n:len(p.scratch):len(p.scratch)]
		return
	}
	if p.mask != nil {
		raw = p.mask.Text(raw)
	}
	e.Reason = raw[:min(len(raw), longestReason)]
}

// envoyDetail tells whether raw is a response code detail of Envoy that says
// who answered.
func envoyDetail(raw []byte) (detail string, known bool) {
	for _, d := range []string{"via_upstream", "jwt_authn_access_denied", "ext_authz_denied", "ext_authz_error", "rbac_access_denied", "direct_response"} {
		if len(raw) >= len(d) && equalLower(raw[:len(d)], d) {
			return d, true
		}
	}
	return "", false
}

// reasonOf gives the word for what a server says; known is false where there is
// none. It is asked for refusals only.
func reasonOf(raw []byte) (reason string, known bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 4<<10 {
		raw = raw[:4<<10]
	}
	if len(raw) > 4 && string(raw[:4]) == "401." {
		return iisReason(raw[4:])
	}
	if open := bytes.IndexByte(raw, '{'); open > 0 && raw[len(raw)-1] == '}' { // Envoy: what{why}
		if reason, known = word(raw[open+1 : len(raw)-1]); known {
			return reason, true
		}
		return word(raw[:open])
	}
	if len(raw) > 4 && equalLower(raw[:4], "rbac") {
		return reasonACL, true
	}
	if reason, known = word(raw); known {
		return reason, true
	}
	return challengeReason(raw)
}

// word looks up a text in reasonWords, blanks taken for underscores.
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

// challengeReason reads a WWW-Authenticate header. One without an error says
// how to authenticate, not why it failed.
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
		// There is one code for all that is wrong with a token; the description
		// tells the commonest apart.
		if d := quotedParameter(raw, "error_description"); containsFold(d, "expired") {
			return reasonTokenExpired, true
		}
	}
	return reason, known && reason != ""
}

// containsFold tells whether b holds s, which is in lower case, but for case.
func containsFold(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if equalLower(b[i:i+len(s)], s) {
			return true
		}
	}
	return false
}

// iisReason reads "1 2148074254": the substatus, and the status of Windows.
func iisReason(b []byte) (reason string, known bool) {
	sub, win, _ := bytes.Cut(b, space)
	win = bytes.TrimSpace(win)
	if r, ok := win32Status[string(win)]; ok {
		return r, true
	}
	if string(sub) == "2" && string(win) == "5" {
		return reasonNoCredentials, true // anonymous access is off: the first leg
	}
	reason, known = iisSubstatus[string(sub)]
	return reason, known
}
