package analyze

import (
	"fmt"
	"testing"
	"time"
)

// TestFewPeople checks days of a small site, on which what is ordinary one by one is not, or is.
func TestFewPeople(t *testing.T) {
	const people = 40
	for name, c := range map[string]struct {
		ends        func(at time.Duration) bool // whether a session ends before a visit
		least, most int64                       // unexplained
	}{
		"sessions end now and then": {func(at time.Duration) bool { return at/time.Minute%17 == 3 }, 0, 2},
		"nobody is accepted for half an hour": {func(at time.Duration) bool {
			return at/time.Minute%17 == 3 || at >= 13*time.Hour && at < 13*time.Hour+30*time.Minute
		}, 5, 40},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			for i := range people {
				client := fmt.Sprintf("203.0.113.%d", i)
				at := 7*time.Hour + time.Duration(i*i*37%400)*time.Minute
				w.at(at-10*time.Second, client, "-", "POST /signin", 302, firefoxAgent)
				for k := range 6 {
					work(&w, at, client, c.ends(at))
					at += time.Duration(35+(i*7+k*13)%50) * time.Minute
				}
			}
			res := w.run(t)
			if n := res.Totals.Unexplained; n < c.least || n > c.most || len(res.Findings) > 0 {
				t.Errorf("%d unexplained, want %d to %d: %v %+v", n, c.least, c.most, res.Causes, res.Findings)
			}
		})
	}
}

// work writes a few requests, which begin with a refusal and a sign-in if the session has ended.
func work(w *written, at time.Duration, client string, ended bool) {
	if ended {
		w.at(at, client, "-", "GET /desk/mail", 401, firefoxAgent)
		at += 40 * time.Second
		w.at(at, client, "-", "POST /signin", 302, firefoxAgent)
	}
	for k := range 4 {
		w.at(at+time.Duration(1+k*20)*time.Second, client, "-", fmt.Sprintf("GET /desk/%s", []string{"mail", "files"}[k%2]), 200, firefoxAgent)
	}
}

// TestInsistingStrangers checks that a client which is answered nothing but refusals has lost its
// session if it asks for many things, and followed a link if it asks for few.
func TestInsistingStrangers(t *testing.T) {
	for routes, unexplained := range map[int]int64{2: 0, 7: 7} {
		var w written
		w.people(40, "/signin")
		for k := range routes {
			w.at(13*time.Hour+time.Duration(k*20)*time.Second, "198.51.100.7", "-", fmt.Sprintf("GET /desk/%c", 'a'+k), 401, firefoxAgent)
		}
		if res := w.run(t); res.Totals.Unexplained != unexplained {
			t.Errorf("%d routes: %d unexplained, want %d: %v", routes, res.Totals.Unexplained, unexplained, res.Causes)
		}
	}
}

// TestHiddenEnds checks that sessions which end at the address of a load balancer are not called
// ordinary: nothing shows how long they were silent. Where each person has an address, it shows.
func TestHiddenEnds(t *testing.T) {
	for name, c := range map[string]struct {
		address     func(person int) string
		least, most int64 // unexplained
	}{
		"a load balancer":     {func(int) string { return "10.0.3.7" }, 10, 40},
		"people of their own": {func(person int) string { return fmt.Sprintf("203.0.113.%d", person) }, 0, 2},
	} {
		var w written
		for i := range 40 {
			at := 7*time.Hour + time.Duration(i*i*37%400)*time.Minute
			w.at(at-10*time.Second, c.address(i), "-", "POST /signin", 302, firefoxAgent)
			for k := range 6 {
				work(&w, at, c.address(i), at/time.Minute%17 == 3)
				at += time.Duration(35+(i*7+k*13)%50) * time.Minute
			}
		}
		res := w.run(t)
		if n := res.Totals.Unexplained; n < c.least || n > c.most || len(res.Findings) > 0 {
			t.Errorf("%s: %d unexplained, want %d to %d: %v %+v", name, n, c.least, c.most, res.Causes, res.Findings)
		}
	}
}

// TestLockedOutTenant checks that failed sign-ins are not called mistyped passwords where people of
// one tenant of many do not get in, though most of those who fail anywhere do.
func TestLockedOutTenant(t *testing.T) {
	const tenants, people = 12, 20
	for _, closed := range []bool{false, true} {
		var w written
		for i := range tenants * people {
			tenant, client := i%tenants, fmt.Sprintf("203.0.113.%d", i)
			at := 8*time.Hour + time.Duration(i*i*37%500)*time.Minute
			door, page := fmt.Sprintf("POST /t%c/signin", 'a'+tenant), fmt.Sprintf("GET /t%c/mail", 'a'+tenant)
			shut := closed && tenant == 3 && at > 9*time.Hour
			if i%2 == 0 || shut {
				w.at(at, client, "-", door, 401, firefoxAgent)
			}
			if shut {
				continue
			}
			w.at(at+20*time.Second, client, "-", door, 302, firefoxAgent)
			for k := range 4 {
				w.at(at+time.Duration(21+20*k)*time.Second, client, "-", page, 200, firefoxAgent)
			}
		}
		res := w.run(t)
		if n := res.Totals.Unexplained; n > 0 != closed || len(res.Findings) > 0 {
			t.Errorf("closed %t: %d unexplained: %v %+v", closed, n, res.Causes, res.Findings)
		}
	}
}

// TestDayBegins checks that people who are asked to sign in as their day begins, and whose sessions
// go on at other addresses later, are part of normal use; but not if sessions went on before.
func TestDayBegins(t *testing.T) {
	for _, before := range []int{0, 60} { // visits of earlier sessions
		var w written
		page := func(k int) string { return fmt.Sprintf("GET /desk/%s", []string{"mail", "files", "notes"}[k%3]) }
		visit := func(at time.Duration, client string) {
			for k := range 5 {
				w.at(at+time.Duration(20*k)*time.Second, client, "-", page(k), 200, firefoxAgent)
			}
		}
		for i := range before {
			visit(5*time.Hour+time.Duration(i)*time.Minute, fmt.Sprintf("192.0.2.%d", i))
		}
		for i := range 80 {
			at, client := 8*time.Hour+time.Duration(i*37%60)*time.Minute, fmt.Sprintf("203.0.113.%d", i)
			w.at(at, client, "-", page(i), 401, firefoxAgent)
			w.at(at+15*time.Second, client, "-", "POST /signin", 302, firefoxAgent)
			visit(at+16*time.Second, client)
			visit(12*time.Hour+time.Duration(i*4)*time.Minute, fmt.Sprintf("198.51.100.%d", i))
		}
		res := w.run(t)
		if n := res.Totals.Unexplained; n > 0 != (before > 0) || len(res.Findings) > 0 {
			t.Errorf("%d visits before: %d unexplained: %v %+v", before, n, res.Causes, res.Findings)
		}
	}
}

// TestTurnedAgents checks that a program whose address changes from request to request is no crowd of
// strangers if it was accepted first and is refused since.
func TestTurnedAgents(t *testing.T) {
	for _, turned := range []bool{false, true} {
		var w written
		w.people(40, "/signin")
		for i := range 40 { // people who follow a link
			at, client := time.Duration(i)*22*time.Minute, fmt.Sprintf("192.0.2.%d", i)
			w.at(at, client, "-", "GET /", 200, "Firefox")
			w.at(at+9*time.Second, client, "-", "GET /desk/files", 401, "Firefox")
		}
		for i := range 36 {
			status := 200
			if turned && i >= 24 || !turned && i%3 == 2 {
				status = 401
			}
			w.at(time.Duration(i)*25*time.Minute, fmt.Sprintf("198.51.100.%d", 10+i), "-", "GET /desk/mail", status, "meter/1.4")
		}
		res := w.run(t)
		if n := res.Totals.Unexplained; n == 12 != turned || len(res.Findings) > 0 {
			t.Errorf("turned %t: %d unexplained: %v %+v", turned, n, res.Causes, res.Findings)
		}
	}
}
