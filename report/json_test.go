package report

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"logscan/fixtures/golden"
	"logscan/report/document"
	"logscan/report/reporttest"
	"logscan/report/tables"
)

func TestJSONFiles(t *testing.T) {
	files := content(t, write(t, reporttest.Result()))
	for _, name := range []string{"findings.json", "rejects.ndjson"} {
		golden.Check(t, filepath.Join("testdata", name), []byte(files[name]))
	}
	// The sizes of tables depend on the libraries and are not in the golden file.
	var m document.Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables.Tables() {
		size := m.Tables[table.Name]
		if got := int64(len(files[table.Name+".parquet"])); size.Bytes != got {
			t.Errorf("manifest: %s has %d bytes, the file %d", table.Name, size.Bytes, got)
		}
		m.Tables[table.Name] = document.TableSize{Rows: size.Rows}
	}
	var b bytes.Buffer
	if err := document.Write(&b, m); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "manifest.json"), b.Bytes())
	for name, text := range files {
		if strings.HasSuffix(name, "json") {
			reporttest.Printable(t, name, text)
		}
	}
}

func TestEmptyResultHasEmptyLists(t *testing.T) {
	files := content(t, write(t, reporttest.Empty()))
	if want := "\"break_ins\": []\n  },\n  \"findings\": [],\n  \"more\": null,\n  \"resolved\": [],\n  \"residual\": null\n}\n"; !strings.HasSuffix(files["findings.json"], want) {
		t.Errorf("findings.json is %q, want it to end in %q", files["findings.json"], want)
	}
	if files["rejects.ndjson"] != "" {
		t.Errorf("rejects.ndjson is %q", files["rejects.ndjson"])
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"schema_version", "tool", "arguments", "started_at", "finished_at", "inputs", "totals", "rejects", "causes", "tables", "resources"} {
		if m[key] == nil {
			t.Errorf("manifest has no %s", key)
		}
	}
}
