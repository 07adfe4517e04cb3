package outdir

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"logscan/report/document"
)

// readManifest reads all of a manifest but its inputs.
func TestReadManifest(t *testing.T) {
	want := document.Manifest{SchemaVersion: document.SchemaVersion, Arguments: []string{"scan"}, Inputs: make([]document.Input, 3)}
	want.Tool.Name = document.ToolName
	want.Totals.Parsed = 7
	encoded, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, document.ManifestName), encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Inputs) != 0 || got.Totals != want.Totals || len(got.Arguments) != 1 {
		t.Errorf("%+v", got)
	}
}
