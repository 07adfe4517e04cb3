package parse

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"logscan/parse/scan"
)

// afterAlike compares parsing a line among others, from which the parser has learnt
// their shape, with parsing without fast paths.
func afterAlike(t *testing.T, before, line string) *Parser {
	t.Helper()
	p := formatNamed(t, "json").NewParser()
	sameLines(t, p, []byte(strings.Repeat(before+"\n", 4)+line+"\n"+strings.Repeat(before+"\n", 3)))
	return p
}

func TestLinesOfOneShape(t *testing.T) {
	const before = `{"time":"2026-03-09T14:05:00Z","remote_addr":"192.0.2.1","user":null,"host":"a.example","request":"GET /a?b=c HTTP/1.1","status":200,"bytes":12,"duration":0.012,"upstream":"10.0.0.1:80","agent":"curl/8.5","junk":{"x":[1,"y"]},"tls":true}`
	for _, tt := range []struct{ was, is string }{
		{"200", "401"}, {"200", "4"}, {"200", "x"}, {"200", `"200"`}, {"200", "null"}, {"200", "2e2"}, {"200", "-"}, {"200", ""}, {"200", " 200"}, {"200", "200 "},
		{`"192.0.2.1"`, `"2001:db8::1"`}, {`"192.0.2.1"`, `"-"`}, {`"192.0.2.1"`, `""`}, {`"192.0.2.1"`, `null`}, {`"192.0.2.1"`, `"192.0.2.1, 10.0.0.1"`},
		{"null", `"bob"`}, {"null", `""bob""`}, {"null", "nul"}, {"null", "nulll"}, {"null", "{}"}, {"null", "[]"},
		{"a.example", "a.example:8443"}, {"a.example", "[2001:db8::1]:80"}, {"a.example", "a, b"}, {"a.example", "[]"}, {"a.example", ":"},
		{"0.012", "1.5"}, {"0.012", "a.012"}, {"0.012", "0.01x"}, {"0.012", "12"}, {"0.012", "12345.678901"},
		{"10.0.0.1:80", "10.0.0.1:80, 10.0.0.2:80"}, {"10.0.0.1:80", "10.0.0.1:80 : 10.0.0.3:80"}, {"10.0.0.1:80", "-"}, {"10.0.0.1:80", "10.0.0.1:80, "},
		{"curl", strings.Repeat("long ", 50)}, {"curl", `a\"b`}, {"curl", `a\\`}, {"curl", "a\nb"}, {"curl", "a\rb"}, {"curl", "a\x00b"}, {"curl", `a"b`}, {"curl", "ü"},
		{"GET /a?b=c HTTP/1.1", ""}, {"GET /a?b=c HTTP/1.1", "-"}, {"/a?b=c", "/a;jsessionid=0123456789abcdef?b=c"}, {"b=c", "token=eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ."},
		{"14:05:00", "14:05:01"}, {"14:05:00", "25:05:00"}, {"2026", "1926"},
		{`"status"`, `"Status"`}, {`"agent"`, `"status"`}, {`"x"`, `"status"`}, {`true}`, `true,"status":401}`}, {`true}`, `true} `}, {`true}`, "true}\r"}, {`{"time"`, ` {"time"`}, {`true}`, "true"},
	} {
		for _, before := range []string{before, strings.Replace(before, tt.was, tt.is, 1)} {
			afterAlike(t, before, strings.Replace(before, tt.was, tt.is, 1))
			afterAlike(t, before, strings.Replace(before, tt.is, tt.was, 1))
		}
	}
	p := afterAlike(t, before, strings.Replace(before, "200", "401", 1))
	if scan.ShapesSupported && p.json.trust != maxOrders*missWeight+6-missWeight { // all but the first and the last, which has no text after it
		t.Errorf("lines of one shape were not matched: trust %d", p.json.trust)
	}
}

// TestLinesOfTwoShapes tests a log whose lines alternate between two shapes.
func TestLinesOfTwoShapes(t *testing.T) {
	p := formatNamed(t, "json").NewParser()
	const line = `{"time":"2026-03-09T14:05:00Z","status":200,"user":null}` + "\n"
	sameLines(t, p, []byte(strings.Repeat(line+strings.Replace(line, "null", `"bob"`, 1), 20)))
	if scan.ShapesSupported && p.json.trust != maxOrders*missWeight+40-3-missWeight { // all but the first of each, and the last
		t.Errorf("lines of two shapes were not matched: trust %d", p.json.trust)
	}
}

// TestLinesOfAllShapes checks that lines of different shapes are soon no longer
// matched, and matched again later.
func TestLinesOfAllShapes(t *testing.T) {
	var b bytes.Buffer
	for i := range 3000 {
		fmt.Fprintf(&b, `{"time":"2026-03-09T14:05:00Z","status":200,"k%d":1}`+"\n", i)
	}
	p := formatNamed(t, "json").NewParser()
	sameLines(t, p, b.Bytes())
	if scan.ShapesSupported && p.json.trust >= 0 {
		t.Errorf("they are still matched: trust %d", p.json.trust)
	}
	sameLines(t, p, []byte(strings.Repeat(`{"time":"2026-03-09T14:05:00Z","status":200}`+"\n", 2000)))
	if scan.ShapesSupported && p.json.trust <= 0 {
		t.Errorf("they are not matched again: trust %d", p.json.trust)
	}
}

func FuzzAlike(f *testing.F) {
	for _, s := range formatNamed(f, "json").Samples {
		f.Add(s, s)
		f.Add(s, strings.Replace(s, "200", "401", 1))
	}
	f.Add(`{"a":1,"status":200,"request":{"uri":"/a"}}`, `{"a":1,"status":{"x":200},"request":"GET / HTTP/1.1"}`)
	f.Add(`{"time":1773065100,"level":"info","status":200}`, `{"time":1773065100,"time":1773065101,"status":200,"status":401}`)
	f.Fuzz(func(t *testing.T, before, line string) { afterAlike(t, before, line) })
}
