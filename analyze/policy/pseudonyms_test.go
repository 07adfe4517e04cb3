package policy

import (
	"net/netip"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/parse/privacy"
)

// TestPseudonymize checks that a policy of names and addresses applies to the pseudonyms
// of those in the log, and to no others.
func TestPseudonymize(t *testing.T) {
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
	p.Pseudonymize(&o)
	log, other := o.NewMask(), privacy.Options{Key: key}.NewMask() // names that are not in the log
	for _, tt := range []struct {
		name    string
		finding result.Finding
		want    result.Severity
	}{
		{"monitor", result.Finding{Kind: "retry_storm", Subject: result.Subject{ClientAddress: string(log.Address([]byte("192.0.2.7")))}}, result.Info},
		{"no monitor", result.Finding{Kind: "retry_storm", Subject: result.Subject{ClientAddress: string(log.Address([]byte("198.51.100.7")))}}, result.Medium},
		{"not in the log", result.Finding{Kind: "retry_storm", Subject: result.Subject{ClientAddress: string(other.Address([]byte("192.0.2.8")))}}, result.Medium},
		{"agent", result.Finding{Kind: "unauthenticated_probe", Subject: result.Subject{ClientAddress: string(log.Address([]byte("198.51.100.7"))), UserAgent: "Prometheus/2"}}, result.Info},
		{"shared", result.Finding{Kind: "brute_force", Category: "attack", Subject: result.Subject{ClientAddress: string(log.Address([]byte("2001:db8::7")))}}, result.Low},
		{"not shared", result.Finding{Kind: "brute_force", Category: "attack", Subject: result.Subject{ClientAddress: string(log.Address([]byte("2001:db9::7")))}}, result.Medium},
		{"service", result.Finding{Kind: "account_failure", Subject: result.Subject{User: string(log.User([]byte("svc-backup")))}}, result.High},
		{"person", result.Finding{Kind: "account_failure", Subject: result.Subject{User: string(log.User([]byte("jane")))}}, result.Medium},
	} {
		f := tt.finding
		f.Severity = result.Medium
		if p.Judge(&f); f.Severity != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, f.Severity, tt.want)
		}
	}
}
