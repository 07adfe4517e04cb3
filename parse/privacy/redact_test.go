package privacy

import (
	"bytes"
	"testing"
)

const planted = "Pl4nted-S3cret_Value"

// secrets are texts with the planted secret, and their redacted form.
var secrets = []struct{ in, want string }{
	{"token=" + planted, "token=REDACTED"},
	{"a=1&access_token=" + planted + "&b=2", "a=1&access_token=REDACTED&b=2"},
	{"user%5Bpassword%5D=" + planted, "user%5Bpassword%5D=REDACTED"},
	{"user[password]=" + planted + "&x=y", "user[password]=REDACTED&x=y"},
	{"r=https%3A%2F%2Fa.example%2Fcb%3Fx%3D1%26token%3D" + planted + "%26y%3D2&z=3", "r=https%3A%2F%2Fa.example%2Fcb%3Fx%3D1%26token%3DREDACTED%26y%3D2&z=3"},
	{"r=%252Fcb%253fpassword%253d" + planted + "%2523top", "r=%252Fcb%253fpassword%253dREDACTED%2523top"},
	{"/next%3Fuser%5Bpassword%5D%3D" + planted + " HTTP/1.1", "/next%3Fuser%5Bpassword%5D%3DREDACTED HTTP/1.1"},
	{"%74oken=" + planted, "%74oken=REDACTED"},
	{"API_KEY=" + planted, "API_KEY=REDACTED"},
	{"/app;jsessionid=" + planted + "?x=1", "/app;jsessionid=REDACTED?x=1"},
	{"/app;jsessionid=" + planted + ";x=1", "/app;jsessionid=REDACTED;x=1"},
	{"/app;jsessionid=" + planted + ";wide/a", "/app;jsessionid=REDACTED;wide/a"},
	{"/app;jsessionid=9F;" + planted + ";A1==;lang=de?x=1", "/app;jsessionid=REDACTED;lang=de?x=1"},
	{"/app;jsessionid=" + planted + ";7q/a", "/app;jsessionid=REDACTED/a"},
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
	{"x Negotiate " + planted + " y", "x Negotiate REDACTED y"},
	{"x NTLM  " + planted + " y", "x NTLM  REDACTED y"},
	{"x Bearer Bearer " + planted, "x Bearer Bearer REDACTED"},
	{`{"cookie": Bearer ` + planted + `}`, `{"cookie": REDACTED}`},
	{`Digest "user=\` + planted, "Digest REDACTED"},
	{"x%20bearer%20" + planted, "x%20bearer%20REDACTED"},
	{`Digest username="jane", realm="r", nonce="n", response="` + planted + `"`, `Digest REDACTED`},
	{`"Digest username=\"jane\", response=\"` + planted + `\"" 401`, `"Digest REDACTED" 401`},
	{`"Digest username=\x22jane\x22, response=\x22` + planted + `\x22" "x"`, `"Digest REDACTED" "x"`},
	{"/(S(" + planted + "))/default.aspx", "/(REDACTED)/default.aspx"},
	{"https://x/a/(F(abc)S(" + planted + "))/b?c=1", "https://x/a/(REDACTED)/b?c=1"},
	{"/hook/ghp_" + planted, "/hook/REDACTED"},
	{"see xoxb-" + planted + " here", "see REDACTED here"},
	{"/hook/hvs.{id}" + planted + "{id}/x", "/hook/REDACTED/x"},
	{"//jane:" + planted + "@db/x", "//REDACTED@db/x"},
	{"token=%26" + planted + "&x=1", "token=REDACTED&x=1"},
	{"r=%3Ftoken%3D%2526" + planted + "%26x&y", "r=%3Ftoken%3DREDACTED%26x&y"},
	{"_csrf=" + planted + "&a=1", "_csrf=REDACTED&a=1"},
	{"code_verifier=" + planted, "code_verifier=REDACTED"},
	{"X-Amz-Security-Token=" + planted + "&X-Amz-Signature=" + planted, "X-Amz-Security-Token=REDACTED&X-Amz-Signature=REDACTED"},
	{"sv=2022-11-02&sig=" + planted, "sv=2022-11-02&sig=REDACTED"},
	{"postgres://app:" + planted + "@db/x", "postgres://REDACTED@db/x"},
	{`"GET /?authorization=` + planted + ` HTTP/1.1" 401`, `"GET /?authorization=REDACTED HTTP/1.1" 401`},
	{`"GET /?sid=` + planted + ` HTTP/1.1" 401`, `"GET /?sid=REDACTED HTTP/1.1" 401`},
}

func TestSecretsAreRedacted(t *testing.T) {
	for _, tt := range secrets {
		got := Redact(nil, []byte(tt.in))
		if string(got) != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.in, got, tt.want)
		}
		if again := Redact(nil, got); !bytes.Equal(again, got) {
			t.Errorf("%q: twice it is %q", got, again)
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	for _, s := range []string{
		"", "a=1&b=2", "page=2&sort=name", "/a/b;v=1?q=x", "Mozilla/5.0 (X11; Linux x86_64)", "Basic realm=\"x\"",
		`{"status":401,"response_code":401,"path":"/a","author":"jane"}`, "https://example.org/a@b", "12:30:45", "country_code=de&ticket_id=7", "/(x)/a(S(b))", "/sk-skiing-in-the-alps-2026", "Digest realm=\"x\", nonce=\"y\"",
		`Bearer realm="x", error="invalid_token"`, "the token bucket", "Negotiate", "/wiki/Digest user",
		`192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a?b=1 HTTP/1.1" 401 179 "https://x/y" "Mozilla/5.0"`,
	} {
		if got := Redact(nil, []byte(s)); string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestSessionOfTheLineIsRedacted(t *testing.T) {
	line := `192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 "` + planted + `" ` + planted
	want := `192.0.2.1 [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 "REDACTED" REDACTED`
	if got := RedactLine(nil, []byte(line), &Line{Session: []byte(planted)}); string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSessionHash(t *testing.T) {
	const want = "2bb80d537b1da3e38bd30361aa855686" // first half of the sha256sum of "secret"
	if got := SessionHash([]byte("secret")); got != want {
		t.Errorf("SessionHash = %s, want %s", got, want)
	}
}

func FuzzRedact(f *testing.F) {
	for _, tt := range secrets {
		f.Add([]byte(tt.in), []byte("&x=1"), uint8(0))
		f.Add([]byte(tt.in), []byte(tt.in), uint8(len(tt.in)))
	}
	f.Add([]byte("Cookie:{\""), []byte("\":0"), uint8(13)) // in a key
	// A secret is redacted whatever surrounds it: a query parameter, what follows a
	// scheme, a token, userinfo.
	forms := [][2]string{
		{"&token=", "&"}, {"?password=", " "}, {" Bearer ", " "}, {"\n eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "\n"},
		{" https://", "@example.org/ "}, {" https://jane:", "@example.org/ "}, {" /ghp_", "/ "},
		{" %26token%3D", "%26"}, {" %252Fghp_", "%252F"}, {"\n[\"X-Api-Key\",\"a", "\"]\n"}, {"\nCookie: a=b; c=", "; d=e\n"},
		{" (password:\"", "\") "}, {" <password>", "</password> "}, {"\n/reset/1", "/ "}, {" xoxb-", " "}, {"\nAuthorization: Unknown ", "\n"},
	}
	f.Fuzz(func(t *testing.T, before, after []byte, form uint8) {
		if bytes.Contains(before, []byte(planted)) || bytes.Contains(after, []byte(planted)) {
			return
		}
		around := forms[int(form)%len(forms)]
		text := append(append(append(bytes.Clone(before), around[0]...), planted...), around[1]...)
		text = append(text, after...)
		got := Redact(nil, text)
		if bytes.Contains(got, []byte(planted)) {
			t.Errorf("%q is in %q, of %q", planted, got, text)
		}
		if again := Redact(nil, got); bytes.Contains(again, []byte(planted)) {
			t.Errorf("twice: %q", again)
		}
	})
}
