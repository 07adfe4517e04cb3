package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestTimeoutOfOneSoftware checks that a timeout of the sessions of one application is found
// among those of others, which have none, whether the log names sessions or not.
func TestTimeoutOfOneSoftware(t *testing.T) {
	never := func(*world, time.Duration, time.Duration) bool { return false }
	atRandom := func(w *world, _, _ time.Duration) bool { return w.r.IntN(60) == 0 }
	for name, x := range map[string]struct {
		sessions    bool
		app, others func(w *world, idle, age time.Duration) bool
		policy      string // "" for none
	}{
		"age":               {true, func(_ *world, _, age time.Duration) bool { return age > 25*time.Minute }, never, "absolute"},
		"age, no sessions":  {false, func(_ *world, _, age time.Duration) bool { return age > 25*time.Minute }, never, "absolute"},
		"idle":              {true, func(_ *world, idle, _ time.Duration) bool { return idle > 7*time.Minute }, atRandom, "idle"},
		"ends at random":    {true, atRandom, never, ""},
		"nothing but noise": {true, atRandom, atRandom, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(6)
			w.sessionIDs = x.sessions
			for i := range 90 {
				address, ends := fmt.Sprintf("198.51.%d.9", i), x.others
				if i%6 == 0 {
					w.agents[address] = fmt.Sprintf("Ledger/2.%d (iPhone; iOS 18.%d)", i%2, i%3)
					ends = x.app
				}
				at, n := 7*time.Hour+w.minutes(60), 0
				for at < 17*time.Hour {
					n++
					id, began, last := fmt.Sprintf("k%d-%d", i, n), at, at
					w.add(at, "POST", "/login", "", "", address, "302")
					for at += time.Second; at < 17*time.Hour; at += time.Duration(10+w.r.IntN(100)) * time.Second {
						if w.r.IntN(25) == 0 {
							at += w.minutes(15)
						}
						if ends(w, at-last, at-began) {
							w.add(at, "GET", "/books", "", id, address, "401")
							at += 10 * time.Second
							break
						}
						w.add(at, "GET", "/books", "", id, address, "200")
						last = at
					}
				}
			}
			_, findings := w.scan(t, 1)
			got := ""
			for _, f := range findings {
				if e, ok := f.Details.(*Expiry); ok {
					if got += e.Policy; f.Subject.UserAgent != "Ledger" {
						t.Errorf("the timeout is of %+v", f.Subject)
					}
				}
			}
			if got != x.policy {
				t.Errorf("found %q, want %q: %v", got, x.policy, findings)
			}
		})
	}
}

// TestTimeoutOverNight checks that a timeout after half a day without a request is no trouble.
func TestTimeoutOverNight(t *testing.T) {
	w := newWorld(7)
	w.sessionIDs = true
	for i := range 40 {
		address := fmt.Sprintf("198.51.%d.9", i)
		for d := range 4 {
			at := time.Duration(d)*24*time.Hour + 8*time.Hour + w.minutes(60)
			if d > 0 {
				w.add(at, "GET", "/board", "", fmt.Sprintf("b%d-%d", i, d-1), address, "401")
			}
			w.add(at+9*time.Second, "POST", "/login", "", "", address, "302")
			for range 25 {
				at += 10*time.Second + w.minutes(30)
				w.add(at, "GET", "/board", "", fmt.Sprintf("b%d-%d", i, d), address, "200")
			}
		}
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Severity > result.Info {
			t.Errorf("unexpected finding: %v %s %+v", f.Severity, f.Kind, f.Details)
		}
	}
}

// TestFirmwareWhoseTokensEnd checks that one version of a fleet that does not renew its tokens
// is one trouble, with those of its devices whose tokens end first.
func TestFirmwareWhoseTokensEnd(t *testing.T) {
	w := newWorld(4)
	for i := range 90 {
		address, ends := fmt.Sprintf("198.51.%d.9", i), 9*time.Hour+w.minutes(600)
		w.agents[address] = fmt.Sprintf("MeterFW/2.%d", i%3)
		for at := w.minutes(20); at < 24*time.Hour; at += 19*time.Minute + w.minutes(2) {
			status := "202"
			if i%3 == 1 && at > ends {
				status = "401"
			}
			w.add(at, "POST", "/ingest", "", "", address, status)
		}
	}
	_, findings := w.scan(t, 2)
	if f := want(t, findings, "client_software_failure")[0]; f.Subject.UserAgent != "MeterFW/2.1" {
		t.Errorf("found %+v", f.Subject)
	}
}
