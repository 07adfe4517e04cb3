package parse

import (
	"strings"
	"testing"
)

// TestProgramsByLine reads a line of each program, as its documentation has it, and checks
// that the format is found and that the fields of a request are in it.
func TestProgramsByLine(t *testing.T) {
	for _, tt := range []struct{ format, line, want string }{
		{"uvicorn", `2026-03-09 14:05:00,123 - uvicorn.access - INFO - 192.0.2.1:53210 - "GET /me?x=1 HTTP/1.1" 401`, `client="192.0.2.1" method="GET" path="/me" query="x=1"`},
		{"chi", `2026/03/09 14:05:00 [web-1/Kx2-000001] "GET http://api.example.org/me?x=1 HTTP/1.1" from 192.0.2.1:53210 - 401 13B in 1.2ms`, `client="192.0.2.1" method="GET"`},
		{"oauth2-proxy", `192.0.2.1 - 8601b555 - - [2026/03/09 14:05:00] app.example.org GET - "/oauth2/auth" HTTP/1.1 "curl/8" 401 13 0.002`, `method="GET" host="app.example.org"`},
		{"combined", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET /me HTTP/1.1" 401 12 "-" "curl/8"`, `path="/me"`},
		{"werkzeug", `192.0.2.1 - - [09/Mar/2026 14:05:00] "GET /me HTTP/1.1" 401 -`, `path="/me"`},
		{"spaced+gin", `[GIN] 2026/03/09 - 14:05:00 | 401 |      52.834µs |       192.0.2.1 | GET      "/me?x=1"`, `client="192.0.2.1" method="GET"`},
		{"json", `{"time":"2026-03-09T14:05:00Z","remote_ip":"192.0.2.1","method":"GET","uri":"/me?x=1","status":401,"latency":52834,"latency_human":"52.8µs"}`, `client="192.0.2.1" method="GET"`},
		{"json", `{"level":30,"time":1773065100123,"req":{"method":"GET","url":"/me?x=1","headers":{"user-agent":"curl/8","cookie":"sid=abc"},"remoteAddress":"::ffff:192.0.2.1"},"res":{"statusCode":401,"headers":{"www-authenticate":"Bearer error=\"invalid_token\""}},"responseTime":12}`, `client="192.0.2.1" method="GET" path="/me" query="x=1"`},
		{"json", `{"level":"info","meta":{"req":{"url":"/me","method":"GET"},"res":{"statusCode":401}},"timestamp":"2026-03-09T14:05:00Z"}`, `method="GET" path="/me"`},
		{"json", `{"@timestamp":"2026-03-09T14:05:00Z","log":{"remote_addr":"192.0.2.1","request_method":"GET","request_uri":"/me","status":"401"},"kubernetes":{"pod_name":"x"}}`, `client="192.0.2.1" method="GET" path="/me"`},
		{"json", `{"_index":"logs","_source":{"@timestamp":"2026-03-09T14:05:00Z","source":{"ip":"192.0.2.1"},"http":{"request":{"method":"GET"},"response":{"status_code":401}},"url":{"path":"/me"}}}`, `client="192.0.2.1" method="GET" path="/me"`},
		{"json-message+combined", `{"@timestamp":"2026-03-09T14:05:01Z","message":"192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] \"GET /me HTTP/1.1\" 401 12 \"-\" \"curl/8\"","host":{"name":"h"}}`, `client="192.0.2.1" method="GET" path="/me"`},
		{"json-message+json", `{"time":"2026-03-09T14:05:00Z","msg":"{\"remote_addr\":\"192.0.2.1\",\"method\":\"GET\",\"uri\":\"/me\",\"status\":401}"}`, `client="192.0.2.1" method="GET" path="/me"`},
		{"syslog+logfmt", `2026-03-09T14:05:00.123456+00:00 heroku[router]: at=info method=GET path="/me?x=1" host=app.example.org fwd="192.0.2.1" dyno=web.1 connect=1ms service=18ms status=401 bytes=13`, `client="192.0.2.1" method="GET"`},
		{"logfmt", `method=GET path=/me format=json controller=Api status=401 duration=58.33 time=2026-03-09T14:05:00Z ip=192.0.2.1`, `client="192.0.2.1" method="GET" path="/me"`},
	} {
		d := Detect([]byte(strings.Repeat(tt.line+"\n", 3)), Formats())
		if d.Format == nil || d.Format.Name != tt.format {
			t.Errorf("%s: detected %v: %s", tt.format, d.Best.Name, tt.line)
			continue
		}
		var e Entry
		v := NewParser(d.Formats...).Parse([]byte(tt.line), &e)
		got := show(&e)
		if v != Parsed || e.Status != 401 || e.Time == NoTime {
			t.Errorf("%s: %v: %s", tt.format, v, got)
		}
		for part := range strings.FieldsSeq(tt.want) {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %s in %s", tt.format, part, got)
			}
		}
	}
}

// TestOtherNames finds formats by the names of programs.
func TestOtherNames(t *testing.T) {
	for other, name := range aliases {
		f, ok := Lookup(other)
		if !ok || f.Name != name {
			t.Errorf("%s is not %s", other, name)
		}
	}
	for _, name := range []string{"gin", "echo", "werkzeug", "uvicorn", "gunicorn", "morgan"} {
		if _, ok := Lookup(name); !ok {
			t.Errorf("no format %s", name)
		}
	}
}
