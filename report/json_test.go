package report

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/fixtures/golden"
	"logscan/parse"
)

func TestJSONFiles(t *testing.T) {
	files := content(t, write(t, fixture()))
	for _, name := range []string{"findings.json", "rejects.ndjson"} {
		golden.Check(t, filepath.Join("testdata", name), []byte(files[name]))
	}
	// Sizes of tables change with the libraries: they are not the golden file's.
	var m Manifest
	if err := json.Unmarshal([]byte(files["manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	for _, table := range Tables() {
		size := m.Tables[table.Name]
		if got := int64(len(files[table.Name+".parquet"])); size.Bytes != got {
			t.Errorf("manifest: %s has %d bytes, the file %d", table.Name, size.Bytes, got)
		}
		m.Tables[table.Name] = tableSize{Rows: size.Rows}
	}
	var b bytes.Buffer
	if err := writeDocument(&b, m); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("testdata", "manifest.json"), b.Bytes())
	for name, text := range files {
		if strings.HasSuffix(name, "json") {
			printable(t, name, text)
		}
	}
}

// printable fails t where text holds a character that acts or hides.
func printable(t *testing.T, name, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is not valid UTF-8", name)
	}
	for i, r := range text {
		// A non-breaking space in front of a percent sign is our own.
		if r != '\n' && r != '\u00a0' && !strconv.IsPrint(r) {
			t.Errorf("%s: %U at %d: %q", name, r, i, text[max(0, i-20):min(len(text), i+20)])
			return
		}
	}
}

func TestEmptyResultHasEmptyLists(t *testing.T) {
	files := content(t, write(t, empty()))
	if want := "{\n  \"schema_version\": 1,\n  \"findings\": [],\n  \"resolved\": []\n}\n"; files["findings.json"] != want {
		t.Errorf("findings.json is %q, want %q", files["findings.json"], want)
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

func TestManifestResources(t *testing.T) {
	for _, c := range []struct {
		wall float64
		want int64
	}{{2, 8_500_000}, {0, 0}, {math.Inf(1), 0}, {math.NaN(), 0}} {
		var b bytes.Buffer
		run := func() Run { return Run{WallSeconds: c.wall, CPUSeconds: math.NaN()} }
		if err := writeManifest(t.Context(), &job{res: fixture(), run: run}, &b); err != nil {
			t.Fatal(err)
		}
		var m Manifest
		if err := json.Unmarshal(b.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		if m.Resources.BytesPerSecond != c.want {
			t.Errorf("in %v s: %d bytes a second, want %d", c.wall, m.Resources.BytesPerSecond, c.want)
		}
	}
}

func TestRejectsAreBounded(t *testing.T) {
	res := empty()
	res.RejectedLines = make([]result.RejectedLine, result.MaxRejectedLines+5)
	var b bytes.Buffer
	if err := writeRejects(t.Context(), &job{res: res}, &b); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(b.Bytes(), []byte{'\n'}); got != result.MaxRejectedLines {
		t.Errorf("%d lines, want %d", got, result.MaxRejectedLines)
	}
}

func TestStamp(t *testing.T) {
	for _, c := range []struct {
		us   int64
		want string
	}{
		{parse.NoTime, `null`},
		{0, `"1970-01-01T00:00:00Z"`},
		{at(14, 5, 12), `"2026-03-09T14:05:12Z"`},
		{at(14, 5, 12) + 123_456, `"2026-03-09T14:05:12.123456Z"`},
		{-1, `"1969-12-31T23:59:59.999999Z"`},
	} {
		b, err := json.Marshal(Stamp(c.us))
		if err != nil || string(b) != c.want {
			t.Errorf("%d: got %s (%v), want %s", c.us, b, err, c.want)
		}
		var back Stamp
		if err := json.Unmarshal(b, &back); err != nil || int64(back) != c.us {
			t.Errorf("%s: read back as %d (%v), want %d", b, back, err, c.us)
		}
	}
	for _, bad := range []string{`5`, `"yesterday"`, `{}`} {
		var s Stamp
		if err := json.Unmarshal([]byte(bad), &s); err == nil {
			t.Errorf("%s was read as a time", bad)
		}
	}
}

func FuzzEscapeUnprintable(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		plain, err := json.Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		escaped := escapeUnprintable(plain)
		printable(t, "JSON", strings.ReplaceAll(string(escaped), "\u00a0", "\x01"))
		var want, got any
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(escaped, &got); err != nil {
			t.Fatalf("%q became %q: %v", plain, escaped, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q, which means something else", plain, escaped)
		}
	})
}
