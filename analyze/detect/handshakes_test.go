package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/fixtures/trials"
)

// basicClients adds programs that answer a challenge with each request. call adds the
// answer to one.
func (w *world) basicClients(n int, paths []string, call func(at time.Duration, path, user, address string)) {
	for i := range n {
		address, user := fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("sync%d", i)
		w.agents[address] = "syncclient/4.2"
		for now := time.Duration(w.r.Int64N(int64(time.Hour))); now < 24*time.Hour; now += time.Duration(8+w.r.IntN(25)) * time.Minute {
			path := paths[w.r.IntN(len(paths))]
			w.add(now, "GET", path, "", "", address, "401")
			call(now, path, user, address)
		}
	}
}

// challengesSince returns the number of challenges at or after a time.
func challengesSince(c *session.Evidence, since time.Duration) (n int) {
	for i := range c.Refusals.Len() {
		if r := c.Refusals.At(i); r.Time >= day.Add(since).UnixMilli() && r.Cause == session.Challenge {
			n++
		}
	}
	return n
}

// TestStrippedAuthorization is about a proxy that no longer passes Authorization to some
// routes, while people go on with their sessions on others.
func TestStrippedAuthorization(t *testing.T) {
	broken := 13 * time.Hour
	for name, paths := range map[string][]string{
		"one route":   {"/dav/calendar"},
		"many routes": {"/team1/tools.git/info/refs", "/team1/site.git/info/refs", "/team2/docs.git/info/refs", "/team2/app.git/info/refs"},
	} {
		for _, logged := range []bool{true, false} { // the name on refused lines
			t.Run(fmt.Sprintf("%s/%v", name, logged), func(t *testing.T) {
				w := newWorld(5)
				w.sessionIDs, w.users = true, true
				w.run(40)
				w.basicClients(14, paths, func(at time.Duration, path, user, address string) {
					switch {
					case at < broken:
						w.add(at, "GET", path, user, "", address, "200")
					case logged:
						w.add(at, "GET", path, user, "", address, "401")
					}
				})
				c, findings := w.scan(t, 2)
				f := want(t, findings, "endpoint_misconfigured")[0]
				if off := time.UnixMicro(f.Onset).Sub(day.Add(broken)); off < 0 || off > 20*time.Minute {
					t.Errorf("onset is off by %v", off)
				}
				if n := challengesSince(c, broken+time.Minute); n > 0 {
					t.Errorf("%d refusals are called challenges", n)
				}
				if d := f.Details.(*BrokenEndpoint); d.Proven < 10 || len(paths) > 1 != (d.Routes > 1) {
					t.Errorf("unexpected details %+v", d)
				}
				if len(paths) > 1 && f.Subject.Route != "/team{name}/{name}.git/info/refs" {
					t.Errorf("unexpected route %s", f.Subject.Route)
				}
			})
		}
	}
}

// TestOneWrongPassword checks that a single client with Basic authentication whose
// password was changed is no fault of the route.
func TestOneWrongPassword(t *testing.T) {
	w := newWorld(6)
	w.sessionIDs, w.users = true, true
	w.run(30)
	w.basicClients(14, []string{"/dav/calendar"}, func(at time.Duration, path, user, address string) {
		status := "200"
		if user == "sync3" && at > 12*time.Hour {
			status = "401"
		}
		w.add(at, "GET", path, user, "", address, status)
	})
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Kind == "endpoint_misconfigured" || f.Kind == "session_invalidation" {
			t.Errorf("found %s %+v", f.Kind, f.Subject)
		}
	}
}

// TestDeniedByAccessList is about a folder whose access list refuses users who have
// signed in with two legs, as the server's log states.
func TestDeniedByAccessList(t *testing.T) {
	w := newWorld(7)
	w.users = true
	changed := 11 * time.Hour
	w.basicClients(20, []string{"/plans/a.html", "/plans/b.html", "/wiki/home.html", "/wiki/list.html"}, func(at time.Duration, path, user, address string) {
		w.add(at, "GET", path, "", "", address, "401")
		denied := at >= changed && strings.HasPrefix(path, "/plans/")
		w.add(at, "GET", path, user, "", address, map[bool]string{true: "401", false: "200"}[denied])
		if denied {
			w.requests[len(w.requests)-1].reason = "acl_denied"
		}
	})
	c, findings := w.scan(t, 1)
	f := want(t, findings, "endpoint_misconfigured")[0]
	if d := f.Details.(*BrokenEndpoint); d.Denied != f.Unauthorized || f.Subject.Route != "/plans/{name}.html" {
		t.Errorf("unexpected finding %+v %+v", f.Subject, d)
	}
	for i := range c.Refusals.Len() {
		if r := c.Refusals.At(i); !r.Named && r.Cause != session.Challenge {
			t.Fatalf("a leg is %v", r.Cause)
		}
	}
}

func TestRedirects(t *testing.T) {
	const found = "auth_lost_on_redirect"
	for name, test := range map[string]struct {
		method, from, to string
		calls, clients   int
		want             []string
	}{
		"slash":                {"GET", "/v3/stock", "/v3/stock/", 40, 4, []string{found}},
		"POST becomes GET":     {"POST", "/ingest", "/ingest", 40, 4, []string{found}},
		"version":              {"GET", "/api/v1/stock/list", "/api/v2/stock/list", 40, 4, []string{found}},
		"same path, no scheme": {"GET", "/v3/stock", "/v3/stock", 40, 4, []string{found}},
		"another path":         {"GET", "/", "/v3/stock", 40, 4, nil},
		"crawlers":             {"GET", "/v3/stock", "/v3/stock/", 1, 60, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(8)
			w.run(20)
			for i := range test.clients {
				address := fmt.Sprintf("203.0.113.%d", i)
				w.agents[address] = "poster/1.4"
				for range test.calls {
					at := time.Duration(w.r.Int64N(int64(23 * time.Hour)))
					w.add(at, test.method, test.from, "", "", address, "301")
					w.add(at+time.Second, "GET", test.to, "", "", address, "401")
				}
			}
			for i := range 6 {
				address := fmt.Sprintf("203.0.113.%d", 100+i)
				w.agents[address] = "poster/2.0"
				for range 60 {
					at := time.Duration(w.r.Int64N(int64(23 * time.Hour)))
					w.add(at, test.method, test.to, "", "", address, "200")
				}
			}
			_, findings := w.scan(t, 1)
			var got []string
			for _, f := range findings {
				if f.Kind == found {
					got = append(got, f.Kind)
					if f.Subject.Route != test.to || f.Subject.Method != "GET" || f.Severity < result.Medium {
						t.Errorf("unexpected finding %+v", f.Subject)
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
}

// TestSchemeOfFewRoutes is about the only protected page of a site that links over http lead to,
// and about pages each of which is refused too rarely to show it.
func TestSchemeOfFewRoutes(t *testing.T) {
	for _, routes := range []int{1, 20} {
		w := newWorld(9)
		w.sessionIDs = true
		for i := range 12 {
			address, id := fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("s%d", i)
			for range 25 {
				at := time.Duration(w.r.Int64N(int64(23 * time.Hour)))
				path := fmt.Sprintf("/account/%c", 'a'+w.r.IntN(routes))
				if w.r.IntN(3) == 0 {
					w.add(at, "GET", path, "", "", address, "401")
					w.requests[len(w.requests)-1].scheme = "http"
				}
				w.add(at+4*time.Second, "GET", path, "", id, address, "200")
				w.requests[len(w.requests)-1].scheme = "https"
			}
		}
		_, findings := w.scan(t, 1)
		want(t, findings, "insecure_scheme")
	}
}

// boxUsers adds people who type a password into their browser's box, on the days' pages
// below /stats/. refused is when the password file is lost, 0 for never.
func (w *world) boxUsers(n int, refused time.Duration) {
	for i := range n {
		address, user := fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("desk%d", i)
		for now := 6*time.Hour + time.Duration(w.r.Int64N(int64(time.Hour))); now < 20*time.Hour; now += time.Duration(60+w.r.IntN(90)) * time.Minute {
			at := now
			w.add(at, "GET", "/stats/", "", "", address, "401")
			for range 4 {
				at += time.Duration(3+w.r.IntN(9)) * time.Second
				status := "200"
				if refused > 0 && at >= refused {
					status = "401"
				}
				w.add(at, "GET", "/stats/", user, "", address, status)
			}
		}
	}
}

// TestPasswordFileLost is about a password box that refuses everybody from one time on:
// neither mistyped passwords nor guesses.
func TestPasswordFileLost(t *testing.T) {
	for seed := range trials.Seeds(3) {
		w := newWorld(20 + seed)
		w.sessionIDs, w.users = true, true
		w.run(20)
		lost := 13 * time.Hour
		w.boxUsers(12, lost)
		_, findings := w.scan(t, 1)
		f := want(t, findings, "endpoint_misconfigured")[0]
		if off := time.UnixMicro(f.Onset).Sub(day.Add(lost)); f.Subject.Route != "/stats/" || off < 0 || off > 30*time.Minute {
			t.Errorf("%+v, onset is off by %v", f.Subject, off)
		}
	}
}

// TestNightlyGuessesAtBox checks that guesses at known accounts, by clients that were
// never accepted and at a time when nobody else comes, are no fault of the route.
func TestNightlyGuessesAtBox(t *testing.T) {
	w := newWorld(30)
	w.users = true
	w.boxUsers(12, 0)
	for i := range 30 {
		address := fmt.Sprintf("192.0.2.%d", i)
		for n := range 4 {
			at := 22*time.Hour + time.Duration(w.r.Int64N(int64(time.Hour)))
			w.add(at, "GET", "/stats/", "", "", address, "401")
			w.add(at+time.Second, "GET", "/stats/", fmt.Sprintf("desk%d", (i+n)%12), "", address, "401")
		}
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Kind == "endpoint_misconfigured" {
			t.Errorf("found %+v", f.Subject)
		}
	}
}

// TestAnswersElsewhere is about clients of WebDAV whose answers to challenges are told by
// little: the session id comes with the credentials only, or what they ask for is missing
// and the log does not name them there.
func TestAnswersElsewhere(t *testing.T) {
	paths := []string{"/dav/files/a/", "/dav/files/b/", "/dav/files/b/notes", "/dav/files/c/plans", "/dav/files/d/"}
	for name, answer := range map[string]func(w *world, at time.Duration, path, user, address string){
		"with a session": func(w *world, at time.Duration, path, _, address string) {
			w.add(at, "GET", path, "", "cookie-"+address, address, "200")
		},
		"without a user if it is missing": func(w *world, at time.Duration, path, user, address string) {
			status := "200"
			if w.r.IntN(4) == 0 {
				user, status = "", "404"
			}
			w.add(at, "GET", path, user, "", address, status)
		},
		"while nobody is accepted for hours": func(w *world, at time.Duration, path, _, address string) {
			status := "200"
			if at > 9*time.Hour && at < 17*time.Hour {
				status = "401"
			}
			w.add(at, "GET", path, "", "cookie-"+address, address, status)
		},
	} {
		for seed := range trials.Seeds(1) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(seed)
				w.sessionIDs, w.users = true, true
				w.run(20)
				w.basicClients(12, paths, func(at time.Duration, path, user, address string) { answer(w, at, path, user, address) })
				c, findings := w.scan(t, 1)
				for _, f := range findings {
					if f.Kind != "authentication_outage" {
						t.Errorf("found %s of %+v", f.Kind, f.Subject)
					}
				}
				legs, challenges := 0, 0
				for i := range c.Refusals.Len() {
					r := c.Refusals.At(i)
					hour := time.UnixMilli(r.Time).Sub(day).Hours()
					if strings.HasPrefix(c.State.Endpoints[r.Endpoint].Template, "/dav/") && !r.Session && (hour < 8 || hour > 18) {
						if legs++; r.Cause == session.Challenge {
							challenges++
						}
					}
				}
				if legs < 100 || challenges < legs*95/100 {
					t.Errorf("%d of %d first legs are challenges", challenges, legs)
				}
			})
		}
	}
}
