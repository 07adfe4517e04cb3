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
			check := func(list []Fact) {
				for _, f := range list {
					if len(f.Lines) == 0 || f.Lines[0].Line < 1 || f.Lines[0].File == "" {
						t.Errorf("fact %s without a line: %+v", f.Kind, f.Lines)
					}
				}
			}
			for _, scheme := range []string{"", "http", "https"} {
				check(r.Resolve(Request{Scheme: scheme, Host: host, Method: method, Path: path}).Facts)
			}
			check(r.Faults())
		}
	})
}
