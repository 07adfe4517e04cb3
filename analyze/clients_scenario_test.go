package analyze

import (
	"math"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures"
	"logscan/fixtures/trials"
	"logscan/parse"
)

// TestClientScenarios checks the labelled days of accounts, machine clients and attacks:
// each fault is found with its 401s and its onset, and nothing else is reported at
// medium severity or above.
func TestClientScenarios(t *testing.T) {
	for _, scenario := range []string{"accounts", "integration", "probe", "bruteforce", "distributed", "spraying", "stuffing", "scanner"} {
		for _, lines := range []int64{4000, 30_000} {
			for _, format := range []string{"combined", "json"} {
				if lines > 4000 && !trials.All() || testing.Short() && format != "json" {
					continue
				}
				t.Run(scenario+"/"+format, func(t *testing.T) {
					t.Parallel()
					labels, paths := simulate(t, fixtures.Options{Scenario: scenario, Format: format, Lines: lines, Seed: 13})
					checkClients(t, labels, run(t, 2, nil, paths...))
				})
			}
		}
	}
}

func checkClients(t *testing.T, labels *fixtures.Labels, res *result.Result) {
	t.Helper()
	want := slices.Clone(labels.Findings)
	for _, f := range res.Findings {
		i := slices.IndexFunc(want, func(l fixtures.Finding) bool {
			s := l.Subject
			return l.Kind == f.Kind && f.Subject == result.Subject{
				Type: s.Type, Host: s.Host, User: s.User, ClientAddress: s.ClientAddress, UserAgent: s.UserAgent,
			} || l.Kind == f.Kind && s.Type == "site" && f.Subject.Type == "site"
		})
		if i < 0 {
			if f.Severity >= result.Medium {
				t.Errorf("false finding %v %s %+v: %+v", f.Severity, f.Kind, f.Subject, f.Details)
			}
			continue
		}
		l := want[i]
		want = slices.Delete(want, i, i+1)
		if off := math.Abs(float64(f.Unauthorized - l.Unauthorized)); off > 2+0.03*float64(l.Unauthorized) {
			t.Errorf("%s explains %d 401s, want %d", f.Kind, f.Unauthorized, l.Unauthorized)
		}
		if (l.Onset == nil) != (f.Onset == parse.NoTime) {
			t.Errorf("%s: onset %v, want %v", f.Kind, f.Onset, l.Onset)
		} else if l.Onset != nil {
			if off := time.UnixMicro(f.Onset).Sub(*l.FirstSeen); off.Abs() > time.Minute {
				t.Errorf("%s: onset %v, want that of its first 401, %v", f.Kind, time.UnixMicro(f.Onset).UTC(), l.FirstSeen)
			}
		}
		got := 0
		for _, x := range result.Figures(f.Details) {
			if n, ok := x.Value.(int64); ok && x.Key == "successes" {
				got = int(n)
			}
		}
		if l.Details.Successes > 0 && (got == 0 || f.Severity != result.Critical) {
			t.Errorf("%s: %d of %d successes, severity %v", f.Kind, got, l.Details.Successes, f.Severity)
		}
	}
	for _, l := range want {
		if l.Unauthorized > 0 {
			t.Errorf("missing finding %s %+v", l.Kind, l.Subject)
		}
	}
}
