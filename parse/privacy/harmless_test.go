package privacy

import (
	"strings"
	"testing"
)

// harmlessTexts hold words, dates and numbers where credentials may stand. None is changed.
const harmlessTexts = `
code=404
code=US
code=de-DE
code=not_found
code=NotFound
code=EAN13
code=2026
code=20260309
?status=401&code=ERR_TIMEOUT
error_code=12345
country_code=de
zip_code=80331
max_tokens=200
tokens=4096
prompt_tokens=12&completion_tokens=400&total_tokens=412
"usage":{"prompt_tokens":12,"total_tokens":40}
token_type=bearer
"token_type":"Bearer"
token_count=17
tokenizer=gpt2
token_endpoint=https://login.example.org/oauth/token
token=null
token=undefined
"token":null
"authenticated":true,"password":false
password=REDACTED
"Cookie":["REDACTED"]
key=name
key=firstName
key=created_at
key=order.id
sort_key=price
sort=key
cache_key=/static/app.js
public_key=yes
partition_key=2026-03-09
keyboard=us
keyword=nginx+token
monkey=see
hash=section-2
#hash
state=open
state=in_progress
state=California
state=pending2
session=false
sessions=5
session_timeout=30
session_length=3600
session_name=morning-keynote
obsession=books
possession=7
secretary=jane
passenger=2
passage=3
compass=north
bypass=1
author=jane
authority=city
auth=basic
auth=none
auth_type=ldap
auth_method=password
oauth=2
signin=1
design=new
assign=jane
signed=yes
sign=leo
signature_version=4
X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260309T140500Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host
sv=2022-11-02&sr=b&sp=r&se=2026-03-09T14:05:00Z
nonce=
ticket=12
ticket_id=7
invite=friends
magic=mushrooms
confirm=yes
confirm=true
verify=email
reset=1
reset=all
password_reset=1
password_policy=strict
forgot_password=1
passwordless=true
passwords=changed
pass_rate=0.9
policy=strict
policy=private-cache
q=basic+training
q=basic training
q=digest+of+the+week
q=bearer+of+bad+news
q=negotiate+salary
q=token+ring+network
q=how+to+reset+a+password
q=hawk+vs+eagle
q=mac+and+cheese
q=key+west+hotels
q=oauth+2.0
the token bucket is full
the secret of success
the key is under the mat
invalid token: signature mismatch
invalid token: token is expired by 5m
jwt: token is expired
jwt expired
Bad token; invalid signature
Bearer error="invalid_token"
Bearer realm="example", error="invalid_token", error_description="The access token expired"
Basic realm="Restricted area"
Basic realm="x", charset="UTF-8"
Digest realm="x", qop="auth", algorithm=MD5, stale=true
Negotiate
NTLM
jwt_authn_access_denied{Jwt_is_expired}
401.1 2148074252
AuthInvalidCookie
password: must have at least 8 characters
user "jane": password mismatch
user "jane" was not found in "/etc/nginx/htpasswd"
Basic authentication required
session expired
session: idle for 30 minutes
Cookie names are case-sensitive
/reset
/reset/password
/reset-password
/password/reset
/password/forgot
/users/password/edit
/users/reset-password/form
/auth/login
/auth/callback
/auth/realms/master/protocol/openid-connect/token
/oauth2/authorize
/oauth/token
/token
/tokens/refresh
/api/token/refresh
/api/keys/list
/api/v1/session
/session/new
/sessions/2026-03-09
/sessions/12345
/invite/team
/invite/team-2026
/join/our-newsletter
/confirm/order-123
/verify/step2
/verify/email
/activate/trial
/activate/2026-03-09
/unsubscribe/newsletter
/unsubscribe/12345
/hooks/github
/webhooks/stripe
/services/consulting/cloud-migration
/share/photos/2026/summer
/key/features
/secrets/of-the-trade
/s/how-to-configure-nginx
/login/index.html
/auth/static/main.3f9a0c1d.js
/bot/status
/bot12/help
/robots.txt
/v1/projects/12345/databases
/wiki/Foo_(bar)
/wiki/Token:Ring
/wiki/Basic:Training
/orders/550e8400-e29b-41d4-a716-446655440000
/commit/3f9a0c1d2e4b5a670c1d2e4b5a673f9a0c1d2e4b
/static/js/main.3f9a0c1d2e4b5a67.js
/sk-skiing-in-the-alps-2026
/npm_modules/left-pad
/a;v=1.2?x=y
/a,b;c=d/e
https://example.org/a@b
https://token.example.org:8443/a
http://session-store:6379/
auth-service:8080
10.0.0.1:8080, 10.0.0.2:8080
[2001:db8::7]:443
12:30:45
2026-03-09T14:05:00.123Z
09/Mar/2026:14:05:00 +0000
urn:ietf:params:oauth:grant-type:jwt-bearer
grant_type=authorization_code&scope=openid+profile+email
grant_type=password
response_type=code&client_id=web-portal
scope=read:user,write:orders
redirect_uri=https%3A%2F%2Fa.example%2Fcallback
page=2&per_page=50&sort=-created_at&filter[state]=open
utm_source=newsletter&utm_campaign=spring-2026
lat=48.137154&lon=11.576124
_=1773065100123
_t=1773065100
t=1773065100
v=1.2.3
Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1
Mozilla/5.0 (Linux; Android 10; SM-G960U Build/QP1A.190711.020) AppleWebKit/537.36
python-requests/2.31.0
okhttp/4.12.0
kube-probe/1.29
shop-ios/4.2 (build 20260309)
AWS4-HMAC-SHA256
ECDHE-RSA-AES128-GCM-SHA256
TLS_AES_256_GCM_SHA384
{"status":401,"response_code":401,"path":"/a","author":"jane"}
{"name":"Accept","value":"*/*"}
{"name":"Content-Type","value":"application/json"}
{"fields":["password","email"]}
["Accept","text/html"]
["Cookie"]
<code>404</code>
<token/>
<p>basic</p>
a < b
-----BEGIN CERTIFICATE-----
default-web-8080
outbound_.8000_._.httpbin.foo.svc.cluster.local
CORP\jane
jane.doe@example.org
cache=HIT rt=0.004 uct="0.000" urt="0.004"
`

// TestHarmlessTextsStay checks that words, dates and numbers are not redacted: alone, as a
// parameter of a request and in JSON.
func TestHarmlessTextsStay(t *testing.T) {
	texts := strings.Split(strings.Trim(harmlessTexts, "\n"), "\n")
	if len(texts) < 150 {
		t.Errorf("only %d texts", len(texts))
	}
	for _, s := range texts {
		for _, around := range [][2]string{{"", ""}, {`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 5 "-" `, ` 0.004 "x"`}, {"a ", " b"}} {
			line := around[0] + s + around[1]
			if got := Redact(nil, []byte(line)); string(got) != line {
				t.Errorf("%s\n became %s", line, got)
			}
		}
	}
}

// TestUnreadTextsStay checks that what usually stands behind the known fields of a line is
// not redacted, though its format is not known.
func TestUnreadTextsStay(t *testing.T) {
	for _, s := range []string{
		"0.004 cache=HIT", `0.004 0.003 10.0.0.1:8080 200 "-"`, "rt=0.004 uct=0.000 uht=0.004 urt=0.004", `"192.0.2.7, 10.0.0.1" "www.example.org"`, "TLSv1.3 ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.3 TLS_AES_256_GCM_SHA384 h2",
		`"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"`, "default-web-8080 [default-web-8080] []", "1773065100.123 1773065100123456", `"https://www.example.org/a/b?page=2"`, "web-7d9c6b5f4-x2x9z",
		`"text/html; charset=utf-8"`, "2001:db8::7 ::1", "ip-10-0-0-12.eu-west-1.compute.internal", "d111111abcdef8.cloudfront.net", "lcp=1.2 cls=0.1", "country=DE city=Munich", "productservicebackend getAllOrdersForCustomer", "proto=HTTP/2.0 scheme=https",
		"gzip=2.13 bytes=1234567 sent=512", `"-" "-" "-"`, "[2026-03-09T14:05:00.123+00:00]", "upstream=10.0.0.1:8080 status=401", "ERROR_INVALID_CREDENTIALS", `"GET /orders/550e8400-e29b-41d4-a716-446655440000 HTTP/1.1"`,
	} {
		if got := RedactLine(nil, []byte(s), &Line{Unread: []Span{{0, len(s)}}}); string(got) != s {
			t.Errorf("%s\n became %s", s, got)
		}
	}
}
