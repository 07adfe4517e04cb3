package detect

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// campaign adds visitors who follow a link to one page without being signed in.
func (w *world) campaign(from, length time.Duration, visitors int) {
	for i := range visitors {
		at := from + time.Duration(w.r.Int64N(int64(length)))
		address := fmt.Sprintf("203.0.%d.%d", i/250, i%250)
		w.add(at, "GET", "/app/offer", "", "", address, "401")
		w.add(at+4*time.Second, "GET", "/", "", "", address, "200")
	}
}

func TestSpike(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.run(60)
		for range 40 { // the page also gets a few visitors all day
			w.campaign(0, 24*time.Hour, 1)
		}
		w.campaign(15*time.Hour, 25*time.Minute, 400)
		_, findings := w.scan(t, 2)
		f := want(t, findings, "unauthorized_spike")[0]
		if off := time.UnixMicro(f.Onset).Sub(day.Add(15 * time.Hour)); off < 0 || off > 5*time.Minute {
			t.Errorf("onset is off by %v", off)
		}
		if math.Abs(float64(f.Unauthorized-400)) > 20 {
			t.Errorf("the finding explains %d of 400 401s", f.Unauthorized)
		}
		if made := fmt.Sprint(f.Details.(*Spike).MadeBy); !strings.Contains(made, "endpoint: GET www.example.org/app/offer") || strings.Contains(made, "client:") {
			t.Errorf("unexpected cause of the excess: %s", made)
		}
	})
}

// TestMorningIsNoSpike checks that mistyped passwords that grow with the requests of
// the morning are not a spike.
func TestMorningIsNoSpike(t *testing.T) {
	variants(t, func(t *testing.T, w *world) {
		w.run(60)
		for n := range 200 {
			at := 8*time.Hour + time.Duration(w.r.Int64N(int64(time.Hour)))
			address := fmt.Sprintf("10.9.%d.%d", n/250, n%250)
			for i := range 30 {
				w.add(at+time.Duration(i)*time.Minute, "GET", "/app/home", fmt.Sprint("u", n), fmt.Sprint("s", n), address, "200")
			}
			if n%20 == 0 {
				w.add(at, "POST", "/login", "", "", address, "401")
			}
		}
		_, findings := w.scan(t, 1)
		want(t, findings)
	})
}

// TestFloodOfSignIns checks that sign-ins of strangers that fail by the hundred are a spike
// in a log that names neither users nor sessions, so that nothing in it is known to be
// protected.
func TestFloodOfSignIns(t *testing.T) {
	w := newWorld(7)
	for n := range 300 {
		at := w.minutes(24 * 60)
		address := fmt.Sprintf("10.9.%d.%d", n/250, n%250)
		if n%8 == 0 {
			w.add(at-10*time.Second, "POST", "/login", "", "", address, "401")
		}
		w.add(at, "POST", "/login", "", "", address, "302")
		for i := range 10 {
			w.add(at+time.Duration(i)*time.Minute, "GET", "/app/home", "", "", address, "200")
		}
	}
	for i := range 600 {
		w.add(9*time.Hour+w.minutes(300), "POST", "/login", "", "", fmt.Sprintf("203.0.%d.%d", i%200, i%7), "401")
	}
	_, findings := w.scan(t, 2)
	if f := want(t, findings, "unauthorized_spike")[0]; f.Unauthorized < 600 || f.Unauthorized > 640 {
		t.Errorf("the finding explains %d of 600 401s", f.Unauthorized)
	}
}
