package field

import (
	"testing"
	"time"
)

func TestParseStamp(t *testing.T) {
	for _, c := range []struct {
		text, want string
		zoned      bool
		resolution int64
	}{
		{"2026/03/09 14:05:00", "2026-03-09T14:05:00Z", false, 1e6},
		{"2026-03-09 14:05:00,123", "2026-03-09T14:05:00.123Z", false, 1e3},
		{"2026-03-09T14:05:00.25+02:00", "2026-03-09T12:05:00.25Z", true, 1e4},
		{"2026-03-09T14:05:00Z", "2026-03-09T14:05:00Z", true, 1e6},
		{"2026-03-09 14:05:00.123456789 +0100", "2026-03-09T13:05:00.123456Z", true, 1},
		{"Mon Mar 09 14:05:00.123456 2026", "2026-03-09T14:05:00.123456Z", false, 1},
		{"Mon Mar  9 14:05:00 2026", "2026-03-09T14:05:00Z", false, 1e6},
		{"09/Mar/2026:14:05:00 -0700", "2026-03-09T21:05:00Z", true, 1e6},
		{"09-Mar-2026 14:05:00.123", "2026-03-09T14:05:00.123Z", false, 1e3},
		{"09-Mar-2026 14:05:00 UTC", "2026-03-09T14:05:00Z", true, 1e6},
		{"1773065100", "2026-03-09T14:05:00Z", true, 1e6},
		{"1773065100.123", "2026-03-09T14:05:00.123Z", true, 1e3},
		{"1773065100123", "2026-03-09T14:05:00.123Z", true, 1e3},
		{"20260309T140500Z", "2026-03-09T14:05:00Z", true, 1e6},
		{"20260309T140500", "2026-03-09T14:05:00Z", false, 1e6},
		{"Mar  9 14:05:00", "", false, 0},
		{"Mar  9 14:05:00.643", "", false, 0},
		{"", "", false, 0}, {"2026", "", false, 0}, {"2026-13-09 14:05:00", "", false, 0},
	} {
		s, ok := ParseStamp([]byte(c.text))
		got := ""
		if ok {
			got = time.UnixMicro(s.Micros).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want || s.Zoned != c.zoned || s.Resolution != c.resolution {
			t.Errorf("%s: %s %+v, want %s %v %d", c.text, got, s, c.want, c.zoned, c.resolution)
		}
	}
}

func FuzzParseStamp(f *testing.F) {
	f.Add([]byte("2026-03-09T14:05:00.25+02:00"))
	f.Add([]byte("Mon Mar 09 14:05:00.123456 2026"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := ParseStamp(b); ok && (s.Resolution < 1 || s.Resolution > 1e6 || s.Micros < MinTime || s.Micros >= MaxTime) {
			t.Errorf("%q: %+v", b, s)
		}
	})
}
