package policy

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
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
		kind, category string
		severity       result.Severity
		subject        result.Subject
		want           result.Severity
		judgement      result.Judgement
	}{
		{"unauthenticated_probe", "client", result.Medium, result.Subject{ClientAddress: "198.51.100.9"}, result.Info, result.KnownMonitor},
		{"unauthenticated_probe", "client", result.Medium, result.Subject{UserAgent: "prometheus/2.51 (a/b)"}, result.Info, result.KnownMonitor},
		{"unauthenticated_probe", "client", result.Medium, result.Subject{UserAgent: "curl/8"}, result.Medium, result.NotJudged},
		{"unauthenticated_probe", "client", result.Medium, result.Subject{ClientAddress: "no address"}, result.Medium, result.NotJudged},
		{"auth_scanner", "attack", result.High, result.Subject{ClientAddress: "2001:db8::9"}, result.Info, result.KnownMonitor},
		{"brute_force", "attack", result.Critical, result.Subject{ClientAddress: "198.51.100.9"}, result.Critical, result.NotJudged},
		{"integration_failure", "client", result.Medium, result.Subject{ClientAddress: "198.51.100.9"}, result.Medium, result.NotJudged},
		{"password_spraying", "attack", result.High, result.Subject{ClientAddress: "203.0.113.200"}, result.Low, result.SharedAddress},
		{"password_spraying", "attack", result.Info, result.Subject{ClientAddress: "203.0.113.200"}, result.Info, result.NotJudged},
		{"credential_stuffing", "attack", result.High, result.Subject{ClientAddress: "203.0.113.1"}, result.Low, result.SharedAddress},
		{"unauthenticated_probe", "client", result.Medium, result.Subject{ClientAddress: "203.0.113.200"}, result.Medium, result.NotJudged},
		{"account_failure", "account", result.Medium, result.Subject{User: "svc-billing"}, result.High, result.ServiceAccount},
		{"account_failure", "account", result.Medium, result.Subject{User: "alice"}, result.Medium, result.NotJudged},
		{"integration_failure", "client", result.Low, result.Subject{User: "backup"}, result.High, result.ServiceAccount},
		{"account_failure", "account", result.Critical, result.Subject{User: "backup"}, result.Critical, result.NotJudged},
	} {
		f := result.Finding{Kind: c.kind, Category: c.category, Severity: c.severity, Subject: c.subject}
		p.Judge(&f)
		if f.Severity != c.want || f.Judgement != c.judgement {
			t.Errorf("%s of %+v: %v, judgement %v; want %v and %v", c.kind, c.subject, f.Severity, f.Judgement, c.want, c.judgement)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	for _, s := range []string{"", "[", "a[]"} {
		if p, err := ParsePattern(s); err == nil {
			t.Errorf("pattern %q was parsed as %+v, want an error", s, p)
		}
	}
	for _, s := range []string{"", "office", "10.0.0.0/64"} {
		if p, err := ParsePrefix(s); err == nil {
			t.Errorf("prefix %q was parsed as %+v, want an error", s, p)
		}
	}
	for s, want := range map[string]string{
		"": "not FINDING-ID=DATE REASON", "x": "not FINDING-ID", "=2026-01-01 y": "not FINDING-ID", "x=soon y": "no date", "x=2026-02-30 y": "no date", "x=2026-01-01": "reason", "x= 2026-01-01  ": "reason",
	} {
		if _, err := ParseMute(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mute %q: error %v, want one with %q", s, err, want)
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
		if got := p.Muted("a-1", last) != nil; got != want || p.Muted("b-2", last) != nil {
			t.Errorf("last line %v: muted %v, want %v", time.UnixMicro(last).UTC(), got, want)
		}
		notes := p.Notes([]result.Finding{{ID: "a-1"}, {ID: "b-2"}}, last)
		ended := slices.Contains(notes, result.Note{Kind: result.NoteMuteEnded, Name: "a-1", Text: "2026-03-09"})
		unused := slices.Contains(notes, result.Note{Kind: result.NoteMuteUnused, Name: "gone-2", Text: "2026-03-09"})
		if ended == want || unused != want {
			t.Errorf("unexpected notes: %v", notes)
		}
	}
}
