package analyze

import (
	"testing"
	"time"

	"logscan/analyze/detect"
)

// TestMovedMachines checks that a program that is refused since its address changed is told from a
// probe, and from guesses at the account of a program that goes on.
func TestMovedMachines(t *testing.T) {
	const agent = "AcmeSync/3.1"
	for _, c := range []struct {
		name     string
		user     string
		other    string        // the program at the old address
		until    time.Duration // when the old address falls silent
		pace     time.Duration // at the new one
		accepted bool          // at the new one
		want     bool
	}{
		{name: "the address changes", user: "acme", other: agent, until: 4 * time.Hour, pace: time.Minute, want: true},
		{name: "the log names nobody", user: "-", other: agent, until: 4 * time.Hour, pace: time.Minute, want: true},
		{name: "the old one goes on", user: "acme", other: agent, until: 9 * time.Hour, pace: time.Minute},
		{name: "the old one stopped long before", user: "acme", other: agent, until: 3 * time.Hour, pace: time.Minute},
		{name: "another program stopped", user: "acme", other: "Backup/1", until: 4 * time.Hour, pace: time.Minute},
		{name: "another pace", user: "acme", other: agent, until: 4 * time.Hour, pace: 17 * time.Second},
		{name: "it is accepted", user: "acme", other: agent, until: 4 * time.Hour, pace: time.Minute, accepted: true},
	} {
		var w written
		for at := time.Duration(0); at < 9*time.Hour; at += time.Minute {
			if at < c.until {
				w.at(at, "203.0.113.7", c.user, "GET /api/stock", 200, c.other)
			}
			w.at(at+20*time.Second, "203.0.113.8", "beta", "GET /api/stock", 200, "BetaSync/1")
		}
		status := 401
		if c.accepted {
			status = 200
		}
		for at := 4*time.Hour + 11*time.Second; at < 9*time.Hour; at += c.pace {
			w.at(at, "198.51.100.9", c.user, "GET /api/stock", status, agent)
		}
		for i := range 6 { // strangers
			w.at(time.Duration(i)*97*time.Minute, "192.0.2.9", "-", "GET /api/stock", 401, "bot")
		}
		found := false
		for _, f := range w.run(t).Findings {
			details, ok := f.Details.(*detect.FailingIntegration)
			if !ok || details.MovedFrom == "" {
				continue
			}
			found = true
			if f.Subject.ClientAddress != "198.51.100.9" || details.MovedFrom != "203.0.113.7" || f.Unauthorized != 300 {
				t.Errorf("%s: %+v from %s explains %d", c.name, f.Subject, details.MovedFrom, f.Unauthorized)
			}
		}
		if found != c.want {
			t.Errorf("%s: found %v, want %v", c.name, found, c.want)
		}
	}
}
