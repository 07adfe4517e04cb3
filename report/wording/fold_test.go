package wording_test

import (
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

// TestFoldTexts checks what is said of folds and of findings beyond the limit.
func TestFoldTexts(t *testing.T) {
	largest := result.Finding{Kind: "brute_force", Subject: result.Subject{Type: "client", ClientAddress: "2001:db8::1"}, Details: &detect.Attack{Failures: 40, Accounts: 2, Tried: 2}}
	fold := func(by result.FoldedBy, n int) result.Finding {
		f := &result.Fold{Members: n, By: by, SubjectType: "client", Names: []string{"2001:db8::1", "2001:db8::2"}, Largest: &largest}
		return result.Finding{ID: string(by), Kind: "brute_force", Category: "attack", Fold: f, Details: f, Unauthorized: 500,
			Subject: result.Subject{Type: "client", ClientAddress: "2001:db8::/64"}}
	}
	res := reporttest.Result()
	res.Findings = []result.Finding{fold(result.FoldedByNetwork, 30), fold(result.FoldedByLimit, 12)}
	r := wording.Describe(res)
	if got, want := r.Described[0].Title, "Brute force: 30 clients in 2001:db8::/64"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	for _, part := range []string{"2001:db8::1, 2001:db8::2 and 28 others", "40 failed tries"} {
		if !strings.Contains(r.Described[0].Explanation, part) {
			t.Errorf("explanation %q lacks %q", r.Described[0].Explanation, part)
		}
	}
	d := r.Document()
	if len(d.Findings) != 1 || d.More == nil || d.More.Findings != 12 || d.More.Unauthorized != 500 {
		t.Errorf("%d findings, more %+v", len(d.Findings), d.More)
	}
	if got, want := wording.MoreText(d.More, wording.NounOf(nil)), "12 more findings with 500 401s are only counted, by kind: 12 Brute force (500 401s)."; got != want {
		t.Errorf("more %q, want %q", got, want)
	}
}
