package report

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"logscan/parse"
	"logscan/report/wording"
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
		if got := wording.Visible(in); got != want {
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
		if got := wording.Clip(c.in, c.n); got != c.want {
			t.Errorf("%q to %d: got %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		for _, r := range wording.Visible(s) {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q shows %U", s, r)
			}
		}
		if n < 1 || n > 1<<20 {
			return
		}
		c := wording.Clip(s, n)
		if !utf8.ValidString(c) || utf8.RuneCountInString(c) > n {
			t.Errorf("%q clipped to %d is %q", s, n, c)
		}
		if whole := wording.Visible(s); c != whole && !strings.HasPrefix(whole, strings.TrimSuffix(c, "…")) {
			t.Errorf("%q clipped to %d is %q, which is not its beginning", s, n, c)
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -5: "-5", -999: "-999", -1000: "-1,000",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := wording.Number(in); got != want {
			t.Errorf("%d: got %s, want %s", in, got, want)
		}
	}
	for _, c := range []struct {
		part, whole int64
		want        string
	}{
		{0, 0, "0 %"}, {0, 5, "0 %"}, {5, 5, "100 %"}, {1, 3, "33 %"}, {1, 30, "3.3 %"}, {1, 10000, "under 0.1 %"}, {9999, 10000, "over 99.9 %"},
		{996, 1000, "99.6 %"}, {99, 1000, "9.9 %"}, {1, 2, "50 %"}, {7, 5, "100 %"}, {-1, 5, "0 %"},
	} {
		if got := wording.Share(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d: got %s, want %s", c.part, c.whole, got, c.want)
		}
	}
	for in, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1023: "1,023 bytes", 1024: "1.0 KiB", 10 << 20: "10.0 MiB", 300 << 30: "300 GiB", math.MaxInt64: "8.0 EiB"} {
		if got := wording.Bytes(in); got != want {
			t.Errorf("%d bytes: got %s, want %s", in, got, want)
		}
	}
	for in, want := range map[float64]string{0: "0 s", 1.26: "1.3 s", 119: "119 s", 120: "2 min", 1800: "30 min", 5400: "90 min", 7200: "2 h", 86400: "24 h", 259200: "3 days"} {
		if got := wording.Duration(in); got != want {
			t.Errorf("%v s: got %s, want %s", in, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	if got, want := wording.Period(at(1, 2, 3), at(4, 5, 6)), "2026-03-09, 01:02:03 to 04:05:06 UTC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := wording.Period(at(1, 2, 3), at(28, 5, 6)), "2026-03-09 01:02:03 to 2026-03-10 04:05:06 UTC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := wording.Period(parse.NoTime, at(0, 0, 0)), "no times"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for in, want := range map[string]string{
		"":                            "",
		"since 2026-03-09T14:05:12Z.": "since 2026-03-09 14:05:12 UTC.",
		"2026-03-09T14:05:12Z2026-03-09T14:05:13ZT": "2026-03-09 14:05:12 UTC2026-03-09 14:05:13 UTCT",
		"The T in TTTT stays":                       "The T in TTTT stays",
		"2026-13-09T14:05:12Z":                      "2026-13-09T14:05:12Z",
		"2026-03-09T14:05":                          "2026-03-09T14:05",
	} {
		if got := wording.Readable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestFigures(t *testing.T) {
	for _, c := range []struct {
		key         string
		value       any
		name, shown string
	}{
		{"timeout_seconds", 1800.0, "timeout", "30 min (1,800 s)"},
		{"timeout_seconds", 30.0, "timeout", "30 s"},
		{"timeout_low", 1795.5, "timeout (at least)", "29.9 min (1,795.5 s)"},
		{"refused_share_high", 0.98765, "refused share (at most)", "99 %"},
		{"onset_low", "2026-03-09T14:05:12Z", "onset (earliest)", "2026-03-09 14:05:12 UTC"},
		{"p_value", 0.000012345, "p value", "1.23e-05"},
		{"sessions", int64(1204), "sessions", "1,204"},
		{"deaths", 1204, "deaths", "1,204"},
		{"bic_difference", 91608.1, "BIC difference", "91,608"},
		{"odds_ratio", 12.345, "odds ratio", "12.3"},
		{"read_back", 1204.0, "read back", "1,204"},
		{"ongoing", true, "ongoing", "yes"},
		{"ongoing", false, "ongoing", "no"},
		{"nothing", nil, "nothing", "–"},
		{"odd", math.NaN(), "odd", "–"},
		{"hosts", []string{"a", "\x1b"}, "hosts", "a, ‹U+001B›"},
		{"ratios", []any{0.5, nil, "x"}, "ratios", "0.5, –, x"},
		{"number", json.Number("5"), "number", "5"},
	} {
		got := wording.Figures(map[string]any{c.key: c.value})
		if len(got) != 1 || got[0].Name != c.name || got[0].Value != c.shown {
			t.Errorf("%s = %v: got %v, want %s = %s", c.key, c.value, got, c.name, c.shown)
		}
	}
}
