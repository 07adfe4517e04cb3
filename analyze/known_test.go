package analyze

import (
	"net/netip"
	"strings"
	"testing"

	"logscan/parse/privacy"
)

// TestPoliciesKnowPseudonyms: what a policy says of names and addresses holds for
// the pseudonyms of those that the log has, and for no others.
func TestPoliciesKnowPseudonyms(t *testing.T) {
	key, err := privacy.NewKey([]byte(strings.Repeat("night and day ", 3)))
	if err != nil {
		t.Fatal(err)
	}
	p := Policy{
		Monitors: []Pattern{{Addresses: netip.MustParsePrefix("192.0.2.0/24")}, {Agent: "prometheus/*"}},
		Shared:   []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")},
		Services: []string{"svc-*"},
	}
	o := privacy.Options{Key: key}
	p.disguise(&o)
	log, other := o.NewMask(), privacy.Options{Key: key}.NewMask() // the log does not name those of other
	for _, tt := range []struct {
		name    string
		finding Finding
		want    Severity
	}{
		{"monitor", Finding{Kind: "retry_storm", Subject: Subject{ClientAddress: string(log.Address([]byte("192.0.2.7")))}}, Info},
		{"no monitor", Finding{Kind: "retry_storm", Subject: Subject{ClientAddress: string(log.Address([]byte("198.51.100.7")))}}, Medium},
		{"not in the log", Finding{Kind: "retry_storm", Subject: Subject{ClientAddress: string(other.Address([]byte("192.0.2.8")))}}, Medium},
		{"agent", Finding{Kind: "unauthenticated_probe", Subject: Subject{ClientAddress: string(log.Address([]byte("198.51.100.7"))), UserAgent: "Prometheus/2"}}, Info},
		{"shared", Finding{Kind: "brute_force", Subject: Subject{ClientAddress: string(log.Address([]byte("2001:db8::7")))}}, Low},
		{"not shared", Finding{Kind: "brute_force", Subject: Subject{ClientAddress: string(log.Address([]byte("2001:db9::7")))}}, Medium},
		{"service", Finding{Kind: "account_failure", Subject: Subject{User: string(log.User([]byte("svc-backup")))}}, High},
		{"person", Finding{Kind: "account_failure", Subject: Subject{User: string(log.User([]byte("jane")))}}, Medium},
	} {
		f := tt.finding
		f.Severity = Medium
		if p.judge(&f); f.Severity != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, f.Severity, tt.want)
		}
	}
}
