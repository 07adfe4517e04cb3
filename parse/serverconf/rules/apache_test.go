package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apacheConf writes a configuration of Apache, with ROOT replaced by the directory of the
// other files, and reads it.
func apacheConf(t *testing.T, text string, files map[string]string) *Rules {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "httpd.conf")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "ROOT", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Apache(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const basicAuth = "AuthType Basic\nAuthName staff\nAuthUserFile /etc/users\n"

func TestApacheAccess(t *testing.T) {
	r := apacheConf(t, `DocumentRoot "ROOT/www"
<Directory "ROOT/www">
	AllowOverride AuthConfig
	Require all granted
</Directory>
<Directory "ROOT/www/closed">
	`+basicAuth+`Require valid-user
</Directory>
<Directory "ROOT/www/closed/open">
	Require all granted
</Directory>
<FilesMatch "\.secret$">
	`+basicAuth+`Require valid-user
</FilesMatch>
<Location "/status">
	Require local
</Location>
<Location "/admin/">
	`+basicAuth+`Require user root
</Location>
<LocationMatch "^/v[0-9]+/private">
	`+basicAuth+`Require valid-user
</LocationMatch>
<Location "/limited">
	`+basicAuth+`<Limit POST>
		Require valid-user
	</Limit>
</Location>
<Location "/except">
	`+basicAuth+`<LimitExcept OPTIONS>
		Require valid-user
	</LimitExcept>
</Location>
<Location "/any">
	`+basicAuth+`<RequireAny>
		Require ip 10.0.0.0/8
		Require valid-user
	</RequireAny>
</Location>
<Location "/all">
	<RequireAll>
		Require all granted
		Require not ip 10.0.0.1
	</RequireAll>
</Location>
ProxyPass "/app" "http://127.0.0.1:8080/app"
Redirect permanent /old https://www.test/new
`, map[string]string{
		"www/index.html": "x", "www/ht/.htaccess": basicAuth + "Require valid-user\n", "www/closed/open/x": "", "www/closed/x": "",
	})
	for _, c := range []struct {
		method, path string
		want         Access
	}{
		{"GET", "/", Open}, {"GET", "/closed/x", Protected}, {"GET", "/closed", Protected}, {"GET", "/closedness", Open}, {"GET", "/closed/open/x", Open},
		{"GET", "/a.secret", Protected}, {"GET", "/status", Forbidden}, {"GET", "/admin/x", Protected}, {"GET", "/admin", Open},
		{"GET", "/v2/private/x", Protected}, {"GET", "/limited", Open}, {"POST", "/limited/x", Protected}, {"OPTIONS", "/except", Open}, {"GET", "/except", Protected},
		{"GET", "/any", Protected}, {"GET", "/all", Open}, {"GET", "/app/x", Open}, {"GET", "/ht/page", Protected}, {"GET", "/old/x", Redirected},
	} {
		if a := r.Resolve(Request{Method: c.method, Path: c.path}); a.Access != c.want {
			t.Errorf("%s %s is %v by %v, want %v", c.method, c.path, a.Access, a.By, c.want)
		}
	}
}

func TestApacheMistakes(t *testing.T) {
	for _, c := range []struct {
		name, conf string
		files      map[string]string
		q          Request
		kind       Kind
		line       string
	}{
		{"credentials of PHP", "DocumentRoot ROOT/www\n<FilesMatch \"\\.php$\">\nSetHandler \"proxy:unix:/run/php.sock|fcgi://localhost\"\n</FilesMatch>\n<Directory ROOT/www>\nRequire all granted\nFallbackResource /index.php\n</Directory>", nil,
			Request{Path: "/wp-json/wp/v2/posts"}, CredentialsNotPassed, "sethandler proxy:unix:/run/php.sock|fcgi://localhost"},
		{"credentials of PHP by proxy", "ProxyPass /php fcgi://127.0.0.1:9000/srv", nil,
			Request{Path: "/php/api.php"}, CredentialsNotPassed, "proxypass /php fcgi://127.0.0.1:9000/srv"},
		{"too narrow", "<Location /team>\n" + basicAuth + "Require user ann ben\n</Location>", nil,
			Request{Path: "/team/x"}, RequireTooNarrow, "require user ann ben"},
		{"override ignored", "DocumentRoot ROOT/www\n<Directory ROOT/www>\nAllowOverride None\n" + basicAuth + "Require valid-user\n</Directory>", map[string]string{"www/feed/.htaccess": "Require all granted\n"},
			Request{Path: "/feed/rss"}, OverrideIgnored, "allowoverride None"},
		{"rule for methods", "<Location /dav>\n" + basicAuth + "<LimitExcept GET POST>\nRequire valid-user\n</LimitExcept>\n</Location>", nil,
			Request{Path: "/dav/x", Method: "PUT"}, MethodRule, "<limitexcept GET POST>"},
		{"method hole", "<Location /dav>\n" + basicAuth + "<Limit GET POST>\nRequire valid-user\n</Limit>\n</Location>", nil,
			Request{Path: "/dav/x"}, MethodHole, "<limit GET POST>"},
		{"exception overruled", "DocumentRoot ROOT/www\n<Location />\n" + basicAuth + "Require valid-user\n</Location>\n<Directory ROOT/www/health>\nRequire all granted\n</Directory>", nil,
			Request{Path: "/health/live"}, ExceptionOverruled, "<location />"},
		{"preflight", "<Location /api>\n" + basicAuth + "Require valid-user\n</Location>", nil,
			Request{Path: "/api/x", Method: "OPTIONS"}, PreflightNotExempt, "require valid-user"},
		{"header removed", "ProxyPass / http://127.0.0.1:8080/\n<Location /v2>\nRequestHeader unset Authorization\n</Location>", nil,
			Request{Path: "/v2/x"}, AuthorizationCleared, "requestheader unset Authorization"},
		{"no type", "<Location /x>\nRequire valid-user\n</Location>", nil, Request{Path: "/x"}, AuthIncomplete, "require valid-user"},
		{"no name", "<Location /x>\nAuthType Basic\nRequire valid-user\n</Location>", nil, Request{Path: "/x"}, AuthIncomplete, "authtype Basic"},
		{"no file of passwords", "<Location /x>\nAuthType Basic\nAuthName x\nRequire valid-user\n</Location>", nil, Request{Path: "/x"}, AuthIncomplete, "authtype Basic"},
		{"module not loaded", "LoadModule authn_core_module a.so\n<Location /x>\nAuthType Digest\nAuthName x\nRequire valid-user\n</Location>", nil, Request{Path: "/x"}, AuthIncomplete, "authtype Digest"},
		{"password file", "<Location /x>\n" + basicAuth + "AuthUserFile /etc/apache2/users\nRequire valid-user\n</Location>", nil, Request{Path: "/x"}, PasswordFile, "authuserfile /etc/apache2/users"},
		{"mixed", "<Location /x>\n" + basicAuth + "Require valid-user\nOrder deny,allow\nAllow from all\n</Location>", nil, Request{Path: "/x"}, MixedAccess, "order deny,allow"},
		{"plain http", "<VirtualHost *:80>\nServerName a.test\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>\n<VirtualHost *:443>\nServerName a.test\nSSLEngine on\nProxyPass / http://127.0.0.1:1/\n</VirtualHost>", nil,
			Request{Path: "/", Scheme: "http", Host: "a.test"}, PlainHTTP, "<virtualhost *:80>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkFact(t, apacheConf(t, c.conf, c.files), c.q, c.kind, c.line)
		})
	}
}

// TestModuleMayBeLoaded checks that no module is said to be missing if it is loaded, or if
// the configuration does not show which are.
func TestModuleMayBeLoaded(t *testing.T) {
	for _, conf := range []string{
		"<Location /x>\nAuthType Digest\nAuthName x\nRequire valid-user\n</Location>",
		"LoadModule authn_core_module a.so\nLoadModule auth_digest_module b.so\n<Location /x>\nAuthType Digest\nAuthName x\nRequire valid-user\n</Location>",
		"LoadModule authn_core_module a.so\n<Location /x>\nAuthType Own\nAuthName x\nRequire valid-user\n</Location>",
		"<Location /x>\nAuthType Basic\nAuthName x\nAuthBasicProvider ldap\nRequire valid-user\n</Location>",
		"AuthUserFile /etc/users\n<Location /x>\nAuthType Basic\nAuthName x\nAuthBasicProvider file\nRequire valid-user\n</Location>",
	} {
		for _, f := range apacheConf(t, conf, nil).Resolve(Request{Path: "/x"}).Facts {
			if f.Kind == AuthIncomplete {
				t.Errorf("%s lacks %s", conf, f.Name)
			}
		}
	}
}

// TestClearedCertainty checks that a header which is cleared is no fault by itself if the
// server checks it and tells the backend the user in another one.
func TestClearedCertainty(t *testing.T) {
	const identity = "proxy_set_header X-Webauth-User $remote_user;\n"
	const cleared, basic = "proxy_set_header Authorization \"\";\nproxy_pass http://app;\n", "auth_basic staff;\n"
	const asked = "auth_request /ask;\nauth_request_set $who $upstream_http_x_who;\nproxy_set_header X-Who $who;\n"
	const unset, told = "RequestHeader unset Authorization\nProxyPass / http://127.0.0.1:81/\n", "RequestHeader set X-Remote-User expr=%{REMOTE_USER}\n"
	const protected = "<Location />\n" + basicAuth + "Require valid-user\n</Location>\n"
	for _, c := range []struct {
		name string
		r    *Rules
		want Certainty
	}{
		{"nginx", conf(t, "server {\n"+basic+cleared+"}"), Certain},
		{"nginx, which tells the user", conf(t, "server {\n"+basic+identity+cleared+"}"), Possible},
		{"nginx, which checks nothing", conf(t, "server {\n"+identity+cleared+"}"), Certain},
		{"nginx with a gateway", conf(t, "server {\n"+asked+cleared+"location = /ask {\nreturn 204;\n}\n}"), Possible},
		{"Apache", apacheConf(t, protected+unset, nil), Certain},
		{"Apache, which tells the user", apacheConf(t, protected+told+unset, nil), Possible},
		{"Apache, which checks nothing", apacheConf(t, told+unset, nil), Certain},
	} {
		got := slices.DeleteFunc(c.r.Faults(), func(f Fact) bool { return f.Kind != AuthorizationCleared })
		if len(got) != 1 || got[0].Certainty != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	office := conf(t, "server {\nsatisfy any;\nallow 10.0.0.0/8;\ndeny all;\n"+basic+"auth_basic_user_file /etc/users;\n}")
	if got := office.Faults(); len(got) != 0 {
		t.Errorf("a server that is open to an office: %v", got)
	}
}

// TestDirectoryBelowLocation checks that a directory is shown as requests for it are answered.
func TestDirectoryBelowLocation(t *testing.T) {
	r := apacheConf(t, "DocumentRoot ROOT/www\n<Location /files>\n"+basicAuth+"Require valid-user\n</Location>\n<Directory ROOT/www/files/open>\nRequire all granted\n</Directory>\n<Directory ROOT/www/news>\nRequire all granted\n</Directory>\n", nil)
	var got []string
	for _, route := range r.Routes() {
		_, name, _ := strings.Cut(route.Path, "www/")
		got = append(got, name+" "+route.Access.String())
	}
	if want := []string{" protected", "files/open protected", "news open", " open"}; !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}
	if list := r.Faults(); len(list) != 1 || list[0].Kind != ExceptionOverruled {
		t.Errorf("faults %v", list)
	}
}
