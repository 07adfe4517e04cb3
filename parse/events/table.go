package events

// servers returns the error logs of servers.
func servers() []*Log {
	return []*Log{
		{Name: "nginx-error", Doc: "nginx's error_log, also of ingress-nginx, OpenResty and APISIX", read: readNginx, Samples: []string{
			`2026/03/09 14:05:00 [error] 1234#1234: *5 user "jane" was not found in "/etc/nginx/htpasswd", client: 192.0.2.1, server: example.org, request: "GET / HTTP/1.1", host: "example.org"`,
			`2026/03/09 14:05:00 [error] 31#31: *7 auth request unexpected status: 502 while sending to client, client: 192.0.2.1, server: example.org, request: "GET /a HTTP/2.0", subrequest: "/auth", host: "example.org"`,
		}},
		{Name: apacheName, Doc: "Apache's ErrorLog", read: readApache, Samples: []string{
			`[Mon Mar 09 14:05:00.123456 2026] [auth_basic:error] [pid 1234:tid 5678] [client 192.0.2.1:50000] AH01618: user jane not found: /`,
			`[Mon Mar 09 14:05:00 2026] [error] [client 192.0.2.1] user jane: authentication failure for "/a": Password Mismatch`,
		}},
		{Name: "lighttpd-error", Doc: "lighttpd's server.errorlog", read: readLighttpd, Samples: []string{
			`2026-03-09 14:05:00: (mod_auth.c.765) password doesn't match for / username: jane IP: 192.0.2.1`,
		}},
		{Name: "cups-error", Doc: "CUPS's error_log", read: readCUPS, Samples: []string{
			`E [09/Mar/2026:14:05:00 +0000] StartListening: Unable to find IP address for server name "localhost"`,
		}},
		{Name: "php-error", Doc: "PHP's error_log and PHP-FPM's", read: readPHP, Samples: []string{
			`[09-Mar-2026 14:05:00] WARNING: [pool www] child 7 said into stderr: "NOTICE: PHP message: Authentication failure for jane from 192.0.2.1"`,
			`[09-Mar-2026 14:05:00 UTC] FreshRSS: Password mismatch for user=jane`,
		}},
		{Name: "gunicorn-error", Doc: "Gunicorn's error log", read: readGunicorn, Samples: []string{
			`[2026-03-09 14:05:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)`,
		}},
	}
}

// gateways returns the logs of proxies and gateways that decide about requests.
func gateways() []*Log {
	return []*Log{
		{Name: "caddy-error", Doc: "Caddy's http.log.error and other HTTP loggers, JSON lines", read: caddy.read, Samples: []string{
			`{"level":"debug","ts":1773065100.123,"logger":"http.log.error","msg":"not authenticated","request":{"remote_ip":"192.0.2.1","remote_port":"50000","client_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","host":"example.org","uri":"/a"},"duration":0.0004,"status":401,"err_id":"a1b2c3d4e","err_trace":"caddyauth.Authentication.ServeHTTP"}`,
		}},
		{Name: "traefik-log", Doc: "Traefik's own log at level debug", read: readTraefik, Samples: []string{
			`2026-03-09T14:05:00Z DBG github.com/traefik/traefik/v3/pkg/middlewares/auth/basic_auth.go:85 > Authentication failed middlewareName=auth@file middlewareType=BasicAuth`,
			`{"level":"debug","middlewareName":"auth@docker","middlewareType":"BasicAuth","time":"2026-03-09T14:05:00Z","message":"Authentication failed"}`,
		}},
		{Name: "envoy-log", Doc: "Envoy's own log at level debug, also of Istio's sidecars", read: readEnvoy, Samples: []string{
			`[2026-03-09 14:05:00.123][23][debug][jwt] [source/extensions/filters/http/jwt_authn/authenticator.cc:409] provider: JWT token verification completed with: Jwt is expired`,
			"2026-03-09T14:05:00.123456Z\tdebug\tenvoy jwt external/envoy/source/extensions/filters/http/jwt_authn/authenticator.cc:409\torigins-0: JWT token verification completed with: Jwt is expired\tthread=23",
		}},
		{Name: "oauth2-proxy-log", Doc: "oauth2-proxy, sign-ins and messages", read: readOAuth2Proxy, Samples: []string{
			`192.0.2.1:50000 - 0b1f6c4e-8d7a-4a51-9c55-1f0c7a3d2e10 - jane@example.org [2026/03/09 14:05:00] [AuthFailure] Invalid authentication via OAuth2: unauthorized`,
			`[2026/03/09 14:05:00] [stored_session.go:92] Error loading cookied session: cookie "_oauth2_proxy" not present, removing session`,
		}},
		{Name: "authelia-log", Doc: "Authelia, logfmt or JSON lines", read: authelia.read, Samples: []string{
			`time="2026-03-09T14:05:00+01:00" level=error msg="Unsuccessful 1FA authentication attempt by user 'jane': user not found" method=POST path=/api/firstfactor remote_ip=192.0.2.1`,
			`{"level":"error","method":"GET","msg":"Access to 'https://example.org/a' is not authorized to user '\u003canonymous\u003e', responding with status code 401 with location redirect to https://auth.example.org/","path":"/api/authz/forward-auth","remote_ip":"192.0.2.1","time":"2026-03-09T14:05:00+01:00"}`,
		}},
		{Name: "grafana-log", Doc: "Grafana, logfmt or JSON lines", read: grafana.read, Samples: []string{
			`logger=context userId=0 orgId=0 uname= t=2026-03-09T14:05:00.123Z level=warn msg="Unauthorized" error="user token not found" remote_addr=192.0.2.1 traceID=`,
		}},
		{Name: "tyk-log", Doc: "Tyk's gateway, logfmt or JSON lines", read: tyk.read, Samples: []string{
			`time="2026-03-09T14:05:00Z" level=warning msg="Attempted access with invalid key." api_id=a1 api_name=web key=****abcd mw=AuthKey org_id=o1 origin=192.0.2.1 path="/a"`,
		}},
		{Name: "krakend-log", Doc: "KrakenD", read: krakenD.read, Samples: []string{
			`[KRAKEND] 2026/03/09 - 14:05:00.123 ▶ ERROR [ENDPOINT: /a][JWTValidator] Unable to validate the token: square/go-jose/jwt: validation failed, token is expired (exp)`,
		}},
		{Name: "owncloud-proxy", Doc: "proxy of ownCloud Infinite Scale and OpenCloud, JSON lines", read: ownCloud.read, Samples: []string{
			`{"level":"error","service":"proxy","error":"failed to verify access token: token is expired by 2s","authenticator":"oidc","path":"/graph/v1.0/me","time":"2026-03-09T14:05:00Z","message":"failed to authenticate the request"}`,
		}},
		{Name: "registry-log", Doc: "registry of container images (Distribution)", read: registry.read, Samples: []string{
			`time="2026-03-09T14:05:00.123Z" level=warning msg="error authorizing context: authorization token required" go.version=go1.22 http.request.host=registry.example.org http.request.id=a1 http.request.method=GET http.request.remoteaddr=192.0.2.1:50000 http.request.uri=/v2/ http.request.useragent=docker/27`,
		}},
	}
}

// checks returns the logs of programs that check requests by themselves.
func checks() []*Log {
	return []*Log{
		{Name: "elasticsearch-audit", Doc: "audit log of Elasticsearch, JSON lines", read: elasticsearch.read, Samples: []string{
			`{"type":"audit","timestamp":"2026-03-09T14:05:00,123+0000","node.id":"n1","event.type":"rest","event.action":"authentication_failed","user.name":"jane","origin.type":"rest","origin.address":"192.0.2.1:50000","url.path":"/_search","request.method":"GET","request.id":"a1"}`,
		}},
		{Name: "opensearch-audit", Doc: "audit log of OpenSearch, JSON lines", read: openSearch.read, Samples: []string{
			`{"audit_category":"FAILED_LOGIN","audit_request_origin":"REST","audit_rest_request_path":"/_cat","@timestamp":"2026-03-09T14:05:00.123+00:00","audit_request_remote_address":"192.0.2.1","audit_request_effective_user":"jane"}`,
		}},
		{Name: "elasticsearch-log", Doc: "Elasticsearch and OpenSearch, their servers' logs and Kibana's, text or JSON lines", read: readElasticServer, Samples: []string{
			`[2026-03-09T14:05:00,123][WARN ][o.o.s.a.BackendRegistry  ] [node-1] Authentication finally failed for jane from 192.0.2.1:50000`,
			`{"@timestamp":"2026-03-09T14:05:00.123Z","log.level":"INFO","message":"Authentication of [jane] was terminated by realm [reserved] - failed to authenticate user [jane]","log.logger":"org.elasticsearch.xpack.security.authc.AuthenticationService"}`,
		}},
		{Name: "cloudtrail-events", Doc: "AWS CloudTrail, JSON lines", read: cloudTrail.read, Samples: []string{
			`{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"jane"},"eventTime":"2026-03-09T14:05:00Z","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","sourceIPAddress":"192.0.2.1","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}}`,
		}},
		{Name: "google-audit", Doc: "audit logs of Google Cloud, JSON lines", read: googleAudit.read, Samples: []string{
			`{"protoPayload":{"status":{"code":7,"message":"PERMISSION_DENIED"},"authenticationInfo":{"principalEmail":"jane@example.org"},"requestMetadata":{"callerIp":"192.0.2.1"},"serviceName":"iap.googleapis.com","methodName":"AuthorizeUser"},"timestamp":"2026-03-09T14:05:00.123Z"}`,
		}},
		{Name: "kubernetes-apiserver", Doc: "Kubernetes' API server, its refusals", read: readKubernetes, Samples: []string{
			`E0309 14:05:00.123456       1 authentication.go:75] "Unable to authenticate the request" err="[invalid bearer token, service account token has expired]"`,
		}},
		{Name: "argocd-log", Doc: "Argo CD's server, logfmt or JSON lines", read: argoCD.read, Samples: []string{
			`time="2026-03-09T14:05:00Z" level=warning msg="Failed to verify token: failed to verify token: oidc: token is expired (Token Expiry: 2026-03-09 10:40:08 +0000 UTC)"`,
		}},
		{Name: "harbor-core", Doc: "Harbor's core, sign-ins", read: harbor.read, Samples: []string{
			`2026-03-09T14:05:00Z [ERROR] [/server/middleware/security/basic_auth.go:72][client IP="192.0.2.1" requestID="a1" user agent="docker/27"]: failed to authenticate user:jane, error:Failed to authenticate user, due to error 'Invalid credentials'`,
		}},
		{Name: "vault-audit", Doc: "audit log of Vault and OpenBao, JSON lines", read: vault.read, Samples: []string{
			`{"time":"2026-03-09T14:05:00.123Z","type":"response","auth":{"token_type":"default"},"request":{"id":"a1","operation":"read","path":"secret/data/a","remote_address":"192.0.2.1","remote_port":50000},"error":"1 error occurred:\n\t* permission denied\n\n"}`,
		}},
		{Name: "ory-log", Doc: "Ory Kratos, Hydra and Oathkeeper, JSON lines", read: ory.read, Samples: []string{
			`{"audience":"application","error":{"message":"The request could not be authorized","reason":"Token is expired","status":"Unauthorized","status_code":401},"http_request":{"host":"auth.example.org","method":"GET","path":"/userinfo","remote":"192.0.2.1:50000"},"level":"error","msg":"An error occurred while handling a request","time":"2026-03-09T14:05:00Z"}`,
		}},
		{Name: "pomerium-authorize", Doc: "decisions of Pomerium, JSON lines", read: pomerium.read, Samples: []string{
			`{"level":"info","service":"authorize","request-id":"a1","method":"GET","path":"/me","host":"app.example.org","ip":"192.0.2.1","allow":false,"allow-why-false":["user-unauthenticated"],"time":"2026-03-09T14:05:00Z","message":"authorize check"}`,
		}},
	}
}

// frameworks returns the logs of frameworks that applications are built with.
func frameworks() []*Log {
	return []*Log{
		{Name: "aspnet-auth", Doc: "ASP.NET Core's authentication, as Serilog and the consoles of Microsoft.Extensions.Logging write it", read: readASPNet, Samples: []string{
			`{"@t":"2026-03-09T14:05:00.123Z","@mt":"{AuthenticationScheme} was not authenticated. Failure message: {FailureMessage}","AuthenticationScheme":"Bearer","FailureMessage":"IDX10223: Lifetime validation failed. The token is expired.","SourceContext":"Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler","RequestId":"0HM:1","RequestPath":"/me"}`,
		}},
		{Name: "spring-boot-log", Doc: "Spring Boot applications, with Spring Security at level debug", read: readSpring, Samples: []string{
			`2026-03-09T14:05:00.123Z DEBUG 1 --- [nio-8080-exec-1] o.s.s.a.dao.DaoAuthenticationProvider    : Failed to authenticate since password does not match stored value`,
		}},
		{Name: "tomcat-log", Doc: "Tomcat's catalina.out", read: tomcat.read, Samples: []string{
			`09-Mar-2026 14:05:00.123 WARNING [http-nio-8080-exec-5] org.apache.catalina.realm.LockOutRealm.filterLockedAccounts An attempt was made to authenticate the locked user [jane]`,
		}},
		{Name: "wildfly-log", Doc: "WildFly and JBoss EAP, with Elytron at level trace", read: wildFly.read, Samples: []string{
			`2026-03-09 14:05:00,123 TRACE [org.wildfly.security] (default task-1) User jane authentication failed.`,
		}},
		{Name: "laravel-log", Doc: "Laravel", read: laravel.read, Samples: []string{
			`[2026-03-09 14:05:00] production.ERROR: Unauthenticated. {"exception":"[object] (Illuminate\\\\Auth\\\\AuthenticationException(code: 0): Unauthenticated. at /app/Authenticate.php:87)"}`,
		}},
		{Name: "node-errors", Doc: "errors of Express and its middlewares, as pino, winston and bunyan write them, JSON lines", read: nodeErrors.read, Samples: []string{
			`{"level":50,"time":1773065100123,"err":{"type":"UnauthorizedError","message":"jwt expired"},"req":{"id":"a1","method":"GET","url":"/a","remoteAddress":"192.0.2.1","remotePort":50000},"msg":"jwt expired"}`,
		}},
		{Name: "django-axes", Doc: "django-axes, sign-ins", read: axes.read, Samples: []string{
			`2026-03-09 14:05:00,123 WARNING axes.handlers.database: AXES: New login failure by {username: "jane", ip_address: "192.0.2.1", user_agent: "Mozilla/5.0", path_info: "/admin/login/"}. Created new record in the database.`,
		}},
	}
}

// providers returns the event logs of identity providers.
func providers() []*Log {
	return []*Log{
		{Name: "keycloak-events", Doc: "Keycloak's server log, with its events", read: readKeycloak, Samples: []string{
			`2026-03-09 14:05:00,123 WARN  [org.keycloak.events] (executor-thread-1) type="LOGIN_ERROR", realmId="main", clientId="app", userId="null", ipAddress="192.0.2.1", error="user_not_found"`,
			`{"timestamp":"2026-03-09T14:05:00.123Z","sequence":7,"loggerClassName":"org.jboss.logging.Logger","loggerName":"org.keycloak.events","level":"WARN","message":"type=\"REFRESH_TOKEN_ERROR\", realmId=\"main\", clientId=\"app\", userId=\"null\", ipAddress=\"192.0.2.1\", error=\"invalid_token\", reason=\"Session not active\"","threadName":"executor-thread-1"}`,
		}},
		{Name: "okta-events", Doc: "Okta's System Log, JSON lines", read: okta.read, Samples: []string{
			`{"actor":{"alternateId":"jane@example.org"},"eventType":"user.session.start","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"published":"2026-03-09T14:05:00.000Z"}`,
		}},
		{Name: "entra-events", Doc: "sign-in log of Microsoft Entra ID, JSON lines", read: entra.read, Samples: []string{
			`{"createdDateTime":"2026-03-09T14:05:00Z","userPrincipalName":"jane@example.org","appDisplayName":"app","ipAddress":"192.0.2.1","status":{"errorCode":50126}}`,
		}},
		{Name: "auth0-events", Doc: "tenant log of Auth0, JSON lines", read: auth0.read, Samples: []string{
			`{"date":"2026-03-09T14:05:00.000Z","type":"fp","client_id":"a1","connection":"users","ip":"192.0.2.1","user_name":"jane","log_id":"90020260309"}`,
		}},
		{Name: "authentik-events", Doc: "events of authentik, JSON lines", read: authentik.read, Samples: []string{
			`{"action":"login_failed","auth_via":"unauthenticated","client_ip":"192.0.2.1","event":"Created Event","logger":"authentik.events.models","timestamp":"2026-03-09T14:05:00"}`,
		}},
		{Name: "shibboleth-audit", Doc: "Shibboleth IdP, idp-audit.log", read: readShibboleth, Samples: []string{
			`20260309T140500Z|urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect|a1|https://sp.example.org|http://shibboleth.net/ns/profiles/saml2/sso/browser|https://idp.example.org|jane|`,
		}},
		{Name: "shibboleth-sp-log", Doc: "Shibboleth's service provider, shibd.log", read: shibboleth.read, Samples: []string{
			`2026-03-09 14:05:00 WARN Shibboleth.SSO.SAML2 [12] [default]: detected a problem with assertion: Message expired, was issued too long ago.`,
		}},
		{Name: "pingfederate-audit", Doc: "PingFederate, audit.log", read: readPingFederate, Samples: []string{
			`2026-03-09 14:05:00,123| tid:a1| AUTHN_ATTEMPT| jane| 192.0.2.1 | | web| OAuth20| pf1| IdP| failure| HtmlForm| | 12`,
		}},
		{Name: "dex-log", Doc: "Dex, text or JSON lines", read: dex.read, Samples: []string{
			`time=2026-03-09T14:05:00.123Z level=ERROR msg="failed to login user" err="ldap: connection refused" connector_id=ldap request_id=a1 client_remote_addr=192.0.2.1`,
		}},
		{Name: "cas-audit", Doc: "audit trail of Apereo CAS", read: readCAS, Samples: []string{
			`2026-03-09 14:05:00,123 INFO [org.apereo.inspektr.audit.support.Slf4jLoggingAuditTrailManager] - Mon Mar 09 14:05:00 CET 2026|CAS|Supplied credentials: [UsernamePasswordCredential(username=jane, source=null, customFields={})]|AUTHENTICATION_FAILED|jane|192.0.2.1|198.51.100.1`,
		}},
		{Name: "lemonldap-ng-log", Doc: "LemonLDAP::NG", read: lemonLDAP.read, Samples: []string{
			`[warn] Bad password for jane (192.0.2.1)`,
		}},
		{Name: "teleport-audit", Doc: "audit events of Teleport, JSON lines", read: teleport.read, Samples: []string{
			`{"ei":0,"event":"user.login","uid":"a1","code":"T1000W","time":"2026-03-09T14:05:00.123Z","cluster_name":"example.org","user":"jane","success":false,"error":"invalid username, password or second factor","method":"local","addr.remote":"192.0.2.1:50000"}`,
		}},
		{Name: "pam-log", Doc: "pam_unix and pam_sss, of services that people sign in to by HTTP", read: readPAM, Samples: []string{
			`pam_unix(webui:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.1`,
		}},
	}
}

// applications returns the logs of applications. Those of which only some lines can be told from other
// logs come last.
func applications() []*Log {
	return []*Log{
		{Name: "nextcloud-log", Doc: "Nextcloud's log, JSON lines", read: nextcloud.read, Samples: []string{
			`{"reqId":"a1","level":2,"time":"2026-03-09T14:05:00+00:00","remoteAddr":"192.0.2.1","user":"--","app":"no app in context","method":"POST","url":"/login","message":"Login failed: jane (Remote IP: 192.0.2.1)","userAgent":"Mozilla/5.0","version":"30.0.0"}`,
		}},
		{Name: "gitlab-log", Doc: "GitLab, application_json.log", read: gitLab.read, Samples: []string{
			`{"severity":"INFO","time":"2026-03-09T14:05:00.123Z","correlation_id":"a1","message":"Failed Login: username=jane ip=192.0.2.1"}`,
		}},
		{Name: "nexus-log", Doc: "Sonatype Nexus Repository, nexus.log", read: nexus.read, Samples: []string{
			`2026-03-09 14:05:00,123+0000 WARN  [qtp1-42] *UNKNOWN org.apache.shiro.authc.AbstractAuthenticator - Authentication failed for token submission [org.apache.shiro.authc.UsernamePasswordToken - jane, rememberMe=false (192.0.2.1)].  Possible unexpected error?`,
		}},
		{Name: "artifactory-access", Doc: "JFrog Artifactory, artifactory-access.log", read: artifactory.read, Samples: []string{
			`2026-03-09T14:05:00.123Z [a1b2c3d4] [DENIED LOGIN] for client : jane / 192.0.2.1 [token]`,
		}},
		{Name: "jenkins-log", Doc: "Jenkins, sign-ins", read: jenkins.read, Samples: []string{
			"2026-03-09 14:05:00.123+0000 [id=42]\tINFO\th.security.AuthenticationProcessingFilter2#unsuccessfulAuthentication: Login attempt failed",
		}},
		{Name: "sonarqube-log", Doc: "SonarQube, web.log at level debug", read: readSonarQube, Samples: []string{
			`2026.03.09 14:05:00 DEBUG web[a1][auth.event] login failure [cause|Wrong password][method|FORM][provider|LOCAL|local][IP|192.0.2.1|][login|jane]`,
		}},
		{Name: "rabbitmq-log", Doc: "RabbitMQ, with its management interface", read: rabbitMQ.read, Samples: []string{
			`2026-03-09 14:05:00.123456+00:00 [warning] <0.912.0> HTTP access denied: user 'jane' - invalid credentials`,
		}},
		{Name: "mattermost-log", Doc: "Mattermost, JSON lines", read: mattermost.read, Samples: []string{
			`{"timestamp":"2026-03-09 14:05:00.123 Z","level":"error","msg":"Invalid or expired session, please login again.","path":"/api/v4/users/me","request_id":"a1","ip_addr":"192.0.2.1","method":"GET","err_where":"ServeHTTP","http_code":401}`,
		}},
		{Name: "gitea-log", Doc: "Gitea and Forgejo", read: gitea.read, Samples: []string{
			`2026/03/09 14:05:00 ...ers/web/auth/auth.go:206:SignInPost() [I] Failed authentication attempt for jane from 192.0.2.1:50000: user's password is invalid [uid: 1, name: jane]`,
		}},
		{Name: "home-assistant-log", Doc: "Home Assistant", read: homeAssistant.read, Samples: []string{
			`2026-03-09 14:05:00.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from host.example (192.0.2.1). Requested URL: '/auth/login_flow/a1'. (Mozilla/5.0)`,
		}},
		{Name: "jellyfin-log", Doc: "Jellyfin, its file", read: jellyfin.read, Samples: []string{
			`[2026-03-09 14:05:00.123 +01:00] [INF] [79] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for "jane" has been denied (IP: "192.0.2.1").`,
		}},
		{Name: "vaultwarden-log", Doc: "Vaultwarden", read: vaultwarden.read, Samples: []string{
			`[2026-03-09 14:05:00.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 192.0.2.1. Username: jane@example.org.`,
		}},
		{Name: "immich-log", Doc: "Immich", read: immich.read, Samples: []string{
			`[Nest] 7  - 03/09/2026, 2:05:00 PM    WARN [AuthService] Failed login attempt for user jane@example.org from ip address 192.0.2.1`,
		}},
		{Name: "calibre-web-log", Doc: "Calibre-Web", read: calibreWeb.read, Samples: []string{
			`[2026-03-09 14:05:00,123]  WARN {cps.web:1475} Login failed for user "jane" IP-address: 192.0.2.1`,
		}},
		{Name: "overseerr-log", Doc: "Overseerr and Jellyseerr", read: overseerr.read, Samples: []string{
			`2026-03-09T14:05:00.123Z [warn][API]: Failed sign-in attempt using invalid Overseerr password {"ip":"192.0.2.1","email":"jane@example.org"}`,
		}},
		{Name: "qbittorrent-log", Doc: "qBittorrent", read: qbittorrent.read, Samples: []string{
			`(W) 2026-03-09T14:05:00 - WebAPI login failure. Reason: invalid credentials, attempt count: 1, IP: 192.0.2.1, username: jane`,
		}},
		{Name: "sabnzbd-log", Doc: "SABnzbd", read: sabnzbd.read, Samples: []string{
			`2026-03-09 14:05:00,123::WARNING::[interface:657] Unsuccessful login attempt from 10.0.0.1 (X-Forwarded-For: 192.0.2.1) [Mozilla/5.0]`,
		}},
		{Name: "servarr-log", Doc: "Sonarr, Radarr, Prowlarr and others, their files", read: servarr.read, Samples: []string{
			`2026-03-09 14:05:00.1|Warn|Auth|Auth-Failure ip 192.0.2.1 username 'jane'`,
		}},
		{Name: "servarr-console", Doc: "Sonarr, Radarr, Prowlarr and others, sign-ins", read: servarrConsole.read, Samples: []string{
			`[Warn] Auth: Auth-Failure ip 192.0.2.1 username 'jane'`,
		}},
		{Name: "jellyfin-console", Doc: "Jellyfin, sign-ins", read: jellyfinConsole.read, Samples: []string{
			`[14:05:00] [INF] Authentication request for jane has been denied (IP: 192.0.2.1).`,
		}},
		{Name: "adguard-home-log", Doc: "AdGuard Home, sign-ins", read: adguard.read, Samples: []string{
			`2026/03/09 14:05:00.123456 [error] POST 10.0.0.1 /control/login: from ip 192.0.2.1: invalid username or password`,
		}},
		{Name: "emby-log", Doc: "Emby, sign-ins", read: emby.read, Samples: []string{
			`2026-03-09 14:05:00.123 Warn Server: AUTH-ERROR: 192.0.2.1 - Invalid username or password entered.`,
		}},
		{Name: "filebrowser-log", Doc: "File Browser, sign-ins", read: filebrowser.read, Samples: []string{
			`2026/03/09 14:05:00 /api/login: 403 192.0.2.1 <nil>`,
		}},
		{Name: "ombi-log", Doc: "Ombi, sign-ins", read: ombi.read, Samples: []string{
			`2026-03-09 14:05:00.123 +01:00 [Warning] Failed login attempt by IP: 192.0.2.1`,
		}},
		{Name: "proxmox-auth", Doc: "Proxmox VE and Backup Server, sign-ins", read: proxmox.read, Samples: []string{
			`2026-03-09T14:05:00+01:00: authentication failure; rhost=[::ffff:192.0.2.1]:50000 user=root@pam msg=authentication error - AUTH_ERR (7)`,
		}},
		{Name: "pterodactyl-log", Doc: "Pterodactyl Wings, sign-ins", read: pterodactyl.read, Samples: []string{
			`WARN: [Mar  9 14:05:00.123] failed to validate user credentials (invalid username or password) ip=192.0.2.1:50000 subsystem=sftp username=jane`,
		}},
		{Name: "php-syslog", Doc: "applications in PHP that write to syslog: WordPress, phpMyAdmin, SimpleSAMLphp", read: phpSyslog.read, Samples: []string{
			`Authentication failure for jane from 192.0.2.1`,
			`user denied: jane (mysql-denied) from 192.0.2.1`,
		}},
	}
}
