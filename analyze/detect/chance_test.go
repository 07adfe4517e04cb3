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
