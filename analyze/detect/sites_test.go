package detect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestPolicyOfSeveralHosts checks that hosts which share sessions have one policy, told
// for the host at which the sessions begin, and that an office behind one address does
// not hide it.
func TestPolicyOfSeveralHosts(t *testing.T) {
	w := newWorld(7)
	w.sessionIDs, w.users, w.idle = true, true, 20*time.Minute
	w.run(60)
	w.hosts = map[string]string{"/api/": "calls.example.org"}
	_, findings := w.scan(t, 2)
	found := slices.DeleteFunc(findings, func(f result.Finding) bool { return f.Kind != "session_expiry" })
	if len(found) != 1 || found[0].Subject.Host != "www.example.org" || len(found[0].Details.(*Expiry).Hosts) != 2 {
		t.Fatalf("want one policy of two hosts, got %+v", found)
	}
	if at := float64(found[0].Details.(*Expiry).Timeout); at < 1100 || at > 1300 {
		t.Errorf("timeout of %v s", at)
	}
}

// TestTimersAreNotRandom checks that tokens which expire every few minutes, and are
// renewed at a host that is not logged, are no refusals at random.
func TestTimersAreNotRandom(t *testing.T) {
	for _, timer := range []bool{true, false} {
		w := newWorld(9)
		w.sessionIDs, w.users = true, true
		for i := range 40 {
			user, id, address := fmt.Sprint("app", i), fmt.Sprint("k", i), fmt.Sprintf("198.51.100.%d", i)
			w.add(w.minutes(60), "POST", "/login", user, "", address, "302")
			renewed := time.Duration(0)
			for now := time.Hour + w.minutes(60); now < 20*time.Hour; now += 15*time.Second + w.minutes(6) {
				for range 3 {
					path := []string{"/api/orders", "/api/items", "/api/mail", "/api/notes"}[w.r.IntN(4)]
					status := "200"
					if timer && now-renewed > 5*time.Minute || !timer && w.r.IntN(4) == 0 {
						status = "401"
					}
					w.add(now, "GET", path, user, id, address, status)
				}
				if now-renewed > 5*time.Minute {
					renewed = now
				}
			}
		}
		w.noise()
		_, findings := w.scan(t, 2)
		found := slices.ContainsFunc(findings, func(f result.Finding) bool { return f.Kind == "intermittent_refusal" })
		if found == timer {
			t.Errorf("timer %v: intermittent_refusal %v", timer, found)
		}
	}
}

// TestSessionsEndAtRandom checks that sessions which any request may end are refusals at
// random, also where connections are kept alive for a minute, and not those which a timeout
// ends, or the age of tokens that are renewed.
func TestSessionsEndAtRandom(t *testing.T) {
	for name, tt := range map[string]struct {
		want bool
		ends func(r *rand.Rand, pause, age time.Duration) bool
	}{
		"two processes":  {true, func(r *rand.Rand, pause, _ time.Duration) bool { return pause > time.Minute && r.IntN(2) == 0 }},
		"four processes": {true, func(r *rand.Rand, pause, _ time.Duration) bool { return pause > time.Minute && r.IntN(4) > 0 }},
		"any request":    {true, func(r *rand.Rand, _, _ time.Duration) bool { return r.IntN(3) == 0 }},
		"timeout":        {false, func(_ *rand.Rand, pause, _ time.Duration) bool { return pause > 4*time.Minute }},
		"longer, likelier": {false, func(r *rand.Rand, pause, _ time.Duration) bool {
			return r.Float64() < 0.15*pause.Minutes()/4
		}},
		"age": {false, func(_ *rand.Rand, pause, age time.Duration) bool {
			return pause > 2*time.Minute && age > 15*time.Minute
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(11)
			for i := range 25 {
				address := fmt.Sprintf("198.51.100.%d", i)
				signedIn := false
				var since time.Duration
				for now := 8*time.Hour + w.minutes(60); now < 17*time.Hour; {
					if !signedIn {
						w.add(now, "POST", "/login", "", "", address, "200")
						signedIn, since = true, now
						now += 2 * time.Second
						w.add(now, "GET", "/api/me", "", "", address, "200")
					}
					pause := time.Duration(math.Exp(4.6+0.9*w.r.NormFloat64())) * time.Second
					if w.r.IntN(12) == 0 {
						pause = 15*time.Minute + w.minutes(60)
					}
					now += pause
					status := "200"
					if tt.ends(w.r, pause, now-since) {
						status, signedIn = "401", false
					}
					for range 1 + w.r.IntN(2) {
						w.add(now, "GET", []string{"/api/orders", "/api/items", "/api/mail"}[w.r.IntN(3)], "", "", address, status)
					}
					if !signedIn {
						now += time.Duration(5+w.r.IntN(20)) * time.Second
					}
				}
			}
			w.noise()
			_, findings := w.scan(t, 2)
			random := slices.ContainsFunc(findings, func(f result.Finding) bool { return f.Kind == "intermittent_refusal" })
			timeout := slices.ContainsFunc(findings, func(f result.Finding) bool { return f.Kind == "session_expiry" })
			if random != tt.want || random && timeout {
				t.Errorf("intermittent_refusal %v, session_expiry %v", random, timeout)
			}
		})
	}
}

// TestRenewedInVain checks that new tokens which one of two processes refuses are refusals at
// random, and not those that a route refuses whoever asks, nor calls of a page that are refused
// while it renews its token.
func TestRenewedInVain(t *testing.T) {
	for name, tt := range map[string]struct {
		want    bool
		refuses func(r *rand.Rand, path string) bool // the new token
	}{
		"two processes": {true, func(r *rand.Rand, _ string) bool { return r.IntN(2) == 0 }},
		"broken route":  {false, func(_ *rand.Rand, path string) bool { return path == "/api/mail" }},
		"no trouble":    {false, func(*rand.Rand, string) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(12)
			for i := range 25 {
				address := fmt.Sprintf("198.51.100.%d", i)
				now := 8*time.Hour + w.minutes(60)
				w.add(now, "POST", "/login", "", "", address, "200")
				for issued := now; now < 17*time.Hour; now += 20*time.Second + w.minutes(8) {
					path := []string{"/api/orders", "/api/items", "/api/mail"}[w.r.IntN(3)]
					expired := now-issued > 15*time.Minute
					if !expired && !tt.refuses(w.r, path) {
						w.add(now, "GET", path, "", "", address, "200")
						continue
					}
					w.add(now, "GET", path, "", "", address, "401")
					if w.r.IntN(4) == 0 {
						w.add(now, "GET", "/api/notes", "", "", address, "401")
					}
					w.add(now, "POST", "/auth/refresh", "", "", address, "200")
					issued = now
					status := "200"
					if tt.refuses(w.r, path) {
						status = "401"
					}
					w.add(now+time.Second, "GET", path, "", "", address, status)
				}
			}
			w.noise()
			_, findings := w.scan(t, 2)
			if slices.ContainsFunc(findings, func(f result.Finding) bool { return f.Kind == "intermittent_refusal" }) != tt.want {
				t.Errorf("found %+v", findings)
			}
		})
	}
}

// TestRouteClosedBesideAnother checks that a route which refuses everybody all day is
// found, although another route of its host is in trouble as well.
func TestRouteClosedBesideAnother(t *testing.T) {
	for _, named := range []bool{true, false} {
		w := newWorld(3)
		w.sessionIDs, w.users = named, named
		w.broken, w.brokenFrom = "/app/mail", 13*time.Hour
		w.run(40)
		for i := range w.requests {
			if r := &w.requests[i]; r.path == "/api/items" {
				r.status = "401"
			}
		}
		_, findings := w.scan(t, 2)
		for _, route := range []string{"/api/items", "/app/mail"} {
			if !slices.ContainsFunc(findings, func(f result.Finding) bool {
				return f.Kind == "endpoint_misconfigured" && strings.HasPrefix(f.Subject.Route, route)
			}) {
				t.Errorf("named %v: %s is not found: %+v", named, route, findings)
			}
		}
	}
}

// TestGuessesAtBoxNobodyUses checks that guesses at a page behind HTTP authentication
// are found if nobody else requests the page, or if they come too fast for the clock.
func TestGuessesAtBoxNobodyUses(t *testing.T) {
	for name, gap := range map[string]time.Duration{"slow": 15 * time.Second, "fast": 200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(5)
			w.users = true
			w.basicClients(12, []string{"/team/a", "/team/b"}, func(at time.Duration, path, user, address string) {
				w.add(at, "GET", path, user, "", address, "200")
			})
			at := 9 * time.Hour
			for range 120 {
				w.add(at, "GET", "/team/start", "", "", "203.0.113.99", "401")
				at += time.Duration(w.r.ExpFloat64() * float64(gap))
			}
			_, findings := w.scan(t, 1)
			if f := want(t, findings, "brute_force")[0]; f.Subject.ClientAddress != "203.0.113.99" {
				t.Errorf("found %+v", f.Subject)
			}
		})
	}
}

// TestRenewalsOfEndedSessions checks that refused renewals after all sessions have ended
// are neither an outage nor a fault of the route.
func TestRenewalsOfEndedSessions(t *testing.T) {
	w := newWorld(4)
	w.sessionIDs, w.users = true, true
	instant := 13 * time.Hour
	for i := range 80 {
		user, address := fmt.Sprint("app", i), fmt.Sprintf("198.51.100.%d", i)
		id, ended := fmt.Sprint("k", i), false
		w.add(w.minutes(60), "POST", "/login", user, "", address, "302")
		for now := time.Hour + w.minutes(60); now < 22*time.Hour; now += 2*time.Minute + w.minutes(20) {
			if now > instant && !ended {
				ended = true
				w.add(now, "GET", "/api/orders", user, id, address, "401")
				w.add(now+time.Second, "POST", "/auth/refresh", "", id, address, "401")
				w.add(now+20*time.Second, "POST", "/login", user, "", address, "302")
				id += "b"
				continue
			}
			if w.r.IntN(4) == 0 {
				w.add(now, "POST", "/auth/refresh", user, id, address, "200")
			}
			for range 3 {
				w.add(now+2*time.Second, "GET", []string{"/api/orders", "/api/items", "/api/mail"}[w.r.IntN(3)], user, id, address, "200")
			}
		}
	}
	w.noise()
	_, findings := w.scan(t, 2)
	for _, f := range findings {
		if f.Severity >= result.Medium && f.Kind != "session_invalidation" {
			t.Errorf("%s %+v %+v", f.Kind, f.Subject, f.Details)
		}
	}
	want(t, findings, "session_invalidation")
}

// TestBackendClientsStickTo checks that a backend which refuses its clients from a time
// on is found, although no client comes to another one.
func TestBackendClientsStickTo(t *testing.T) {
	for _, bad := range []bool{true, false} {
		w := newWorld(8)
		w.sessionIDs, w.users = true, true
		w.run(120)
		backend := func(r *request) int { return int(r.address[len(r.address)-1]-'0') % 3 }
		w.upstream = func(r *request) string { return fmt.Sprintf("10.9.0.%d:80", backend(r)) }
		if bad {
			w.refuse(12*time.Hour, 24*time.Hour, func(r *request) bool { return backend(r) == 1 && strings.HasPrefix(r.path, "/a") })
		}
		_, findings := w.scan(t, 2)
		found := slices.ContainsFunc(findings, func(f result.Finding) bool { return f.Subject.Upstream == "10.9.0.1:80" })
		if found != bad {
			t.Errorf("bad %v: %+v", bad, findings)
		}
	}
}
