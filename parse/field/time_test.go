package field

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"},
		{"29/Feb/2024:23:59:60 +0000", "2024-03-01T00:00:00Z"},
		{"28/feb/2017:03:39:40 +0800", "2017-02-27T19:39:40Z"},
		{"29/Aug/2023 22:02:58", "2023-08-29T22:02:58Z"},
		{"10/Oct/2000:13:55:36.125 +0000", "2000-10-10T13:55:36.125Z"},
		{"2000-10-10T13:55:36Z", "2000-10-10T13:55:36Z"},
		{"2000-10-10T13:55:36.123456789+05:30", "2000-10-10T08:25:36.123456Z"},
		{"2000-10-10 13:55:36,5 +0000", "2000-10-10T13:55:36.5Z"},
		{"2000-10-10T13:55:36-03", "2000-10-10T16:55:36Z"},
		{"1665402936", "2022-10-10T11:55:36Z"},
		{"1665402936.250", "2022-10-10T11:55:36.25Z"},
		{"1665402936250", "2022-10-10T11:55:36.25Z"},
		{"1665402936250001", "2022-10-10T11:55:36.250001Z"},
		{"1665402936250001999", "2022-10-10T11:55:36.250001Z"},
		{"2000/10/10 13:55:36", "2000-10-10T13:55:36Z"},
		{"20001010T135536Z", "2000-10-10T13:55:36Z"},
		{"20001010T135536.5+0200", "2000-10-10T11:55:36.5Z"},
		{"Tue, 10 Oct 2000 13:55:36 GMT", "2000-10-10T13:55:36Z"},
		{"Tue, 10 Oct 2000 13:55:36 -0700", "2000-10-10T20:55:36Z"},
		{"Tue Jan  3 05:01:31 2012", "2012-01-03T05:01:31Z"},
		{"Tue Jan 13 05:01:31.250000 2012", "2012-01-13T05:01:31.25Z"},
		{"Jan  3 2012 05:01:31", "2012-01-03T05:01:31Z"},
		{"Jan 3, 2012 05:01:31 PM", "2012-01-03T17:01:31Z"},
		{"2012-01-03 12:01:31 AM", "2012-01-03T00:01:31Z"},
		{"2012-01-03 13:01:31 AM", ""},
		{"Tue Foo  3 05:01:31 2012", ""}, {"Tue Jan", ""}, {"Tue, 10 Oct 2000 1", ""}, {"Mon, ,, ,, ,, ,,", ""},
		{"Jan 99 2012 05:01:31", ""}, {"Janvier 3 05:01:31", ""}, {"Oct 10 13:55:36 PST", ""},
		{"", ""}, {"x", ""}, {"12", ""},
		{"30/Feb/2024:00:00:00 +0000", ""},
		{"10/Oct/2000:25:00:00 +0000", ""},
		{"10/Oct/2000:13:55:36 -07", "2000-10-10T20:55:36Z"},
		{"10/Oct/2000:13:55:36 PST", ""},
		{"2000-13-10T13:55:36Z", ""},
		{"2000-10-10T13:55:3", ""},
		{"1970-01-01T00:00:00Z", ""},
		{"2101-01-01T00:00:00Z", ""},
		{"99999999999999999999", ""},
	} {
		c := NewClock(nil, time.Time{})
		got, ok := c.Parse([]byte(tt.in))
		if ok != (tt.want != "") || ok && time.UnixMicro(got).UTC().Format(time.RFC3339Nano) != tt.want {
			t.Errorf("Parse(%q) = %v %v, want %q", tt.in, time.UnixMicro(got).UTC().Format(time.RFC3339Nano), ok, tt.want)
		}
	}
}

// FuzzTime compares Parse with time.Parse on what both accept.
func FuzzTime(f *testing.F) {
	f.Add("10/Oct/2000:13:55:36 -0700")
	f.Add("2000-10-10T13:55:36.123+02:00")
	f.Add("1665402936.250")
	f.Add("Tue Oct 10 13:55:36 2000")
	f.Add("Tue, 10 Oct 2000 13:55:36 GMT")
	f.Add("Oct 10 13:55:36")
	f.Add("2000/10/10 13:55:36")
	layouts := []string{"02/Jan/2006:15:04:05 -0700", time.RFC3339Nano, time.ANSIC, time.RFC1123Z, "2006/01/02 15:04:05", "2006-01-02 15:04:05"}
	f.Fuzz(func(t *testing.T, s string) {
		c := NewClock(nil, time.Time{})
		got, ok := c.Parse([]byte(s))
		if again, okAgain := c.Parse([]byte(s)); again != got || okAgain != ok {
			t.Errorf("%q: %d %v, then %d %v", s, got, ok, again, okAgain)
		}
		for _, l := range layouts {
			want, err := time.Parse(l, s)
			if err != nil || want.Format(l) != s { // time.Parse accepts 0:00:00, and an offset of 24 minutes
				continue
			}
			if want.UnixMicro() < MinTime || want.UnixMicro() >= MaxTime {
				continue
			}
			if _, offset := want.Zone(); offset < -24*3600 || offset > 24*3600 {
				continue
			}
			if !ok || got != want.UnixMicro() {
				t.Errorf("Parse(%q) = %d %v, time.Parse says %d", s, got, ok, want.UnixMicro())
			}
		}
	})
}
