package events

import (
	"bytes"

	"logscan/parse/field"
)

// nginx writes "2026/03/09 14:05:00 [error] PID#TID: *CONN MESSAGE, client: A, server:
// S, request: "R", subrequest: "U", upstream: "P", host: "H", referrer: "F"", without
// escapes. The message and the referrer may hold what looks like these fields, so the
// place where they begin is not always certain: see find.
// Source: nginx, src/core/ngx_log.c and ngx_http_log_error in src/http.

// nginxRules are the messages that are about authentication.
var nginxRules = newRules(
	// ngx_http_auth_basic_module.c. A refusal at level info: most logs lack it.
	rule{`no user/password was provided for basic authentication{tail}`, Refused, "no_credentials", 401},
	// What follows the name of a user has no tail: a name may look like one.
	rule{`user "{user}": password mismatch`, Refused, "wrong_password", 401},
	rule{`user "{user}" was not found in "{text}"`, Refused, "unknown_user", 401},
	rule{`user "{user}": was not found in "{text}"`, Refused, "unknown_user", 401},
	rule{`crypt_r() failed{tail}`, Failed, "config", 500},
	rule{`crypt() failed{tail}`, Failed, "config", 500},
	// ngx_http_auth_request_module.c: any status but 2xx, 401 and 403.
	rule{`auth request unexpected status: {code}{tail}`, Failed, "config", 500},
	// ngx_http_access_module.c
	rule{`access forbidden by rule{tail}`, Refused, "acl_denied", 403},
	// ngx_http_request.c: a header with an underscore, which the upstream then misses.
	rule{`client sent invalid header line: "{user}"{tail}`, Failed, "header_dropped", 0},
	rule{`client sent too long header line: "{text}"{tail}`, Refused, "cookie_too_large", 400},
	rule{`client sent too large request{tail}`, Refused, "cookie_too_large", 400},
	rule{`client sent too long header line{tail}`, Refused, "cookie_too_large", 400},
	// github.com/kjdev/nginx-auth-jwt
	rule{`auth_jwt: token was not provided{tail}`, Refused, "no_credentials", 401},
	rule{`auth_jwt: rejected due to token expired{text}`, Refused, "token_expired", 401},
	rule{`auth_jwt: rejected due to token not yet valid{text}`, Refused, "clock_skew", 401},
	rule{`auth_jwt: rejected due to signature validate failure{text}`, Refused, "unknown_key", 401},
	rule{`auth_jwt: rejected due to without signature key{text}`, Refused, "unknown_key", 401},
	rule{`auth_jwt: rejected due to missing signature key{text}`, Refused, "unknown_key", 401},
	rule{`auth_jwt: failed to load{text}`, Failed, "identity_provider_down", 500},
	rule{`auth_jwt: rejected due to {text}`, Refused, "invalid_token", 401},
	rule{`auth_jwt: failed to parse jwt token{text}`, Refused, "invalid_token", 401},
	rule{`auth_jwt: {text}`, Refused, "invalid_token", 401},
	// ngx_http_auth_pam_module
	rule{`PAM: user '{user}' - not authenticated: {reason}`, Refused, "invalid_credentials", 401},
	rule{`PAM: user '{user}' - invalid account: {reason}`, Refused, "account_restricted", 401},
	// github.com/kvspb/nginx-auth-ldap
	rule{`http_auth_ldap: Could not find user DN{tail}`, Refused, "unknown_user", 401},
	rule{`http_auth_ldap: User bind failed (49: {text}`, Refused, "wrong_password", 401},
	rule{`http_auth_ldap: User bind failed ({text}`, Refused, "invalid_credentials", 401},
	rule{`http_auth_ldap: Initial bind failed ({text}`, Failed, "config", 500},
	rule{`http_auth_ldap: Authentication timed out{tail}`, Failed, "identity_provider_down", 500},
	rule{`http_auth_ldap: Could not connect{tail}`, Failed, "identity_provider_down", 500},
	rule{`http_auth_ldap: {skip}() failed (-1: {text}`, Failed, "identity_provider_down", 500},
	// scripts in JavaScript, and plugins of Kong
	rule{`js: {reason}`, Other, "", 0},                                 // see finishNginx
	rule{`[kong] {skip}.lua:{digits} [{code}] {reason}`, Other, "", 0}, // see finishNginx
	// APISIX, in Lua
	rule{`[lua] {skip}Missing authorization in request{text}`, Refused, "no_credentials", 401},
	rule{`[lua] {skip}Missing JWT token in request{text}`, Refused, "no_credentials", 401},
	rule{`[lua] {skip}Missing API key found in request{text}`, Refused, "no_credentials", 401},
	rule{`[lua] {skip}Invalid user authorization{text}`, Refused, "invalid_credentials", 401},
	rule{`[lua] {skip}failed to find user: {text}`, Refused, "unknown_user", 401},
	rule{`[lua] {skip}Invalid API key in request{text}`, Refused, "invalid_credentials", 401},
	rule{`[lua] {skip}failed to verify jwt: {reason}`, Refused, "invalid_token", 401},
	rule{`[lua] {skip}JWT token invalid: {reason}`, Refused, "invalid_token", 401},
	rule{`[lua] {skip}failed to decode JWT token{text}`, Refused, "invalid_token", 401},
	rule{`[lua] {skip}.lua:{digits}: {skip}(): {reason}`, Other, "", 0}, // see finishNginx
)

// upstreamFaults begin the messages about an upstream that did not answer. They are about
// authentication if the request was one to an authentication service.
var upstreamFaults = [...]string{
	"upstream timed out", "connect() failed", "connect() to ", "no live upstreams", "upstream prematurely closed", "recv() failed", "send() failed",
	"SSL_do_handshake() failed", "upstream sent invalid", "upstream sent no valid", "upstream sent too big header", "peer closed connection in SSL handshake", "upstream SSL certificate",
}

// readNginx reads a line of nginx's error log.
func readNginx(line []byte, e *Event) bool {
	const stamp = "0000/00/00 00:00:00"
	if len(line) < len(stamp)+2 || line[len(stamp)] != ' ' || line[len(stamp)+1] != '[' || !e.isNginxStamp(line[:len(stamp)], stamp) {
		return false
	}
	rest, ok := e.nginx.afterHead(line[len(stamp):])
	if !ok {
		return false
	}
	var connection []byte
	if hasPrefix(rest, "*") {
		if number, text := leadingDigits(rest[1:]); len(number) > 0 && hasPrefix(text, " ") {
			connection, rest = number, text[1:]
		}
	}
	rest, id := cutRequestID(rest)
	fields, same := e.nginx.afterMessage(rest)
	if !same && e.Brief && !mayStateNginx(rest) {
		return true
	}
	e.setTime(line[:len(stamp)])
	e.Connection, e.RequestID = connection, id
	f := nginxFields{last: &e.nginx}
	if same && f.read(fields) != noBeginning {
		e.Message = rest[:len(e.nginx.message)-len(nginxBegin)]
		f.set(e)
		e.Outcome, e.Reason, e.Status = e.nginx.outcome, e.nginx.reason, e.nginx.status
		return true
	}
	f.find(rest, e)
	f.set(e)
	e.readNginxMessage(&f)
	e.nginx.keepMessage(e)
	return true
}

// nginxBegin begins the fields that follow a message.
const nginxBegin = ", client: "

// nginxLast are parts of the lines before, of which most come again: they are compared in less
// time than read.
type nginxLast struct {
	head   []byte // level, process and thread
	server []byte // from the field of the server up to the request
	host   []byte // the field of the host

	// message is one that states the same whatever its fields are, up to the client; empty for
	// none. outcome, reason and status are what it states.
	message []byte
	outcome Outcome
	reason  []byte
	status  int32
}

// afterHead returns what follows " [LEVEL] PID#TID: " at the start of b. ok is false if that
// is not there.
func (l *nginxLast) afterHead(b []byte) (rest []byte, ok bool) {
	if n := len(l.head); n > 0 && bytes.HasPrefix(b, l.head) {
		return b[n:], true
	}
	level, rest, ok := cut(b[len(" ["):], "] ")
	if !ok || !letters(level) {
		return nil, false
	}
	process, rest := leadingDigits(rest)
	if len(process) == 0 || !hasPrefix(rest, "#") {
		return nil, false
	}
	thread, rest := leadingDigits(rest[1:])
	if len(thread) == 0 || !hasPrefix(rest, ":") {
		return nil, false
	}
	if rest = rest[1:]; !hasPrefix(rest, " ") {
		return rest, true
	}
	l.head = append(l.head[:0], b[:len(b)-len(rest)+1]...)
	return rest[1:], true
}

// afterMessage returns the fields after the message that states the same as before. ok is
// false if text begins with another.
func (l *nginxLast) afterMessage(text []byte) (fields []byte, ok bool) {
	n := len(l.message)
	if n == 0 || !bytes.HasPrefix(text, l.message) {
		return nil, false
	}
	return text[n:], true
}

// keepMessage keeps the message of an event if nothing else of the line has a part in what it
// states.
func (l *nginxLast) keepMessage(e *Event) {
	if e.Outcome == Other || len(e.Client) == 0 || len(e.User) > 0 || len(e.Code) > 0 || !isClosed(e.Message) {
		return
	}
	l.message = append(append(l.message[:0], e.Message...), nginxBegin...)
	l.outcome, l.reason, l.status = e.Outcome, append(l.reason[:0], e.Reason...), e.Status
}

// cutRequestID cuts the id off that Kong writes at the end of a line, `, request_id: "32 digits"`.
// It is nil behind a referrer, which may hold what looks like it.
func cutRequestID(b []byte) (rest, id []byte) {
	const label, size = `, request_id: "`, 32
	start := len(b) - size - 1
	if start < len(label) || b[start-1] != '"' || b[start-2] != ' ' || string(b[start-len(label):start]) != label {
		return b, nil
	}
	rest, id = b[:start-len(label)], b[start:len(b)-1]
	if b[len(b)-1] != '"' || bytes.IndexByte(id, '"') >= 0 {
		return b, nil
	}
	if index(rest, `, referrer: "`) >= 0 {
		id = nil
	}
	return rest, id
}

// isNginxStamp reports whether b is a time of a shape. The last one was if it has the same
// separators.
func (e *Event) isNginxStamp(b []byte, shape string) bool {
	return b[4] == shape[4] && b[10] == shape[10] && (e.stamp.is(b) || e.stamp.sameDay(b)) || shaped(b, shape)
}

// leadingDigits cuts the digits off that b begins with.
func leadingDigits(b []byte) (digits, rest []byte) {
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return b[:n], b[n:]
}

// mayStateNginx reports whether a message begins as those that readNginxMessage understands.
func mayStateNginx(m []byte) bool {
	return nginxRules.mayMatch(m) || hasPrefix(m, nginxScript) || hasPrefix(m, nginxFile) || isUpstreamFault(m)
}

// Beginnings of messages about the errors of a script, and about a file.
const (
	nginxScript = `FastCGI sent in stderr: "`
	nginxFile   = `open() "`
)

// readNginxMessage stores what the message of a line means.
func (e *Event) readNginxMessage(f *nginxFields) {
	m := e.Message
	switch {
	case hasPrefix(m, nginxScript):
		e.readScriptMessage(m[len(nginxScript):])
	case hasPrefix(m, nginxFile):
		e.readPasswordFile(m)
	case len(f.subrequest) > 0 && isUpstreamFault(m):
		e.state(Failed, "identity_provider_down", 500)
	default:
		if nginxRules.read(m, e) {
			e.finishNginx()
		}
	}
}

// finishNginx completes what the rules have read.
func (e *Event) finishNginx() {
	if hasPrefix(e.Message, "client sent invalid header line") {
		name, _, _ := bytes.Cut(e.User, []byte(":"))
		if e.User = nil; bytes.IndexByte(name, '_') < 0 {
			e.state(Other, "", 0)
		}
		return
	}
	module, scripted := e.nginxModule()
	if scripted {
		switch about := firstSign(luaModules, module) != "" && len(e.Reason) > 0; {
		case e.Outcome != Other:
		case !about:
			e.state(Other, "", 0)
		case string(e.Reason) == "identity_provider_down":
			e.Outcome = Failed
		default:
			e.Outcome, e.Status = Refused, 401
		}
	}
	if hasPrefix(e.Message, "auth request") && len(e.Code) == 3 && e.Code[0] == '5' {
		e.state(Failed, "identity_provider_down", 500)
	}
}

// nginxModule returns what tells whether the message of a script is about authentication: the
// name of a module in Lua or of a plugin of Kong, or the text that a script in JavaScript wrote.
func (e *Event) nginxModule() (module []byte, scripted bool) {
	text := e.Message
	switch {
	case hasPrefix(text, "[lua] "):
		module, _, _ = cut(text[len("[lua] "):], ".lua:")
		return module, true
	case hasPrefix(text, "[kong] "):
		module = e.Code
		e.Code = nil
		return module, true
	case hasPrefix(text, "js: "):
		return text, true
	}
	return nil, false
}

// luaModules are parts of the names of modules in Lua that authenticate.
var luaModules = []sign{{"auth", "m"}, {"jwt", "m"}, {"oidc", "m"}, {"openid", "m"}}

func isUpstreamFault(m []byte) bool {
	for _, s := range upstreamFaults {
		if hasPrefix(m, s) {
			return true
		}
	}
	return false
}

// readPasswordFile reads "open() "FILE" failed (2: No such file or directory)", which
// nginx writes for any file. A password file is not the file of the request, and is
// named so.
func (e *Event) readPasswordFile(m []byte) {
	file, rest, ok := cut(m[len(nginxFile):], `" failed (`)
	if !ok {
		return
	}
	path, _, _ := bytes.Cut(e.Target, []byte("?"))
	if last := lastSegment(path); len(last) > 0 && bytes.HasSuffix(file, last) {
		return
	}
	name := lastSegment(file)
	if !hasPrefix(name, ".ht") && firstSign(passwordFiles, name) == "" {
		return
	}
	if hasPrefix(rest, "2: ") {
		e.state(Failed, "password_file_missing", 403)
	} else {
		e.state(Failed, "config", 500)
	}
}

// passwordFiles are parts of the names of password files.
var passwordFiles = []sign{{"passw", "f"}, {"htpw", "f"}, {"auth", "f"}, {"user", "f"}, {"cred", "f"}}

func lastSegment(path []byte) []byte { return path[bytes.LastIndexByte(path, '/')+1:] }

// nginxFields are the fields after a message.
type nginxFields struct {
	client, server, request, subrequest, upstream, host []byte
	method, target                                      []byte // of the request, if it has the usual shape
	plain                                               bool   // the client is an IPv4 address

	last *nginxLast
}

// clear removes the fields.
func (f *nginxFields) clear() { *f = nginxFields{last: f.last} }

// beginning is what a place in a line that looks like the beginning of the fields is.
type beginning uint8

const (
	noBeginning      beginning = iota // a part of the message
	spoiledBeginning                  // fields that hold what nginx would not write, or a part of the message
	wholeBeginning                    // fields as nginx writes them, up to the end of the line
)

// maxBeginnings is how many places in a line are examined. A line that has more was made
// for that.
const maxBeginnings = 8

// find finds the fields in the text of a line and stores its message. If they may begin
// at several places, the message decides: one that cannot hold them is whole, and they
// follow it. Otherwise the places must agree, or no field is stated.
func (f *nginxFields) find(text []byte, e *Event) {
	e.Message = text
	found, doubtful := 0, false
	for at, n := 0, 0; ; n++ {
		i := index(text[at:], nginxBegin)
		if i < 0 {
			break
		}
		at += i
		if n == maxBeginnings {
			doubtful = true
			break
		}
		if rest := text[at+len(nginxBegin):]; found == 0 {
			if f.clear(); f.read(rest) != noBeginning {
				e.Message = text[:at]
				found++
				if isClosed(e.Message) {
					return
				}
			}
		} else {
			g := nginxFields{last: f.last}
			doubtful = doubtful || g.read(rest) != noBeginning && !g.same(f)
		}
		at++
	}
	if found == 0 || doubtful {
		f.clear()
	}
}

// same reports whether the fields that say whose request it was are those of g.
func (f *nginxFields) same(g *nginxFields) bool {
	return string(f.client) == string(g.client) && string(f.host) == string(g.host) && string(f.request) == string(g.request)
}

// isClosed reports whether a message without ", client: " cannot be the beginning of a
// longer one: all that it has of the client is a user name, which has no colon (RFC
// 7617, section 2).
func isClosed(message []byte) bool {
	switch {
	case hasPrefix(message, `user "`):
		return bytes.HasSuffix(message, []byte(`": password mismatch`)) || index(message, `" was not found in "`) > 0
	case hasPrefix(message, "PAM: user '"),
		// messages without text from a client
		hasPrefix(message, "no user/password was provided"), hasPrefix(message, "access forbidden by rule"),
		hasPrefix(message, "auth request unexpected status: "), hasPrefix(message, "auth_jwt: token was not provided"),
		hasPrefix(message, "client sent too large request"), hasPrefix(message, "limiting requests, excess: "), hasPrefix(message, "limiting connections by zone "):
		return true
	}
	return false
}

// read reads the fields after ", client: ".
func (f *nginxFields) read(b []byte) beginning {
	i := bytes.IndexByte(b, ',')
	if i < 0 {
		return noBeginning // a line that was cut: the address may be, too
	}
	f.client = b[:i]
	if f.plain = field.IsIPv4(f.client); !f.plain && !isNginxClient(f.client) {
		return noBeginning
	}
	b, request, spoiled, ok := f.readServer(b[i:])
	if !ok {
		return noBeginning
	}
	whole := true
	if request {
		f.request, b, whole = cutQuoted(b)
	}
	b, whole = f.readOthers(b, whole)
	switch {
	case !whole:
		return wholeBeginning
	case hasPrefix(b, `": password mismatch`), hasPrefix(b, `" was not found in "`), hasPrefix(b, `": was not found in "`):
		return noBeginning // the user's name ends here
	case spoiled, len(f.request) > 0 && !f.splitRequest() && !isRequestLine(f.request), !isHost(f.host), len(b) > 0 && !hasPrefix(b, `, referrer: "`) && !isBeginning(b):
		return spoiledBeginning
	}
	return wholeBeginning
}

// readServer reads the field of the server and the beginning of that of the request. It
// returns the rest, whether that is a request, and whether the server holds what is no name. ok
// is false if b does not begin the fields after a client.
func (f *nginxFields) readServer(b []byte) (rest []byte, request, spoiled, ok bool) {
	const name, next = ", server: ", `, request: "`
	if n := len(f.last.server); n > 0 && bytes.HasPrefix(b, f.last.server) {
		f.server = b[len(name) : n-len(next)]
		return b[n:], true, false, true
	}
	rest, ok = cutPrefix(b, name)
	if !ok {
		return nil, false, false, false
	}
	i := bytes.IndexByte(rest, ',')
	if i < 0 {
		i = len(rest)
	}
	f.server, rest = rest[:i], rest[i:]
	spoiled = bytes.IndexByte(f.server, '"') >= 0
	if spoiled && (index(f.server, `": password mismatch`) >= 0 || index(f.server, `" was not found in "`) >= 0) {
		return nil, false, false, false // the user's name ends here
	}
	rest, request = cutPrefix(rest, next)
	if request && !spoiled {
		f.last.server = append(f.last.server[:0], b[:len(b)-len(rest)]...)
	}
	return rest, request, spoiled, true
}

// readOthers reads the fields after the request, if whole says that it was not cut off, and
// returns the rest and whether they are whole.
func (f *nginxFields) readOthers(b []byte, whole bool) ([]byte, bool) {
	const host = `, host: "`
	if n := len(f.last.host); n > 0 && bytes.HasPrefix(b, f.last.host) && (len(b) == n || b[n] == ',') {
		f.host = b[len(host) : n-1]
		return b[n:], true
	}
	if rest, has := cutPrefix(b, `, subrequest: "`); has {
		f.subrequest, b, whole = cutQuoted(rest)
	}
	if rest, has := cutPrefix(b, `, upstream: "`); has {
		f.upstream, b, whole = cutQuoted(rest)
	}
	if rest, has := cutPrefix(b, host); has {
		from := b
		if f.host, b, whole = cutQuoted(rest); whole && isHost(f.host) {
			f.last.host = append(f.last.host[:0], from[:len(from)-len(b)]...)
		}
	}
	return b, whole
}

// isBeginning reports whether b is what is left of the name of a field where a line was
// cut.
func isBeginning(b []byte) bool {
	for _, s := range [...]string{`, request: "`, `, subrequest: "`, `, upstream: "`, `, host: "`, `, referrer: "`} {
		if len(b) < len(s) && string(b) == s[:len(b)] {
			return true
		}
	}
	return false
}

// cutQuoted returns a value, whose quote has been cut off, and the rest of the line. ok is
// false if it does not end, because the line was cut: then there is no value.
func cutQuoted(b []byte) (value, rest []byte, ok bool) {
	end := quoteEnd(b)
	if end < 0 {
		return nil, nil, false
	}
	return b[:end], b[end+1:], true
}

// quoteEnd returns the offset of the quote that ends a value: one after which another
// field or the end of the line follows; -1 if there is none.
func quoteEnd(b []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return -1
		}
		if at += i; at+1 == len(b) || b[at+1] == ',' {
			return at
		}
		if b[at+1] == ':' || b[at+1] == '"' { // what follows is no field
			return at
		}
		at++
	}
}

func isNginxClient(b []byte) bool {
	return field.IsAddress(b) || hasPrefix(b, "unix:") && bytes.IndexByte(b, ' ') < 0
}

// splitRequest sets the method and the target of a request of the usual shape: letters, a
// target without blanks and a version such as HTTP/1.1. It reports whether it has that shape.
func (f *nginxFields) splitRequest() bool {
	const version, longestMethod = " HTTP/1.1", 16
	b := f.request
	n := 0
	for n < len(b) && b[n]-'A' <= 'Z'-'A' {
		n++
	}
	end := len(b) - len(version)
	if n == 0 || n > longestMethod || n >= end || b[n] != ' ' || bytes.IndexByte(b[n+1:], ' ') != end-n-1 {
		return false
	}
	if !hasPrefix(b[end:], " HTTP/") || bytes.IndexByte(b[len(b)-len("1.1"):], ' ') >= 0 {
		return false
	}
	f.method, f.target = b[:n], b[n+1:end]
	return true
}

// isRequestLine reports whether b is "METHOD target HTTP/1.1", or has no version, as
// HTTP/0.9.
func isRequestLine(b []byte) bool {
	method, rest, ok := cut(b, " ")
	if !ok || !letters(method) {
		return false
	}
	_, version, versioned := cut(rest, " ")
	return !versioned || hasPrefix(version, "HTTP/") && len(version) <= len("HTTP/1.1")
}

// isHost reports whether b is the host of a request, perhaps with a port.
func isHost(b []byte) bool {
	return bytes.IndexByte(b, ' ') < 0 && bytes.IndexByte(b, '"') < 0 && bytes.IndexByte(b, ',') < 0
}

// set stores the fields in e.
func (f *nginxFields) set(e *Event) {
	if e.Client = f.client; !f.plain {
		e.Client = nil
		if e.setClient(f.client); hasPrefix(f.client, "unix:") {
			e.Client = f.client
		}
	}
	if len(f.method) > 0 {
		e.Method, e.Target = f.method, f.target
	} else if method, rest, ok := cut(f.request, " "); ok {
		e.Method, e.Target = method, rest
		if i := bytes.LastIndexByte(rest, ' '); i >= 0 && hasPrefix(rest[i+1:], "HTTP/") {
			e.Target = rest[:i]
		}
	}
	if e.Host = f.host; len(e.Host) > 0 {
		e.Host = field.WithoutPort(e.Host)
	}
}
