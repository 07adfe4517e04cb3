package analyze

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/source"
)

// FuzzRun checks for any log that the run succeeds, that each byte is counted in one
// line and each line in the ledger, and that the result does not depend on the number
// of workers.
func FuzzRun(f *testing.F) {
	var all bytes.Buffer
	for _, g := range parse.Formats() {
		for _, s := range g.Samples {
			f.Add([]byte(s + "\n" + s))
			all.WriteString(s + "\n")
		}
	}
	f.Add(all.Bytes())
	f.Add([]byte("#Fields: date time c-ip\n2026-03-09 14:05:00 ::1\n#Fields: x\n\n \x00\n"))
	f.Add([]byte(`2026-03-09T14:05:00Z stdout P 192.0.2.1 - - ` + "\n" + `2026-03-09T14:05:00Z stdout F [09/Mar/2026:14:05:00 +0000] "GET / HTTP/1.1" 401 5 "-" "x"`))
	f.Add([]byte(`{"status":401}{0`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, log []byte) {
		path := filepath.Join(dir, "log")
		if err := os.WriteFile(path, log, 0o600); err != nil {
			t.Fatal(err)
		}
		inputs, _, err := source.Expand([]string{path}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var first *result.Result
		for _, workers := range []int{1, 2} {
			res, err := Run(t.Context(), Options{Inputs: inputs, Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			sum := func(counts map[string]int64) (n int64) {
				for _, c := range counts {
					n += c
				}
				return n
			}
			n := res.Totals
			if n.Lines != n.Parsed+n.Rejected+n.Skipped || sum(res.Rejects) != n.Rejected || sum(res.Skips) != n.Skipped || sum(res.Causes) != n.Unauthorized {
				t.Errorf("%d workers: %+v, rejects %v, skips %v, causes %v", workers, n, res.Rejects, res.Skips, res.Causes)
			}
			plain := len(res.Inputs) == 1 && res.Inputs[0].Error == "" && res.Inputs[0].Compression == "none"
			lines := int64(bytes.Count(log, []byte("\n")))
			if len(log) > 0 && log[len(log)-1] != '\n' {
				lines++
			}
			several := bytes.Count(log, []byte("{")) > 1 // each object of a line counts as a line
			if plain && (n.Lines < lines || n.Lines > lines && !several || n.Bytes != int64(len(log))) {
				t.Errorf("%d workers: %d lines and %d bytes, want %d and %d", workers, n.Lines, n.Bytes, lines, len(log))
			}
			rows := int64(0)
			for _, err := range res.Unauthorized.Reader()(0, res.Unauthorized.Len) {
				if err != nil {
					t.Fatal(err)
				}
				rows++
			}
			if rows != n.Unauthorized {
				t.Errorf("%d workers: %d rows for %d 401s", workers, rows, n.Unauthorized)
			}
			if first == nil {
				first = res
			} else if first.Totals != n || len(first.Findings) != len(res.Findings) {
				t.Errorf("2 workers: %+v, 1 worker: %+v", n, first.Totals)
			}
		}
	})
}
