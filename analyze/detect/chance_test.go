package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/fixtures/trials"
)

// TestRefusalsByChance checks that 401s which are independent of everything are
// nobody's fault: of thousands of users, some are refused in a row by chance alone.
func TestRefusalsByChance(t *testing.T) {
	requests, users := 20_000, 2000
	if trials.All() {
		requests, users = 100_000, 10_000
	}
	for _, v := range []struct {
		name                    string
		users, sessions, pooled bool
		bare                    bool // refused lines name no user
	}{
		{name: "users", users: true},
		{name: "users, but not on refusals", users: true, bare: true},
		{name: "users from anywhere", users: true, pooled: true},
		{name: "users and sessions", users: true, sessions: true},
		{name: "sessions", sessions: true},
		{name: "clients"},
		{name: "few clients", pooled: true},
	} {
		for seed := range trials.Seeds(4) {
			t.Run(fmt.Sprintf("%s/%d", v.name, seed), func(t *testing.T) {
				if testing.Short() {
					t.Skip("the log is large, and nothing in it races that other tests lack")
				}
				t.Parallel()
				w := newWorld(100 + seed)
				share := 0.08 // often enough that some accounts fail four times in a row
				if seed%2 == 1 {
					share = 0.03
				}
				w.users, w.sessionIDs = v.users, v.sessions
				for range requests {
					n := w.r.IntN(users)
					from := n
					if v.pooled {
						from = w.r.IntN(users * 3 / 10)
					}
					user, status := fmt.Sprintf("user%d", n), "200"
					if w.r.Float64() < share {
						if status = "401"; v.bare {
							user = ""
						}
					}
					method, path := "GET", fmt.Sprintf("/app/page%d", min(w.r.IntN(40), w.r.IntN(40)))
					switch w.r.IntN(20) {
					case 0:
						method, path = "POST", "/login"
					case 1:
						method, path = "GET", "/api/items/"+fmt.Sprint(w.r.IntN(1000))
					}
					at := time.Duration(w.r.Int64N(int64(24 * time.Hour)))
					w.add(at, method, path, user, fmt.Sprintf("s%d", n), fmt.Sprintf("10.%d.%d.%d", from>>16, from>>8&255, from&255), status)
				}
				_, findings := w.scan(t, 2)
				want(t, findings)
			})
		}
	}
}

// TestMixtureOnOneRoute checks that a site whose only route refuses everybody at random has
// refusals at random, and one that refuses some users at random has not.
func TestMixtureOnOneRoute(t *testing.T) {
	for refused, want := range map[int]string{1: "intermittent_refusal", 4: ""} { // one in so many users
		t.Run(fmt.Sprint(refused), func(t *testing.T) {
			w := newWorld(7)
			w.sessionIDs, w.users = true, true
			for i := range 40 {
				at, user := 7*time.Hour+w.minutes(480), fmt.Sprintf("user%d", i)
				address := fmt.Sprintf("10.0.0.%d", i)
				w.add(at, "POST", "/login", user, "", address, "302")
				for range 60 {
					at += time.Duration(20+w.r.IntN(60)) * time.Second
					status := "200"
					if i%refused == 0 && w.r.IntN(5) == 0 {
						status = "401"
					}
					w.add(at, "POST", "/graphql", user, "s"+user, address, status)
				}
			}
			_, findings := w.scan(t, 1)
			if want == "" {
				for _, f := range findings {
					if f.Kind == "intermittent_refusal" {
						t.Errorf("found %s", f.Title)
					}
				}
				return
			}
			if len(findings) != 1 || findings[0].Kind != want {
				t.Errorf("found %+v, want %s", findings, want)
			}
		})
	}
}
