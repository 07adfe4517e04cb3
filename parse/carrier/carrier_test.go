package carrier

import (
	"fmt"
	"strings"
	"testing"
)

var locateTests = []struct{ carrier, line, want string }{
	{"docker", `{"log":"GET / \"x\"\n","stream":"stderr","time":"2026-03-09T14:05:00.1Z"}`, `GET / \"x\"\n json stream=1 2026-03-09T14:05:00.1Z`},
	{"docker", `{"log":"cut he","stream":"stdout","attrs":{"tag":"a,]"},"time":"2026-03-09T14:05:00.1Z"}`, `cut he json partial 2026-03-09T14:05:00.1Z`},
	{"docker-lines", `{"stream":"stdout","log":"whole"}`, `whole json`},
	{"docker", `{"log":"a"}`, ``},
	{"docker", `{"log":"a\n","stream":"stdout"`, ``},
	{"docker", `{"log":{"a":1},"stream":"stdout"}`, ``},
	{"cri", `2016-10-06T00:17:09.669794202Z stdout F The content`, `The content 2016-10-06T00:17:09.669794202Z`},
	{"cri", `2016-10-06T00:17:09.669794202Z stderr P The con`, `The con partial stream=1 2016-10-06T00:17:09.669794202Z`},
	{"cri", `2016-10-06T00:17:09.669794202Z stdout F`, ` 2016-10-06T00:17:09.669794202Z`},
	{"cri", `2016-10-06T00:17:09.669794202Z stdin F x`, ``},
	{"journald", `{"__REALTIME_TIMESTAMP":"1773065100000000","_HOSTNAME":"h","MESSAGE":"a \"b\""}`, `a \"b\" json 1773065100000000`},
	{"journald", `{"_HOSTNAME":"h","MESSAGE":[71,69,84]}`, `[71,69,84] bytes=GET`},
	{"journald", `{"MESSAGE":"a"}`, ``},
	{"syslog", `Mon 2026-03-09 14:05:00 CET web1 nginx[771]: a b`, `a b 2026-03-09 14:05:00`},
	{"syslog", `Mon 2026-03-09 14:05:00.25 UTC web1 nginx[771]: a`, `a 2026-03-09 14:05:00.25`},
	{"syslog", `Mon 2026-03-09 14:05:00`, ``}, {"syslog", `Mon 2026-03-09 14:05:00 UTC`, ``}, {"syslog", `Mon 2026-03-09 14:05:00  a`, ``},
	{"caddy-console", "2026/11/23 15:24:28.348\t\x1b[34mINFO\x1b[0m\thttp.log.access\thandled request\t{\"status\": 401}", `{"status": 401} 2026/11/23 15:24:28.348`},
	{"caddy-console", "2026/11/23 15:24:28.348\tINFO\tadmin\tlistening", ``},
	{"caddy-console", "2026/11/23 15:24:28.348\tINFO\ttls\tcleaned\tdone", ``},
	{"caddy-console", "2026-11-23 15:24:28\tGET\t/\t200\t{}", ``},
	{"syslog", `Dec  9 13:01:26 localhost haproxy[28029]: 127.0.0.1:39759 x`, `127.0.0.1:39759 x Dec  9 13:01:26`},
	{"syslog", `<190>Oct 10 13:55:36 nginx: text`, `text Oct 10 13:55:36`},
	{"syslog", `Mar  9 14:05:00 mail sogod [70]: 192.0.2.1 x`, `192.0.2.1 x Mar  9 14:05:00`},
	{"syslog", `2015-08-26T02:09:48+02:00 localhost haproxy[14389]: 5.196`, `5.196 2015-08-26T02:09:48+02:00`},
	{"syslog", `<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time`, `%% It's time 2003-08-24T05:14:15.000003-07:00`},
	{"syslog", `<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [a@1 iut="]\"" b="c"][d] ` + "\xef\xbb\xbf" + `text`, `text 2003-10-11T22:14:15.003Z`},
	{"syslog", `<165>1 - - - - - - text`, `text`},
	{"syslog", `2015-11-17T05:45:24.077255Z elastic-prod 54.161.222.121:40909 10.231.68.180:443 0.1`, ``},
	{"syslog", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0`, ``},
	{"compose", "web-1    | 192.0.2.1 - -", `192.0.2.1 - -`},
	{"compose", "\x1b[36mweb-1  | \x1b[0m2026-03-09T14:05:00.104201333Z text", `text 2026-03-09T14:05:00.104201333Z`},
	{"compose", "web-1  | 2026-03-09T14:05:00.104Z DEBUG text", `2026-03-09T14:05:00.104Z DEBUG text`},
	{"compose", `[GIN] 2026/03/09 - 14:05:00 | 401 | 1ms`, ``},
	{"compose", `| text`, ``},
	{"logcli", `2026-03-09T14:05:00Z {app="web", msg="a\"} b"}      192.0.2.1 - -`, `192.0.2.1 - - 2026-03-09T14:05:00Z`},
	{"logcli", "\x1b[34m2026-03-09T15:05:00+01:00\x1b[0m \x1b[31m{app=\"web\"}  \x1b[0m text", `text 2026-03-09T15:05:00+01:00`},
	{"logcli", `2026-03-09T14:05:00Z {"a":"b"}`, ``},
	{"logcli", `2026-03-09T14:05:00Z {a="b`, ``}, {"logcli", `2026-03-09T14:05:00Z {a="b",}`, ``}, {"logcli", `2026-03-09T14:05:00Z {`, ``}, {"logcli", `2026-03-09T14:05:00Z {a="b", `, ``},
	{"stern", `web-7d4b9c6f5-x2x9z nginx 192.0.2.1 - -`, `192.0.2.1 - -`},
	{"stern", "\x1b[36mweb-x2x9z\x1b[0m \x1b[32mnginx\x1b[0m 2026-03-09T14:05:00.104201333+01:00 192.0.2.1", `192.0.2.1 2026-03-09T14:05:00.104201333+01:00`},
	{"stern", `web-x2x9z 192.0.2.1 - - [09/Mar/2026`, ``}, {"stern", `web-0 nginx 192.0.2.1 - -`, ``}, {"stern", `web-proxy nginx a`, ``}, {"stern", `web-x2x9z nginx`, ``},
	{"stern", `keycloak-0 keycloak 2026-03-09 14:05:00,123 WARN`, `2026-03-09 14:05:00,123 WARN`}, {"stern", `shop-db-1 db a`, `a`}, {"stern", `auth web-7d4b9c6f5-x2x9z nginx a b`, `a b`},
	{"stern", "\x1b[36mweb-0\x1b[0m \x1b[32mnginx\x1b[0m a", `a`}, {"stern", `worker-3 said hello`, ``}, {"stern", `bigdb-0 db a`, ``},
	{"kubectl", `[pod/web-0/nginx] a b`, `a b`}, {"kubectl", `[pod/web-0/nginx] 2026-03-09T14:05:00.104201333Z a`, `a 2026-03-09T14:05:00.104201333Z`},
	{"kubectl", `[pod/web-0] a`, ``}, {"kubectl", `[pod/web-0/a b] a`, ``}, {"kubectl", `[pod/web-0/nginx]`, ``},
	{"syslog", `1773065100.000123 web1 nginx[771]: a`, `a 1773065100.000123`}, {"syslog", `1773065100.123 web1 nginx[771]: a`, ``},
	{"json-message", `{"@timestamp":"2026-03-09T14:05:00.1Z","message":"a b","agent":{"type":"filebeat"}}`, `a b json 2026-03-09T14:05:00.1Z`},
	{"json-message", `{"time":"2026-03-09T14:05:00.1Z","message":"a b","service":"app"}`, ``},
	{"json-message", `{"date":1773065100.2,"log":"2026-03-09T14:05:00.1Z stderr F a \"b\""}`, `a \"b\" json stream=1 2026-03-09T14:05:00.1Z`},
	{"docker-lines", `{"date":1,"stream":"stderr","log":"2026-03-09T14:05:00.1Z stdout F a"}`, `a json 2026-03-09T14:05:00.1Z`},
	{"log-store", `{"labels":{"app":"web"},"line":"2026-03-09T14:05:00.1Z stdout F a"}`, `a json 2026-03-09T14:05:00.1Z`},
	{"log-store", `{"labels":{"app":"web"},"line":"2026-03-09T14:05:00.1Z stdout P a"}`, `2026-03-09T14:05:00.1Z stdout P a json`},
	{"compose", `web.1.zx4k2m9q8w7e@node1    | a b`, `a b`},
	{"aws-tail", `2026-03-09T14:05:00.123000+00:00 ecs/nginx/0b1f a b`, `a b 2026-03-09T14:05:00.123000+00:00`},
	{"aws-tail", `2026-03-09T14:05:00.123000+00:00 web1 nginx: a`, ``}, {"aws-tail", `2026-03-09T14:05:00.123000+00:00 ecs/nginx`, ``},
	{"fluentd", "2026-03-09T14:05:00+00:00\tkube.web\t{\"log\":\"a b\",\"stream\":\"stderr\"}", `a b json stream=1 2026-03-09T14:05:00+00:00`},
	{"fluentd", "2026-03-09T14:05:00+00:00\tkube.web\t{\"message\":\"a b\"}", ``}, {"fluentd", "2026-03-09T14:05:00+00:00\tkube.web", ``},
	{"log-store", `{"labels":{"app":"web"},"line":"a \"b\"","timestamp":"2026-03-09T14:05:00.1Z"}`, `a \"b\" json 2026-03-09T14:05:00.1Z`},
	{"log-store", `{"resource":{"type":"k8s_container"},"textPayload":"a","timestamp":"2026-03-09T14:05:00.1Z"}`, `a json 2026-03-09T14:05:00.1Z`},
	{"log-store", `{"logStreamName":"s","timestamp":1773065100000,"message":"a"}`, `a json`}, {"log-store", `{"@timestamp":"2026-03-09 14:05:00.123","@message":"a"}`, `a json 2026-03-09 14:05:00.123`},
	{"log-store", `{"labels":{"a":"b"},"message":"a"}`, ``}, {"log-store", `{"resource":{},"textPayload":"a","httpRequest":{}}`, ``}, {"log-store", `{"labels":{},"line":"a","message":"b"}`, ``},
	{"logger", `2026-03-09 14:05:00,131 INFO uvicorn.access 192.0.2.1:5 - "GET / HTTP/1.1" 401`, `192.0.2.1:5 - "GET / HTTP/1.1" 401 2026-03-09 14:05:00,131`},
	{"logger", `2026-03-09 14:05:00.123  INFO 1 --- [nio-8080-exec-1] c.e.AccessLog : 192.0.2.1 - -`, `192.0.2.1 - - 2026-03-09 14:05:00.123`},
	{"logger", `[2026-03-09T14:05:00Z INFO  actix_web::middleware::logger] 2001:db8::7 "GET /`, `2001:db8::7 "GET / 2026-03-09T14:05:00Z`},
	{"logger", `I, [2026-03-09T14:05:00.123456 #12]  INFO -- : [5f2287e0-9ccf] method=GET path=/`, `method=GET path=/ 2026-03-09T14:05:00.123456`},
	{"logger", `2026-03-09 14:05:00.123 +01:00 [INF] HTTP GET /a responded 401 in 1.2 ms`, `HTTP GET /a responded 401 in 1.2 ms 2026-03-09 14:05:00.123 +01:00`},
	{"logger", `INFO:uvicorn.access:[2001:db8::7]:5 - "GET /`, `[2001:db8::7]:5 - "GET /`},
	{"logger", "2026/03/09 14:05:00 \x1b[32mINFO\x1b[0m access {\"status\":401}", `{"status":401} 2026/03/09 14:05:00`},
	{"logger", `[W 2026-03-09 14:05:00.123 JupyterHub log:192] 401 GET /hub`, `401 GET /hub 2026-03-09 14:05:00.123`},
	{"logger", `2026-03-09 14:05:00 INFO GET /a`, `GET /a 2026-03-09 14:05:00`}, {"logger", `2026-03-09 14:05:00 INFO "GET /a"`, `"GET /a" 2026-03-09 14:05:00`},
	{"logger", `2026-03-09 14:05:00 192.0.2.1 - -`, ``}, {"logger", `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 200 0`, ``},
	{"logger", `2026-03-09 14:05:00 INFO Order 17 of GET requests`, ``}, {"logger", `INFO a b c d e f g h i 192.0.2.1 - -`, ``}, {"logger", `INFO ` + strings.Repeat("x", longestLogger) + ` 192.0.2.1 -`, ``},
	{"logger", `2026-03-09 14:05:00 INFO user="jane" 192.0.2.1 -`, `user="jane" 192.0.2.1 - 2026-03-09 14:05:00`}, {"logger", `INFO`, ``}, {"logger", "INFO a\x1bx 192.0.2.1 -", ``}, {"logger", `INFO "jane" 192.0.2.1`, ``},
	{"docker-logger", `{"log":"2026-03-09 14:05:00 INFO a \"GET / HTTP/1.1\" 401\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`, `\"GET / HTTP/1.1\" 401\n json 2026-03-09T14:05:00.1Z`},
	{"compose-logger", `web-1  | 2026-03-09 14:05:00 INFO 192.0.2.1 -`, `192.0.2.1 - 2026-03-09 14:05:00`},
	{"cri-logger", `2016-10-06T00:17:09.669794202Z stdout F The content`, `The content 2016-10-06T00:17:09.669794202Z`}, {"cri-logger", `x`, ``},
	{"spaced", "a\tb", "a\tb"},
	{"spaced", `a  b`, `a  b`},
	{"spaced", `a b "c  d"`, ``},
	{"json-spread", `{`, `{ partial`},
	{"json-spread", `  "a": [1, 2],`, `  "a": [1, 2] partial`},
	{"json-spread", `    401,`, `    401 partial`},
	{"json-spread", `},`, `} partial`},
	{"json-spread", `    },`, `    } partial`},
	{"json-spread", `[`, `[ partial`},
	{"json-spread", `"a": {`, `"a": { partial`},
	{"json-spread", `"1","2","3"`, ``},
	{"json-spread", `[09/Mar/2026] x`, ``},
	{"json-spread", `  a b`, ``},
	{"json-spread", ` 192.0.2.1 - -`, ``},
	{"syslog", `<x>Oct 10 13:55:36 nginx: text`, ``},
	{"syslog", ``, ``},
}

func TestLocate(t *testing.T) {
	for _, tt := range locateTests {
		c, ok := Lookup(tt.carrier)
		if !ok {
			t.Fatalf("no carrier %s", tt.carrier)
		}
		got := ""
		if x, ok := c.locate([]byte(tt.line)); ok {
			got = tt.line[x.start:x.end]
			switch x.encoding {
			case jsonString:
				got += " json"
			case jsonBytes:
				got += " bytes=" + string(appendBytes(nil, []byte(got)))
			}
			if x.partial {
				got += " partial"
			}
			if x.stream != stdout {
				got += fmt.Sprintf(" stream=%d", x.stream)
			}
			if len(x.stamp) > 0 {
				got += " " + string(x.stamp)
			}
		}
		if got != tt.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", tt.carrier, tt.line, got, tt.want)
		}
	}
}

// TestMessage checks which lines are messages that the application of a log has logged beside
// its requests.
func TestMessage(t *testing.T) {
	logger, _ := Lookup("logger")
	docker, _ := Lookup("docker-logger")
	for _, tt := range []struct {
		carrier *Carrier
		line    string
		want    bool
	}{
		{logger, `2026-03-09 14:05:00.123  INFO 1 --- [main] c.e.Orders : Order 17 was made`, true},
		{logger, "\tat org.example.A.b(A.java:12)", true}, {logger, `WARN: low`, true}, {logger, `[E 2026-03-09 14:05:00 App] x`, true},
		{logger, `2026-03-09 14:05:00.123  INFO request{method=GET}: finished status=401`, false}, {logger, `INFO order 4011`, true}, {logger, `INFO order 4011 and 401`, false},
		{logger, `java.lang.IllegalStateException: x`, false}, {logger, `a b c INFO d`, false},
		{docker, `{"log":"INFO started\n","stream":"stdout","time":"2026-03-09T14:05:00.1Z"}`, true}, {docker, `INFO started`, false},
	} {
		if got := tt.carrier.Message([]byte(tt.line)); got != tt.want {
			t.Errorf("%s of %s: %t", tt.line, tt.carrier.Name, got)
		}
	}
	if syslog, _ := Lookup("syslog"); syslog.Message([]byte(`INFO started`)) {
		t.Error("syslog has messages")
	}
}

func TestReadAllocs(t *testing.T) {
	for _, tt := range locateTests {
		c, _ := Lookup(tt.carrier)
		var r Reader
		line := []byte(tt.line)
		if n := testing.AllocsPerRun(10, func() { r.Read(c, line); r.Reset() }); n != 0 {
			t.Errorf("%s: %v allocations for %s", tt.carrier, n, tt.line)
		}
	}
}

// FuzzLocate checks that the text is always a part of the line.
func FuzzLocate(f *testing.F) {
	for _, tt := range locateTests {
		f.Add([]byte(tt.line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		all := Carriers()
		for _, c := range Carriers() {
			if with := c.WithLogger(); with != nil {
				all = append(all, with)
			}
		}
		for _, c := range all {
			c.Message(line)
			if x, ok := c.locate(line); ok {
				if x.start < 0 || x.start > x.end || x.end > len(line) {
					t.Errorf("%s: %+v of %d bytes", c.Name, x, len(line))
				}
				c.Text(line)
			}
		}
	})
}

func TestSpaced(t *testing.T) {
	c, _ := Lookup("spaced")
	for line, want := range map[string]string{
		" a  b\t\"c  d\" ": `a b "c  d"`, "\x1b[31m\x1b[1ma\x1b[0m  b": "a b", `a  "b\"  c"  d`: `a "b\"  c" d`, "a  b\x1b": "a b\x1b", "  ": "",
	} {
		if got, _, ok := c.Text([]byte(line)); !ok || string(got) != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestObjects reads texts line by line, and what follows an object in its line as another.
func TestObjects(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"a\":\n1}\n{\"b\":[{}]}":                                            `+ + { "a": 1} {"b":[{}]}`,
		"[\n  {\n    \"a\": 1\n  },\n  {\n  }\n]":                                `+ + + {     "a": 1   } + {   } +`,
		"{\"a\":1},{\"b\":2} {\n\"c\":3}":                                        `{"a":1} {"b":2} + { "c":3}`,
		"[{\"a\":1}]\n,[ ]":                                                      `{"a":1} +`,
		"{\n\"Records\" :[\n{\"a\":\n1},{\"b\":2}\n]\n}":                         `+ + + {"a": 1} {"b":2} + +`,
		"{\"records\":[{\"a\":1},\n{\"b\":2}]}":                                  `{"a":1} {"b":2}`,
		"{\"events\": [\n{\"logStreamName\":\"s\",\n\"message\":\"a\\\"b\"}\n]}": `+ + a"b +`,
		"{\"@odata.context\":\"u\",\n\"value\": [{\"b\":2}]}":                    `+ {"b":2}`,
		"{\n\"a\": 1,\n{\n\"b\": 2\n}":                                           `+ + damaged + + {   "b": 2 }`,
		"{\n\"a\": \"x\n{\"b\":2}":                                               `+ damaged {"b":2}`,
		"{\n]\n{\"b\":2}":                                                        `+ damaged {"b":2}`,
		"x\n{\"b\":\"}{\\\"\"}":                                                  `foreign {"b":"}{\""}`,
	} {
		c, _ := Lookup("json-spread")
		var r Reader
		var got []string
		for line := range strings.SplitSeq(text, "\n") {
			for rest := []byte(line); rest != nil; rest = r.Rest() {
				text, result := r.Read(c, rest)
				switch result {
				case Whole:
					got = append(got, string(text))
				case Continues:
					got = append(got, "+")
				case Damaged:
					got = append(got, "damaged")
				default:
					got = append(got, "foreign")
				}
			}
		}
		if got := strings.Join(got, " "); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

// TestWhole checks where blocks of lines end.
func TestWhole(t *testing.T) {
	for text, want := range map[string]int{
		"{\n}\n": 4, "{\n}\n{\n": 4, "{\n}\n{}, {\n": 4, "{\n": 0, "": 0, "{}\n{": 3, "{\n{\n}\n": 6, "[\n{\"a\":\n": 2,
	} {
		c, _ := Lookup("json-spread")
		if n := c.Whole([]byte(text)); n != want {
			t.Errorf("%q: %d, want %d", text, n, want)
		}
	}
}
