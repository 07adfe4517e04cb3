package parse

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func names(list []Extra) string {
	all := make([]string, len(list))
	for i, x := range list {
		all[i] = x.String()
	}
	return strings.Join(all, " ")
}

func compiled(t *testing.T, spec string) *Format {
	t.Helper()
	if f, ok := Lookup(spec); ok {
		return f
	}
	f, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPresence(t *testing.T) {
	const everything = `$remote_addr - $remote_user [$time_local] "$request" $status "$http_referer" "$http_user_agent" $cookie_sid $host $upstream_addr $upstream_status $request_time $scheme "$sent_http_www_authenticate" $msec`
	for _, tc := range []struct {
		name, format, sample string
		missing              string // extras that no line holds
		logged               string // those of them with a field in the format
		server               string
	}{
		{"combined", "combined", `
203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"
203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179 "-" "curl/8"`,
			"session referrer host upstream upstream_status duration scheme reason sub_second", "referrer", ""},
		{"user and agent always a dash", "combined", `
203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179 "https://a.example/" "-"`,
			"user session user_agent host upstream upstream_status duration scheme reason sub_second", "user user_agent", ""},
		{"behind a proxy without forwarded addresses", "combined", `
10.0.0.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"
::ffff:192.168.0.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"
100.64.3.4 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"`,
			"session host upstream upstream_status duration scheme reason sub_second forwarded", "", ""},
		{"one client is public", "combined", `
10.0.0.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"
203.0.113.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"`,
			"session host upstream upstream_status duration scheme reason sub_second", "", ""},
		{"behind a proxy with forwarded addresses", "main", `
10.0.0.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8" "203.0.113.9"`,
			"session host upstream upstream_status duration scheme reason sub_second", "", ""},
		{"an empty forwarded address", "main", `
10.0.0.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8" "-"`,
			"session host upstream upstream_status duration scheme reason sub_second forwarded", "forwarded", ""},
		{"one client sends an absolute URL", "combined", `
203.0.113.7 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "/" "curl/8"
203.0.113.7 - jane [09/Mar/2026:14:05:00 +0000] "GET https://evil.example/a HTTP/1.1" 401 179 "/" "curl/8"`,
			"session host upstream upstream_status duration scheme reason sub_second", "", ""},
		{"all clients send absolute URLs", "combined", `
203.0.113.7 - jane [09/Mar/2026:14:05:00 +0000] "GET https://a.example/a HTTP/1.1" 401 179 "/" "curl/8"`,
			"session upstream upstream_status duration reason sub_second", "", ""},
		{"everything", everything, `
203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "/" "curl/8" s1 a.example 10.0.0.1:80 401 0.003 https "Bearer" 1773065100.123`,
			"", "", ""},
		{"no refusals, so no reason", everything, `
203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 "/" "curl/8" s1 a.example 10.0.0.1:80 200 0.003 https "-" 1773065100.123`,
			"", "", ""},
		{"refused without a reason", everything, `
203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 "/" "curl/8" s1 a.example - - 0.003 https "-" 1773065100.123`,
			"upstream upstream_status reason", "upstream upstream_status reason", ""},
		{"times without a zone", "%{%Y-%m-%dT%H:%M:%S}t %h %>s", "2026-03-09T14:05:00 203.0.113.1 200",
			"user session user_agent referrer host upstream upstream_status duration scheme reason sub_second time_zone", "", ""},
		{"times with a zone", "%{%Y-%m-%dT%H:%M:%S%z}t %h %>s", "2026-03-09T14:05:00-0500 203.0.113.1 200",
			"user session user_agent referrer host upstream upstream_status duration scheme reason sub_second", "", ""},
		{"no line can be parsed", "combined", "It was a dark night.\n", "", "", ""},
		{"nothing", "combined", "", "", "", ""},
		{"JSON of nginx", "json", `{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"203.0.113.1","remote_user":"","request_uri":"/a","status":"401","http_referer":"-","http_user_agent":"curl","request_time":"0.004"}`,
			"user session referrer host upstream upstream_status scheme reason sub_second", "user referrer", "nginx"},
		{"JSON of Caddy, which redacts cookies", "json", `{"ts":1773065100.25,"request":{"remote_ip":"203.0.113.1","method":"GET","host":"a.example","uri":"/a","headers":{"Cookie":["REDACTED"],"User-Agent":["curl"]}},"user_id":"jane","duration":0.001,"status":401,"resp_headers":{"Www-Authenticate":["Basic"]}}`,
			"session referrer upstream upstream_status scheme", "session referrer", "caddy"},
		{"JSON of Traefik", "json", `{"StartUTC":"2026-03-09T14:05:00.123Z","ClientHost":"203.0.113.1","ClientUsername":"-","DownstreamStatus":401,"OriginStatus":0,"Duration":12000,"RequestPath":"/a","ServiceAddr":null}`,
			"user session user_agent referrer host upstream upstream_status scheme reason", "user upstream upstream_status", "traefik"},
		{"JSON of an unknown server", "json", `{"time":"2026-03-09 14:05:00","status":401,"ip":"203.0.113.1"}`,
			"user session user_agent referrer host upstream upstream_status duration scheme reason sub_second time_zone", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Survey([]byte(strings.TrimPrefix(tc.sample, "\n")), compiled(t, tc.format))
			missing := s.Missing()
			if got := names(missing); got != tc.missing {
				t.Errorf("missing\n     %s\nwant %s", got, tc.missing)
			}
			var logged []Extra
			for _, x := range missing {
				if s.Logged[x] {
					logged = append(logged, x)
				}
			}
			if got := names(logged); got != tc.logged {
				t.Errorf("logged without a value: %s, want %s", got, tc.logged)
			}
			if s.Server != tc.server {
				t.Errorf("server %q, want %q", s.Server, tc.server)
			}
		})
	}
}

// TestPresenceAdds checks that sums of samples equal one sample of all lines.
func TestPresenceAdds(t *testing.T) {
	f, _ := Lookup("combined")
	a := []byte(`203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"` + "\n")
	b := []byte(`10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179 "/x" "-"` + "\n\nno line\n")
	sum, other, all := Survey(a, f), Survey(b, f), Survey(append(append([]byte(nil), a...), b...), f)
	sum.Add(&other)
	if !reflect.DeepEqual(sum, all) {
		t.Errorf("%+v, want %+v", sum, all)
	}
	if sum.Lines != 2 || sum.Refused != 1 || sum.Private != 1 || sum.Has[ExtraUser] != 1 {
		t.Errorf("%+v", sum)
	}
}

func TestPresenceOfTwoServers(t *testing.T) {
	caddy, nginx, unread := Presence{Lines: 2, Server: "caddy"}, Presence{Lines: 1, Server: "nginx"}, Presence{}
	sum := Presence{}
	for _, step := range []struct {
		add  Presence
		want string
	}{{caddy, "caddy"}, {unread, "caddy"}, {caddy, "caddy"}, {nginx, ""}} {
		if sum.Add(&step.add); sum.Server != step.want {
			t.Errorf("after %+v: %q, want %q", step.add, sum.Server, step.want)
		}
	}
}

// TestPresenceOfHostileJSON tests deeply nested lines and long keys, whose cost is
// linear in their length.
func TestPresenceOfHostileJSON(t *testing.T) {
	f, _ := Lookup("json")
	deep := strings.Repeat(`{"`+strings.Repeat("k", 100)+`":`, 2000) + "1" + strings.Repeat("}", 2000)
	wide := `{"` + strings.Repeat("k", 100_000) + `":{` + strings.Repeat(`"a":1,`, 20_000) + `"user":"x"},"status":401}`
	if s := Survey([]byte(deep+"\n"+wide), f); s.Lines != 1 || s.Logged[ExtraUser] {
		t.Errorf("%+v", s)
	}
}

// TestSurveyAtOnce compares the survey of lines that are read one after the other with that
// of each line by itself.
func TestSurveyAtOnce(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		user, zone := []string{"-", "ann"}[i%2], []string{"+0000", "+0530", "-0700"}[i%3]
		fmt.Fprintf(&b, "10.0.%d.1 - %s [%02d/Mar/2026:10:%02d:%02d %s] \"GET /a HTTP/1.1\" %d 5 \"-\" \"curl/8\"\n", i%7, user, 1+i/150, i/10%60, i%60/5, zone, 200+201*(i%2))
		if i%50 == 0 {
			b.WriteString("10.0.0.1 - - [no time] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8\"\n")
		}
	}
	sample := []byte(b.String())
	f, ok := Lookup("combined")
	if !ok {
		t.Fatal("no format combined")
	}
	got, want := Survey(sample, f), Survey(nil, f)
	p := f.NewParser()
	var e Entry
	for line := range bytes.SplitSeq(sample, newline) {
		p.values.clock.Forget()
		p.values.zoned = false
		if p.Parse(line, &e) == Parsed {
			want.add(p, &e)
		}
	}
	if got != want || got.Lines == 0 {
		t.Errorf("%+v, want %+v", got, want)
	}
}
