package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
)

// TestRefusedColleagues checks that people whose credentials suddenly fail on all pages are
// not taken for somebody who guesses, at home or behind one address.
func TestRefusedColleagues(t *testing.T) {
	pages := []string{"/app/home", "/app/mail", "/api/orders", "/api/items", "/report", "/app/tasks", "/app/calendar"}
	for _, x := range []struct {
		name      string
		people    int
		addresses int
		gap       time.Duration
	}{{"an office", 12, 1, 9 * time.Second}, {"at home", 9, 9, 20 * time.Second}, {"on the move", 8, 150, 30 * time.Second}} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(8)
			w.users = true
			w.run(25)
			for i := range x.people {
				at := 8*time.Hour + w.minutes(120)
				for n := range 240 {
					address := fmt.Sprintf("198.51.100.%d", 10+(i+n/12*x.people)%x.addresses)
					status := "200"
					if at > 11*time.Hour {
						status = "401"
					}
					w.add(at, "GET", pages[w.r.IntN(len(pages))], fmt.Sprintf("clerk%d", i), "", address, status)
					at += time.Duration(w.r.Int64N(int64(2*x.gap)) + int64(time.Second))
					if n%80 == 79 {
						at += w.minutes(90)
					}
				}
			}
			_, findings := w.scan(t, 1)
			for _, f := range findings {
				if f.Severity >= result.Medium && kindOf(f.Kind).Category == AttackCategory {
					t.Errorf("%s %+v: %s", f.Kind, f.Subject, f.Title)
				}
			}
		})
	}
}

// kindOf returns a kind of the catalogue.
func kindOf(name string) Kind {
	k, _ := KindOf(name)
	return k
}

// TestKnocksAtSignIn checks that many strangers who try a password once, and ask for
// nothing else, do not make the sign-in look broken, at a time when few people sign in.
func TestKnocksAtSignIn(t *testing.T) {
	for _, x := range []struct {
		name, path string
		tries      int
	}{{"form", "/login", 900}, {"token", "/oauth/token", 500}, {"unusual name", "/enter", 700}} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			for n := range 60 { // all come in the morning
				address, at := fmt.Sprintf("10.0.1.%d", n), 7*time.Hour+w.minutes(50)
				w.add(at, "GET", "/", "", "", address, "200")
				w.add(at+20*time.Second, "POST", x.path, "", "", address, "302")
				for range 150 {
					at += 30*time.Second + w.minutes(7)
					w.add(at, "GET", []string{"/app/home", "/api/orders", "/api/items"}[w.r.IntN(3)], "", "", address, "200")
				}
			}
			for i := range x.tries {
				at := 12*time.Hour + time.Duration(i)*5*time.Second + w.minutes(1)
				w.add(at, "POST", x.path, "", "", fmt.Sprintf("203.%d.%d.%d", w.r.IntN(90), i/250, i%250), "401")
			}
			_, findings := w.scan(t, 1)
			for _, f := range findings {
				if f.Kind == "endpoint_misconfigured" || f.Kind == "authentication_outage" {
					t.Errorf("%v %s %+v: %s", f.Severity, f.Kind, f.Subject, f.Title)
				}
			}
		})
	}
}

// TestStartOfApplication checks that a call that an application makes before its user signs
// in, and others make with a token, is taken for neither a missing permission, nor a
// broken route, nor a broken program.
func TestStartOfApplication(t *testing.T) {
	for _, x := range []struct {
		name     string
		sessions bool
		path     string
		phones   int // clients that call it with credentials
	}{{"with sessions", true, "/v1/me", 12}, {"without", false, "/v1/me", 12}, {"two calls", false, "/v1/profile", 25}} {
		for seed := range trials.Seeds(2) {
			t.Run(fmt.Sprintf("%s/%d", x.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(seed)
				w.sessionIDs = x.sessions
				for n := range 60 {
					address := fmt.Sprintf("10.0.1.%d", n)
					for visit := range 2 {
						at, id := time.Duration(7+6*visit)*time.Hour+w.minutes(80), fmt.Sprintf("s%d-%d", n, visit)
						w.add(at, "GET", "/", "", "", address, "200")
						w.add(at+time.Second, "GET", x.path, "", "", address, "401")
						at += time.Duration(9+w.r.IntN(30)) * time.Second
						w.add(at, "POST", "/login", "", "", address, "302")
						for range 60 {
							at += time.Duration(5+w.r.IntN(200)) * time.Second
							w.add(at, "GET", []string{"/v1/orders", "/v1/items", "/v1/news"}[w.r.IntN(3)], "", id, address, "200")
						}
						w.add(at+time.Second, "POST", "/logout", "", id, address, "302")
					}
				}
				for n := range x.phones {
					address := fmt.Sprintf("100.64.1.%d", n)
					w.agents[address] = "Phone/4.2"
					at := time.Duration(n) * time.Minute
					for range 80 {
						at += w.minutes(30)
						w.add(at, "GET", []string{"/v1/orders", x.path}[w.r.IntN(2)], "", fmt.Sprintf("p%d", n), address, "200")
					}
				}
				_, findings := w.scan(t, 1)
				want(t, findings)
			})
		}
	}
}

// TestVersionDividesRoute checks that a route which refuses one version of a program, and
// accepts the others, is not one that some people may not use.
func TestVersionDividesRoute(t *testing.T) {
	for _, users := range []bool{true, false} {
		t.Run(fmt.Sprintf("named %v", users), func(t *testing.T) {
			t.Parallel()
			w := newWorld(6)
			w.sessionIDs, w.users = true, users
			for n := range 64 {
				address := fmt.Sprintf("100.64.2.%d", n)
				version := []string{"8.1.0", "8.1.2", "8.2.0", "8.3.0"}[n%4]
				w.agents[address] = "Fieldwork/" + version + " (Android 15)"
				at := 6*time.Hour + w.minutes(60)
				user, id := fmt.Sprintf("user%d", n), fmt.Sprintf("s%d", n)
				w.add(at, "POST", "/login", "", "", address, "302")
				for range 90 {
					at += w.minutes(10)
					path, status := []string{"/v1/orders", "/v1/items", "/v1/photos"}[w.r.IntN(3)], "200"
					if path == "/v1/photos" && version == "8.3.0" {
						status = "401"
					}
					w.add(at, "GET", path, user, id, address, status)
				}
			}
			_, findings := w.scan(t, 1)
			if f := want(t, findings, "client_software_failure")[0]; f.Subject.UserAgent != "Fieldwork/8.3.0" {
				t.Errorf("found %+v", f.Subject)
			}
		})
	}
}

// TestFewMinutesOfSilence checks that a time of minutes in which nobody at all is accepted
// is found, though few people come within minutes: about twenty.
func TestFewMinutesOfSilence(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.run(90)
		from, to := 13*time.Hour, 13*time.Hour+6*time.Minute
		for i := range w.requests {
			if r := &w.requests[i]; r.at >= from && r.at < to && r.status != "401" && strings.HasPrefix(r.path, "/a") {
				r.status = "401"
			}
		}
		_, findings := w.scan(t, 1)
		f := want(t, findings, "authentication_outage")[0]
		if at := time.UnixMicro(f.Onset).UTC(); at.Before(day.Add(from-2*time.Minute)) || at.After(day.Add(from+2*time.Minute)) {
			t.Errorf("began at %v", at)
		}
	})
}

// TestBackendBesideExpiry checks that a backend that refuses what others accept is found
// although all of them refuse a few expired tokens, also long before.
func TestBackendBesideExpiry(t *testing.T) {
	for _, x := range []struct {
		backends, refused int // refused: percent at the last backend since noon
		usual             int // per thousand everywhere
	}{{3, 100, 40}, {2, 100, 60}, {4, 80, 30}} {
		t.Run(fmt.Sprintf("%d of %d", x.refused, x.backends), func(t *testing.T) {
			t.Parallel()
			w := newWorld(9)
			w.sessionIDs = true
			w.run(60)
			places := map[request]int{}
			w.upstream = func(r *request) string {
				place, ok := places[*r]
				if !ok {
					place = w.r.IntN(x.backends)
				}
				return fmt.Sprintf("10.1.1.%d:80", place)
			}
			for i := range w.requests {
				r := &w.requests[i]
				if r.status != "200" || strings.HasPrefix(r.path, "/static") {
					continue
				}
				place := w.r.IntN(x.backends)
				if w.r.IntN(1000) < x.usual || place == x.backends-1 && r.at > 14*time.Hour && w.r.IntN(100) < x.refused {
					r.status = "401"
				}
				places[*r] = place
			}
			_, findings := w.scan(t, 1)
			for _, f := range findings {
				if f.Kind == "upstream_misconfigured" {
					if f.Subject.Upstream != fmt.Sprintf("10.1.1.%d:80", x.backends-1) {
						t.Errorf("found %+v", f.Subject)
					}
					return
				}
			}
			for _, f := range findings {
				t.Errorf("%v %s %+v: %s", f.Severity, f.Kind, f.Subject, f.Title)
			}
		})
	}
}

// TestMorningIsNoInvalidation checks that people whose sessions are gone after a night, as
// nobody comes at night, are not taken for the end of all sessions.
func TestMorningIsNoInvalidation(t *testing.T) {
	for _, x := range []struct {
		name     string
		sessions bool
		night    int // people who work at night
		spread   int // minutes in which people come
	}{{"sessions", true, 0, 40}, {"clients", false, 0, 25}, {"beside a night shift", false, 6, 40}} {
		for seed := range trials.Seeds(2) {
			t.Run(fmt.Sprintf("%s/%d", x.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(seed)
				w.sessionIDs = x.sessions
				for n := range 45 + x.night {
					address := fmt.Sprintf("10.0.1.%d", n)
					for d := range 2 {
						at := time.Duration(24*d+6)*time.Hour + w.minutes(x.spread)
						if n >= 45 {
							at = time.Duration(24*d+21)*time.Hour + w.minutes(x.spread)
						}
						id := fmt.Sprintf("s%d-%d", n, d)
						if d > 0 {
							w.add(at, "GET", "/app/home", "", fmt.Sprintf("s%d-%d", n, d-1), address, "401")
						}
						w.add(at+12*time.Second, "POST", "/login", "", "", address, "302")
						for end := at + 8*time.Hour; at < end; at += 20*time.Second + w.minutes(8) {
							w.add(at+15*time.Second, "GET", []string{"/app/home", "/app/mail", "/api/items"}[w.r.IntN(3)], "", id, address, "200")
						}
					}
				}
				_, findings := w.scan(t, 1)
				for _, f := range findings {
					if f.Kind == "session_invalidation" {
						t.Errorf("%v %s: %s", f.Severity, f.Kind, f.Title)
					}
				}
			})
		}
	}
}
