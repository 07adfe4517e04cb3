package parse

import (
	"testing"
	"time"
)

func TestRange(t *testing.T) {
	f, _ := Lookup("combined")
	p := f.NewParser()
	p.Configure(Options{
		Since: time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC),
	})
	const head, tail = `192.0.2.1 - - [`, `] "GET / HTTP/1.1" 200 5 "-" "x"`
	for _, tt := range []struct {
		time string
		want Verdict
	}{
		{"09/Mar/2026:13:59:59 +0000", SkipRange},
		{"09/Mar/2026:14:00:00 +0000", Parsed},
		{"09/Mar/2026:15:30:00 +0100", Parsed},
		{"09/Mar/2026:14:59:59 +0000", Parsed},
		{"09/Mar/2026:15:00:00 +0000", SkipRange},
		{"-", SkipRange}, // an unknown time is in no range
		{"nonsense", RejectTime},
	} {
		var e Entry
		if v := p.Parse([]byte(head+tt.time+tail), &e); v != tt.want {
			t.Errorf("%s: %v, want %v", tt.time, v, tt.want)
		}
	}
	until := f.NewParser()
	until.Configure(Options{Until: time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC)})
	var e Entry
	if v := until.Parse([]byte(head+"-"+tail), &e); v != SkipRange {
		t.Errorf("without a time: %v", v)
	}
	if !SkipRange.Skipped() || SkipRange.Rejected() || SkipRange.String() != "out_of_range" {
		t.Error("SkipRange is a reason to skip")
	}
}
