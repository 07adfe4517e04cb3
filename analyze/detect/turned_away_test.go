package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestTurnedAway is about an intranet where browsers answer challenges: from a time on, a part of
// them does not get in. Strangers who look in, and programs that come back again and again, do not
// count.
func TestTurnedAway(t *testing.T) {
	const onset = 11 * time.Hour
	for name, x := range map[string]struct {
		address string // of those turned away
		agent   string // theirs, "" for that of the others
		tries   int
		want    bool
	}{
		"Kerberos fails":          {"10.9.%d.7", "", 4, true},
		"from outside":            {"203.0.%d.7", "", 4, false},
		"once each":               {"10.9.%d.7", "", 1, false},
		"a program without a key": {"10.9.%d.7", "linkcheck/1.0", 4, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			w.users = true
			for i := range 120 {
				address, at := fmt.Sprintf("10.8.%d.7", i), 7*time.Hour+w.minutes(600)
				away := at > onset && i%2 == 0
				if away {
					if address = fmt.Sprintf(x.address, i); x.agent != "" {
						w.agents[address] = x.agent
					}
				}
				for n := range 6 {
					path := fmt.Sprintf("/news/%c", 'a'+w.r.IntN(8))
					if away && n >= x.tries {
						break
					}
					w.add(at, "GET", path, "", "", address, "401")
					if !away {
						w.add(at+time.Second, "GET", path, fmt.Sprint("u", i), "", address, "200")
					}
					at += time.Duration(70+w.r.IntN(120)) * time.Second
				}
			}
			_, findings := w.scan(t, 1)
			found := false
			for _, f := range findings {
				if o, ok := f.Details.(*Outage); ok && f.Severity >= result.Medium {
					found = true
					if at := time.UnixMicro(f.Onset).Sub(day); !o.Network || !o.Part || at < onset || at > onset+time.Hour {
						t.Errorf("from %v: %+v", at, o)
					}
				}
			}
			if found != x.want {
				t.Errorf("found %v, want %v: %+v", found, x.want, findings)
			}
		})
	}
}

// TestVainRoutes is about programs that renew their token after a refusal: where one route refuses
// the new ones for minutes at a time, another time of each program, it is at fault.
func TestVainRoutes(t *testing.T) {
	for name, x := range map[string]struct {
		refuses func(w *world, route string, now time.Duration) bool
		want    string
	}{
		"stored answers": {func(_ *world, route string, now time.Duration) bool {
			return route == "/api/config" && now%(40*time.Minute) < 6*time.Minute
		}, "/api/config"},
		"nothing": {func(*world, string, time.Duration) bool { return false }, ""},
		"chance":  {func(w *world, _ string, _ time.Duration) bool { return w.r.IntN(100) == 0 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(4)
			routes := []string{"/api/config", "/api/orders", "/api/items", "/api/notes"}
			for i := range 40 {
				address, at := fmt.Sprintf("203.0.113.%d", i), 7*time.Hour+w.minutes(90)
				w.add(at, "POST", "/login", "", "", address, "200")
				for token := at; at < 18*time.Hour; at += time.Duration(5+w.r.IntN(50)) * time.Second {
					route := routes[w.r.IntN(len(routes))]
					if bad := x.refuses(w, route, at+time.Duration(i)*7*time.Minute); bad || at-token > 10*time.Minute {
						w.add(at, "GET", route, "", "", address, "401")
						at += time.Second
						w.add(at, "POST", "/auth/refresh", "", "", address, "200")
						token = at
						at += time.Second
						if bad {
							w.add(at, "GET", route, "", "", address, "401")
							continue
						}
					}
					w.add(at, "GET", route, "", "", address, "200")
					if w.r.IntN(120) == 0 {
						at += w.minutes(100)
					}
				}
			}
			_, findings := w.scan(t, 1)
			got := ""
			for _, f := range findings {
				if b, ok := f.Details.(*BrokenEndpoint); ok {
					if got += f.Subject.Route; b.Vain == 0 || b.Accepted == 0 {
						t.Errorf("details %+v", b)
					}
				}
			}
			if got != x.want {
				t.Errorf("found %q, want %q: %+v", got, x.want, findings)
			}
		})
	}
}
