package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
)

// botnet adds guesses from many addresses, with one user agent, of which one in lucky gets
// in. name returns the account that a line names.
func (w *world) botnet(addresses, each, lucky int, agent, path string, name func() string) {
	for i := range addresses {
		address := fmt.Sprintf("203.0.%d.%d", i, 7)
		w.agents[address] = agent
		for range each {
			status := "401"
			if w.r.IntN(lucky) == 0 {
				status = "200"
			}
			w.add(9*time.Hour+w.minutes(240), "POST", path, name(), "", address, status)
		}
	}
}

// TestToolFromManyAddresses is about attacks from many addresses with a few tries from each,
// which the user agent holds together, and about what looks like them.
func TestToolFromManyAddresses(t *testing.T) {
	const tool = "python-requests/2.32.3"
	nobody := func() string { return "" }
	n := 0
	everybody := func() string { n++; return fmt.Sprintf("leak%d", n) }
	for name, x := range map[string]struct {
		users bool
		add   func(w *world)
		want  []string
	}{
		"without names": {false, func(w *world) {
			w.botnet(30, 12, 1000, tool, "/login", nobody)
		}, []string{"brute_force"}},
		"without names, of a browser": {false, func(w *world) {
			w.botnet(60, 8, 1000, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "/login", nobody)
		}, []string{"brute_force"}},
		"at a route where hardly anybody signs in": {false, func(w *world) {
			for i := range 12 {
				w.add(w.minutes(1400), "POST", "/desk/door", "", "", fmt.Sprintf("10.0.0.%d", i), "204")
			}
			w.botnet(40, 12, 60, tool, "/desk/door", nobody)
		}, []string{"brute_force"}},
		"a name each, once or twice from an address": {true, func(w *world) {
			w.botnet(150, 2, 50, tool, "/login", everybody)
		}, []string{"credential_stuffing"}},
		"few names, several times each": {true, func(w *world) {
			w.botnet(90, 5, 1000, tool, "/login", func() string { return fmt.Sprintf("staff%d", w.r.IntN(70)) })
		}, []string{"password_spraying"}},
		"people whose app cannot sign in": {true, func(w *world) {
			for i := range 90 {
				address, at := fmt.Sprintf("203.0.%d.%d", i/2, 7+i%2*w.r.IntN(2)), 9*time.Hour+w.minutes(240)
				w.agents[address] = tool
				for range 3 {
					at += 20 * time.Second
					w.add(at, "POST", "/login", fmt.Sprintf("staff%d", i), "", address, "401")
				}
			}
		}, nil},
		"people who mistype": {false, func(w *world) {
			for i := range 90 {
				address, at := fmt.Sprintf("203.0.%d.%d", i, 7), 9*time.Hour+w.minutes(400)
				w.agents[address] = tool
				w.add(at, "POST", "/login", "", "", address, "401")
				w.add(at+10*time.Second, "POST", "/login", "", "", address, "302")
			}
		}, nil},
		"people who cannot sign in with an old app, and give up": {false, func(w *world) {
			for i := range 60 {
				address, at := fmt.Sprintf("203.0.%d.%d", i, 7), 9*time.Hour+w.minutes(400)
				w.agents[address] = tool
				for try := range 2 + w.r.IntN(2) {
					w.add(at+time.Duration(try)*20*time.Second, "POST", "/login", "", "", address, "401")
				}
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(3)
			w.users = x.users
			w.run(40)
			x.add(w)
			_, findings := w.scan(t, 1)
			attacks := map[string]result.Finding{}
			for _, f := range findings {
				switch f.Category {
				case string(AttackCategory):
					attacks[f.Kind] = f
				case string(SessionCategory), string(EndpointCategory), string(ClientCategory):
					t.Errorf("found %s of %+v", f.Kind, f.Subject)
				}
			}
			if len(attacks) != len(x.want) {
				t.Fatalf("found %+v", findings)
			}
			for _, kind := range x.want {
				f := attacks[kind]
				if f.Subject.Type != "site" || f.Severity < result.Medium {
					t.Errorf("found %s of %+v, %v", f.Kind, f.Subject, f.Severity)
				}
			}
		})
	}
}

// TestOwnerWithTheAgentOfAnAttack checks that somebody who has the browser that an attack names,
// mistypes once hours after it and gets in, is not taken for a break-in.
func TestOwnerWithTheAgentOfAnAttack(t *testing.T) {
	const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
	for _, names := range []bool{true, false} {
		w := newWorld(3)
		w.users = names
		w.run(40)
		n, each, owner := 0, 8, ""
		if names {
			each, owner = 1, "owner"
		}
		w.botnet(150, each, 1<<30, browser, "/login", func() string {
			if n++; names {
				return fmt.Sprintf("leak%d", n)
			}
			return ""
		})
		w.agents["198.51.100.9"] = browser
		w.add(20*time.Hour-9*time.Second, "GET", "/login", "", "", "198.51.100.9", "200")
		w.add(20*time.Hour, "POST", "/login", owner, "", "198.51.100.9", "401")
		w.add(20*time.Hour+15*time.Second, "POST", "/login", owner, "", "198.51.100.9", "200")
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			if a, ok := f.Details.(*Attack); ok {
				found = true
				if a.Successes > 0 || a.Addresses > 150 {
					t.Errorf("names %v: %s opened %v, from %d addresses", names, f.Kind, a.Compromised, a.Addresses)
				}
			}
		}
		if !found {
			t.Errorf("names %v: found %+v", names, findings)
		}
	}
}

// TestByTools checks what tells programs that guess from people who meet an outage.
func TestByTools(t *testing.T) {
	for name, x := range map[string]struct {
		agent func(i int) string
		after string // status of the same clients' requests at other times
		path  string
		want  bool
	}{
		"one program at a sign-in":                  {func(int) string { return "okhttp/4.0" }, "", "/login", true},
		"one program elsewhere":                     {func(int) string { return "okhttp/4.0" }, "", "/report", true},
		"the app of the site's people, elsewhere":   {func(int) string { return "okhttp/4.0" }, "200", "/report", false},
		"many programs at a sign-in":                {func(i int) string { return fmt.Sprintf("Client/%d", i) }, "", "/login", false},
		"what nearly everybody who is accepted has": {func(int) string { return "Mozilla/5.0" }, "", "/login", false},
	} {
		w := newWorld(5)
		w.run(20)
		for i := range 20 {
			address := fmt.Sprintf("203.0.113.%d", i)
			w.agents[address] = x.agent(i)
			for range 4 {
				if x.after != "" {
					w.add(w.minutes(500), "GET", "/app/home", "", "", address, x.after)
				}
				w.add(12*time.Hour+w.minutes(30), "POST", x.path, "", "", address, "401")
			}
		}
		c, _ := w.scan(t, 1)
		d := &Diagnosis{Evidence: c}
		got := d.byTools(func(yield func(uint32) bool) {
			for i := range d.Refusals.Len() {
				if strings.HasPrefix(d.State.Addresses[d.Refusals.At(i).Address], "203.0.113.") && !yield(uint32(i)) {
					return
				}
			}
		})
		if got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestProbeIsNoFlood checks that requests at random times, of which those close together are
// put together to rounds, have no pace.
func TestProbeIsNoFlood(t *testing.T) {
	for _, steady := range []bool{true, false} {
		w := newWorld(7)
		w.run(20)
		for at := 9 * time.Hour; at < 10*time.Hour; {
			w.add(at, "GET", "/report", "", "", "203.0.113.9", "401")
			if steady {
				at += 6 * time.Second
			} else {
				at += time.Duration(w.r.ExpFloat64() * 2.3 * float64(time.Second))
			}
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			found = found || f.Kind == "unauthenticated_probe"
		}
		if found != steady {
			t.Errorf("steady %v: %+v", steady, findings)
		}
	}
}
