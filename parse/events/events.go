// Package events recognises the lines of logs that lie beside access logs but hold no
// requests: error logs of servers and event logs of identity providers.
//
// In: a line. Out: whether it belongs to a log of a kind. It does not interpret the line.
package events

import (
	"bytes"

	"logscan/parse/scan"
)

// Log is a kind of log without requests. It is immutable.
type Log struct {
	Name   string
	Doc    string // what writes it, in a line
	Sample string // a line of it

	is func(line []byte) bool
}

// Is reports whether a line is one of the log.
func (l *Log) Is(line []byte) bool { return l.is(line) }

// Logs returns the kinds that are known.
func Logs() []*Log {
	return []*Log{
		{Name: "nginx-error", Doc: "nginx's error_log", is: nginx, Sample: `2026/03/09 14:05:00 [error] 1234#1234: *5 user "jane" was not found in "/etc/nginx/htpasswd", client: 192.0.2.1, server: example.org, request: "GET / HTTP/1.1", host: "example.org"`},
		{Name: "apache-error", Doc: "Apache's ErrorLog", is: apache, Sample: `[Mon Mar 09 14:05:00.123456 2026] [auth_basic:error] [pid 1234:tid 5678] [client 192.0.2.1:50000] AH01618: user jane not found: /`},
		{Name: "lighttpd-error", Doc: "lighttpd's server.errorlog", is: lighttpd, Sample: `2026-03-09 14:05:00: (mod_auth.c.765) password doesn't match for / username: jane IP: 192.0.2.1`},
		{Name: "cups-error", Doc: "CUPS's error_log", is: cups, Sample: `E [09/Mar/2026:14:05:00 +0000] StartListening: Unable to find IP address for server name "localhost"`},
		{Name: "gunicorn-error", Doc: "Gunicorn's error log", is: gunicorn, Sample: `[2026-03-09 14:05:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)`},
		{Name: "keycloak-events", Doc: "Keycloak's server log, with its events", is: keycloak, Sample: `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (executor-thread-1) type="LOGIN_ERROR", realmId="main", clientId="app", userId="null", ipAddress="192.0.2.1", error="user_not_found"`},
		{Name: "okta-events", Doc: "Okta's System Log, JSON lines", is: okta, Sample: `{"actor":{"alternateId":"jane@example.org"},"eventType":"user.session.start","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"published":"2026-03-09T14:05:00.000Z"}`},
		{Name: "entra-events", Doc: "sign-in log of Microsoft Entra ID, JSON lines", is: entra, Sample: `{"createdDateTime":"2026-03-09T14:05:00Z","userPrincipalName":"jane@example.org","appDisplayName":"app","ipAddress":"192.0.2.1","status":{"errorCode":50126}}`},
		{Name: "auth0-events", Doc: "tenant log of Auth0, JSON lines", is: auth0, Sample: `{"date":"2026-03-09T14:05:00.000Z","type":"fp","client_id":"a1","connection":"users","ip":"192.0.2.1","user_name":"jane","log_id":"90020260309"}`},
		{Name: "authentik-events", Doc: "events of authentik, JSON lines", is: authentik, Sample: `{"action":"login_failed","auth_via":"unauthenticated","client_ip":"192.0.2.1","event":"Created Event","logger":"authentik.events.models","timestamp":"2026-03-09T14:05:00"}`},
		{Name: "shibboleth-audit", Doc: "Shibboleth IdP, idp-audit.log", is: shibboleth, Sample: `20260309T140500Z|urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect|a1|https://sp.example.org|http://shibboleth.net/ns/profiles/saml2/sso/browser|https://idp.example.org|jane|`},
	}
}

// nginx recognises "2026/03/09 14:05:00 [error] 1234#1234: *5 text".
func nginx(line []byte) bool {
	const stamp = "0000/00/00 00:00:00 ["
	if !shaped(line, stamp) {
		return false
	}
	level, rest, ok := bytes.Cut(line[len(stamp):], []byte("] "))
	if !ok || !letters(level) {
		return false
	}
	process, rest, ok := bytes.Cut(rest, []byte("#"))
	thread, _, more := bytes.Cut(rest, []byte(":"))
	return ok && more && scan.AllDigits(process) && scan.AllDigits(thread)
}

// apache recognises "[Mon Mar 09 14:05:00.123456 2026] [module:level] …" of version
// 2.4, and "[Mon Mar 09 14:05:00 2026] [level] …" of those before.
func apache(line []byte) bool {
	const day = "[Aaa Aaa 00 00:00:00"
	if !shaped(line, day) {
		return false
	}
	rest := line[len(day):]
	if len(rest) > 0 && rest[0] == '.' {
		rest = bytes.TrimLeft(rest[1:], "0123456789")
	}
	const year = " 0000] "
	if !shaped(rest, year) {
		return false
	}
	rest = rest[len(year):]
	if len(rest) > 0 && rest[0] == '[' {
		module, _, ok := bytes.Cut(rest[1:], []byte("]"))
		return ok && letters(module)
	}
	return true // a line of a script
}

// lighttpd recognises "2026-03-09 14:05:00: (mod_auth.c.765) text".
func lighttpd(line []byte) bool {
	const stamp = "0000-00-00 00:00:00: ("
	if !shaped(line, stamp) {
		return false
	}
	source, _, ok := bytes.Cut(line[len(stamp):], []byte(") "))
	return ok && bytes.Contains(source, []byte(".c."))
}

// cups recognises "E [09/Mar/2026:14:05:00 +0000] text", with a letter for the level.
func cups(line []byte) bool {
	return len(line) > 2 && shaped(line[1:], " [00/Aaa/0000:00:00:00 ") && bytes.IndexByte([]byte("DdEWINACX"), line[0]) >= 0
}

// gunicorn recognises "[2026-03-09 14:05:00 +0000] [7] [INFO] text".
func gunicorn(line []byte) bool {
	const stamp = "[0000-00-00 00:00:00 "
	if !shaped(line, stamp) {
		return false
	}
	_, rest, _ := bytes.Cut(line, []byte("] ["))
	process, rest, _ := bytes.Cut(rest, []byte("] ["))
	level, _, ok := bytes.Cut(rest, []byte("] "))
	return ok && scan.AllDigits(process) && letters(level)
}

// keycloak recognises "2026-03-09 14:05:00,123 WARN  [logger] (thread) text", and the
// same as JSON.
func keycloak(line []byte) bool {
	if hasAll(line, `"loggerName":"`, `"loggerClassName":"`) {
		return true
	}
	const stamp = "0000-00-00 00:00:00,000 "
	if !shaped(line, stamp) {
		return false
	}
	level, rest, ok := bytes.Cut(line[len(stamp):], []byte(" "))
	if !ok || !letters(level) {
		return false
	}
	logger, rest, ok := bytes.Cut(bytes.TrimLeft(rest, " "), []byte("] "))
	return ok && len(logger) > 0 && logger[0] == '[' && len(rest) > 0 && rest[0] == '('
}

func okta(line []byte) bool {
	return hasAll(line, `"eventType":"`, `"published":"`, `"outcome":{`, `"actor":{`)
}

func entra(line []byte) bool {
	return hasAll(line, `"createdDateTime":"`, `"userPrincipalName":"`, `"status":{`)
}

func auth0(line []byte) bool {
	return hasAll(line, `"log_id":"`, `"client_id":"`, `"type":"`, `"date":"`)
}

func authentik(line []byte) bool {
	return hasAll(line, `"logger":"authentik.events`, `"timestamp":`)
}

// shibboleth recognises "20260309T140500Z|binding|…|".
func shibboleth(line []byte) bool {
	return shaped(line, "00000000T000000Z|") && bytes.Count(line, []byte("|")) >= 6 && bytes.Contains(line, []byte("urn:"))
}

// shaped reports whether a line begins as a shape says: 0 is a digit,
// A and a are letters, anything else is itself.
func shaped(line []byte, shape string) bool {
	if len(line) < len(shape) {
		return false
	}
	for i := range len(shape) {
		c := line[i]
		ok := c == shape[i]
		switch shape[i] {
		case '0':
			ok = c-'0' <= 9
		case 'A':
			ok = c-'A' <= 25
		case 'a':
			ok = c-'a' <= 25
		}
		if !ok {
			return false
		}
	}
	return true
}

// letters reports whether b is the name of a level or of a module and a level.
func letters(b []byte) bool {
	for _, c := range b {
		if c|0x20-'a' > 25 && c-'0' > 9 && c != '_' && c != ':' && c != '-' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 40
}

// hasAll reports whether a JSON line has the given members, with or without a blank
// after the colon.
func hasAll(line []byte, members ...string) bool {
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	for _, m := range members {
		key, value, _ := bytes.Cut([]byte(m), []byte(":"))
		i := bytes.Index(line, append(key, ':'))
		if i < 0 || !bytes.HasPrefix(bytes.TrimLeft(line[i+len(key)+1:], " "), value) {
			return false
		}
	}
	return true
}
