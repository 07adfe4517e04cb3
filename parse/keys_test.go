package parse

import (
	"slices"
	"testing"
)

// TestKeys checks that formats read what identifies a request, and nothing else
// differently.
func TestKeys(t *testing.T) {
	const start, end = `192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] `, ` "GET /a HTTP/1.1" 401 0 `
	for _, c := range []struct {
		format, line, connection, ordinal, port string
		ids                                     []string
	}{
		{`$remote_addr - $remote_user [$time_local] $connection $connection_requests "$request" $status $body_bytes_sent $request_id $remote_port`,
			start + "17 3" + end + "0af9 5123", "17", "3", "5123", []string{"0af9"}},
		{`%h %l %u %t %L %{c}L "%r" %>s %b %{remote}p %{UNIQUE_ID}e`, start + "aX1 cY2" + end + "5123 aX1", "cY2", "", "5123", []string{"aX1"}},
		{`%h %l %u %t "%r" %>s %b %{X-Request-Id}i`, `192.0.2.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 0 r-1`, "", "", "", []string{"r-1"}},
		{"json", `{"time_iso8601":"2026-03-09T14:05:00Z","remote_addr":"192.0.2.1","remote_user":"jane","request":"GET /a HTTP/1.1","status":401,"connection":"17","connection_requests":3,"trace_id":"t1","request_id":"r1"}`,
			"17", "3", "", []string{"t1", "r1"}},
	} {
		f, ok := Lookup(c.format)
		if !ok {
			var err error
			if f, err = Compile(c.format); err != nil {
				t.Fatal(err)
			}
		}
		keyed, err := f.WithKeys()
		if err != nil {
			t.Fatal(err)
		}
		var e, plain Entry
		var k Keys
		if v := keyed.NewParser().ParseKeys([]byte(c.line), &e, &k); v != Parsed {
			t.Fatalf("%s: %v", c.format, v)
		}
		if v := f.NewParser().Parse([]byte(c.line), &plain); v != Parsed || string(plain.User) != string(e.User) || plain.Time != e.Time || string(plain.Path) != string(e.Path) {
			t.Errorf("%s: without keys %v, %+v; with them %+v", c.format, v, plain, e)
		}
		var ids []string
		for _, id := range k.IDs {
			ids = append(ids, string(id))
		}
		if string(k.Connection) != c.connection || string(k.Ordinal) != c.ordinal || string(k.Port) != c.port || !slices.Equal(ids, c.ids) {
			t.Errorf("%s: %s, %s, %s, %v", c.format, k.Connection, k.Ordinal, k.Port, ids)
		}
	}
}

// TestFormatsWithKeys checks that every known format reads its samples with keys, too.
func TestFormatsWithKeys(t *testing.T) {
	for _, f := range Formats() {
		keyed, err := f.WithKeys()
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, line := range f.Samples {
			var e, plain Entry
			var k Keys
			want, got := f.NewParser().Parse([]byte(line), &plain), keyed.NewParser().ParseKeys([]byte(line), &e, &k)
			if got != want || e.Time != plain.Time || string(e.Client) != string(plain.Client) || string(e.User) != string(plain.User) || string(e.Path) != string(plain.Path) {
				t.Errorf("%s: with keys %v %+v, without %v %+v", f.Name, got, e, want, plain)
			}
		}
	}
}
