package parse

import (
	"bytes"
	"strings"
	"testing"
)

// Lines of every length, around what is looked at together, and with every end.
func TestNextCutsAsSplitDoes(t *testing.T) {
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

// sameLines compares what a parser reads of a block with what another reads of
// its lines one by one, in the general way.
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
			t.Fatalf("%s: %q gives %v %s, want %v %s", p.formats[0].Name, l, v, show(&e), w, show(&want))
		}
	}
	if line, _, ok := p.Next(&e); ok {
		t.Fatalf("%s: one more line: %q", p.formats[0].Name, line)
	}
}

// What is read from the lines of a block does not depend on how they are looked
// at.
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
