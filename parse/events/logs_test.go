package events

import "testing"

const millis = "2026-03-09T14:05:00.123Z/1000 "

// logTests are lines of each shape that the other logs have, with what they mean.
var logTests = []struct{ log, line, want string }{
	{"lighttpd-error", `2026-03-09 14:05:00: (mod_auth.c.765) password doesn't match for /a username: jane IP: 192.0.2.1`, nginxAt + "refused reason=wrong_password client=192.0.2.1 user=jane target=/a status=401"},
	{"lighttpd-error", `2026-03-09 14:05:00: (server.c.1704) server started`, nginxAt + "other"},
	{"cups-error", `E [09/Mar/2026:14:05:00 +0100] [Client 12] pam_authenticate() returned 7 (Authentication failure)`, "2026-03-09T13:05:00Z/1000000 refused reason=invalid_credentials conn=12 status=401"},
	{"gunicorn-error", `[2026-03-09 14:05:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)`, "2026-03-09T14:05:00Z/1000000 other"},

	{"caddy-error", `{"level":"debug","ts":1773065100.123,"logger":"http.log.error.log0","msg":"not authenticated","request":{"remote_ip":"10.0.0.1","remote_port":"50000","client_ip":"192.0.2.1","method":"GET","host":"a.example","uri":"/a?b"},"status":401,"err_id":"e1"}`, millis + "refused client=192.0.2.1 port=50000 method=GET target=/a?b host=a.example id=e1 status=401"},
	{"caddy-error", `{"level":"error","ts":1773065100.123,"logger":"http.handlers.authentication","msg":"auth provider returned error","provider":"http_basic","error":"x"}`, millis + "failed reason=identity_provider_down status=401"},
	{"caddy-error", `{"level":"error","ts":1773065100.123,"logger":"http.log.access","msg":"handled request","status":401}`, "-"},
	{"traefik-log", `time="2026-03-09T14:05:00Z" level=debug msg="Authentication failed" middlewareName=auth@docker middlewareType=BasicAuth`, "2026-03-09T14:05:00Z/1000000 refused reason=invalid_credentials service=auth@docker status=401"},
	{"traefik-log", `2026-03-09T14:05:00Z DBG github.com/traefik/traefik/v3/pkg/middlewares/auth/forward.go:164 > Remote error http://auth:9091/. StatusCode: 401 middlewareName=auth@file middlewareType=ForwardAuth`, "2026-03-09T14:05:00Z/1000000 refused reason=denied_by_authorizer status=401"},
	{"traefik-log", `{"level":"debug","middlewareName":"a","time":"2026-03-09T14:05:00Z","message":"Error calling http://auth. Cause: dial tcp: connection refused"}`, "2026-03-09T14:05:00Z/1000000 failed reason=identity_provider_down service=a status=500"},

	{"oauth2-proxy-log", `192.0.2.1:50000 - r1 - jane@example.org [2026/03/09 14:05:00] [AuthFailure] Invalid authentication via OAuth2: unauthorized`, nginxAt + "refused reason=acl_denied code=AuthFailure client=192.0.2.1 port=50000 user=jane@example.org id=r1 status=403"},
	{"oauth2-proxy-log", `192.0.2.1 - r1 - - [2026/03/09 14:05:00] [AuthFailure] Invalid authentication via OAuth2: unable to obtain CSRF cookie`, nginxAt + "refused reason=invalid_request code=AuthFailure client=192.0.2.1 id=r1 status=403"},
	{"oauth2-proxy-log", `192.0.2.1 - r1 - jane [2026/03/09 14:05:00] [AuthSuccess] Authenticated via OAuth2: Session{email:jane}`, nginxAt + "accepted code=AuthSuccess client=192.0.2.1 user=jane id=r1"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:92] Error loading cookied session: session ticket cookie failed validation: secret, removing session`, nginxAt + "refused reason=invalid_session status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:92] Error loading cookied session: cookie "_oauth2_proxy" not present, removing session`, nginxAt + "refused reason=no_credentials status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:92] Session not refreshed - User: jane; no refresh token available`, nginxAt + "refused reason=session_expired user=jane status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:92] Unable to refresh session: error refreshing tokens: invalid_grant`, nginxAt + "refused reason=token_expired status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:219] Unable to refresh session: error refreshing tokens: unable to redeem refresh token: failed to get token: Post "http://sso/token": dial tcp 192.0.2.7:443: connect: connection refused`, nginxAt + "failed reason=identity_provider_down status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:122] Error loading cookied session: cookie signature not valid, removing session`, nginxAt + "refused reason=invalid_session status=401"},
	{"oauth2-proxy-log", `[2026/03/09 14:05:00] [stored_session.go:94] Error loading cookied session: failed to load the session: dial tcp 192.0.2.9:6379: connect: connection refused, removing session`, nginxAt + "failed reason=identity_provider_down status=401"},
	{"oauth2-proxy-log", `192.0.2.1 - r1 - - [2026/03/09 14:05:00] [AuthFailure] No cookies were found in OAuth callback.`, nginxAt + "refused reason=invalid_request code=AuthFailure client=192.0.2.1 id=r1 status=403"},
	{"oauth2-proxy-log", `192.0.2.1 - r1 - jane@example.org [2026/03/09 14:05:00] a.example GET - "/oauth2/auth" HTTP/1.1 "x" 401 13 0.001`, "-"},

	{"authelia-log", `time="2026-03-09T14:05:00+01:00" level=error msg="Unsuccessful 1FA authentication attempt by user 'jane'" error="user not found" method=POST path=/api/firstfactor remote_ip=192.0.2.1`, "2026-03-09T13:05:00Z/1000000 refused reason=unknown_user client=192.0.2.1 user=jane method=POST target=/api/firstfactor status=401"},
	{"authelia-log", `time="2026-03-09T14:05:00Z" level=error msg="Unsuccessful TOTP authentication attempt by user 'jane'" method=POST path=/api/secondfactor/totp remote_ip=192.0.2.1`, "2026-03-09T14:05:00Z/1000000 refused reason=step_up_required client=192.0.2.1 user=jane method=POST target=/api/secondfactor/totp status=401"},
	{"authelia-log", `{"level":"info","method":"GET","msg":"Access to 'https://a.example/a' is not authorized to user '\u003canonymous\u003e', responding with status code 401","path":"/api/verify","remote_ip":"192.0.2.1","time":"2026-03-09T14:05:00Z"}`, "2026-03-09T14:05:00Z/1000000 refused reason=no_credentials client=192.0.2.1 method=GET target=/a host=a.example status=401"},
	{"authelia-log", `time="2026-03-09T14:05:00Z" level=trace msg="Replied" method=GET path=/api/state remote_ip=192.0.2.1 status_code=401`, "-"},
	{"grafana-log", `logger=context t=2026-03-09T14:05:00.123Z level=warn msg=Unauthorized error="token needs to be rotated" remote_addr=192.0.2.1 traceID=t1`, millis + "refused reason=session_expired client=192.0.2.1 id=t1 status=401"},
	{"grafana-log", `logger=context t=2026-03-09T14:05:00.123Z level=info msg="Request Completed" method=GET path=/a status=401 remote_addr=192.0.2.1`, "-"},
	{"registry-log", `time="2026-03-09T14:05:00Z" level=warning msg="error authorizing context: insufficient scope" http.request.host=a.example http.request.id=r1 http.request.method=GET http.request.remoteaddr="192.0.2.1:50000" http.request.uri="/v2/"`, "2026-03-09T14:05:00Z/1000000 refused reason=insufficient_scope client=192.0.2.1 port=50000 method=GET target=/v2/ host=a.example id=r1 status=401"},
	{"registry-log", `time="2026-03-09T14:05:00Z" level=error msg="error authenticating user \"jane\": authentication failure" http.request.id=r1 http.request.remoteaddr="192.0.2.1:50000" http.request.uri="/v2/"`, "2026-03-09T14:05:00Z/1000000 refused reason=wrong_password client=192.0.2.1 port=50000 user=jane target=/v2/ id=r1 status=401"},
	{"registry-log", `time="2026-03-09T14:05:00Z" level=warning msg="error authorizing context: basic authentication challenge for realm \"r\": authentication failure" http.request.id=r1`, "2026-03-09T14:05:00Z/1000000 other id=r1"},
	{"registry-log", `time="2026-03-09T14:05:00Z" level=info msg="response completed" http.request.id=r1 http.response.status=401`, "-"},

	{"keycloak-events", `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (executor-thread-1) type=LOGIN_ERROR, realmId=main, clientId=app, userId=null, ipAddress=192.0.2.1, error=invalid_user_credentials, auth_method=openid-connect, redirect_uri=https://a.example/, username=jane`, "2026-03-09T14:05:00.123/1000 refused reason=wrong_password code=LOGIN_ERROR client=192.0.2.1 user=jane service=app"},
	{"keycloak-events", `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (executor-thread-1) type="REFRESH_TOKEN_ERROR", realmId="m", realmName="main", clientId="web", userId="null", sessionId="s1", ipAddress="192.0.2.1", error="invalid_token", reason="Session not active", grant_type="refresh_token"`, "2026-03-09T14:05:00.123/1000 refused reason=session_expired code=REFRESH_TOKEN_ERROR client=192.0.2.1 session=s1 service=web status=400"},
	{"keycloak-events", `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (executor-thread-1) type=REFRESH_TOKEN_ERROR, realmId=m, clientId=web, userId=null, ipAddress=192.0.2.1, error=invalid_token, reason='Invalid token issuer. Expected 'https://a.example'', grant_type=refresh_token`, "2026-03-09T14:05:00.123/1000 refused reason=config code=REFRESH_TOKEN_ERROR client=192.0.2.1 service=web status=400"},
	{"keycloak-events", `2026-03-09 14:05:00,123 DEBUG [org.keycloak.events] (executor-thread-1) type="LOGIN", realmId="m", clientId="web", userId="u1", sessionId="s1", ipAddress="192.0.2.1", username="jane"`, "2026-03-09T14:05:00.123/1000 accepted code=LOGIN client=192.0.2.1 user=jane session=s1 service=web"},
	{"keycloak-events", `2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (e) type=LOGIN_ERROR, realmId=m, clientId=web, userId=null, ipAddress=192.0.2.1, error=user_temporarily_disabled, username='x, ipAddress=198.51.100.9, error=user_not_found, username=y'`, "2026-03-09T14:05:00.123/1000 refused reason=account_locked code=LOGIN_ERROR client=192.0.2.1 user=x, ipAddress=198.51.100.9, error=user_not_found, username=y service=web"},
	{"keycloak-events", `{"timestamp":"2026-03-09T14:05:00.123Z","loggerClassName":"x","loggerName":"org.keycloak.events","level":"WARN","message":"type=\"CODE_TO_TOKEN_ERROR\", realmId=\"m\", clientId=\"web\", userId=\"null\", ipAddress=\"192.0.2.1\", error=\"invalid_client_credentials\""}`, millis + "refused reason=invalid_client code=CODE_TO_TOKEN_ERROR client=192.0.2.1 service=web status=400"},
	{"keycloak-events", `2026-03-09 14:05:00,123 INFO  [io.quarkus] (main) Keycloak started`, "2026-03-09T14:05:00.123/1000 other"},
	{"okta-events", `{"actor":{"id":"u","alternateId":"jane@example.org"},"client":{"ipAddress":"192.0.2.1"},"displayMessage":"User login","eventType":"user.session.start","outcome":{"result":"FAILURE","reason":"LOCKED_OUT"},"published":"2026-03-09T14:05:00.123Z"}`, millis + "refused reason=account_locked code=user.session.start client=192.0.2.1 user=jane@example.org"},
	{"okta-events", `{"actor":{"alternateId":"jane@example.org"},"eventType":"user.session.start","outcome":{"result":"SUCCESS","reason":null},"published":"2026-03-09T14:05:00.123Z"}`, millis + "accepted code=user.session.start user=jane@example.org"},
	{"entra-events", `{"createdDateTime":"2026-03-09T14:05:00Z","userPrincipalName":"jane@example.org","appDisplayName":"app","ipAddress":"192.0.2.1","correlationId":"c1","status":{"errorCode":50053,"failureReason":"locked"}}`, "2026-03-09T14:05:00Z/1000000 refused reason=account_locked code=50053 client=192.0.2.1 user=jane@example.org id=c1 service=app"},
	{"entra-events", `{"createdDateTime":"2026-03-09T14:05:00Z","userPrincipalName":"jane@example.org","ipAddress":"192.0.2.1","status":{"errorCode":500121,"failureReason":"x"}}`, "2026-03-09T14:05:00Z/1000000 refused reason=step_up_required code=500121 client=192.0.2.1 user=jane@example.org"},
	{"entra-events", `{"time":"2026-03-09T14:05:00Z","category":"SignInLogs","properties":{"userPrincipalName":"jane@example.org","ipAddress":"192.0.2.1","status":{"errorCode":0}}}`, "2026-03-09T14:05:00Z/1000000 accepted code=0 client=192.0.2.1 user=jane@example.org"},
	{"auth0-events", `{"date":"2026-03-09T14:05:00.123Z","type":"ferrt","client_id":"a1","ip":"192.0.2.1","user_name":"jane","log_id":"9"}`, millis + "refused reason=token_reused code=ferrt client=192.0.2.1 user=jane service=a1"},
	{"auth0-events", `{"date":"2026-03-09T14:05:00.123Z","type":"f","description":"Wrong email or password.","ip":"192.0.2.1","user_name":"jane","log_id":"9"}`, millis + "refused reason=invalid_credentials code=f client=192.0.2.1 user=jane"},
	{"auth0-events", `{"log_id":"9","data":{"date":"2026-03-09T14:05:00.123Z","type":"s","client_id":"a1","ip":"192.0.2.1","user_name":"jane","log_id":"9"}}`, millis + "accepted code=s client=192.0.2.1 user=jane service=a1"},
	{"authentik-events", `{"action":"login_failed","client_ip":"192.0.2.1","context":{"username":"jane"},"event":"Created Event","logger":"authentik.events.models","request_id":"r1","timestamp":"2026-03-09T14:05:00.123456","user":{"username":"AnonymousUser"}}`, "2026-03-09T14:05:00.123456/1 refused reason=invalid_credentials code=login_failed client=192.0.2.1 user=jane id=r1"},
	{"dex-log", `{"time":"2026-03-09T14:05:00.123Z","level":"ERROR","msg":"refresh token claimed twice","token_id":"t","client_id":"web","client_remote_addr":"192.0.2.1","request_id":"r1"}`, millis + "refused reason=token_reused client=192.0.2.1 id=r1 service=web status=400"},
	{"dex-log", `time=2026-03-09T14:05:00.123Z level=ERROR msg="failed to login user" err="ldap: connection refused"`, millis + "failed reason=identity_provider_down status=500"},
	{"dex-log", `time="2026-03-09T14:05:00Z" level=error msg="Failed to login user: ldap: connect: dial tcp 192.0.2.9:636: connect: connection refused"`, "2026-03-09T14:05:00Z/1000000 failed reason=identity_provider_down status=500"},
	{"dex-log", `time="2026-03-09T14:05:00Z" level=error msg="failed to get refresh token: not found"`, "2026-03-09T14:05:00Z/1000000 refused reason=invalid_token status=400"},
	{"dex-log", `time=2026-03-09T14:05:00.123Z level=INFO msg="some program"`, "-"},
	{"cas-audit", `2026-03-09 14:05:00,123 INFO [org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - Mon Mar 09 14:05:00 CET 2026|CAS|Supplied credentials: [UsernamePasswordCredential(username=a|AUTHENTICATION_SUCCESS|b|198.51.100.9|1.1.1.1, source=null)]|AUTHENTICATION_FAILED|jane|192.0.2.1|198.51.100.1`, "2026-03-09T14:05:00.123/1000 refused reason=invalid_credentials code=AUTHENTICATION_FAILED client=192.0.2.1 user=jane status=401"},
	{"shibboleth-audit", `20260309T140500Z|urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect|a1|https://sp.example.org|http://shibboleth.net/ns/profiles/saml2/sso/browser|https://idp.example.org|urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST|b1|jane|urn:x|uid|n|i|`, "2026-03-09T14:05:00Z/1000000 accepted user=jane service=https://sp.example.org"},
	{"lemonldap-ng-log", `[warn] jane was not found in LDAP directory (192.0.2.1)`, "refused reason=unknown_user client=192.0.2.1 user=jane status=401"},
	{"lemonldap-ng-log", `Lemonldap::NG : Bad password for x (198.51.100.9) (192.0.2.1)`, "refused reason=wrong_password client=192.0.2.1 user=x (198.51.100.9) status=401"},
	{"teleport-audit", `{"event":"user.login","code":"T1000I","time":"2026-03-09T14:05:00.123Z","cluster_name":"a.example","user":"jane","success":true,"addr.remote":"192.0.2.1:50000"}`, millis + "accepted code=T1000I client=192.0.2.1 port=50000 user=jane service=a.example"},
	{"pam-log", `pam_unix(webui:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.1  user=jane`, "refused reason=invalid_credentials code=webui client=192.0.2.1 user=jane"},
	{"pam-log", `pam_sss(webui:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.1 user=jane`, "refused reason=invalid_credentials code=webui client=192.0.2.1 user=jane"},
	{"pam-log", `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=jane`, "other code=sshd client=192.0.2.1 user=jane"},

	{"nextcloud-log", `{"reqId":"r1","level":2,"time":"2026-03-09T14:05:00+00:00","remoteAddr":"192.0.2.1","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: 'jane' (Remote IP: '192.0.2.1')"}`, "2026-03-09T14:05:00Z/1000000 refused reason=invalid_credentials client=192.0.2.1 user=jane method=POST target=/login id=r1"},
	{"nextcloud-log", `{"reqId":"r1","level":2,"time":"2026-03-09T14:05:00+00:00","remoteAddr":"192.0.2.1","user":"--","app":"core","method":"POST","url":"/login","message":"Login failed: x (Remote IP: 198.51.100.9) (Remote IP: 192.0.2.1)"}`, "2026-03-09T14:05:00Z/1000000 refused reason=invalid_credentials client=192.0.2.1 user=x (Remote IP: 198.51.100.9) method=POST target=/login id=r1"},
	{"gitea-log", `2026/03/09 14:05:00 ...ers/web/auth/auth.go:217:SignInPost() [W] [a1] Failed authentication attempt for jane from [2001:db8::1]:0: user does not exist [uid: 0, name: jane]`, nginxAt + "refused reason=unknown_user client=2001:db8::1 port=0 user=jane id=a1"},
	{"gitea-log", `2026/03/09 14:05:00 ...ers/web/auth/auth.go:217:SignInPost() [W] Failed authentication attempt for x from 198.51.100.9:1: from 192.0.2.1:50000: user does not exist [uid: 0, name: x from 198.51.100.9:1: from]`, nginxAt + "refused reason=invalid_credentials"},
	{"home-assistant-log", `2026-03-09 14:05:00.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from a.example (192.0.2.1). Requested URL: '/auth/login_flow/a1'. (Mozilla/5.0)`, "2026-03-09T14:05:00.123/1000 refused reason=invalid_credentials code=homeassistant.components.http.ban client=192.0.2.1 target=/auth/login_flow/a1 status=401"},
	{"jellyfin-log", `[2026-03-09 14:05:00.123 +01:00] [INF] [79] J.U: Authentication request for "jane" has been denied (IP: "192.0.2.1").`, "2026-03-09T13:05:00.123Z/1000 refused reason=invalid_credentials client=192.0.2.1 user=jane status=401"},
	{"vaultwarden-log", `[2026-03-09 14:05:00.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 192.0.2.1. Username: x. IP: 198.51.100.9. Username: y.`, "2026-03-09T14:05:00.123/1000 refused reason=invalid_credentials code=vaultwarden::api::identity client=192.0.2.1 user=x. IP: 198.51.100.9. Username: y status=400"},
	{"immich-log", `[Nest] 7  - 03/09/2026, 2:05:00 PM    WARN [AuthService] Failed login attempt for user x from ip address 198.51.100.9 from ip address 192.0.2.1`, "refused reason=invalid_credentials code=AuthService client=192.0.2.1 user=x from ip address 198.51.100.9 status=401"},
	{"overseerr-log", `2026-03-09T14:05:00.123Z [warn][API]: Failed sign-in attempt using invalid Overseerr password {"ip":"::ffff:192.0.2.1","email":"jane"}`, millis + "refused reason=invalid_credentials client=192.0.2.1 user=jane status=403"},
	{"qbittorrent-log", `(W) 2026-03-09T14:05:00 - WebAPI login failure. Reason: IP has been banned, IP: 2001:db8::1, username: x, IP: 198.51.100.9, username: y`, nginxAt + "refused reason=account_locked client=2001:db8::1 user=x, IP: 198.51.100.9, username: y status=403"},
	{"sabnzbd-log", `2026-03-09 14:05:00,123::WARNING::[interface:657] Mislukte login poging van 192.0.2.1 [Mozilla/5.0]`, "2026-03-09T14:05:00.123/1000 refused reason=invalid_credentials client=192.0.2.1 status=401"},
	{"servarr-log", `2026-03-09 14:05:00.1|Warn|Auth|Auth-Failure ip 192.0.2.1 username 'jane'`, "2026-03-09T14:05:00.1/100000 refused reason=invalid_credentials code=Auth client=192.0.2.1 user=jane status=401"},
	{"adguard-home-log", `2026/03/09 14:05:00.123456 [error] POST 192.0.2.1 /control/login: invalid username or password`, "2026-03-09T14:05:00.123456/1 refused reason=invalid_credentials client=192.0.2.1 method=POST target=/control/login status=403"},
	{"filebrowser-log", `2026/03/09 14:05:00 /api/login: 403 192.0.2.1 <nil>`, nginxAt + "refused reason=invalid_credentials client=192.0.2.1 status=403"},
	{"ombi-log", `2026-03-09 14:05:00.123 +01:00 [Warning] Failed login attempt by IP: 192.0.2.1`, "2026-03-09T13:05:00.123Z/1000 refused reason=invalid_credentials client=192.0.2.1 status=401"},
	{"emby-log", `2026-03-09 14:05:00.123 Warn Server: AUTH-ERROR: 192.0.2.1 - Invalid username or password entered.`, "2026-03-09T14:05:00.123/1000 refused reason=invalid_credentials client=192.0.2.1 status=401"},
	{"proxmox-auth", `2026-03-09T14:05:00+01:00: authentication failure; rhost=[::ffff:192.0.2.1]:50000 user=root@pbs msg=user account disabled or expired.`, "2026-03-09T13:05:00Z/1000000 refused reason=account_disabled client=192.0.2.1 port=50000 user=root@pbs status=401"},
	{"pterodactyl-log", `WARN: [Mar  9 14:05:00.123] failed to validate user credentials (invalid format) ip=192.0.2.1:50000 subsystem=sftp username=jane`, "refused reason=invalid_credentials client=192.0.2.1 port=50000 user=jane"},
}

func TestLogs(t *testing.T) {
	for _, tt := range logTests {
		checkLine(t, tt.log, tt.line, tt.want)
	}
	for _, l := range Logs() {
		for _, s := range l.Samples {
			var e Event
			if !l.Read([]byte(s), &e) {
				t.Errorf("%s does not read its sample: %s", l.Name, s)
			}
		}
	}
}
