package wording

import (
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/reporttest"
)

func TestVerdict(t *testing.T) {
	finding := func(s result.Severity, title string, n int64) result.Finding {
		return result.Finding{Severity: s, Text: result.Text{Title: title}, Unauthorized: n, Onset: parse.NoTime}
	}
	muted := func(f result.Finding) result.Finding {
		f.Muted = &result.Muted{Reason: "known"}
		return f
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
			"A: with 1 other finding, this explains all 100 401s.", "No 401 is unexplained."},
		{"three, and a minor one", []result.Finding{finding(result.Medium, "A", 6), finding(result.Medium, "B", 4), finding(result.Medium, "C", 1), finding(result.Low, "D", 80)},
			map[string]int64{"endpoint_misconfigured": 91, "login_failure": 5, "session_end": 2, "anonymous": 2}, "medium",
			"A: with 2 other findings, this explains 11 of 100 401s (11%).",
			"9% of all 401s are normal use: 5 mistyped passwords, 2 expired sessions and 2 requests without credentials. No 401 is unexplained."},
		{"more is unexplained than a finding explains", []result.Finding{finding(result.High, "A", 100)},
			map[string]int64{"endpoint_misconfigured": 100, "challenge": 10, "unexplained": 890}, "high",
			"890 of 1,000 401s (89%) are unexplained. A: this explains 100 of 1,000 401s (10%).",
			"1% of all 401s are normal use: 10 sign-in challenges."},
		{"few minor ones", []result.Finding{finding(result.Low, "A", 3), finding(result.Info, "B", 1)},
			map[string]int64{"endpoint_misconfigured": 4, "challenge": 96}, "ok",
			"Nothing needs attention: of 100 401s, 96 are normal use, 3 have a minor cause and 1 is expected.",
			"2 minor findings below. 96% of all 401s are normal use: 96 sign-in challenges."},
		{"only minor findings and no normal use", []result.Finding{finding(result.Low, "A", 290), finding(result.Low, "B", 9)},
			map[string]int64{"endpoint_misconfigured": 299, "unexplained": 1}, "low",
			"Minor troubles explain 299 of 300 401s (99.7%): A, and 1 other.", "One 401 (0.3%) is unexplained."},
		{"a single minor 401", []result.Finding{finding(result.Low, "A", 1)}, map[string]int64{"endpoint_misconfigured": 1}, "ok",
			"Nothing needs attention: the only 401 has a minor cause.", "1 minor finding below."},
		{"a hostile title", []result.Finding{finding(result.High, "\x1b[2J\u202eevil", 1)}, map[string]int64{"brute_force": 1}, "high",
			"‹U+001B›[2J‹U+202E›evil: this explains the only 401.", "No 401 is unexplained."},
		{"only normal use", nil, map[string]int64{"challenge": 7}, "ok", "Nothing needs attention: all 7 401s are part of normal use.",
			"100% of all 401s are normal use: 7 sign-in challenges."},
		{"muted", []result.Finding{muted(finding(result.High, "A", 60))}, map[string]int64{"endpoint_misconfigured": 60, "challenge": 40}, "ok",
			"Nothing needs attention: of 100 401s, 40 are normal use and 60 have a muted cause.", "1 finding muted. 40% of all 401s are normal use: 40 sign-in challenges."},
		{"half unexplained", nil, map[string]int64{"challenge": 50, "unexplained": 50}, "unknown",
			"50 of 100 401s (50%) are unexplained.", "50% of all 401s are normal use: 50 sign-in challenges."},
		{"some unexplained, some minor", []result.Finding{finding(result.Low, "A", 15)}, map[string]int64{"challenge": 70, "unexplained": 15, "endpoint_misconfigured": 15}, "unknown",
			"70 of 100 401s (70%) are harmless, but 15 (15%) are unexplained and 15 (15%) have a minor cause: A.",
			"1 minor finding below. 70% of all 401s are normal use: 70 sign-in challenges."},
		{"one of three", nil, map[string]int64{"challenge": 2, "unexplained": 1}, "ok",
			"Nothing needs attention: of 3 401s, 2 are normal use and 1 is unexplained.", "67% of all 401s are normal use: 2 sign-in challenges."},
		{"only an attack", []result.Finding{finding(result.High, "A guesses", 100)}, map[string]int64{"brute_force": 100}, "high",
			"A guesses: this explains all 100 401s.", "No 401 is unexplained."},
		{"little of each", []result.Finding{finding(result.Low, "A", 4)}, map[string]int64{"challenge": 92, "unexplained": 4, "retry_storm": 4}, "ok",
			"Nothing needs attention: of 100 401s, 92 are normal use, 4 have a minor cause and 4 are unexplained.", "1 minor finding below. 92% of all 401s are normal use: 92 sign-in challenges."},
		{"two of three", nil, map[string]int64{"challenge": 1, "unexplained": 2}, "unknown",
			"2 of 3 401s (67%) are unexplained.", "33% of all 401s are normal use: 1 sign-in challenge."},
		{"thousands of a huge site", nil, map[string]int64{"challenge": 99_000, "unexplained": 1000}, "unknown",
			"99,000 of 100,000 401s (99%) are harmless, but 1,000 (1%) are unexplained.", "99% of all 401s are normal use: 99,000 sign-in challenges."},
		{"two thirds of all requests", nil, map[string]int64{"anonymous": 667}, "unknown",
			"67% of the 1,000 requests were refused, and no finding explains that: one by one, all 667 401s look like normal use.",
			"100% of all 401s are normal use: 667 requests without credentials."},
		{"handshakes are no refusals", nil, map[string]int64{"challenge": 667}, "ok",
			"Nothing needs attention: all 667 401s are part of normal use.", "100% of all 401s are normal use: 667 sign-in challenges."},
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
			if res.Totals.Unauthorized > 700 {
				res.Totals.Parsed, res.Totals.Lines = 1_000_000, 1_000_000
			}
			v := Describe(res).Verdict
			if s := &v.Shares; s.Trouble+s.Harmless+s.Unexplained != res.Totals.Unauthorized {
				t.Errorf("the shares %+v do not add up to %d", *s, res.Totals.Unauthorized)
			}
			if v.Reassures != (v.Level == "ok") || strings.Contains(v.Sentence, " 0 ") {
				t.Errorf("it reassures: %v, at level %s: %q", v.Reassures, v.Level, v.Sentence)
			}
			if v.Level != c.level || v.Sentence != c.sentence || v.Rest != c.remain || v.Warning != "" {
				t.Errorf("got %q\n%q\n%q\n%q\nwant %q\n%q\n%q", v.Level, v.Sentence, v.Rest, v.Warning, c.level, c.sentence, c.remain)
			}
		})
	}
}

// TestBreakInStandsFirst checks that the verdict begins with who got in.
func TestBreakInStandsFirst(t *testing.T) {
	at := reporttest.At(3, 4, 5)
	attack := func(a *detect.Attack) result.Finding {
		a.Successes, a.FirstSuccess = 1, result.Time(at)
		return result.Finding{ID: "x", Severity: result.Critical, Text: result.Text{Title: "A guessed"}, Unauthorized: 40, Onset: parse.NoTime,
			Subject: result.Subject{Type: "client", ClientAddress: "203.0.113.9"}, Details: a}
	}
	for _, c := range []struct {
		findings []result.Finding
		want     string
	}{
		{[]result.Finding{attack(&detect.Attack{Compromised: []string{"alice"}})}, "Somebody got in as alice from 203.0.113.9 on 2026-03-09 03:04:05 UTC after guessing. A guessed: "},
		{[]result.Finding{attack(&detect.Attack{Compromised: []string{"a", "b", "c", "d", "e"}}), attack(&detect.Attack{})},
			"Somebody got in as a, b, c and 2 others from 203.0.113.9 on 2026-03-09 03:04:05 UTC after guessing, and in 1 other attack. A guessed: "},
		{[]result.Finding{attack(&detect.Attack{Compromised: []string{"\x1b[1m"}})}, "Somebody got in as ‹U+001B›[1m from "},
		{[]result.Finding{{Severity: result.High, Text: result.Text{Title: "B"}, Unauthorized: 40, Subject: result.Subject{User: "bob"}, Details: &detect.Distributed{EnteredFrom: 2}}},
			"Somebody got in as bob from 2 addresses after guessing. B: "},
		{[]result.Finding{{Severity: result.High, Text: result.Text{Title: "B"}, Unauthorized: 40, Details: &detect.Distributed{}}}, "B: "},
	} {
		res := reporttest.Empty()
		res.Inputs, res.Findings = []result.Input{{Path: "a"}}, c.findings
		res.Totals.Parsed, res.Totals.Lines, res.Totals.Unauthorized = 1000, 1000, 80
		if v := Describe(res).Verdict; !strings.HasPrefix(v.Sentence, c.want) {
			t.Errorf("got %q, want it to begin with %q", v.Sentence, c.want)
		}
	}
}

// TestUnreadRefusals checks that no verdict reassures beside many lines that look like 401s
// and could not be read.
func TestUnreadRefusals(t *testing.T) {
	for _, c := range []struct {
		unread, refused int64
		level, want     string
	}{
		{9, 0, "ok", "No 401s in 1,000 requests."},
		{9, 80, "ok", "Nothing needs attention: all 80 401s are part of normal use."},
		{10, 0, "unknown", "10 lines look like 401s and could not be read: they are not counted. No 401s in 1,000 requests."},
		{90, 80, "unknown", "90 lines look like 401s and could not be read: they are not counted. Of what could be read, all 80 401s are part of normal use."},
	} {
		res := reporttest.Empty()
		res.Inputs, res.Causes = []result.Input{{Path: "a"}}, map[string]int64{"challenge": c.refused}
		res.Totals.Parsed, res.Totals.Lines, res.Totals.Unauthorized, res.Totals.Unread = 1000, 1000, c.refused, c.unread
		if v := Describe(res).Verdict; v.Level != c.level || v.Sentence != c.want {
			t.Errorf("got %s %q, want %s %q", v.Level, v.Sentence, c.level, c.want)
		}
	}
}

// TestVerdictWithoutRefusals checks that a log without 401s reassures only if it shows
// statuses, and no other status stands for them.
func TestVerdictWithoutRefusals(t *testing.T) {
	for _, c := range []struct {
		noStatus int64
		notes    []result.Note
		statuses []int32
		level    string
		want     string
	}{
		{0, nil, nil, "ok", "No 401s in 1,000 requests."},
		{0, nil, []int32{403}, "ok", "No refusals in 1,000 requests."},
		{1000, nil, nil, "unknown", "No line in the input has a status code, so the log does not show which requests were refused. " + LogStatus},
		{0, []result.Note{{Kind: result.NoteOtherStatus, Name: "403", N: 9}}, nil, "ok", "No 401s in 1,000 requests."},
		{0, []result.Note{{Kind: result.NoteOtherStatus, Name: "403", N: 90}}, nil, "unknown", "No 401s in 1,000 requests. But 90 were answered 403: see the notes."},
	} {
		res := reporttest.Empty()
		res.Inputs, res.Notes, res.Statuses = []result.Input{{Path: "a"}}, c.notes, c.statuses
		res.Totals.Parsed, res.Totals.Lines, res.Totals.NoStatus = 1000, 1000, c.noStatus
		v := Describe(res).Verdict
		if got := sentences(v.Sentence, v.Rest); got != c.want || v.Level != c.level {
			t.Errorf("got %s %q, want %s %q", v.Level, got, c.level, c.want)
		}
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

// TestFewUnexplained checks that a few refusals that nothing explains do not matter if they are
// of one person, or beside many others.
func TestFewUnexplained(t *testing.T) {
	for _, c := range []struct {
		unexplained, clients, others int64
		reassures                    bool
	}{
		{6, 1, 12, true},
		{6, 5, 12, false},
		{6, 5, 200, true},
		{2, 2, 0, false},
	} {
		res := &result.Result{Causes: map[string]int64{"challenge": c.others, "unexplained": c.unexplained}, Residual: &result.Residual{Unexplained: c.unexplained, Clients: c.clients}}
		res.Totals.Unauthorized, res.Totals.Unexplained = c.unexplained+c.others, c.unexplained
		if s := sharesOf(res); s.reassure() != c.reassures {
			t.Errorf("%d of %d of %d clients: reassures %v", c.unexplained, s.Total, c.clients, !c.reassures)
		}
	}
}
