package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// conf writes a configuration of nginx with one http block and reads it.
func conf(t *testing.T, text string) *Rules {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nginx.conf")
	if err := os.WriteFile(path, []byte("http {\n"+text+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Nginx(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLocations follows the examples of
// https://nginx.org/en/docs/http/ngx_http_core_module.html#location and of the pages on
// names and processing of requests.
func TestLocations(t *testing.T) {
	r := conf(t, `
server {
	listen 80;
	server_name docs.test;
	location = / { return 200 A; }
	location / { return 200 B; }
	location /documents/ { return 200 C; }
	location ^~ /images/ { return 200 D; }
	location ~* \.(gif|jpg|jpeg)$ { return 200 E; }
	location /app/ {
		return 200 F;
		location /app/deep/ { return 200 G; }
		location ~ \.json$ { return 200 H; }
		location = /app/exact { return 200 I; }
	}
	location ^~ /kept/ {
		return 200 J;
		location /kept/in/ { return 200 K; }
	}
	location ~ ^/re/(?<name>\w+)$ {
		return 200 L;
		location ~ x$ { return 200 M; }
	}
	location ~ /\.(?!well-known) { return 200 N; }
	location @named { return 200 O; }
	location /proxied/ { proxy_pass http://127.0.0.1:1; }
	location =/glued { return 200 P; }
	location /hidden/ { internal; return 200 Q; }
}`)
	for path, want := range map[string]string{
		"/": "= /", "/index.html": "/", "/documents/document.html": "/documents/", "/images/1.gif": "^~ /images/",
		"/documents/1.jpg": `~* \.(gif|jpg|jpeg)$`, "/documents/1.JPG": `~* \.(gif|jpg|jpeg)$`, "/documents": "/",
		"/app/": "/app/", "/app/deep/x": "/app/deep/", "/app/deep/x.json": `~ \.json$`, "/app/deep/x.gif": `~* \.(gif|jpg|jpeg)$`,
		"/app/exact": "= /app/exact", "/app/exact/": "/app/", "/kept/in/a.gif": "/kept/in/", "/kept/b.gif": "^~ /kept/",
		"/re/abc": `~ ^/re/(?<name>\w+)$`, "/re/abx": "~ x$", "/.git/config": `~ /\.(?!well-known)`, "/.well-known/acme": "/",
		"/%69mages/1.gif": "^~ /images/", "/documents/../images/1.gif": "^~ /images/", "//images//1.gif": "^~ /images/",
		"/proxied": "/proxied/", "/proxied/": "/proxied/", "/glued": "=/glued", "/app/deep/?a=/images/": "/app/deep/", "/hidden/x": "/hidden/",
	} {
		a := r.Resolve(Request{Host: "docs.test", Method: "GET", Path: path})
		if got := strings.TrimPrefix(a.Scope.Directive, "location "); got != want {
			t.Errorf("%s is served by %q, want %q", path, got, want)
		}
	}
	if a := r.Resolve(Request{Host: "docs.test", Method: "GET", Path: "/proxied"}); a.Access != Redirected {
		t.Errorf("a missing slash is %v, want a redirect", a.Access)
	}
}

func TestServers(t *testing.T) {
	r := conf(t, `
server { listen 80; server_name first.test; }
server { listen 80; server_name example.test *.example.test; }
server { listen 80; server_name *.deep.example.test; }
server { listen 80; server_name mail.*; }
server { listen 80; server_name ~^(?<user>.+)\.users\.test$; }
server { listen 80; server_name .dot.test; }
server { listen 80; server_name api.example.test; }
server { listen 80 default_server; server_name _; }
server { listen 443 ssl; server_name secure.test; }`)
	for host, want := range map[string]string{
		"first.test": "first.test", "www.example.test": "example.test", "example.test": "example.test", "a.deep.example.test": "*.deep.example.test",
		"mail.other.test": "mail.*", "jane.users.test": `~^(?<user>.+)\.users\.test$`, "dot.test": ".dot.test", "x.dot.test": ".dot.test",
		"API.example.test": "api.example.test", "nobody.test": "_", "first.test:8080": "first.test",
	} {
		if a := r.Resolve(Request{Scheme: "http", Host: host, Method: "GET", Path: "/"}); a.Host != want {
			t.Errorf("%s is served by %q, want %q", host, a.Host, want)
		}
	}
	if a := r.Resolve(Request{Host: "secure.test", Method: "GET", Path: "/"}); a.Host != "secure.test" {
		t.Errorf("secure.test is served by %q", a.Host)
	}
}

func TestNginxAccess(t *testing.T) {
	r := conf(t, `
auth_basic_user_file users;
server {
	listen 80;
	server_name a.test;
	auth_basic "staff";
	location / { }
	location /open/ { auth_basic off; }
	location /nested/ {
		auth_basic off;
		location /nested/closed/ { auth_basic "again"; }
	}
	location /returned { return 200 ok; }
	location /away { return 301 https://b.test/; }
	location /denied { deny all; }
	location /office { satisfy any; allow 10.0.0.0/8; deny all; }
	location /everybody { satisfy any; allow all; }
	location /write { limit_except GET { deny all; } auth_basic off; }
	location /preflight { if ($request_method = OPTIONS) { return 204; } }
	location /variable { auth_basic $realm; }
	location /maybe { if ($http_x_key != "a") { return 401; } auth_basic off; }
	location /pretty/ { auth_basic off; try_files $uri $uri/ /index.php?$query_string; }
	location ~ \.php$ { fastcgi_pass unix:/run/php.sock; }
	location /old/ { rewrite ^/old/(.*)$ /open/$1 last; }
	location /same/ { rewrite ^/same/(.*)$ /$1 break; auth_basic off; proxy_pass http://127.0.0.1:1; }
	location /fall/ { try_files $uri @back; }
	location @back { proxy_pass http://127.0.0.1:1; }
	location /asked/ { auth_basic off; auth_request /auth; }
}`)
	for _, c := range []struct {
		method, path string
		want         Access
	}{
		{"GET", "/", Protected}, {"GET", "/open/x", Open}, {"GET", "/nested/x", Open}, {"GET", "/nested/closed/x", Protected},
		{"GET", "/returned", Answered}, {"GET", "/away", Redirected}, {"GET", "/denied", Forbidden}, {"GET", "/office", Protected},
		{"GET", "/everybody", Open}, {"HEAD", "/write", Open}, {"POST", "/write", Forbidden}, {"OPTIONS", "/preflight", Answered},
		{"GET", "/preflight", Protected}, {"GET", "/variable", Unknown}, {"GET", "/maybe", Unknown}, {"GET", "/pretty/a", Protected},
		{"GET", "/old/a", Open}, {"GET", "/same/a", Open}, {"GET", "/fall/a", Protected}, {"GET", "/asked/a", Protected}, {"", "/open/", Open},
	} {
		if a := r.Resolve(Request{Host: "a.test", Method: c.method, Path: c.path}); a.Access != c.want {
			t.Errorf("%s %s is %v, want %v", c.method, c.path, a.Access, c.want)
		}
	}
}

// nginxMistakes are configurations with one mistake each.
var nginxMistakes = []struct {
	name, conf string
	q          Request
	kind       Kind
	line       string // the directive at fault
}{
	{"header cleared", `server { listen 80; server_name a.test; location / { proxy_pass http://app; }
		location /drop/ { proxy_set_header Authorization ""; proxy_pass http://app; } }`,
		Request{Path: "/drop/x"}, AuthorizationCleared, `proxy_set_header Authorization ""`},
	{"fastcgi parameter cleared", `server { listen 80; location ~ \.php$ { fastcgi_param HTTP_AUTHORIZATION ""; fastcgi_pass unix:/run/php.sock; } }`,
		Request{Path: "/api/index.php"}, AuthorizationCleared, `fastcgi_param HTTP_AUTHORIZATION ""`},
	{"cleared by a parent", `proxy_set_header Authorization ""; server { listen 80; location /a/ { proxy_pass http://app; } }`,
		Request{Path: "/a/b"}, AuthorizationCleared, `proxy_set_header Authorization ""`},
	{"list replaced", `server { listen 80; proxy_set_header X-Remote-User $remote_user; proxy_set_header Host $host;
		location /reports/ { proxy_set_header X-Trace $request_id; proxy_set_header Host $host; proxy_pass http://app; } }`,
		Request{Path: "/reports/1"}, HeadersReplaced, `proxy_set_header X-Trace $request_id`},
	{"headers not passed", `server { listen 80; location /b/ { proxy_pass_request_headers off; proxy_pass http://app; } }`,
		Request{Path: "/b/"}, HeadersNotPassed, `proxy_pass_request_headers off`},
	{"two realms", `server { listen 80; auth_basic staff; auth_basic_user_file /x; location /wiki/ { proxy_pass http://wiki; } }`,
		Request{Path: "/wiki/"}, TwoRealms, `auth_basic staff`},
	{"password file missing", `server { listen 80; auth_basic staff; auth_basic_user_file secret/users; location / { } }`,
		Request{Path: "/"}, PasswordFileMissing, `auth_basic_user_file secret/users`},
	{"regex shadows", `server { listen 80; auth_basic staff; location /public/ { auth_basic off; } location ~ \.json$ { root /srv; } }`,
		Request{Path: "/public/a.json"}, RegexShadows, `location ~ \.json$`},
	{"preflight", `server { listen 80; location /api/ { auth_basic api; proxy_pass http://app; } }`,
		Request{Path: "/api/x", Method: "OPTIONS"}, PreflightNotExempt, `auth_basic api`},
	{"rule for methods", `server { listen 80; auth_basic staff; location /w/ { limit_except GET { auth_basic writers; } proxy_pass http://app; } }`,
		Request{Path: "/w/x", Method: "PUT"}, MethodRule, `limit_except GET`},
	{"preflight of a gateway", `server { listen 80; auth_request /auth; location /api/ { proxy_pass http://app; } location = /auth { internal; proxy_pass http://sso; } }`,
		Request{Path: "/api/x", Method: "OPTIONS"}, PreflightNotExempt, `auth_request /auth`},
	{"return", `server { listen 80; location /basic/ { auth_basic staff; return 200 secret; } }`,
		Request{Path: "/basic/"}, UnprotectedAnswer, `return 200 secret`},
	{"outsiders", `server { listen 80; satisfy any; allow 10.0.0.0/8; deny all; auth_basic staff; location / { } }`,
		Request{Path: "/"}, OutsidersOnly, `satisfy any`},
	{"refusals hidden", `server { listen 80; auth_basic staff; error_page 401 = @login; location / { } location @login { return 302 /login; } }`,
		Request{Path: "/"}, RefusalsHidden, `error_page 401 = @login`},
	{"subrequest redirects", `server { listen 80; auth_request /auth; location / { proxy_pass http://app; } location = /auth { return 302 /login; } }`,
		Request{Path: "/"}, SubrequestFails, `auth_request /auth`},
	{"subrequest with a body", `server { listen 80; auth_request /auth; location / { proxy_pass http://app; } location = /auth { proxy_pass http://sso; } }`,
		Request{Path: "/", Method: "POST"}, SubrequestBody, `auth_request /auth`},
	{"subrequest without cookies", `server { listen 80; auth_request /auth; location / { proxy_pass http://app; } location = /auth { proxy_set_header Cookie ""; proxy_pass_request_body off; proxy_pass http://sso; } }`,
		Request{Path: "/"}, SubrequestHeaders, `proxy_set_header Cookie ""`},
	{"plain http", `server { listen 8080; server_name a.test; location / { proxy_pass http://app; } } server { listen 443 ssl; server_name a.test; location / { proxy_pass http://app; } }`,
		Request{Path: "/", Scheme: "http", Host: "a.test"}, PlainHTTP, `listen 8080`},
	{"refusals cached", `server { listen 80; location / { proxy_cache c; proxy_cache_valid any 1m; proxy_pass http://app; } }`,
		Request{Path: "/"}, CachedRefusals, `proxy_cache c`},
	{"no stickiness", `upstream app { server 10.0.0.1; server 10.0.0.2; } server { listen 80; location / { proxy_pass http://app; } }`,
		Request{Path: "/"}, NotSticky, `upstream app`},
	{"slash", `server { listen 80; location /x/ { proxy_pass http://app; } }`,
		Request{Path: "/x/"}, SlashRedirect, `location /x/`},
	{"subrequest passed on", `server { listen 80; auth_request /auth; location / { proxy_pass http://app; } location = /auth { proxy_pass_request_body off; proxy_pass http://sso/check; } }`,
		Request{Path: "/"}, AuthSubrequest, `proxy_pass http://sso/check`},
	{"password file", `server { listen 80; auth_basic staff; auth_basic_user_file /etc/nginx/users; location / { } }`, Request{Path: "/"}, PasswordFile, `auth_basic_user_file /etc/nginx/users`},
	{"returns 401", `server { listen 80; location /gone { return 401; } }`, Request{Path: "/gone"}, ReturnsUnauthorized, `return 401`},
}

func TestNginxMistakes(t *testing.T) {
	for _, c := range nginxMistakes {
		t.Run(c.name, func(t *testing.T) {
			r := conf(t, strings.ReplaceAll(c.conf, "; ", ";\n"))
			checkFact(t, r, c.q, c.kind, c.line)
		})
	}
}

// checkFact checks that a fact of a kind is found for a request, and its first line.
func checkFact(t *testing.T, r *Rules, q Request, kind Kind, line string) {
	t.Helper()
	if q.Method == "" {
		q.Method = "GET"
	}
	a := r.Resolve(q)
	var kinds []string
	for _, f := range a.Facts {
		kinds = append(kinds, string(f.Kind))
		if f.Kind != kind {
			continue
		}
		if got := f.Lines[0].Directive; got != line {
			t.Errorf("the line is %q, want %q", got, line)
		}
		text, err := os.ReadFile(f.Lines[0].File)
		if err != nil {
			t.Fatal(err)
		}
		if have := strings.Split(string(text), "\n")[f.Lines[0].Line-1]; !strings.Contains(strings.ToLower(have), strings.Fields(line)[0]) {
			t.Errorf("line %d is %q, want one with %q", f.Lines[0].Line, have, line)
		}
		return
	}
	t.Errorf("no fact %s, but %v; access %v by %v", kind, kinds, a.Access, a.By)
}
