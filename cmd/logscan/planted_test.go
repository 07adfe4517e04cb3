package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corpus "logscan/fixtures/planted"
	"logscan/fixtures/trials"
)

// TestNoPlantedCredentialLeaves scans and parses the logs of the corpus, and searches
// everything that is printed and written for their credentials.
func TestNoPlantedCredentialLeaves(t *testing.T) {
	skipWithRace(t)
	dir := t.TempDir()
	logs := append(append(corpus.Corpus(), corpus.BrokenEndpoint()), corpus.Sessions()...)
	all := map[string]int{} // leaks by output
	var hook posted
	server := httptest.NewServer(&hook)
	defer server.Close()
	for _, l := range logs {
		path := filepath.Join(dir, l.Name+".log")
		var text strings.Builder
		if l.Name == "iis" {
			text.WriteString(corpus.Directive + "\n")
		}
		for i := range l.Lines {
			text.WriteString(l.Lines[i].Text + "\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		search := func(output string, data []byte) {
			for i := range l.Lines {
				for _, needle := range l.Lines[i].Needles {
					if at := bytes.Index(data, []byte(needle)); at >= 0 {
						all[output]++
						t.Errorf("%s of %s: %s: …%s…", output, l.Name, l.Lines[i].Kind, data[max(0, at-100):min(len(data), at+40)])
						break
					}
				}
			}
		}
		command := func(args ...string) {
			var stdout, stderr bytes.Buffer
			if code := run(&streams{strings.NewReader(""), &stdout, &stderr, append(args, path)}); code != exitDone && code != exitIncomplete {
				t.Fatalf("logscan %v: %d: %s", args, code, stderr.String())
			}
			search("standard output of "+args[0], stdout.Bytes())
			search("standard error of "+args[0], stderr.Bytes())
		}
		flags := [][]string{nil} // the format is detected
		if l.Format != "" && (l.Name == "endpoint" || trials.All()) {
			flags = append(flags, []string{"--format", l.Format})
		}
		for _, format := range flags {
			command(append([]string{"parse"}, format...)...)
			out := filepath.Join(dir, "out")
			command(append([]string{"scan", "--max-rejects", "100", "--requests", "-o", out, "--webhook", server.URL}, format...)...)
			searchFiles(t, out, search)
			command(append([]string{"scan", "--max-rejects", "100", "-o", out, "--webhook", server.URL, "--webhook-format", "slack"}, format...)...)
			if len(hook.bodies) == 0 {
				t.Error("nothing posted")
			}
			search("webhook", hook.bodies)
			hook.bodies = nil
			if l.Name == "endpoint" && format != nil {
				data, err := os.ReadFile(filepath.Join(out, "findings.json"))
				if err != nil || !bytes.Contains(data, []byte(`"raw"`)) {
					t.Error("no evidence", err)
				}
			}
		}
	}
	t.Log("leaks:", fmt.Sprint(all))
}

// searchFiles calls search with the files of an output directory, and the texts of Parquet
// files.
func searchFiles(t *testing.T, out string, search func(output string, data []byte)) {
	t.Helper()
	files, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if search(f.Name(), data); strings.HasSuffix(f.Name(), ".parquet") {
			search("text of "+f.Name(), parquetTexts(t, data))
		}
	}
}
