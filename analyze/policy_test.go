package analyze

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"logscan/parse"
)

func pattern(t *testing.T, s string) Pattern {
	t.Helper()
	p, err := ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicyJudges(t *testing.T) {
	office, err := ParsePrefix("203.0.113.7/24")
	if err != nil {
		t.Fatal(err)
	}
	p := Policy{
		Monitors: []Pattern{pattern(t, "198.51.100.0/24"), pattern(t, "Prometheus/*"), pattern(t, "2001:db8::/32")},
		Shared:   []netip.Prefix{office},
		Services: []string{"svc-*", "backup"},
	}
	for _, c := range []struct {
		kind     string
		severity Severity
		subject  Subject
		want     Severity
		says     string
	}{
		{"unauthenticated_probe", Medium, Subject{ClientAddress: "198.51.100.9"}, Info, "known monitor"},
		{"unauthenticated_probe", Medium, Subject{UserAgent: "prometheus/2.51 (a/b)"}, Info, "known monitor"},
		{"unauthenticated_probe", Medium, Subject{UserAgent: "curl/8"}, Medium, ""},
		{"unauthenticated_probe", Medium, Subject{ClientAddress: "no address"}, Medium, ""},
		{"auth_scanner", High, Subject{ClientAddress: "2001:db8::9"}, Info, "known monitor"},
		{"brute_force", Critical, Subject{ClientAddress: "198.51.100.9"}, Critical, ""},
		{"integration_failure", Medium, Subject{ClientAddress: "198.51.100.9"}, Medium, ""},
		{"password_spraying", High, Subject{ClientAddress: "203.0.113.200"}, Low, "share the address"},
		{"password_spraying", Info, Subject{ClientAddress: "203.0.113.200"}, Info, ""},
		{"credential_stuffing", High, Subject{ClientAddress: "203.0.113.1"}, Low, "share the address"},
		{"unauthenticated_probe", Medium, Subject{ClientAddress: "203.0.113.200"}, Medium, ""},
		{"account_failure", Medium, Subject{User: "svc-billing"}, High, "service account"},
		{"account_failure", Medium, Subject{User: "alice"}, Medium, ""},
		{"integration_failure", Low, Subject{User: "backup"}, High, "service account"},
		{"account_failure", Critical, Subject{User: "backup"}, Critical, ""},
	} {
		f := Finding{Kind: c.kind, Severity: c.severity, Subject: c.subject, Explanation: "Why."}
		p.judge(&f)
		if f.Severity != c.want || !strings.Contains(f.Explanation, c.says) || c.says == "" && f.Explanation != "Why." {
			t.Errorf("%s of %+v: %v, %q; want %v and %q", c.kind, c.subject, f.Severity, f.Explanation, c.want, c.says)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	for _, s := range []string{"", "[", "a[]"} {
		if p, err := ParsePattern(s); err == nil {
			t.Errorf("pattern %q: %+v", s, p)
		}
	}
	for _, s := range []string{"", "office", "10.0.0.0/64"} {
		if p, err := ParsePrefix(s); err == nil {
			t.Errorf("prefix %q: %+v", s, p)
		}
	}
	for s, want := range map[string]string{
		"": "not FINDING-ID=DATE REASON", "x": "not FINDING-ID", "=2026-01-01 y": "not FINDING-ID", "x=soon y": "no date", "x=2026-02-30 y": "no date", "x=2026-01-01": "reason", "x= 2026-01-01  ": "reason",
	} {
		if _, err := ParseMute(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mute %q: %v, want %q in it", s, err, want)
		}
	}
}

func TestMutes(t *testing.T) {
	m, err := ParseMute("a-1=2026-03-09 known, = and all")
	if err != nil || m.ID != "a-1" || m.Reason != "known, = and all" || !m.Until.Equal(time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", m, err)
	}
	p := Policy{Mutes: []Mute{m, {ID: "gone-2", Reason: "r", Until: m.Until}}}
	day := time.Date(2026, 3, 9, 23, 59, 59, 0, time.UTC).UnixMicro()
	for last, want := range map[int64]bool{day: true, day + 2e6: false, parse.NoTime: true} {
		list := []candidate{{Finding: Finding{ID: "a-1"}}, {Finding: Finding{ID: "b-2"}}}
		p.mute(list, last)
		if got := list[0].Muted != nil; got != want || list[1].Muted != nil {
			t.Errorf("last line %v: %v, want %v", time.UnixMicro(last).UTC(), got, want)
		}
		notes := strings.Join(p.notes([]Finding{list[0].Finding, list[1].Finding}, last), " ")
		if ended := strings.Contains(notes, "The mute of a-1 has ended with 2026-03-09."); ended == want {
			t.Errorf("notes: %s", notes)
		}
		if want && !strings.Contains(notes, "There is no finding gone-2, which is muted until 2026-03-09.") {
			t.Errorf("notes: %s", notes)
		}
	}
}
