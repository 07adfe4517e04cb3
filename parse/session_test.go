package parse

import (
	"strings"
	"testing"
)

// TestSessionInURL checks that a session id in the URL is found and removed from the
// path.
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

// TestSessionPathIsLinear checks time and memory for a path of many session ids.
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
	if n := p.values.scratch.Size(); n > 4*len(line) {
		t.Errorf("%d bytes of scratch", n)
	}
}
