package analyze

import (
	"fmt"
	"testing"
	"time"
)

// TestMovedSessions checks that people who are refused at a new address, and sign in again, are
// no visitors, in a log without session ids: just before, another client with their browser
// made its last request. Where clients end at other times, visitors are ordinary.
func TestMovedSessions(t *testing.T) {
	for _, c := range []struct {
		name string
		gap  time.Duration // from the last request of the earlier client
		keep bool          // the session at the new address
		want bool          // unexplained
	}{
		{"a network that changes", 40 * time.Second, false, true},
		{"sessions that move along", 40 * time.Second, true, false},
		{"the earlier client ended an hour ago", time.Hour, false, false},
		{"the earlier client ends afterwards", -90 * time.Second, false, false},
	} {
		var w written
		begin := func(at time.Duration, client, agent string) {
			w.at(at, client, "-", "GET /login", 200, agent)
			w.at(at+9*time.Second, client, "-", "POST /login", 302, agent)
		}
		work := func(from, to time.Duration, client, agent string) {
			for k := 0; from < to; k++ {
				w.at(from, client, "-", fmt.Sprintf("GET /files/%s", []string{"inbox", "drafts", "plans", "people"}[k%4]), 200, agent)
				from += 33 * time.Second
			}
		}
		for i := range 60 {
			at := 4*time.Hour + time.Duration(i)*10*time.Minute
			agent := fmt.Sprintf("Browser/%d", i%5)
			first, second := fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("198.51.100.%d", i)
			from := at - c.gap - 10*time.Minute
			begin(from-12*time.Second, first, agent)
			work(from, at-c.gap, first, agent)
			w.at(at-c.gap, first, "-", "GET /files/inbox", 200, agent)
			if !c.keep {
				w.at(at, second, "-", "GET /files/inbox", 401, agent)
				begin(at+15*time.Second, second, agent)
			}
			work(at+26*time.Second, at+30*time.Minute, second, agent)
		}
		for i := range 6 { // strangers
			w.at(time.Duration(i)*97*time.Minute, "192.0.2.9", "-", "GET /files/inbox", 401, "bot")
		}
		got := w.run(t).Totals.Unexplained
		if (got >= 40) != c.want || !c.want && got > 6 {
			t.Errorf("%s: %d are unexplained; want most of 60: %v", c.name, got, c.want)
		}
	}
}
