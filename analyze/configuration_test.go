package analyze

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/appconf"
	"logscan/parse/serverconf"
	"logscan/parse/serverconf/rules"
)

// configuredFormat has the fields that rules are resolved by.
const configuredFormat = `$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent "$http_user_agent" $host $scheme $upstream_addr $upstream_status`

// staffLog is a day of 40 people who send Basic credentials with each request. broken are
// paths that refuse them, answered by the backend or by the proxy. Requests of bare are sent
// without credentials and refused.
func staffLog(broken []string, byBackend bool, bare ...string) string {
	var b strings.Builder
	start := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	line := func(at time.Duration, client int, user, request string, status int, upstream string) {
		fmt.Fprintf(&b, "192.0.2.%d - %s [%s] \"%s HTTP/1.1\" %d 120 \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0)\" intra.test https %s\n",
			client, user, start.Add(at).Format("2006-01-02T15:04:05+00:00"), request, status, upstream)
	}
	for minute := range 480 {
		for k := range 3 {
			n := (minute*3+k*7)%40 + 1
			user := fmt.Sprintf("user%02d", n)
			at := time.Duration(minute)*time.Minute + time.Duration(k)*11*time.Second
			for i, p := range []string{"/app/home", "/app/list", "/api/items", "/api/orders/" + fmt.Sprint(100+minute), "/feeds/page"} {
				line(at+time.Duration(i)*time.Second, n, user, "GET "+p, 200, "10.0.0.1:80 200")
			}
			for i, p := range broken {
				if (minute+i)%3 == 0 {
					upstream := "- -"
					if byBackend {
						upstream = "10.0.0.1:80 401"
					}
					line(at+7*time.Second, n, user, "GET "+p, 401, upstream)
				}
			}
			for _, r := range bare {
				line(at+8*time.Second, n, "-", r, 401, "- -")
			}
		}
	}
	return b.String()
}

// configuredRun scans a log with a configuration of nginx.
func configuredRun(t *testing.T, log, conf string) *result.Result {
	t.Helper()
	return configuredRunAs(t, configuredFormat, log, conf)
}

// configuredRunAs scans a log of a format.
func configuredRunAs(t *testing.T, format, log, conf string) *result.Result {
	t.Helper()
	return configuredRunBy(t, format, log, "nginx.conf", "http {\n"+strings.ReplaceAll(conf, "; ", ";\n")+"\n}\n")
}

// configuredRunBy scans a log of a format with a configuration in a file of a name.
func configuredRunBy(t *testing.T, format, log, name, conf string) *result.Result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{name: conf, "access.log": log} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := rules.Read(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, filepath.Join(dir, "access.log"))
	if o.Format, err = parse.Compile(format); err != nil {
		t.Fatal(err)
	}
	o.Configuration.Servers = []*rules.Rules{r}
	res, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// factsOf returns the kinds of the facts of all findings, with the directive at fault.
func factsOf(res *result.Result) (all []string) {
	for i := range res.Findings {
		if c := res.Findings[i].Configuration; c != nil {
			for _, f := range c.Facts {
				all = append(all, res.Findings[i].Kind+": "+string(f.Kind)+": "+f.Lines[0].Directive)
			}
		}
	}
	return all
}

func TestConfigurationNamesTheLine(t *testing.T) {
	drop := []string{"/drop/x", "/drop/y"}
	for _, c := range []struct {
		name, log, conf, want string
	}{
		{"header cleared", staffLog(drop, true),
			`server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } location /drop/ { proxy_set_header Authorization ""; proxy_pass http://app; } }`,
			`authentication_outage: authorization_cleared: proxy_set_header Authorization ""`},
		{"header cleared behind proxy auth", staffLog(drop, true),
			`server { listen 443 ssl; server_name intra.test; auth_basic staff; location / { proxy_pass http://app; } location /drop/ { proxy_set_header Authorization ""; proxy_pass http://app; } }`,
			`authentication_outage: authorization_cleared: proxy_set_header Authorization ""`},
		{"list replaced", staffLog(drop, true),
			`server { listen 443 ssl; server_name intra.test; proxy_set_header X-Remote-User $remote_user; location / { proxy_pass http://app; } location /drop/ { proxy_set_header X-Trace 1; proxy_pass http://app; } }`,
			`authentication_outage: inherited_headers_lost: proxy_set_header X-Trace ...`},
		{"regex shadows", staffLog([]string{"/public/a.json", "/public/b.json"}, false),
			`server { listen 443 ssl; server_name intra.test; auth_basic staff; location / { proxy_pass http://app; } location /public/ { auth_basic off; } location ~ \.json$ { root /srv; } }`,
			`authentication_outage: regex_shadows_open_prefix: location ~ \.json$`},
		{"preflight", staffLog(nil, false, "OPTIONS /api/items"),
			`server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } location /api/ { auth_basic api; proxy_pass http://app; } }`,
			`cors_preflight: preflight_not_exempt: auth_basic api`},
		{"a rule for methods", strings.ReplaceAll(staffLog(drop[:1], false), "GET /drop/", "PUT /drop/"),
			`server { listen 443 ssl; server_name intra.test; auth_basic staff; location / { proxy_pass http://app; } location /drop/ { limit_except GET { auth_basic writers; } proxy_pass http://app; } }`,
			`endpoint_misconfigured: rule_for_methods: limit_except GET`},
		{"in a nested location of a server chosen by a wildcard", staffLog(drop, true),
			`server { listen 443 ssl default_server; server_name other.test; location /drop/ { proxy_pass http://x; } } server { listen 443 ssl; server_name *.test; location / { proxy_pass http://app; location /drop { proxy_pass http://app; proxy_pass_request_headers off; } } }`,
			`authentication_outage: headers_not_passed: proxy_pass_request_headers off`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := configuredRun(t, c.log, c.conf)
			got := factsOf(res)
			if len(got) == 0 || got[0] != c.want {
				var kinds []string
				for i := range res.Findings {
					f := &res.Findings[i]
					kinds = append(kinds, f.Kind+" "+f.Subject.Endpoint()+" by "+f.AnsweredBy.String())
				}
				t.Errorf("facts %q, want %q; findings %q", got, c.want, kinds)
			}
			for _, f := range got {
				if f != c.want {
					t.Errorf("another fact: %s", f)
				}
			}
		})
	}
}

// TestIngressNamesTheLine checks a password of which the proxy tells the backend nothing.
func TestIngressNamesTheLine(t *testing.T) {
	conf := func(annotation string) string {
		return `kind: Ingress
spec: {rules: [{host: intra.test, http: {paths: [{path: /, pathType: Prefix}]}}]}
---
kind: Ingress
metadata:
  annotations:
    nginx.ingress.kubernetes.io/` + annotation + `
spec: {rules: [{host: intra.test, http: {paths: [{path: /drop, pathType: Prefix}]}}]}
`
	}
	log := staffLog([]string{"/drop/x", "/drop/y"}, true)
	for annotation, want := range map[string]string{
		"auth-type: basic":    "authentication_outage: credentials_kept_by_proxy: nginx.ingress.kubernetes.io/auth-type: basic",
		"auth-url: http://x/": "", "proxy-body-size: 8m": "",
	} {
		if got := strings.Join(factsOf(configuredRunBy(t, configuredFormat, log, "ingress.yaml", conf(annotation))), "; "); got != want {
			t.Errorf("%s: facts %q, want %q", annotation, got, want)
		}
	}
}

// TestConfigurationWithoutFault runs findings that the backend causes with configurations
// that are right, or whose oddities have no part in them.
func TestConfigurationWithoutFault(t *testing.T) {
	broken := staffLog([]string{"/drop/x", "/drop/y"}, true)
	for name, conf := range map[string]string{
		"plain proxy":              `server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } }`,
		"headers for all":          `server { listen 443 ssl; server_name intra.test; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; location / { proxy_pass http://app; } }`,
		"cleared for all":          `server { listen 443 ssl; server_name intra.test; proxy_set_header Authorization ""; location / { proxy_pass http://app; } }`,
		"auth for all":             `server { listen 443 ssl; server_name intra.test; auth_basic staff; auth_basic_user_file /etc/nginx/users; location / { proxy_pass http://app; } }`,
		"list repeated":            `server { listen 443 ssl; server_name intra.test; proxy_set_header Host $host; location / { proxy_pass http://app; } location /drop/ { proxy_set_header Host $host; proxy_set_header X-Trace 1; proxy_pass http://app; } }`,
		"gateway":                  `server { listen 443 ssl; server_name intra.test; auth_request /auth; location / { proxy_pass http://app; } location = /auth { internal; proxy_pass http://sso; proxy_pass_request_body off; proxy_set_header Content-Length ""; } }`,
		"cache with its key":       `server { listen 443 ssl; server_name intra.test; location / { proxy_cache c; proxy_cache_key $uri$http_authorization; proxy_cache_valid any 1m; proxy_pass http://app; } }`,
		"several servers":          `upstream app { server 10.0.0.1; server 10.0.0.2; } server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } }`,
		"a fault elsewhere":        `server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } location /old/ { proxy_set_header Authorization ""; proxy_pass http://old; } }`,
		"a fault of another host":  `server { listen 443 ssl; server_name other.test; location / { proxy_set_header Authorization ""; proxy_pass http://app; } } server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } }`,
		"a condition not known":    `server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } location /drop/ { if ($http_x_debug) { proxy_pass http://debug; } proxy_set_header Authorization ""; proxy_pass http://app; } }`,
		"redirect and front":       `server { listen 80; server_name intra.test; return 301 https://$host$request_uri; } server { listen 443 ssl; server_name intra.test; location / { try_files $uri @app; } location @app { proxy_pass http://app; } }`,
		"open prefix with its own": `server { listen 443 ssl; server_name intra.test; location / { proxy_pass http://app; } location ^~ /public/ { auth_basic off; } location ~ \.json$ { proxy_pass http://app; } }`,
	} {
		t.Run(name, func(t *testing.T) {
			res := configuredRun(t, broken, conf)
			if len(res.Findings) == 0 {
				t.Fatal("no finding")
			}
			if got := factsOf(res); len(got) > 0 {
				t.Errorf("facts %q, want none", got)
			}
		})
	}
}

// TestConfigurationBehindCheck names what a backend does not get if the log does not say who
// answered: the server checks the same passwords where people are accepted.
func TestConfigurationBehindCheck(t *testing.T) {
	const upstream = " $upstream_addr $upstream_status"
	format := strings.TrimSuffix(configuredFormat, upstream)
	log := staffLog([]string{"/drop/x", "/drop/y"}, true)
	log = strings.NewReplacer(" 10.0.0.1:80 200\n", "\n", " 10.0.0.1:80 401\n", "\n").Replace(log)
	const passwords = `auth_basic staff; auth_basic_user_file /etc/nginx/users;`
	const service = `auth_request /check; location = /check { internal; proxy_pass http://sso; } location = /other { internal; proxy_pass http://keys; }`
	server := func(check, drop string) string {
		return `server { listen 443 ssl; server_name intra.test; ` + check + ` location / { proxy_pass http://app; } location /drop/ { ` + drop + ` } }`
	}
	const cleared = `proxy_set_header Authorization ""; proxy_pass http://app;`
	for _, c := range []struct {
		name, check, drop, want string
	}{
		{"a header", passwords, cleared, `authentication_outage: authorization_cleared: proxy_set_header Authorization ""`},
		{"all headers", passwords, `proxy_pass_request_headers off; proxy_pass http://app;`, `authentication_outage: headers_not_passed: proxy_pass_request_headers off`},
		{"other passwords", passwords, `auth_basic_user_file /etc/nginx/others; ` + cleared, ""},
		{"another check", passwords, `auth_basic archive; ` + cleared, ""},
		{"no backend", passwords, `proxy_set_header Authorization ""; root /srv;`, ""},
		{"nothing removed", passwords, `proxy_pass http://app;`, ""},
		{"a header, behind a service", service, cleared, `authentication_outage: authorization_cleared: proxy_set_header Authorization ""`},
		{"another service", service, `auth_request /other; ` + cleared, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(factsOf(configuredRunAs(t, format, log, server(c.check, c.drop))), "; "); got != c.want {
				t.Errorf("facts %q, want %q", got, c.want)
			}
		})
	}
}

func TestTimeoutEqualsSetting(t *testing.T) {
	at := serverconf.Position{File: "WEB-INF/web.xml", Line: 41}
	c := Configuration{Apps: &appconf.Settings{List: []appconf.Setting{{Position: at, Name: "session-timeout", Text: "30", Seconds: 1800, Limits: appconf.Idle}}}}
	for _, x := range []struct {
		low, high float64
		policy    string
		want      int
	}{{1790, 1812, "idle", 1}, {1790, 1812, "undetermined", 1}, {1790, 1812, "absolute", 0}, {1805, 1812, "idle", 0}, {60, 7200, "idle", 0}} {
		f := &result.Finding{Kind: "session_expiry", Details: &detect.Expiry{Policy: x.policy, Low: result.Seconds(x.low), High: result.Seconds(x.high)}}
		if got := c.settings(f); len(got) != x.want {
			t.Errorf("%s between %v and %v equals %v, want %d settings", x.policy, x.low, x.high, got, x.want)
		}
	}
}

func TestFileChangedBeforeOnset(t *testing.T) {
	onset := time.Date(2026, 3, 9, 14, 2, 5, 0, time.UTC)
	res := &result.Result{Totals: result.Totals{FirstTime: onset.Add(-6 * time.Hour).UnixMicro(), LastTime: onset.Add(6 * time.Hour).UnixMicro()}}
	for _, x := range []struct {
		before time.Duration
		want   int
	}{{25 * time.Second, 1}, {9 * time.Minute, 1}, {11 * time.Minute, 0}, {-time.Minute, 0}, {-12 * time.Hour, 0}} {
		c := Configuration{Servers: []*rules.Rules{{Files: []serverconf.File{{Path: "app.conf", Modified: onset.Add(-x.before)}}}}}
		if got := c.changed(&result.Finding{Category: "endpoint", Onset: onset.UnixMicro()}, res); len(got) != x.want {
			t.Errorf("a change %v before the onset: %v, want %d", x.before, got, x.want)
		}
	}
}

// TestClosedByMistake checks that refusals of strangers are not called ordinary if the
// configuration shows that a route is meant to be open, or that credentials do not arrive.
func TestClosedByMistake(t *testing.T) {
	var log strings.Builder
	at := time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)
	for i := range 400 { // of 40 visitors, at uneven times
		at = at.Add(time.Duration(20+i*i*37%90) * time.Second)
		for n, r := range []string{"GET /open/a HTTP/1.1\" 200", "GET /open/b HTTP/1.1\" 200", "GET /open/c HTTP/1.1\" 200", "GET /open/d HTTP/1.1\" 200", "GET /open/api/list.json HTTP/1.1\" 401"} {
			fmt.Fprintf(&log, "192.0.2.%d - - [%s] \"%s 120 \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0)\" intra.test https - -\n", i*7%40+1, at.Add(time.Duration(n)*time.Second).Format("2006-01-02T15:04:05+00:00"), r)
		}
	}
	const open = "location /open/ {\nauth_basic off;\nproxy_pass http://app;\n}\n"
	for _, c := range []struct {
		name, conf string
		want       rules.Kind
	}{
		{"a prefix that a regular expression shadows", "auth_basic staff;\n" + open + "location ~ json$ {\nroot /srv;\n}\n", rules.RegexShadows},
		{"a header that is removed", open + "location /open/api/ {\nproxy_set_header Authorization \"\";\nproxy_pass http://app;\n}\n", rules.AuthorizationCleared},
		{"a route that is closed on purpose", open + "location /open/api/ {\nauth_basic staff;\nroot /srv;\n}\n", ""},
	} {
		res := configuredRun(t, log.String(), "server {\nlisten 443 ssl;\nserver_name intra.test;\n"+c.conf+"}\n")
		got := rules.Kind("")
		if r := res.Residual; r != nil && r.Unexplained == 400 && len(r.Faults) == 1 {
			got = r.Faults[0].Kind
		}
		if got != c.want || c.want == "" && res.Totals.Unexplained > 0 {
			t.Errorf("%s: fault %q, want %q; %d unexplained", c.name, got, c.want, res.Totals.Unexplained)
		}
	}
}

// TestContrast checks that routes count as working that accept requests while a finding lasts,
// and not those that did before.
func TestContrast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nginx.conf")
	if err := os.WriteFile(path, []byte("http {\nserver {\nauth_basic a;\n}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := rules.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	const hour = int64(time.Hour / time.Microsecond)
	for _, x := range []struct {
		last  int64 // request of a route that accepted 60
		onset int64
		want  bool
	}{{10 * hour, parse.NoTime, true}, {10 * hour, 2 * hour, true}, {10 * hour, 9 * hour, false}, {3 * hour, 4 * hour, false}} {
		res := &result.Result{Endpoints: []result.Endpoint{{Template: "/a", Counts: result.Counts{Requests: 60, Accepted: 60}, Protected: true, FirstTime: hour, LastTime: x.last}}}
		res.Totals.FirstTime, res.Totals.LastTime = hour, 20*hour
		var a assembly
		if got := a.works(r, &result.Finding{Onset: x.onset}, res, func(*rules.Answer) bool { return true }); got != x.want {
			t.Errorf("last request at %d, onset at %d: %v", x.last/hour, x.onset/hour, got)
		}
	}
}

// TestConfigurationOfFailures names the lines of requests that an error log says could not be
// checked; no request is refused.
func TestConfigurationOfFailures(t *testing.T) {
	const nginx = `2026/03/09 10:%02d:00 [error] 7#7: *%[1]d MESSAGE, client: 192.0.2.1, server: intra.test, request: "GET /app/home HTTP/1.1", SUBhost: "intra.test"`
	const apache = `[Mon Mar 09 10:%02d:00.000000 2026] [core:error] [pid 7] [client 192.0.2.1:50%02[1]d] MESSAGE`
	subrequest := func(upstream string) string {
		return "http {\nserver {\nlisten 80;\nserver_name intra.test;\nlocation / {\nauth_request /auth;\nproxy_pass http://app;\n}\nlocation = /auth {\nproxy_pass_request_body off;\nproxy_pass " + upstream + ";\n}\n}\n}\n"
	}
	files := "http {\nserver {\nlisten 80;\nserver_name intra.test;\nauth_basic staff;\nauth_basic_user_file /etc/nginx/staff.htpasswd;\nlocation / {\nroot /srv;\n}\n}\n}\n"
	lone := "LoadModule authn_core_module a.so\n<Location /app>\nAuthType Digest\nAuthName x\nAuthUserFile /etc/apache2/staff\nRequire valid-user\n</Location>\n"
	for _, c := range []struct {
		name, line, conf string
		messages         []string
		want             string
		failures         int64
	}{
		{"a service that does not answer", nginx, subrequest("http://sso"), []string{"connect() failed (111: Connection refused) while connecting to upstream", "auth request unexpected status: 502 while sending to client"},
			"authentication_outage: auth_subrequest: proxy_pass http://sso", 40},
		{"a service that answers otherwise", nginx, subrequest("http://sso/x"), []string{"auth request unexpected status: 404 while sending to client"}, "endpoint_misconfigured: auth_subrequest: proxy_pass http://sso/x", 40},
		{"a file", nginx, files, []string{`open() "/etc/nginx/staff.htpasswd" failed (13: Permission denied)`}, "endpoint_misconfigured: password_file: auth_basic_user_file /etc/nginx/staff.htpasswd", 40},
		{"another file", nginx, files, []string{`open() "/etc/nginx/old.htpasswd" failed (13: Permission denied)`}, "", 40},
		{"a module", apache, lone, []string{"AH01796: AuthType Digest configured without corresponding module"}, "endpoint_misconfigured: authentication_incomplete: authtype Digest", 40},
		{"another module", apache, lone, []string{"AH01796: AuthType Form configured without corresponding module"}, "", 40},
		{"a file without a path", apache, lone, []string{"AH01620: Could not open password file: /etc/apache2/staff"}, "endpoint_misconfigured: password_file: authuserfile /etc/apache2/staff", 40},
		{"no type", apache, "<Location /app>\nRequire valid-user\n</Location>\n", []string{"AH00027: No authentication done but request not allowed without authentication for /app/home. Authentication not configured?"},
			"endpoint_misconfigured: authentication_incomplete: require valid-user", 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said strings.Builder
			for i := range 40 {
				for _, m := range c.messages {
					sub := ""
					if strings.HasPrefix(m, "connect") {
						sub = `subrequest: "/auth", upstream: "http://sso/auth", `
					}
					fmt.Fprintf(&said, strings.NewReplacer("MESSAGE", strings.ReplaceAll(m, "%", "%%"), "SUB", sub).Replace(c.line)+"\n", i)
				}
			}
			dir := t.TempDir()
			for name, text := range map[string]string{"server.conf": c.conf, "access.log": staffLog(nil, false), "error.log": said.String()} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, err := rules.Read(filepath.Join(dir, "server.conf"))
			if err != nil {
				t.Fatal(err)
			}
			o := options(t, filepath.Join(dir, "access.log"), filepath.Join(dir, "error.log"))
			o.Configuration.Servers = []*rules.Rules{r}
			res, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(factsOf(res), "; "); got != c.want {
				t.Errorf("facts %q, want %q", got, c.want)
			}
			if len(res.Findings) != 1 {
				t.Fatalf("%d findings", len(res.Findings))
			}
			failures := int64(0)
			switch d := res.Findings[0].Details.(type) {
			case *detect.BrokenEndpoint:
				failures = d.Failures
			case *detect.Outage:
				failures = d.Failures
			}
			if failures != c.failures {
				t.Errorf("%d failures, want %d", failures, c.failures)
			}
		})
	}
}

// TestUnlisted checks for which findings a Require that names users or groups is the cause.
func TestUnlisted(t *testing.T) {
	for _, tt := range []struct {
		kind, directive, names, user string
		want                         bool
	}{
		{"permission_denied_as_401", "require user cfo", "cfo", "jane", true},
		{"endpoint_misconfigured", "require user cfo", "cfo", "jane", true},
		{"endpoint_misconfigured", "require user cfo jane", "cfo jane", "jane", false},
		{"endpoint_misconfigured", "require user cfo", "cfo", "", false},
		{"endpoint_misconfigured", "require group finance", "finance", "jane", false},
		{"permission_denied_as_401", "require group finance", "finance", "jane", true},
	} {
		fact := rules.Fact{Kind: rules.RequireTooNarrow, Name: tt.names, Lines: []rules.Line{{Directive: tt.directive}}}
		if got := unlisted(&result.Finding{Kind: tt.kind}, []example{{user: tt.user}}, nil, &fact); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
