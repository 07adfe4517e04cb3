package field

import (
	"testing"
	"time"
)

func load(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return l
}

// TestTimezone checks times without an offset before, during and after the clocks of
// a zone change, in both orders.
func TestTimezone(t *testing.T) {
	tests := []struct{ zone, in, want string }{
		{"Europe/Berlin", "2026-01-15 12:00:00", "2026-01-15T11:00:00Z"},
		{"Europe/Berlin", "2026-07-15 12:00:00.125", "2026-07-15T10:00:00.125Z"},
		{"Europe/Berlin", "15/Jul/2026:12:00:00", "2026-07-15T10:00:00Z"},
		{"Europe/Berlin", "15/Jul/2026:12:00:00 +0000", "2026-07-15T12:00:00Z"},
		{"Europe/Berlin", "2026-07-15T12:00:00Z", "2026-07-15T12:00:00Z"},
		{"Europe/Berlin", "1784116800", "2026-07-15T12:00:00Z"},
		// Clocks go forward on 2026-03-29 at 2:00: 2:30 does not occur.
		{"Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z"},
		{"Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z"},
		{"Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-03-28 02:30:00", "2026-03-28T01:30:00Z"},
		{"Europe/Berlin", "2026-03-30 02:30:00", "2026-03-30T00:30:00Z"},
		// Clocks go back on 2026-10-25 at 3:00: 2:30 occurs twice.
		{"Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"},
		{"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"},
		{"Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z"},
		{"America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00Z"},
		{"America/New_York", "2026-11-01 02:00:00", "2026-11-01T07:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z"}, // half an hour
		{"Asia/Kolkata", "2026-04-05 01:45:00", "2026-04-04T20:15:00Z"},
		{"Pacific/Kiritimati", "2026-01-01 00:00:00", "2025-12-31T10:00:00Z"},
		{"UTC", "2026-04-05 01:45:00", "2026-04-05T01:45:00Z"},
	}
	for _, order := range []int{1, -1} {
		clocks := map[string]*Clock{}
		for i := range tests {
			tt := tests[i]
			if order < 0 {
				tt = tests[len(tests)-1-i]
			}
			c := clocks[tt.zone]
			if c == nil {
				clock := NewClock(load(t, tt.zone), time.Time{})
				c = &clock
				clocks[tt.zone] = c
			}
			got, ok := c.Parse([]byte(tt.in))
			if s := time.UnixMicro(got).UTC().Format(time.RFC3339Nano); !ok || s != tt.want {
				t.Errorf("%s in %s = %s %v, want %s", tt.in, tt.zone, s, ok, tt.want)
			}
		}
	}
}

// FuzzZone checks that a remembered offset yields the same result as the rules of the
// zone, and that clocks showed the wall clock at the resulting time.
func FuzzZone(f *testing.F) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran", "Pacific/Apia"}
	f.Add(int64(1774746000), int64(3600), uint8(0))
	f.Add(int64(1792890000), int64(-7200), uint8(1))
	f.Fuzz(func(t *testing.T, at, step int64, which uint8) {
		if at < MinTime/1e6+1e6 || at > MaxTime/1e6-1e6 || step < -1e6 || step > 1e6 {
			return
		}
		location := load(t, zones[int(which)%len(zones)])
		warm := zone{location: location}
		for i := range int64(4) {
			want := time.Unix(at+i*step, 0).In(location)
			_, offset := want.Zone()
			wall := (want.Unix() + int64(offset)) * 1e6
			cold := zone{location: location}
			got := warm.utc(wall)
			if again := cold.utc(wall); again != got {
				t.Errorf("%s: %d, without what is remembered %d", want, got, again)
			}
			shown := time.UnixMicro(got).In(location)
			if shown.Format(time.DateTime) != want.Format(time.DateTime) || shown.After(want) {
				t.Errorf("%s was read as %s", want, shown)
			}
		}
	})
}

// TestYear checks that a time without a year gets the latest one that is not after
// the reference.
func TestYear(t *testing.T) {
	for _, tt := range []struct{ reference, zone, in, want string }{
		{"2026-03-09T12:00:00Z", "UTC", "Feb 26 10:07:24", "2026-02-26T10:07:24Z"},
		{"2026-03-09T12:00:00Z", "UTC", "Mar  9 11:59:59", "2026-03-09T11:59:59Z"},
		{"2026-03-09T12:00:00Z", "UTC", "Mar 10 11:59:59", "2026-03-10T11:59:59Z"}, // within a day
		{"2026-03-09T12:00:00Z", "UTC", "Mar 11 10:00:00", "2025-03-11T10:00:00Z"},
		{"2026-03-09T12:00:00Z", "UTC", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"},
		{"2026-01-01T00:10:00Z", "UTC", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"},
		{"2025-12-31T23:50:00Z", "UTC", "Jan  1 00:00:01", "2026-01-01T00:00:01Z"},
		{"2026-01-01T00:10:00Z", "Pacific/Kiritimati", "Jan  1 14:05:00", "2026-01-01T00:05:00Z"},
		{"2026-03-09T12:00:00Z", "UTC", "Feb 29 10:00:00", "2024-02-29T10:00:00Z"},
		{"2026-03-09T12:00:00Z", "UTC", "Feb 30 10:00:00", ""},
		{"2026-03-09T12:00:00Z", "UTC", "Feb 26 10:07:24.250", "2026-02-26T10:07:24.25Z"},
		{"2026-03-09T12:00:00Z", "Europe/Berlin", "Feb 26 10:07:24", "2026-02-26T09:07:24Z"},
		{"", "UTC", "Feb 26 10:07:24", "2100-02-26T10:07:24Z"},
	} {
		var reference time.Time
		if tt.reference != "" {
			var err error
			if reference, err = time.Parse(time.RFC3339, tt.reference); err != nil {
				t.Fatal(err)
			}
		}
		c := NewClock(load(t, tt.zone), reference)
		got, ok := c.Parse([]byte(tt.in))
		s := time.UnixMicro(got).UTC().Format(time.RFC3339Nano)
		if ok != (tt.want != "") || ok && s != tt.want {
			t.Errorf("%s before %s = %s %v, want %s", tt.in, tt.reference, s, ok, tt.want)
		}
	}
}

// TestSetReference checks that a new reference discards the remembered time.
func TestSetReference(t *testing.T) {
	c := NewClock(nil, time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC))
	first, _ := c.Parse([]byte("Feb 26 10:07:24"))
	c.SetReference(time.Date(2020, 3, 9, 0, 0, 0, 0, time.UTC))
	second, _ := c.Parse([]byte("Feb 26 10:07:24"))
	if a, b := time.UnixMicro(first).UTC().Year(), time.UnixMicro(second).UTC().Year(); a != 2026 || b != 2020 {
		t.Errorf("years %d and %d", a, b)
	}
}
