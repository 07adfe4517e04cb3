package wording

import (
	"slices"
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/parse/advice"
	"logscan/parse/field"
	"logscan/report/reporttest"
)

// unexplained returns a result with n unexplained 401s in 1,000 requests, and a place of
// each kind that holds most of them.
func unexplained(n int64, top ...result.Place) *result.Result {
	res := reporttest.Empty()
	res.Inputs = []result.Input{{Path: "a"}}
	res.Totals.Parsed, res.Totals.Lines, res.Totals.Unauthorized, res.Totals.Unexplained = 1000, 1000, n, n
	r := &result.Residual{Unexplained: n, FirstTime: parse.NoTime, LastTime: parse.NoTime, BusiestHour: parse.NoTime}
	for i, p := range top {
		r.Dimensions = append(r.Dimensions, result.Dimension{Name: dimensionWords[i].name, Distinct: 3, Top: []result.Place{p}})
	}
	res.Residual = r
	return res
}

// TestResidualConcentrates checks that a place is named only if it holds most of the
// refusals, and more of them than of the requests.
func TestResidualConcentrates(t *testing.T) {
	for _, c := range []struct {
		place result.Place
		want  string
	}{
		{result.Place{Name: "GET /a", Unexplained: 90, Unauthorized: 90, Requests: 100}, "None of the 100 401s could be explained: most are on GET /a."},
		{result.Place{Name: "GET /a", Unexplained: 49, Unauthorized: 49, Requests: 50}, "None of the 100 401s could be explained."},
		{result.Place{Name: "GET /a", Unexplained: 90, Unauthorized: 90, Requests: 900}, "None of the 100 401s could be explained."},
		{result.Place{Name: "\x1b[2J", Unexplained: 90, Unauthorized: 90, Requests: 100}, "None of the 100 401s could be explained: most are on ‹U+001B›[2J."},
		{result.Place{Unexplained: 90, Unauthorized: 90, Requests: 100}, "None of the 100 401s could be explained."},
	} {
		if got := Describe(unexplained(100, c.place)).Verdict.Sentence; got != c.want {
			t.Errorf("%+v: %q, want %q", c.place, got, c.want)
		}
	}
}

// TestResidualSentences checks what is said of unexplained refusals.
func TestResidualSentences(t *testing.T) {
	res := unexplained(100, result.Place{Name: "GET /a", Unexplained: 90, Unauthorized: 95, Requests: 100}, result.Place{Name: "192.0.2.1", Unexplained: 4})
	r := res.Residual
	r.Clients, r.AcceptedClients, r.Others = 40, 38, result.Counts{Requests: 30, Accepted: 20, NotFound: 10}
	r.FirstTime, r.LastTime, r.BusiestHour, r.InBusiestHour = reporttest.At(1, 0, 0), reporttest.At(20, 0, 0), reporttest.At(14, 0, 0), 80
	r.Reason, r.AnsweredBy = &result.Reason{Text: "unknown_key", Class: field.KeyReason, N: 100, Stated: 100, Of: 100}, field.Proxy
	r.Missing = []advice.Gap{{Extra: parse.ExtraUser, Why: "Nobody is named."}, {Extra: parse.ExtraSession, Why: "Sessions are guessed."}}
	want := []string{
		"all 100 401s have no known cause.",
		"On GET /a: 90 (90%), of 95 401s in 100 requests.",
		"They spread over 3 addresses.",
		"They come from 40 clients, 38 of which were accepted for other requests. Of their 30 other requests: 20 accepted and 10 not found.",
		"Time: 2026-03-09, 01:00:00 to 20:00:00 UTC; 80% within the hour from 2026-03-09 14:00:00 UTC.",
		"The log states the reason unknown_key for all of them. The proxy itself answered, not the backend.",
		"The log states unknown_key: " + reasonAdvice[field.KeyReason],
		"To learn more, log user and session: Nobody is named.",
	}
	want[0] = capital(want[0])
	if got := Describe(res).Residual.Text; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestStatedReasonInFindings checks that a finding's text and steps name the reason that
// the log states for it, and that attacks are not told to correct their passwords.
func TestStatedReasonInFindings(t *testing.T) {
	f := reporttest.Result().Findings[0]
	f.Text = result.Text{}
	k, _ := detect.KindOf("cors_preflight")
	f.Kind, f.Category, f.Details = k.Name, "endpoint", k.Details()
	f.Reason = &result.Reason{Text: "acl_denied", Class: field.PermissionReason, N: 30, Stated: 40, Of: 90}
	d := Describer{Noun: unauthorized}
	text := d.Text(&f)
	if want := "The log states a reason for 40 of 90 401s: acl_denied for 75% of those."; !strings.Contains(text.Explanation, want) {
		t.Errorf("explanation %q lacks %q", text.Explanation, want)
	}
	if first := text.Remediation[0]; !strings.Contains(first, "ACL") {
		t.Errorf("the first step is %q", first)
	}
	f.Category = "attack"
	if first := d.Text(&f).Remediation[0]; strings.Contains(first, "ACL") {
		t.Error("an attack has the step of the reason")
	}
}
