package parse

import (
	"bytes"
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
				sameLines(t, p, []byte(strings.Repeat(fill, n)+"\n"+combinedLine+end+strings.Repeat(combinedLine+"\n", 2*window/len(combinedLine))))
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
	}
	var parsers []*Parser
	for _, g := range Formats() {
		parsers = append(parsers, g.NewParser())
	}
	parsers = append(parsers, NewParser(Formats()...))
	f.Fuzz(func(t *testing.T, block []byte) {
		for _, p := range parsers {
			sameLines(t, p, block)
		}
	})
}
