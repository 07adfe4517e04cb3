package parse

import (
	"logscan/parse/events"

	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// someLines returns n lines made from a pattern whose {n} is the number of the line.
func someLines(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(pattern, "{n}", fmt.Sprint(i%250)) + "\n")
	}
	return b.String()
}

const (
	asCombined = `198.51.100.{n} - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179 "-" "Mozilla/5.0 (X11)"`
	asCommon   = `198.51.100.{n} - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179`
)

// TestMeaningBeforeCount checks that a line keeps what one format reads of it, whatever
// other formats can do with most of the lines.
func TestMeaningBeforeCount(t *testing.T) {
	for _, tt := range []struct {
		name, log, line string
		want            string // client, host, user and user agent
	}{
		{"half has fields more", someLines(150, asCombined) + someLines(150, asCombined+` 0.004 HIT`), asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"the other half", someLines(150, asCombined) + someLines(150, asCombined+` 0.004 HIT`), asCombined + ` 0.004 HIT`, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a tenth has fields less", someLines(270, asCombined) + someLines(30, asCommon+` 0.004`), asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"most have fields less", someLines(30, asCombined) + someLines(270, asCommon+` 0.004`), asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"fields less, read as far as they go", someLines(30, asCombined) + someLines(270, asCommon+` 0.004`), asCommon + ` 0.004`, "198.51.100.{n} - jane -"},
		{"odd lines", someLines(195, asCombined) + someLines(5, "x "+asCommon+` y z`), asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"virtual host", someLines(20, "a.example "+asCommon), "a.example " + asCommon, "198.51.100.{n} a.example jane -"},
		{"virtual host and port, fields more", someLines(20, "a.example:443 "+asCombined+" 17 x"), "a.example:443 " + asCombined + " 17 x", "198.51.100.{n} a.example jane Mozilla/5.0 (X11)"},
		{"virtual host, fields more", someLines(20, "a.example "+asCommon+" 17"), "a.example " + asCommon + " 17", "198.51.100.{n} a.example jane -"},
		{"a server without a name", someLines(20, "10.0.0.4:443 "+asCombined), "10.0.0.4:443 " + asCombined, "198.51.100.{n} 10.0.0.4 jane Mozilla/5.0 (X11)"},
		{"another address in front", someLines(20, "203.0.113.{n} "+asCombined), "203.0.113.7 " + asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a list in front", someLines(20, "203.0.113.{n}, 10.0.0.9 "+asCombined), "203.0.113.7, 10.0.0.9 " + asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a list in quotes in front", someLines(20, `"203.0.113.{n}, 10.0.0.9" `+asCombined), `"203.0.113.7, 10.0.0.9" ` + asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a list behind", someLines(20, asCombined+` "203.0.113.{n}, 10.0.0.9"`), asCombined + ` "203.0.113.7, 10.0.0.9"`, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"two blanks", someLines(20, strings.ReplaceAll(asCombined, " - ", "  -  ")), strings.ReplaceAll(asCombined, " - ", "  -  "), "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a blank in front", someLines(20, " "+asCombined), " " + asCombined, "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"tabs between columns", someLines(20, strings.NewReplacer(" - jane ", "\t-\tjane\t", `] "`, "]\t\"", `" 2`, "\"\t2").Replace(asCommon)), strings.NewReplacer(" - jane ", "\t-\tjane\t", `] "`, "]\t\"", `" 2`, "\"\t2").Replace(asCommon), "198.51.100.{n} - jane -"},
		{"no quotes", someLines(20, strings.ReplaceAll(asCommon, `"`, ``)), strings.ReplaceAll(asCommon, `"`, ``), "198.51.100.{n} - jane -"},
		{"user in brackets", someLines(20, strings.ReplaceAll(asCombined, "jane", "[jane]")), "", ""},
		{"client in brackets", someLines(20, strings.ReplaceAll(asCombined, "198.51.100.{n}", "[198.51.100.{n}]")), "", ""},
		{"another dash", someLines(20, strings.ReplaceAll(asCombined, " - ", " - - ")), strings.ReplaceAll(asCombined, " - ", " - - "), "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"a word in front", someLines(20, strings.ReplaceAll("web-1 proxy "+asCombined, "jane", "-")), "", ""},
		{"a session id in front", someLines(20, "0123456789abcdef0123456789abcd{n} "+asCombined), "", ""},
		{"a status in front", someLines(20, "302 "+asCombined), "", ""},
		{"a session id for the referrer", someLines(20, strings.ReplaceAll(asCombined, `"-"`, `"0123456789abcdef0123456789abcd{n}"`)), strings.ReplaceAll(asCombined, `"-"`, `"0123456789abcdef0123456789abcd{n}"`), "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
		{"time before the referrer", someLines(20, strings.ReplaceAll(asCombined, ` 179 "-"`, ` 179 0.004 "-"`)), strings.ReplaceAll(asCombined, ` 179 "-"`, ` 179 0.004 "-"`), "198.51.100.{n} - jane Mozilla/5.0 (X11)"},
	} {
		d := Detect([]byte(tt.log), Formats())
		if tt.line == "" {
			if d.Format != nil {
				t.Errorf("%s: read as %s", tt.name, d.Format.Name)
			}
			continue
		}
		if d.Format == nil {
			t.Errorf("%s: not read; the closest is %s", tt.name, d.Best.Name)
			continue
		}
		var e Entry
		v := NewParser(d.Formats...).Parse([]byte(strings.ReplaceAll(tt.line, "{n}", "7")), &e)
		dash := func(b []byte) string {
			if len(b) == 0 {
				return "-"
			}
			return string(b)
		}
		got := dash(e.Client) + " " + dash(e.Host) + " " + dash(e.User) + " " + dash(e.UserAgent)
		if v != Parsed || got != strings.ReplaceAll(tt.want, "{n}", "7") {
			t.Errorf("%s: as %s: %v %s, want %s", tt.name, namesOf(d.Formats), v, got, tt.want)
		}
	}
}

func namesOf(formats []*Format) (names []string) {
	for _, f := range formats {
		names = append(names, f.Name)
	}
	return names
}

// checkMixed detects the formats of lines and checks that none is read by a format that
// reads less of it than another one would that reads it to its end.
func checkMixed(t *testing.T, lines []string) {
	t.Helper()
	d := Detect([]byte(strings.Join(lines, "\n")+"\n"), Formats())
	if len(d.Formats) == 0 {
		return
	}
	p := NewParser(d.Formats...)
	seen := map[string]bool{}
	var e Entry
	for _, line := range lines {
		if seen[line] || p.Parse([]byte(line), &e) != Parsed {
			continue
		}
		seen[line] = true
		got := e.values()
		for _, f := range Formats() {
			var other Entry
			var strange doubts
			q := f.NewParser()
			if f.openEnd || q.Parse([]byte(line), &other) != Parsed || strange.add(f, &other, q.values.hints.ForwardedFor) || strange.distrusted() {
				continue
			}
			if n := other.values(); n > got {
				t.Errorf("%v read %d fields of %s, %s alone %d", namesOf(d.Formats), got, line, f.Name, n)
			}
		}
	}
}

// TestMixes checks logs of two formats in any proportion.
func TestMixes(t *testing.T) {
	all := Formats()
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		a, b := all[r.IntN(len(all))], all[r.IntN(len(all))]
		if a.kind == kindW3C || b.kind == kindW3C {
			continue
		}
		share := 1 + r.IntN(99)
		var lines []string
		for i := range 200 {
			if f := a; i*97%100 < share {
				lines = append(lines, f.Samples[i%len(f.Samples)])
			} else {
				lines = append(lines, b.Samples[i%len(b.Samples)])
			}
		}
		checkMixed(t, lines)
	}
}

// FuzzDetectMixed does the same for lines that are changed.
func FuzzDetectMixed(f *testing.F) {
	for _, g := range Formats() {
		f.Add(g.Samples[0], asCombined, uint8(100))
	}
	f.Fuzz(func(t *testing.T, a, b string, share uint8) {
		if strings.ContainsAny(a+b, "\n\r") || strings.HasPrefix(a, "#") || strings.HasPrefix(b, "#") {
			return
		}
		var lines []string
		for i := range 100 {
			line := a
			if i*97%100 >= int(share) {
				line = b
			}
			lines = append(lines, line)
		}
		checkMixed(t, lines)
	})
}

// checkOdd checks that a few odd lines among lines do not change how those are read.
func checkOdd(t *testing.T, lines, odd []string, at int) {
	t.Helper()
	mixed := slices.Clone(lines)
	for i, line := range odd {
		mixed = slices.Insert(mixed, (at+i*len(lines)/2)%(len(mixed)+1), line)
	}
	alone := Detect([]byte(strings.Join(lines, "\n")+"\n"), Formats())
	d := Detect([]byte(strings.Join(mixed, "\n")+"\n"), Formats())
	if alone.Format == nil {
		return // each such log is a case of its own
	}
	if d.Format == nil {
		t.Errorf("%s is not read because of %q", namesOf(alone.Formats), odd)
		return
	}
	p, q := NewParser(alone.Formats...), NewParser(d.Formats...)
	seen := map[string]bool{}
	for _, line := range lines {
		if seen[line] {
			continue
		}
		seen[line] = true
		var want, got Entry
		v, w := p.Parse([]byte(line), &want), q.Parse([]byte(line), &got)
		if w != v || v == Parsed && show(&got) != show(&want) {
			t.Errorf("because of %q, %v read\n%s\nas %v %s\n%v as %v %s", odd, namesOf(d.Formats), line, w, show(&got), namesOf(alone.Formats), v, show(&want))
			return
		}
	}
}

// linesOfFormat returns n lines made from the samples of a format, none if the lines before
// them say how to read them.
func linesOfFormat(f *Format, n int) (lines []string) {
	if f.kind == kindW3C || strings.HasPrefix(f.Samples[0], "#") {
		return nil
	}
	for i := range n {
		lines = append(lines, f.Samples[i%len(f.Samples)])
	}
	return lines
}

// TestOddLines checks logs of each format with lines of others among them.
func TestOddLines(t *testing.T) {
	all := Formats()
	r := rand.New(rand.NewPCG(3, 4))
	for _, f := range all {
		g := all[r.IntN(len(all))]
		if lines := linesOfFormat(f, 100); lines != nil && g.kind != kindW3C {
			checkOdd(t, lines, []string{g.Samples[0], g.Samples[len(g.Samples)-1]}, r.IntN(100))
		}
	}
}

// FuzzOddLines does the same for any lines.
func FuzzOddLines(f *testing.F) {
	all := Formats()
	for i, g := range all {
		f.Add(uint8(i*7), g.Samples[0], "x "+asCommon+" y", uint8(i))
	}
	f.Fuzz(func(t *testing.T, which uint8, a, b string, at uint8) {
		lines := linesOfFormat(all[int(which)%len(all)], 60)
		if lines == nil || strings.ContainsAny(a+b, "\n\r") || strings.HasPrefix(a, "#") || strings.HasPrefix(b, "#") {
			return
		}
		odd := []string{a, b}
		if at%2 == 0 {
			odd = odd[:1]
		}
		checkOdd(t, lines, odd, int(at))
	})
}

// TestFrameworks checks lines of servers and frameworks whose shape is their own.
func TestFrameworks(t *testing.T) {
	const at = "1773065100000000"
	for _, tt := range []struct{ name, line, want string }{ // method, path, status, client, user
		{"uvicorn", `INFO:     192.0.2.1:53210 - "GET /items?x=1 HTTP/1.1" 404 Not Found`, "GET /items 404 192.0.2.1 "},
		{"FastAPI's command", `      INFO   192.0.2.1:53210 - "GET /items HTTP/1.1" 401`, "GET /items 401 192.0.2.1 "},
		{"uvicorn in a container", `web-1  | INFO:     192.0.2.1:53210 - "GET /items HTTP/1.1" 401 Unauthorized`, "GET /items 401 192.0.2.1 "},
		{"gunicorn", `192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 12 "-" "curl/8"`, "GET /a 401 192.0.2.1 jane"},
		{"Gin", `[GIN] 2026/03/09 - 14:05:00 | 401 |     1.234567ms |       192.0.2.1 | GET      "/api/me?x=1"`, "GET /api/me 401 192.0.2.1 "},
		{"Gin in colours", "[GIN] 2026/03/09 - 14:05:00 |\x1b[97;43m 401 \x1b[0m|      12.3µs |       192.0.2.1 |\x1b[97;44m POST    \x1b[0m \"/login\"", "POST /login 401 192.0.2.1 "},
		{"Werkzeug", `192.0.2.1 - - [09/Mar/2026 14:05:00] "GET /api HTTP/1.1" 401 -`, "GET /api 401 192.0.2.1 "},
		{"Werkzeug in colours", "192.0.2.1 - - [09/Mar/2026 14:05:00] \"\x1b[31m\x1b[1mGET /api HTTP/1.1\x1b[0m\" 401 -", "GET /api 401 192.0.2.1 "},
		{"Werkzeug through logging", `INFO:werkzeug:192.0.2.1 - - [09/Mar/2026 14:05:00] "GET /api HTTP/1.1" 401 -`, "GET /api 401 192.0.2.1 "},
		{"Harbor", `[09/Mar/2026:14:05:00 +0000]:192.0.2.1 - "GET /v2/ HTTP/1.1" 401 76 "-" "docker/25.0" 0.007 0.008 .`, "GET /v2/ 401 192.0.2.1 "},
		{"Synapse in a container", `synapse-1  | 2026-03-09 14:05:00,477 - synapse.access.http.8008 - 424 - INFO - PUT-12 - 192.0.2.1 - 8008 - {@jane:example.org} Processed request: 0.001sec/-0.000sec (0.000sec, 0.000sec) (0.000sec/0.000sec/0) 153B 401 "PUT /_matrix/x?a=1 HTTP/1.1" "Element/1.11" [0 dbevts]`, "PUT /_matrix/x 401 192.0.2.1 @jane:example.org"},
		{"Django", `[09/Mar/2026 14:05:00] "GET /admin/ HTTP/1.1" 302 0`, "GET /admin/ 302  "},
		{"morgan, short", `192.0.2.1 jane GET /api?x=1 HTTP/1.1 401 12 - 1.234 ms`, "GET /api 401 192.0.2.1 jane"},
		{"morgan, tiny", `GET /api 401 12 - 1.234 ms`, "GET /api 401  "},
		{"morgan, dev", "\x1b[0mGET /api \x1b[33m401\x1b[0m 1.234 ms - 12\x1b[0m", "GET /api 401  "},
		{"Navidrome", `time="2026-03-09T14:05:00Z" level=debug msg="HTTP: GET http://n/api/x" httpStatus=401 remoteAddr="192.0.2.1:1234" requestId=x elapsedTime=1ms responseSize=12 userAgent="x" method=GET path=/api/x`, "GET /api/x 401 192.0.2.1 "},
		{"the Docker registry", `time="2026-03-09T14:05:00Z" level=info msg="response completed" http.request.method=GET http.request.remoteaddr="192.0.2.1:5" http.request.uri=/v2/ http.response.status=401`, "GET /v2/ 401 192.0.2.1 "},
		{"Authelia", `time="2026-03-09T14:05:00Z" level=trace msg="Replied" method=GET path=/api/state remote_ip=192.0.2.1 status_code=401`, "GET /api/state 401 192.0.2.1 "},
		{"Envoy Gateway", `{"start_time":"2026-03-09T14:05:00.1Z","method":"GET","x-envoy-origin-path":"/api?x=1","protocol":"HTTP/2","response_code":401,"response_flags":"-","duration":3,"x-forwarded-for":"192.0.2.1","user-agent":"curl/8",":authority":"a.example","upstream_host":"10.0.0.1:80","downstream_remote_address":"10.0.0.9:4000"}`, "GET /api 401 10.0.0.9 "},
		{"Fastly", `{"timestamp":"2026-03-09T14:05:00+0000","client_ip":"192.0.2.1","host":"a.example","url":"/api?x=1","request_method":"GET","request_protocol":"HTTP/2","request_referer":"","request_user_agent":"curl/8","response_status":401,"response_body_size":12}`, "GET /api 401 192.0.2.1 "},
		{"Zeek", "1773065100.1\tCx1\t192.0.2.1\t50000\t10.0.0.4\t80\t1\tGET\ta.example\t/api?x=1\t-\t1.1\tcurl/8\t-\t0\t179\t401\tUnauthorized\t-\t-\t(empty)\tjane\t-\t-\t-\t-\t-\t-\t-\t-", "GET /api 401 192.0.2.1 jane"},
		{"Zeek, JSON", `{"ts":1773065100.1,"uid":"Cx1","id.orig_h":"192.0.2.1","id.orig_p":50000,"method":"GET","host":"a.example","uri":"/api","status_code":401,"username":"jane"}`, "GET /api 401 192.0.2.1 jane"},
		{"Caddy before 2.5", `{"level":"info","ts":1773065100.1,"logger":"http.log.access","msg":"handled request","request":{"remote_addr":"[2001:db8::7]:50000","proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/api"},"status":401}`, "GET /api 401 2001:db8::7 "},
		{"GitLab", `{"method":"GET","path":"/x/y","format":"html","status":401,"time":"2026-03-09T14:05:00.1Z","remote_ip":"192.0.2.1","user_id":7,"username":"jane","ua":"curl/8","duration_s":0.12}`, "GET /x/y 401 192.0.2.1 jane"},
		{"NPMplus", `[09/Mar/2026:14:05:00 +0000] a.example:443 192.0.2.1 0.004 "GET /api HTTP/2.0" 401 179 400 - Mozilla/5.0 (X11; Linux)`, "GET /api 401 192.0.2.1 "},
		{"cPanel", `192.0.2.1 - jane%40example.org [03/09/2026:14:05:00 -0000] "GET /cpsess1/x HTTP/1.1" 401 0 "-" "Mozilla/5.0" "s" "-" 2083`, "GET /cpsess1/x 401 192.0.2.1 jane%40example.org"},
		{"Zoraxy", `[2026-03-09 14:05:00.123456] [router:host-http] [origin:a.example] [client 192.0.2.1] [useragent Mozilla/5.0 (X11)] GET /api?x=1 401`, "GET /api 401 192.0.2.1 "},
		{"Jetty", `192.0.2.1 -  jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 381 "-" "curl/8" 3`, "GET /a 401 192.0.2.1 jane"},
		{"IIS with commas", `192.0.2.1, jane, 3/9/26, 14:05:00, W3SVC1, WEB1, 10.0.0.4, 15, 163, 3223, 401, 5, GET, /default.htm, -,`, "GET /default.htm 401 192.0.2.1 jane"},
		{"IIS Advanced Logging", "#Software: IIS Advanced Logging Module\n#Fields: date time cs-uri-stem cs-uri-query sc-status s-computername cs(Referer) sc-win32-status c-ip cs-method cs(User-Agent) cs-username TimeTakenMS\n2026-03-09 14:05:00.123 /api x=1 401 \"WEB1\" - 5 192.0.2.1 GET \"Mozilla/5.0 (X11; Linux)\" jane 15", "GET /api 401 192.0.2.1 jane"},
		{"APISIX", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] a.example "GET /get HTTP/1.1" 401 52 0.004 "-" "curl/8" 10.0.0.5:80 401 0.003 "http://a.example"`, "GET /get 401 192.0.2.1 "},
		{"compose", "web-1    | 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12 \"-\" \"curl/8\"", "GET /a 401 192.0.2.1 jane"},
		{"logcli", "2026-03-09T14:05:00Z {app=\"web\", stream=\"stdout\"} 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12 \"-\" \"curl/8\"", "GET /a 401 192.0.2.1 jane"},
		{"stern", "web-7d4b9c6f5-x2x9z nginx 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12 \"-\" \"curl/8\"", "GET /a 401 192.0.2.1 jane"},
		{"kubectl", "[pod/web-0/nginx] 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12 \"-\" \"curl/8\"", "GET /a 401 192.0.2.1 jane"},
		{"Filebeat", `{"@timestamp":"2026-03-09T14:05:01.000Z","agent":{"type":"filebeat"},"message":"192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12 \"-\" \"curl/8\""}`, "GET /a 401 192.0.2.1 jane"},
		{"CloudWatch", "{\n\"events\": [\n{\n\"logStreamName\": \"s\",\n\"message\": \"192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] \\\"GET /a HTTP/1.1\\\" 401 12 \\\"-\\\" \\\"curl/8\\\"\",\n\"eventId\": \"3\"\n}]}", "GET /a 401 192.0.2.1 jane"},
		{"stern with times", "web-x2x9z api 2026-03-09T14:05:00.123456789Z INFO:     192.0.2.1:5 - \"GET /a HTTP/1.1\" 401 Unauthorized", "GET /a 401 192.0.2.1 "},
		{"Python's logging", `2026-03-09 14:05:00,131 INFO uvicorn.access 192.0.2.1:5 - "GET /a HTTP/1.1" 401`, "GET /a 401 192.0.2.1 "},
		{"aiohttp", `2026-03-09 14:05:00,131 INFO aiohttp.access 192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 175 "-" "curl/8"`, "GET /a 401 192.0.2.1 "},
		{"Spring Boot", `2026-03-09 14:05:00.123  INFO 1 --- [nio-8080-exec-1] c.e.AccessLog : 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 12`, "GET /a 401 192.0.2.1 jane"},
		{"Rails with lograge", `I, [2026-03-09T14:05:00.123456 #12]  INFO -- : [5f2287e0-9ccf-4a03] method=GET path=/a format=json controller=A action=b status=401 duration=1.23`, "GET /a 401  "},
		{"Actix", `[2026-03-09T14:05:00Z INFO  actix_web::middleware::logger] 192.0.2.1 "GET /a HTTP/1.1" 401 0 "-" "curl/8" 0.000123`, "GET /a 401 192.0.2.1 "},
		{"Serilog", `2026-03-09 14:05:00.123 +00:00 [INF] HTTP GET /a responded 401 in 1.2000 ms`, "GET /a 401  "},
		{"Serilog, JSON", `{"Timestamp":"2026-03-09T14:05:00.123Z","Level":"Information","Properties":{"RequestMethod":"GET","RequestPath":"/a","StatusCode":401,"Elapsed":1.2,"ClientIp":"192.0.2.1"}}`, "GET /a 401 192.0.2.1 "},
		{"slog", `{"time":"2026-03-09T15:05:00.9+01:00","level":"WARN","msg":"http_request","method":"POST","path":"/a","status":401,"duration_ms":81,"remote":"192.0.2.1:58246","host":"a.example"}`, "POST /a 401 192.0.2.1 "},
		{"nested keys", `{"timestamp":"2026-03-09T14:05:00.123Z","request":{"method":"GET","path":"/a","ip":"192.0.2.1"},"response":{"status":401}}`, "GET /a 401 192.0.2.1 "},
		{"Tornado", `[W 260309 14:05:00 web:2243] 401 GET /a (192.0.2.1) 1.23ms`, "GET /a 401 192.0.2.1 "},
		{"JupyterHub", `[W 2026-03-09 14:05:00.123 JupyterHub log:192] 401 GET /hub/api/user (jane@192.0.2.1) 0.61ms`, "GET /hub/api/user 401 192.0.2.1 jane"},
		{"Spring Boot in a container", `{"log":"2026-03-09 14:05:00.123  INFO 1 --- [main] c.e.AccessLog : 192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] \"GET /a HTTP/1.1\" 401 12\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`, "GET /a 401 192.0.2.1 "},
		{"Actix in Kubernetes", `2026-03-09T14:05:00.1Z stdout F [2026-03-09T14:05:00Z INFO  actix_web::middleware::logger] 192.0.2.1 "GET /a HTTP/1.1" 401 0 "-" "curl/8" 0.000123`, "GET /a 401 192.0.2.1 "},
		{"compose in colours with times", "\x1b[36mweb-1    | \x1b[0m2026-03-09T14:05:00.123456789Z INFO:     192.0.2.1:5 - \"GET /a HTTP/1.1\" 401 Unauthorized", "GET /a 401 192.0.2.1 "},
	} {
		sample := tt.line + "\n"
		d := Detect([]byte(sample), Formats())
		if d.Format == nil {
			t.Errorf("%s: not detected; the closest is %v", tt.name, d.Best)
			continue
		}
		p := NewParser(d.Formats...)
		var e Entry
		v := Verdict(0)
		for line := range strings.Lines(sample) {
			v = p.Parse([]byte(strings.TrimSuffix(line, "\n")), &e)
		}
		got := fmt.Sprintf("%s %s %d %s %s", e.Method, e.Path, e.Status, e.Client, e.User)
		if v != Parsed || got != tt.want {
			t.Errorf("%s: as %v: %v %s, want %s", tt.name, namesOf(d.Formats), v, got, tt.want)
		}
		timeless := strings.HasPrefix(tt.name, "uvicorn") || strings.HasPrefix(tt.name, "morgan") || strings.HasPrefix(tt.name, "FastAPI")
		if us := fmt.Sprint(e.Time / 1e6 * 1e6); !timeless && us != at {
			t.Errorf("%s: time %s, want %s", tt.name, us, at)
		}
	}
}

// TestBesideMessages checks that requests are found among the messages of their application, and
// that these are skipped, but for events.
func TestBesideMessages(t *testing.T) {
	const request, message, event = `INFO 1 --- [nio-8080-exec-1] c.e.AccessLog : 192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 12`,
		`INFO 1 --- [nio-8080-exec-1] c.e.Orders : Order 17 was made`,
		`DEBUG 1 --- [nio-8080-exec-1] o.s.s.a.dao.DaoAuthenticationProvider : Failed to authenticate since password does not match stored value`
	for name, wrap := range map[string]func(string) string{
		"alone":      func(text string) string { return `2026-03-09T14:05:00.123Z ` + text },
		"local time": func(text string) string { return `2026-03-09 14:05:00.123  ` + text },
		"Kubernetes": func(text string) string {
			return `2026-03-09T14:05:00.123456Z stdout F 2026-03-09 14:05:00.123  ` + text
		},
		"docker compose": func(text string) string { return `app-1  | 2026-03-09 14:05:00.123  ` + text },
		"Docker": func(text string) string {
			return `{"log":"2026-03-09 14:05:00.123  ` + strings.ReplaceAll(text, `"`, `\"`) + `\n","stream":"stdout","time":"2026-03-09T14:05:00.2Z"}`
		},
	} {
		lines := []string{wrap(event), wrap(request)}
		for range 30 {
			lines = append(lines, wrap(message))
		}
		d := Detect([]byte(strings.Join(lines, "\n")), Formats())
		if d.Format == nil || d.Explained == 0 {
			t.Errorf("%s: nothing is detected", name)
			continue
		}
		p := NewParser(d.Formats...)
		var e Entry
		for i, line := range append(lines, wrap(`INFO 1 --- [main] c.e.Orders : answered 401`)) {
			v := p.Parse([]byte(line), &e)
			_, log := p.Event()
			if want := i == 1; (v == Parsed) != want || v.Rejected() && i < len(lines) || (log != nil && p.event.Outcome != events.Other) != (i == 0) {
				t.Errorf("%s, as %v: %v: %s", name, namesOf(d.Formats), v, line)
			}
		}
	}
}

// TestSpreadObjects checks JSON objects over several lines.
func TestSpreadObjects(t *testing.T) {
	object := "{\n  \"ts\": 1773065100.1,\n  \"request\": {\n    \"method\": \"GET\",\n    \"uri\": \"/a\",\n    \"headers\": {\n      \"Accept\": [\n        \"*/*\"\n      ]\n    }\n  },\n  \"status\": 401\n}\n"
	log := strings.Repeat(object, 40)
	d := Detect([]byte(log), Formats())
	if d.Format == nil || d.Format.Name != "json-spread+json" {
		t.Fatalf("detected %v", d.Format)
	}
	p := NewParser(d.Formats...)
	parsed := 0
	var e Entry
	for line := range strings.Lines(log) {
		switch v := p.Parse([]byte(strings.TrimSuffix(line, "\n")), &e); {
		case v == Parsed && e.Status == 401 && string(e.Path) == "/a":
			parsed++
		case v != SkipPartial:
			t.Fatalf("%q: %v, %d %s", line, v, e.Status, e.Path)
		}
	}
	if parsed != 40 {
		t.Errorf("%d objects, want 40", parsed)
	}
	if d := Detect([]byte(strings.Repeat(jsonLine+"\n", 20)), Formats()); d.Format == nil || d.Format.Name != "json" {
		t.Errorf("objects in one line each are detected as %v", d.Format)
	}
}

// TestLogsWithoutRequests checks that error logs are known, with what belongs to their
// messages, and that access logs are not taken for one.
func TestLogsWithoutRequests(t *testing.T) {
	php := "PHP Fatal error:  Uncaught Exception in /srv/x.php:3\nStack trace:\n#0 {main}\n  thrown in /srv/x.php on line 3\n"
	for name, log := range map[string]string{
		"nginx-error":     someLines(9, `2026/03/09 14:05:{n} [error] 7#7: *{n} access forbidden by rule, client: 192.0.2.1, server: _, request: "GET / HTTP/1.1"`)[:0] + strings.Repeat("2026/03/09 14:05:00 [warn] 7#7: *1 upstream response is buffered\n", 9) + php,
		"apache-error":    strings.Repeat("[Mon Mar 09 14:05:00.000001 2026] [core:error] [pid 7:tid 7] [client 192.0.2.1:5] AH00126: Invalid URI\n", 9) + php,
		"keycloak-events": strings.Repeat("2026-03-09 14:05:00,123 INFO  [io.quarkus] (main) Keycloak started\n", 9) + "java.lang.Exception: x\n\tat a.B.c(B.java:3)\n",
	} {
		d := Detect([]byte(log), Formats())
		if d.Format == nil || d.Format.Name != name {
			t.Errorf("%s: detected %v", name, d.Format)
			continue
		}
		p := NewParser(d.Formats...)
		var e Entry
		for line := range strings.Lines(log) {
			if v := p.Parse([]byte(strings.TrimSuffix(line, "\n")), &e); v != SkipErrorLog && v != SkipComment {
				t.Errorf("%s: %v: %s", name, v, line)
			}
		}
	}
	// A container writes both to one log.
	both := someLines(50, asCombined) + strings.Repeat("2026/03/09 14:05:00 [warn] 7#7: *1 upstream response is buffered\n", 9)
	d := Detect([]byte(both), Formats())
	if got := fmt.Sprint(namesOf(d.Formats)); got != "[combined nginx-error]" {
		t.Errorf("a mixed log is read as %s", got)
	}
	var e Entry
	if v := NewParser(d.Formats...).Parse([]byte("junk"), &e); v != RejectSyntax {
		t.Errorf("junk in an access log: %v", v)
	}
}

// TestGivenFormats checks that APISIX's own format string is accepted, as its
// configuration file has it, and Jetty's.
func TestGivenFormats(t *testing.T) {
	for spec, line := range map[string]string{
		`$remote_addr - $remote_user [$time_local] $http_host \"$request\" $status $body_bytes_sent $request_time \"$http_referer\" \"$http_user_agent\" $upstream_addr $upstream_status $upstream_response_time \"$upstream_scheme://$upstream_host$upstream_uri\"`: `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] a.example "GET /a HTTP/1.1" 401 52 0.004 "-" "curl/8" 10.0.0.5:80 401 0.003 "http://a.example/a"`,
		`%{client}a - %u %{dd/MMM/yyyy:HH:mm:ss ZZZ|GMT}t "%r" %s %O "%{Referer}i" "%{User-Agent}i"`: `192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 52 "-" "curl/8"`,
	} {
		f, err := Compile(spec)
		if err != nil {
			t.Error(err)
			continue
		}
		var e Entry
		if v := f.NewParser().Parse([]byte(line), &e); v != Parsed || e.Status != 401 || string(e.Path) != "/a" || e.Time == NoTime {
			t.Errorf("%s: %v %s", spec, v, show(&e))
		}
	}
}

// TestTimeIsNoHost checks that the time that kubectl logs --timestamps puts before a line is
// not read as a virtual host.
func TestTimeIsNoHost(t *testing.T) {
	line := `2026-03-09T14:05:00.104201333Z 192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 612 "-" "Mozilla/5.0"` + "\n"
	if d := Detect([]byte(strings.Repeat(line, 3)), Formats()); d.Format == nil || d.Format.Name != "stamped+combined" {
		t.Errorf("read as %v", d.Format)
	}
}
