package report

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/report/document"
	"logscan/report/outdir"
	"logscan/report/terminal"
)

// FuzzOpen opens arbitrary bytes as the output of an earlier run. Either Open fails, or
// the output can be shown and compared with itself, and nothing of it acts on a
// terminal.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	manifest := `{"schema_version": 1, "tool": {"name": "logscan"}}`
	f.Add([]byte(manifest), []byte(`{"schema_version": 1, "findings": []}`))
	f.Add([]byte(manifest), []byte(`{"schema_version": 1, "findings": [{"id":"\u001b[2J","severity":"high","kind":"brute_force","subject":{"type":"client"},"details":null}], "resolved":[{}]}`))
	f.Add([]byte(`{"schema_version": 1, "tool": {"name": "logscan"}, "inputs":[{"path":"\n","lines":-1}], "totals":{"lines":1e30}, "undetectable":[{"kind":"x"}]}`), []byte(`{"schema_version":1,"findings":null}`))
	f.Add([]byte(strings.Repeat("[", 20000)), []byte(`{`))
	f.Add([]byte(manifest), []byte(`{"schema_version": 1, "findings": [{"onset":"x","first_seen":"9999-99-99T00:00:00Z","evidence":[{"file":"\u202e","line":-7,"raw":"\u0000"}],"confidence":1e308}]}`))
	f.Fuzz(func(t *testing.T, manifest, findings []byte) {
		put := func(name string, data []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put("manifest.json", manifest)
		put("findings.json", findings)
		r, err := outdir.Open(dir)
		if err != nil {
			return
		}
		var b strings.Builder
		show := func(err error) {
			if err != nil {
				t.Errorf("cannot be shown: %v", err)
			}
		}
		show(terminal.ShowFindings(&b, r, false))
		for i := range r.Findings {
			show(terminal.ShowFinding(&b, r, r.Findings[i].ID, false))
		}
		if d, err := terminal.Diff(r, r); err == nil {
			show(terminal.ShowDiff(&b, d, false))
			show(document.Write(io.Discard, d))
		}
		for _, c := range b.String() {
			if c != '\n' && (c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\u202e' || c == '\u2028') {
				t.Errorf("%U is written to a terminal", c)
			}
		}
		if !utf8.ValidString(b.String()) {
			t.Error("the text is not UTF-8")
		}
	})
}
