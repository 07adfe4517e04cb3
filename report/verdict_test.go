package report

import (
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/wording"
)

func TestVerdict(t *testing.T) {
	finding := func(s result.Severity, title string, n int64) result.Finding {
		return result.Finding{Severity: s, Title: title, Unauthorized: n, Onset: parse.NoTime}
	}
	for _, c := range []struct {
		name                    string
		findings                []result.Finding
		causes                  map[string]int64
		level, sentence, remain string
	}{
		{"one finding", []result.Finding{finding(result.High, "GET /a refuses all since 2026-03-09T14:05:00Z.", 60)},
			map[string]int64{"endpoint_misconfigured": 60, "challenge": 30, "unexplained": 10}, "high",
			"GET /a refuses all since 2026-03-09 14:05:00 UTC: this explains 60 of 100 401s (60 %).",
			"30 % are harmless: 30 first steps of sign-ins that then succeeded. 10 % (10) are unexplained."},
		{"two findings", []result.Finding{finding(result.Critical, "A", 60), finding(result.Medium, "B", 40)},
			map[string]int64{"endpoint_misconfigured": 100}, "critical",
			"A: with one other finding, this explains 100 of 100 401s (100 %).", "None is unexplained."},
		{"three, and a minor one", []result.Finding{finding(result.Medium, "A", 6), finding(result.Medium, "B", 4), finding(result.Medium, "C", 1), finding(result.Low, "D", 80)},
			map[string]int64{"endpoint_misconfigured": 91, "login_failure": 5, "session_end": 2, "anonymous": 2}, "medium",
			"A: with 2 other findings, this explains 11 of 100 401s (11 %).",
			"9.0 % are harmless: 5 mistyped passwords, 2 sessions at their ordinary end and 2 requests of anonymous visitors. None is unexplained."},
		{"minor findings alone", []result.Finding{finding(result.Low, "A", 3), finding(result.Info, "B", 1)},
			map[string]int64{"endpoint_misconfigured": 4, "challenge": 96}, "low",
			"Nothing needs attention: 96 % of 100 401s are harmless.",
			"2 minor findings below. 96 % are harmless: 96 first steps of sign-ins that then succeeded. None is unexplained."},
		{"a hostile title", []result.Finding{finding(result.High, "\x1b[2J\u202eevil", 1)}, map[string]int64{"brute_force": 1}, "high",
			"‹U+001B›[2J‹U+202E›evil: this explains the only 401.", "None is unexplained."},
		{"nothing but harmless", nil, map[string]int64{"challenge": 7}, "ok", "Nothing needs attention: all of 7 401s are harmless.", ""},
		{"a part unexplained", nil, map[string]int64{"challenge": 50, "unexplained": 50}, "ok",
			"No trouble stands out: 50 % of 100 401s are harmless.", "50 % are harmless: 50 first steps of sign-ins that then succeeded. 50 % (50) are unexplained."},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := empty()
			res.Inputs = []result.Input{{Path: "a"}}
			res.Findings, res.Causes = c.findings, c.causes
			for _, n := range c.causes {
				res.Totals.Unauthorized += n
			}
			res.Totals.Unexplained = c.causes["unexplained"]
			res.Totals.Parsed, res.Totals.Lines = 1000, 1000
			v := wording.Judge(res)
			if v.Level != c.level || v.Sentence != c.sentence || v.Rest != c.remain || v.Warning != "" {
				t.Errorf("got %q\n%q\n%q\n%q\nwant %q\n%q\n%q", v.Level, v.Sentence, v.Rest, v.Warning, c.level, c.sentence, c.remain)
			}
		})
	}
}

func TestCaution(t *testing.T) {
	for _, c := range []struct {
		errors, rejected int64
		want             string
	}{
		{0, 0, ""},
		{0, 50, ""},
		{0, 51, "5.1 % of the lines could not be read: the figures may be too low."},
		{1, 0, "1 of 2 inputs could not be read to the end: the figures may be too low."},
		{2, 600, "2 of 2 inputs could not be read to the end and 60 % of the lines could not be read: the figures may be too low."},
	} {
		res := empty()
		res.Inputs = make([]result.Input, 2)
		for i := range c.errors {
			res.Inputs[i].Error = "cut off"
		}
		res.Totals.Lines, res.Totals.Rejected = 1000, c.rejected
		if got := wording.Caution(res); got != c.want {
			t.Errorf("%d errors, %d rejected: %q, want %q", c.errors, c.rejected, got, c.want)
		}
	}
}
