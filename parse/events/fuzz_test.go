package events

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"testing"
)

// victim is an address that attackers write into a log.
const victim = "198.51.100.9"

// attack is a line in which a client determines a text. Nothing that it writes there may
// change the address, the host or the reason: they are stated as they are, or not at
// all.
type attack struct {
	log           string
	before, after string // the text
	without       string // bytes that the text cannot have
	reasons       string // that may be stated, the right one first; or none
	always        bool   // the address is stated whatever the text is
}

// attacks are all places where a client determines what a line holds, that matter.
var attacks = []attack{
	// A user name of Basic authentication has no colon, a request target no blank.
	{"nginx-error", nginxStart + `user "`, `": password mismatch` + nginxEnd, ":", "wrong_password", true},
	{"nginx-error", nginxStart + `user "`, `" was not found in "/etc/f"` + nginxEnd, ":", "unknown_user", true},
	{"nginx-error", nginxStart + `user "jane": password mismatch, client: 192.0.2.1, server: a, request: "GET /`, ` HTTP/1.1", host: "a.example"`, " ", "wrong_password", true},
	{"nginx-error", nginxStart + `user "jane": password mismatch, client: 192.0.2.1, server: a, request: "GET / HTTP/1.1", host: "a.example", referrer: "`, `"`, "", "wrong_password", true},
	{"nginx-error", nginxStart + `no user/password was provided for basic authentication` + nginxEnd + `, referrer: "`, `"`, "", "no_credentials", true},
	{"nginx-error", nginxStart + `FastCGI sent in stderr: "PHP message: Failed login for `, `" while reading response header from upstream` + nginxEnd, "", "invalid_credentials", false},
	{"nginx-error", nginxStart + `PAM: user '`, `' - not authenticated: Authentication failure` + nginxEnd, ":", "invalid_credentials", true},
	{"apache-error", apacheStart + `AH01617: user `, `: authentication failure for "/a": Password Mismatch`, "", "wrong_password", true},
	{"apache-error", apacheStart + `AH01618: user `, ` not found: /a`, "", "unknown_user", true},
	{"apache-error", apacheStart + `AH01618: user jane not found: /`, `, referer: http://a.example/`, "", "unknown_user", true},
	{"apache-error", apacheStart + `AH01618: user jane not found: /a, referer: `, ``, "", "unknown_user", true},
	{"lighttpd-error", `2026-03-09 14:05:00: (mod_auth.c.765) password doesn't match for /a username: `, ` IP: 192.0.2.1`, "", "wrong_password", true},
	{"keycloak-events", `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (e) type="LOGIN_ERROR", realmId="m", clientId="c", userId="null", ipAddress="192.0.2.1", error="user_disabled", username="`, `"`, "", "account_disabled", true},
	{"nexus-log", `2026-03-09 14:05:00,123+0000 WARN  [qtp1-42] *UNKNOWN org.apache.shiro.authc.AbstractAuthenticator - Authentication failed for token submission [org.apache.shiro.authc.UsernamePasswordToken - `, `, rememberMe=false (192.0.2.1)].  Possible unexpected error?`, "", "invalid_credentials", false},
	{"artifactory-access", `2026-03-09T14:05:00.123Z [a1] [DENIED LOGIN] for client : `, ` / 192.0.2.1 [token]`, "", "invalid_credentials", false},
	{"gitlab-log", `{"severity":"INFO","time":"2026-03-09T14:05:00.123Z","correlation_id":"a1","message":"Failed Login: username=`, ` ip=192.0.2.1"}`, `"\\`, "invalid_credentials", true},
	{"spring-boot-log", `2026-03-09T14:05:00.123Z DEBUG 1 --- [x] o.s.b.a.audit.listener.AuditListener : AuditEvent [timestamp=2026-03-09T14:05:00.1Z, principal=`, `, type=AUTHENTICATION_FAILURE, data={type=org.springframework.security.authentication.BadCredentialsException, message=Bad credentials, details=WebAuthenticationDetails [RemoteIpAddress=192.0.2.1, SessionId=null]}]`, "", "invalid_credentials", false},
	{"tomcat-log", `09-Mar-2026 14:05:00.123 WARNING [http-nio-8080-exec-5] org.apache.catalina.realm.LockOutRealm.filterLockedAccounts An attempt was made to authenticate the locked user [`, `]`, "", "account_locked", false},
	{"authelia-log", `{"level":"error","method":"GET","msg":"Error occurred while attempting to authenticate a request","path":"/a","remote_ip":"192.0.2.1","time":"2026-03-09T14:05:00Z","error":"failed to validate the credentials of user '`, `' parsed from the Authorization header: user not found"}`, `"\\`, "unknown_user", true},
	{"php-error", `[09-Mar-2026 14:05:00] WARNING: [pool www] child 7 said into stderr: "NOTICE: PHP message: Authentication failure for `, ` from 192.0.2.1"`, "", "invalid_credentials", false},
	{"gitea-log", `2026/03/09 14:05:00 ...auth.go:217:SignInPost() [W] Failed authentication attempt for `, ` from 192.0.2.1:50000: user's password is invalid [uid: 1]`, "", "wrong_password invalid_credentials", false},
	{"immich-log", `[Nest] 7  - 03/09/2026, 2:05:00 PM    WARN [AuthService] Failed login attempt for user `, ` from ip address 192.0.2.1`, "", "invalid_credentials", true},
	{"jellyfin-log", `[2026-03-09 14:05:00.123 +01:00] [INF] [79] J.U: Authentication request for "`, `" has been denied (IP: "192.0.2.1").`, "", "invalid_credentials", true},
	{"vaultwarden-log", `[2026-03-09 14:05:00.123][v::a][ERROR] Username or password is incorrect. Try again. IP: 192.0.2.1. Username: `, `.`, "", "invalid_credentials", true},
	{"lemonldap-ng-log", `[warn] Bad password for `, ` (192.0.2.1)`, "", "wrong_password", true},
	{"servarr-log", `2026-03-09 14:05:00.1|Warn|Auth|Auth-Failure ip 192.0.2.1 username '`, `'`, "", "invalid_credentials", true},
	{"qbittorrent-log", `(W) 2026-03-09T14:05:00 - WebAPI login failure. Reason: invalid credentials, attempt count: 1, IP: 192.0.2.1, username: `, ``, "", "invalid_credentials", true},
	{"cas-audit", `2026-03-09 14:05:00,123 INFO [x.AuditTrailManager] - d|CAS|Supplied credentials: [`, `]|AUTHENTICATION_FAILED|jane|192.0.2.1|203.0.113.1`, "", "invalid_credentials", true},
	{"proxmox-auth", `2026-03-09T14:05:00+01:00: authentication failure; rhost=[192.0.2.1]:5 user=`, ` msg=no such user`, "", "unknown_user invalid_credentials", true},
	{"elasticsearch-log", `[2026-03-09T14:05:00,123][WARN ][o.o.s.a.BackendRegistry  ] [node-1] Authentication finally failed for `, ` from 192.0.2.1:50000`, "", "invalid_credentials", true},
	{"sonarqube-log", `2026.03.09 14:05:00 DEBUG web[a1][auth.event] login failure [cause|Wrong password][method|FORM][provider|LOCAL|local][IP|192.0.2.1|][login|`, `]`, "", "wrong_password", true},
	{"harbor-core", `2026-03-09T14:05:00Z [ERROR] [/a.go:72][client IP="192.0.2.1" requestID="a1"]: failed to authenticate user:`, `, error:Failed to authenticate user, due to error 'Invalid credentials'`, "", "invalid_credentials", false},
	{"rabbitmq-log", `2026-03-09 14:05:00.123456+00:00 [warning] <0.912.0> HTTP access denied: user '`, `' - invalid credentials`, "", "invalid_credentials", false},
	{"django-axes", `2026-03-09 14:05:00,123 WARNING axes.watch_login: AXES: New login failure by {username: "`, `", ip_address: "192.0.2.1", user_agent: "x", path_info: "/a"}. Created new record in the database.`, "", "invalid_credentials", false},
	{"php-syslog", `user denied: `, ` (mysql-denied) from 192.0.2.1`, "", "invalid_credentials", true},
	{"registry-log", `time="2026-03-09T14:05:00Z" level=error msg="error authenticating user "`, `": authentication failure" http.request.id=a1 http.request.method=GET http.request.remoteaddr=192.0.2.1:50000 http.request.uri=/v2/`, "", "wrong_password", false},
	{"calibre-web-log", `[2026-03-09 14:05:00,123]  WARN {cps.web:1475} Login failed for user "`, `" IP-address: 192.0.2.1`, "", "invalid_credentials", true},
}

// check reads the line with a text and reports what the text has changed.
func (a *attack) check(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsAny(text, a.without+"\r\n") {
		return
	}
	line := a.before + text + a.after
	var e Event
	if !logNamed(t, a.log).Read([]byte(line), &e) {
		t.Fatalf("%s does not read %q", a.log, line)
	}
	if client := string(e.Client); client != "192.0.2.1" && (client != "" || a.always) {
		t.Errorf("%s: client %q in %q", a.log, client, line)
	}
	if host := string(e.Host); host != "" && host != "a.example" {
		t.Errorf("%s: host %q in %q", a.log, host, line)
	}
	reason := string(e.Reason)
	if known := strings.Contains(" "+a.reasons+" ", " "+reason+" "); !known && (reason != "" || a.always) {
		t.Errorf("%s: reason %q in %q", a.log, reason, line)
	}
}

// injections are texts that look like what follows.
var injections = []string{
	"jane", "", " ", `"`, `, client: ` + victim, `x" was not found in "f`, `x": password mismatch`, `x", referrer: "`,
	`x, client: ` + victim + `, server: b, request: "GET / HTTP/1.1", host: "b"`,
	`x": password mismatch, client: ` + victim + `, server: b, request: "GET / HTTP/1.1", host: "b", referrer: "`,
	`x" while reading response header from upstream, client: ` + victim + `, server: b, request: "GET / HTTP/1.1", host: "b", referrer: "`,
	`x from ` + victim + `:1: user does not exist [uid: 0`, `x (` + victim + `)`, `x" IP-address: ` + victim, `x IP: ` + victim, `x (IP: "` + victim + `").`,
	`x from ip address ` + victim, `x", ipAddress="` + victim + `", error="user_not_found`, `x msg=locked`, `x|AUTHENTICATION_SUCCESS|b|` + victim + `|c`,
	`x: authentication failure for "/": Password Mismatch`, `x not found: /`, `[client ` + victim + `:1] AH01617: `, `x, referer: y`,
	strings.Repeat(` from `+victim+`: `, 100), strings.Repeat(`, client: `+victim+`, server: `, 20), strings.Repeat(`" `, 300),
	`' - not authenticated: locked`,
}

func TestInjections(t *testing.T) {
	for i := range attacks {
		for _, text := range injections {
			attacks[i].check(t, text)
		}
	}
}

// TestNginxAfterAnother checks that what a reader keeps of the line before changes no other.
func TestNginxAfterAnother(t *testing.T) {
	var lines []string
	for _, tt := range nginxTests {
		lines = append(lines, nginxStart+tt.message+nginxEnd, nginxStart+tt.message+nginxEnd+`, referrer: "x"`, nginxStart+tt.message+nginxEnd+`x`)
	}
	for _, a := range attacks {
		for _, text := range injections {
			if a.log == "nginx-error" {
				lines = append(lines, a.before+text+a.after)
			}
		}
	}
	log := logNamed(t, "nginx-error")
	read := func(line string, e *Event) string {
		is := log.Read([]byte(line), e)
		return fmt.Sprintf("%t %q %s", is, e.Message, show(e))
	}
	for _, brief := range []bool{false, true} {
		want := make([]string, len(lines))
		for i, line := range lines {
			want[i] = read(line, &Event{Brief: brief})
		}
		var e Event
		for _, before := range lines {
			for i, line := range lines {
				e.Brief = brief
				log.Read([]byte(before), &e)
				if got := read(line, &e); got != want[i] {
					t.Fatalf("%s: %s after %s, want %s", line, got, before, want[i])
				}
			}
		}
	}
}

func FuzzInjection(f *testing.F) {
	for _, text := range injections {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i := range attacks {
			attacks[i].check(t, text)
		}
	})
}

// FuzzRead checks that readers do not fail, that a line gives the same event twice, whatever
// line was before it and also if it is read briefly, and that its fields are parts of the line, or no longer than it.
func FuzzRead(f *testing.F) {
	for _, tt := range logTests {
		f.Add([]byte(tt.line))
	}
	for _, tt := range nginxTests {
		f.Add([]byte(nginxStart + tt.message + nginxEnd))
	}
	for _, tt := range apacheTests {
		f.Add([]byte(apacheStart + tt.message))
	}
	logs := Logs()
	custom, err := WithErrorLogFormat(`[%{cu}t] [%l] [R:%L] %E: %M [%{Host}i] ,%{Referer}i`)
	if err != nil {
		f.Fatal(err)
	}
	logs = append(logs, custom)
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var e, again Event
		for _, l := range logs {
			if !l.Read(line, &e) {
				continue
			}
			first := show(&e)
			if !l.Read(line, &again) || show(&again) != first {
				t.Errorf("%s: %s, then %s", l.Name, first, show(&again))
			}
			for _, tt := range nginxTests[:3] {
				brief := Event{Brief: true}
				l.Read([]byte(nginxStart+tt.message+nginxEnd), &brief)
				if !l.Read(line, &brief) || brief.Outcome != e.Outcome || e.Outcome != Other && show(&brief) != first {
					t.Errorf("%s: %s, briefly %s", l.Name, first, show(&brief))
				}
			}
			for _, b := range [...][]byte{e.Message, e.Client, e.User, e.Method, e.Target, e.Host, e.Connection, e.RequestID, e.Session, e.Service, e.Code, e.Port} {
				if len(b) > len(line)+len("255.255.255.255") {
					t.Errorf("%s: a field of %d bytes", l.Name, len(b))
				}
			}
			if !bytes.Equal(line, before) {
				t.Fatalf("%s has changed the line", l.Name)
			}
		}
	})
}

// FuzzLayout checks that formats are compiled or refused, that reading a line with one does
// not fail, and that the fields of an event are parts of the line.
func FuzzLayout(f *testing.F) {
	f.Add(`[%t] `+apacheDefault, apacheStart+apacheTests[0].message)
	f.Add(`[%{cu}t] [%l] [R:%L] %E: %M [%{Host}i] ,%{Referer}i`, `[2026-03-09 14:05:00.1] [error] AH01618: user jane not found: /a [a.example]`)
	f.Add(`%{Referer}i%P%t%a %M`, `a 1 b`)
	f.Add(`%M%P`, `a 1`)
	f.Add(`%E%F%M`, `(2)No: a.c(1): x`)
	f.Fuzz(func(t *testing.T, format, line string) {
		l, err := WithErrorLogFormat(format)
		if err != nil {
			return
		}
		var e Event
		if !l.Read([]byte(line), &e) {
			return
		}
		for _, b := range [...][]byte{e.Message, e.Client, e.User, e.Target, e.Host, e.Connection, e.RequestID, e.Code, e.Port} {
			if !strings.Contains(line, string(b)) {
				t.Errorf("%q: %q in %q", format, b, line)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, x := range []struct{ name, line string }{
		{"nginx-error", nginxStart + `user "jane": password mismatch` + nginxEnd},
		{"nginx-error", nginxStart + `upstream response is buffered to a temporary file /var/cache/1 while reading upstream` + nginxEnd},
		{"apache-error", apacheStart + `AH01617: user jane: authentication failure for "/a": Password Mismatch`},
		{"keycloak-events", ""}, {"okta-events", ""}, {"gitea-log", ""}, // their samples
	} {
		l := logNamed(b, x.name)
		b.Run(x.name, func(b *testing.B) {
			line := []byte(cmp.Or(x.line, l.Samples[0]))
			var e Event
			b.ReportAllocs()
			for b.Loop() {
				l.Read(line, &e)
			}
		})
	}
}
