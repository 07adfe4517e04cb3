package events

import "bytes"

// Logs of programs that check requests by themselves: search engines, Ory's services and
// Pomerium.

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

// elasticServer is the log of Elasticsearch and OpenSearch as text.
var elasticServer = texts{
	shape:   "[0000-00-00T00:00:00,000][",
	headers: templates(`[{time}][{skip}][{skip}] [{skip}] {message}`),
	rules:   elasticRules,
}

// elasticServerJSON are the keys of the same as JSON lines, before version 8 and in the names of
// ECS, and of Kibana's log.
var elasticServerJSON = keyed{
	paths: []path{{"component", slotMark}, {"log.logger", slotMark}, {"timestamp", slotTime}, {"@timestamp", slotTime}, {"message", slotMessage}},
	needs: []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if mark := c[slotMark]; !hasPrefix(mark, "o.e.") && !hasPrefix(mark, "org.elasticsearch.") && !hasPrefix(mark, "plugins.security") {
			return false
		}
		elasticRules.read(c[slotMessage], e)
		e.Message = c[slotMessage]
		return true
	},
}

// elasticRules are messages about authentication. Sources: elastic/elasticsearch,
// AuthenticationService; opensearch-project/security, BackendRegistry.
var elasticRules = newRules(
	rule{`Authentication of [{user}] was terminated by realm [{skip}] - {reason}`, Refused, "invalid_credentials", 401},
	rule{`Authentication to realm {skip} failed - {reason}`, Refused, "invalid_credentials", 401},
	rule{`Authentication finally failed for null from {client}`, Refused, "no_credentials", 401},
	rule{`Authentication finally failed for {user} from {client}`, Refused, "invalid_credentials", 401},
	rule{`Authentication attempt failed: {skip}unable to authenticate user [{user}] for REST request{text}`, Refused, "invalid_credentials", 401},
)

// readElasticServer reads a line of Elasticsearch's or OpenSearch's log.
func readElasticServer(line []byte, e *Event) bool {
	if len(line) > 0 && line[0] == '{' {
		return elasticServerJSON.read(line, e)
	}
	return elasticServer.read(line, e)
}

// cloudTrail are events of AWS, JSON lines: calls that were refused, and sign-ins to the console
// and to Cognito.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
var cloudTrail = keyed{
	paths: []path{
		{"eventSource", slotMark}, {"eventName", slotMore}, {"eventTime", slotTime}, {"errorCode", slotCode}, {"errorMessage", slotReason}, {"sourceIPAddress", slotClient},
		{"userIdentity.userName", slotUser}, {"responseElements.ConsoleLogin", slotStatus}, {"requestID", slotID},
	},
	needs: []slot{slotMark, slotMore, slotTime},
	finish: func(c *captures, e *Event) bool {
		switch result := string(c[slotStatus]); {
		case result == "Failure":
			e.state(Refused, "invalid_credentials", 0)
		case result == "Success":
			e.Outcome = Accepted
		case string(e.Code) == "NotAuthorizedException":
			e.refuse(c[slotReason], cognitoSigns, "invalid_credentials")
		default:
			if w := cloudTrailCodes[string(e.Code)]; w != "" {
				e.state(Refused, w, 0)
			}
		}
		return true
	},
}

// cloudTrailCodes are the codes of errors of AWS that are about credentials and permissions.
var cloudTrailCodes = map[string]string{
	"AccessDenied": "acl_denied", "AccessDeniedException": "acl_denied", "UnauthorizedOperation": "acl_denied", "Client.UnauthorizedOperation": "acl_denied", "ExpiredToken": "token_expired",
	"ExpiredTokenException": "token_expired", "InvalidClientTokenId": "invalid_credentials", "SignatureDoesNotMatch": "invalid_credentials", "UnrecognizedClientException": "invalid_credentials",
	"UserNotFoundException": "unknown_user", "UserNotConfirmedException": "account_restricted", "PasswordResetRequiredException": "password_expired", "CodeMismatchException": "step_up_required",
}

// cognitoSigns are parts of the messages of Cognito.
var cognitoSigns = []sign{
	{"refresh token has been revoked", "invalid_token"}, {"token has expired", "token_expired"}, {"attempts exceeded", "account_locked"}, {"incorrect username or password", "invalid_credentials"},
	{"user is disabled", "account_disabled"},
}

// googleAudit are entries of Google Cloud's audit logs, JSON lines, such as those of the
// Identity-Aware Proxy. The codes are those of google.rpc.Code.
var googleAudit = keyed{
	paths: []path{
		{"protoPayload.serviceName", slotMark}, {"protoPayload.methodName", slotMore}, {"timestamp", slotTime}, {"protoPayload.status.code", slotCode}, {"protoPayload.status.message", slotMessage},
		{"protoPayload.authenticationInfo.principalEmail", slotUser}, {"protoPayload.requestMetadata.callerIp", slotClient},
	},
	needs: []slot{slotMark, slotMore, slotTime},
	finish: func(_ *captures, e *Event) bool {
		switch string(e.Code) {
		case "16":
			e.state(Refused, "no_credentials", 0)
		case "7":
			e.state(Refused, "acl_denied", 0)
		}
		return true
	},
}
