package page

import (
	"slices"
	"strings"
	"testing"

	"logscan/report/wording"
)

// TestTimed divides what package wording writes, and loses no text.
func TestTimed(t *testing.T) {
	const from, later, other = 1773064800_000000, 1773064860_000000, 1773264860_000000
	for _, c := range []struct {
		text string
		want []string // of the times
	}{
		{"", nil},
		{"Refused on every try", nil},
		{"Refused since " + wording.At(from) + ".", []string{"2026-03-09T14:00:00Z"}},
		{"Seen " + wording.Period(from, later), []string{"2026-03-09T14:00:00Z", "2026-03-09T14:01:00Z"}},
		{wording.Period(from, other) + " and " + wording.At(later), []string{"2026-03-09T14:00:00Z", "2026-03-11T21:34:20Z", "2026-03-09T14:01:00Z"}},
		{"user 2026-03-09 14:00:00 of no zone", nil},
	} {
		var text strings.Builder
		var times []string
		for _, m := range timed(c.text) {
			text.WriteString(m.Text)
			if m.ISO != "" {
				times = append(times, m.ISO)
			}
		}
		if text.String() != c.text || !slices.Equal(times, c.want) {
			t.Errorf("%q: text %q, times %q, want %q", c.text, text.String(), times, c.want)
		}
	}
}
