package parse

import (
	"fmt"
	"strings"
	"testing"

	"logscan/parse/field"
	"logscan/parse/privacy"
)

// TestPseudonymize checks that a parser with a key replaces names by pseudonyms in all
// fields, and leaves other texts.
func TestPseudonymize(t *testing.T) {
	key, err := privacy.NewKey([]byte(strings.Repeat("night and day ", 3)))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Privacy: privacy.Options{Key: key}}
	f, ok := Lookup("json")
	if !ok {
		t.Fatal("no format json")
	}
	p := f.NewParser()
	p.Configure(o)
	m := o.Privacy.NewMask()
	user, address := string(m.User([]byte("jane"))), string(m.Address([]byte("192.0.2.1")))
	line := `{"time_iso8601":"2026-03-09T14:05:00Z","status":401,"remote_addr":"::ffff:192.0.2.1","remote_user":"jane","request_method":"GET","request_uri":"/jane/x?ip=192.0.2.1",` +
		`"http_referer":"https://www.example.org/jane","http_user_agent":"jane/1.0 (+192.0.2.1)","host":"10.0.0.9","upstream_addr":"10.0.0.1:80","session":"s3cret-s3cret","auth_reason":"%s"}`
	for _, tt := range []struct{ reason, want string }{
		{"no entry for Jane", "no entry for " + user},
		{"invalid_token", "invalid_token"},
		{strings.Repeat("x", field.LongestReason-4) + " 192.0.2.1", strings.Repeat("x", field.LongestReason-4) + " add"},
	} {
		var e Entry
		raw := []byte(fmt.Sprintf(line, tt.reason))
		if v := p.Parse(raw, &e); v != Parsed {
			t.Fatal(v)
		}
		for _, f := range []struct{ name, got, want string }{
			{"user", string(e.User), user}, {"client", string(e.Client), address}, {"path", string(e.Path), "/" + user + "/x"}, {"query", string(e.Query), "ip=" + address},
			{"referrer", string(e.Referrer), "https://www.example.org/" + user}, {"user agent", string(e.UserAgent), "jane/1.0 (+" + address + ")"},
			{"host", string(e.Host), "10.0.0.9"}, {"upstream", string(e.Upstream), "10.0.0.1:80"}, {"session", string(e.Session), string(m.Session([]byte("s3cret-s3cret")))},
			{"reason", string(e.Reason), tt.want}, {"logged session", string(p.Mask().LoggedSession()), "s3cret-s3cret"},
		} {
			if f.got != f.want {
				t.Errorf("%s: %q, want %q", f.name, f.got, f.want)
			}
		}
		if text := string(p.Mask().Text(raw)); strings.Contains(strings.ToLower(text), "jane") || strings.Contains(text, "192.0.2.1") || !strings.Contains(text, `"10.0.0.9"`) || !strings.Contains(text, "10.0.0.1:80") {
			t.Errorf("masked line: %s", text)
		}
	}
}
