package parse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/parse/carrier"
	"logscan/parse/field"
)

// show formats the fields of an entry that are set, in a fixed order.
func show(e *Entry) string {
	var b strings.Builder
	if e.Time != NoTime {
		fmt.Fprintf(&b, "time=%s ", time.UnixMicro(e.Time).UTC().Format(time.RFC3339Nano))
	}
	for _, f := range []struct {
		name  string
		value []byte
	}{
		{"client", e.Client}, {"peer", e.Peer}, {"user", e.User}, {"session", e.Session}, {"method", e.Method},
		{"scheme", e.Scheme}, {"host", e.Host}, {"path", e.Path}, {"query", e.Query}, {"protocol", e.Protocol},
		{"referrer", e.Referrer}, {"agent", e.UserAgent}, {"upstream", e.Upstream}, {"upstream_status", e.UpstreamStatus},
		{"reason", e.Reason},
	} {
		if len(f.value) > 0 {
			fmt.Fprintf(&b, "%s=%q ", f.name, f.value)
		}
	}
	if e.Status >= 0 {
		fmt.Fprintf(&b, "status=%d ", e.Status)
	}
	if e.BodySize >= 0 {
		fmt.Fprintf(&b, "bytes=%d ", e.BodySize)
	}
	if e.Duration >= 0 {
		fmt.Fprintf(&b, "duration=%d ", e.Duration)
	}
	return strings.TrimSpace(b.String())
}

// lineTests are lines and the entries they are parsed into. An empty format is
// detected.
var lineTests = []struct{ name, format, line, want string }{
	{
		"nginx combined", "", `192.0.2.1 - jane [09/Mar/2026:14:05:00 +0100] "GET /a?b=1 HTTP/1.1" 401 179 "https://x/y" "Mozilla/5.0"`,
		`time=2026-03-09T13:05:00Z client="192.0.2.1" user="jane" method="GET" path="/a" query="b=1" protocol="HTTP/1.1" referrer="https://x/y" agent="Mozilla/5.0" status=401 bytes=179`,
	},
	{
		"a user with spaces", "combined", `::1 - jane q. doe [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="::1" user="jane q. doe" method="GET" path="/" protocol="HTTP/1.1" status=200 bytes=0`,
	},
	{
		"escapes in an nginx user", "combined", `::1 - jo\x22anna \x5Cn [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="::1" user="jo\"anna \\n" method="GET" path="/" protocol="HTTP/1.1" status=200 bytes=0`,
	},
	{
		"escapes in an Apache user", "common", `::1 - corp\\nick [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0`,
		`time=2026-03-09T14:05:00Z client="::1" user="corp\\nick" method="GET" path="/" protocol="HTTP/1.1" status=200 bytes=0`,
	},
	{
		"no escapes in a raw format", "escape=none $remote_addr|$remote_user|$time_iso8601|$status", `::1|corp\nick|2026-03-09T14:05:00Z|200`,
		`time=2026-03-09T14:05:00Z client="::1" user="corp\\nick" status=200`,
	},
	{
		"a user with the literal before a time", "combined", `::1 - a [b] [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="::1" user="a [b]" method="GET" path="/" protocol="HTTP/1.1" status=401 bytes=0`,
	},
	{
		"a user that is a time", "combined", `::1 - x [10/Oct/2000:13:55:36 -0700] \x22GET / [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="::1" user="x [10/Oct/2000:13:55:36 -0700] \"GET /" method="GET" path="/" protocol="HTTP/1.1" status=401 bytes=0`,
	},
	{
		"HAProxy escapes", "haproxy", `192.0.2.1:4711 [09/Mar/2026:14:05:00.250] http-in app/s1 0/0/0/1/1 200 134 - - ---- 1/1/0/0/0 0/0 "GET /a#22b\n#zz?q=#23 HTTP/1.1"`,
		`time=2026-03-09T14:05:00.25Z client="192.0.2.1" method="GET" path="/a\"b\\n#zz" query="q=#" protocol="HTTP/1.1" upstream="app/s1" status=200 bytes=134 duration=1000`,
	},
	{
		"the requested host is preferred to the server name", "$server_name $http_host $remote_addr [$time_local] $status", `_ www.example.org:8080 ::1 [09/Mar/2026:14:05:00 +0000] 401`,
		`time=2026-03-09T14:05:00Z client="::1" host="www.example.org" status=401`,
	},
	{
		"the server name without a requested host", "$http_host $server_name $remote_addr [$time_local] $status", `- www.example.org ::1 [09/Mar/2026:14:05:00 +0000] 400`,
		`time=2026-03-09T14:05:00Z client="::1" host="www.example.org" status=400`,
	},
	{
		"nginx escapes", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /\x22\xC3\xA9 HTTP/1.1" 200 1 "-" "a\x22b\x5C"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/\"é" protocol="HTTP/1.1" agent="a\"b\\" status=200 bytes=1`,
	},
	{
		"Apache escapes", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 1 "-" "say \"hi\" \\ \t\n"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" agent="say \"hi\" \\ \t\n" status=200 bytes=1`,
	},
	{
		"an unescaped quote", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 1 "https://x/?q=15"y" "x"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" referrer="https://x/?q=15\"y" agent="x" status=200 bytes=1`,
	},
	{
		"TLS on the plain port", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "\x16\x03\x01\x00" 400 150 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" status=400 bytes=150`,
	},
	{
		"an empty request", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "" 400 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" status=400 bytes=0`,
	},
	{
		"HTTP/0.9", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /old" 200 5 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/old" status=200 bytes=5`,
	},
	{
		"spaces in the path", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a b c HTTP/1.1" 400 5 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/a b c" protocol="HTTP/1.1" status=400 bytes=5`,
	},
	{
		"absolute form", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET http://u:p@www.example.org:8080/p?q HTTP/1.1" 200 5 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" scheme="http" host="www.example.org" path="/p" query="q" protocol="HTTP/1.1" status=200 bytes=5`,
	},
	{
		"status 000", "combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 000 0 "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=0 bytes=0`,
	},
	{
		"Apache's dash for no bytes", "", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "-" 408 - "-" "-"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" status=408`,
	},
	{
		"bare dashes for quoted fields", "", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 12 - -`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/" protocol="HTTP/1.1" status=401 bytes=12`,
	},
	{
		"a list of forwarded addresses", "", `10.0.0.2, 203.0.113.9, 10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"`,
		`time=2026-03-09T14:05:00Z client="203.0.113.9" method="GET" path="/" protocol="HTTP/1.1" agent="x" status=200 bytes=5`,
	},
	{
		"virtual host in front", "", `www.example.org:443 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 381 "-" "x"`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" method="GET" host="www.example.org" path="/" protocol="HTTP/1.1" agent="x" status=401 bytes=381`,
	},
	{
		"nginx main", "", `10.0.0.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x" "198.51.100.7"`,
		`time=2026-03-09T14:05:00Z client="10.0.0.1" method="GET" path="/" protocol="HTTP/1.1" agent="x" status=200 bytes=612`,
	},
	{
		"ingress-nginx, retried upstream", "", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /p HTTP/1.1" 200 59 "-" "curl" 89 0.001 [default-web-8080] [] 172.17.0.5:8080, 172.17.0.6:8080 0, 59 0.001, 0.000 502, 200 529a`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" method="GET" path="/p" protocol="HTTP/1.1" agent="curl" upstream="172.17.0.6:8080" upstream_status="200" status=200 bytes=59 duration=1000`,
	},
	{
		"a custom log_format", `$remote_addr [$time_iso8601] "$request" $status $request_time "$cookie_session" $upstream_addr $upstream_status`,
		`192.0.2.1 [2026-03-09T14:05:00+02:00] "POST /login HTTP/2.0" 302 0.125 "s3cr3t" 10.0.0.1:80 : 10.0.0.2:80 302 : 200`,
		`time=2026-03-09T12:05:00Z client="192.0.2.1" session="s3cr3t" method="POST" path="/login" protocol="HTTP/2.0" upstream="10.0.0.2:80" upstream_status="200" status=302 duration=125000`,
	},
	{
		"a LogFormat as in the configuration file", `%h %l %u %t \"%r\" %>s %b %D %{PHPSESSID}C`,
		`192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 5 1234 abcdef`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" session="abcdef" method="GET" path="/" protocol="HTTP/1.1" status=200 bytes=5 duration=1234`,
	},
	{
		"a composed URL without a target", `$remote_addr [$time_iso8601] "$request_method $scheme://$host$request_uri $server_protocol" $status`,
		`192.0.2.1 [2026-03-09T14:05:00+00:00] "- http://www.example.org- -" 400`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" scheme="http" host="www.example.org" status=400`,
	},
	{
		"Apache's user without a name in JSON", "json", `{"time":"2026-03-09T14:05:00Z","user":"""","status":401}`,
		`time=2026-03-09T14:05:00Z status=401`,
	},
	{
		"nginx JSON", "", `{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"192.0.2.1","remote_user":"jane","request_method":"GET","request_uri":"/a?b=1","status":"401","body_bytes_sent":12,"request_time":"0.004","session":"s","upstream_addr":"-"}`,
		`time=2026-03-09T14:05:00Z client="192.0.2.1" user="jane" session="s" method="GET" path="/a" query="b=1" status=401 bytes=12 duration=4000`,
	},
	{
		"Caddy", "", `{"level":"info","ts":1773065100.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.1","client_ip":"192.0.2.9","proto":"HTTP/2.0","method":"GET","host":"example.org","uri":"/x","headers":{"User-Agent":["curl/8"],"Cookie":["a=b; sid=zzz"]}},"user_id":"jane","duration":0.001,"size":3,"status":401,"resp_headers":{"Www-Authenticate":["Basic realm=\"x\""]}}`,
		`time=2026-03-09T14:05:00.5Z client="192.0.2.9" user="jane" session="zzz" method="GET" host="example.org" path="/x" protocol="HTTP/2.0" agent="curl/8" reason="Basic realm=\"x\"" status=401 bytes=3 duration=1000`,
	},
	{
		"JSON escapes", "json", `{"time":"2026-03-09T14:05:00Z","status":200,"user_agent":"\u00e9\ud83d\ude00 \"x\" \x41","path":"\/a"}`,
		`time=2026-03-09T14:05:00Z path="/a" agent="é😀 \"x\" A" status=200`,
	},
	{
		"JSON with keys that only look like fields", "json", `{"time":"2026-03-09T14:05:00Z","status":200,"request":{"id":"7","time":"x"},"user":{"id":null},"path":"/a","deep":[[{"status":500}]]}`,
		`time=2026-03-09T14:05:00Z path="/a" status=200`,
	},
}

func TestLines(t *testing.T) {
	for _, tt := range lineTests {
		t.Run(tt.name, func(t *testing.T) {
			f := formatOf(t, tt.format, tt.line)
			p := f.NewParser()
			var e Entry
			for range 2 { // the second time with filled caches
				if v := p.Parse([]byte(tt.line+"\r"), &e); v != Parsed {
					t.Fatalf("%s: %v", f.Name, v)
				}
				if got := show(&e); got != tt.want {
					t.Errorf("%s:\n got %s\nwant %s", f.Name, got, tt.want)
				}
			}
		})
	}
}

func formatOf(t testing.TB, format, line string) *Format {
	t.Helper()
	if format == "" {
		d := Detect([]byte(line+"\n"), Formats())
		if d.Format == nil {
			t.Fatalf("no format explains %s", line)
		}
		return d.Format
	}
	if f, ok := Lookup(format); ok {
		return f
	}
	f, err := Compile(format)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		format, line string
		want         Verdict
	}{
		{"combined", "", SkipBlank},
		{"combined", " \t\r", SkipBlank},
		{"combined", "# Software: x", SkipComment},
		{"combined", "hello", RejectSyntax},
		{"combined", `192.0.2.1 - - [09/Foo/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`, RejectTime},
		{"combined", `192.0.2.1 - - [31/Feb/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`, RejectTime},
		{"combined", `192.0.2.1 - - [09/Mar/9999:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`, RejectTime},
		{"combined", `192.0.2.1 - - [01/Jan/1970:00:00:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"`, RejectTime},
		{"combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 20 0 "-" "-"`, RejectStatus},
		{"combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 x "-" "-"`, RejectNumber},
		{"combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0 "-"`, RejectSyntax},
		{"combined", `192.0.2.1 - - [-] "-" - - "-" "-"`, RejectEmpty},
		{"combined", "\x00\x00\x00", RejectBinary},
		{"combined", "\x01\x02\x03\x04 junk", RejectBinary},
		{"json", "hello", RejectJSON},
		{"json", `{"time":"2026-03-09T14:05:00Z"} x`, RejectJSON},
		{"json", `{"time":"2026-03-09T14:05:00Z",}`, RejectJSON},
		{"json", `{"time":"2026-03-09T14:05:00Z"`, RejectJSON},
		{"json", `{"time":"yesterday","status":200}`, RejectTime},
		{"json", `{"status":"ok","time":"2026-03-09T14:05:00Z"}`, RejectStatus},
		{"json", `{"a":1}`, RejectEmpty},
		{"json", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), RejectJSON},
	} {
		var e Entry
		if v := formatOf(t, tt.format, "").NewParser().Parse([]byte(tt.line), &e); v != tt.want {
			t.Errorf("%s %q: %v, want %v", tt.format, tt.line, v, tt.want)
		}
	}
}

// TestSamples checks that each sample is parsed by its format and detected as it.
func TestSamples(t *testing.T) {
	for _, f := range Formats() {
		for _, s := range f.Samples {
			var e Entry
			want := Parsed
			if !f.HasRequests() {
				want = SkipErrorLog
			}
			if v := f.NewParser().Parse([]byte(s), &e); v != want {
				t.Errorf("%s: %v: %s", f.Name, v, s)
			}
			d := Detect([]byte(s+"\n"), Formats())
			if d.Format == nil {
				t.Errorf("%s: not detected: %s", f.Name, s)
				continue
			}
			if d.Format.Name != f.Name && !strings.HasSuffix(f.Name, "-and-more") {
				t.Errorf("%s: detected as %s: %s", f.Name, d.Format.Name, s)
			}
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"", "neither"},
		{"combined?", "neither"},
		{"$", "without a variable's name"},
		{"${status", "closing brace"},
		{"$remote_addr$status", "at byte 12"},
		{"%h %", "at byte 3"},
		{"%h %{Referer", "at byte 4"},
		{"%h %y", "no such directive"},
		{"$foo", "no field that is known"},
	} {
		if _, err := Compile(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Compile(%q): %v, want an error with %q", tt.spec, err, tt.want)
		}
	}
}

func TestWithFields(t *testing.T) {
	f, err := Compile(`$remote_addr [$time_local] "$request" $status "$http_x_user" "$cookie_Zed"`)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = f.WithFields(map[string]string{"user": "$http_x_user", "session": "cookie_zed"}); err != nil {
		t.Fatal(err)
	}
	var e Entry
	f.NewParser().Parse([]byte(`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 "jane" "abc"`), &e)
	if string(e.User) != "jane" || string(e.Session) != "abc" {
		t.Errorf("text: user %q, session %q", e.User, e.Session)
	}
	j, _ := Lookup("json")
	if j, err = j.WithFields(map[string]string{"user": "ctx.principal.name"}); err != nil {
		t.Fatal(err)
	}
	j.NewParser().Parse([]byte(`{"user":"other","time":"2026-03-09T14:05:00Z","ctx":{"principal":{"name":"jane"}}}`), &e)
	if string(e.User) != "jane" {
		t.Errorf("JSON: user %q", e.User)
	}
	if _, err := f.WithFields(map[string]string{"usr": "x"}); err == nil || !strings.Contains(err.Error(), "user") {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestDetect(t *testing.T) {
	line := func(n int) string {
		return fmt.Sprintf("192.0.2.%d - - [09/Mar/2026:14:05:%02d +0000] \"GET / HTTP/1.1\" 200 %d \"-\" \"x\"\n", n%250, n%60, n)
	}
	var many strings.Builder
	for i := range 1000 {
		if i < 300 {
			many.WriteString("Starting up, please wait\n")
		}
		many.WriteString(line(i))
	}
	d := Detect([]byte(many.String()), Formats())
	if d.Format == nil || d.Format.Name != "combined" || d.Lines != detectLines {
		t.Errorf("junk first: %+v", d)
	}
	if share := float64(d.Explained) / float64(d.Lines); share < 0.7 || share > 0.85 {
		t.Errorf("explained %.2f of the sample, want 1000 of 1300", share)
	}
	if d := Detect([]byte("hello\nworld\n"), Formats()); d.Format != nil || d.Lines != 2 {
		t.Errorf("junk alone: %+v", d)
	}
	if d := Detect(nil, Formats()); d.Format != nil || d.Lines != 0 {
		t.Errorf("nothing: %+v", d)
	}
}

// TestParseAllocs checks that parsing a line does not allocate, in any format.
func TestParseAllocs(t *testing.T) {
	for _, f := range Formats() {
		for _, sample := range f.Samples {
			p := f.NewParser()
			line := []byte(sample)
			var e Entry
			if n := testing.AllocsPerRun(100, func() { p.Parse(line, &e) }); n != 0 {
				t.Errorf("%s: %v allocations a line", f.Name, n)
			}
		}
	}
}

// FuzzParse compares parsing with and without fast paths, and of kept lines, for all
// formats and carriers.
func FuzzParse(f *testing.F) {
	for _, tt := range lineTests {
		f.Add([]byte(tt.line))
	}
	for _, tt := range dialectTests {
		f.Add([]byte(tt.line))
	}
	for _, g := range Formats() {
		for _, s := range g.Samples {
			f.Add([]byte(s))
		}
	}
	var parsers []*Parser
	for _, g := range Formats() {
		parsers = append(parsers, g.NewParser())
	}
	for _, w := range carrier.Carriers() {
		var all []*Format
		for _, g := range Formats() {
			all = append(all, g.carriedBy(w))
		}
		parsers = append(parsers, NewParser(all...))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, p := range parsers {
			name := p.formats[0].Name
			var e, again Entry
			p.Directive(nil)
			if p.Parse(line, &e) == SkipPartial { // as without earlier parts
				p.Directive(nil)
			}
			v := p.Parse(line, &e) // with fast paths, including the repeated second
			first := show(&e)
			plain := NewParser(p.formats...)
			plain.values.general = true
			if w := plain.Parse(line, &again); p.header.format == nil && (w != v || v == Parsed && show(&again) != first) {
				t.Errorf("%s: without fast paths %v %s, with them %v %s", name, w, show(&again), v, first)
			}
			if v == Parsed && e.Time != NoTime && (e.Time < field.MinTime || e.Time >= field.MaxTime) {
				t.Errorf("%s: time %d", name, e.Time)
			}
			if v != Parsed {
				continue
			}
			kept := append([]byte(nil), p.Line(line)...)
			plain.Directive(nil)
			if w := plain.Parse(kept, &again); w != v || show(&again) != first {
				t.Errorf("%s: kept as %q: %v %s, want %s", name, kept, w, show(&again), first)
			}
		}
	})
}

// FuzzDetect checks that detection accepts any bytes, and that its numbers are
// consistent.
func FuzzDetect(f *testing.F) {
	for _, tt := range dialectTests {
		f.Add([]byte(tt.line + "\n" + combinedLine + "\n"))
	}
	f.Add([]byte(iisHeader + "\n" + iisLine + "\n" + iisChanged + "\n" + iisOther))
	f.Fuzz(func(t *testing.T, sample []byte) {
		d := Detect(sample, Formats())
		if d.Explained > d.Lines || d.Lines > detectLines {
			t.Errorf("%d of %d lines", d.Explained, d.Lines)
		}
		if (d.Format == nil) != (len(d.Formats) == 0) || d.Format != nil && d.Explained == 0 {
			t.Errorf("%d lines by %v", d.Explained, d.Formats)
		}
		if d.Format == nil {
			return
		}
		p := NewParser(d.Formats...)
		var e Entry
		for line := range bytes.Lines(sample) {
			p.Parse(bytes.TrimRight(line, "\n"), &e)
		}
	})
}

// FuzzCompile compares parsing with and without fast paths for any format string.
func FuzzCompile(f *testing.F) {
	for _, g := range Formats() {
		f.Add(g.Native, "x")
	}
	for _, tt := range lineTests {
		f.Add(tt.format, tt.line)
	}
	for _, tt := range dialectTests {
		f.Add(tt.spec, tt.line)
	}
	f.Fuzz(func(t *testing.T, spec, line string) {
		g, err := Compile(spec)
		if err != nil {
			return
		}
		var e, again Entry
		v := g.NewParser().Parse([]byte(line), &e)
		p := g.NewParser()
		p.values.general = true
		if w := p.Parse([]byte(line), &again); w != v || v == Parsed && show(&e) != show(&again) {
			t.Errorf("without fast paths %v %s, with them %v %s", w, show(&again), v, show(&e))
		}
		if v == Parsed && e.Time != NoTime && (e.Time < field.MinTime || e.Time >= field.MaxTime) {
			t.Errorf("time %d", e.Time)
		}
	})
}

// Run with: go test ./parse -run XX -bench Parse
func BenchmarkParse(b *testing.B) {
	for _, f := range Formats() {
		if !f.HasRequests() {
			continue
		}
		line := f.Samples[0]
		if f.Name == "combined" { // as long as real lines
			line = `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /api/v1/orders/12345/items?page=2 HTTP/1.1" 200 4179 "https://www.example.org/app/home" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"`
		}
		b.Run(f.Name, func(b *testing.B) {
			p := f.NewParser()
			l := []byte(line)
			var e Entry
			b.SetBytes(int64(len(l)))
			b.ReportAllocs()
			for b.Loop() {
				if p.Parse(l, &e) != Parsed {
					b.Fatal("rejected")
				}
			}
		})
	}
}
