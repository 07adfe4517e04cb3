package outdir

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"logscan/report/document"
)

// readManifest reads all of a manifest but its inputs, however it is indented.
func TestReadManifest(t *testing.T) {
	for _, inputs := range []int{0, 1, 3} {
		want := document.Manifest{SchemaVersion: document.SchemaVersion, Arguments: []string{"scan", "\n  \"inputs\": [\n"}, Inputs: make([]document.Input, inputs)}
		want.Tool.Name = document.ToolName
		want.Totals.Parsed = 7
		want.Notes = []string{"],", "\n  ],"}
		want.Undetectable = []document.Undetectable{{Missing: []string{"session_id"}}}
		for i := range want.Inputs {
			want.Inputs[i].Missing = []string{"user"}
		}
		var indented bytes.Buffer
		if err := document.Write(&indented, want); err != nil {
			t.Fatal(err)
		}
		short, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(withoutInputs(indented.Bytes())); inputs > 0 && n >= indented.Len() {
			t.Errorf("%d inputs: %d of %d bytes are decoded", inputs, n, indented.Len())
		}
		for _, encoded := range [][]byte{indented.Bytes(), short} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, document.ManifestName), encoded, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Inputs) != 0 || got.Totals != want.Totals || len(got.Arguments) != 2 || len(got.Notes) != 2 || len(got.Undetectable) != 1 {
				t.Errorf("%d inputs: %+v", inputs, got)
			}
		}
	}
}
