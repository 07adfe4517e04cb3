package parse

import (
	"bytes"
	"testing"

	"logscan/parse/privacy"
)

// TestLocate checks which parts of a line are known to hold credentials, and that fields of
// other meanings stay.
func TestLocate(t *testing.T) {
	const head, time = `192.0.2.1 - jane [`, `09/Mar/2026:14:05:00 +0000`
	for _, tt := range []struct{ format, line, want string }{
		{
			`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_cookie" "$http_x_signing_key" "$request_id"`,
			head + time + `] "GET / HTTP/1.1" 401 5 "lang=de" "dog" "550e8400"`,
			head + time + `] "GET / HTTP/1.1" 401 5 "REDACTED" "REDACTED" "550e8400"`,
		},
		{ // in the order that the format has them
			`"$http_proxy_authorization" $cookie_theme $remote_addr [$time_local] "$request" $status`,
			`"Odd cat" dark 192.0.2.1 [` + time + `] "GET / HTTP/1.1" 401`,
			`"REDACTED" REDACTED 192.0.2.1 [` + time + `] "GET / HTTP/1.1" 401`,
		},
		{
			`%h %l %u %t "%r" %>s %b "%{Cookie}i" "%{Set-Cookie}o" %{JSESSIONID}C %{X-Token}i`,
			`192.0.2.1 - - [` + time + `] "GET / HTTP/1.1" 401 5 "a=\"b\"" "-" cat dog`,
			`192.0.2.1 - - [` + time + `] "GET / HTTP/1.1" 401 5 "REDACTED" "-" REDACTED REDACTED`,
		},
		{ // the status is damaged: fields behind it are found nevertheless
			`$remote_addr [$time_local] "$request" $status "$http_authorization" "$http_accept"`,
			`192.0.2.1 [` + time + `] "GET / HTTP/1.1" x "cat" "text/html"`,
			`192.0.2.1 [` + time + `] "GET / HTTP/1.1" x "REDACTED" "text/html"`,
		},
		{ // the line ends within the field
			`$remote_addr [$time_local] "$request" $status "$http_authorization" "$http_accept"`,
			`192.0.2.1 [` + time + `] "GET / HTTP/1.1" 401 "Odd ca`,
			`192.0.2.1 [` + time + `] "GET / HTTP/1.1" 401 "REDACTED`,
		},
		{
			`{"time":"$time_iso8601","status":"$status","uri":"$request_uri","a":"$http_authorization","b":"$cookie_b and $cookie_c","c":"$http_accept"}`,
			`{"time":"2026-03-09T14:05:00Z","status":"401","uri":"/","a":"cat","b":"dog and cow","c":"text/html"}`,
			`{"time":"2026-03-09T14:05:00Z","status":"401","uri":"/","a":"REDACTED","b":"REDACTED","c":"text/html"}`,
		},
	} {
		f, err := Compile(tt.format)
		if err != nil {
			t.Fatal(err)
		}
		var e Entry
		p := f.NewParser()
		known := p.Locate([]byte(tt.line), p.Parse([]byte(tt.line), &e))
		if got := privacy.RedactLine(nil, []byte(tt.line), known); string(got) != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.format, got, tt.want)
		}
	}
}

// TestFieldsThatHoldCredentials checks which names of fields say that they hold credentials.
func TestFieldsThatHoldCredentials(t *testing.T) {
	for name, want := range map[string]bool{
		"$http_cookie": true, "$http_x_api_key": true, "$http_authorization": true, "$sent_http_set_cookie": true, "$upstream_http_x_auth_token": true, "$arg_token": true, "$arg_code": true, "$cookie_theme": true,
		"$ssl_session_id": true, "Proxy-Authorization": true, "X-Vault-Token": true, "%[req.hdr(X-Api-Key)]": true, "cs(Cookie)": true, "cs(X-Auth-Key)": true, "REQ(COOKIE)": true, "$http_x_hub_signature_256": true,
		"$http_accept": false, "$request_id": false, "$ssl_session_reused": false, "$jwt_claim_sub": false, "$http_x_token_type": false, "$session_time": false, "$arg_page": false, "$upstream_cache_status": false,
		"$ssl_cipher": false, "%D": false, "X-Request-Id": false, "$http_sec_websocket_key": false, "$http_x_forwarded_for": false, "cs(Referer)": false, "%[req.hdr(Accept)]": false,
	} {
		if got := privacy.SecretField(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzLocate checks that the session id of a line is never shown, whatever the line.
func FuzzLocate(f *testing.F) {
	var all []*Format
	for _, name := range []string{"json", "haproxy", "iis", "ltsv", "alb", "combined-and-more", "docker+combined"} {
		g, _ := Lookup(name)
		all = append(all, g)
		for _, s := range g.Samples {
			f.Add([]byte(s))
		}
	}
	custom, err := Compile(`$remote_addr [$time_local] "$request" $status "$http_cookie" $cookie_sid "$http_authorization"`)
	if err != nil {
		f.Fatal(err)
	}
	all = append(all, custom)
	f.Add([]byte(`192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET /;jsessionid=abcdef HTTP/1.1" 401 "a=b; PHPSESSID=abcdef" ghijkl "Basic amFuZTpwYXNz"`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		for _, g := range all {
			p := g.NewParser()
			var e Entry
			v := p.Parse(line, &e)
			if v.Skipped() {
				continue
			}
			session := bytes.Clone(e.Session)
			known := p.Locate(line, v)
			shown := privacy.RedactLine(nil, line, known)
			if v == Parsed && len(session) >= 4 && !bytes.Contains([]byte("REDACTED"), session) && bytes.Contains(shown, session) {
				t.Errorf("%s: session %q is in %q", g.Name, session, shown)
			}
		}
	})
}
