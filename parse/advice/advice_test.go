package advice

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"logscan/parse"
)

func format(t *testing.T, spec string) *parse.Format {
	t.Helper()
	if f, ok := parse.Lookup(spec); ok {
		return f
	}
	f, err := parse.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// values are what a server would write for a variable, directive or key.
var values = map[string]string{
	"$remote_addr": "203.0.113.1", "%h": "203.0.113.1",
	"$remote_user": "jane", "%u": "jane", "%l": "-",
	"$time_local": "09/Mar/2026:14:05:00 +0000", "%t": "[09/Mar/2026:14:05:00 +0000]",
	"$msec": "1773065100.123", "%{msec}t": "1773065100123", "%{%Y-%m-%dT%H:%M:%S}t": "2026-03-09T14:05:00",
	"$request": "GET /a HTTP/1.1", "%r": "GET /a HTTP/1.1",
	"$status": "401", "%>s": "401", "$body_bytes_sent": "17", "%b": "17", "%O": "17",
	"$http_referer": "https://a.example/", "%{Referer}i": "https://a.example/",
	"$http_user_agent": "curl/8", "%{User-Agent}i": "curl/8",
	"$cookie_SESSIONNAME": "s1", "%{SESSIONNAME}C": "s1",
	"$host": "a.example", "%v": "a.example", "$http_host": "a.example", "%p": "443",
	"$upstream_addr": "10.0.0.1:80, 10.0.0.2:80", "%{BALANCER_WORKER_NAME}e": "http://10.0.0.2:80",
	"$upstream_status": "502, 401", "$request_time": "0.003", "%D": "3000",
	"$scheme": "https", "%{request_scheme}e": "https",
	"$sent_http_www_authenticate": `Basic realm=\x22a b\x22`, "%{WWW-Authenticate}o": `Basic realm=\"a b\"`,
	"$http_x_forwarded_for": "203.0.113.9, 10.0.0.1", "%{X-Forwarded-For}i": "203.0.113.9",
	"$request_length": "90", "$proxy_upstream_name": "web", "$proxy_alternative_upstream_name": "",
	"$upstream_response_length": "17", "$upstream_response_time": "0.003", "$req_id": "529a",
	"$request_id": "it's",
}

var variable = regexp.MustCompile(`\$\{?[a-zA-Z_]+\}?|%\{[^}]*\}[a-zA-Z]|%>?[a-zA-Z]`)

// written returns the line that a server writes with a format string.
func written(t *testing.T, spec string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(spec, func(v string) string {
		value, ok := values[v]
		if !ok {
			t.Fatalf("no value for %s in %s", v, spec)
		}
		return value
	})
}

// advised covers all advice for text formats: the format and a line of it.
var advised = []struct {
	name, format, line string
	servers            string
}{
	{"combined", "combined", `203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"`, "nginx Apache"},
	{"combined of clients behind a proxy", "combined", `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"`, "nginx Apache"},
	{"main", "main", `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8" "-"`, "nginx"},
	{"common", "common", `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179`, "Apache"},
	{"common of nginx", nginxCommon, `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179`, "nginx Apache"},
	{"combined and more", "combined-and-more", `203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8" 0.2 x`, "nginx Apache"},
	{"vhost_combined", "vhost_combined", `a.example:443 10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"`, "Apache"},
	{"ingress-nginx", "ingress-nginx", `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8" 89 0.001 [web] [] 172.17.0.5:80 59 0.001 502 529a`, "ingress-nginx"},
	{"Apache without a time zone or a user", `%h %{%Y-%m-%dT%H:%M:%S}t \"%r\" %>s`, `203.0.113.1 2026-03-09T14:05:00 "GET /a HTTP/1.1" 401`, "Apache"},
	{"nginx with quotes", `$remote_addr	'$status' "$request" \$request_id`, `203.0.113.1	'401' "GET /a HTTP/1.1" \it's`, "nginx"},
}

// TestAdviceClosesTheGaps checks that a line in the advised format holds all added fields
// and those that were there before.
func TestAdviceClosesTheGaps(t *testing.T) {
	for _, tc := range advised {
		t.Run(tc.name, func(t *testing.T) {
			f := format(t, tc.format)
			before := parse.Survey([]byte(tc.line), f)
			if before.Lines != 1 {
				t.Fatal("the line at hand cannot be read")
			}
			a := For(f, &before, nil)
			var servers []string
			for _, c := range a.Configs {
				servers = append(servers, c.Server)
				g, err := format(t, c.Format).WithFields(c.Fields)
				if err != nil {
					t.Fatal(err)
				}
				spec := c.Format
				if c.Server == "Apache" { // Apache removes the escapes
					spec = strings.ReplaceAll(spec, `\"`, `"`)
				}
				line := written(t, spec)
				after := parse.Survey([]byte(line), g)
				if after.Lines != 1 {
					t.Fatalf("%s: cannot be read:\n%s\n%s", c.Server, c.Format, line)
				}
				for x := range parse.NumExtras {
					if (slices.Contains(c.Adds, x) || before.Has[x] > 0) && after.Has[x] != 1 {
						t.Errorf("%s: %v is not in\n%s", c.Server, x, line)
					}
				}
				if !strings.Contains(c.Scan(), " --format '") || !strings.HasSuffix(c.Scan(), " FILE") {
					t.Errorf("%s: %s", c.Server, c.Scan())
				}
			}
			if got := strings.Join(servers, " "); got != tc.servers {
				t.Errorf("of servers %s, want %s", got, tc.servers)
			}
		})
	}
}

func TestAdviceOfJSON(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		server     string
		after      string // a line as the server would write it
		fields     string
		text       []string
	}{
		{"nginx", `{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"10.0.0.1","request_uri":"/a","status":"401"}`, "nginx",
			`{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"10.0.0.1","request_uri":"/a","status":"401","remote_user":"jane","session":"s1","http_user_agent":"curl","http_referer":"/","host":"a.example","upstream_addr":"10.0.0.2:80","upstream_status":"401","request_time":"0.004","scheme":"https","sent_http_www_authenticate":"Basic","msec":"1773065100.123","http_x_forwarded_for":"203.0.113.9"}`,
			"map[time:msec]", []string{`'"session":"$cookie_SESSIONNAME",'`, `'"msec":"$msec",'`}},
		{"Caddy redacts cookies", caddyLine, "",
			``, "", nil}, // no client sent the other fields
		{"Caddy behind a proxy", `{"ts":1773065100.25,"request":{"remote_ip":"10.0.0.1","host":"a.example","uri":"/a","headers":{}},"user_id":"jane","duration":0.001,"status":401}`, "Caddy",
			`{"ts":1773065100.25,"request":{"remote_ip":"10.0.0.1","host":"a.example","uri":"/a","headers":{}},"user_id":"jane","duration":0.001,"status":401,"session":"0a1b2c3d","upstream_addr":"10.0.0.2:80","scheme":"https"}`,
			"map[]", []string{"\t\t\tsession hash\n", "log_append @session session {http.request.cookie.SESSIONNAME}\n", "log_append scheme {scheme}\n", "log_append upstream_addr {http.reverse_proxy.upstream.hostport}\n"}},
		{"Traefik", `{"StartUTC":"2026-03-09T14:05:00.123Z","ClientHost":"203.0.113.1","ClientUsername":"-","DownstreamStatus":401,"OriginStatus":0,"Duration":12000,"RequestPath":"/a"}`, "Traefik",
			`{"StartUTC":"2026-03-09T14:05:00.123Z","ClientHost":"203.0.113.1","ClientUsername":"-","DownstreamStatus":401,"OriginStatus":0,"Duration":12000,"RequestPath":"/a","RequestHost":"a.example","RequestScheme":"https","ServiceAddr":"10.0.0.2:80","request_Cookie":"sessionid=s1","request_User-Agent":"curl","request_Referer":"/","downstream_Www-Authenticate":"Basic"}`,
			"map[reason:downstream_Www-Authenticate scheme:RequestScheme]", []string{"        Cookie: keep\n", "      defaultMode: drop\n"}},
		{"somebody", `{"time":"2026-03-09 14:05:00","status":401,"ip":"10.0.0.1"}`, "JSON",
			`{"time":"2026-03-09 14:05:00","status":401,"ip":"10.0.0.1","user_name":"jane","session_id":"s1","user_agent":"curl","referrer":"/","host":"a.example","upstream_addr":"10.0.0.2:80","upstream_status":"401","duration_ms":4,"scheme":"https","auth_reason":"expired","@timestamp":"2026-03-09T14:05:00.123Z","x_forwarded_for":"203.0.113.9"}`,
			"map[time:@timestamp]", []string{`"session_id": `}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := format(t, "json")
			before := parse.Survey([]byte(tc.line), f)
			a := For(f, &before, nil)
			if tc.server == "" {
				if len(a.Configs) != 1 || !slices.Equal(a.Configs[0].Adds, []parse.Extra{parse.ExtraSession, parse.ExtraUpstream, parse.ExtraScheme}) {
					t.Fatalf("%+v", a.Configs)
				}
				return
			}
			if len(a.Configs) != 1 || a.Configs[0].Server != tc.server {
				t.Fatalf("%+v", a.Configs)
			}
			c := a.Configs[0]
			if got := fmt.Sprint(c.Fields); got != tc.fields {
				t.Errorf("fields %s, want %s", got, tc.fields)
			}
			g, err := f.WithFields(c.Fields)
			if err != nil {
				t.Fatal(err)
			}
			after := parse.Survey([]byte(tc.after), g)
			for _, x := range c.Adds {
				if after.Has[x] != 1 {
					t.Errorf("%v is not read", x)
				}
			}
			for _, s := range tc.text {
				if !strings.Contains(c.Text, s) {
					t.Errorf("%q is not in\n%s", s, c.Text)
				}
			}
		})
	}
}

// TestTable checks that every field has its sentences.
func TestTable(t *testing.T) {
	for x, g := range table {
		name := parse.Extra(x).String()
		if !strings.HasSuffix(g.Why, ".") {
			t.Errorf("%s: why %q", name, g.Why)
		}
		inTime := parse.Extra(x) == parse.ExtraSubSecond || parse.Extra(x) == parse.ExtraTimeZone
		if inTime != (g.Empty == "") {
			t.Errorf("%s: empty %q", name, g.Empty)
		}
	}
}

// TestLoggedIsNotAdvised checks that a variable that is always empty is not advised again.
func TestLoggedIsNotAdvised(t *testing.T) {
	f := format(t, "combined")
	s := parse.Survey([]byte(`203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"`), f)
	a := For(f, &s, nil)
	for _, g := range a.Gaps {
		want := g.Extra == parse.ExtraUser || g.Extra == parse.ExtraReferrer
		if g.Logged != want || want != (g.Empty != "") {
			t.Errorf("%s: logged %v, %q", g.Name(), g.Logged, g.Empty)
		}
	}
	for _, c := range a.Configs {
		if strings.Count(c.Text, "$remote_user") > 1 || strings.Count(c.Text, "%u") > 1 {
			t.Errorf("the user is logged twice:\n%s", c.Text)
		}
	}
}

func TestNothingToAdvise(t *testing.T) {
	f := format(t, "combined")
	if a := For(f, &parse.Presence{}, nil); len(a.Gaps) > 0 || len(a.Configs) > 0 {
		t.Errorf("of no line: %+v", a)
	}
	s := parse.Presence{Lines: 1}
	for x := range s.Has {
		s.Has[x] = 1
	}
	if a := For(f, &s, nil); len(a.Gaps) > 0 || len(a.Configs) > 0 {
		t.Errorf("of a line that has all: %+v", a)
	}
}

// TestOtherServersAreLeftAlone checks that the format string of another proxy is not taken
// for Apache's or nginx's.
func TestOtherServersAreLeftAlone(t *testing.T) {
	for _, native := range []string{
		`[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE%`,
		`%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %{+Q}r`,
		`%h %^[%d:%t %^] "%r" %s %b "%R" "%u"`,
		"", // a log that names its own columns
	} {
		a := For(&parse.Format{Name: "other", Native: native}, &parse.Presence{Lines: 1}, nil)
		if len(a.Gaps) == 0 || len(a.Configs) != 0 {
			t.Errorf("%s: %d gaps, %+v", native, len(a.Gaps), a.Configs)
		}
	}
}

func TestShellQuoted(t *testing.T) {
	if got := shellQuoted(`a 'b' $c`); got != `'a '\''b'\'' $c'` {
		t.Error(got)
	}
}

// TestNamedFieldsAreKept checks that the fields named by the user stay named.
func TestNamedFieldsAreKept(t *testing.T) {
	f := format(t, `$remote_addr [$time_local] "$request" $status "$cookie_basket" "$http_x real"`)
	named := map[string]string{"session": "cookie_basket", "user": "http_x"}
	g, err := f.WithFields(named)
	if err != nil {
		t.Fatal(err)
	}
	s := parse.Survey([]byte(`203.0.113.1 [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "s1" "jane real"`), g)
	a := For(g, &s, named)
	if len(a.Configs) != 1 || !strings.Contains(a.Configs[0].Scan(), " --field session=cookie_basket --field user=http_x FILE") {
		t.Errorf("%+v", a.Configs)
	}
	if len(named) != 2 {
		t.Errorf("the user's fields are changed: %v", named)
	}
}
