package parse

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"logscan/parse/field"
)

// jwt returns a token with the given payload and an invalid signature.
func jwt(payload string) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + e.EncodeToString([]byte(payload)) + "." + e.EncodeToString([]byte("signature"))
}

func TestToken(t *testing.T) {
	const format = `$remote_addr - $remote_user [$time_local] "$request" $status "$http_authorization" "$http_cookie"`
	f, err := Compile(format)
	if err != nil {
		t.Fatal(err)
	}
	// RFC 7519, section 3.1, without a subject.
	const example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	full := jwt(`{"aud":["a","b"],"nested":{"sub":"not me","x":["}"]},"sub":"jane","sid":"s-1","jti":"j-1","exp":1773065100}`)
	const fullExpiry = "2026-03-09T14:05:00Z"
	for _, tt := range []struct{ name, user, query, authorization, cookie, wantUser, wantSession, wantExpiry string }{
		{"bearer", "-", "", "Bearer " + full, "-", "jane", "s-1", fullExpiry},
		{"the scheme's case, many spaces", "-", "", "bEARER   " + full, "-", "jane", "s-1", fullExpiry},
		{"jti where there is no sid", "-", "", "Bearer " + jwt(`{"sub":"jane","jti":"j-1"}`), "-", "jane", "j-1", ""},
		{"a user named by the server", "john", "", "Bearer " + full, "-", "john", "s-1", fullExpiry},
		{"a session cookie", "-", "", "Bearer " + full, "sid=c-1", "jane", "c-1", fullExpiry},
		{"a token as session cookie", "-", "", "-", "session=" + full, "jane", "s-1", fullExpiry},
		{"a token in another cookie", "-", "", "-", "access_token=" + full, "jane", "s-1", fullExpiry},
		{"a token in the query", "-", "?access_token=" + full + "&x=1", "-", "-", "jane", "s-1", fullExpiry},
		{"the header before the query", "-", "?t=" + jwt(`{"sub":"x"}`), "Bearer " + full, "-", "jane", "s-1", fullExpiry},
		{"RFC 7519", "-", "", "Bearer " + example, "-", "", "", "2011-03-22T18:43:00Z"},
		{"a fraction", "-", "", "Bearer " + jwt(`{"exp":1773065100.5}`), "-", "", "", "2026-03-09T14:05:00.5Z"},
		{"escapes", "-", "", "Bearer " + jwt(`{"sub":"j\u00e4ne \"x\""}`), "-", `jäne "x"`, "", ""},
		{"an absurd expiry", "-", "", "Bearer " + jwt(`{"sub":"jane","exp":99999999999999999999}`), "-", "jane", "", ""},
		{"wrong types", "-", "", "Bearer " + jwt(`{"sub":{"a":1},"sid":[1],"exp":"soon"}`), "-", "", "", ""},
		{"a number as subject", "-", "", "Bearer " + jwt(`{"sub":4711}`), "-", "4711", "", ""},
		{"not an object", "-", "", "Bearer " + jwt(`["sub"]`), "-", "", "", ""},
		{"a truncated object", "-", "", "Bearer " + jwt(`{"sub":"jane","sid`), "-", "jane", "", ""},
		{"an opaque token", "-", "", "Bearer mF_9.B5f-4.1JqM", "-", "", "", ""},
		{"a name too long", "-", "", "Bearer " + jwt(`{"sub":"`+strings.Repeat("x", 600)+`"}`), "-", "", "", ""},
		// RFC 7617, section 2
		{"Basic", "-", "", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "-", "Aladdin", "", ""},
		{"Basic without a colon", "-", "", "Basic " + base64.StdEncoding.EncodeToString([]byte("secret")), "-", "", "", ""},
		{"invalid Basic", "-", "", "Basic !!!", "-", "", "", ""},
		// RFC 7616, section 3.9.1
		{"Digest", "-", "", `Digest username=\x22Mufasa\x22, realm=\x22http-auth@example.org\x22, uri=\x22/dir/index.html\x22, response=\x22753927fa\x22`, "-", "Mufasa", "", ""},
		{"another scheme", "-", "", "Negotiate YIIJ", "-", "", "", ""},
		{"only a scheme", "-", "", "Bearer", "-", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := `192.0.2.1 - ` + tt.user + ` [09/Mar/2026:14:05:00 +0000] "GET /a` + tt.query + ` HTTP/1.1" 401 "` + tt.authorization + `" "` + tt.cookie + `"`
			p := f.NewParser()
			var e Entry
			for range 2 {
				if v := p.Parse([]byte(line), &e); v != Parsed {
					t.Fatal(v)
				}
				expiry := ""
				if e.TokenExpiry != NoTime {
					expiry = time.UnixMicro(e.TokenExpiry).UTC().Format(time.RFC3339Nano)
				}
				if string(e.User) != tt.wantUser || string(e.Session) != tt.wantSession || expiry != tt.wantExpiry {
					t.Errorf("user %q, session %q, expiry %s; want %q, %q, %s", e.User, e.Session, expiry, tt.wantUser, tt.wantSession, tt.wantExpiry)
				}
			}
			if n := testing.AllocsPerRun(10, func() { p.Parse([]byte(line), &e) }); n > 1 { // the line itself
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// FuzzToken checks the limits of what is taken from any payload.
func FuzzToken(f *testing.F) {
	f.Add(`{"sub":"jane","sid":"s","exp":1773065100}`)
	f.Add(`{"a":{"b":[1,2,"}"]},"sub":"x"`)
	f.Add(`{"sub":`)
	f.Add(`{"sub":"` + "\x00\xff" + `\u12"}`)
	format, err := Compile(`$time_iso8601 "$http_authorization"`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		p := format.NewParser()
		var e Entry
		p.Parse([]byte(`2026-03-09T14:05:00Z "Bearer `+jwt(payload)+`"`), &e)
		if len(e.User) > field.LongestClaim || len(e.Session) > field.LongestClaim {
			t.Errorf("user of %d bytes, session of %d", len(e.User), len(e.Session))
		}
		if e.TokenExpiry != NoTime && (e.TokenExpiry < field.MinTime || e.TokenExpiry >= field.MaxTime) {
			t.Errorf("expiry %d", e.TokenExpiry)
		}
	})
}
