package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRules resolves a request with any configuration: it ends, and every fact has lines.
func FuzzRules(f *testing.F) {
	for _, c := range nginxMistakes {
		f.Add("http {\n"+c.conf+"\n}", c.q.Host, c.q.Method, c.q.Path)
	}
	f.Add("server { rewrite ^(.*)$ $1/ last; location / { rewrite . /a last; } location /a { try_files $uri /b; } location /b { try_files $uri /a; } }", "a", "GET", "/")
	f.Add("server { location ~ (a+)+(?!b)$ { auth_request /x; location ~ . { limit_except GET { deny all; } } } location = /x { auth_request /x; } }", "a", "GET", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	f.Add("<VirtualHost *:80>\nServerName a\n<Location ~ \"^/(?!x)\">\n<RequireAll>\nRequire not all granted\n</RequireAll>\n</Location>\nProxyPass / !\n</VirtualHost>", "a", "OPTIONS", "/%2e%2e/x")
	f.Add("DocumentRoot /nowhere\n<Directory ~ .>\n<Limit GET>\nRequire user a\n</Limit>\nAuthType Basic\n</Directory>\n<Files *.php>\nSetHandler cgi-script\n</Files>", "", "HEAD", "/a.php")
	f.Fuzz(func(t *testing.T, conf, host, method, path string) {
		lower := strings.ToLower(conf)
		if strings.Contains(lower, "include") || strings.Contains(lower, "serverroot") || strings.Contains(lower, "documentroot") && !strings.Contains(lower, "/nowhere") {
			t.Skip("files of this machine")
		}
		name := filepath.Join(t.TempDir(), "conf")
		if err := os.WriteFile(name, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, read := range []func(string) (*Rules, error){Nginx, Apache} {
			r, err := read(name)
			if err != nil {
				continue
			}
			checkLines(t, r, Request{Host: host, Method: method, Path: path})
		}
	})
}

// checkLines checks that every fact on a request, and on any, has lines.
func checkLines(t *testing.T, r *Rules, q Request) {
	t.Helper()
	check := func(list []Fact) {
		for _, f := range list {
			if len(f.Lines) == 0 || f.Lines[0].Line < 1 || f.Lines[0].File == "" {
				t.Errorf("fact %s without a line: %+v", f.Kind, f.Lines)
			}
		}
	}
	for _, q.Scheme = range []string{"", "http", "https"} {
		check(r.Resolve(q).Facts)
	}
	check(r.Faults())
}

// FuzzIngress resolves a request with any manifests.
func FuzzIngress(f *testing.F) {
	f.Add(manifest("a.test", "/ Prefix,/a Exact", "  tls:\n  - hosts: [a.test]\n", "auth-type: basic", "auth-secret: x", "satisfy: any", "whitelist-source-range: 10.0.0.0/8", `enable-cors: "true"`), "a.test", "GET", "/a")
	f.Add(manifest("'*.test'", "/(.*) ImplementationSpecific", "", "auth-url: http://sso/", "auth-signin: /in", "configuration-snippet: |\n      proxy_set_header A \"\";", `use-regex: "true"`, "server-alias: b"), "b", "OPTIONS", "/x/")
	f.Add("kind: List\nitems: &a [*a, {kind: Ingress, spec: &b {rules: [{host: x, http: {paths: [{path: /, backend: *b}]}}], defaultBackend: {}}}]", "x", "GET", "/")
	f.Add(`{"kind":"ConfigMap","data":{"global-auth-url":"http://sso/","no-auth-locations":"/a,/b"}}`+"\n---\nkind: Ingress\nspec: {rules: [{http: {paths: [{}]}}]}", "", "", "/")
	f.Fuzz(func(t *testing.T, text, host, method, path string) {
		name := filepath.Join(t.TempDir(), "ingress.yaml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Ingress(name); err == nil {
			checkLines(t, r, Request{Host: host, Method: method, Path: path})
		}
	})
}

// FuzzTraefik resolves a request with any dynamic configuration of Traefik.
func FuzzTraefik(f *testing.F) {
	f.Add(traefikConf, "a.test", "OPTIONS", "/api/x")
	f.Add(traefikCluster, "a.test", "GET", "/")
	f.Add(traefikLabels, "app.a.test", "GET", "/")
	f.Add("http: {routers: {a: {rule: '!(PathPrefix(`/a`) || Query(`x`)) && HostRegexp(`(a+)+$`)', priority: 7, middlewares: [c]}}, middlewares: {c: {chain: {middlewares: [c]}}}}", "aaaa", "GET", "/b")
	f.Fuzz(func(t *testing.T, text, host, method, path string) {
		name := filepath.Join(t.TempDir(), "dynamic.yml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Traefik(name); err == nil {
			checkLines(t, r, Request{Host: host, Method: method, Path: path})
		}
	})
}
