package parse

import (
	"fmt"
	"strings"
	"testing"
)

// combinedLines returns lines of the combined format with something behind it.
func combinedLines(n int, rest func(i int) string) []byte {
	var b strings.Builder
	for i := range n {
		user := "-"
		if i%7 == 0 {
			user = "anna"
		}
		fmt.Fprintf(&b, "192.0.2.%d - %s [09/Mar/2026:10:%02d:%02d +0000] \"GET /app/%d HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11)\"%s\n", i%250, user, i/60%60, i%60, i, i*7, rest(i))
	}
	return []byte(b.String())
}

// A format that leaves out the rest of lines is known beside a log of it, but not if another
// format reads more of a line.
func TestKnownOpenEnd(t *testing.T) {
	extended := func(i int) string { return fmt.Sprintf(" 0.%03d eu-%d-%d", i, i%3, i) }
	forwarded := func(int) string { return ` "198.51.100.7"` }
	formats := Formats()
	k := NewKnown(combinedLines(300, extended), formats)
	if k == nil {
		t.Fatal("no format is known")
	}
	for name, tc := range map[string]struct {
		rest func(i int) string
		ok   bool
	}{
		"as the known log": {extended, true},
		"another word, which no format reads": {func(i int) string {
			if i == 20 {
				return " eu-0-1 again, 7"
			}
			return extended(i)
		}, true},
		"another format": {forwarded, false},
		"another format in the second half": {func(i int) string {
			if i < 100 {
				return extended(i)
			}
			return forwarded(i)
		}, false},
	} {
		sample := combinedLines(200, tc.rest)
		want := Detect(sample, formats)
		got, s, ok := k.Detect(sample)
		if ok != tc.ok {
			t.Errorf("%s: known %v", name, ok)
		}
		if !ok {
			continue
		}
		if len(want.Formats) != 1 || got.Format.Key() != want.Format.Key() || got.Explained != got.Lines {
			t.Errorf("%s: %s reads %d of %d lines, want %s", name, got.Format.Name, got.Explained, got.Lines, want.Format.Name)
		}
		if survey := Survey(sample, want.Format); s != survey {
			t.Errorf("%s: %+v, want %+v", name, s, survey)
		}
	}
}

func TestAppendShape(t *testing.T) {
	if got := string(appendShape(nil, []byte(`a "b c" 7`), 2)); got != "0" {
		t.Errorf("behind two words: %s", got)
	}
	for line, want := range map[string]string{
		`10.0.0.1 - - [09/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 401 - "-" "a \" b"`: `0--]w"w0-"-"w`,
		"-1 10.0.0.1:80, 10.0.0.2:80 2001:db8::1\r":                                     `000w`,
		`"`:   `"-`,
		`"\`:  `"w`,
		` [x`: `]w`,
		``:    ``,
	} {
		if got := string(appendShape(nil, []byte(line), 0)); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
