package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
)

// refuse makes the requests of a period that fit fail.
func (w *world) refuse(from, to time.Duration, fits func(*request) bool) (n int64) {
	for i := range w.requests {
		if r := &w.requests[i]; r.at >= from && r.at < to && fits(r) {
			r.status = "401"
			n++
		}
	}
	return n
}

func guarded(r *request) bool {
	return r.path == "/login" || strings.HasPrefix(r.path, "/api/") || strings.HasPrefix(r.path, "/app/")
}

// TestOutageOfAnyLength checks that it makes no difference whether nobody is accepted
// for a few minutes or for most of the log, where in the log, and that the mistyped
// passwords and ended sessions that its refusals look like are part of it.
func TestOutageOfAnyLength(t *testing.T) {
	for i, period := range [][2]time.Duration{
		{14 * time.Hour, 14*time.Hour + 20*time.Minute},
		{10 * time.Hour, 16 * time.Hour},
		{10 * time.Hour, 17*time.Hour + 20*time.Minute},
		{9 * time.Hour, 24 * time.Hour},
		{5 * time.Hour, 22 * time.Hour},
	} {
		t.Run(fmt.Sprint(period), func(t *testing.T) {
			if i%2 > 0 && !trials.All() || testing.Short() && period[0] != 10*time.Hour {
				t.Skip("the other periods suffice")
			}
			for _, named := range []bool{true, false} {
				w := newWorld(2)
				w.sessionIDs, w.users = named, named
				w.run(60)
				n := w.refuse(period[0], period[1], guarded)
				_, findings := w.scan(t, 2)
				var found []result.Finding
				for _, f := range findings {
					if f.Severity >= result.Medium {
						found = append(found, f)
					}
				}
				if len(found) != 1 || found[0].Subject.Type != "site" || found[0].Unauthorized < n*9/10 || found[0].Severity < result.High {
					t.Fatalf("want one severe finding of the site that explains %d 401s, got %+v", n, found)
				}
				if off := time.UnixMicro(found[0].Onset).Sub(day.Add(period[0])); off < -5*time.Minute || off > 5*time.Minute {
					t.Errorf("onset is off by %v", off)
				}
			}
		})
	}
}

// TestRouteThatStandsOut checks that a route, a path or the sign-in which refuses
// everybody from a time on is the finding, however its clients are known.
func TestRouteThatStandsOut(t *testing.T) {
	for _, tt := range []struct {
		name, route string
		fits        func(*request) bool
	}{
		{"a path", "/api/", func(r *request) bool { return strings.HasPrefix(r.path, "/api/") }},
		{"a route", "/app/mail", func(r *request) bool { return r.path == "/app/mail" }},
		{"the sign-in", "/login", func(r *request) bool { return r.path == "/login" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, named := range []bool{true, false} {
				w := newWorld(4)
				w.sessionIDs, w.users = named, named
				w.run(60)
				n := w.refuse(13*time.Hour, 24*time.Hour, tt.fits)
				_, findings := w.scan(t, 1)
				if !slices.ContainsFunc(findings, func(f result.Finding) bool {
					return f.Severity >= result.Medium && strings.HasPrefix(f.Subject.Route, tt.route) && f.Unauthorized >= n*8/10
				}) {
					t.Errorf("no finding about %s explains %d 401s: %+v", tt.route, n, findings)
				}
			}
		})
	}
}

// TestOneClientIsNoSpike checks that one or two clients whose requests are refused for
// a while are no spike of the site.
func TestOneClientIsNoSpike(t *testing.T) {
	for clients := 1; clients <= 2; clients++ {
		for _, named := range []bool{true, false} {
			w := newWorld(6)
			w.sessionIDs, w.users = named, named
			w.run(20)
			for i := range 400 {
				address := fmt.Sprintf("203.0.113.%d", i%clients)
				w.add(15*time.Hour+time.Duration(i)*5*time.Second+w.minutes(1)/20, "GET", []string{"/api/items", "/app/mail", "/app/home"}[w.r.IntN(3)], "", fmt.Sprint("old", i%clients), address, "401")
			}
			_, findings := w.scan(t, 1)
			for _, f := range findings {
				if f.Subject.Type == "site" {
					t.Errorf("%v %s %+v", f.Severity, f.Kind, f.Details)
				}
			}
		}
	}
}

// TestFewClients checks that two clients are enough to see that a file or a route
// refuses everybody, if they are accepted everywhere else.
func TestFewClients(t *testing.T) {
	for path, kind := range map[string]string{"/assets/site.webmanifest": "uncredentialed_asset", "/app/report": "endpoint_misconfigured"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(5)
			for c := range 2 {
				address := fmt.Sprintf("198.51.100.%d", c)
				for i := range 20 {
					at := time.Duration(i)*time.Hour + w.minutes(30)
					w.add(at, "GET", "/app/home", "", "", address, "200")
					w.add(at+time.Second, "GET", path, "", "", address, "401")
					w.add(at+2*time.Second, "GET", "/app/mail", "", "", address, "200")
				}
			}
			for i := range 8 { // visitors who are not signed in
				w.add(w.minutes(1000), "GET", []string{"/app/home", "/app/mail"}[i%2], "", "", fmt.Sprintf("192.0.2.%d", i), "401")
			}
			_, findings := w.scan(t, 1)
			if len(findings) != 1 || findings[0].Kind != kind || findings[0].Unauthorized != 40 || findings[0].Severity < result.Low {
				t.Errorf("got %+v", findings)
			}
		})
	}
}

// TestAccountThatSignsInInVain checks that an account which signs in, but is refused
// from the first line on, is found, and that the page of the sign-in form is no
// acceptance.
func TestAccountThatSignsInInVain(t *testing.T) {
	for _, form := range []bool{false, true} {
		w := newWorld(3)
		w.users, w.sessionIDs = true, true
		w.run(60)
		at := 8 * time.Hour
		for i := range 12 {
			if form {
				w.add(at, "GET", "/login", "newcomer", "", "203.0.113.8", "200")
			}
			w.add(at+5*time.Second, "POST", "/login", "newcomer", "", "203.0.113.8", "302")
			w.add(at+6*time.Second, "GET", "/app/home", "newcomer", fmt.Sprint("n", i), "203.0.113.8", "401")
			at += 2*time.Minute + w.minutes(3<<w.r.IntN(6))
		}
		if form { // the form was refused once, too
			w.add(at, "GET", "/login", "", "", "203.0.113.9", "401")
		}
		_, findings := w.scan(t, 1)
		if f := want(t, findings, "account_failure")[0]; f.Subject.User != "newcomer" {
			t.Errorf("found %+v", f)
		}
	}
}

// TestNoGuessing checks that those who fail where everybody fails, owners who browse
// with a password that has expired, and colleagues at an office are not taken for
// attackers.
func TestNoGuessing(t *testing.T) {
	attacks := func(t *testing.T, w *world) {
		t.Helper()
		_, findings := w.scan(t, 1)
		for _, f := range findings {
			if f.Category == string(AttackCategory) {
				t.Errorf("%v %s %+v %+v", f.Severity, f.Kind, f.Subject, f.Details)
			}
		}
	}
	t.Run("outage", func(t *testing.T) {
		w := newWorld(1)
		w.users = true
		w.run(80)
		w.refuse(11*time.Hour, 20*time.Hour, func(r *request) bool { return r.path == "/login" })
		for i := range 60 { // an impatient user
			w.add(12*time.Hour+time.Duration(i)*20*time.Second, "POST", "/login", "user81", "", "10.0.0.3", "401")
		}
		attacks(t, w)
	})
	t.Run("owner", func(t *testing.T) {
		w := newWorld(2)
		w.users = true
		w.run(40)
		for i := range 40 {
			at := 9*time.Hour + time.Duration(i)*5*time.Minute + w.minutes(4)
			for _, path := range []string{"/api/orders", "/api/items", "/app/home", "/app/mail"} {
				w.add(at, "GET", path, "expired", "", "203.0.113.50", "401")
			}
		}
		attacks(t, w)
	})
	t.Run("office", func(t *testing.T) {
		w := newWorld(3)
		w.users = true
		w.run(40)
		for i := range 300 {
			user := fmt.Sprint("clerk", i%12)
			at, status := w.minutes(1300), "200"
			if i%12 < 6 && at > 12*time.Hour {
				status = "401"
			}
			if i%12 >= 4 || at > 12*time.Hour {
				w.add(at, "GET", "/app/home", user, "", "203.0.113.60", status)
			}
		}
		attacks(t, w)
	})
}

// TestRouteOfNewcomers checks that a route whose clients come but once is found when it turns all
// of them away, and that strangers who are refused beside them are no fault of it.
func TestRouteOfNewcomers(t *testing.T) {
	for _, x := range []struct {
		name      string
		closes    bool // at noon
		strangers int
		kinds     []string
	}{{"closes", true, 0, []string{"endpoint_misconfigured"}}, {"open", false, 0, nil}, {"strangers beside", false, 60, nil}} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(4)
			w.run(25)
			try := func(address string, at time.Duration, accepted bool) {
				w.agents[address] = fmt.Sprintf("Build/6.%d", w.r.IntN(5))
				w.add(at, "GET", "/feed/index", "", "", address, "401")
				if !accepted {
					w.add(at, "GET", "/feed/index", "", "", address, "401")
					return
				}
				w.add(at, "GET", "/feed/index", "", "", address, "200")
				w.add(at+time.Second, "GET", "/feed/item", "", "", address, "200")
			}
			for n := range 90 {
				at := 6*time.Hour + w.minutes(12*60)
				try(fmt.Sprintf("198.51.100.%d", n), at, !x.closes || at < 12*time.Hour)
			}
			for n := range x.strangers {
				try(fmt.Sprintf("203.0.113.%d", n), 12*time.Hour+w.minutes(6*60), false)
			}
			_, findings := w.scan(t, 1)
			if found := want(t, findings, x.kinds...); len(found) > 0 && found[0].Subject.Route != "/feed/index" {
				t.Errorf("found %+v", found[0].Subject)
			}
		})
	}
}
