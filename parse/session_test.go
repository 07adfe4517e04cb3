package parse

import (
	"strings"
	"testing"
)

func TestSessionCookie(t *testing.T) {
	for _, tt := range []struct{ header, want string }{
		{"PHPSESSID=abc123", "abc123"},
		{"theme=dark; JSESSIONID=1A2B.node1; lang=de", "1A2B.node1"},
		{"connect.sid=s%3Aabc.def", "s%3Aabc.def"},
		{"__Host-session=h1; other=1", "h1"},
		{"__Secure-next-auth.session-token=n1", "n1"},
		{"__Host-connect.sid=h2", "h2"},
		{"_shop_session=r1", "r1"},
		{"laravel_session=l1; XSRF-TOKEN=x", "l1"},
		{"ASPSESSIONIDQQRSTBCD=a1", "a1"},
		{"ASP.NET_SessionId=a2; .ASPXAUTH=f", "a2"},
		{"csrftoken=c; sessionid=d1", "d1"},
		{"wordpress_logged_in_0123456789abcdef=admin%7C1", "admin%7C1"},
		{"_shibsession_64656661756c74=_s1", "_s1"},
		{"SSESS0123456789abcdef0123456789abcdef=d7", "d7"},
		{"grafana_session=g1", "g1"},
		{"KEYCLOAK_SESSION=realm/user/1; JSESSIONID=j", "j"}, // the application's before the sign-on's
		{"_oauth2_proxy=o1", "o1"},
		{"_oauth2_proxy_0=o2; _oauth2_proxy_1=o3", "o2"},
		{`sid="quoted"`, "quoted"},
		{"PHPSESSID=deleted", ""},
		{"PHPSESSID=deleted; sid=s2", "s2"},
		{"sid=", ""},
		{"_hjSession_123=x; ai_session=y; amplitude_session=z; theme=session", ""},
		{"XSRF-TOKEN=x; csrftoken=y; _ga=GA1.2.3; session_theme=dark", ""},
		{"", ""}, {";;;", ""}, {"=", ""}, {"sid", ""},
		{strings.Repeat("x", 100) + "_session=1", ""},
	} {
		if got := sessionCookie([]byte(tt.header)); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.header, got, tt.want)
		}
	}
}

// Cookies of a log_format: nginx has no dots and dashes in variables.
func TestSessionNames(t *testing.T) {
	for name, want := range map[string]bool{
		"PHPSESSID": true, "connect_sid": true, "asp_net_sessionid": true, "sid": true, "_shop_session": true,
		"_oauth2_proxy": true, "next_auth_session_token": true, "__Host-sid": true,
		"theme": false, "csrftoken": false, "ai_session": false,
	} {
		if got := isSessionName(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A session id in the URL is the session, and is not in the path.
func TestSessionInURL(t *testing.T) {
	f, _ := Lookup("combined")
	for _, tt := range []struct{ target, path, query, session string }{
		{"/cart;jsessionid=1A2B?x=1", "/cart", "x=1", "1A2B"},
		{"/cart;JSESSIONID=1A2B.node1/items", "/cart/items", "", "1A2B.node1"},
		{"/cart;v=2;jsessionid=1A2B;w=3", "/cart;v=2;w=3", "", "1A2B"},
		{"/a;jsessionid=1/b;jsessionid=2/c", "/a/b/c", "", "1"},
		{"/(S(lit3py55t21z5v55vlm25s55))/orders.aspx", "/orders.aspx", "", "lit3py55t21z5v55vlm25s55"},
		{"/app/(A(abc)S(def))/x", "/app/x", "", ""},
		{"/(S(abc))/", "/", "", "abc"},
		{"/(S(abc))", "/", "", "abc"},
		{"/x?PHPSESSID=abc123def&y=1", "/x", "PHPSESSID=abc123def&y=1", "abc123def"},
		{"/x?y=1&sessionid=abc123def", "/x", "y=1&sessionid=abc123def", "abc123def"},
		{"/x?sid=12&page=3456789012", "/x", "sid=12&page=3456789012", ""},
		{"/wiki/Foo_(bar);v=1", "/wiki/Foo_(bar);v=1", "", ""},
		{"/(S(", "/(S(", "", ""}, {"/(S(a)", "/(S(a)", "", ""}, {"/;", "/;", "", ""}, {"/;jsessionid=", "/", "", ""},
	} {
		var e Entry
		line := `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET ` + tt.target + ` HTTP/1.1" 200 5 "-" "x"`
		if v := f.NewParser().Parse([]byte(line), &e); v != Parsed {
			t.Fatal(v)
		}
		if string(e.Path) != tt.path || string(e.Query) != tt.query || string(e.Session) != tt.session {
			t.Errorf("%s: path %q, query %q, session %q; want %q, %q, %q", tt.target, e.Path, e.Query, e.Session, tt.path, tt.query, tt.session)
		}
	}
}

// Paths that are made of session ids are taken apart in linear time and memory.
func TestSessionPathIsLinear(t *testing.T) {
	f, _ := Lookup("combined")
	p := f.NewParser()
	target := "/a" + strings.Repeat(";jsessionid=1/(S(2))/b", 30_000)
	line := `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "GET ` + target + ` HTTP/1.1" 200 5 "-" "x"`
	var e Entry
	if v := p.Parse([]byte(line), &e); v != Parsed || string(e.Session) != "1" {
		t.Fatalf("%v, session %q", v, e.Session)
	}
	if want := "/a" + strings.Repeat("/b", 30_000); string(e.Path) != want {
		t.Errorf("path of %d bytes, want %d", len(e.Path), len(want))
	}
	if n := cap(p.scratch); n > 4*len(line) {
		t.Errorf("%d bytes of scratch", n)
	}
}

// The quick look at a query overlooks no name of a session and no token, wherever
// they stand.
func TestGlance(t *testing.T) {
	look := func(query string) (session, token bool) {
		b := []byte(query)
		session, token = glance(b[:len(b):len(b)])
		more := append(b, " HTTP/1.1"...)
		if s, k := glance(more[:len(b)]); s != session || k != token {
			t.Errorf("%q: %v, %v where a text goes on behind it, else %v, %v", query, s, k, session, token)
		}
		return session, token
	}
	for _, name := range sessionParameters {
		for before := range 20 {
			for _, spelled := range []string{name, strings.ToUpper(name)} {
				for _, behind := range []string{"", "&page=2&q=some+words"} {
					query := strings.Repeat("x", before) + "&" + spelled + "=1" + behind
					if session, _ := look(query); !session {
						t.Errorf("%s names no session", query)
					}
				}
			}
		}
	}
	for before := range 20 {
		for behind := range 20 {
			query := strings.Repeat("x", before) + string(objectStart) + strings.Repeat("x", behind)
			if _, token := look(query); !token {
				t.Errorf("%s holds no token", query)
			}
		}
	}
	for _, query := range []string{"", "a", "page=2&limit=50&sort=-created_at", "from=2026-01-22&to=2026-02-21"} {
		if session, token := look(query); session || token {
			t.Errorf("%q: %v, %v", query, session, token)
		}
	}
}
