package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/parse"
	"logscan/parse/privacy"
)

// jsonStrings holds values with their JSON.
var jsonStrings = []struct{ in, want string }{
	{"", `""`},
	{"plain", `"plain"`},
	{`say "hi" \ there`, `"say \"hi\" \\ there"`},
	{"line\nbreak\r\ttab", `"line\nbreak\r\ttab"`},
	{"\x00\x1b[31m\x7f", `"\u0000\u001b[31m\u007f"`},
	{"é 漢 😀", `"é 漢 😀"`},
	{"\u202egpj.exe", `"\u202egpj.exe"`},
	{"a\u2028b\u00adc\u0085d", `"a\u2028b\u00adc\u0085d"`},
	{"\xff\xfe\xc3", `"\ufffd\ufffd\ufffd"`},
	{"\xed\xa0\x80", `"\ufffd\ufffd\ufffd"`}, // a surrogate on its own
	{"\U000e0001tag", `"\udb40\udc01tag"`},
	{"\ufffd", `"` + "\ufffd" + `"`},
}

func TestAppendJSON(t *testing.T) {
	for _, c := range jsonStrings {
		if got := string(appendJSON(nil, []byte(c.in))); got != c.want {
			t.Errorf("appendJSON(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func FuzzAppendJSON(f *testing.F) {
	for _, c := range jsonStrings {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := appendJSON([]byte("kept"), in)
		if !strings.HasPrefix(string(out), "kept") {
			t.Fatalf("%q lost its prefix", out)
		}
		out = out[len("kept"):]
		for _, r := range string(out) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q is in the output of %q", r, in)
			}
		}
		var got string
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s of %q: %v", out, in, err)
		}
		var want strings.Builder // each invalid byte is one U+FFFD
		for _, r := range string(in) {
			want.WriteRune(r)
		}
		if got != want.String() {
			t.Fatalf("%q came back as %q", in, got)
		}
	})
}

// printables holds texts with their printable form.
var printables = []struct{ in, want string }{
	{"", ""},
	{"access.log", "access.log"},
	{"naïve 漢字.log", "naïve 漢字.log"},
	{"\x1b[2J\x07", `\x1b[2J\a`},
	{"a\nlogscan: error: forged", `a\nlogscan: error: forged`},
	{"\u202efdp.exe", `\u202efdp.exe`},
	{"\xff\x00", `\xff\x00`},
}

func TestPrintable(t *testing.T) {
	for _, c := range printables {
		if got := printable(c.in); got != c.want {
			t.Errorf("printable(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, c := range printables {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := printable(in)
		if !utf8.ValidString(out) {
			t.Fatalf("%q is not UTF-8", out)
		}
		for _, r := range out {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q is in %q", r, out)
			}
		}
	})
}

// TestRows decodes rows with encoding/json.
func TestRows(t *testing.T) {
	var r rows
	r.open("a \"b\".log")
	e := parse.Entry{
		Time: 1773050400_000001, Status: 401, BodySize: 0, Duration: 1_500_000,
		Method: []byte("GET"), Path: []byte("/a/\xff"), Query: []byte("q=1&token=s3cr3t"), User: []byte("Zoë"),
		Session: []byte("0123456789abcdef"), Client: []byte("192.0.2.1"), Referrer: []byte("https://u:pw@a.example/"),
		AnsweredBy: parse.Upstream, TokenExpiry: 1773050399_000000,
	}
	r.parsed(7, &e)
	r.parsed(8, &parse.Entry{Time: parse.NoTime, Status: -1, BodySize: -1, Duration: -1, TokenExpiry: parse.NoTime})
	r.rejected(9, parse.RejectSyntax, []byte("torn \x00 line ?password=hunter2 x"), &privacy.Line{})
	lines := strings.Split(strings.TrimSuffix(string(r.buf), "\n"), "\n")
	want := []map[string]any{
		{
			"log_file_path": "a \"b\".log", "log_line": 7.0, "timestamp": "2026-03-09T10:00:00.000001Z",
			"http_request_method": "GET", "url_path": "/a/\ufffd", "url_query": "q=1&token=REDACTED",
			"http_response_status_code": 401.0, "http_response_body_size": 0.0, "http_server_request_duration": 1.5,
			"client_address": "192.0.2.1", "user_name": "Zoë", "session_id": privacy.SessionHash(e.Session),
			"auth_answered_by": "upstream", "auth_token_expiry": "2026-03-09T09:59:59Z",
		},
		{"log_file_path": "a \"b\".log", "log_line": 8.0},
		{"log_file_path": "a \"b\".log", "log_line": 9.0, "error": "syntax"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d rows, want %d: %s", len(lines), len(want), r.buf)
	}
	if strings.Contains(lines[1], "auth_") {
		t.Errorf("a row without a reason: %s", lines[1])
	}
	for i, line := range lines {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for key, value := range want[i] {
			if got[key] != value {
				t.Errorf("row %d: %s is %v, want %v", i+1, key, got[key], value)
			}
		}
		for _, secret := range []string{"s3cr3t", "0123456789abcdef", "pw@", "hunter2"} {
			if strings.Contains(line, secret) {
				t.Errorf("row %d holds %s: %s", i+1, secret, line)
			}
		}
	}
}

func TestRowsAllocateNothing(t *testing.T) {
	var r rows
	r.open("access.log")
	e := parse.Entry{
		Time: 1773050400_000000, Status: 200, BodySize: 512, Duration: 1500, Method: []byte("GET"), Path: []byte("/api/orders/17"),
		Query: []byte("page=2"), Client: []byte("192.0.2.1"), UserAgent: []byte("Mozilla/5.0 (X11; Linux x86_64)"), TokenExpiry: 1773050399_000000,
	}
	r.parsed(1, &e)
	if n := testing.AllocsPerRun(100, func() {
		r.buf = r.buf[:0]
		r.parsed(1, &e)
	}); n != 0 {
		t.Errorf("%v allocations per row, want none", n)
	}
}
