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
