package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestVersionThatDoesNotRenew is about versions of an application whose tokens expire: those that
// work renew them, one makes its people sign in. Who comes back so seldom that nothing can be
// renewed shows nothing.
func TestVersionThatDoesNotRenew(t *testing.T) {
	for name, x := range map[string]struct {
		want  string
		signs func(w *world, version int, away time.Duration) bool // in again
		away  func(w *world, version int) time.Duration
	}{
		"never renews": {"FieldApp/7.2.0", func(_ *world, version int, _ time.Duration) bool { return version == 2 }, func(w *world, _ int) time.Duration { return w.minutes(120) }},
		"all renew":    {"", func(*world, int, time.Duration) bool { return false }, func(w *world, _ int) time.Duration { return w.minutes(120) }},
		"all now and then": {"", func(w *world, _ int, _ time.Duration) bool { return w.r.IntN(4) == 0 },
			func(w *world, _ int) time.Duration { return w.minutes(120) }},
		"rarely used": {"", func(_ *world, _ int, away time.Duration) bool { return away > 3*time.Hour }, func(w *world, version int) time.Duration {
			if version == 2 {
				return 200*time.Minute + w.minutes(60)
			}
			return w.minutes(120)
		}},
	} {
		for _, sessions := range []bool{true, false} {
			t.Run(fmt.Sprint(name, sessions), func(t *testing.T) {
				t.Parallel()
				w := everyday(2)
				for i := range 45 {
					version, address, session := i%3, fmt.Sprintf("198.51.100.%d", i), ""
					w.agents[address] = fmt.Sprintf("FieldApp/7.%d.0 (Android 14; Scale/2.0)", version)
					if sessions {
						session = fmt.Sprintf("field%d", i)
					}
					at, away := 5*time.Hour+w.minutes(60), time.Duration(0)
					w.add(at-time.Second, "POST", "/login", "", session, address, "200")
					for token := at; at < 21*time.Hour; at += time.Duration(20+w.r.IntN(200)) * time.Second {
						path := "/api/field/" + []string{"orders", "stock", "tours", "notes"}[w.r.IntN(4)]
						if at-token > 30*time.Minute {
							w.add(at, "GET", path, "", session, address, "401")
							if x.signs(w, version, away) {
								at += 20 * time.Second
								w.add(at, "POST", "/login", "", session, address, "200")
							} else {
								w.add(at, "POST", "/auth/refresh", "", session, address, "200")
							}
							at += time.Second
							token = at
						}
						w.add(at, "GET", path, "", session, address, "200")
						if away = 0; w.r.IntN(15) == 0 {
							away = x.away(w, version)
							at += away
						}
					}
				}
				_, findings := w.scan(t, 1)
				got := ""
				for _, f := range findings {
					if f.Kind == "client_software_failure" {
						if got += f.Subject.UserAgent; !f.Details.(*FailingSoftware).Unrenewed {
							t.Errorf("details %+v", f.Details)
						}
					}
				}
				if got != x.want {
					t.Errorf("found %q, want %q", got, x.want)
				}
			})
		}
	}
}
