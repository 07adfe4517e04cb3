package events

import "bytes"

// Logs of the frameworks that applications are built with.

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
		e.readASPNetFailure(c[slotReason])
		return true
	},
}

// readASPNetFailure stores what a message means. It reports whether it is about a failure, whose
// text is given if the line has it apart.
func (e *Event) readASPNetFailure(text []byte) bool {
	_, failure, ok := cut(e.Message, "was not authenticated. Failure message: ")
	if ok {
		if len(text) > 0 {
			failure = text
		}
		e.refuse(failure, aspNetSigns, "invalid_token")
		e.Status = 401
	}
	return ok
}

// aspNetSigns are codes of Microsoft.IdentityModel.
var aspNetSigns = []sign{
	{"idx10223", "token_expired"}, {"idx10222", "clock_skew"}, {"idx10503", "unknown_key"}, {"idx10501", "unknown_key"}, {"idx10500", "unknown_key"}, {"idx10511", "unknown_key"},
	{"idx10214", "invalid_token"}, {"idx10205", "config"}, {"idx20803", "identity_provider_down"}, {"idx20804", "identity_provider_down"}, {"expired", "token_expired"},
}

// aspNetHeaders are the beginnings of lines that Serilog writes to files and to the console, and of
// the second line of a message of the console of Microsoft.Extensions.Logging.
var aspNetHeaders = templates(`{time} [{level}] {message}`, `[{time} {level}] {message}`, `      {message}`)

// readASPNet reads a line about a request that ASP.NET Core has not authenticated.
func readASPNet(line []byte, e *Event) bool {
	if len(line) > 0 && line[0] == '{' {
		return aspNet.read(line, e)
	}
	if index(line, "was not authenticated. Failure message: ") < 0 {
		return false
	}
	for _, h := range aspNetHeaders {
		var c captures
		if !h.match(line, &c) || len(c[slotLevel]) > len("Information") {
			continue
		}
		e.Reset()
		c.set(e)
		return e.readASPNetFailure(nil)
	}
	return false
}

// spring is the log of a Spring Boot application at level debug.
var spring = texts{
	shape:   "0000-00-00",
	headers: templates(`{time} {skip} --- [{skip}] {mark} : {message}`, `{time}  {skip} --- [{skip}] {mark} : {message}`),
	rules:   springRules,
}

// springRules are messages of Spring Security.
var springRules = newRules(
	rule{`Failed to authenticate since password does not match stored value`, Refused, "wrong_password", 401},
	rule{`Failed to find user '{user}'`, Refused, "unknown_user", 401},
	rule{`Failed to authenticate since user account is locked`, Refused, "account_locked", 401},
	rule{`Failed to authenticate since user account is disabled`, Refused, "account_disabled", 401},
	rule{`Failed to authenticate since user account has expired`, Refused, "account_expired", 401},
	rule{`Failed to authenticate since user account credentials have expired`, Refused, "password_expired", 401},
	rule{`Failed to authenticate since no credentials provided`, Refused, "no_credentials", 401},
	rule{`Failed to authenticate since the JWT was invalid`, Refused, "invalid_token", 401},
	rule{`AuditEvent [timestamp={skip}, principal={user}, type=AUTHENTICATION_FAILURE, data={skip}type={word}, message={reason}, details={skip}RemoteIpAddress={client}, SessionId={text}`, Refused, "invalid_credentials", 0},
	rule{`AuditEvent [timestamp={skip}, principal={user}, type=AUTHENTICATION_FAILURE, data={skip}details={skip}RemoteIpAddress={client}, SessionId={word}], type={word}, message={reason}}]`, Refused, "invalid_credentials", 0},
	rule{`AuditEvent [timestamp={skip}, principal={user}, type=AUTHENTICATION_FAILURE, {text}`, Refused, "", 0},
)

// springJSON are the keys of the same as JSON lines, in the names of Logstash and of Elastic (ECS).
var springJSON = keyed{
	paths: []path{{"logger_name", slotMark}, {"log.logger", slotMark}, {"@timestamp", slotTime}, {"message", slotMessage}},
	needs: []slot{slotMark, slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if !hasPrefix(c[slotMark], "org.springframework.") {
			return false
		}
		springRules.read(c[slotMessage], e)
		e.Message = c[slotMessage]
		return true
	},
}

// readSpring reads a line of a Spring Boot application. The id of the session is left out.
func readSpring(line []byte, e *Event) bool {
	json := len(line) > 0 && line[0] == '{'
	if json && !springJSON.read(line, e) || !json && !spring.read(line, e) {
		return false
	}
	if hasPrefix(e.Message, "AuditEvent [") {
		e.Message, _, _ = cut(e.Message, ", data=")
	}
	return true
}

// tomcat is catalina.out. Source: apache/tomcat, java/org/apache/catalina/realm/LocalStrings.properties.
var tomcat = texts{
	shape:   "00-Aaa-0000 00:00:00.000 ",
	headers: templates(`{time} {level} [{skip}] {code} {message}`),
	rules: newRules(
		rule{`An attempt was made to authenticate the locked user [{user}]`, Refused, "account_locked", 401},
		rule{`An attempt was made to authenticate the locked user "{user}"`, Refused, "account_locked", 401},
		rule{`Username [{user}] NOT authenticated due to failed login`, Refused, "invalid_credentials", 401},
		rule{`Username [{user}] NOT authenticated due to expired account`, Refused, "account_expired", 401},
		rule{`Username [{user}] NOT authenticated due to expired credential`, Refused, "password_expired", 401},
		rule{`Exception performing authentication{text}`, Failed, "identity_provider_down", 0},
	),
}

// wildFly is the log of WildFly and JBoss EAP, with Elytron at level trace.
var wildFly = texts{
	loose:   true,
	headers: templates(`{time} {level} [org.wildfly.security{mark}] ({skip}) {message}`, `{time} {level}  [org.wildfly.security{mark}] ({skip}) {message}`),
	rules: newRules(
		rule{`User {user} authentication failed.`, Refused, "invalid_credentials", 401},
		rule{`Authentication failed - user [{user}] not found`, Refused, "unknown_user", 401},
	),
}

// laravel is the log of Laravel: what an exception said, with its class in the object that follows.
var laravel = texts{
	shape:   "[0000-00-00 00:00:00] ",
	headers: templates(`[{time}] {mark}.{level}: {message}`),
	rules: newRules(
		rule{`Unauthenticated. {"{text}`, Refused, "no_credentials", 401},
		rule{`The resource owner or authorization server denied the request. {"{text}`, Refused, "invalid_token", 401},
		rule{`Token has expired {"{text}`, Refused, "token_expired", 401},
		rule{`Token Signature could not be verified. {"{text}`, Refused, "unknown_key", 401},
		rule{`The token has been blacklisted {"{text}`, Refused, "invalid_token", 401},
	),
}

// nodeErrors are errors that Express and its middlewares throw at a request, as pino, winston and
// bunyan write them. Lines with the status of an answer are requests.
var nodeErrors = keyed{
	paths: []path{
		{"time", slotTime}, {"timestamp", slotTime}, {"msg", slotMessage}, {"message", slotMessage}, {"err.name", slotCode}, {"err.type", slotCode}, {"error.name", slotCode}, {"err.message", slotReason},
		{"error.message", slotReason}, {"res.statusCode", slotStatus}, {"reqId", slotID}, {"req.id", slotID}, {"req.method", slotMethod}, {"req.url", slotTarget}, {"req.remoteAddress", slotClient},
		{"req.remotePort", slotMore}, {"stack", slotMark},
	},
	needs: []slot{slotTime, slotMessage},
	finish: func(c *captures, e *Event) bool {
		if len(c[slotCode]) == 0 {
			c[slotCode], _, _ = bytes.Cut(c[slotMark], []byte(":"))
			e.Code = c[slotCode]
		}
		reason, known := nodeNames[string(c[slotCode])]
		if !known || c[slotStatus] != nil {
			return false
		}
		text := c[slotReason]
		if len(text) == 0 {
			text = c[slotMessage]
		}
		e.Port = c[slotMore]
		e.refuse(text, nodeSigns, reason)
		e.Status = 401
		return true
	},
}

// nodeSigns are parts of the messages of these errors.
var nodeSigns = []sign{
	{"no authorization token", "no_credentials"}, {"jwt must be provided", "no_credentials"}, {"invalid signature", "unknown_key"}, {"not active", "clock_skew"},
}

// nodeNames are the names of the errors of express-jwt, jsonwebtoken and passport.
var nodeNames = map[string]string{
	"UnauthorizedError": "invalid_token", "TokenExpiredError": "token_expired", "JsonWebTokenError": "invalid_token", "NotBeforeError": "clock_skew", "AuthenticationError": "invalid_credentials",
}

// axes is django-axes behind one of the usual formats of Python's logging.
var axes = texts{
	loose:   true,
	headers: templates(`{time} {level} {mark}: {message}`, `{level} {time} {mark} AXES: {message}`, `{time} {mark} AXES: {message}`, `[{time}] {level} [{mark}] {message}`),
	rules: newRules(
		rule{`AXES: New login failure by {skip}username: "{user}", ip_address: "{client}", {text}`, Refused, "invalid_credentials", 0},
		rule{`AXES: Repeated login failure by {skip}username: "{user}", ip_address: "{client}", {text}`, Refused, "invalid_credentials", 0},
		rule{`AXES: Locking out {skip}username: "{user}", ip_address: "{client}", {text}`, Refused, "account_locked", 0},
		rule{`New login failure by {skip}username: "{user}", ip_address: "{client}", {text}`, Refused, "invalid_credentials", 0},
	),
}
