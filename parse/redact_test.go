package parse

import (
	"bytes"
	"testing"
)

const planted = "Pl4nted-S3cret_Value"

// secrets are texts that hold the planted secret, and how they look after.
var secrets = []struct{ in, want string }{
	{"token=" + planted, "token=REDACTED"},
	{"a=1&access_token=" + planted + "&b=2", "a=1&access_token=REDACTED&b=2"},
	{"user%5Bpassword%5D=" + planted, "user%5Bpassword%5D=REDACTED"},
	{"user[password]=" + planted + "&x=y", "user[password]=REDACTED&x=y"},
	{"%74oken=" + planted, "%74oken=REDACTED"},
	{"API_KEY=" + planted, "API_KEY=REDACTED"},
	{"/app;jsessionid=" + planted + "?x=1", "/app;jsessionid=REDACTED?x=1"},
	{"/cb?code=" + planted + "&state=2#id_token=" + planted, "/cb?code=REDACTED&state=2#id_token=REDACTED"},
	{"https://jane:" + planted + "@example.org/x", "https://REDACTED@example.org/x"},
	{"Authorization: Bearer " + planted, "Authorization: REDACTED"},
	{"x bearer " + planted + " y", "x bearer REDACTED y"},
	{"x Basic " + planted + "== y", "x Basic REDACTED y"},
	{"/v/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + planted, "/v/REDACTED"},
	{`"a=1; PHPSESSID=` + planted + `; theme=dark"`, `"a=1; PHPSESSID=REDACTED; theme=dark"`},
	{`{"cookie":"theme=1; x=` + planted + `","status":401}`, `{"cookie":"REDACTED","status":401}`},
	{`{"session" : "` + planted + `","status":401}`, `{"session" : "REDACTED","status":401}`},
	{`{"headers":{"Cookie":["` + planted + `"]}}`, `{"headers":{"Cookie":["REDACTED"]}}`},
	{`{"log":"{\"session\":\"` + planted + `\",\"status\":401}"}`, `{"log":"{\"session\":\"REDACTED\",\"status\":401}"}`},
	{`{"authorization":"Bearer ` + planted + `"}`, `{"authorization":"REDACTED"}`},
	{`"GET /?sid=` + planted + ` HTTP/1.1" 401`, `"GET /?sid=REDACTED HTTP/1.1" 401`},
}

func TestSecretsAreRedacted(t *testing.T) {
	for _, tt := range secrets {
		for name, f := range map[string]func(dst, b []byte) []byte{
			"query": AppendRedactedQuery, "URL": AppendRedactedURL, "text": AppendRedactedText,
			"line": func(dst, b []byte) []byte { return AppendRedactedLine(dst, b, nil) },
		} {
			got := f(nil, []byte(tt.in))
			if string(got) != tt.want {
				t.Errorf("%s %q\n got %q\nwant %q", name, tt.in, got, tt.want)
			}
			if again := f(nil, got); !bytes.Equal(again, got) {
				t.Errorf("%s %q: twice it is %q", name, got, again)
			}
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	for _, s := range []string{
		"", "a=1&b=2", "page=2&sort=name", "/a/b;v=1?q=x", "Mozilla/5.0 (X11; Linux x86_64)", "Basic realm=\"x\"",
		`{"status":401,"response_code":401,"path":"/a","author":"jane"}`, "https://example.org/a@b", "12:30:45",
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a?b=1 HTTP/1.1" 401 179 "https://x/y" "Mozilla/5.0"`,
	} {
		if got := AppendRedactedLine(nil, []byte(s), nil); string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestSessionOfTheEntryIsRedacted(t *testing.T) {
	line := []byte(`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 "` + planted + `"`)
	f := formatOf(t, `$remote_addr [$time_local] "$request" $status "$cookie_session"`, "")
	var e Entry
	if v := f.NewParser().Parse(line, &e); v != Parsed {
		t.Fatal(v)
	}
	if got := AppendRedactedLine(nil, line, &e); bytes.Contains(got, []byte(planted)) {
		t.Errorf("it is still in %q", got)
	}
}

func FuzzRedact(f *testing.F) {
	for _, tt := range secrets {
		f.Add([]byte(tt.in), []byte("&x=1"))
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		// Whatever stands around it, a parameter of a query that is cut off
		// where queries are is redacted.
		text := append(append(append(bytes.Clone(before), "&token="...), planted...), '&')
		text = append(text, after...)
		if bytes.Contains(before, []byte(planted)) || bytes.Contains(after, []byte(planted)) {
			return
		}
		got := AppendRedactedLine(nil, text, nil)
		if bytes.Contains(got, []byte(planted)) {
			t.Errorf("%q is in %q", planted, got)
		}
		if again := AppendRedactedLine(nil, got, nil); bytes.Contains(again, []byte(planted)) {
			t.Errorf("twice: %q", again)
		}
	})
}
