package analyze

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
)

// TestRefusalsByChance checks that requests refused at random, while people come and go,
// are unexplained and no spike: newcomers, who sign in, are refused less per visit than
// people who have been there for hours.
func TestRefusalsByChance(t *testing.T) {
	for _, c := range []struct {
		name   string
		people int
		begin  func(r *rand.Rand, i int) float64 // hour at which a person comes
	}{
		{"all come at the start", 1500, func(r *rand.Rand, _ int) float64 { return r.Float64() / 2 }},
		{"they come in the morning", 1500, func(r *rand.Rand, _ int) float64 { return 7 + 2*r.Float64() }},
		{"a few, all day", 40, func(r *rand.Rand, i int) float64 { return float64(i) / 4 }},
	} {
		type line struct {
			at              float64
			client, request string
			status          int
		}
		var all []line
		r := rand.New(rand.NewPCG(5, 11))
		for i := range c.people {
			at, client := c.begin(r, i), fmt.Sprintf("100.70.%d.%d", i/250, i%250)
			all = append(all, line{at, client, "POST /login", 302})
			for k := range 60000 / c.people {
				at += r.ExpFloat64() * 9 * float64(c.people) / 60000
				status := 200
				if r.IntN(100) < 3 {
					status = 401
				}
				all = append(all, line{at + 0.0005, client, fmt.Sprintf("GET /app/%c/%d", 'a'+r.IntN(12), k), status})
			}
		}
		slices.SortStableFunc(all, func(a, b line) int {
			if a.at < b.at {
				return -1
			}
			return 1
		})
		var w written
		for _, l := range all {
			w.at(time.Duration(l.at*float64(time.Hour)), l.client, "-", l.request, l.status, "Firefox")
		}
		res := w.run(t)
		for _, f := range res.Findings {
			if f.Severity >= result.Medium || f.Kind == "unauthorized_spike" {
				t.Errorf("%s: %s finding %s of %d", c.name, f.Severity, f.Kind, f.Unauthorized)
			}
		}
		if 2*res.Totals.Unexplained < res.Totals.Unauthorized {
			t.Errorf("%s: %d of %d are unexplained: %v", c.name, res.Totals.Unexplained, res.Totals.Unauthorized, res.Causes)
		}
	}
}

// TestWrongPasswordsBehindOneAddress checks that people who mistype passwords at a form,
// while others behind the same address work on, are no misconfigured endpoint.
func TestWrongPasswordsBehindOneAddress(t *testing.T) {
	// Nothing shows what a form of another name is for: its refusals may be unexplained.
	for form, known := range map[string]bool{"/login": true, "/signin.php": true, "/auth/password": false} {
		var w written
		for i := range 4000 {
			at, client := time.Duration(i)*20*time.Second, fmt.Sprintf("192.0.2.%d", i%8)
			page := fmt.Sprintf("GET /desk/%c", 'a'+i%7)
			if i%40 < 8 {
				if i%80 < 8 {
					w.at(at, client, "-", "POST "+form, 401, "Firefox")
				}
				w.at(at+9*time.Second, client, "-", "POST "+form, 302, "Firefox")
			}
			w.at(at+10*time.Second, client, "-", page, 200, "Firefox")
			if i%500 == 0 {
				w.at(at, "198.51.100.1", "-", page, 401, "bot")
			}
		}
		if res := w.run(t); len(res.Findings) > 0 || known && res.Causes["login_failure"] < 200 {
			t.Errorf("%s: %d findings, causes %v", form, len(res.Findings), res.Causes)
		}
	}
}
