package parse

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"logscan/parse/carrier"
	"logscan/parse/events"
)

// Format is a way to write a request as a line. It is immutable and may be used by
// several goroutines; NewParser returns a parser of its lines.
type Format struct {
	Name    string
	Doc     string   // what writes it, in a line
	Native  string   // the format string of the server, or the names of columns; empty for JSON and LTSV
	Shapes  []string // other values of Native for lines of the same server, tried in this order
	Samples []string // lines of the format

	kind      kind
	openEnd   bool // unknown fields may follow
	separator byte // of columns
	dialect   columnDialect
	notices   []string // beginnings of lines about the server itself or a connection

	server string // of the format string; empty if the string shows it
	raw    bool   // with server: values are logged without escapes
	host   []byte // virtual host of lines that do not name one

	assigned    map[string]fieldID // fields that the user assigned to variables or keys
	programs    []*program         // of text: Native, then Shapes
	tables      []*columns         // of columns: Native, then Shapes
	keys        *keyTable          // of JSON and LTSV
	directive   []byte             // that names the columns in a log
	described   *columns           // by directive
	carrier     *carrier.Carrier   // of the lines; nil if they have none
	hashEscapes bool               // escapes are those of HAProxy: #XX
	prefixed    bool               // the first program has a prefix
	events      *events.Log        // recognises lines of kindEvents
	rest        bool               // of kindEvents: so is a line that no other format reads

	base    *Format // to which the lines added what was learned; nil if that is nothing
	learned Learned
}

// kind is the way to read the lines of a format.
type kind uint8

const (
	kindText    kind = iota // by a program compiled from a format string
	kindColumns             // by position, as documented
	kindW3C                 // by position, as named in the log
	kindJSON                // by key
	kindLTSV                // by label
	kindLogfmt              // by key: key=value
	kindEvents              // not: it holds no requests
)

const (
	common   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	combined = common + ` "$http_referer" "$http_user_agent"`
)

// table is the table of formats, one row each, most specific first: of two that
// explain as many lines, the earlier one is detected. It must not be changed.
var table = [...]Format{
	{
		Name: "json", Doc: "JSON lines, one object a line: nginx escape=json, Caddy, Traefik, Envoy, Kong, Cloudflare, ECS and others; keys by alias",
		kind:    kindJSON,
		Samples: []string{`{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"192.0.2.1","remote_user":"","request_method":"GET","request_uri":"/api/orders?page=2","status":401,"body_bytes_sent":0,"http_user_agent":"curl/8.5","request_time":0.004}`},
	},
	{
		Name: "ingress-nginx", Doc: "Kubernetes ingress-nginx (upstreaminfo)",
		Native:  combined + ` $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /products HTTP/1.1" 200 59 "-" "curl/7.54.0" 89 0.001 [default-web-8080] [] 172.17.0.5:8080, 172.17.0.6:8080 0, 59 0.001, 0.000 502, 200 529a007902362a5f51385a5fa7049884`},
	},
	{
		Name: "ingress-nginx-0.24", Doc: "Kubernetes ingress-nginx before 0.25",
		Native:  combined + ` $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /products HTTP/1.1" 200 59 "-" "curl/7.54.0" 89 0.001 [default-web-8080] 172.17.0.5:8080 59 0.001 200 529a007902362a5f51385a5fa7049884`},
	},
	{
		Name: "traefik-clf", Doc: "Traefik, accessLog format common",
		Native:  `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_count "$router" "$upstream_addr" ${duration_ms}ms`,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /ui HTTP/1.1" 304 0 "-" "Mozilla/5.0" 262 "router@docker" "http://172.19.0.3:5601" 2ms`},
	},
	{
		Name: "ingress-nginx-0.9", Doc: "Kubernetes ingress-nginx before 0.20, with the address again in brackets",
		Native: `$remote_addr - [$the_real_ip] - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status`,
		Shapes: []string{
			`$remote_addr - [$the_real_ip] - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id`,
		},
		Samples: []string{
			`192.0.2.1 - [192.0.2.1] - jane [09/Mar/2026:14:05:00 +0000] "GET /products HTTP/1.1" 401 59 "-" "curl/7.54.0" 89 0.001 [default-web-8080] 172.17.0.5:8080 59 0.001 401`,
		},
	},
	{
		Name: "apisix", Doc: "Apache APISIX, nginx_config.http.access_log_format as delivered",
		Native: `$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time "$upstream_scheme://$upstream_host$upstream_uri"`,
		Shapes: []string{
			`$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time`,
		},
		Samples: []string{
			`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] app.example.org "GET /get HTTP/1.1" 401 52 0.004 "-" "curl/8.5" 10.0.0.5:80 401 0.003 "http://app.example.org"`,
		},
	},
	{
		Name: "nginx-proxy-manager", Doc: "nginx Proxy Manager, hosts that are proxied",
		Native:  `[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer"`,
		Samples: []string{`[09/Mar/2026:14:05:00 +0000] - 401 401 - GET https app.example.org "/api/me?x=1" [Client 192.0.2.1] [Length 179] [Gzip -] [Sent-to 10.0.0.5] "Mozilla/5.0" "-"`},
	},
	{
		Name: "nginx-proxy-manager-standard", Doc: "nginx Proxy Manager, other hosts",
		Native:  `[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"`,
		Samples: []string{`[09/Mar/2026:14:05:00 +0000] 404 - GET https app.example.org "/" [Client 192.0.2.1] [Length 552] [Gzip 2.13] "Mozilla/5.0" "-"`},
	},
	{
		Name: "npmplus", Doc: "NPMplus",
		Native: `[$time_local] $host $remote_addr $request_time "$request" $status $body_bytes_sent $bytes_sent $http_referer $http_user_agent`,
		Samples: []string{
			`[09/Mar/2026:14:05:00 +0000] app.example.org 192.0.2.1 0.004 "GET /api HTTP/2.0" 401 179 400 - Mozilla/5.0 (X11; Linux x86_64)`,
		},
	},
	{
		Name: "zoraxy", Doc: "Zoraxy",
		Native: `[%{%Y-%m-%d %H:%M:%S}t.%{fraction}e] [router:%{router}e] [origin:%V] [client: %h] [useragent: %{User-Agent}i] %m %U%q %>s`,
		Shapes: []string{
			`[%{%Y-%m-%d %H:%M:%S}t.%{fraction}e] [router:%{router}e] [origin:%V] [client %h] [useragent %{User-Agent}i] %m %U%q %>s`,
		},
		Samples: []string{
			`[2026-03-09 14:05:00.123456] [router:host-http] [origin:app.example.org] [client: 192.0.2.1] [useragent: Mozilla/5.0 (X11; Linux x86_64)] GET /api?x=1 401`,
		},
	},
	{
		Name: "haproxy", Doc: "HAProxy, option httplog or httpslog, its TCP and error lines too",
		Native: haproxyHTTP + ` %{+Q}r`,
		Shapes: []string{
			haproxyHTTP + ` {%hr} %{+Q}r`,
			haproxyHTTP + ` {%hr} {%hs} %{+Q}r`,
			haproxyHTTP + ` %{+Q}r ` + haproxyTLS,
			haproxyHTTP + ` {%hr} %{+Q}r ` + haproxyTLS,
			haproxyHTTP + ` {%hr} {%hs} %{+Q}r ` + haproxyTLS,
			haproxyHost + ` %{+Q}r`,
			haproxyHTTP + ` "%r`, // cut off by syslog
			haproxyHTTP + ` {%hr} "%r`,
			haproxyHTTP + ` {%hr} {%hs} "%r`,
			`%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq`,
			`%ci:%cp [%tr] %ft: %[fc_err_str]`,
		},
		notices: []string{"Connect from ", "Proxy ", "Stopping ", "Pausing ", "Server ", "Health check ", "backend "},
		Samples: []string{
			`127.0.0.1:35982 [10/Dec/2018:12:01:46.395] http-webservices http-webservices/<NOSRV> 0/-1/-1/-1/0 401 213 - - PR-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`,
			`10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`,
			`10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0`,
			`127.0.0.1:34552 [15/Oct/2012:15:26:29.151] fe/1: Connection error during SSL handshake`,
		},
	},
	{
		Name: "istio", Doc: "Istio's Envoy, meshConfig.accessLogFormat's default",
		Native: `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n`,
		Samples: []string{
			`[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 3 1 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default`,
			`[2026-03-09T14:05:00.123Z] "GET /api HTTP/2" 401 - jwt_authn_access_denied{Jwt_is_expired} - "-" 0 14 1 - "-" "Mozilla/5.0" "a1" "api.example.org" "-" - - 10.0.0.1:8080 192.0.2.7:50412 - -`,
		},
	},
	{
		Name: "envoy", Doc: "Envoy, its default access log",
		Native:  `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n`,
		Samples: []string{`[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"`},
	},
	{
		Name: "alb", Doc: "AWS application load balancer",
		Native: `type time elb client:port target:port request_processing_time target_processing_time response_processing_time elb_status_code target_status_code received_bytes sent_bytes "request" "user_agent" | ssl_cipher ssl_protocol target_group_arn "trace_id" "domain_name" "chosen_cert_arn" matched_rule_priority request_creation_time "actions_executed" "redirect_url" "error_reason" "target:port_list" "target_status_code_list" "classification" "classification_reason" conn_trace_id`,
		kind:   kindColumns, separator: ' ',
		Samples: []string{
			`https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 - -1 -1 -1 401 - 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "-" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "AuthInvalidCookie" "-" "-" "-" "-" TID_1234abcd5678ef90`,
			`h2 2016-08-10T00:10:33.145057Z app/my-loadbalancer/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 "GET https://10.0.2.105:773/ HTTP/2.0" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337327-72bd00b0343d75b906739c42" - -`,
		},
	},
	{
		Name: "elb", Doc: "AWS classic load balancer",
		Native: `time elb client:port backend:port request_processing_time backend_processing_time response_processing_time elb_status_code backend_status_code received_bytes sent_bytes "request" | "user_agent" ssl_cipher ssl_protocol`,
		kind:   kindColumns, separator: ' ',
		Samples: []string{
			`2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.38.0" DHE-RSA-AES128-SHA TLSv1.2`,
		},
	},
	{
		Name: "s3", Doc: "AWS S3 server access log",
		Native: `bucket_owner bucket [time] remote_ip requester request_id operation key "request_uri" http_status error_code bytes_sent object_size total_time turn_around_time "referer" "user_agent" | version_id host_id signature_version cipher_suite authentication_type host_header tls_version access_point_arn acl_required`,
		kind:   kindColumns, separator: ' ',
		Samples: []string{
			`79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be 891CE47D2EXAMPLE REST.GET.LOGGING_STATUS - "GET /amzn-s3-demo-bucket1?logging HTTP/1.1" 200 - 242 - 11 - "-" "S3Console/0.4" - 9vKBE6vMhrNiWHZmb2L0mXOcqPGzQOI5XLnCtZNPxev+Hf+7tpT6sxDwDty4LHBUOZJG96N1234= SigV2 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.1`,
		},
	},
	{
		Name: "iis", Doc: "W3C extended log: IIS and others; #Fields names the columns, without it IIS's usual ones are taken",
		Native: `date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken`,
		Shapes: []string{
			`date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status time-taken`,
			`date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken x-forwarded-for`,
			`date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken`,
			`date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken`,
			`date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken x-forwarded-for`,
		},
		kind: kindW3C, separator: ' ', dialect: columnsW3C,
		Samples: []string{
			`2026-03-09 14:05:00 10.44.0.136 GET /Director q=1 443 CORP\jane 10.50.6.188 Mozilla/4.0+(compatible;+MSIE+8.0) - 401 1 2148074252 15`,
			`2018-01-01 10:11:12 W3SVC1 MACHINE-NAME 127.0.0.1 GET / - 80 - 192.0.2.98 HTTP/1.1 Mozilla/5.0+(Macintosh) sid=abc;+x=y - example.com 200 0 0 123 456 789`,
		},
	},
	{
		Name: "cloudfront", Doc: "AWS CloudFront; #Fields names the columns",
		Native: `date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type | cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end`,
		kind:   kindW3C, separator: '\t', dialect: columnsW3C,
		Samples: []string{
			"2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-",
		},
	},
	{
		Name: "iis-native", Doc: "IIS log file format, with commas",
		Native: `%h, %u, %{%m/%d/%Y}t, %{%H:%M:%S}t, %{site}e, %{computer}e, %A, %{ms}T, %I, %O, %>s, %{win32}e, %m, %U, %q,`,
		Shapes: []string{
			`%h, %u, %{%m/%d/%y}t, %{%H:%M:%S}t, %{site}e, %{computer}e, %A, %{ms}T, %I, %O, %>s, %{win32}e, %m, %U, %q,`,
		},
		Samples: []string{
			`192.0.2.1, jane, 3/9/2026, 14:05:00, W3SVC1, WEB1, 10.0.0.4, 15, 163, 3223, 401, 2148074254, GET, /default.htm, -,`,
		},
	},
	{
		Name: "api-gateway", Doc: "Amazon API Gateway, the CLF, XML and CSV of its documentation",
		Native: `$remote_addr $caller $remote_user [$time_local]"$request" $status $body_bytes_sent $request_id`,
		Shapes: []string{
			`<request id="$request_id"> <ip>$remote_addr</ip> <caller>$caller</caller> <user>$remote_user</user> <requestTime>$time_local</requestTime> <httpMethod>$request_method</httpMethod> <resourcePath>$request_uri</resourcePath> <status>$status</status> <protocol>$server_protocol</protocol> <responseLength>$body_bytes_sent</responseLength> </request>`,
			`$remote_addr,$caller,$remote_user,$time_local,$request_method,$request_uri,$server_protocol,$status,$body_bytes_sent,$request_id`,
		},
		Samples: []string{
			`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000]"GET /me HTTP/1.1" 401 26 4a0b7c9e-1d2f-4b3c-9a8b-0123456789ab`,
			`<request id="4a0b7c9e-1d2f-4b3c-9a8b-0123456789ab"> <ip>192.0.2.1</ip> <caller>-</caller> <user>-</user> <requestTime>09/Mar/2026:14:05:00 +0000</requestTime> <httpMethod>GET</httpMethod> <resourcePath>/me</resourcePath> <status>401</status> <protocol>HTTP/1.1</protocol> <responseLength>26</responseLength> </request>`,
			`192.0.2.1,-,-,09/Mar/2026:14:05:00 +0000,GET,/me,HTTP/1.1,401,26,4a0b7c9e-1d2f-4b3c-9a8b-0123456789ab`,
		},
	},
	{
		Name: "bunny", Doc: "bunny.net's CDN",
		Native:  `%{cache}e|%>s|%{msec}t|%b|%{zone}e|%h|%{Referer}i|%U%q|%{country}e|%{User-Agent}i|%{id}e|%{place}e`,
		Samples: []string{`MISS|401|1773065100123|26|12345|192.0.2.1|-|https://app.example.org/me?x=1|DE|curl/8.5|4a0b7c9e1d2f4b3c9a8b0123456789ab|DE`},
	},
	{
		Name: "glassfish", Doc: "GlassFish and Payara",
		Native:  `"$remote_addr" "$remote_user" "$time_local" "$request" $status $body_bytes_sent`,
		Samples: []string{`"192.0.2.1" "NULL-AUTH-USER" "09/Mar/2026:14:05:00 +0000" "GET /me HTTP/1.1" 401 1087`},
	},
	{
		Name: "influxdb", Doc: "InfluxDB 1.x, its requests",
		Native:  `[httpd] %h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{id}e %D`,
		Samples: []string{`[httpd] 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "POST /query?db=x HTTP/1.1" 401 33 "-" "curl/8.5" 4a0b7c9e-1d2f-11f1-9a8b-0123456789ab 1234`},
	},
	{
		Name: "alibaba-cdn", Doc: "Alibaba Cloud CDN",
		Native:  `[$time_local] $remote_addr $proxy $duration_ms "$http_referer" "$request" $status $request_length $body_bytes_sent $cache "$http_user_agent" "$content_type"`,
		Samples: []string{`[09/Mar/2026:14:05:00 +0000] 192.0.2.1 - 12 "-" "GET https://app.example.org/me?x=1" 401 300 26 MISS "curl/8.5" "text/html"`},
	},
	{
		Name: "zeek", Doc: "Zeek, http.log with tabs",
		Native: `ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code | status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types`,
		Shapes: []string{
			`ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth method host uri referrer version user_agent request_body_len response_body_len status_code | status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types`,
		},
		kind: kindColumns, separator: '\t', dialect: columnsW3C,
		Samples: []string{
			"1773065100.123456\tCx1\t192.0.2.1\t50000\t10.0.0.4\t80\t1\tGET\tapp.example.org\t/api?x=1\t-\t1.1\tMozilla/5.0\t-\t0\t179\t401\tUnauthorized\t-\t-\t(empty)\tjane\t-\t-\t-\t-\t-\t-\t-\t-",
		},
	},
	{
		Name: "squid", Doc: "Squid, its native access.log",
		Native: `time elapsed client result/status bytes method url user hierarchy/peer type`,
		kind:   kindColumns, separator: ' ',
		Samples: []string{
			`1525344856.899  16867 10.170.72.111 TCP_TUNNEL/200 6256 CONNECT logs.example.com:443 - HIER_DIRECT/192.0.2.134 -`,
			`1525334330.556      3 192.0.2.1 TCP_DENIED/407 2014 GET http://www.example.com/hello.txt jane HIER_NONE/- text/html`,
		},
	},
	{
		Name: "gcs", Doc: "Google Cloud Storage usage log, CSV",
		Native: `time_micros,c_ip,c_ip_type,c_ip_region,cs_method,cs_uri,sc_status,cs_bytes,sc_bytes,time_taken_micros,cs_host,cs_referer,cs_user_agent,s_request_id,cs_operation,cs_bucket,cs_object`,
		kind:   kindColumns, separator: ',', dialect: columnsCSV,
		Samples: []string{`"1773065100123456","192.0.2.1","1","","GET","/example-bucket/a.html?x=1","401","0","227","39000","storage.googleapis.com","","curl/8.5 ""quoted""","AEnB2Uo","GET_Object","example-bucket","a.html"`},
	},
	{
		Name: "ltsv", Doc: "labelled tab-separated values (ltsv.org)",
		kind:    kindLTSV,
		Samples: []string{"time:[09/Mar/2026:14:05:00 +0000]\thost:192.0.2.1\tuser:jane\treq:GET /a?b=1 HTTP/1.1\tstatus:401\tsize:179\treferer:-\tua:Mozilla/5.0\tvhost:www.example.org\treqtime:0.004"},
	},
	{
		Name: "logfmt", Doc: "logfmt: key=value pairs of Go programs such as the Docker registry, Navidrome and Authelia; keys by alias",
		kind: kindLogfmt,
		Samples: []string{
			`time="2026-03-09T14:05:00Z" level=info msg="response completed" http.request.host=registry.example.org http.request.method=GET http.request.remoteaddr="192.0.2.1:50000" http.request.uri=/v2/ http.request.useragent="docker/25.0" http.response.duration=1.2ms http.response.status=401 http.response.written=87`,
		},
	},
	{
		Name: "uwsgi", Doc: "uWSGI's request log",
		Native:  `[pid: %(pid)|app: %(app)|req: %(req)] %(addr) (%(user)) {%(vars) vars in %(pktsize) bytes} [%(ctime)] %(method) %(uri) => generated %(rsize) bytes in %(msecs) msecs%(via)(%(proto) %(status)) %(headers) headers in %(hsize) bytes (%(switches) switches on core %(core))`,
		Samples: []string{`[pid: 24386|app: 0|req: 482950/4125645] 192.0.2.65 () {44 vars in 1322 bytes} [Tue Jan  3 05:01:31 2012] GET /contest/?_=1325592089910 => generated 192 bytes in 21 msecs (HTTP/1.1 200) 4 headers in 188 bytes (1 switches on core 0)`},
	},
	{
		Name: "uvicorn", Doc: "Uvicorn, which logs no time unless asked to: take the container's or the journal's",
		Native: `INFO:     $remote_addr - "$request" $status $status_text`,
		Shapes: []string{
			`INFO:     $remote_addr - "$request" $status`,
			`INFO: $remote_addr - "$request" $status $status_text`,
			`INFO $remote_addr - "$request" $status`,
			`INFO $remote_addr - "$request" $status $status_text`,
			`$remote_addr - "$request" $status $status_text`, // behind what a logging framework puts in front
			`$remote_addr - "$request" $status`,
			`%{%Y-%m-%d %H:%M:%S}t,%{milliseconds}e - uvicorn.access - INFO - %h - "%r" %>s`,
			`%{%Y-%m-%d %H:%M:%S}t,%{milliseconds}e - INFO - %h - "%r" %>s`,
			`%{%Y-%m-%d %H:%M:%S}t,%{milliseconds}e INFO:     %h - "%r" %>s %{status_text}e`,
			`%{%Y-%m-%d %H:%M:%S}t INFO:     %h - "%r" %>s %{status_text}e`,
		},
		notices: []string{"INFO: ", "INFO ", "WARNING: ", "ERROR: "},
		Samples: []string{
			`INFO:     192.0.2.1:53210 - "GET /items?x=1 HTTP/1.1" 401 Unauthorized`,
			`2026-03-09 14:05:00,131 INFO:     192.0.2.1:53210 - "GET /items?x=1 HTTP/1.1" 404 Not Found`,
		},
	},
	{
		Name: "artifactory", Doc: "JFrog Artifactory, artifactory-request.log",
		Native:  `%{%Y-%m-%dT%H:%M:%S.%f%z}t|%{trace}e|%h|%u|%m|%U%q|%>s|%{received}n|%B|%{ms}T|%{User-Agent}i`,
		Samples: []string{`2026-03-09T14:05:00.123Z|6bfb4b0a7b1f84b7|192.0.2.1|jane|GET|/api/pypi/main/simple/numpy/?x=1|401|-1|91|6|pip/23.3.1 {"ci":true}`},
	},
	{
		Name: "couchdb", Doc: "Apache CouchDB's log; its other messages are skipped",
		Native:  `[notice] $time_iso8601 $node <$process> $nonce $http_host $remote_addr $remote_user $request_method $request_uri $status $result $request_time`,
		Samples: []string{`[notice] 2026-03-09T14:05:00.123456Z couchdb@127.0.0.1 <0.32572.1> 3b0034fcd1 db.example.org 192.0.2.1 undefined GET /_session 401 ok 6`},
	},
	{
		Name: "actix", Doc: "Actix Web's Logger; the time is that of the line that carries it",
		Native:  `%a "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %T`,
		Samples: []string{`192.0.2.1 "GET /api/me?x=1 HTTP/1.1" 401 12 "-" "curl/8.5" 0.000123`},
	},
	{
		Name: "aiohttp", Doc: "aiohttp.access",
		Native:  `%a %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
		Samples: []string{`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /api/me?x=1 HTTP/1.1" 401 175 "-" "curl/8.5"`},
	},
	{
		Name: "serilog", Doc: "ASP.NET Core with Serilog's request logging; the time is that of the line that carries it",
		Native:  `HTTP %m %U%q responded %>s in %{ms}T ms`,
		Samples: []string{`HTTP GET /api/me?x=1 responded 401 in 1.2345 ms`},
	},
	{
		Name: "tornado", Doc: "Tornado",
		Native:  `[%{level}e %{%y%m%d %H:%M:%S}t %{place}e] %>s %m %U%q (%h) %{ms}Tms`,
		Samples: []string{`[W 260309 14:05:00 web:2243] 401 GET /api/me?x=1 (192.0.2.1) 1.23ms`},
	},
	{
		Name: "jupyter", Doc: "Jupyter and JupyterHub; the time is that of the line that carries it",
		Native: `%>s %m %U%q (%u@%h) %{ms}Tms`,
		Shapes: []string{
			`%>s %m %U%q (%u@%h) %{ms}Tms referer=%{Referer}i`,
			`%>s %m %U%q -> %{Location}o (%u@%h) %{ms}Tms`,
			`%>s %m %U%q (%h) %{ms}Tms`,
			`%>s %m %U%q (%h) %{ms}Tms referer=%{Referer}i`,
		},
		Samples: []string{
			`401 GET /hub/api/user?x=1 (jane@192.0.2.1) 1.23ms`,
			`302 GET / -> /hub/ (@192.0.2.1) 0.61ms`,
		},
	},
	{
		Name: "thehive", Doc: "TheHive and other applications of the Play framework with its AccessLogFilter",
		Native:  `[info] o.t.s.AccessLogFilter [$trace|$span] $remote_addr $request_method $request_uri took ${millis}ms and returned $status $body_bytes_sent bytes`,
		Samples: []string{`[info] o.t.s.AccessLogFilter [1e60d1e5e2a1741f|2989d0704d3c364c] 192.0.2.1 POST /api/v1/login took 8ms and returned 401 65 bytes`},
	},
	{
		Name: "gin", Doc: "Gin; its columns are padded, so lines are read as spaced+gin",
		Native: `[GIN] %{%Y/%m/%d - %H:%M:%S}t | %>s | %{latency}n | %h | %m "%U%q"`,
		Shapes: []string{
			`[GIN] %{%Y/%m/%d - %H:%M:%S}t |%>s| %{latency}n | %h |%m "%U%q"`,
			`%{%Y-%m-%dT%H:%M:%SZ}t | %>s | %{latency}n | %h | %m "%U%q"`, // Gotify
		},
		notices: []string{"[GIN-debug] "},
		Samples: []string{
			`[GIN] 2026/03/09 - 14:05:00 | 401 | 1.234ms | 192.0.2.1 | GET "/api/me?x=1"`,
		},
	},
	{
		Name: "chi", Doc: "chi's Logger middleware",
		Native: `%{%Y/%m/%d %H:%M:%S}t "%r" from %h - %>s %{size}eB in %{latency}n`,
		Shapes: []string{
			`%{%Y/%m/%d %H:%M:%S}t [%{id}e] "%r" from %h - %>s %{size}eB in %{latency}n`,
		},
		Samples: []string{
			`2026/03/09 14:05:00 "GET http://api.example.org/me?x=1 HTTP/1.1" from 192.0.2.1:53210 - 401 13B in 52.834µs`,
		},
	},
	{
		Name: "oauth2-proxy", Doc: "oauth2-proxy, its request log",
		Native: `%h - %{X-Request-Id}i - %u [%{%Y/%m/%d %H:%M:%S}t] %v %m %{upstream}e "%U%q" %H "%{User-Agent}i" %>s %b %{latency}n`,
		Shapes: []string{
			`%h - %u [%{%Y/%m/%d %H:%M:%S}t] %v %m %{upstream}e "%U%q" %H "%{User-Agent}i" %>s %b %{latency}n`,
		},
		Samples: []string{
			`192.0.2.1 - 8601b555 - jane@example.org [2026/03/09 14:05:00] app.example.org GET / "/api/me?x=1" HTTP/1.1 "curl/8" 401 12 0.001`,
		},
	},
	{
		Name: "harbor", Doc: "Harbor, the nginx of its proxy and portal",
		Native: `[$time_local]:$remote_addr - "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time $pipe`,
		Shapes: []string{
			`$remote_addr - "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time $pipe`,
		},
		Samples: []string{
			`[09/Mar/2026:14:05:00 +0000]:192.0.2.1 - "GET /v2/ HTTP/1.1" 401 76 "-" "docker/25.0" 0.007 0.008 .`,
		},
	},
	{
		Name: "synapse", Doc: "Synapse, its requests (synapse.access)",
		Native: `%{%Y-%m-%d %H:%M:%S}t,%{milliseconds}e - synapse.access.%{listener}e - %{line}e - INFO - %{request}e - %h - %{site}e - {%u} Processed request: %{total}esec/%{sent}esec (%{user}esec, %{system}esec) (%{wait}esec/%{database}esec/%{queries}e) %BB %>s "%r" "%{User-Agent}i" [%{events}e dbevts]`,
		Samples: []string{
			`2026-03-09 14:05:00,477 - synapse.access.http.8008 - 424 - INFO - GET-12 - 192.0.2.1 - 8008 - {None} Processed request: 0.001sec/-0.000sec (0.000sec, 0.000sec) (0.000sec/0.000sec/0) 153B 401 "GET /_matrix/client/v3/sync?timeout=30000 HTTP/1.1" "Element/1.11" [0 dbevts]`,
		},
	},
	{
		Name: "sogo", Doc: "SOGo's log; the time is that of syslog",
		Native: `$remote_addr "$request" $status $request_length/$body_bytes_sent $request_time $compressed $ratio $memory`,
		Samples: []string{
			`192.0.2.1 "POST /SOGo/Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.0" 401 0/194 0.002 - - 0`,
		},
	},
	{
		Name: "werkzeug-logging", Doc: "Werkzeug through Python's logging, in its basic format",
		Native: `INFO:werkzeug:%h - - [%{%d/%b/%Y}t %{%H:%M:%S}t] "%r" %>s %b`,
		Samples: []string{
			`INFO:werkzeug:192.0.2.1 - - [09/Mar/2026 14:05:00] "GET /api HTTP/1.1" 401 -`,
		},
	},
	{
		// Its time is in two parts, because a whole one may be spelled in any usual way: lines
		// of common without users would match, and its other lines be rejected.
		Name: "werkzeug", Doc: "Werkzeug and Flask, and Django's runserver",
		Native: `%h - - [%{%d/%b/%Y}t %{%H:%M:%S}t] "%r" %>s %b`,
		Shapes: []string{
			`[%{%d/%b/%Y}t %{%H:%M:%S}t] "%r" %>s %b`,
		},
		Samples: []string{
			`192.0.2.1 - - [09/Mar/2026 14:05:00] "GET /api HTTP/1.1" 401 -`,
		},
	},
	{
		Name: "morgan", Doc: "morgan: short, tiny and dev",
		Native: `$remote_addr $remote_user $request_method $request_uri $server_protocol $status $body_bytes_sent - $duration_ms ms`,
		Shapes: []string{
			`$request_method $request_uri $status $body_bytes_sent - $duration_ms ms`,
			`$request_method $request_uri $status $duration_ms ms - $body_bytes_sent`,
		},
		Samples: []string{
			`192.0.2.1 jane GET /api?x=1 HTTP/1.1 401 12 - 1.234 ms`,
		},
	},
	{
		Name: "cpanel", Doc: "cPanel and WHM, /usr/local/cpanel/logs/access_log",
		Native: `%h %l %u [%{%m/%d/%Y:%H:%M:%S %z}t] "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{auth}n" "%{X-Forwarded-For}i" %p`,
		Shapes: []string{
			`%h %l %u [%{%m/%d/%Y:%H:%M:%S %z}t] "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
		},
		Samples: []string{
			`192.0.2.1 - jane [03/09/2026:14:05:00 -0000] "POST /login/?login_only=1 HTTP/1.1" 401 0 "-" "Mozilla/5.0" "s" "-" 2083`,
		},
	},
	{
		Name: "jira", Doc: "Jira, the access log of its Tomcat",
		// The time taken is in seconds in old versions, and in milliseconds now.
		Native: `%a %{request_id}e %u %t "%r" %>s %b %{taken}e "%{Referer}i" "%{User-Agent}i" "%{X-Session-ID}i"`,
		Samples: []string{
			`192.0.2.1 845x131x2 jane [09/Mar/2026:14:05:00 +0000] "GET /rest/api/2/myself HTTP/1.1" 401 381 12 "-" "Mozilla/5.0" "1p2c3qa"`,
		},
	},
	{
		Name: "confluence", Doc: "Confluence, the access log of its Tomcat",
		Native: `%t %u %{thread}e %h %m %U%q %H %>s %{ms}Tms %b %{Referer}i %{User-Agent}i`,
		Samples: []string{
			`[09/Mar/2026:14:05:00 +0000] jane http-nio-8090-exec-7 192.0.2.1 GET /rest/api/content?x=1 HTTP/1.1 401 12ms 381 - Mozilla/5.0 (X11; Linux x86_64)`,
		},
	},
	{
		Name: "jetty", Doc: "Jetty, NCSARequestLog with the time taken",
		Native: `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{ms}T`,
		Samples: []string{
			`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0" 3`,
		},
	},
	{
		Name: "unquoted", Doc: "common without quotes around the request",
		Native: `%h %l %u %t %m %U%q %H %>s %b`,
		Shapes: []string{
			`%h %l %u %t %m %U%q %H %>s %b "%{Referer}i" "%{User-Agent}i"`,
		},
		Samples: []string{
			`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] GET /api?x=1 HTTP/1.1 401 179`,
		},
	},
	{
		Name: "forwarded", Doc: "common or combined with X-Forwarded-For in front, or in the place of the client",
		Native: `$http_x_forwarded_for $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`,
		Shapes: []string{
			`$http_x_forwarded_for $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`,
			`$host $http_x_forwarded_for $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`,
		},
		Samples: []string{
			`203.0.113.9, 198.51.100.7 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0"`,
		},
	},
	{
		Name: "dated", Doc: "time, client, user, method, target, a number, status, size, referrer and user agent",
		Native: `%{%Y-%m-%dT%H:%M:%S}t %h %u %m "%U%q" %{number}n %>s %b "%{Referer}i" "%{User-Agent}i"`,
		Shapes: []string{
			`%{%Y-%m-%dT%H:%M:%S}t %h %u %m %U%q %{number}n %>s %b "%{Referer}i" "%{User-Agent}i"`,
		},
		Samples: []string{
			`2026-03-09T14:05:00 192.0.2.1 jane GET "/api?x=1" -1 401 179 "-" "Mozilla/5.0 (X11)"`,
		},
	},
	{
		Name: "vhost_combined", Doc: "Apache, with the virtual host in front (Debian's other_vhosts_access.log)",
		Native:  `%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`,
		Samples: []string{`www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0"`},
	},
	{
		Name: "vhost_main", Doc: "main with the virtual host in front",
		Native:  `$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"`,
		Samples: []string{`www.example.org 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0" "198.51.100.7"`},
	},
	{
		Name: "vhost_combined_portless", Doc: "combined with the virtual host in front, without its port",
		Native:  `%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
		Samples: []string{`www.example.org 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0"`},
	},
	{
		Name: "combinedio", Doc: "Apache combined with the bytes received and sent (mod_logio)",
		Native:  `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O`,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 1234 "-" "Mozilla/5.0" 512 1500`},
	},
	{
		Name: "main_ext", Doc: "nginx main with its host and backend, as NGINX Amplify configures it",
		Native: combined + ` "$http_x_forwarded_for" "$host" sn="$server_name" rt=$request_time ua="$upstream_addr" us="$upstream_status" ut="$upstream_response_time" ul="$upstream_response_length" cs=$upstream_cache_status`,
		Shapes: []string{
			combined + ` rt=$request_time ua="$upstream_addr" us="$upstream_status" ut="$upstream_response_time" ul="$upstream_response_length" cs=$upstream_cache_status`,
			combined + ` rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time" ua="$upstream_addr" us="$upstream_status"`,
			combined + ` rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"`,
		},
		Samples: []string{
			`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 612 "-" "Mozilla/5.0" "-" "www.example.org" sn="example.org" rt=0.012 ua="10.0.0.4:8080" us="401" ut="0.011" ul="612" cs=-`,
		},
	},
	{
		Name: "main", Doc: "nginx combined with X-Forwarded-For, as its packages configure it",
		Native:  combined + ` "$http_x_forwarded_for"`,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" "198.51.100.7"`},
	},
	{
		Name: "combined", Doc: "nginx combined; Apache combined is the same but for identd's answer",
		Native:  combined,
		Samples: []string{`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "Mozilla/5.0"`},
	},
	{
		Name: "combined-ident", Doc: "Apache combined with identd's answer in the second field",
		Native:  `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`,
		Samples: []string{`192.0.2.1 ident jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "Mozilla/5.0"`},
	},
	{
		Name: "common", Doc: "Apache common (NCSA)",
		Native: `%h %l %u %t "%r" %>s %b`,
		Samples: []string{
			`127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326`,
			`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 179`,
		},
	},
	{
		Name: "ssl_request", Doc: "Apache's ssl_request_log, which has no status",
		Native:  `%t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x "%r" %b`,
		Samples: []string{`[09/Mar/2026:14:05:00 +0000] 192.0.2.1 TLSv1.3 TLS_AES_256_GCM_SHA384 "GET / HTTP/1.1" 1375`},
	},
	{
		Name: "vhost_common", Doc: "common with the virtual host in front",
		Native:  `%v:%p %h %l %u %t "%r" %>s %b`,
		Samples: []string{`www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381`},
	},
	{
		Name: "vhost_common_portless", Doc: "common with the virtual host in front, without its port",
		Native: `%v %h %l %u %t "%r" %>s %b`,
		Samples: []string{
			`www.example.org 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381`,
		},
	},
	{
		Name: "cups", Doc: "CUPS access_log: common with the IPP operation and its status",
		Native:  `%h %l %u %t "%r" %>s %b %{ipp-operation}n %{ipp-status}n`,
		Samples: []string{`localhost - jane [09/Mar/2026:14:05:00 +0000] "POST /printers/lj HTTP/1.1" 401 167 Print-Job -`},
	},
	{
		Name: "vhost_combined-and-more", Doc: "combined with the virtual host in front and further fields that are not known",
		Native: `%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`, openEnd: true,
		Shapes:  []string{`%v %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`},
		Samples: []string{`www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "Mozilla/5.0" 1234`},
	},
	{
		Name: "vhost_common-and-more", Doc: "common with the virtual host in front and further fields that are not known",
		Native: `%v:%p %h %l %u %t "%r" %>s %b`, openEnd: true,
		Shapes:  []string{`%v %h %l %u %t "%r" %>s %b`},
		Samples: []string{`www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 1234`},
	},
	{
		Name: "combined-and-more", Doc: "combined with further fields that are not known",
		Native: combined, openEnd: true,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0" 0.004 cache=HIT`},
	},
	{
		Name: "common-and-more", Doc: "common with further fields that are not known",
		Native: common, openEnd: true,
		Samples: []string{`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 0.004 cache=HIT`},
	},
}

const (
	haproxyHTTP  = haproxyStart + haproxyEnd
	haproxyHost  = haproxyStart + ` %[var(txn.host)]` + haproxyEnd
	haproxyStart = `%ci:%cp [%tr] %ft %b/%s`
	haproxyEnd   = ` %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq`
	haproxyTLS   = `%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`
)

// aliases maps the names of GoAccess, and those of programs that have the format of
// others, to formats.
var aliases = map[string]string{
	"gunicorn": "combined", "hypercorn": "combined", "tomcat": "common", "puma": "common-and-more",
	"morgan-combined": "combined", "morgan-common": "common",
	"apache": "combined", "nginx": "combined", "nginx-main": "main", "apache-vhost": "vhost_combined",
	"flask": "werkzeug", "django": "werkzeug", "fastapi": "uvicorn",
	"echo": "json", "caddy": "json", "traefik": "json", "kong": "json", "cloudflare": "json", "ecs": "json", "gcp": "json",
	"azure-front-door": "json", "haproxy-json": "json", "envoy-json": "json", "pino": "json", "zap": "json",
	"COMBINED": "combined", "VCOMBINED": "vhost_combined", "COMMON": "common", "VCOMMON": "vhost_common",
	"W3C": "iis", "CLOUDFRONT": "cloudfront", "CLOUDSTORAGE": "gcs", "AWSELB": "elb", "AWSALB": "alb", "AWSS3": "s3",
	"SQUID": "squid", "CADDY": "json", "TRAEFIKCLF": "traefik-clf",
}

var formats = sync.OnceValue(func() []*Format {
	var list []*Format
	for _, f := range table {
		if f.openEnd && !slices.ContainsFunc(list, func(f *Format) bool { return f.openEnd }) {
			for _, l := range events.Logs() { // before the formats that leave out the rest of a line
				list = append(list, &Format{Name: l.Name, Doc: l.Doc + " (no requests)", Samples: l.Samples, kind: kindEvents, events: l})
			}
		}
		list = append(list, &f)
	}
	var g errgroup.Group // concurrently, because nothing else can be done before
	for _, f := range list {
		g.Go(func() error { return f.compile() })
	}
	if err := g.Wait(); err != nil {
		panic("BUG: " + err.Error())
	}
	return list
})

// Formats returns all known formats, most specific first. The slice must not be
// changed.
func Formats() []*Format { return formats() }

// OtherNames returns the names under which Lookup also has a format, sorted.
func OtherNames(f *Format) (names []string) {
	for _, other := range slices.Sorted(maps.Keys(aliases)) {
		if aliases[other] == f.Name {
			names = append(names, other)
		}
	}
	return names
}

// Lookup returns the format with the given name, which may include a carrier, as in
// docker+combined, or be a name of GoAccess or of a program with the format.
func Lookup(name string) (*Format, bool) {
	if outer, inner, ok := strings.Cut(name, "+"); ok {
		c, known := carrier.Lookup(outer)
		f, found := Lookup(inner)
		if !known || !found || f.carrier != nil {
			return nil, false
		}
		return f.carriedBy(c), true
	}
	if alias, ok := aliases[name]; ok {
		name = alias
	}
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	if known, ok := strings.CutSuffix(name, more); ok {
		if f, ok := Lookup(known); ok && f.carrier == nil {
			f = f.withMore()
			return f, f != nil
		}
	}
	return nil, false
}

// Key identifies the format: formats with the same key and the same assigned fields
// parse lines alike.
func (f *Format) Key() string {
	if f.base != nil {
		return f.base.Key() + "\n" + f.Native + "\n" + f.learned.Session
	}
	if f.described != nil {
		return f.Name + string(f.directive)
	}
	if f.server != "" {
		return f.Name + "\n" + f.server + "\n" + string(f.host) + "\n" + f.Native
	}
	return f.Name
}

// WithFields returns the format with fields assigned by the user: each key is a field
// (user, session, upstream, …), each value the log variable ($cookie_sid, or SID for
// %{SID}C) or JSON key (a.b.c) that holds it.
func (f *Format) WithFields(assign map[string]string) (*Format, error) {
	g := *f
	assigned := map[string]fieldID{}
	for name, key := range assign {
		to, ok := fieldNames[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("no such field: %s (there are %s)", name, strings.Join(slices.Sorted(maps.Keys(fieldNames)), ", "))
		}
		assigned[canonicalName(key)] = to
	}
	g.assigned = assigned
	if err := g.compile(); err != nil {
		return nil, err
	}
	return &g, nil
}

// HasRequests reports whether lines of the format are requests.
func (f *Format) HasRequests() bool { return f.kind != kindEvents }

// withRest returns the format of a log that has mostly lines of f: if f has no requests,
// a line that no format reads, such as the rest of a message, has none either.
func (f *Format) withRest() *Format {
	if f.kind != kindEvents {
		return f
	}
	g := *f
	g.rest = true
	return &g
}

// hasTimeOrStatus reports whether the format has a field for the time or the status.
// A line with neither can be parsed, but is of no use for a diagnosis.
func (f *Format) hasTimeOrStatus() bool {
	return f.kind != kindText || f.programs[0].reads[fieldTime] || f.programs[0].reads[fieldStatus]
}

// escape returns the byte that begins escapes in the format.
func (f *Format) escape() byte {
	if f.hashEscapes {
		return '#'
	}
	return '\\'
}

// text returns the text that a line of the format carries, or the line.
func (f *Format) text(line []byte) []byte {
	if f.carrier == nil {
		return line
	}
	text, _, _ := f.carrier.Text(line)
	return text
}

// Whole returns a function that returns where the last line of some lines ends whose text
// does not continue in a later one, nil if no text does. Code that cuts a log into blocks
// must not separate such lines.
func (f *Format) Whole() func(lines []byte) int {
	if f.carrier == nil || !f.carrier.Splits {
		return nil
	}
	return f.carrier.Whole
}
