package infer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// key returns 32 hexadecimal digits that depend on a text.
func key(format string, args ...any) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, format, args...))
	return []byte(hex.EncodeToString(sum[:16]))
}

// person is a request of the world of the tests: 12 people come in turns, each with a page
// of 3 requests within 2 seconds, again every 2 minutes.
type person struct{ number, visit, request, line int }

// world returns the use of the values that a column has.
func world(value func(p person) []byte) (uses []Use) {
	for visit := range 8 {
		for n := range 12 {
			for request := range 3 {
				p := person{n, visit, request, len(uses)}
				path := fmt.Sprint("/", request)
				uses = append(uses, Use{
					Time:   int64(visit*120+n*10)*1e6 + int64(request)*1e6,
					Client: fmt.Sprintf("192.0.2.%d", n/2), // two share an address
					Agent:  []string{"Firefox", "Chrome", "Safari"}[n%3],
					Path:   path,
					Value:  value(p),
				})
			}
		}
	}
	return uses
}

func TestSessions(t *testing.T) {
	session := func(p person) []byte { return key("session %d %d", p.number, p.visit/4) } // a new one after an hour
	for _, tt := range []struct {
		name  string
		value func(p person) []byte
		want  bool
	}{
		{"session", session, true},
		{"session of half of the requests", func(p person) []byte {
			if p.request == 0 {
				return []byte("-")
			}
			return session(p)
		}, true},
		{"of a browser", func(p person) []byte { return key("browser %d", p.number) }, true},
		{"UUID", func(p person) []byte {
			k := session(p)
			return fmt.Appendf(nil, "%s-%s-%s-%s-%s", k[:8], k[8:12], k[12:16], k[16:20], k[20:])
		}, true},
		{"Tomcat", func(p person) []byte { return append(bytesUpper(session(p)), ".node1"...) }, true},
		{"Express", func(p person) []byte { return fmt.Appendf(nil, "s%%3A%s.%s", session(p), session(p)) }, true},
		{"request", func(p person) []byte { return key("request %d", p.line) }, false},
		{"trace of a page", func(p person) []byte { return key("page %d %d", p.number, p.visit) }, false},
		{"constant", func(person) []byte { return key("build") }, false},
		{"container", func(p person) []byte { return key("container %d", p.number%3) }, false},
		{"container that clients are bound to", func(p person) []byte { return key("container %d", p.number%5) }, false},
		{"ETag", func(p person) []byte { return key("path %d", p.request) }, false},
		{"ETag of what a user sees", func(p person) []byte { return key("user %d, path %d", p.number, p.request) }, false},
		{"TLS session", func(p person) []byte { return append(session(p), session(p)...) }, false},
		{"user", func(p person) []byte { return fmt.Appendf(nil, "jane.doe%d@example.org", p.number) }, false},
		{"country", func(p person) []byte { return []byte([]string{"DE", "FR", "US"}[p.number%3]) }, false},
		{"cache", func(p person) []byte { return []byte([]string{"HIT", "MISS", "-"}[p.request]) }, false},
		{"upstream", func(p person) []byte { return fmt.Appendf(nil, "10.0.0.%d:8080", p.number) }, false},
		{"IPv6 address", func(p person) []byte { return fmt.Appendf(nil, "2001:db8:1234:5678:9abc:def0:1234:%d", p.number) }, false},
		{"number", func(p person) []byte { return fmt.Appendf(nil, "%020d", p.number) }, false},
		{"user agent", func(p person) []byte { return fmt.Appendf(nil, "Mozilla/5.0 (%s)", session(p)) }, false},
		{"missing", func(person) []byte { return nil }, false},
	} {
		if n := Sessions(world(tt.value)); n > 0 != tt.want {
			t.Errorf("%s: %d values", tt.name, n)
		}
	}
	single := world(session)
	for i := range single {
		single[i].Path = "/graphql"
	}
	if Sessions(single) == 0 {
		t.Error("a single path: none")
	}
	short := world(session)[:36] // of one page each, nobody has come back
	if n := Sessions(short); n != 0 {
		t.Errorf("of a few seconds: %d values", n)
	}
}

func bytesUpper(b []byte) []byte { return []byte(strings.ToUpper(string(b))) }

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ line, shape string }{
		{`a "b c" [d e] f`, `w "` + ` [ w`},
		{`sid="b c" rt=1`, `sid=" w`},
		{`x sid="-"`, `w sid="`},
		{`http://a "b\"c"`, `w "`},
	} {
		if _, shape, ok := Split([]byte(tt.line)); !ok || shape != tt.shape {
			t.Errorf("%s: %v %q, want %q", tt.line, ok, shape, tt.shape)
		}
	}
	if _, _, ok := Split([]byte(`a "b`)); ok {
		t.Error("an open quote is split")
	}
}
