package parse

import (
	"strings"
	"testing"
)

func TestReason(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		// RFC 6750, section 3
		{`Bearer realm=\x22example\x22, error=\x22invalid_token\x22, error_description=\x22The access token expired\x22`, "token_expired"},
		{`Bearer realm=\x22example\x22,error=\x22invalid_token\x22`, "invalid_token"},
		{`Bearer error=\x22insufficient_scope\x22, scope=\x22a b\x22`, "insufficient_scope"},
		{`Bearer error=\x22invalid_request\x22`, "invalid_request"},
		{`Bearer error=invalid_token`, "invalid_token"},
		// RFC 9470, section 3
		{`Bearer error=\x22insufficient_user_authentication\x22, error_description=\x22A different level is required\x22, acr_values=\x22myACR\x22`, "step_up_required"},
		// RFC 9449, section 9
		{`DPoP error=\x22use_dpop_nonce\x22, error_description=\x22x\x22`, "stale_nonce"},
		// RFC 7616, section 3.3
		{`Digest realm=\x22r\x22, nonce=\x22n\x22, stale=true`, "stale_nonce"},
		{`Digest realm=\x22r\x22, nonce=\x22n\x22, stale=FALSE`, `Digest realm="r", nonce="n", stale=FALSE`},
		// A challenge says how to authenticate, not why it failed.
		{`Basic realm=\x22stale=true, error=x\x22`, `Basic realm="stale=true, error=x"`},
		{`Bearer error=\x22vendor_code_7\x22`, `Bearer error="vendor_code_7"`},
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
		{"jwt_authn_access_denied{Jwt_verification_fails}", "invalid_token"},
		{"rbac_access_denied_matched_policy[none]", "acl_denied"}, {"ext_authz_denied", "denied_by_authorizer"},
		{"via_upstream", ""}, {"UAEX", "denied_by_authorizer"},
		// words
		{"Token expired", "token_expired"}, {"bad credentials", "invalid_credentials"}, {"No API key found in request", "no_credentials"},
		{"account_locked", "account_locked"}, {"Unauthorized", ""},
		// the server's own text
		{"ask Bob on floor 3", "ask Bob on floor 3"},
		{strings.Repeat("x", 1000), strings.Repeat("x", longestReason)},
		{"-", ""}, {" ", " "}, {"401.", "401."}, {"{}", "{}"}, {"x{}", "x{}"},
	} {
		f, err := Compile(`$time_iso8601 $status "$sent_http_www_authenticate"`)
		if err != nil {
			t.Fatal(err)
		}
		var e Entry
		p := f.NewParser()
		line := []byte(`2026-03-09T14:05:00Z 401 "` + tt.raw + `"`)
		if v := p.Parse(line, &e); v != Parsed || string(e.Reason) != tt.want {
			t.Errorf("%s: %v, %q, want %q", tt.raw, v, e.Reason, tt.want)
		}
		if n := testing.AllocsPerRun(10, func() { p.Parse(line, &e) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.raw, n)
		}
	}
}

// Only refusals have a reason.
func TestReasonOfSuccess(t *testing.T) {
	j, _ := Lookup("json")
	var e Entry
	j.NewParser().Parse([]byte(`{"start_time":"2026-03-09T14:05:00Z","response_code":200,"response_code_details":"via_upstream"}`), &e)
	if len(e.Reason) != 0 || e.AnsweredBy != Unknown {
		t.Errorf("reason %q, answered by %q", e.Reason, e.AnsweredBy)
	}
}

func TestAnsweredBy(t *testing.T) {
	const text = `$time_iso8601 $status $upstream_addr $upstream_status`
	for _, tt := range []struct {
		name, format, line string
		want               Answerer
	}{
		{"nginx itself", text, "2026-03-09T14:05:00Z 401 - -", Proxy},
		{"nginx's upstream", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80 401", Upstream},
		{"an upstream tried after another", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80, 10.0.0.2:80 502, 401", Upstream},
		{"an upstream that answered something else", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80 200", Proxy},
		{"a success", text, "2026-03-09T14:05:00Z 200 10.0.0.1:80 200", Unknown},
		{"the status alone", `$time_iso8601 $status $upstream_status`, "2026-03-09T14:05:00Z 401 401", Upstream},
		{"the status alone, none", `$time_iso8601 $status $upstream_status`, "2026-03-09T14:05:00Z 401 -", Proxy},
		{"the address alone", `$time_iso8601 $status $upstream_addr`, "2026-03-09T14:05:00Z 401 10.0.0.1:80", Upstream},
		{"nothing logged", `$time_iso8601 $status`, "2026-03-09T14:05:00Z 401", Unknown},
		{"Traefik without OriginStatus", "json", `{"time":"2026-03-09T14:05:00Z","DownstreamStatus":401,"ServiceName":"app@docker"}`, Proxy},
		{"Traefik with OriginStatus", "json", `{"time":"2026-03-09T14:05:00Z","DownstreamStatus":401,"OriginStatus":401,"ServiceName":"app@docker"}`, Upstream},
		{"Cloudflare's edge", "json", `{"EdgeStartTimestamp":"2026-03-09T14:05:00Z","EdgeResponseStatus":401,"OriginResponseStatus":0}`, Proxy},
		{"Cloudflare's origin", "json", `{"EdgeStartTimestamp":"2026-03-09T14:05:00Z","EdgeResponseStatus":401,"OriginResponseStatus":401}`, Upstream},
		{"Kong", "json", `{"started_at":1773065100000,"response":{"status":401},"source":"kong","upstream_uri":"/x","tries":[]}`, Proxy},
		{"Kong's upstream", "json", `{"started_at":1773065100000,"response":{"status":401},"source":"upstream"}`, Upstream},
		{"Envoy", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","upstream_host":null}`, Proxy},
		{"Envoy's upstream", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"response_code_details":"via_upstream","upstream_host":"10.0.0.1:80"}`, Upstream},
		{"nginx itself, in JSON", "json", `{"time":"2026-03-09T14:05:00Z","status":401,"upstream_addr":"-","upstream_status":"-"}`, Proxy},
		{"the status alone, none, in JSON", "json", `{"time":"2026-03-09T14:05:00Z","status":401,"upstream_status":""}`, Proxy},
		{"Envoy without details", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"upstream_host":null}`, Proxy},
		{"HAProxy", "json", `{"accept_date":"2026-03-09T14:05:00Z","status_code":401,"backend_name":"app","upstream":"<NOSRV>"}`, Proxy},
	} {
		var e Entry
		if v := formatOf(t, tt.format, "").NewParser().Parse([]byte(tt.line), &e); v != Parsed || e.AnsweredBy != tt.want {
			t.Errorf("%s: %v, answered by %q, want %q", tt.name, v, e.AnsweredBy, tt.want)
		}
	}
}
