package parse

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestNextCuts tests lines with lengths around the limits of chunks and windows, and
// with all line ends.
func TestNextCuts(t *testing.T) {
	p := formatNamed(t, "combined").NewParser()
	for _, n := range []int{0, 1, 63, 64, 65, window - 1, window, window + 1, 3 * window} {
		for _, end := range []string{"", "\n", "\r\n", "\n\n"} {
			for _, fill := range []string{"a", `"`, `\`} {
				sameLines(t, p, []byte(combinedLine+"\n"+strings.Repeat(fill, n)+end))
				sameLines(t, p, beforeText([]byte(combinedLine+"\n"+strings.Repeat(fill, n)+end)))
				sameLines(t, p, []byte(strings.Repeat(fill, n)+"\n"+combinedLine+end+strings.Repeat(combinedLine+"\n", 2*window/len(combinedLine))))
			}
		}
	}
}

// acceptedLine has all fields of the format combined.
const acceptedLine = `192.0.2.1 - bob [09/Mar/2026:14:05:00 +0000] "GET /c?d=e HTTP/1.1" 200 5 "https://example.com/" "curl/8.5"`

// TestNextLongest tests common lines with lengths around that up to which their prefix is
// read at once, before and after lines with fewer or other fields.
func TestNextLongest(t *testing.T) {
	p := formatNamed(t, "combined").NewParser()
	for n := longest - 2; n < longest+2; n++ {
		for _, at := range []string{"bob", "/c", "?d", `"https`, `"curl`} {
			long := strings.Replace(acceptedLine, at, at+strings.Repeat("a", n-len(acceptedLine)), 1)
			for _, other := range []string{
				long, combinedLine, `192.0.2.1 - - [09/Mar/2026:14:05:00 +0000] "-" 200 - "-" "-"`,
				strings.Replace(acceptedLine, "d=e", "session_id=0123456789abcdef", 1), strings.Replace(acceptedLine, "/c", "http://example.org/c;d", 1),
			} {
				block := []byte(strings.Repeat(long+"\n"+other+"\n"+acceptedLine+"\n", 3))
				sameLines(t, p, block)
				sameLines(t, p, beforeText(block))
			}
		}
	}
}

func formatNamed(tb testing.TB, name string) *Format {
	tb.Helper()
	f, ok := Lookup(name)
	if !ok {
		tb.Fatalf("no format %s", name)
	}
	return f
}

// beforeText returns block with text behind it, in its array.
func beforeText(block []byte) []byte {
	return append(slices.Clip(block), bytes.Repeat([]byte("0 \"/"), len(text{})/4)...)[:len(block)]
}

// sameLines compares parsing a block with parsing its lines one by one without fast
// paths.
func sameLines(t *testing.T, p *Parser, block []byte) {
	t.Helper()
	plain := NewParser(p.formats...)
	plain.values.general = true
	p.Directive(nil)
	plain.Directive(nil)
	var e, want Entry
	p.Lines(block)
	for rest := block; len(rest) > 0; {
		var l []byte
		l, rest, _ = bytes.Cut(rest, []byte("\n"))
		line, v, ok := p.Next(&e)
		if p.lines.lineEnd > 0 {
			return // a line of several objects is parsed in parts
		}
		if !ok || !bytes.Equal(line, l) {
			t.Fatalf("%s: %v, line %q, want %q", p.formats[0].Name, ok, line, l)
		}
		if w := plain.Parse(l, &want); w != v || v == Parsed && show(&e) != show(&want) {
			t.Fatalf("%s: %q is %v %s, want %v %s", p.formats[0].Name, l, v, show(&e), w, show(&want))
		}
	}
	if line, _, ok := p.Next(&e); ok {
		t.Fatalf("%s: one more line: %q", p.formats[0].Name, line)
	}
	if p.formats[0].prefixed {
		sameParts(t, p, plain, block)
	}
}

// sameParts compares parsing the lines of a block as parts of it, forwards and backwards, with
// parsing them by plain, which has no fast paths.
func sameParts(t *testing.T, p, plain *Parser, block []byte) {
	t.Helper()
	var e, want Entry
	var lines [][]byte
	for rest := block; len(rest) > 0; {
		var l []byte
		l, rest, _ = bytes.Cut(rest, []byte("\n"))
		lines = append(lines, l)
	}
	p.Block(block)
	at, step := 0, 1
	for range 2 {
		for ; at >= 0 && at < len(lines); at += step {
			v, w := p.Parse(lines[at], &e), plain.Parse(lines[at], &want)
			if l := lines[at]; w != v || v == Parsed && show(&e) != show(&want) {
				t.Fatalf("%s: %q of a block is %v %s, want %v %s", p.formats[0].Name, l, v, show(&e), w, show(&want))
			}
		}
		at, step = len(lines)-1, -1
	}
}

// FuzzLines compares parsing blocks with parsing lines, for all formats.
func FuzzLines(f *testing.F) {
	for _, g := range Formats() {
		for _, s := range g.Samples {
			f.Add([]byte(s + "\n" + s + "\r\n\n" + combinedLine))
		}
	}
	for _, tt := range lineTests {
		f.Add([]byte(combinedLine + "\n" + tt.line + "\n" + combinedLine))
		f.Add([]byte(acceptedLine + "\n" + tt.line + "\n" + acceptedLine + "\n"))
	}
	var parsers []*Parser
	for _, g := range Formats() {
		parsers = append(parsers, g.NewParser())
	}
	parsers = append(parsers, NewParser(Formats()...))
	f.Fuzz(func(t *testing.T, block []byte) {
		for _, p := range parsers {
			sameLines(t, p, slices.Clip(block))
			sameLines(t, p, beforeText(block))
		}
	})
}
