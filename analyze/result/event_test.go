package result

import (
	"testing"
	"time"

	"logscan/parse"
)

// TestSetEvents gives each finding the nearest event.
func TestSetEvents(t *testing.T) {
	at := func(d time.Duration) int64 { return time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC).Add(d).UnixMicro() }
	events := []Event{{at(0), "first"}, {at(10 * time.Minute), "second"}}
	for _, c := range []struct {
		onset int64
		want  string
	}{
		{parse.NoTime, ""}, {at(-2 * time.Minute), ""}, {at(-time.Minute), "first"}, {at(0), "first"}, {at(4 * time.Minute), "first"},
		{at(9*time.Minute + 30*time.Second), "second"}, {at(25 * time.Minute), "second"}, {at(26 * time.Minute), ""},
	} {
		res := &Result{Findings: []Finding{{Onset: c.onset}}}
		res.SetEvents(events)
		got := ""
		if e := res.Findings[0].Event; e != nil {
			got = e.Text
		}
		if got != c.want {
			t.Errorf("onset %v: %q, want %q", time.UnixMicro(c.onset).UTC(), got, c.want)
		}
	}
}
