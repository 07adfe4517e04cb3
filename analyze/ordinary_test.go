package analyze

import (
	"fmt"
	"testing"
	"time"
)

// TestFailingSignInsOfOne checks that a few failed sign-ins are somebody who mistypes, and
// that many of a client that never gets in are not.
func TestFailingSignInsOfOne(t *testing.T) {
	for name, c := range map[string]struct {
		failures int
		succeeds time.Duration // 0 for never
		want     int64         // unexplained
	}{
		"mistyped twice":                {2, 0, 0},
		"gave up after eight":           {8, 0, 0},
		"all afternoon":                 {19, 0, 19},
		"all afternoon, until it went":  {19, 17 * time.Hour, 0},
		"all afternoon, after it went":  {19, 11 * time.Hour, 19},
		"gave up, after it went before": {8, 11 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			w.people(60, "/signin")
			for i := range c.failures {
				w.at(13*time.Hour+time.Duration(i*i)*31*time.Second+time.Duration(i)*time.Minute, "192.0.2.77", "-", "POST /signin", 401, "Firefox")
			}
			if at := c.succeeds; at > 0 {
				w.at(at, "192.0.2.77", "-", "POST /signin", 302, "Firefox")
				w.at(at+time.Second, "192.0.2.77", "-", "GET /desk/mail", 200, "Firefox")
			}
			res := w.run(t)
			if len(res.Findings) > 0 || res.Totals.Unexplained != c.want {
				t.Errorf("%d unexplained, want %d: %v %+v", res.Totals.Unexplained, c.want, res.Causes, res.Findings)
			}
		})
	}
}

// TestFailingSignInsOfOwner checks that somebody who signed in before and fails very often,
// as one does whose account is locked, is neither an attack nor ordinary, even if it ends.
func TestFailingSignInsOfOwner(t *testing.T) {
	for _, unlocked := range []bool{false, true} {
		var w written
		w.people(60, "/signin")
		w.at(8*time.Hour, "192.0.2.77", "-", "POST /signin", 302, "Firefox")
		for i := range 20 {
			w.at(8*time.Hour+time.Duration(i+1)*time.Minute, "192.0.2.77", "-", "GET /desk/mail", 200, "Firefox")
		}
		for i := range 30 {
			w.at(13*time.Hour+time.Duration(i*(20+i%7))*time.Second, "192.0.2.77", "-", "POST /signin", 401, "Firefox")
		}
		if unlocked {
			w.at(14*time.Hour, "192.0.2.77", "-", "POST /signin", 302, "Firefox")
			w.at(14*time.Hour+time.Second, "192.0.2.77", "-", "GET /desk/mail", 200, "Firefox")
		}
		if res := w.run(t); len(res.Findings) > 0 || res.Totals.Unexplained != 30 {
			t.Errorf("unlocked %v: %d unexplained: %v %+v", unlocked, res.Totals.Unexplained, res.Causes, res.Findings)
		}
	}
}

// TestYoungTokens checks that tokens which programs renew after a refusal have expired if they
// are old, and not if they had just been given.
func TestYoungTokens(t *testing.T) {
	for _, c := range []struct {
		every       int // the number of requests, 40 s apart, after which one is refused
		unexplained int64
	}{{1, 15}, {6, 0}} {
		var w written
		w.people(60, "/signin")
		for i := range 5 {
			client, at := fmt.Sprintf("203.0.113.%d", i), 9*time.Hour+time.Duration(i)*9*time.Minute
			w.at(at, client, "-", "POST /signin", 200, "Firefox")
			for k := range 4*c.every + 1 {
				if at += 40 * time.Second; k%c.every == 0 {
					w.at(at, client, "-", "GET /desk/mail", 401, "Firefox")
					w.at(at, client, "-", "POST /auth/refresh", 200, "Firefox")
				}
				w.at(at+time.Second, client, "-", "GET /desk/files", 200, "Firefox")
			}
		}
		if res := w.run(t); len(res.Findings) > 0 || res.Totals.Unexplained < c.unexplained || c.unexplained == 0 && res.Totals.Unexplained > 0 {
			t.Errorf("every %d: %d unexplained, want %d: %v %+v", c.every, res.Totals.Unexplained, c.unexplained, res.Causes, res.Findings)
		}
	}
}

// TestEnds checks that ends of sessions are expiries if people had been silent before, not
// if the sessions are used again without a sign-in, though sign-ins are logged, or were cut
// off in use.
func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		silence     time.Duration
		signIn      bool
		unexplained int64
	}{
		"go on":          {0, false, 40},
		"cut off in use": {0, true, 40},
		"silent before":  {40 * time.Minute, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			for i := range 40 {
				client, at := fmt.Sprintf("203.0.113.%d", i), time.Duration(i)*9*time.Minute
				w.at(at, client, "-", "POST /signin", 302, "Firefox")
				for k := range 12 {
					if at += 40 * time.Second; i%2 == 0 && k == 6 {
						at += c.silence
						w.at(at, client, "-", "GET /desk/mail", 401, "Firefox")
						w.at(at+time.Second, client, "-", "GET /desk/files", 401, "Firefox")
						at += time.Minute
						if c.signIn {
							w.at(at, client, "-", "POST /signin", 302, "Firefox")
						}
					}
					w.at(at+time.Second, client, "-", fmt.Sprintf("GET /desk/%s", []string{"mail", "files"}[k%2]), 200, "Firefox")
				}
			}
			if res := w.run(t); res.Totals.Unexplained != c.unexplained {
				t.Errorf("%d unexplained, want %d: %v", res.Totals.Unexplained, c.unexplained, res.Causes)
			}
		})
	}
}

// TestSessionsFromBefore checks that ended sessions from before the log are ordinary if others
// from before go on, or last as long as people work, and that it is not known why they ended
// otherwise.
func TestSessionsFromBefore(t *testing.T) {
	for name, c := range map[string]struct {
		goOn        int           // sessions from before that go on
		visit       time.Duration // how long people stay
		renews      bool          // who is refused renews the session
		unexplained int64
	}{
		"none goes on":       {0, time.Hour, false, 30},
		"most go on":         {40, time.Hour, false, 0},
		"they last a day":    {0, 10 * time.Hour, false, 0},
		"tokens are renewed": {0, time.Hour, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			for i := range 30 + c.goOn {
				client, session, at := fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("%032x", i*7919+1), 7*time.Hour+time.Duration(i*37%(30+c.goOn))*5*time.Minute
				if i < 30 {
					w.in(session, at, client, "GET /desk/mail", 401, "Firefox")
					at += 20 * time.Second
					if c.renews {
						w.in(session, at, client, "POST /session/refresh", 200, "Firefox")
					} else {
						session = fmt.Sprintf("%032x", i*7919+2)
						w.in("", at, client, "POST /signin", 302, "Firefox")
					}
				}
				for since := time.Duration(0); since < c.visit; since += 4 * time.Minute {
					w.in(session, at+since+time.Second, client, fmt.Sprintf("GET /desk/%s", []string{"mail", "files"}[since/(4*time.Minute)%2]), 200, "Firefox")
				}
			}
			if res := w.run(t); res.Totals.Unexplained != c.unexplained || len(res.Findings) > 0 {
				t.Errorf("%d unexplained, want %d: %v", res.Totals.Unexplained, c.unexplained, res.Causes)
			}
		})
	}
}

// TestFormsOfStrangers checks that clients which submit something again and again, and are
// answered hardly anything but refusals, are no visitors, nor are many that do so less often.
func TestFormsOfStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		each    int
		pages   int // they see before each
		want    int64
	}{
		"submit":           {"POST /desk/enter", 24, 0, 24 * 12},
		"load the form":    {"POST /desk/enter", 24, 1, 24 * 12},
		"less often":       {"POST /desk/enter", 6, 1, 6 * 12},
		"a few times":      {"POST /desk/enter", 4, 1, 0},
		"read":             {"GET /desk/mail", 24, 0, 0},
		"look at the site": {"POST /desk/enter", 24, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			w.people(60, "/signin")
			w.pages(400)
			for i := range 12 {
				client := fmt.Sprintf("198.51.%d.7", i)
				for k := range c.each {
					at := (time.Duration(k*k)*73*time.Second + time.Duration(i)*97*time.Minute + time.Duration(k)*time.Minute) % (23 * time.Hour)
					w.at(at, client, "-", c.request, 401, "Firefox")
					for range c.pages {
						w.at(at-time.Second, client, "-", "GET /", 200, "Firefox")
					}
				}
			}
			if res := w.run(t); res.Totals.Unexplained != c.want {
				t.Errorf("%d unexplained, want %d: %v %+v", res.Totals.Unexplained, c.want, res.Causes, res.Findings)
			}
		})
	}
}
