package parse

import (
	"strings"
	"testing"
	"unicode/utf16"
)

// inUTF16 encodes text in UTF-16, little- or big-endian.
func inUTF16(text string, little bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		if little {
			b.Write([]byte{byte(u), byte(u >> 8)})
		} else {
			b.Write([]byte{byte(u >> 8), byte(u)})
		}
	}
	return b.String()
}

func TestUTF16(t *testing.T) {
	combined, _ := Lookup("combined")
	line := combined.Samples[0] + "\n"
	for _, little := range []bool{true, false} {
		for _, text := range []string{line, "\ufeff" + line, "\ufeff"} {
			if d := Detect([]byte(inUTF16(text, little)), Formats()); !d.UTF16 || d.Format != nil {
				t.Errorf("%q, little-endian %v: UTF-16 %v, format %v", text, little, d.UTF16, d.Format)
			}
		}
	}
	for _, text := range []string{"", "a", "a\x00", line, byteOrderMark + line, "\x00\x00\x00\x00", "a\x00b\x00cd\x00", strings.Repeat("\x00", 100)} {
		if d := Detect([]byte(text), Formats()); d.UTF16 {
			t.Errorf("%q is detected as UTF-16", text)
		}
	}
}

// TestByteOrderMark checks that the mark is not part of a line, and not a line alone.
func TestByteOrderMark(t *testing.T) {
	var e, plain Entry
	for _, f := range Formats() {
		for _, s := range f.Samples {
			p, q := f.NewParser(), f.NewParser()
			if v, want := p.Parse([]byte(byteOrderMark+s), &e), q.Parse([]byte(s), &plain); v != want || e.Time != plain.Time || string(e.Client) != string(plain.Client) {
				t.Errorf("%s: %v instead of %v with a byte order mark", f.Name, v, want)
			}
		}
	}
	p := Formats()[0].NewParser()
	for _, line := range []string{byteOrderMark, byteOrderMark + "\r"} {
		if v := p.Parse([]byte(line), &e); v != SkipBlank {
			t.Errorf("%q: %v", line, v)
		}
	}
}
