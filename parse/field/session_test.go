package field

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
		{"KEYCLOAK_SESSION=realm/user/1; JSESSIONID=j", "j"}, // the application's is preferred
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
		if got := SessionCookie([]byte(tt.header)); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.header, got, tt.want)
		}
	}
}

// TestSessionNames tests cookies in a log_format: variables of nginx have no dots and
// dashes.
func TestSessionNames(t *testing.T) {
	for name, want := range map[string]bool{
		"PHPSESSID": true, "connect_sid": true, "asp_net_sessionid": true, "sid": true, "_shop_session": true,
		"_oauth2_proxy": true, "next_auth_session_token": true, "__Host-sid": true,
		"theme": false, "csrftoken": false, "ai_session": false,
	} {
		if got := IsSessionName(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestMayHoldSecrets checks that no name of a session and no token is missed at any
// position.
func TestMayHoldSecrets(t *testing.T) {
	look := func(query string) (session, token bool) {
		b := []byte(query)
		session, token = MayHoldSecrets(b[:len(b):len(b)])
		more := append(b, " HTTP/1.1"...)
		if s, k := MayHoldSecrets(more[:len(b)]); s != session || k != token {
			t.Errorf("%q: %v, %v with text after it, else %v, %v", query, s, k, session, token)
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
			query := strings.Repeat("x", before) + string(tokenStart) + strings.Repeat("x", behind)
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
