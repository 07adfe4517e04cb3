package strftime

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ pattern, text, want string }{
		{"%d/%b/%Y:%H:%M:%S %z", "09/Mar/2026:14:05:00 +0100", "2026-03-09T13:05:00Z"},
		{"%d/%b/%Y:%T %z", "28/feb/2017:03:39:40 +0800", "2017-02-27T19:39:40Z"},
		{"%F %T", "2024-02-29 00:00:00", "2024-02-29T00:00:00Z"},
		{"%Y-%m-%dT%H:%M:%S.msec_frac%z", "2026-03-09T14:05:00.250-07:00", "2026-03-09T21:05:00.25Z"},
		{"%F %T.usec_frac", "2026-03-09 14:05:00.000001", "2026-03-09T14:05:00.000001Z"},
		{"%D %r", "12/21/16 08:50:25 PM", "2016-12-21T20:50:25Z"},
		{"%a %b %e %H:%M:%S %Y", "Tue Jan  3 05:01:31 2012", "2012-01-03T05:01:31Z"},
		{"%A, %d %B %Y %H:%M:%S %Z", "Monday, 09 March 2026 14:05:00 GMT", "2026-03-09T14:05:00Z"},
		{"%Y %j %R", "2024 366 23:59", "2024-12-31T23:59:00Z"},
		{"%I:%M:%S %p %x", "12:00:01 AM 03/09/26", "2026-03-09T00:00:01Z"},
		{"%s", "1773065100", "2026-03-09T14:05:00Z"},
		{"%s.%3N", "1773065100.125", "2026-03-09T14:05:00.125Z"},
		{"%FT%T.%fZ", "2026-03-09T14:05:00.123456789Z", "2026-03-09T14:05:00.123456Z"},
		{"%D %F %R %T %r %a %A %b %B %d %G %h %H %I %j %k %l %m %M %p %s %S %u %Y %z",
			"12/21/16 2016-12-21 20:50 20:50:25 08:50:25 PM Wed Wednesday Dec December 21 2016 Dec 20 08 356 20  8 12 50 PM 1482349825 25 3 2016 +0100",
			"2016-12-21T19:50:25Z"},
		{"%d/%m/%Y", "31/04/2026", ""},
		{"%d/%b/%Y %H", "09/Mar/2026 25", ""},
		{"%H:%M", "14:05", ""}, // no date
		{"%F", "2026-03", ""},
		{"%F %T", "yesterday", ""},
	} {
		p, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		var c Civil
		got := ""
		if n := p.Parse([]byte(tt.text+" rest"), &c); n == len(tt.text) {
			if us, ok := c.Micros(); ok {
				got = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
			}
		}
		if got != tt.want {
			t.Errorf("%s of %q: %q, want %q", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// TestParts tests times that are split over several patterns, in any spelling.
func TestParts(t *testing.T) {
	for _, tt := range []struct{ date, clock, want string }{
		{"09/Mar/2026", "14:05:00", "2026-03-09T14:05:00Z"},
		{"2026-03-09", "14:05:00.5", "2026-03-09T14:05:00.5Z"},
		{"03/09/2026", "14:05:00,250", "2026-03-09T14:05:00.25Z"},
		{"2026/03/09", "14:05", ""},
		{"2026-03/09", "14:05:00", ""},
		{"", "14:05:00", ""},
	} {
		var c Civil
		got := ""
		if Date.Parse([]byte(tt.date), &c) == len(tt.date) && Clock.Parse([]byte(tt.clock), &c) == len(tt.clock) {
			if us, ok := c.Micros(); ok {
				got = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
			}
		}
		if got != tt.want {
			t.Errorf("%q %q: %q, want %q", tt.date, tt.clock, got, tt.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, pattern := range []string{"%", "%Y-%", "%Q", "%-"} {
		if _, err := Compile(pattern); err == nil {
			t.Errorf("%q compiles", pattern)
		}
	}
}

// FuzzParse checks that no pattern reads beyond its text.
func FuzzParse(f *testing.F) {
	f.Add("%d/%b/%Y:%H:%M:%S %z", []byte("09/Mar/2026:14:05:00 +0100"))
	f.Add("%D %r", []byte("12/21/16 08:50:25 PM"))
	f.Add("%s.%3N%j%f", []byte("1773065100.125"))
	f.Fuzz(func(t *testing.T, pattern string, text []byte) {
		var c Civil
		Date.Parse(text, &c)
		Clock.Parse(text, &c)
		p, err := Compile(pattern)
		if err != nil {
			return
		}
		if n := p.Parse(text, &c); n > len(text) {
			t.Errorf("%q reads %d of %d bytes", pattern, n, len(text))
		}
		c.Micros()
	})
}
