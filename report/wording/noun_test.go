package wording

import (
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/reporttest"
)

// TestStatusesInTexts checks that no text of a run with --status calls its refusals 401s.
func TestStatusesInTexts(t *testing.T) {
	res := reporttest.Empty()
	res.Inputs = []result.Input{{Path: "a"}}
	res.Statuses = []int32{403, 302}
	res.Findings = []result.Finding{{Severity: result.Medium, Text: result.Text{Title: "A"}, Unauthorized: 60, Onset: parse.NoTime}}
	res.Causes = map[string]int64{"endpoint_misconfigured": 60, "challenge": 30, "unexplained": 10}
	res.Totals.Unauthorized, res.Totals.Unexplained, res.Totals.Parsed = 100, 10, 1000
	r := Describe(res)
	noun := NounOf(res.Statuses)
	texts := append(Notes([]result.Note{{Kind: result.NoteManyUsers, N: 5, M: 3}, {Kind: result.NoteManyClients, N: 5}}, noun),
		r.Verdict.Sentence, r.Verdict.Rest, Caption(&result.Exhibit{}, noun), noun.Title(), noun.Count(1))
	for _, s := range texts {
		if s == "" || strings.Contains(s, "401") {
			t.Errorf("got %q", s)
		}
	}
	if got := StatusesOf(res.Statuses); got != "302, 401 and 403" {
		t.Errorf("got statuses %q", got)
	}
	if got := StatusesOf(nil); got != "401" {
		t.Errorf("got statuses %q", got)
	}
}
