package wording

import (
	"testing"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/reporttest"
)

func TestVerdict(t *testing.T) {
	finding := func(s result.Severity, title string, n int64) result.Finding {
		return result.Finding{Severity: s, Text: result.Text{Title: title}, Unauthorized: n, Onset: parse.NoTime}
	}
	for _, c := range []struct {
		name                    string
		findings                []result.Finding
		causes                  map[string]int64
		level, sentence, remain string
	}{
		{"one finding", []result.Finding{finding(result.High, "GET /a refuses everyone since 2026-03-09 14:05:00 UTC.", 60)},
			map[string]int64{"endpoint_misconfigured": 60, "challenge": 30, "unexplained": 10}, "high",
			"GET /a refuses everyone since 2026-03-09 14:05:00 UTC: this explains 60 of 100 401s (60%).",
			"30% of all 401s are normal use: 30 sign-in challenges. 10 401s (10%) are unexplained."},
		{"two findings", []result.Finding{finding(result.Critical, "A", 60), finding(result.Medium, "B", 40)},
			map[string]int64{"endpoint_misconfigured": 100}, "critical",
			"A: with 1 other finding, this explains 100 of 100 401s (100%).", "No 401 is unexplained."},
		{"three, and a minor one", []result.Finding{finding(result.Medium, "A", 6), finding(result.Medium, "B", 4), finding(result.Medium, "C", 1), finding(result.Low, "D", 80)},
			map[string]int64{"endpoint_misconfigured": 91, "login_failure": 5, "session_end": 2, "anonymous": 2}, "medium",
			"A: with 2 other findings, this explains 11 of 100 401s (11%).",
			"9% of all 401s are normal use: 5 mistyped passwords, 2 expired sessions and 2 requests without credentials. No 401 is unexplained."},
		{"only minor findings", []result.Finding{finding(result.Low, "A", 3), finding(result.Info, "B", 1)},
			map[string]int64{"endpoint_misconfigured": 4, "challenge": 96}, "low",
			"Nothing needs attention: of 100 401s, 96 are normal use and 4 have a minor cause.",
			"2 minor findings below. 96% of all 401s are normal use: 96 sign-in challenges."},
		{"only minor findings and no normal use", []result.Finding{finding(result.Low, "A", 2999)},
			map[string]int64{"endpoint_misconfigured": 2999, "unexplained": 1}, "low",
			"Nothing needs attention: of 3,000 401s, 2,999 have a minor cause and 1 is unexplained.", "1 minor finding below."},
		{"a single minor 401", []result.Finding{finding(result.Low, "A", 1)}, map[string]int64{"endpoint_misconfigured": 1}, "low",
			"Nothing needs attention: the only 401 has a minor cause.", "1 minor finding below."},
		{"a hostile title", []result.Finding{finding(result.High, "\x1b[2J\u202eevil", 1)}, map[string]int64{"brute_force": 1}, "high",
			"‹U+001B›[2J‹U+202E›evil: this explains the only 401.", "No 401 is unexplained."},
		{"only normal use", nil, map[string]int64{"challenge": 7}, "ok", "Nothing needs attention: all 7 401s are part of normal use.",
			"100% of all 401s are normal use: 7 sign-in challenges."},
		{"half unexplained", nil, map[string]int64{"challenge": 50, "unexplained": 50}, "ok",
			"No serious problem found: of 100 401s, 50 are normal use and 50 are unexplained.", "50% of all 401s are normal use: 50 sign-in challenges."},
		{"all unexplained", nil, map[string]int64{"unexplained": 5}, "unknown", "None of the 5 401s could be explained.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := reporttest.Empty()
			res.Inputs = []result.Input{{Path: "a"}}
			res.Findings, res.Causes = c.findings, c.causes
			for _, n := range c.causes {
				res.Totals.Unauthorized += n
			}
			res.Totals.Unexplained = c.causes["unexplained"]
			res.Totals.Parsed, res.Totals.Lines = 1000, 1000
			v := Describe(res).Verdict
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
		{0, 51, "The figures may be too low: 5.1% of the lines were rejected."},
		{1, 0, "The figures may be too low: 1 of 2 inputs could not be read to the end."},
		{2, 600, "The figures may be too low: 2 of 2 inputs could not be read to the end and 60% of the lines were rejected."},
	} {
		res := reporttest.Empty()
		res.Inputs = make([]result.Input, 2)
		for i := range c.errors {
			res.Inputs[i].Error = "cut off"
		}
		res.Totals.Lines, res.Totals.Rejected = 1000, c.rejected
		if got := Caution(res); got != c.want {
			t.Errorf("%d errors, %d rejected: %q, want %q", c.errors, c.rejected, got, c.want)
		}
	}
}
