package parse

import "testing"

// dialectTests are lines of all servers, mostly samples from their documentation, and
// the entries they are parsed into. Without a format string, the format is detected
// and must have the given name.
var dialectTests = []struct{ name, format, spec, line, want string }{
	{
		"Artifactory, nobody", "artifactory", ``,
		`2026-03-09T14:05:00.250Z|6bfb4b0a7b1f84b7|192.0.2.1|anonymous|GET|/api/npm/main/lodash|401|-1|91|6|npm/10.2.3 node/v20`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" path="/api/npm/main/lodash" agent="npm/10.2.3 node/v20" status=401 bytes=91 duration=6000`,
	},
	{
		"Jira, nobody", "jira", ``,
		`192.0.2.1 845x131x2 - [09/Mar/2026:14:05:00 +0000] "GET /rest/api/2/myself?expand=groups HTTP/1.1" 401 381 0.0120 "-" "curl/8.5.0" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/rest/api/2/myself" query="expand=groups" protocol="HTTP/1.1" agent="curl/8.5.0" status=401 bytes=381`,
	},
	{
		"Confluence", "confluence", ``,
		`[09/Mar/2026:14:05:00 +0000] jane http-nio-8090-exec-7 192.0.2.1 POST /rest/api/content?x=1 HTTP/1.1 401 12ms 381 https://wiki.example.org/ Mozilla/5.0 (X11; Linux x86_64)`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="POST" path="/rest/api/content" query="x=1" protocol="HTTP/1.1" referrer="https://wiki.example.org/" agent="Mozilla/5.0 (X11; Linux x86_64)" status=401 bytes=381 duration=12000`,
	},
	{
		"NGINX Amplify", "main_ext", ``,
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 612 "-" "curl/8.5.0" "-" "www.example.org" sn="example.org" rt=0.012 ua="10.0.0.4:8080" us="401" ut="0.011" ul="612" cs=-`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" host="www.example.org" path="/" protocol="HTTP/1.1" agent="curl/8.5.0" upstream="10.0.0.4:8080" upstream_status="401" status=401 bytes=612 duration=12000`,
	},
	{
		"Amazon API Gateway, REST", "json", ``,
		`{"requestId":"c1","ip":"192.0.2.1","caller":"-","user":"-","requestTime":"09/Mar/2026:14:05:00 +0000","httpMethod":"GET","resourcePath":"/orders","status":"401","protocol":"HTTP/1.1","responseLength":"26"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/orders" protocol="HTTP/1.1" status=401 bytes=26`,
	},
	{
		"Logstash, COMBINEDAPACHELOG", "json", ``,
		`{"@timestamp":"2026-03-09T14:05:00.000Z","clientip":"192.0.2.1","ident":"-","auth":"-","verb":"GET","request":"/orders?a=b","httpversion":"1.1","response":"401","bytes":"26"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/orders" query="a=b" status=401 bytes=26`,
	},
	{
		"JSON with another response", "json", ``,
		`{"time":"2026-03-09T14:05:00Z","ip":"192.0.2.1","method":"GET","path":"/orders","response":"200","status":401}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/orders" status=401`,
	},
	{
		"Amazon API Gateway, HTTP", "json", ``,
		`{"requestId":"c1","ip":"192.0.2.1","requestTime":"09/Mar/2026:14:05:00 +0000","httpMethod":"GET","routeKey":"GET /orders","status":"401","protocol":"HTTP/1.1","responseLength":"26"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/orders" protocol="HTTP/1.1" status=401 bytes=26`,
	},
	{
		"Kubernetes, audit log", "json", ``,
		`{"kind":"Event","stage":"ResponseComplete","requestURI":"/api/v1/pods?limit=5","verb":"list","user":{"username":"system:anonymous"},"sourceIPs":["192.0.2.1"],"userAgent":"agent/1","responseStatus":{"metadata":{},"code":401},"requestReceivedTimestamp":"2026-03-09T14:05:00.250000Z"}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="list" path="/api/v1/pods" query="limit=5" agent="agent/1" status=401`,
	},
	{
		"Uvicorn, docker logs -t", "stamped+uvicorn", ``,
		`2026-03-09T14:05:00.250000000Z INFO:     192.0.2.1:53210 - "GET /items HTTP/1.1" 401 Unauthorized`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" path="/items" protocol="HTTP/1.1" status=401`,
	},
	{
		"HAProxy after syslog", "syslog+haproxy", ``,
		`Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 401 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`,
		`time=2009-02-06T12:14:14.655Z client="10.0.1.2" method="GET" path="/index.html" protocol="HTTP/1.1" upstream="static/srv1" status=401 bytes=2750 duration=109000`,
	},
	{
		"answered by HAProxy", "haproxy", ``,
		`2001:db8::7:33317 [06/Feb/2009:12:14:14.655] http-in~ static/<NOSRV> -1/-1/-1/-1/1 401 212 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`,
		`time=2009-02-06T12:14:14.655Z client="2001:db8::7" reason="PR--" status=401 bytes=212 duration=1000`,
	},
	{
		"HAProxy, no status sent", "haproxy", ``,
		`10.0.1.2:1 [06/Feb/2009:12:14:14.655] in be/s1 10/0/30/-1/109 -1 0 - - CHVN 1/1/1/1/0 0/0 "GET / HTTP/1.1"`,
		`time=2009-02-06T12:14:14.655Z client="10.0.1.2" method="GET" path="/" protocol="HTTP/1.1" upstream="be/s1" bytes=0 duration=109000`,
	},
	{
		"HAProxy, logasap", "haproxy", ``,
		`10.0.1.2:1 [06/Feb/2009:12:14:14.655] in be/s1 10/0/30/69/+109 200 +243 - - ---- 1/1/1/1/0 0/0 "GET /big.iso HTTP/1.1"`,
		`time=2009-02-06T12:14:14.655Z client="10.0.1.2" method="GET" path="/big.iso" protocol="HTTP/1.1" upstream="be/s1" status=200 bytes=243 duration=109000`,
	},
	{
		"HAProxy, truncated by syslog", "haproxy", ``,
		`10.0.1.2:1 [06/Feb/2009:12:14:14.655] in be/s1 10/0/30/69/109 200 243 - - ---- 1/1/1/1/0 0/0 "GET /long?a=bcde`,
		`time=2009-02-06T12:14:14.655Z client="10.0.1.2" method="GET" path="/long" query="a=bcde" upstream="be/s1" status=200 bytes=243 duration=109000`,
	},
	{
		"HAProxy TCP", "haproxy", ``,
		`10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 sD 0/0/0/0/3 0/0`,
		`time=2009-02-06T12:12:51.443Z client="10.0.1.2" upstream="bck/srv1" bytes=212 duration=5007000`,
	},
	{
		"a HAProxy log-format", "", `log-format "%ci:%cp [%tr] %ft %{+Q}[capture.req.hdr(0)] %b/%s %Ta %ST %B %HM %{+Q}HU %HV"`,
		`192.0.2.1:5 [06/Feb/2009:12:14:14.655] fe "www.example.org" be/s2 12 401 90 GET "/a?b=1" HTTP/2.0`,
		`time=2009-02-06T12:14:14.655Z client="192.0.2.1" method="GET" path="/a" query="b=1" protocol="HTTP/2.0" upstream="be/s2" status=401 bytes=90 duration=12000`,
	},
	{
		"Envoy", "envoy", ``,
		`[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.35, 10.0.0.1" "nsq2http" "cc21d9b0" "locations" "tcp://10.0.2.1:80"`,
		`time=2016-04-15T20:17:00.31Z client="192.0.2.35" method="POST" host="locations" path="/api/v1/locations" protocol="HTTP/2" agent="nsq2http" upstream="tcp://10.0.2.1:80" status=204 bytes=0 duration=226000`,
	},
	{
		"Istio, refused by the proxy", "istio", ``,
		`[2026-03-09T14:05:00.123Z] "GET /api HTTP/2" 401 - jwt_authn_access_denied{Jwt_is_expired} - "-" 0 14 1 - "-" "Mozilla/5.0" "a1" "api.example.org" "-" - - 10.0.0.1:8080 192.0.2.7:50412 - -`,
		`time=2026-03-09T14:05:00.123Z client="192.0.2.7" method="GET" host="api.example.org" path="/api" protocol="HTTP/2" agent="Mozilla/5.0" reason="token_expired" status=401 bytes=14 duration=1000`,
	},
	{
		"Envoy, no request", "", `envoy`,
		`[2016-04-15T20:17:00.310Z] "- - HTTP/1.1" 400 DPE 0 11 0 - "-" "-" "-" "-" "-"`,
		`time=2016-04-15T20:17:00.31Z protocol="HTTP/1.1" status=400 bytes=11 duration=0`,
	},
	{
		"Envoy, refused by an external service, by its flag", "", `[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS%`,
		`[2026-03-09T14:05:00.123Z] "GET /api HTTP/2" 401 UAEX`,
		`time=2026-03-09T14:05:00.123Z method="GET" path="/api" protocol="HTTP/2" reason="denied_by_authorizer" status=401`,
	},
	{
		"nginx, a response header that states the reason", "", `$remote_addr [$time_local] "$request" $status "$sent_http_www_authenticate" "$upstream_http_x_auth_failure" "$sent_http_proxy_authenticate"`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "Bearer realm=x" "jwt_expired" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" reason="token_expired" status=401`,
	},
	{
		"Apache, the same before the header that says how to authenticate", "", `%h %t "%r" %>s "%{X-Auth-Error}o" "%{WWW-Authenticate}o"`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "session_expired" "Bearer realm=x"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" reason="session_expired" status=401`,
	},
	{
		"Amazon API Gateway, the error of its authorizer", "json", ``,
		`{"requestTime":"09/Mar/2026:14:05:00 +0000","time":"2026-03-09T14:05:00Z","ip":"192.0.2.1","httpMethod":"GET","path":"/a","status":"401","authorizerError":"-","responseType":"EXPIRED_TOKEN"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" reason="token_expired" status=401`,
	},
	{
		"Caddy, a response header that states the reason", "json", ``,
		`{"ts":1773065100.123,"request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/a"},"status":401,"resp_headers":{"Www-Authenticate":["Bearer"],"X-Auth-Failure":["no_token"]}}`,
		`time=2026-03-09T14:05:00.123Z client="192.0.2.1" method="GET" path="/a" reason="no_credentials" status=401`,
	},
	{
		"an Envoy format string", "", `%START_TIME(%Y/%m/%d %H:%M:%S.%3f)% %REQ(:METHOD)% "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):256%" %RESPONSE_CODE% %DURATION% "%REQ(USER-AGENT)%" "%RESP(WWW-AUTHENTICATE)%" %DOWNSTREAM_REMOTE_ADDRESS%`,
		`2026/03/09 14:05:00.250 GET "/x?y=1" 401 12 "curl/8" "Bearer realm=x" [2001:db8::1]:443`,
		`time=2026-03-09T14:05:00.25Z client="2001:db8::1" method="GET" path="/x" query="y=1" agent="curl/8" reason="Bearer realm=x" status=401 duration=12000`,
	},
	{
		"ALB, refused by its authentication", "alb", ``,
		`https 2018-07-02T22:23:00.186641Z app/lb/50dc 2001:db8::8:2817 - -1 -1 -1 401 - 0 57 "GET https://www.example.com:443/a?b=1 HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn:aws:x "Root=1-58" "www.example.com" "arn:aws:acm:x" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "AuthInvalidCookie" "-" "-" "-" "-" TID_1 a b c`,
		`time=2018-07-02T22:23:00.186641Z client="2001:db8::8" method="GET" scheme="https" host="www.example.com" path="/a" query="b=1" protocol="HTTP/1.1" agent="curl/7.46.0" reason="invalid_session" status=401 bytes=57`,
	},
	{
		"ALB, no request", "alb", ``,
		`http 2021-03-17T18:54:14.216357Z app/lb/7f 113.241.19.90:15070 - -1 -1 -1 400 - 0 272 "- http://lb.example.org:80- -" "-" - - - "-" "-" "-" - 2021-03-17T18:54:13.967000Z "-" "-" "-" "-" "-" "-" "-"`,
		`time=2021-03-17T18:54:14.216357Z client="113.241.19.90" scheme="http" host="lb.example.org" path="/" status=400 bytes=272`,
	},
	{
		"classic ELB", "elb", ``,
		`2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.38.0" DHE TLSv1.2`,
		`time=2015-05-13T23:39:43.945958Z client="192.168.131.39" method="GET" scheme="https" host="www.example.com" path="/" protocol="HTTP/1.1" agent="curl/7.38.0" upstream="10.0.0.1:80" upstream_status="200" status=200 bytes=57 duration=2471`,
	},
	{
		"S3, refused", "s3", ``,
		`79a5 bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - DD6CC733AEXAMPLE REST.GET.OBJECT a%2Bb.png "GET /bucket1/a+b.png?X-Amz-Expires=3600 HTTP/1.1" 403 AccessDenied 243 - 7 6 "-" "curl \"7\"" - s9lz= SigV4 ECDHE QueryString bucket1.s3.us-west-1.amazonaws.com TLSv1.2 - Yes`,
		`time=2019-02-06T00:00:38Z client="192.0.2.3" method="GET" host="bucket1.s3.us-west-1.amazonaws.com" path="/bucket1/a+b.png" query="X-Amz-Expires=3600" protocol="HTTP/1.1" agent="curl \"7\"" reason="AccessDenied" status=403 bytes=243 duration=7000`,
	},
	{
		"IIS without a header", "iis", ``,
		`2026-03-09 14:05:00 10.44.0.136 GET /Director q=1 443 CORP\jane ::1%0 Mozilla/4.0+(compatible;+MSIE+8.0) - 401 1 2148074252 15`,
		`time=2026-03-09T14:05:00Z client="::1" user="CORP\\jane" method="GET" path="/Director" query="q=1" agent="Mozilla/4.0 (compatible; MSIE 8.0)" reason="invalid_credentials" status=401 duration=15000`,
	},
	{
		"IIS, all columns", "iis", ``,
		`2018-01-01 10:11:12 W3SVC1 MACHINE 127.0.0.1 GET / - 80 - 192.0.2.98 HTTP/1.1 Mozilla/5.0+(Mac) a=b;+ASP.NET_SessionId=zzz https://example.com/ example.com 200 0 0 123 456 789`,
		`time=2018-01-01T10:11:12Z client="192.0.2.98" session="zzz" method="GET" host="example.com" path="/" protocol="HTTP/1.1" referrer="https://example.com/" agent="Mozilla/5.0 (Mac)" status=200 bytes=123 duration=789000`,
	},
	{
		"CloudFront", "cloudfront", ``,
		"2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td11.cloudfront.net\t/index.html\t401\thttps://example.com/a%20b\tMozilla/5.0%2520(Windows%20NT)\tx=1\tsid=abc%3B%20c=d\tError\tSOX4==\twww.example.org\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE\tError\tHTTP/2.0\t-\t-\t11040\t0.001\tError\ttext/html\t78\t-\t-",
		`time=2019-12-04T21:02:31Z client="192.0.2.100" session="abc" method="GET" scheme="https" host="www.example.org" path="/index.html" query="x=1" protocol="HTTP/2.0" referrer="https://example.com/a b" agent="Mozilla/5.0 (Windows NT)" status=401 bytes=392 duration=1000`,
	},
	{
		"Squid, padded", "squid", ``,
		`1525344856.899  16867 10.170.72.111 TCP_DENIED/407 6256 GET http://www.example.com/a?b jane HIER_DIRECT/192.0.2.134 text/html`,
		`time=2018-05-03T10:54:16.899Z client="10.170.72.111" user="jane" method="GET" scheme="http" host="www.example.com" path="/a" query="b" upstream="192.0.2.134" reason="TCP_DENIED" status=407 bytes=6256 duration=16867000`,
	},
	{
		"Cloud Storage", "gcs", ``,
		`"1773065100123456","192.0.2.1","1","","GET","/bucket/a.html?x=1","401","0","227","39000","storage.googleapis.com","","curl ""8""","AEnB2Uo","GET_Object","bucket","a.html"`,
		`time=2026-03-09T14:05:00.123456Z client="192.0.2.1" method="GET" host="storage.googleapis.com" path="/bucket/a.html" query="x=1" agent="curl \"8\"" status=401 bytes=227 duration=39000`,
	},
	{
		"LTSV", "ltsv", ``,
		"time:[09/Mar/2026:14:05:00 +0100]\thost:192.0.2.1\tuser:jane\treq:GET /a?b=1 HTTP/1.1\tstatus:401\tsize:179\treferer:-\tua:Mozilla/5.0\tvhost:www.example.org\treqtime:0.004",
		`time=2026-03-09T13:05:00Z client="192.0.2.1" user="jane" method="GET" host="www.example.org" path="/a" query="b=1" protocol="HTTP/1.1" agent="Mozilla/5.0" status=401 bytes=179 duration=4000`,
	},
	{
		"uWSGI", "uwsgi", ``,
		`[pid: 24386|app: 0|req: 482950/4125645] 192.0.2.65 (jane) {44 vars in 1322 bytes} [Tue Jan  3 05:01:31 2012] POST /x/?_=1 => generated 192 bytes in 21 msecs (HTTP/1.1 401) 4 headers in 188 bytes (1 switches on core 0)`,
		`time=2012-01-03T05:01:31Z client="192.0.2.65" user="jane" method="POST" path="/x/" query="_=1" protocol="HTTP/1.1" status=401 bytes=192 duration=21000`,
	},
	{
		"a uWSGI logformat", "", `%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)" %(micros)`,
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a?b HTTP/1.1" 401 12 "-" "curl/8" 1500`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" path="/a" query="b" protocol="HTTP/1.1" agent="curl/8" status=401 bytes=12 duration=1500`,
	},
	{
		"a Gunicorn format", "", `%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s "%({www-authenticate}o)s"`,
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a?b HTTP/1.1" 401 12 "-" "curl/8" 1500 "Basic"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" path="/a" query="b" protocol="HTTP/1.1" agent="curl/8" reason="Basic" status=401 bytes=12 duration=1500`,
	},
	{
		"CUPS", "cups", ``,
		`localhost - jane [09/Mar/2026:14:05:00 +0000] "POST /printers/lj HTTP/1.1" 401 167 Print-Job client-error-not-authorized`,
		`time=2026-03-09T14:05:00Z client="localhost" user="jane" method="POST" path="/printers/lj" protocol="HTTP/1.1" status=401 bytes=167`,
	},
	{
		"GoAccess", "", `%h %^[%d:%t %^] "%r" %s %b "%R" "%u"`,
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 12 "-" "curl/8"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" agent="curl/8" status=401 bytes=12`,
	},
	{
		"GoAccess with forwarded addresses", "", `~h{, } %^[%d:%t %^] "%r" %s %b %L`,
		`203.0.113.9, 10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 12 7`,
		`time=2026-03-09T14:05:00Z client="203.0.113.9" method="GET" path="/a" protocol="HTTP/1.1" status=401 bytes=12 duration=7000`,
	},
	{
		"nginx Proxy Manager", "nginx-proxy-manager", ``,
		`[09/Mar/2026:14:05:00 +0000] - 401 401 - GET https app.example.org "/api/me?x=1" [Client 192.0.2.1] [Length 179] [Gzip -] [Sent-to 10.0.0.5] "Mozilla/5.0" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" scheme="https" host="app.example.org" path="/api/me" query="x=1" agent="Mozilla/5.0" upstream_status="401" status=401 bytes=179`,
	},
	{
		"nginx escape=none", "", `log_format plain escape=none '$remote_addr [$time_local] "$request" '
 '$status "$http_user_agent"';`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /a\x22 HTTP/1.1" 401 "C:\path\"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a\\x22" protocol="HTTP/1.1" agent="C:\\path\\" status=401`,
	},
	{
		"nginx escape=json text", "", `escape=json $remote_addr [$time_local] "$request" $status "$http_user_agent"`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "say \"hi\" \u00e9"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" protocol="HTTP/1.1" agent="say \"hi\" é" status=401`,
	},
	{
		"a JSON format string", "", `log_format j escape=json '{"t":"$time_iso8601","who":"$remote_user","c":"$remote_addr","line":"$request","code":$status,"ms":"$request_time","url":"$scheme://$host$request_uri"}';`,
		`{"code":401,"who":"jane","line":"GET /a?b=\"1\" HTTP/1.1","t":"2026-03-09T14:05:00+00:00","c":"192.0.2.1","ms":"0.004","url":"https://www.example.org/a?b=1"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" scheme="https" host="www.example.org" path="/a" query="b=1" protocol="HTTP/1.1" status=401 duration=4000`,
	},
	{
		"an Apache JSON recipe", "", `LogFormat "{ \"time\":\"%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t\", \"ip\":\"%a\", \"req\":\"%m %U%q %H\", \"code\":%>s, \"us\":%D, \"ua\":\"%{User-Agent}i\" }" json`,
		`{ "time":"2026-03-09T14:05:00.250+0100", "ip":"192.0.2.1", "req":"GET /a?b=1 HTTP/1.1", "code":401, "us":1500, "ua":"x\x41 \"y\"" }`,
		`time=2026-03-09T13:05:00.25Z client="192.0.2.1" method="GET" path="/a" query="b=1" protocol="HTTP/1.1" agent="xA \"y\"" status=401 duration=1500`,
	},
	{
		"Apache, a time in parts", "", `%h %{%Y-%m-%d}t %{%T}t.%{msec_frac}t %{%z}t \"%r\" %>s`,
		`192.0.2.1 2026-03-09 14:05:00.250 -0700 "GET / HTTP/1.1" 200`,
		`time=2026-03-09T21:05:00.25Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=200`,
	},
	{
		"Apache, final and original status", "", `%h %t "%r" %s %>s %<s %b`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 302 401 302 5`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=401 bytes=5`,
	},
	{
		"Apache, conditions, trailers and units", "", `%a %{c}a %t "%r" %>s %{ms}T "%400,501{User-agent}i" %!200,304{Referer}i %{X}^ti %{REMOTE_USER}e\t%{VARNAME}e`,
		"192.0.2.1 10.0.0.1 [09/Mar/2026:14:05:00 +0000] \"GET / HTTP/1.1\" 401 7 \"-\" https://x/ - jane\tv",
		`time=2026-03-09T14:05:00Z client="192.0.2.1" peer="10.0.0.1" user="jane" method="GET" path="/" protocol="HTTP/1.1" referrer="https://x/" status=401 duration=7000`,
	},
	{
		"Apache, a cookie with spaces before the status", "", `%h %t %{Cookie}i %s "%{User-Agent}i"`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] a=1; sid=zzz; b=2 401 "x"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" session="zzz" agent="x" status=401`,
	},
	{
		"Docker", "docker+combined", ``,
		`{"log":"192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /\\x22 HTTP/1.1\" 401 5 \"-\" \"x\"\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" path="/\"" protocol="HTTP/1.1" agent="x" status=401 bytes=5`,
	},
	{
		"Docker with JSON", "docker+json", ``,
		`{"log":"{\"time\":\"2026-03-09T14:05:00Z\",\"status\":401,\"path\":\"/a\",\"user\":\"j\\\"k\"}\n","stream":"stdout","time":"2026-03-09T14:05:01Z"}`,
		`time=2026-03-09T14:05:00Z user="j\"k" path="/a" status=401`,
	},
	{
		"CRI", "cri+combined", ``,
		`2026-03-09T14:05:00.1+01:00 stdout F 192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 "-" "x"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" agent="x" status=401 bytes=5`,
	},
	{
		"the journal", "journald+combined", ``,
		`{"__REALTIME_TIMESTAMP":"1773065100000000","_HOSTNAME":"h","MESSAGE":"192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] \"GET / HTTP/1.1\" 401 5 \"-\" \"x\""}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" agent="x" status=401 bytes=5`,
	},
	{
		"time from syslog", "", `%h "%r" %>s`,
		`<190>1 2026-03-09T14:05:00.003Z web nginx 12 - - 192.0.2.1 "GET / HTTP/1.1" 401`,
		`time=2026-03-09T14:05:00.003Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=401`,
	},
	{
		"Traefik JSON", "json", ``,
		`{"ClientAddr":"192.0.2.1:51000","ClientHost":"192.0.2.1","ClientUsername":"jane","DownstreamContentSize":12,"DownstreamStatus":401,"Duration":1500000,"OriginStatus":401,"RequestHost":"app.example.org","RequestMethod":"GET","RequestPath":"/a?b=1","RequestProtocol":"HTTP/2.0","RequestScheme":"https","ServiceAddr":"10.0.0.3:80","StartUTC":"2026-03-09T14:05:00.25Z","level":"info","request_User-Agent":"curl/8","time":"2026-03-09T15:05:00+01:00"}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" user="jane" method="GET" scheme="https" host="app.example.org" path="/a" query="b=1" protocol="HTTP/2.0" agent="curl/8" upstream="10.0.0.3:80" upstream_status="401" status=401 bytes=12 duration=1500`,
	},
	{
		"Envoy JSON", "json", ``,
		`{"start_time":"2026-03-09T14:05:00.123Z","method":"GET","path":"/a","protocol":"HTTP/2","response_code":401,"response_flags":"-","response_code_details":"jwt_authn_access_denied{Jwt_is_expired}","bytes_sent":14,"duration":12,"x_forwarded_for":"192.0.2.7","user_agent":"curl/8","authority":"api.example.org","upstream_host":null,"downstream_remote_address":"10.0.0.9:4711"}`,
		`time=2026-03-09T14:05:00.123Z client="10.0.0.9" method="GET" host="api.example.org" path="/a" protocol="HTTP/2" agent="curl/8" reason="token_expired" status=401 bytes=14 duration=12000`,
	},
	{
		"lograge of Rails, whose durations are in milliseconds", "json", ``,
		`{"method":"GET","path":"/me","format":"json","controller":"ApiController","action":"me","status":401,"duration":58.33,"view":1.2,"db":0.3,"time":"2026-03-09T14:05:00Z","ip":"192.0.2.1"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/me" status=401 duration=58330`,
	},
	{
		"Serilog's events of ASP.NET Core, likewise", "json", ``,
		`{"@t":"2026-03-09T14:05:00.1Z","@mt":"HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed:0.0000} ms","RequestMethod":"GET","RequestPath":"/a","StatusCode":401,"Elapsed":34.5}`,
		`time=2026-03-09T14:05:00.1Z method="GET" path="/a" status=401 duration=34500`,
	},
	{
		"Echo, whose latency is in nanoseconds and with a unit", "json", ``,
		`{"time":"2026-03-09T14:05:00.123456789+01:00","id":"","remote_ip":"192.0.2.1","host":"a.example","method":"GET","uri":"/me?x=1","user_agent":"curl/8","status":401,"error":"code=401, message=missing or malformed jwt","latency":303000,"latency_human":"303µs","bytes_in":0,"bytes_out":33}`,
		`time=2026-03-09T13:05:00.123456Z client="192.0.2.1" method="GET" host="a.example" path="/me" query="x=1" agent="curl/8" reason="code=401, message=missing or malformed jwt" status=401 duration=303`,
	},
	{
		"Tomcat's JsonAccessLogValve, whose host is the client", "json", ``,
		`{"host":"192.0.2.1","logicalUserName":"-","user":"jane","time":"[09/Mar/2026:14:05:00 +0000]","request":"GET /me HTTP/1.1","statusCode":"401","size":"26"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" path="/me" protocol="HTTP/1.1" status=401 bytes=26`,
	},
	{
		"CloudFront's JSON, with a date and a time", "json", ``,
		`{"date":"2026-03-09","time":"14:05:00","sc-bytes":"26","c-ip":"192.0.2.1","cs-method":"GET","cs(Host)":"d1.cloudfront.net","cs-uri-stem":"/me","sc-status":"401","cs(User-Agent)":"curl/8","x-host-header":"a.example"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" host="a.example" path="/me" agent="curl/8" status=401 bytes=26`,
	},
	{
		"Pomerium, whose keys have hyphens", "json", ``,
		`{"level":"info","service":"envoy","method":"GET","authority":"a.example","path":"/me","user-agent":"curl/8","forwarded-for":"192.0.2.1","request-id":"r1","duration":12.25,"size":26,"response-code":401,"response-code-details":"ext_authz_denied","time":"2026-03-09T14:05:00Z","message":"http-request"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" host="a.example" path="/me" agent="curl/8" reason="denied_by_authorizer" status=401 bytes=26 duration=12250`,
	},
	{
		"Azure API Management, with the reason", "json", ``,
		`{"time":"2026-03-09T14:05:00Z","category":"GatewayLogs","callerIpAddress":"192.0.2.1","durationMs":12,"properties":{"method":"GET","url":"https://a.example/me","responseCode":401,"responseSize":26,"lastError":{"source":"validate-jwt","reason":"TokenExpired"}}}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" scheme="https" host="a.example" path="/me" reason="token_expired" status=401 bytes=26 duration=12000`,
	},
	{
		"Datadog's attributes, in nanoseconds", "json", ``,
		`{"date":"2026-03-09T14:05:00Z","http":{"method":"GET","url":"https://a.example/me","status_code":401,"useragent":"curl/8"},"network":{"client":{"ip":"192.0.2.1"}},"duration":12000000}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" scheme="https" host="a.example" path="/me" agent="curl/8" status=401 duration=12000`,
	},
	{
		"words for no user, a status with its text and a time of Java", "json", ``,
		`{"time":"2026-03-09T14:05:00.123+01:00[Europe/Berlin]","remote_addr":"192.0.2.1","user":"null","method":"GET","path":"/me","status":"401 Unauthorized","latency":"12.3ms"}`,
		`time=2026-03-09T13:05:00.123Z client="192.0.2.1" method="GET" path="/me" status=401 duration=12300`,
	},
	{
		"a client that is a program, and a duration whose unit is not known", "json", ``,
		`{"time":"2026-03-09T14:05:00Z","client":"mobile-app","method":"GET","path":"/me","status":401,"duration":12}`,
		`time=2026-03-09T14:05:00Z method="GET" path="/me" status=401`,
	},
	{
		"a request with its error, of Grafana", "logfmt", ``,
		`logger=context userId=0 orgId=0 uname= t=2026-03-09T14:05:00.123Z level=info msg="Request Completed" method=GET path=/api/a status=401 remote_addr=192.0.2.1 time_ms=1 size=105 handler=/api/a errorReason=Unauthorized error="user token not found"`,
		`time=2026-03-09T14:05:00.123Z client="192.0.2.1" method="GET" path="/api/a" reason="invalid_session" status=401 bytes=105`,
	},
	{
		"Grafana's lines of JSON, whose time is t", "json", ``,
		`{"handler":"/api/a","level":"info","logger":"context","method":"GET","msg":"Request Completed","path":"/api/a","remote_addr":"192.0.2.1","size":105,"status":401,"t":"2026-03-09T14:05:00.123Z","time_ms":1,"error":"token needs to be rotated"}`,
		`time=2026-03-09T14:05:00.123Z client="192.0.2.1" method="GET" path="/api/a" reason="session_expired" status=401 bytes=105`,
	},
	{
		"refused by Kong", "json", ``,
		`{"latencies":{"request":5,"kong":5,"proxy":-1},"service":{},"request":{"method":"GET","uri":"/a?b=1","url":"http://x:8000/a","size":90,"querystring":{},"headers":{"host":"api.example.org","user-agent":"curl/8","cookie":"sid=zzz"}},"tries":[],"client_ip":"192.0.2.1","response":{"status":401,"size":200,"headers":{"www-authenticate":"Key realm=\"kong\""}},"source":"kong","started_at":1773065100250}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" session="zzz" method="GET" host="api.example.org" path="/a" query="b=1" agent="curl/8" reason="Key realm=\"kong\"" status=401 bytes=200 duration=5000`,
	},
	{
		"APISIX", "json", ``,
		`{"start_time":1773065100250,"client_ip":"192.0.2.1","route_id":"1","latency":12.5,"upstream_latency":11,"upstream":"10.0.0.5:1980","request":{"method":"GET","uri":"/a?b=1","url":"http://x:9080/a?b=1","headers":{"host":"api.example.org","user-agent":"curl/8","cookie":"sid=zzz"},"querystring":{"b":"1"},"size":90},"response":{"status":401,"size":120,"headers":{}},"consumer":{"username":"jane"},"server":{"hostname":"gw","version":"3"}}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" user="jane" session="zzz" method="GET" host="api.example.org" path="/a" query="b=1" agent="curl/8" upstream="10.0.0.5:1980" status=401 bytes=120 duration=12500`,
	},
	{
		"refused by the edge of Cloudflare", "json", ``,
		`{"ClientIP":"192.0.2.1","ClientRequestHost":"www.example.org","ClientRequestMethod":"GET","ClientRequestURI":"/a?b=1","ClientRequestUserAgent":"curl/8","ClientRequestReferer":"","ClientRequestProtocol":"HTTP/2","EdgeResponseBytes":120,"EdgeResponseStatus":401,"EdgeStartTimestamp":1773065100250000000,"OriginIP":"","OriginResponseStatus":0,"RayID":"x"}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" host="www.example.org" path="/a" query="b=1" protocol="HTTP/2" agent="curl/8" status=401 bytes=120`,
	},
	{
		"GCP load balancer", "json", ``,
		`{"httpRequest":{"requestMethod":"GET","requestUrl":"https://www.example.org/a?b=1","requestSize":"90","status":401,"responseSize":"120","userAgent":"curl/8","remoteIp":"192.0.2.1:443","serverIp":"10.0.0.5","latency":"0.120s","protocol":"HTTP/1.1"},"insertId":"x","jsonPayload":{"statusDetails":"response_sent_by_backend"},"timestamp":"2026-03-09T14:05:00.250Z","severity":"WARNING"}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" scheme="https" host="www.example.org" path="/a" query="b=1" agent="curl/8" upstream="10.0.0.5" status=401 bytes=120 duration=120000`,
	},
	{
		"Azure Front Door", "json", ``,
		`{"time":"2026-03-09T14:05:00.2500000Z","resourceId":"/X","category":"FrontDoorAccessLog","operationName":"Microsoft.Cdn/Profiles/AccessLog/Write","properties":{"trackingReference":"0x","httpMethod":"GET","httpVersion":"2.0.0.0","requestUri":"https://www.example.org:443/a?b=1","requestBytes":"90","responseBytes":"120","userAgent":"curl/8","clientIp":"192.0.2.1","clientPort":"1","timeTaken":"0.125","httpStatusCode":"401","originName":"origin.example.org:443","referer":""}}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" scheme="https" host="www.example.org" path="/a" query="b=1" agent="curl/8" upstream="origin.example.org:443" status=401 bytes=120 duration=125000`,
	},
	{
		"ECS", "json", ``,
		`{"@timestamp":"2026-03-09T14:05:00.250Z","http":{"request":{"method":"GET","referrer":"https://x/"},"response":{"status_code":401,"body":{"bytes":120}},"version":"1.1"},"url":{"original":"/a?b=1","path":"/a","domain":"www.example.org"},"source":{"address":"192.0.2.1","ip":"192.0.2.1"},"user":{"name":"jane"},"user_agent":{"original":"curl/8"},"event":{"duration":1500000}}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" user="jane" method="GET" host="www.example.org" path="/a" query="b=1" referrer="https://x/" agent="curl/8" status=401 bytes=120 duration=1500`,
	},
	{
		"refused by HAProxy, JSON", "json", ``,
		`{"accept_date":"09/Mar/2026:14:05:00.250","client_ip":"192.0.2.1","http_method":"GET","http_url":"/a?b=1","status_code":401,"bytes_read":212,"backend_name":"be","server_name":"<NOSRV>","tt":12,"termination_state":"PR--"}`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" path="/a" query="b=1" status=401 duration=12000`,
	},
	{
		"nginx, targets of several variables", "", `$remote_addr [$time_local] $request_method "$uri$is_args$args" $status "$http_referer"`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] GET "/a?b=1" 401 "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a" query="b=1" status=401`,
	},
	{
		"nginx, a whole URL", "", `$remote_addr $msec $request_method $scheme://$host:$server_port$request_uri $status`,
		`192.0.2.1 1773065100.250 GET https://www.example.org:8443/a?b=1 401`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" scheme="https" host="www.example.org" path="/a" query="b=1" status=401`,
	},
	{
		"Apache, %U%q", "", `%h %t %m %U%q %H %>s`,
		`192.0.2.1 [09/Mar/2026:14:05:00 +0000] GET /a b?c=1 HTTP/1.1 401`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a b" query="c=1" protocol="HTTP/1.1" status=401`,
	},
}

func TestDialects(t *testing.T) {
	for _, tt := range dialectTests {
		t.Run(tt.name, func(t *testing.T) {
			formats := Formats()
			if tt.spec != "" {
				formats = []*Format{formatOf(t, tt.spec, "")}
			}
			d := Detect([]byte(tt.line+"\n"), formats)
			if d.Format == nil {
				t.Fatalf("no format explains %s", tt.line)
			}
			if tt.format != "" && d.Format.Name != tt.format {
				t.Errorf("detected %s, want %s", d.Format.Name, tt.format)
			}
			p := NewParser(d.Formats...)
			var e Entry
			for range 2 { // the second time with filled caches
				if v := p.Parse([]byte(tt.line+"\r"), &e); v != Parsed {
					t.Fatalf("%s: %v", d.Format.Name, v)
				}
				if got := show(&e); got != tt.want {
					t.Errorf("%s:\n got %s\nwant %s", d.Format.Name, got, tt.want)
				}
			}
			line := []byte(tt.line)
			if n := testing.AllocsPerRun(10, func() { p.Parse(line, &e) }); n != 0 {
				t.Errorf("%v allocations a line", n)
			}
		})
	}
}
