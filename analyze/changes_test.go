package analyze

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestWhatChanged checks which finding a change of one route, program or password makes, on a
// site that is otherwise as before.
func TestWhatChanged(t *testing.T) {
	var r *rand.Rand // a new one for each case
	later := func(mean time.Duration) time.Duration { return time.Duration(r.ExpFloat64() * float64(mean)) }
	status := func(at, from, to time.Duration, accepted int) int {
		if at >= from && at < to {
			return 401
		}
		return accepted
	}
	// basic appends people whose programs send a password with each request.
	basic := func(w *written, agent string, failing int) {
		for i := range 20 {
			user, client := fmt.Sprintf("user%d", i), fmt.Sprintf("198.51.100.%d", i)
			for at := 7*time.Hour + later(time.Hour); at < 22*time.Hour; at += 15*time.Minute + later(2*time.Minute) {
				code := 207
				if i == failing {
					code = status(at, 14*time.Hour, 24*time.Hour, 207)
				}
				w.at(at, client, user, fmt.Sprintf("PROPFIND /cal/%s/", user), code, agent)
				if code == 207 {
					w.at(at+time.Second, client, user, fmt.Sprintf("REPORT /cal/%s/%c/", user, 'a'+r.IntN(12)), 207, agent)
				}
			}
		}
	}
	// shop appends people who sign in at a form, and use pages and one more route.
	shop := func(w *written, from time.Duration, accepted int, uses ...string) {
		for i := range 40 {
			client, at := fmt.Sprintf("198.51.100.%d", i), 6*time.Hour+later(time.Hour)
			for at < 20*time.Hour {
				w.at(at, client, "-", "GET /account", 401, "Firefox")
				w.at(at+20*time.Second, client, "-", "POST /login", 200, "Firefox")
				for range 6 {
					at += 30*time.Second + later(time.Minute)
					w.at(at, client, "-", "GET /account", 200, "Firefox")
					w.at(at+5*time.Second, client, "-", uses[r.IntN(len(uses))], status(at, from, 24*time.Hour, accepted), "Firefox")
				}
				w.at(at+time.Minute, client, "-", "POST /logout", 200, "Firefox")
				at += 2*time.Hour + later(time.Hour)
			}
		}
	}
	for name, c := range map[string]struct {
		add  func(w *written)
		want string
	}{
		"a program of somebody who works there has an old password": {func(w *written) {
			basic(w, "Sync/4", -1)
			for at := 10 * time.Hour; at < 17*time.Hour; at += 5*time.Minute + later(2*time.Second) {
				w.at(at, "198.51.100.3", "-", "PROPFIND /cal/user3/", 401, "Desk/1")
				w.at(at, "198.51.100.3", "user3", "PROPFIND /cal/user3/", 401, "Desk/1")
			}
		}, "unauthenticated_probe"},
		"nobody is known where a program has a wrong password": {func(w *written) {
			basic(w, "Sync/4", -1)
			for at := 10 * time.Hour; at < 17*time.Hour; at += 5*time.Minute + later(2*time.Second) {
				w.at(at, "203.0.113.8", "user3", "PROPFIND /cal/user3/", 401, "Desk/1")
			}
		}, "brute_force"},
		"one of many who use an app has changed the password": {func(w *written) { basic(w, "Sync/4", 5) }, "integration_failure"},
		"a sender of events is refused for hours": {func(w *written) {
			w.visitors(20)
			for at := time.Duration(0); at < 23*time.Hour; at += later(time.Minute) {
				w.at(at, fmt.Sprintf("203.0.113.%d", r.IntN(3)), "-", "POST /hooks/build", status(at, 9*time.Hour, 13*time.Hour, 200), "Hookshot/8d")
			}
		}, "integration_failure"},
		"a form that answers with a redirect":           {func(w *written) { shop(w, 13*time.Hour, 303, "POST /pay/return") }, "endpoint_misconfigured"},
		"a route with two methods, and all others work": {func(w *written) { shop(w, 13*time.Hour, 200, "GET /wishes", "POST /wishes") }, "endpoint_misconfigured"},
	} {
		t.Run(name, func(t *testing.T) {
			var w written
			r = rand.New(rand.NewPCG(7, 7))
			c.add(&w)
			for _, f := range w.run(t).Findings {
				if f.Kind != c.want {
					t.Errorf("found %s of %+v", f.Kind, f.Subject)
				}
				c.want = f.Kind
				name = ""
			}
			if name != "" {
				t.Errorf("found nothing, want %s", c.want)
			}
		})
	}
}
