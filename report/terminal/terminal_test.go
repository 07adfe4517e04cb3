package terminal

import (
	"bytes"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/fixtures/golden"
	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

// readBack returns a result as it is read back from its output.
func readBack(t *testing.T, res *result.Result) *outdir.Report {
	t.Helper()
	r, dir := wording.Describe(res), t.TempDir()
	for name, v := range map[string]any{
		document.ManifestName: document.NewManifest(reporttest.Run(), res, nil, nil),
		document.FindingsName: r.Document(),
	} {
		var b strings.Builder
		if err := document.Write(&b, v); err != nil {
			t.Fatal(err)
		}
		reporttest.Put(t, filepath.Join(dir, name), b.String())
	}
	back, err := outdir.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func TestTerminalText(t *testing.T) {
	r := readBack(t, reporttest.Result())
	for name, f := range map[string]func(*bytes.Buffer) error{
		"summary.txt": func(b *bytes.Buffer) error {
			Summary(b, wording.Describe(reporttest.Result()), false, textWidth)
			return nil
		},
		"findings.txt": func(b *bytes.Buffer) error { return ShowFindings(b, r, false) },
		"finding.txt":  func(b *bytes.Buffer) error { return ShowFinding(b, r, r.Findings[0].ID, false) },
		"hostile.txt":  func(b *bytes.Buffer) error { return ShowFinding(b, r, r.Findings[3].ID, false) },
	} {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden.Check(t, filepath.Join("testdata", name), b.Bytes())
		reporttest.Printable(t, name, b.String())
	}
	var unknown *outdir.UnknownFindingError
	if err := ShowFinding(&bytes.Buffer{}, r, "none", false); !errors.As(err, &unknown) {
		t.Errorf("got %v, want that the finding is unknown", err)
	}
	for name, err := range map[string]error{
		"list": ShowFindings(&reporttest.FailingWriter{}, r, false), "one": ShowFinding(&reporttest.FailingWriter{}, r, r.Findings[0].ID, false),
	} {
		if !errors.Is(err, reporttest.ErrFull) {
			t.Errorf("%s: got %v, want that it cannot be written", name, err)
		}
	}
}

func TestSummaryFitsATerminal(t *testing.T) {
	res := reporttest.Result()
	for i := range res.Findings {
		res.Findings[i].Title = strings.Repeat("long words ", 200)
	}
	for range 40 {
		res.Findings = append(res.Findings, res.Findings[1])
	}
	for name, res := range map[string]*result.Result{"long": res, "empty": reporttest.Empty(), "fixture": reporttest.Result()} {
		var b bytes.Buffer
		Summary(&b, wording.Describe(res), true, 80)
		if lines := strings.Count(b.String(), "\n"); lines > 24 || lines < 2 {
			t.Errorf("%s: the summary has %d lines", name, lines)
		}
		for line := range strings.Lines(regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(b.String(), "")) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && strings.Contains(line, "  ") {
				t.Errorf("%s: %d characters in %q", name, n, line)
			}
		}
	}
}

func TestNoFindings(t *testing.T) {
	r := readBack(t, reporttest.Empty())
	var b bytes.Buffer
	if err := ShowFindings(&b, r, false); err != nil {
		t.Fatal(err)
	}
	if want := "No input was read.\n0 401s in 0 lines of 0 inputs\nno findings\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestParagraph(t *testing.T) {
	for _, c := range []struct{ in, indent, want string }{
		{"", "", "\n"},
		{"a b", "", "a b\n"},
		{strings.Repeat("x", 98) + " yy", "", strings.Repeat("x", 98) + "\nyy\n"},
		{strings.Repeat("x", 98) + " y", "", strings.Repeat("x", 98) + " y\n"},
		{strings.Repeat("ü", 98) + " y", "", strings.Repeat("ü", 98) + " y\n"},
		{strings.Repeat("x", 98) + " y z", "    ", strings.Repeat("x", 98) + "\n    y z\n"},
	} {
		if got := paragraph(c.in, c.indent, textWidth); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}
