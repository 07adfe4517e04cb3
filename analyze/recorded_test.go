package analyze

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/fixtures"
)

// TestRecordedLogs checks that the faults in the recorded logs of nginx and Apache are
// found, and nothing else.
func TestRecordedLogs(t *testing.T) {
	b, err := os.ReadFile("../fixtures/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []fixtures.Finding
	if err := json.Unmarshal(b, &recorded); err != nil {
		t.Fatal(err)
	}
	res := run(t, 2, nil, "../fixtures/logs")
	if len(res.Findings) != len(recorded) {
		for _, f := range res.Findings {
			t.Logf("found %v %s %+v", f.Severity, f.Kind, f.Subject)
		}
		t.Errorf("%d findings, want %d", len(res.Findings), len(recorded))
	}
	for _, want := range recorded {
		found := false
		for _, f := range res.Findings {
			s := fixtures.Subject{Type: f.Subject.Type, Host: f.Subject.Host, Method: f.Subject.Method, Route: f.Subject.Route, User: f.Subject.User}
			if f.Kind != want.Kind || s != want.Subject {
				continue
			}
			found = true
			if f.Severity < result.Medium {
				t.Errorf("%s is of severity %v", f.Kind, f.Severity)
			}
			if want.Onset != nil {
				// The onset is that of the next request: the user marta was away.
				if off := time.UnixMicro(f.Onset).Sub(*want.Onset); off < -time.Second || off > 15*time.Second {
					t.Errorf("%s: onset is off by %v", f.Kind, off)
				}
			}
			if s := float64(want.Details.TimeoutSeconds); s > 0 {
				d := f.Details.(*detect.Expiry)
				low, high := float64(d.Low), float64(d.High)
				if d.Policy != want.Details.Policy || s < low || s > high || high-low > 5 {
					t.Errorf("%v timeout of %v to %v s, want %s timeout of %v s", d.Policy, low, high, want.Details.Policy, s)
				}
			}
		}
		if !found {
			t.Errorf("missing finding %s %+v", want.Kind, want.Subject)
		}
	}
	if n := res.Totals.Unexplained; float64(n) > 0.01*float64(res.Totals.Unauthorized) {
		t.Errorf("%d of %d 401s are unexplained", n, res.Totals.Unauthorized)
	}
}
