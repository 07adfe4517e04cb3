package analyze

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
)

// logs writes files to a new directory and returns it.
func logs(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	plainLine = `203.0.113.1 - - [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 200 179 "-" "curl/8"` + "\n"
	namedLine = `203.0.113.1 - jane [09/Mar/2026:14:05:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8"` + "\n"
	jsonLine  = `{"time_iso8601":"2026-03-09T14:05:00+00:00","remote_addr":"203.0.113.1","request_uri":"/a","status":401}` + "\n"
)

// TestFormatsOfARun checks that the formats of the inputs are listed once each, with what
// all their lines hold, and that each input lists its missing fields.
func TestFormatsOfARun(t *testing.T) {
	dir := logs(t, map[string]string{
		"a.log":    plainLine + plainLine,
		"b.log":    namedLine,
		"c.json":   jsonLine,
		"d.prose":  strings.Repeat("It was a dark and stormy night.\n", 9) + plainLine,
		"e.prose":  "the rain fell in torrents,\n",
		"empty.gz": "",
	})
	var first []result.LogFormat
	for _, workers := range []int{1, 8} {
		res := run(t, workers, nil, dir)
		var formats []string
		for _, f := range res.Formats {
			formats = append(formats, fmt.Sprint(f.Name, " ", f.Inputs, " ", f.Presence.Lines, " ", f.Presence.Has[parse.ExtraUser], " ", len(f.Advice.Configs)))
		}
		if want := []string{"combined 2 3 1 2", "json 1 1 0 1"}; !slices.Equal(formats, want) {
			t.Errorf("formats %q, want %q", formats, want)
		}
		if first == nil {
			first = res.Formats
		} else if !reflect.DeepEqual(first, res.Formats) {
			t.Errorf("%d workers: the formats differ", workers)
		}
		lacks := func(i int, name string) bool { return slices.Contains(res.Inputs[i].Missing, name) }
		if !lacks(0, "user") || lacks(1, "user") || !lacks(1, "session") || !lacks(2, "user") || lacks(1, "user_agent") {
			t.Errorf("missing: %q, %q, %q", res.Inputs[0].Missing, res.Inputs[1].Missing, res.Inputs[2].Missing)
		}
		for i, want := range []string{"combined", "combined", "json", "unknown", "unknown", "unknown"} {
			if in := &res.Inputs[i]; in.Format != want {
				t.Errorf("%s has format %s, want %s", in.Path, in.Format, want)
			}
		}
		closest := result.Match{Format: "combined", Share: 0.1}
		note := result.Note{Kind: result.NoteUnknownFormat, Name: filepath.Join(dir, "d.prose"), N: 1, M: 10, Match: closest}
		if res.Inputs[3].Closest != closest || !slices.Contains(res.Notes, note) {
			t.Errorf("closest %+v, notes %+v", res.Inputs[3].Closest, res.Notes)
		}
	}
}

// TestSampleMissesAUser checks that a field is not reported as missing if it occurs only
// in a line outside the sample.
func TestSampleMissesAUser(t *testing.T) {
	text := strings.Repeat(plainLine, 12_000)
	at := len(plainLine) * 3000
	dir := logs(t, map[string]string{"a.log": text[:at] + namedLine + text[at:]})
	res := run(t, 2, nil, dir)
	if len(res.Formats) != 1 || res.Totals.Unauthorized != 1 {
		t.Fatalf("%d formats and %d 401s, want 1 and 1", len(res.Formats), res.Totals.Unauthorized)
	}
	if p := &res.Formats[0].Presence; p.Refused != 0 {
		t.Fatalf("the sample contains the line that it should miss: %+v", p)
	}
	for _, g := range res.Formats[0].Advice.Gaps {
		if g.Extra == parse.ExtraUser {
			t.Error("the user is reported as missing")
		}
	}
}
