package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/session"
)

// TestOpenedLinks checks that a route is found whose links a scanner spends, that its refusals
// are doubted if the people sign in otherwise, and that links which nobody opened before, or
// whose openers go on to use the site, are ordinary.
func TestOpenedLinks(t *testing.T) {
	const nobody, scanner, phone = 0, 1, 2
	tests := []struct {
		name             string
		opener           int
		password         bool   // who is refused signs in by a form
		page             string // to which the link leads who is refused; empty if it refuses itself
		findings, doubts int
	}{
		{name: "scanner", opener: scanner, findings: 1},
		{name: "scanner, then a password", opener: scanner, password: true, doubts: 20},
		{name: "scanner, error page", opener: scanner, page: "/sorry", findings: 1},
		{name: "scanner, application", opener: scanner, page: "/notes", findings: 1},
		{name: "scanner, error page, then a password", opener: scanner, page: "/sorry", password: true, doubts: 20},
		{name: "late", opener: nobody},
		{name: "late, error page", opener: nobody, page: "/sorry"},
		{name: "second device", opener: phone},
	}
	for _, test := range tests {
		w := newWorld(3)
		for i := range 60 {
			address, path := fmt.Sprintf("198.51.100.%d", i), "/link"
			at := 8*time.Hour + w.minutes(500)
			if i%3 > 0 {
				w.add(at, "GET", path, "", "", address, "302")
				w.visit(at+time.Second, address)
				continue
			}
			switch opener := fmt.Sprintf("203.0.113.%d", i); test.opener {
			case scanner:
				w.add(at-20*time.Second, "GET", path, "", "", opener, "302")
				w.add(at-19*time.Second, "GET", "/notes", "", "", opener, "200")
			case phone:
				w.add(at-5*time.Minute, "GET", path, "", "", opener, "302")
				w.visit(at-5*time.Minute, opener)
			}
			if test.page != "" {
				w.add(at, "GET", path, "", "", address, "302")
				at, path = at+300*time.Millisecond, test.page
			}
			w.add(at, "GET", path, "", "", address, "401")
			if test.password {
				w.add(at+30*time.Second, "POST", "/login", "", "", address, "302")
				w.visit(at+31*time.Second, address)
			}
		}
		d := newDiagnosis(w.correlate(t, 1))
		findings := findingsOf(t, d)
		if len(findings) != test.findings || len(findings) > 0 && findings[0].Details.(*BrokenEndpoint).Opened != 20 {
			t.Errorf("%s: found %+v", test.name, findings)
		}
		var doubted session.Bits
		if o, ok := d.observed[endpointMisconfigured.Name].(*endpointObserver); ok {
			doubted = d.doubtedLinks(o.links)
		}
		if doubted.Len() != test.doubts {
			t.Errorf("%s: %d refusals are doubted, want %d", test.name, doubted.Len(), test.doubts)
		}
	}
}

// visit adds the pages that somebody reads who is signed in.
func (w *world) visit(at time.Duration, address string) {
	for range 12 {
		w.add(at, "GET", []string{"/notes", "/home", "/settings"}[w.r.IntN(3)], "", "", address, "200")
		at += time.Duration(5+w.r.IntN(60)) * time.Second
	}
}
