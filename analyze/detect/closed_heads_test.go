package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestClosedHeads checks that a host is found that refuses HEAD where GET is open, and none where
// GET asks for credentials too, where HEAD is accepted elsewhere, or whose only HEAD requests are
// those of scanners.
func TestClosedHeads(t *testing.T) {
	for _, test := range []struct {
		name          string
		get, head     string // status for those without a session
		accepts, asks bool   // HEAD, for some; those that were refused ask by GET
		findings      int
	}{
		{name: "open by GET", get: "200", head: "401", asks: true, findings: 1},
		{name: "protected", get: "401", head: "401", asks: true},
		{name: "accepted by HEAD, too", get: "200", head: "401", accepts: true, asks: true},
		{name: "scanners", get: "200", head: "401"},
		{name: "GET leads to the sign-in", get: "302", head: "401", asks: true},
	} {
		w := newWorld(4)
		w.run(20)
		pages := []string{"/docs/start", "/docs/guide/setup", "/press"}
		for i := range 60 {
			address := fmt.Sprintf("198.51.100.%d", i)
			at := 8*time.Hour + w.minutes(500)
			w.add(at, "GET", pages[i%3], "", "", address, test.get)
			if checker := fmt.Sprintf("203.0.113.%d", i%15); i%4 == 0 {
				w.add(at, "HEAD", pages[i%3], "", "", checker, test.head)
				if test.asks {
					w.add(at+time.Second, "GET", pages[i%3], "", "", checker, test.get)
				}
			} else if test.accepts {
				w.add(at, "HEAD", pages[i%3], "", "", address, "200")
			}
		}
		_, findings := w.scan(t, 1)
		n := 0
		for _, f := range findings {
			if d, ok := f.Details.(*BrokenEndpoint); ok && d.Heads > 0 {
				n++
				if f.Subject.Route != "/" || d.Routes != 3 || d.Heads != 15 || d.HeadsByGET != 15 {
					t.Errorf("%s: %+v %+v", test.name, f.Subject, d)
				}
			}
		}
		if n != test.findings {
			t.Errorf("%s: found %d, want %d: %+v", test.name, n, test.findings, findings)
		}
	}
}
