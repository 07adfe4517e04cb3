package parse

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"logscan/fixtures/planted"
	"logscan/parse/privacy"
)

// plantedParser returns a parser of a log.
func plantedParser(t *testing.T, l *planted.Log) *Parser {
	t.Helper()
	if strings.HasPrefix(l.Name, "sessions-") {
		var text strings.Builder
		for i := range l.Lines {
			text.WriteString(l.Lines[i].Text + "\n")
		}
		d := Detect([]byte(text.String()), Formats())
		if !slices.ContainsFunc(d.Formats, func(f *Format) bool { return f.base != nil }) {
			t.Errorf("%s: nothing is learned", l.Name)
		}
		return NewParser(d.Formats...)
	}
	if l.Format == "" {
		f, _ := Lookup("iis")
		return f.describedBy([]byte(planted.Directive)).NewParser()
	}
	if f, ok := Lookup(l.Format); ok {
		return f.NewParser()
	}
	f, err := Compile(l.Format)
	if err != nil {
		t.Fatal(err)
	}
	return f.NewParser()
}

// TestPlantedCredentials checks that no credential of the corpus is in what is shown of a
// line: as evidence or as rejected, and its fields.
func TestPlantedCredentials(t *testing.T) {
	lines := 0
	leaks := map[string]int{}
	for _, l := range append(planted.Corpus(), planted.Sessions()...) {
		p := plantedParser(t, l)
		for i := range l.Lines {
			x := &l.Lines[i]
			var e Entry
			lines++
			v := p.Parse([]byte(x.Text), &e)
			if v.Skipped() {
				continue
			}
			known := p.Locate(bytes.Clone(p.Line([]byte(x.Text))), v)
			shown := privacy.RedactLine(nil, []byte(x.Text), known)
			for _, f := range [][]byte{e.Path, e.Query, e.Referrer, e.UserAgent, e.Reason, e.User, e.Client, e.Host, e.Upstream} {
				if v == Parsed {
					shown = privacy.Redact(append(shown, '\n'), f)
				}
			}
			for _, needle := range x.Needles {
				if bytes.Contains(shown, []byte(needle)) {
					leaks[l.Name+": "+x.Kind]++
					t.Errorf("%s, %v: %s is in\n%s", x.Kind, v, needle, shown)
					break
				}
			}
		}
	}
	t.Logf("%d lines, %d kinds leak", lines, len(leaks))
	if os.Getenv("LEAKS") != "" {
		for _, k := range slices.Sorted(maps.Keys(leaks)) {
			t.Log(k)
		}
	}
	if lines < 900 {
		t.Errorf("only %d lines", lines)
	}
}
