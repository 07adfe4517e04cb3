package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestGuessingCrowds is about guesses from many addresses under the names of browsers, none
// of which stands out, and about what looks like them.
func TestGuessingCrowds(t *testing.T) {
	browsers := []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
	}
	address := func(i int) string { return fmt.Sprintf("203.%d.%d.7", i%40, i/40) }
	for name, x := range map[string]struct {
		add  func(w *world)
		want []string
	}{
		"thirty addresses, every hour or so": {func(w *world) {
			for i := range 30 {
				w.agents[address(i)] = browsers[i%3]
				for at := w.minutes(60); at < 24*time.Hour; at += 40*time.Minute + w.minutes(40) {
					w.add(at, "POST", "/login", "", "", address(i), "401")
				}
			}
		}, []string{"brute_force"}},
		"many addresses, once each, all day": {func(w *world) {
			for i := range 900 {
				w.agents[address(i)] = browsers[i%3]
				w.add(w.minutes(1440), "POST", "/login", "", "", address(i), "401")
			}
		}, []string{"brute_force"}},
		"people who forgot their passwords": {func(w *world) {
			for i := range 150 {
				w.agents[address(i)] = browsers[i%3]
				at := w.minutes(1440)
				for _, path := range []string{"/", "/static/app.js", "/help"} {
					w.add(at, "GET", path, "", "", address(i), "200")
				}
				w.add(at+10*time.Second, "POST", "/login", "", "", address(i), "401")
				w.add(at+20*time.Second, "POST", "/login", "", "", address(i), "401")
			}
		}, nil},
		"a fleet of devices that were taken out of service": {func(w *world) {
			for i := range 30 {
				w.agents[address(i)] = fmt.Sprintf("Thermostat/4.1 (unit %d)", i)
				for at := w.minutes(60); at < 24*time.Hour; at += time.Hour + w.minutes(20) {
					w.add(at, "POST", "/login", "", "", address(i), "401")
				}
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(9)
			w.run(60)
			x.add(w)
			_, findings := w.scan(t, 1)
			if x.want != nil {
				want(t, findings, x.want...)
				return
			}
			for _, f := range findings {
				if f.Category == string(AttackCategory) {
					t.Errorf("unexpected finding: %v %s %+v", f.Severity, f.Kind, f.Details)
				}
			}
		})
	}
}

// TestFormsAreNoProbes checks that a browser's name at a form, every hour, is no monitor, and
// that a program is one.
func TestFormsAreNoProbes(t *testing.T) {
	for agent, want := range map[string]int{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0": 0,
		"check_http/v2.3.3 (monitoring-plugins 2.3.3)":                                     1,
	} {
		w := newWorld(15)
		w.run(20)
		w.agents["203.0.113.90"] = agent
		for at := w.minutes(10); at < 24*time.Hour; at += 20 * time.Minute {
			w.add(at, "POST", "/desk/enter", "", "", "203.0.113.90", "401")
		}
		_, findings := w.scan(t, 1)
		n := 0
		for _, f := range findings {
			if f.Kind == unauthenticatedProbe.Name {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d probes, want %d", agent, n, want)
		}
	}
}

// TestCrowdThatGetsIn checks that a crowd is found within an hour in which few others sign in,
// and that its members who get in are told.
func TestCrowdThatGetsIn(t *testing.T) {
	w := newWorld(2)
	for i := range 80 { // people, who sign in all day
		address, at := fmt.Sprintf("198.51.100.%d", i), time.Duration(i)*18*time.Minute
		w.add(at, "POST", "/login", "", "", address, "302")
		for range 20 {
			at += time.Duration(1+w.r.IntN(90)) * time.Second
			w.add(at, "GET", []string{"/app/home", "/app/mail"}[w.r.IntN(2)], "", "", address, "200")
		}
	}
	for i := range 40 {
		address, at := fmt.Sprintf("203.%d.113.7", i), 12*time.Hour+w.minutes(30)
		w.agents[address] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
		for range 6 {
			w.add(at, "POST", "/login", "", "", address, "401")
			at += time.Duration(20+w.r.IntN(200)) * time.Second
		}
		if i%20 == 3 {
			w.add(at, "POST", "/login", "", "", address, "302")
		}
	}
	_, findings := w.scan(t, 1)
	f := want(t, findings, "brute_force")[0]
	if a := f.Details.(*Attack); a.Addresses != 40 || a.Successes != 2 {
		t.Errorf("%d addresses, %d successful: %+v", a.Addresses, a.Successes, f)
	}
}

// TestCrowdAtNight checks that a few addresses are found at an hour at which nobody signs in, if
// they load no page, and that people who do at such an hour are no attack.
func TestCrowdAtNight(t *testing.T) {
	for _, loads := range []bool{false, true} {
		w := newWorld(2)
		for i := range 60 { // people, who sign in by day
			address, at := fmt.Sprintf("198.51.100.%d", i), 8*time.Hour+time.Duration(i)*9*time.Minute
			w.add(at, "GET", "/login", "", "", address, "200")
			w.add(at+9*time.Second, "POST", "/login", "", "", address, "302")
			w.visit(at+10*time.Second, address)
		}
		for i := range 12 {
			address, at := fmt.Sprintf("203.%d.113.7", i), 2*time.Hour+w.minutes(30)
			w.agents[address] = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", 120+i%4, 120+i%4)
			for range 7 {
				if loads {
					w.add(at, "GET", "/login", "", "", address, "200")
				}
				at += time.Duration(9+w.r.IntN(200)) * time.Second
				w.add(at, "POST", "/login", "", "", address, "401")
			}
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			found = found || f.Kind == "brute_force"
		}
		if found == loads {
			t.Errorf("loads %v: %+v", loads, findings)
		}
	}
}
