package field

import (
	"strings"
	"testing"
)

func TestReason(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		// RFC 6750, section 3
		{`Bearer realm="example", error="invalid_token", error_description="The access token expired"`, "token_expired"},
		{`Bearer realm="example",error="invalid_token"`, "invalid_token"},
		{`Bearer error="insufficient_scope", scope="a b"`, "insufficient_scope"},
		{`Bearer error="invalid_request"`, "invalid_request"},
		{`Bearer error=invalid_token`, "invalid_token"},
		// RFC 9470, section 3
		{`Bearer error="insufficient_user_authentication", error_description="A different level is required", acr_values="myACR"`, "step_up_required"},
		// RFC 9449, section 9
		{`DPoP error="use_dpop_nonce", error_description="x"`, "stale_nonce"},
		// RFC 7616, section 3.3
		{`Digest realm="r", nonce="n", stale=true`, "stale_nonce"},
		{`Digest realm="r", nonce="n", stale=FALSE`, `Digest realm="r", nonce="n", stale=FALSE`},
		// A challenge states how to authenticate, not why it failed.
		{`Basic realm="stale=true, error=x"`, `Basic realm="stale=true, error=x"`},
		{`Bearer error="vendor_code_7"`, `Bearer error="vendor_code_7"`},
		// IIS
		{"401.1 2148074254", "no_credentials"}, {"401.1 2148074252", "invalid_credentials"}, {"401.1 1326", "invalid_credentials"},
		{"401.1 1909", "account_locked"}, {"401.1 1331", "account_disabled"}, {"401.1 1330", "password_expired"},
		{"401.2 5", "no_credentials"}, {"401.2 0", "config"}, {"401.3 5", "acl_denied"}, {"401.4 0", "denied_by_filter"},
		{"401.5 0", "denied_by_application"}, {"401.1", "invalid_credentials"}, {"401.99 7", "401.99 7"},
		// AWS Application Load Balancer
		{"AuthInvalidCookie", "invalid_session"}, {"AuthInvalidIdToken", "invalid_token"},
		{"AuthTokenEpRequestTimeout", "identity_provider_down"}, {"AuthMissingStateParam", "invalid_request"},
		// Envoy
		{"jwt_authn_access_denied{Jwt_is_expired}", "token_expired"}, {"jwt_authn_access_denied{Jwt_is_missing}", "no_credentials"},
		{"jwt_authn_access_denied{Jwks_remote_fetch_is_failed}", "identity_provider_down"},
		{"jwt_authn_access_denied{Jwt_verification_fails}", "unknown_key"},
		{"rbac_access_denied_matched_policy[none]", "acl_denied"}, {"ext_authz_denied", "denied_by_authorizer"},
		{"jwt_authn_access_denied{Jwks_has_an_invalid_JSON}", "config"}, {"jwt_authn_access_denied{[kty]_is_bad}", "config"},
		{"jwt_authn_access_denied{Jwt_header_is_an_invalid_JSON}", "invalid_token"}, {"jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}", "unknown_key"},
		{"rbac_access_denied_matched_policy[ns[a]-policy[p]-rule[0]]", "acl_denied"}, {"oauth.sign_out", ""}, {"ext_authz_denied{x}", "denied_by_authorizer"},
		// Google Cloud, Amazon API Gateway, headers made of a library's errors
		{"handled_by_identity_aware_proxy", "denied_by_authorizer"}, {"EXPIRED_TOKEN", "token_expired"}, {"AUTHORIZER_FAILURE", "identity_provider_down"},
		{"MISSING_AUTHENTICATION_TOKEN", "no_credentials"}, {"The incoming token has expired", "token_expired"}, {"UNAUTHORIZED", ""},
		{"ERR_JWT_EXPIRED", "token_expired"}, {"jwt malformed", "invalid_token"}, {"jwt_signature", "unknown_key"}, {"user_inactive", "account_disabled"},
		{"wrong_password", "wrong_password"}, {"User not found", "unknown_user"}, {"session_idle", "session_idle"},
		{"via_upstream", ""}, {"UAEX", "denied_by_authorizer"},
		// applications
		{"Token expired", "token_expired"}, {"bad credentials", "invalid_credentials"}, {"No API key found in request", "no_credentials"},
		{"account_locked", "account_locked"}, {"Unauthorized", ""},
		// other texts
		{"ask Bob on floor 3", "ask Bob on floor 3"},
		{strings.Repeat("x", 1000), strings.Repeat("x", LongestReason)},
		{"-", ""}, {" ", " "}, {"401.", "401."}, {"{}", "{}"}, {"x{}", "x{}"},
	} {
		got := tt.raw[:min(len(tt.raw), LongestReason)]
		if _, word, known := new(Hints).Refusal([]byte(tt.raw), &Upstreams{}); known {
			got = word
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.raw, got, tt.want)
		}
		raw := []byte(tt.raw)
		if n := testing.AllocsPerRun(10, func() { new(Hints).Refusal(raw, &Upstreams{}) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.raw, n)
		}
	}
}
