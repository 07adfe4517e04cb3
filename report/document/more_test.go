package document_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
	"logscan/report/document"
)

// TestBound checks that findings take no more than the limit, whatever their texts are,
// and that those which take little stay whole.
func TestBound(t *testing.T) {
	const limit = 3 << 20
	texts := []string{strings.Repeat("\x01<é", 500), strings.Repeat("a", 1<<20)}
	if trials.All() {
		texts = append(texts, strings.Repeat("a", 2000), strings.Repeat("\u202e", 700))
	}
	for _, text := range texts {
		var all []document.Finding
		for i := range result.MaxFindings + 20 {
			f := document.Finding{ID: fmt.Sprint("brute_force-", i), Title: "short", Details: map[string]any{"n": 1}}
			if i > 0 && (i < 3 || len(text) < 1<<20) {
				f.Title, f.Explanation, f.Remediation = text, text, []string{text, text, text, text}
				f.Subject = result.Subject{Host: text, Route: text, User: text, UserAgent: text}
				f.Details = map[string]any{"a": text, "names": []string{text, text, text}}
				for line := range int64(4) {
					f.Evidence = append(f.Evidence, result.Evidence{Path: "access.log", Line: line, Raw: text[:min(len(text), 2000)]})
				}
			}
			all = append(all, f)
		}
		document.Bound(all, limit)
		var b bytes.Buffer
		if err := document.Write(&b, document.NewFindings(document.Findings{Findings: all})); err != nil || !json.Valid(b.Bytes()) {
			t.Fatal(err)
		}
		if b.Len() > limit+limit/50 {
			t.Errorf("%.3q…: %d bytes, want %d", text, b.Len(), limit)
		}
		if all[0].Title != "short" || all[1].ID != "brute_force-1" {
			t.Errorf("%.3q…: short texts are cut", text)
		}
	}
}

// TestBoundKeepsSmallOutputs checks that findings that fit are not changed.
func TestBoundKeepsSmallOutputs(t *testing.T) {
	f := document.Finding{Title: strings.Repeat("long ", 1000), Evidence: make([]result.Evidence, 20)}
	all := []document.Finding{f}
	if document.Bound(all, 1<<20); all[0].Title != f.Title || len(all[0].Evidence) != 20 {
		t.Error("it is shortened")
	}
}
