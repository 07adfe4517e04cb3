package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSpells is about a site where people sign in and work for an hour, and what refuses some of
// their requests from a time on: a check of credentials that fails for a short time, again and
// again, and what looks like it.
func TestSpells(t *testing.T) {
	const onset, to = 8 * time.Hour, 16 * time.Hour
	within := func(at, every, length time.Duration) bool {
		return at > onset && at < to && (at-onset)%every < length
	}
	for name, x := range map[string]struct {
		fails func(w *world, at, signedIn time.Duration, path string) bool
		route string // of the finding
		want  bool
	}{
		"the directory for 20 seconds": {func(_ *world, at, _ time.Duration, _ string) bool {
			return within(at, 7*time.Minute, 20*time.Second)
		}, "", true},
		"a cached refusal of a route": {func(_ *world, at, _ time.Duration, path string) bool {
			return path == "/b" && within(at, 50*time.Minute, 5*time.Minute)
		}, "/b", true},
		"one of ten requests": {func(w *world, at, _ time.Duration, _ string) bool {
			return at > onset && at < to && w.r.IntN(10) == 0
		}, "", false},
		"sessions of before a deploy": {func(_ *world, at, signedIn time.Duration, _ string) bool {
			return at > onset && at < to && (at-onset)/time.Hour != (signedIn-onset)/time.Hour
		}, "", false},
		"one outage": {func(_ *world, at, _ time.Duration, _ string) bool {
			return at > onset && at < onset+20*time.Minute
		}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(5)
			for i := range 240 {
				address, at := fmt.Sprintf("10.8.%d.7", i), 7*time.Hour+w.minutes(600)
				signedIn := at
				w.add(at, "POST", "/login", "", "", address, "302")
				for range 60 {
					at += time.Second + time.Duration(w.r.IntN(120))*time.Second
					path := fmt.Sprintf("/%c", 'a'+w.r.IntN(6))
					if !x.fails(w, at, signedIn, path) {
						w.add(at, "GET", path, "", "", address, "200")
						continue
					}
					if w.add(at, "GET", path, "", "", address, "401"); strings.HasPrefix(name, "sessions") {
						at += 5 * time.Second
						signedIn = at
						w.add(at, "POST", "/login", "", "", address, "302")
					}
				}
			}
			_, findings := w.scan(t, 2)
			found := false
			for _, f := range findings {
				o, ok := f.Details.(*Intermittent)
				if !ok || o.Spells == 0 {
					continue
				}
				found = true
				if at := time.UnixMicro(f.Onset).Sub(day); at < onset || at > onset+time.Hour || f.Subject.Route != x.route || o.Spells < 5 {
					t.Errorf("from %v: %+v %+v", at, f.Subject, o)
				}
			}
			if found != x.want {
				t.Errorf("found %v, want %v: %+v", found, x.want, findings)
			}
		})
	}
}

// TestSignInSpells is about a directory that refuses all sign-ins for some time, again and again,
// and about people who mistype.
func TestSignInSpells(t *testing.T) {
	const onset = 9 * time.Hour
	for name, fails := range map[string]bool{"the directory": true, "people": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(7)
			for i := range 3000 {
				address, at := fmt.Sprintf("10.%d.%d.7", i/200, i%200), 7*time.Hour+w.minutes(600)
				w.add(at-9*time.Second, "GET", "/login", "", "", address, "200")
				for w.r.IntN(20) == 0 || fails && at > onset && (at-onset)%(6*time.Minute) < 40*time.Second {
					w.add(at, "POST", "/login", "", "", address, "401")
					at += time.Duration(5+w.r.IntN(15)) * time.Second
				}
				w.add(at, "POST", "/login", "", "", address, "302")
				for range 5 {
					at += time.Duration(1+w.r.IntN(60)) * time.Second
					w.add(at, "GET", fmt.Sprintf("/%c", 'a'+w.r.IntN(6)), "", "", address, "200")
				}
			}
			_, findings := w.scan(t, 1)
			if !fails {
				want(t, findings)
				return
			}
			f := want(t, findings, "intermittent_refusal")[0]
			o, ok := f.Details.(*Intermittent)
			if at := time.UnixMicro(f.Onset).Sub(day); !ok || o.Spells < 30 || f.Subject.Route != "/login" || at < onset || at > onset+time.Hour {
				t.Errorf("from %v: %+v %+v", at, f.Subject, f.Details)
			}
		})
	}
}

// TestDense drops what is far from the other spells.
func TestDense(t *testing.T) {
	spells := func(minutes ...int64) (list []spell) {
		for _, at := range minutes {
			list = append(list, spell{from: at * 60_000, refused: 2})
		}
		return list
	}
	for _, tt := range []struct {
		list []spell
		n    int
	}{
		{spells(0, 300, 600, 606, 612, 618, 624, 630, 900), 6},
		{spells(0, 6, 12, 18, 24, 1440, 1446, 1452, 1458), 9}, // another day
		{spells(0, 300), 0},
		{append(spells(0, 6, 12), spell{from: 900_000, refused: 1}), 3},
	} {
		if got := len(dense(tt.list)); got != tt.n {
			t.Errorf("%v: %d spells, want %d", tt.list, got, tt.n)
		}
	}
}
