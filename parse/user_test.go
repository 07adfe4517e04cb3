package parse

import (
	"bytes"
	"testing"

	"logscan/parse/field"
)

func TestUser(t *testing.T) {
	f, _ := Lookup("combined")
	for _, tt := range []struct{ logged, want string }{
		{"jane", "jane"}, {"-", ""}, {`""`, ""}, {"jane q. doe", "jane q. doe"}, {"jane@example.org", "jane@example.org"},
		{`zo\xC3\xAB`, "zoë"},          // nginx
		{`zo\xc3\xab`, "zoë"},          // Apache
		{`CORP\\bob`, `CORP\bob`},      // Apache
		{`CORP\x5Cbob`, `CORP\bob`},    // nginx
		{`CORP\bob`, `CORP\bob`},       // not escaped
		{`CORP\nancy`, `CORP\nancy`},   // not escaped
		{`CORP\xavier`, `CORP\xavier`}, // not escaped
		{`CORP\xabel`, `CORP\xabel`},   // not escaped: the result would not be UTF-8
		{`say \"hi\"`, `say "hi"`},     // Apache
		{`a\x41b`, `a\x41b`},           // no server escapes an A
		{`jane\`, `jane\`}, {`\x`, `\x`}, {`\x2`, `\x2`},
	} {
		var e Entry
		line := []byte(`192.0.2.1 - ` + tt.logged + ` [09/Mar/2026:14:05:00 +0000] "GET /\x22 HTTP/1.1" 200 5 "-" "x"`)
		p := f.NewParser()
		if v := p.Parse(line, &e); v != Parsed || string(e.User) != tt.want {
			t.Errorf("%s: %v, user %q, want %q", tt.logged, v, e.User, tt.want)
		}
		if n := testing.AllocsPerRun(10, func() { p.Parse(line, &e) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.logged, n)
		}
	}
}

// FuzzHints checks that the effects of hostile headers are bounded and repeatable, and
// that no session id stays in a path.
func FuzzHints(f *testing.F) {
	format, err := Compile(`$remote_addr [$time_iso8601] $status "$http_x_forwarded_for" "$http_forwarded" "$http_cookie" "$http_authorization" "$sent_http_www_authenticate" $request_uri`)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("198.51.100.7, 10.0.0.2", "for=1.2.3.4;by=x", "sid=1; a=b", "Basic YTpi", `Bearer error=\x22invalid_token\x22`, "/a;jsessionid=1/b")
	f.Add("", `for=\x22[::1]\x22`, "session="+jwt(`{"sub":"x"}`), `Digest username=\x22`, "401.1 1326", "/(S(x))/?PHPSESSID=123456789")
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded, cookie, authorization, challenge, target string) {
		line := []byte(`10.0.0.1 [2026-03-09T14:05:00Z] 401 "` + forwardedFor + `" "` + forwarded + `" "` + cookie + `" "` + authorization + `" "` + challenge + `" ` + target)
		p := format.NewParser()
		p.Configure(Options{Trusted: prefixes("10.0.0.0/8")})
		var e, again Entry
		if p.Parse(line, &e) != Parsed {
			return
		}
		if i := bytes.Index(bytes.ToLower(e.Path), []byte(";jsessionid=")); i >= 0 {
			t.Errorf("path %q", e.Path)
		}
		longest := len(e.Client)
		first := show(&e) // e is valid until the next line
		if p.Parse(line, &again); show(&again) != first {
			t.Errorf("%s, then %s", first, show(&again))
		}
		if len(again.Reason) > field.LongestReason || longest > len(line) || p.values.scratch.Size() > 64<<10+16*len(line) {
			t.Errorf("reason of %d bytes, client of %d, scratch of %d", len(again.Reason), longest, p.values.scratch.Size())
		}
	})
}
