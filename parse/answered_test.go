package parse

import (
	"testing"

	"logscan/parse/field"
)

// TestReasonOfSuccess checks that only refusals have a reason.
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
		want               field.Answerer
	}{
		{"answered by nginx", text, "2026-03-09T14:05:00Z 401 - -", Proxy},
		{"nginx's upstream", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80 401", Upstream},
		{"an upstream tried after another", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80, 10.0.0.2:80 502, 401", Upstream},
		{"an upstream with another status", text, "2026-03-09T14:05:00Z 401 10.0.0.1:80 200", Proxy},
		{"a success", text, "2026-03-09T14:05:00Z 200 10.0.0.1:80 200", Unknown},
		{"only the status", `$time_iso8601 $status $upstream_status`, "2026-03-09T14:05:00Z 401 401", Upstream},
		{"only the status, none", `$time_iso8601 $status $upstream_status`, "2026-03-09T14:05:00Z 401 -", Proxy},
		{"only the address", `$time_iso8601 $status $upstream_addr`, "2026-03-09T14:05:00Z 401 10.0.0.1:80", Upstream},
		{"nothing logged", `$time_iso8601 $status`, "2026-03-09T14:05:00Z 401", Unknown},
		{"Traefik without OriginStatus", "json", `{"time":"2026-03-09T14:05:00Z","DownstreamStatus":401,"ServiceName":"app@docker"}`, Proxy},
		{"Traefik with OriginStatus", "json", `{"time":"2026-03-09T14:05:00Z","DownstreamStatus":401,"OriginStatus":401,"ServiceName":"app@docker"}`, Upstream},
		{"Cloudflare's edge", "json", `{"EdgeStartTimestamp":"2026-03-09T14:05:00Z","EdgeResponseStatus":401,"OriginResponseStatus":0}`, Proxy},
		{"Cloudflare's origin", "json", `{"EdgeStartTimestamp":"2026-03-09T14:05:00Z","EdgeResponseStatus":401,"OriginResponseStatus":401}`, Upstream},
		{"Kong", "json", `{"started_at":1773065100000,"response":{"status":401},"source":"kong","upstream_uri":"/x","tries":[]}`, Proxy},
		{"Kong's upstream", "json", `{"started_at":1773065100000,"response":{"status":401},"source":"upstream"}`, Upstream},
		{"Envoy", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","upstream_host":null}`, Proxy},
		{"Envoy's upstream", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"response_code_details":"via_upstream","upstream_host":"10.0.0.1:80"}`, Upstream},
		{"answered by nginx, JSON", "json", `{"time":"2026-03-09T14:05:00Z","status":401,"upstream_addr":"-","upstream_status":"-"}`, Proxy},
		{"only the status, none, JSON", "json", `{"time":"2026-03-09T14:05:00Z","status":401,"upstream_status":""}`, Proxy},
		{"Envoy without details", "json", `{"start_time":"2026-03-09T14:05:00Z","response_code":401,"upstream_host":null}`, Proxy},
		{"HAProxy", "json", `{"accept_date":"2026-03-09T14:05:00Z","status_code":401,"backend_name":"app","upstream":"<NOSRV>"}`, Proxy},
	} {
		var e Entry
		if v := formatOf(t, tt.format, "").NewParser().Parse([]byte(tt.line), &e); v != Parsed || e.AnsweredBy != tt.want {
			t.Errorf("%s: %v, answered by %q, want %q", tt.name, v, e.AnsweredBy, tt.want)
		}
	}
}
