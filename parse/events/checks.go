package events

import "bytes"

// Logs of programs that check requests by themselves: search engines, Ory's services,
// Pomerium and ASP.NET Core. They are lines of JSON.

// elasticsearch is the audit log of Elasticsearch.
// https://www.elastic.co/guide/en/elasticsearch/reference/current/audit-event-types.html
var elasticsearch = keyed{
	paths: []path{
		{"type", slotMark}, {"timestamp", slotTime}, {"event.action", slotCode}, {"event.type", slotMore}, {"user.name", slotUser}, {"origin.address", slotClient}, {"url.path", slotTarget},
		{"request.method", slotMethod}, {"request.id", slotID},
	},
	needs: []slot{slotMark, slotTime, slotCode, slotMore},
	finish: func(c *captures, e *Event) bool {
		if string(c[slotMark]) != "audit" {
			return false
		}
		m := elasticsearchActions[string(e.Code)]
		e.state(m.outcome, m.reason, m.status)
		return true
	},
}

var elasticsearchActions = map[string]meaning{
	"authentication_failed": {Refused, "invalid_credentials", 401}, "anonymous_access_denied": {Refused, "no_credentials", 401}, "access_denied": {Refused, "acl_denied", 403},
	"run_as_denied": {Refused, "acl_denied", 403}, "tampered_request": {Refused, "invalid_request", 401}, "authentication_success": {Accepted, "", 0},
}

// openSearch is the audit log of OpenSearch, and of Search Guard.
// https://docs.opensearch.org/latest/security/audit-logs/field-reference/
var openSearch = keyed{
	paths: []path{
		{"audit_category", slotCode}, {"@timestamp", slotTime}, {"audit_utc_timestamp", slotTime}, {"audit_request_effective_user", slotUser}, {"audit_request_remote_address", slotClient},
		{"audit_rest_request_path", slotTarget}, {"audit_rest_request_method", slotMethod},
	},
	needs: []slot{slotCode, slotTime},
	finish: func(_ *captures, e *Event) bool {
		m := openSearchCategories[string(e.Code)]
		if string(e.User) == "<NONE>" { // the request had no credentials
			if e.User = nil; m.outcome == Refused {
				m.reason = "no_credentials"
			}
		}
		e.state(m.outcome, m.reason, m.status)
		return true
	},
}

var openSearchCategories = map[string]meaning{
	"FAILED_LOGIN": {Refused, "invalid_credentials", 401}, "MISSING_PRIVILEGES": {Refused, "acl_denied", 403}, "BAD_HEADERS": {Refused, "invalid_request", 0},
	"AUTHENTICATED": {Accepted, "", 0},
}

// ory are the logs of Ory's Kratos, Hydra and Oathkeeper. Lines about answers are requests.
var ory = keyed{
	paths: []path{
		{"audience", slotMark}, {"time", slotTime}, {"level", slotLevel}, {"msg", slotMessage}, {"http_response.status", slotMore}, {"error.status_code", slotStatus}, {"error.reason", slotReason},
		{"error.message", slotReason}, {"http_request.remote", slotClient}, {"http_request.method", slotMethod}, {"http_request.path", slotTarget}, {"http_request.host", slotHost},
		{"http_method", slotMethod}, {"http_url", slotTarget}, {"http_host", slotHost},
	},
	needs: []slot{slotMark, slotTime, slotLevel, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if c[slotMore] != nil {
			return false
		}
		e.splitURL()
		switch string(c[slotStatus]) {
		case "401":
			e.refuse(c[slotReason], nil, "")
			e.Status = 401
		case "403":
			e.state(Refused, "acl_denied", 403)
		case "":
			if string(e.Message) == "Encountered self-service login error." {
				e.refuse(c[slotReason], nil, "invalid_credentials")
			}
		}
		return true
	},
}

// pomerium are the decisions of Pomerium's authorize service.
var pomerium = keyed{
	paths: []path{
		{"service", slotMark}, {"time", slotTime}, {"message", slotMessage}, {"allow", slotStatus}, {"allow-why-false", slotReason}, {"request-id", slotID}, {"method", slotMethod}, {"path", slotTarget},
		{"host", slotHost}, {"ip", slotClient}, {"email", slotUser}, {"session-id", slotSession},
	},
	needs: []slot{slotMark, slotTime, slotMessage, slotStatus},
	finish: func(c *captures, e *Event) bool {
		if string(c[slotMark]) != "authorize" {
			return false
		}
		switch why := c[slotReason]; {
		case string(c[slotStatus]) == "true":
			e.Outcome = Accepted
		case bytes.Contains(why, []byte("unauthenticated")):
			e.state(Refused, "no_credentials", 0) // a browser is redirected
		default:
			e.state(Refused, "acl_denied", 403)
		}
		return true
	},
}

// aspNet are events of ASP.NET Core's handlers of authentication, as Serilog and the JSON
// console of Microsoft.Extensions.Logging write them. Lines with a status are requests.
var aspNet = keyed{
	paths: []path{
		{"SourceContext", slotMark}, {"Category", slotMark}, {"@t", slotTime}, {"Timestamp", slotTime}, {"@m", slotMessage}, {"@mt", slotMessage}, {"Message", slotMessage}, {"RequestId", slotID},
		{"RequestPath", slotTarget}, {"FailureMessage", slotReason}, {"State.FailureMessage", slotReason}, {"StatusCode", slotStatus},
	},
	needs: []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if !hasPrefix(c[slotMark], "Microsoft.AspNetCore.Auth") || c[slotStatus] != nil {
			return false
		}
		e.Target = nil // it has no query, and what the id joins needs no target
		if _, failure, ok := cut(e.Message, "was not authenticated. Failure message: "); ok {
			if len(c[slotReason]) > 0 {
				failure = c[slotReason]
			}
			e.refuse(failure, aspNetSigns, "invalid_token")
			e.Status = 401
		}
		return true
	},
}

// aspNetSigns are codes of Microsoft.IdentityModel.
var aspNetSigns = []sign{
	{"idx10223", "token_expired"}, {"idx10222", "clock_skew"}, {"idx10503", "unknown_key"}, {"idx10501", "unknown_key"}, {"idx10500", "unknown_key"}, {"idx10511", "unknown_key"},
	{"idx10214", "invalid_token"}, {"idx10205", "config"}, {"idx20803", "identity_provider_down"}, {"idx20804", "identity_provider_down"}, {"expired", "token_expired"},
}
