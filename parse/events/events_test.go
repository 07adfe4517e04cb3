package events

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/parse/field"
)

// show returns the fields of an event that are stated.
func show(e *Event) string {
	var b strings.Builder
	if e.Time != 0 {
		b.WriteString(time.UnixMicro(e.Time).UTC().Format("2006-01-02T15:04:05.999999"))
		if !e.Local {
			b.WriteString("Z")
		}
		fmt.Fprintf(&b, "/%d ", e.Resolution)
	}
	b.WriteString([...]string{"other", "refused", "failed", "accepted"}[e.Outcome])
	for _, f := range []struct {
		name string
		text []byte
	}{
		{"reason", e.Reason}, {"code", e.Code}, {"client", e.Client}, {"port", e.Port}, {"user", e.User}, {"method", e.Method}, {"target", e.Target}, {"host", e.Host},
		{"conn", e.Connection}, {"id", e.RequestID}, {"session", e.Session}, {"service", e.Service},
	} {
		if len(f.text) > 0 {
			fmt.Fprintf(&b, " %s=%s", f.name, f.text)
		}
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " status=%d", e.Status)
	}
	return b.String()
}

var allLogs = Logs()

func logNamed(t testing.TB, name string) *Log {
	for _, l := range allLogs {
		if l.Name == name {
			return l
		}
	}
	t.Fatalf("no log %s", name)
	return nil
}

const (
	nginxAt    = "2026-03-09T14:05:00/1000000 "
	nginxStart = `2026/03/09 14:05:00 [error] 7#7: *5 `
	nginxEnd   = `, client: 192.0.2.1, server: a.example, request: "GET /a?b=1 HTTP/1.1", host: "a.example:8443"`
	nginxWho   = " client=192.0.2.1 "
	nginxReq   = "method=GET target=/a?b=1 host=a.example conn=5"
)

// nginxTests are the messages of nginx, with what they mean.
var nginxTests = []struct{ message, want string }{
	{`no user/password was provided for basic authentication`, "refused reason=no_credentials" + nginxWho + nginxReq + " status=401"},
	{`user "jane" was not found in "/etc/nginx/htpasswd"`, "refused reason=unknown_user" + nginxWho + "user=jane " + nginxReq + " status=401"},
	{`user "jane": password mismatch`, "refused reason=wrong_password" + nginxWho + "user=jane " + nginxReq + " status=401"},
	{`user "": password mismatch`, "refused reason=wrong_password" + nginxWho + nginxReq + " status=401"},
	{`open() "/etc/nginx/.htpasswd" failed (2: No such file or directory)`, "failed reason=password_file_missing" + nginxWho + nginxReq + " status=403"},
	{`open() "/etc/nginx/users.txt" failed (13: Permission denied)`, "failed reason=config" + nginxWho + nginxReq + " status=500"},
	{`open() "/srv/www/a" failed (2: No such file or directory)`, "other" + nginxWho + nginxReq},
	{`open() "/srv/www/404.html" failed (2: No such file or directory)`, "other" + nginxWho + nginxReq},
	{`crypt_r() failed (22: Invalid argument)`, "failed reason=config" + nginxWho + nginxReq + " status=500"},
	{`auth request unexpected status: 502 while sending to client`, "failed reason=identity_provider_down code=502" + nginxWho + nginxReq + " status=500"},
	{`auth request unexpected status: 404`, "failed reason=config code=404" + nginxWho + nginxReq + " status=500"},
	{`access forbidden by rule`, "refused reason=acl_denied" + nginxWho + nginxReq + " status=403"},
	{`limiting requests, excess: 20.600 by zone "one"`, "other" + nginxWho + nginxReq},
	{`client sent invalid header line: "X_Api_Key: s" while reading client request headers`, "failed reason=header_dropped" + nginxWho + nginxReq},
	{`client sent invalid header line: "\x16" while reading client request headers`, "other" + nginxWho + nginxReq},
	{`client sent too long header line: "Cookie: a=b..." while reading client request headers`, "refused reason=cookie_too_large" + nginxWho + nginxReq + " status=400"},
	{`upstream timed out (110: Connection timed out) while reading response header from upstream`, "other" + nginxWho + nginxReq},
	{`auth_jwt: token was not provided`, "refused reason=no_credentials" + nginxWho + nginxReq + " status=401"},
	{`auth_jwt: rejected due to token expired: exp=1 expected=2 actual=3`, "refused reason=token_expired" + nginxWho + nginxReq + " status=401"},
	{`auth_jwt: rejected due to signature validate failure: kid="a1"`, "refused reason=unknown_key" + nginxWho + nginxReq + " status=401"},
	{`auth_jwt: rejected due to none algorithm`, "refused reason=invalid_token" + nginxWho + nginxReq + " status=401"},
	{`PAM: user 'jane' - not authenticated: Authentication failure`, "refused reason=invalid_credentials" + nginxWho + "user=jane " + nginxReq + " status=401"},
	{`FastCGI sent in stderr: "PHP message: Failed login for jane@example.org" while reading response header from upstream`, "refused reason=invalid_credentials" + nginxWho + "user=jane@example.org " + nginxReq},
	{`[lua] openidc.lua:1480: authenticate(): token is expired`, "refused reason=token_expired" + nginxWho + nginxReq + " status=401"},
	{`[lua] config_etcd.lua:9: sync(): failed to read credential`, "other" + nginxWho + nginxReq},
	{`[lua] plugin.lua:5: phase(): Missing authorization in request`, "refused reason=no_credentials" + nginxWho + nginxReq + " status=401"},
	{`[lua] basic-auth.lua:152: phase_func(): failed to find user: invalid user`, "refused reason=unknown_user" + nginxWho + nginxReq + " status=401"},
	{`http_auth_ldap: Could not find user DN`, "refused reason=unknown_user" + nginxWho + nginxReq + " status=401"},
	{`http_auth_ldap: User bind failed (49: Invalid credentials)`, "refused reason=wrong_password" + nginxWho + nginxReq + " status=401"},
	{`http_auth_ldap: User bind failed (53: Server is unwilling to perform)`, "refused reason=invalid_credentials" + nginxWho + nginxReq + " status=401"},
	{`http_auth_ldap: ldap_search_ext() failed (-1: Can't contact LDAP server)`, "failed reason=identity_provider_down" + nginxWho + nginxReq + " status=500"},
	{`http_auth_ldap: Authentication timed out`, "failed reason=identity_provider_down" + nginxWho + nginxReq + " status=500"},
	{`js: JWT expired: exp 1773060000`, "refused reason=token_expired" + nginxWho + nginxReq + " status=401"},
	{`js: OIDC token endpoint: connection refused`, "failed reason=identity_provider_down" + nginxWho + nginxReq},
	{`js: cache expired`, "other" + nginxWho + nginxReq},
	{`[kong] handler.lua:353 [jwt] Invalid signature`, "refused reason=unknown_key" + nginxWho + nginxReq + " status=401"},
	{`[kong] init.lua:443 [openid-connect] failed to load discovery document (connection refused)`, "failed reason=identity_provider_down" + nginxWho + nginxReq},
	{`[kong] handler.lua:1 [rate-limiting] connection refused`, "other" + nginxWho + nginxReq},
	// A name may look like a message. It has no colon.
	{`user "x" was not found in "f": password mismatch`, "refused reason=wrong_password" + nginxWho + `user=x" was not found in "f ` + nginxReq + " status=401"},
	{`user "a", b": password mismatch`, "refused reason=wrong_password" + nginxWho + `user=a", b ` + nginxReq + " status=401"},
}

func TestNginx(t *testing.T) {
	for _, tt := range nginxTests {
		checkLine(t, "nginx-error", nginxStart+tt.message+nginxEnd, nginxAt+tt.want)
		checkLine(t, "nginx-error", nginxStart+tt.message+nginxEnd+`, referrer: "https://a.example/"`, nginxAt+tt.want)
	}
	const kongID = `, request_id: "8a1b2c3d4e5f60718293a4b5c6d7e8f9"`
	checkLine(t, "nginx-error", nginxStart+`user "jane": password mismatch`+nginxEnd+kongID, nginxAt+"refused reason=wrong_password"+nginxWho+"user=jane "+nginxReq+" id=8a1b2c3d4e5f60718293a4b5c6d7e8f9 status=401")
	checkLine(t, "nginx-error", nginxStart+`user "jane": password mismatch`+nginxEnd+`, referrer: "https://a.example/"`+kongID, nginxAt+"refused reason=wrong_password"+nginxWho+"user=jane "+nginxReq+" status=401")
	mismatch := nginxStart + `user "jane": password mismatch`
	want := nginxAt + "refused reason=wrong_password"
	for _, tt := range []struct{ line, want string }{
		// what a client may have put into the referrer or the request
		{mismatch + nginxEnd + `, referrer: "x, client: 198.51.100.9, server: b, request: "GET / HTTP/1.1", host: "b""`, want + nginxWho + "user=jane " + nginxReq + " status=401"},
		{mismatch + `, client: 192.0.2.1, server: a, request: "GET /, client: 198.51.100.9, server: b, request: "GET / HTTP/1.1", host: "a"`, want + ` client=192.0.2.1 user=jane method=GET target=/, client: 198.51.100.9, server: b, request: "GET / host=a conn=5 status=401`},
		// and into a name, if it could have a colon: the sample of an attack in the wild
		{nginxStart + `user "jane, client: 198.51.100.9, server: a": password mismatch` + nginxEnd, nginxAt + "refused reason=wrong_password" + nginxWho + "user=jane, client: 198.51.100.9, server: a " + nginxReq + " status=401"},
		{nginxStart + `user "test": password mismatch, client: 198.51.100.9, server: a, request: "GET / HTTP/1.1", host: "a"": was not found in "/etc/f", client: 192.0.2.1, server: , request: "GET / HTTP/1.1", host: "a"`, nginxAt + `refused reason=unknown_user client=192.0.2.1 user=test": password mismatch, client: 198.51.100.9, server: a, request: "GET / HTTP/1.1", host: "a" method=GET target=/ host=a conn=5 status=401`},
		// free text of a script: nothing is certain
		{nginxStart + `FastCGI sent in stderr: "PHP message: Failed login for x" while reading, client: 198.51.100.9, server: a, request: "GET / HTTP/1.1", host: "a", referrer: "y" while reading response header from upstream` + nginxEnd, nginxAt + "refused reason=invalid_credentials user=x conn=5"},
		// lines that were cut
		{mismatch + `, client: 192.0.2.1, server: a, request: "GET /aaaa`, want + " client=192.0.2.1 user=jane conn=5 status=401"},
		{mismatch + `, client: 192.0.2.1, server: a, request: "GET /a HTTP/1.1", host: "exa`, want + " client=192.0.2.1 user=jane method=GET target=/a conn=5 status=401"},
		{mismatch + `, client: 192.0.2.1, server: a, req`, want + " client=192.0.2.1 user=jane conn=5 status=401"},
		{nginxStart + `user "jane": password mismatch, client: 192.0`, nginxAt + "other conn=5"},
		{nginxStart + `user "ja`, nginxAt + "other conn=5"},
		// an authentication service that does not answer
		{nginxStart + `connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: a, request: "GET /a HTTP/1.1", subrequest: "/auth", upstream: "http://127.0.0.1:9/auth", host: "a"`, nginxAt + "failed reason=identity_provider_down client=192.0.2.1 method=GET target=/a host=a conn=5 status=500"},
		{`2026/03/09 14:05:00 [notice] 7#7: signal process started`, nginxAt + "other"},
		{`2026/03/09 14:05:00 [crit] 7#7: *5 SSL_do_handshake() failed (SSL: error) while SSL handshaking, client: 2001:db8::1, server: 0.0.0.0:443`, nginxAt + "other client=2001:db8::1 conn=5"},
		{`2026/03/09 14:05:00 something else`, "-"}, {``, "-"}, {`2026/03/09 14:05:00 [error] x#1: a`, "-"},
	} {
		checkLine(t, "nginx-error", tt.line, tt.want)
	}
}

// checkLine reads a line; want is "-" if it is not one of the log.
func checkLine(t *testing.T, name, line, want string) {
	t.Helper()
	checkRead(t, logNamed(t, name), line, want)
}

func checkRead(t *testing.T, l *Log, line, want string) {
	t.Helper()
	var e Event
	got := "-"
	if l.Read([]byte(line), &e) {
		got = show(&e)
	}
	if got != want {
		t.Errorf("%s: %s\n got %s\nwant %s", l.Name, line, got, want)
	}
}

const (
	apacheAt    = "2026-03-09T14:05:00.123456/1 "
	apacheStart = `[Mon Mar 09 14:05:00.123456 2026] [m:error] [pid 7:tid 7] [client 192.0.2.1:50000] `
	apacheWho   = " client=192.0.2.1 port=50000"
)

var apacheTests = []struct{ message, want string }{
	{`AH01617: user jane: authentication failure for "/a": Password Mismatch`, "refused reason=wrong_password code=AH01617" + apacheWho + " user=jane target=/a status=401"},
	{`AH01618: user jane not found: /a, referer: https://a.example/`, "refused reason=unknown_user code=AH01618" + apacheWho + " user=jane target=/a status=401"},
	{`AH01614: client used wrong authentication scheme: /a`, "refused reason=wrong_scheme code=AH01614" + apacheWho + " target=/a status=401"},
	{"AH01781: client used wrong authentication scheme `Basic': /a", "refused reason=wrong_scheme code=AH01781" + apacheWho + " target=/a status=401"},
	{`AH00027: No authentication done but request not allowed without authentication for /a. Authentication not configured?`, "failed reason=config code=AH00027" + apacheWho + " target=/a status=500"},
	{`AH01615: need AuthName: /a`, "failed reason=config code=AH01615" + apacheWho + " target=/a status=500"},
	{`AH01629: authorization failure (no authenticated user): /a`, "refused reason=no_credentials code=AH01629" + apacheWho + " target=/a status=401"},
	{`AH01631: user jane: authorization failure for "/a":`, "refused reason=acl_denied code=AH01631" + apacheWho + " user=jane target=/a status=401"},
	{`AH01666: Authorization of user jane to access /a failed, reason: user is not part of the 'require'ed group(s).`, "refused reason=acl_denied code=AH01666" + apacheWho + " user=jane target=/a status=401"},
	{`AH01630: client denied by server configuration: /srv/a`, "refused reason=acl_denied code=AH01630" + apacheWho + " status=403"},
	{`AH01774: Warning, possible replay attack: nonce-count check failed: 2 != 3`, "refused reason=stale_nonce code=AH01774" + apacheWho + " status=401"},
	{`AH01777: invalid nonce 'x' received - user attempted time travel`, "refused reason=clock_skew code=AH01777" + apacheWho + " status=401"},
	{"AH01790: user `jane' in realm `r' not found: /a", "refused reason=unknown_user code=AH01790" + apacheWho + " user=jane target=/a status=401"},
	{"AH01794: user jane: password mismatch: /a", "refused reason=wrong_password code=AH01794" + apacheWho + " user=jane target=/a status=401"},
	{`AH01695: auth_ldap authenticate: user jane authentication failed; URI /a [User not found][No such object]`, "refused reason=unknown_user code=AH01695" + apacheWho + " user=jane target=/a status=401"},
	{`AH01695: auth_ldap authenticate: user jane authentication failed; URI /a [LDAP: ldap_simple_bind() failed][Can't contact LDAP server]`, "failed reason=identity_provider_down code=AH01695" + apacheWho + " user=jane target=/a"},
	{`AH01842: decrypt session failed, wrong passphrase?`, "refused reason=unknown_key code=AH01842" + apacheWho + " status=401"},
	{`AH00128: File does not exist: /srv/a`, "other code=AH00128" + apacheWho},
	{`oidc_session_extract: session restored from cache has expired`, "refused reason=session_idle" + apacheWho + " status=401"},
	{`oidc_check_max_session_duration: maximum session duration exceeded for user: jane`, "refused reason=session_expired" + apacheWho + " user=jane status=401"},
	{`oidc_proto_validate_exp: "exp" validation failure (1): JWT expired 20 seconds ago`, "refused reason=token_expired" + apacheWho + " status=401"},
	{`oidc_authenticate_user: no "mod_auth_openidc_state_x" state cookie found: check domain and samesite cookie settings`, "refused reason=invalid_session" + apacheWho + " status=401"},
	{`Failed to unseal session data!`, "refused reason=invalid_session" + apacheWho + " status=401"},
	{`Error processing authn response. Lasso error: [-201] The identifier of a provider is unknown`, "failed reason=config" + apacheWho + " status=400"},
	{`User has disabled cookies, or has lost the cookie before returning from the SAML2 login server.`, "refused reason=invalid_session" + apacheWho + " status=400"},
	{`GSS ERROR gss_accept_sec_context(): [Unspecified GSS failure (Clock skew too great)]`, "refused reason=clock_skew" + apacheWho + " status=401"},
	{`gss_acquire_cred() failed: [No key table entry found]`, "failed reason=config" + apacheWho},
	{`AH01071: Got error 'PHP message: user jane authentication failure for Baikal'`, "refused reason=invalid_credentials code=AH01071" + apacheWho + " user=jane status=401"},
	// A name or a path cannot change the address, nor the reason of a numbered message.
	{`AH01618: user x: authentication failure for "/": Password Mismatch [client 198.51.100.9:1] not found: /a`, "refused reason=unknown_user code=AH01618" + apacheWho + ` user=x: authentication failure for "/": Password Mismatch [client 198.51.100.9:1] target=/a status=401`},
}

func TestApache(t *testing.T) {
	for _, tt := range apacheTests {
		checkLine(t, "apache-error", apacheStart+tt.message, apacheAt+tt.want)
	}
	for _, tt := range []struct{ line, want string }{
		{`[Mon Mar 09 14:05:00 2026] [error] [client 192.0.2.1] user jane not found: /a`, nginxAt + "refused reason=unknown_user client=192.0.2.1 user=jane target=/a status=401"},
		{`[Mon Mar 09 14:05:00 2026] [error] [client 2001:db8::1] access to /a failed, reason: user jane not allowed access`, nginxAt + "refused reason=acl_denied client=2001:db8::1 user=jane target=/a status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_basic:error] [pid 7] [client 2001:db8::1:50000] AH01618: user jane not found: /a`, apacheAt + "refused reason=unknown_user code=AH01618 client=2001:db8::1 port=50000 user=jane target=/a status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [authn_file:error] [pid 7:tid 7] (2)No such file or directory: [client 192.0.2.1:50000] AH01620: Could not open password file: /etc/f`, apacheAt + "failed reason=password_file_missing code=AH01620" + apacheWho + " status=500"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_basic:trace1] [pid 7:tid 7] mod_auth_basic.c(360): [client 192.0.2.1:50000] AH01618: user jane not found: /a`, apacheAt + "refused reason=unknown_user code=AH01618" + apacheWho + " user=jane target=/a status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [mpm_event:notice] [pid 7:tid 7] AH00489: Apache/2.4 configured -- resuming normal operations`, apacheAt + "other code=AH00489"},
		{`[Mon Mar 09 14:05:00.123456 2026] [php:notice] [pid 7] [client 192.0.2.1:50000] Failed login for jane@example.org, referer: http://a.example/login`, apacheAt + "refused reason=invalid_credentials" + apacheWho + " user=jane@example.org"},
		// What Apache sends to syslog has no time.
		{`[auth_digest:error] [pid 7:tid 7] [client 2001:db8::1:50000] AH01792: user jane: password mismatch: /a`, "refused reason=wrong_password code=AH01792 client=2001:db8::1 port=50000 user=jane target=/a status=401"},
		{`[error] [client 192.0.2.1] user jane not found: /a`, "refused reason=unknown_user client=192.0.2.1 user=jane target=/a status=401"},
		{`[core:notice] [pid 7] AH00094: Command line: '/usr/sbin/httpd'`, "other code=AH00094"},
		{`[warn] Bad password for jane (192.0.2.1)`, "-"}, {`[error] [7] [client 192.0.2.1] text`, "-"}, {`[error]`, "-"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_basic:error] [pid 7:tid 7] [client 192.0.2.1:50000] AH01618: user DOM\\jane not found: /a\xc3\xa9 b`, apacheAt + "refused reason=unknown_user code=AH01618" + apacheWho + ` user=DOM\jane target=/aé b status=401`},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_form:error] [pid 7] [client 192.0.2.1:50000] AH01808: user 'jane': authentication failure for "/a": password Mismatch`, apacheAt + "refused reason=wrong_password code=AH01808" + apacheWho + " user=jane target=/a status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_kerb:error] [pid 7] [client 192.0.2.1:50000] krb5_get_init_creds_password() failed: Client not found in Kerberos database`, apacheAt + "refused reason=unknown_user" + apacheWho + " status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_kerb:error] [pid 7] [client 192.0.2.1:50000] Warning: received token seems to be NTLM, which isn't supported by the Kerberos module.`, apacheAt + "refused reason=wrong_scheme" + apacheWho + " status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_gssapi:error] [pid 7] [client 192.0.2.1:50000] GSS ERROR In Negotiate Auth: gss_accept_sec_context() failed: [Unspecified GSS failure (No key table entry found)]`, apacheAt + "failed reason=config" + apacheWho + " status=401"},
		{`[Mon Mar 09 14:05:00.123456 2026] [auth_gssapi:error] [pid 7] [client 192.0.2.1:50000] GSS ERROR In Basic Auth: gss_acquire_cred_with_password() failed: [Unspecified GSS failure (Preauthentication failed)]`, apacheAt + "refused reason=wrong_password" + apacheWho + " status=401"},
		{`[2026-03-09 14:05:00 +0000] [7] [INFO] text`, "-"}, {`[Mon`, "-"}, {`PHP Fatal error: x`, "-"},
	} {
		checkLine(t, "apache-error", tt.line, tt.want)
	}
}

func TestApacheErrorLog(t *testing.T) {
	for _, tt := range []struct{ format, line, want string }{
		{`[%{u}t] [%-m:%l] [pid %P:tid %T] %7F: %E: [client\ %a] %M% ,\ referer:\ %{Referer}i`, apacheStart + apacheTests[0].message, apacheAt + apacheTests[0].want},
		{`[%{cu}t] [%l] [R:%L] [C:%{C}L] [%-a] %M`, `[2026-03-09 14:05:00.123456] [error] [R:Zx8-aB] [C:Yw7+c/D] [192.0.2.1:50000] AH01618: user jane not found: /a`, apacheAt + "refused reason=unknown_user code=AH01618" + apacheWho + " user=jane target=/a conn=Yw7+c/D id=Zx8-aB status=401"},
		{`[%{cuz}t] [%-L] %-a %{UNIQUE_ID}e %V %M`, `[2026-03-09 14:05:00.123456 +0100] [-] - abc a.example AH01618: user jane not found: /a`, "2026-03-09T13:05:00.123456Z/1 refused reason=unknown_user code=AH01618 user=jane target=/a host=a.example id=abc status=401"},
		{`%t %M [request\ %L]`, `Mon Mar 09 14:05:00 2026 AH01618: user jane [request x] not found: /a [request a1]`, nginxAt + "refused reason=unknown_user code=AH01618 user=jane [request x] target=/a id=a1 status=401"},
		{`%t %M [request\ %L]`, `Mon Mar 09 14:05:00 2026 AH00489: no request`, nginxAt + "other code=AH00489"},
	} {
		l, err := WithErrorLogFormat(tt.format)
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		checkRead(t, l, tt.line, tt.want)
	}
	for format, want := range map[string]string{
		"%t": "no %M", "[%l] %M": "no %t", "%M %M": "twice", "%{x": "without its }", "%t %": "without an item", "%y %M": "no such item", "%e %M": "no such item", "%t %M%P": "ends nowhere", "%M%{x}e": "ends nowhere", strings.Repeat("x", maxLayout+1): "more than",
	} {
		if _, err := WithErrorLogFormat(format); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", format, err, want)
		}
	}
}

// TestRulesStateWords checks that every reason in the tables is of the vocabulary.
func TestRulesStateWords(t *testing.T) {
	var reasons []string
	for _, rs := range []rules{nginxRules, apacheRules, scriptRules, dexRules, autheliaRules, traefikRules, grafanaRules, registryRules, oauth2Rules, nextcloudRules, lighttpdRules, cupsRules, jellyfinRules, servarrRules} {
		for _, r := range rs().list {
			reasons = append(reasons, r.reason)
		}
	}
	for _, x := range []texts{adguard, calibreWeb, emby, filebrowser, gitea, homeAssistant, immich, lemonLDAP, ombi, overseerr, pam, proxmox, pterodactyl, qbittorrent, sabnzbd, vaultwarden} {
		for _, r := range x.rules().list {
			reasons = append(reasons, r.reason)
		}
	}
	for _, signs := range [][]sign{reasonSigns, oktaReasons, keycloakSigns, grafanaSigns, gssSigns, ldapSigns} {
		for _, s := range signs {
			reasons = append(reasons, s.reason)
			if s.part != strings.ToLower(s.part) {
				t.Errorf("sign %q is not in lower case", s.part)
			}
		}
	}
	for _, words := range []map[string]string{keycloakErrors, entraCodes, auth0Types} {
		for _, w := range words {
			reasons = append(reasons, w)
		}
	}
	for _, m := range apacheCodes {
		reasons = append(reasons, m.reason)
	}
	for _, m := range casActions {
		reasons = append(reasons, m.reason)
	}
	for _, r := range reasons {
		if r != "" && !field.IsReason(r) {
			t.Errorf("%q is not of the vocabulary", r)
		}
	}
}

// TestTimeOfDay checks that the time of a line does not depend on that of the line before.
func TestTimeOfDay(t *testing.T) {
	times := []string{"2026/03/09 14:05:00", "2026/03/09 14:05:01", "2026/03/09 23:59:59", "2026/03/10 00:00:00", "2026/03/10 24:00:00", "2026/03/10 00:60:00", "2026/03/10 00:00:61", "2026/03/09 00:00:00"}
	line := func(time string) []byte {
		return []byte(time + ` [error] 1#1: *2 user "jane": password mismatch` + nginxEnd)
	}
	for _, first := range times {
		for _, second := range times {
			var one, both Event
			readNginx(line(second), &one)
			readNginx(line(first), &both)
			both.Reset()
			readNginx(line(second), &both)
			if one.Time != both.Time {
				t.Errorf("%s after %s: %d, want %d", second, first, both.Time, one.Time)
			}
		}
	}
}
