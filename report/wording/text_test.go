package wording

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/reporttest"
)

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"/plain?a=b":            "/plain?a=b",
		"Grüße 日本 😀":            "Grüße 日本 😀",
		"a\x1b[31mb":            "a‹U+001B›[31mb",
		"a\r\nb\x00":            "a‹U+000D›‹U+000A›b‹U+0000›",
		"\u202egpj.exe":         "‹U+202E›gpj.exe",
		"a\u200bb\ufeff\u00adc": "a‹U+200B›b‹U+FEFF›‹U+00AD›c",
		"\u009b\x7f":            "‹U+009B›‹U+007F›",
		"\xff\xc0x":             "‹FF›‹C0›x",
		"\uFFFD":                "\uFFFD",
		"\U000e0041":            "‹U+E0041›",
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本語", 3, "日本語"}, {"日本語!", 3, "日本…"},
		{strings.Repeat("a", 100), 5, "aaaa…"}, {"\x1b", 20, "‹U+001B›"}, {"\x1b", 4, "‹U+…"}, {strings.Repeat("日", 13), 3, "日日…"},
		{"日日日日\xe6", 4, "日日日…"},
	} {
		if got := Clip(c.in, c.n); got != c.want {
			t.Errorf("%q to %d: got %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range reporttest.Hostile {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		for _, r := range Visible(s) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q shows %U", s, r)
			}
		}
		if n < 1 || n > 1<<20 {
			return
		}
		c := Clip(s, n)
		if !utf8.ValidString(c) || utf8.RuneCountInString(c) > n {
			t.Errorf("%q clipped to %d is %q", s, n, c)
		}
		if whole := Visible(s); c != whole && !strings.HasPrefix(whole, strings.TrimSuffix(c, "…")) {
			t.Errorf("%q clipped to %d is %q, which is not its beginning", s, n, c)
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -5: "-5", -999: "-999", -1000: "-1,000",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Number(in); got != want {
			t.Errorf("%d: got %s, want %s", in, got, want)
		}
	}
	for _, c := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0%"}, {0, 5, "0%"}, {5, 5, "100%"}, {1, 3, "33%"}, {1, 30, "3.3%"}, {1, 10000, "under 0.1%"}, {9999, 10000, "over 99.9%"},
		{996, 1000, "99.6%"}, {99, 1000, "9.9%"}, {1, 2, "50%"}, {7, 5, "100%"}, {-1, 5, "0%"},
	} {
		if got := Share(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: got %s, want %s", c.part, c.whole, got, c.want)
		}
	}
	for in, want := range map[int64]string{-1: "0 B", 0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 10 << 20: "10 MiB", 300 << 30: "300 GiB", math.MaxInt64: "8.0 EiB"} {
		if got := Bytes(in); got != want {
			t.Errorf("%d bytes: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[float64]string{0: "0 seconds", 1: "1 second", 1.26: "1.3 seconds", 119: "119 seconds", 120: "2 minutes", 1800: "30 minutes",
		5400: "90 minutes", 7200: "2 hours", 86400: "24 hours", 259200: "3 days"} {
		if got := Duration(in); got != want {
			t.Errorf("%v s: got %s, want %s", in, got, want)
		}
	}
	if got, want := Between(1788, 1818), "between 29.8 minutes and 30.3 minutes"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Between(1800, 1801), "between 1,800 seconds and 1,801 seconds"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimes(t *testing.T) {
	if got, want := Period(reporttest.At(1, 2, 3), reporttest.At(4, 5, 6)), "2026-03-09, 01:02:03 to 04:05:06 UTC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Period(reporttest.At(1, 2, 3), reporttest.At(28, 5, 6)), "2026-03-09 01:02:03 to 2026-03-10 04:05:06 UTC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Period(parse.NoTime, reporttest.At(0, 0, 0)), "no times"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := At(reporttest.At(14, 5, 12)), "2026-03-09 14:05:12 UTC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFigures(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{result.Seconds(1800), "30 minutes (1,800 s)"}, {result.Seconds(30), "30 seconds"}, {result.Seconds(1795.5), "29.9 minutes (1,795.5 s)"},
		{result.Share(0.98765), "99%"}, {result.Time(reporttest.At(14, 5, 12)), "2026-03-09 14:05:12 UTC"}, {result.Probability(0.000012345), "1.23e-05"},
		{int64(1204), "1,204"}, {1204, "1,204"}, {91608.1, "91,608"}, {12.345, "12.3"}, {1204.0, "1,204"}, {true, "yes"}, {false, "no"}, {nil, "–"},
		{math.NaN(), "–"}, {[]string{"a", "\x1b"}, "a, ‹U+001B›"}, {[]any{0.5, nil, "x"}, "0.5, –, x"}, {json.Number("5"), "5"},
	} {
		if got := figure(c.value); got != c.want {
			t.Errorf("%v: got %s, want %s", c.value, got, c.want)
		}
	}
	got := Figures("unknown_kind", map[string]any{"idle_seconds": 5, "a_b": "x"})
	if want := []Figure{{"a b", "x"}, {"idle", "5"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestEveryCauseHasWords checks that all causes have a label, a meaning and a group.
func TestEveryCauseHasWords(t *testing.T) {
	var names []string
	for _, c := range Causes() {
		names = append(names, c.Name)
		if c.Label == "" || !strings.HasSuffix(c.Meaning, ".") || c.Group < 0 || c.Group >= NumGroups {
			t.Errorf("cause %s is incomplete: %+v", c.Name, c)
		}
	}
	want := detect.CauseNames()
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if c := CauseOf("made_up"); c.Label != "made_up" || c.Group != GroupUnexplained {
		t.Errorf("an unknown cause is %+v", c)
	}
}

// TestReasons checks that every verdict of the parser that does not accept a line has
// a meaning.
func TestReasons(t *testing.T) {
	for _, name := range []string{"blank", "comment", "out_of_range", "too_long", "binary", "syntax", "time", "status", "number", "json", "empty"} {
		if Reason(name) == "" {
			t.Errorf("reason %s has no meaning", name)
		}
	}
}
