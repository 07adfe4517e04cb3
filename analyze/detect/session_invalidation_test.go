package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestTimes checks that pop removes the earliest time after any sequence of pushes and
// pops.
func TestTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var h times
	var want []int64 // in order
	for range 5000 {
		if len(want) > 0 && r.IntN(5) < 2 {
			h.pop()
			want = want[1:]
		} else {
			at := r.Int64N(300)
			h.push(at)
			i, _ := slices.BinarySearch(want, at)
			want = slices.Insert(want, i, at)
		}
		if len(h) != len(want) || len(h) > 0 && h[0] != want[0] {
			t.Fatalf("%d times, want %d", len(h), len(want))
		}
	}
	for ; len(want) > 0; want = want[1:] {
		if h[0] != want[0] {
			t.Fatalf("earliest time %d, want %d", h[0], want[0])
		}
		h.pop()
	}
}

// TestInvalidationsRecur checks that sessions which end every night are one finding that has
// all nights, and that those which end once are told without a time of day.
func TestInvalidationsRecur(t *testing.T) {
	for _, c := range []struct {
		nights int
		jitter time.Duration
		daily  bool
	}{{1, 0, false}, {4, 3 * time.Minute, true}, {4, 7 * time.Hour, false}} {
		w := newWorld(5)
		w.sessionIDs = true
		var ends []time.Duration
		for n := range c.nights {
			ends = append(ends, time.Duration(27+24*n)*time.Hour+c.jitter*time.Duration(n%2))
		}
		for i := range 200 {
			address, session := fmt.Sprintf("10.1.%d.%d", i/100, i%100), fmt.Sprintf("r%d", i)
			at := time.Duration(i) * 40 * time.Minute
			began, until := at, at+10*time.Hour
			w.add(at, "POST", "/login", "", "", address, "302")
			for at += time.Second; at < until; at += time.Duration(60+w.r.IntN(400)) * time.Second {
				if slices.ContainsFunc(ends, func(end time.Duration) bool { return began < end && end < at }) {
					w.add(at, "GET", "/app/home", "", session, address, "401")
					began, session = at, session+"'"
					w.add(at+20*time.Second, "POST", "/login", "", "", address, "302")
					at += 21 * time.Second
				}
				w.add(at, "GET", []string{"/app/home", "/app/mail"}[w.r.IntN(2)], "", session, address, "200")
			}
		}
		_, findings := w.scan(t, 1)
		details := want(t, findings, "session_invalidation")[0].Details.(*Invalidation)
		if got := max(1, len(details.Moments)); got != c.nights || details.Daily != c.daily {
			t.Errorf("%d nights, apart by %v: found %v, daily %v", c.nights, c.jitter, details.Moments, details.Daily)
		}
	}
}

// TestRollouts checks sessions that end one after the other while servers are replaced, in a log
// without session ids: some servers still accept them meanwhile, and who signs in is refused again.
func TestRollouts(t *testing.T) {
	const took = 150 * time.Second
	w := newWorld(6)
	w.users = false
	deploys := []time.Duration{9*time.Hour + 36*time.Minute, 16*time.Hour + 24*time.Minute}
	refused := func(began, at time.Duration) bool {
		for _, deploy := range deploys {
			if began < deploy+took && at > deploy {
				return at > deploy+took || w.r.Float64() < float64(at-deploy)/float64(took)
			}
		}
		return false
	}
	for i := range 120 {
		address := fmt.Sprintf("10.1.%d.%d", i/100, i%100)
		at := 7*time.Hour + w.minutes(600)
		began := at
		w.add(at, "POST", "/login", "", "", address, "302")
		for range 60 {
			path, status := []string{"/app/home", "/app/mail", "/api/items"}[w.r.IntN(3)], "200"
			at += time.Duration(2+w.r.IntN(160)) * time.Second
			if refused(began, at) {
				status = "401"
			}
			w.add(at, "GET", path, "", "", address, status)
			if status == "401" {
				at += time.Duration(8+w.r.IntN(10)) * time.Second
				began = at
				w.add(at, "POST", "/login", "", "", address, "302")
			}
		}
	}
	_, findings := w.scan(t, 2)
	details := want(t, findings, "session_invalidation")[0].Details.(*Invalidation)
	if len(details.Moments) != len(deploys) || details.Rollout == 0 {
		t.Fatalf("found %+v", details)
	}
	for i, at := range details.Moments {
		late := time.UnixMicro(int64(at)).UTC().Sub(time.UnixMicro(int64(at)).UTC().Truncate(24*time.Hour)) - deploys[i]
		if late < 0 || late > took {
			t.Errorf("moment %d is %v after the deploy", i, late)
		}
	}
}
