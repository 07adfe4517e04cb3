package analyze

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures"
	"logscan/fixtures/trials"
	"logscan/parse"
)

// TestSiteScenarios checks the labelled days of faulty sites: each fault is found with
// its 401s and its onset as a finding of its own kind, and nothing else is reported at
// medium severity or above. Each day is thereby also a test that the other kinds do
// not match it.
func TestSiteScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("TestEveryScenarioIsReproducible analyses the same scenarios")
	}
	lines := int64(10_000)
	if trials.All() {
		lines = 15_000
	}
	for _, tt := range []struct {
		scenario string
		combined bool    // a log without sessions, backends and schemes shows it too
		claims   float64 // tolerance of the number of explained 401s, as a share
	}{
		{"policies", false, 0.15},
		{"invalidation", true, 0.1},
		{"address", false, 0.1},
		{"endpoint", true, 0.05},
		{"permission", true, 0.1},
		{"preflight", true, 0.05},
		{"redirect", true, 0.05},
		{"scheme", false, 0.05},
		{"asset", true, 0.05},
		{"upstream", false, 0.05},
		{"outage", true, 0.1},
		{"no-signin", true, 0.1},
		{"unshared", true, 0.1},
		{"version", true, 0.1},
		{"server", true, 0.1},
		{"retries", true, 0.05},
		{"spike", true, 0.2},
		{"roaming", true, 0}, {"skew", true, 0}, {"dst", true, 0}, {"kiosk", true, 0}, {"typists", true, 0},
	} {
		for _, format := range []string{"json", "combined"} {
			for seed := range trials.Seeds(2) {
				if format == "combined" && !tt.combined {
					continue
				}
				t.Run(fmt.Sprint(tt.scenario, "/", format, 21+seed), func(t *testing.T) {
					t.Parallel()
					labels, paths := simulate(t, fixtures.Options{Scenario: tt.scenario, Format: format, Lines: lines, Seed: 21 + seed, Draw: true})
					checkSite(t, labels, run(t, 2, nil, paths...), tt.claims)
				})
			}
		}
	}
}

func checkSite(t *testing.T, labels *fixtures.Labels, res *result.Result, tolerance float64) {
	t.Helper()
	want := slices.Clone(labels.Findings)
	for _, f := range res.Findings {
		i := slices.IndexFunc(want, func(l fixtures.Finding) bool {
			return l.Kind == f.Kind && f.Subject == result.Subject{
				Type: l.Subject.Type, Host: l.Subject.Host, Method: l.Subject.Method, Route: l.Subject.Route,
				UserAgent: l.Subject.UserAgent, Upstream: l.Subject.Upstream, Server: f.Subject.Server,
			} && filepath.Base(f.Subject.Server) == filepath.Base(l.Subject.Server)
		})
		if i < 0 {
			if f.Severity >= result.Medium {
				t.Errorf("false finding %v %s %+v: %+v", f.Severity, f.Kind, f.Subject, f.Details)
			}
			continue
		}
		l := want[i]
		want = slices.Delete(want, i, i+1)
		if off := float64(f.Unauthorized-l.Unauthorized) / float64(l.Unauthorized); off > tolerance || off < -tolerance {
			t.Errorf("%s explains %d 401s, want %d", f.Kind, f.Unauthorized, l.Unauthorized)
		}
		if f.Details == nil || len(f.Evidence) == 0 || f.Confidence < 0.5 {
			t.Errorf("%s is incomplete: %+v", f.Kind, f)
		}
		switch {
		case (l.Onset == nil) != (f.Onset == parse.NoTime) && l.Kind != "retry_storm":
			t.Errorf("%s: onset %v, want %v", f.Kind, f.Onset, l.Onset)
		case l.Onset != nil:
			if off := time.UnixMicro(f.Onset).Sub(*l.FirstSeen); off.Abs() > 5*time.Minute {
				t.Errorf("%s: onset %v, want that of its first 401, %v", f.Kind, time.UnixMicro(f.Onset).UTC(), l.FirstSeen)
			}
		}
	}
	for _, l := range want {
		t.Errorf("missing finding %s %+v with %d 401s", l.Kind, l.Subject, l.Unauthorized)
	}
}

// TestUndetectable checks that kinds whose fields no line holds are listed as
// undetectable and not found.
func TestUndetectable(t *testing.T) {
	_, paths := simulate(t, fixtures.Options{Scenario: "upstream", Format: "combined", Lines: 20_000, Seed: 5, Draw: true})
	res := run(t, 1, nil, paths...)
	missingOf := map[string]string{}
	for _, u := range res.Undetectable {
		missingOf[u.Kind] = fmt.Sprint(u.Missing)
	}
	for kind, missing := range map[string]string{
		"insecure_scheme":        "[url_scheme]",
		"session_address_change": "[session_id]", "account_failure": "[user_name]",
	} {
		if missingOf[kind] != missing {
			t.Errorf("%s: missing %q, want %q", kind, missingOf[kind], missing)
		}
	}
	for _, f := range res.Findings {
		if missingOf[f.Kind] != "" {
			t.Errorf("found %s without the fields %s", f.Kind, missingOf[f.Kind])
		}
	}
	_, paths = simulate(t, fixtures.Options{Scenario: "mixed", Format: "json", Lines: 5000, Seed: 5})
	if res := run(t, 1, nil, paths...); len(res.Undetectable) != 0 {
		t.Errorf("undetectable in JSON with all fields: %v", res.Undetectable)
	}
}
