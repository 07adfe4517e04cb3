package result

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	finding := func(id string, s Severity, unauthorized, actors int64) Finding {
		kind, _, _ := strings.Cut(id, "-")
		return Finding{ID: id, Kind: kind, Severity: s, Unauthorized: unauthorized, Actors: actors}
	}
	before := &Snapshot{Requests: 100_000, Findings: []Finding{
		finding("session_expiry-1", High, 400, 90),
		finding("brute_force-2", Medium, 300, 1),
		finding("account_failure-3", Medium, 20, 1),
		finding("endpoint_misconfigured-4", High, 900, 200),
		finding("endpoint_misconfigured-5", Medium, 100, 50),
		finding("retry_storm-6", Low, 9000, 30),
		finding("cors_preflight-7", Medium, 40, 20),
		finding("insecure_scheme-8", Medium, 40, 20),
	}}
	// Twice the requests: an unchanged finding has twice the 401s.
	now := &Snapshot{Requests: 200_000, Undetectable: []string{"insecure_scheme"}, Findings: []Finding{
		finding("session_expiry-1", High, 820, 185),           // as before
		finding("brute_force-2", Medium, 6000, 1),             // many more tries of one client
		finding("account_failure-3", Medium, 22, 1),           // half as many per request, by chance
		finding("endpoint_misconfigured-4", High, 300, 60),    // a sixth per request
		finding("endpoint_misconfigured-5", Critical, 200, 9), // more severe
		finding("retry_storm-6", Low, 60_000, 61),             // more 401s per request, but not more clients
		finding("unauthorized_spike-9", Low, 60, 50),          // not in the earlier run
	}}
	changes, resolved := Compare(before, now)
	want := []Status{StatusPersisting, StatusWorse, StatusPersisting, StatusBetter, StatusWorse, StatusPersisting, StatusNew}
	for i, c := range changes {
		if c.Status != want[i] {
			t.Errorf("%s is %s, want %s: %+v", now.Findings[i].ID, c.Status, want[i], c)
		}
	}
	if len(resolved) != 1 || resolved[0].ID != "cors_preflight-7" || resolved[0].Change.Status != StatusResolved {
		t.Errorf("resolved: %+v", resolved)
	}
	if c := changes[4]; c.Severity != Medium || c.Unauthorized != 100 {
		t.Errorf("values of the earlier run: %+v", c)
	}
}
