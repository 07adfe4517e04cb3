package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/parse"
)

// TestAgeBesideProgram checks that a limit on the age of sessions is found by the sessions
// that reach it, however much is requested by a program that has none; and that none is found
// where sessions end at any age, or where many of them outlive it.
func TestAgeBesideProgram(t *testing.T) {
	for name, c := range map[string]struct {
		program bool
		ends    func(w *world, person int, age time.Duration) bool
		want    string
	}{
		"a limit":                     {false, func(_ *world, _ int, age time.Duration) bool { return age > 25*time.Minute }, "absolute"},
		"a limit, and a program":      {true, func(_ *world, _ int, age time.Duration) bool { return age > 25*time.Minute }, "absolute"},
		"by chance, and a program":    {true, func(w *world, _ int, _ time.Duration) bool { return w.r.IntN(30) == 0 }, ""},
		"half of the people, program": {true, func(_ *world, i int, age time.Duration) bool { return i%2 == 0 && age > 25*time.Minute }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(11)
			for i := range 40 {
				address := fmt.Sprintf("198.51.%d.9", i)
				at := 7*time.Hour + w.minutes(60)
				signIn := at
				w.add(at, "POST", "/enter", "", "", address, "302")
				for at < 12*time.Hour {
					at += time.Duration(20+w.r.IntN(200)) * time.Second
					if at-signIn > 35*time.Minute { // by themselves
						signIn = at
						w.add(at, "POST", "/enter", "", "", address, "302")
						at += 2 * time.Second
					}
					if c.ends(w, i, at-signIn) {
						w.add(at, "GET", "/files/list", "", "", address, "401")
						at += 15 * time.Second
						signIn = at
						w.add(at, "POST", "/enter", "", "", address, "302")
						at += 2 * time.Second
					}
					w.add(at, "GET", "/files/list", "", "", address, "200")
				}
			}
			if c.program {
				w.add(time.Hour, "POST", "/enter", "", "", "203.0.113.5", "302")
				w.poll(time.Hour+time.Minute, 20*time.Hour, 40*time.Second, "/files/list", "", "203.0.113.5", "200")
			}
			_, findings := w.scan(t, 1)
			got := ""
			for _, f := range findings {
				if e, ok := f.Details.(*Expiry); ok {
					got += e.Policy
				}
			}
			if got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestTimeoutWithoutSignIns checks that a timeout is found where people sign in again elsewhere, and
// none where they have tokens from there, of several lifetimes, which silences do not end.
func TestTimeoutWithoutSignIns(t *testing.T) {
	for _, tokens := range []bool{false, true} {
		w := newWorld(5)
		w.users = true
		route := func() string { return []string{"/files/list", "/files/view", "/mail/inbox", "/mail/sent"}[w.r.IntN(4)] }
		for i := range 20 {
			user, address := fmt.Sprintf("user%d", i), fmt.Sprintf("198.51.%d.9", i)
			at := 6*time.Hour + w.minutes(60)
			began := at
			w.add(at-5*time.Second, "POST", "/enter", "", "", address, "302")
			for range 5 {
				for until := at + 40*time.Minute; at < until; at += time.Duration(20+w.r.IntN(100)) * time.Second {
					if tokens && at-began > time.Duration(8+4*(i%5))*time.Minute || at-began > time.Hour {
						for range 3 {
							w.add(at, "GET", route(), "", "", address, "401")
						}
						at += 15 * time.Second
						began = at
					}
					w.add(at, "GET", route(), user, "", address, "200")
					if !tokens {
						began = at
					}
				}
				at += time.Hour + w.minutes(90)
			}
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			found = found || f.Kind == sessionExpiry.Name
		}
		if found == tokens {
			t.Errorf("tokens %v: found %+v", tokens, findings)
		}
	}
}

// TestShortenedTimeout checks that the onset of a timeout is found where sessions outlived it
// before, and that none is stated of a timeout that is as old as the log.
func TestShortenedTimeout(t *testing.T) {
	for _, from := range []time.Duration{0, 15 * time.Hour} {
		t.Run(from.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(9)
			for i := range 60 {
				address, at, end := fmt.Sprintf("198.51.%d.9", i), 6*time.Hour+w.minutes(180), 16*time.Hour+w.minutes(420)
				w.add(at, "POST", "/enter", "", "", address, "302")
				for at < end {
					pause := time.Duration(20+w.r.IntN(200)) * time.Second
					if w.r.IntN(12) == 0 {
						pause = 4*time.Minute + w.minutes(70)
					}
					if at += pause; pause > 20*time.Minute && at > from {
						w.add(at, "GET", "/files/list", "", "", address, "401")
						at += 20 * time.Second
						w.add(at, "POST", "/enter", "", "", address, "302")
						at += 2 * time.Second
					}
					w.add(at, "GET", []string{"/files/list", "/files/search"}[w.r.IntN(2)], "", "", address, "200")
				}
			}
			_, findings := w.scan(t, 1)
			f := want(t, findings, "session_expiry")[0]
			late := time.UnixMicro(f.Onset).Sub(day.Add(from))
			if from == 0 && f.Onset != parse.NoTime || from > 0 && (late < 0 || late > 30*time.Minute) {
				t.Errorf("onset %v, %v after the truth", f.Onset, late)
			}
		})
	}
}

// TestLimitOfNewSessions checks that a limit on the age of sessions which only those have that begin
// from a time on is found among older ones that go on.
func TestLimitOfNewSessions(t *testing.T) {
	for _, limited := range []bool{true, false} {
		w, onset := newWorld(8), 12*time.Hour
		w.sessionIDs = true
		for i := range 60 {
			address := fmt.Sprintf("198.51.%d.9", i)
			for at, n := 7*time.Hour+w.minutes(480), 0; at < 19*time.Hour; n++ {
				id, began := fmt.Sprintf("k%d-%d", i, n), at
				w.add(at, "POST", "/login", "", "", address, "302")
				for at += time.Second; at < 19*time.Hour; at += time.Duration(10+w.r.IntN(100)) * time.Second {
					if limited && began > onset && at-began > 10*time.Minute || w.r.IntN(400) == 0 {
						w.add(at, "GET", "/books", "", id, address, "401")
						at += 20 * time.Second
						break
					}
					w.add(at, "GET", "/books", "", id, address, "200")
				}
			}
		}
		_, findings := w.scan(t, 1)
		found := false
		for _, f := range findings {
			if e, ok := f.Details.(*Expiry); ok {
				found = true
				if at := time.UnixMicro(f.Onset).Sub(day); !e.NewSessions || e.Policy != "absolute" || e.Timeout < 590 || e.Timeout > 610 || at < onset || at > onset+20*time.Minute {
					t.Errorf("from %v: %+v", at, e)
				}
			}
		}
		if found != limited {
			t.Errorf("found %v, want %v: %+v", found, limited, findings)
		}
	}
}
