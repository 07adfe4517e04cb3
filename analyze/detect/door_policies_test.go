package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestPolicyOfEachSignIn checks that two ways to sign in have a timeout each, where one log
// without sessions and hosts has both, and that sessions which end at any time have none.
func TestPolicyOfEachSignIn(t *testing.T) {
	for name, x := range map[string]struct {
		ends func(w *world, door int, idle, age time.Duration) bool
		want map[string]string // policy by route of the sign-in
	}{
		"idle and age": {func(_ *world, door int, idle, age time.Duration) bool {
			return door == 0 && idle > 8*time.Minute || door == 1 && age > 75*time.Minute
		}, map[string]string{"/login": "idle", "/app/enter": "absolute"}},
		"one of the two": {func(w *world, door int, idle, age time.Duration) bool {
			return door == 0 && idle > 8*time.Minute || door == 1 && w.r.IntN(25) == 0
		}, map[string]string{"/login": "idle"}},
		"none": {func(w *world, _ int, _, _ time.Duration) bool { return w.r.IntN(25) == 0 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(4)
			for i := range 120 {
				door := i % 2
				path := []string{"/login", "/app/enter"}[door]
				address := fmt.Sprintf("198.51.%d.7", i)
				begin := 6*time.Hour + w.minutes(120)
				signIn := begin
				w.add(signIn, "POST", path, "", "", address, "302")
				for last := begin; last < 18*time.Hour; {
					gap := time.Duration(5+w.r.IntN(120)) * time.Second
					if w.r.IntN(6) == 0 {
						gap = w.minutes(20)
					}
					at := last + gap
					if x.ends(w, door, gap, at-signIn) {
						w.add(at, "GET", "/app/home", "", "", address, "401")
						at += 20 * time.Second
						signIn = at
						w.add(at, "POST", path, "", "", address, "302")
						at += time.Second
					}
					w.add(at, "GET", "/app/home", "", "", address, "200")
					last = at
				}
			}
			_, findings := w.scan(t, 1)
			got := map[string]string{}
			for _, f := range findings {
				if e, ok := f.Details.(*Expiry); ok {
					got[f.Subject.Route] = e.Policy
				}
			}
			if len(got) != len(x.want) {
				t.Errorf("found %v, want %v", got, x.want)
			}
			for route, policy := range x.want {
				if got[route] != policy {
					t.Errorf("%s: %q, want %q", route, got[route], policy)
				}
			}
		})
	}
}
