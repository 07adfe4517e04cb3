package analyze

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/detect"
	"logscan/analyze/result"
)

// office is a site whose people come back every hour or so. The last request of a visit is
// one to a route of its own.
type office struct {
	written
	r      *rand.Rand
	people int
	last   string // the request that ends a visit
	open   func(at time.Duration, person int) bool
	named  bool // the line of a refusal names its user
	form   bool // people sign in at a form once, and the log names nobody
	json   bool // with session ids, and without names
}

// visits writes a day. Each person has a client of its own.
func (o *office) visits() {
	for i := range o.people {
		client, user, session := fmt.Sprintf("10.8.%d.%d", i/200, i%200), fmt.Sprintf("clerk%02d", i), fmt.Sprintf("5f2e%028x", i*7919)
		add := func(at time.Duration, request, user string, status int) {
			if o.json {
				o.in(session, at, client, request, status, firefoxAgent)
				return
			}
			if o.form {
				user = "-"
			}
			o.at(at, client, user, request, status, firefoxAgent)
		}
		at := 7*time.Hour + time.Duration(o.r.IntN(7200))*time.Second
		if o.form || o.json {
			add(at, "POST /signin", user, 302)
		}
		for at < 18*time.Hour {
			for range 3 {
				at += time.Duration(2+o.r.IntN(40)) * time.Second
				add(at, []string{"GET /cases", "GET /cases/search", "GET /letters", "GET /rota"}[o.r.IntN(4)], user, 200)
			}
			at += time.Duration(2+o.r.IntN(40)) * time.Second
			switch {
			case o.open(at, i):
				add(at, o.last, user, 200)
			case o.named:
				add(at, o.last, user, 401)
			default:
				add(at, o.last, "-", 401)
			}
			at += time.Duration(35+o.r.IntN(70)) * time.Minute
		}
	}
}

func (o *office) scan(t *testing.T) *result.Result {
	t.Helper()
	name := filepath.Join(t.TempDir(), "access.log")
	writeLog(t, name, o.String(), time.Time{})
	return run(t, 2, nil, name)
}

// TestRouteRefusesAtTheEndOfVisits is about a route that refuses people who are accepted
// everywhere else, but not within minutes after it.
func TestRouteRefusesAtTheEndOfVisits(t *testing.T) {
	never := func(time.Duration, int) bool { return false }
	untilNoon := func(at time.Duration, _ int) bool { return at < 12*time.Hour }
	for _, x := range []struct {
		name   string
		office office
	}{
		{"forty people are named", office{people: 40, open: never, named: true}},
		{"nobody is named where it refuses", office{people: 40, open: never}},
		{"eight people", office{people: 8, open: never}},
		{"it worked until noon", office{people: 25, open: untilNoon, named: true}},
		{"people with sessions of a form", office{people: 25, open: never, form: true}},
		{"session ids", office{people: 25, open: never, json: true}},
		{"session ids, it worked until noon", office{people: 25, open: untilNoon, json: true}},
	} {
		for seed := range uint64(2) {
			o := x.office
			o.r, o.last = rand.New(rand.NewPCG(seed, 3)), "GET /archive/export"
			o.visits()
			res := o.scan(t)
			if kinds := kindsOf(res, result.Low); !slices.Equal(kinds, []string{"endpoint_misconfigured"}) {
				t.Errorf("%s: found %v; causes %v", x.name, kinds, res.Causes)
				continue
			}
			f := &res.Findings[0]
			if d := f.Details.(*detect.BrokenEndpoint); f.Subject.Route != "/archive/export" || d.Returned < int64(o.people*3/4) {
				t.Errorf("%s: %+v %+v", x.name, f.Subject, d)
			}
		}
	}
}

// TestVisitsThatShowNoBrokenRoute is about refusals at a route that accepts few or nobody,
// and works.
func TestVisitsThatShowNoBrokenRoute(t *testing.T) {
	never := func(time.Duration, int) bool { return false }
	for _, x := range []struct {
		name   string
		office office
		more   func(*office)
	}{
		{"an area of two people whom others ask for", office{people: 20, named: true, open: func(_ time.Duration, i int) bool { return i < 15 }}, nil},
		{"somebody without sessions guesses the passwords of all people there", office{people: 40, open: func(time.Duration, int) bool { return true }, named: true}, func(o *office) {
			for i := range 400 {
				o.at(9*time.Hour+time.Duration(i)*9*time.Second, "203.0.113.77", fmt.Sprintf("clerk%02d", i%40), "GET /private", 401, "client/1")
			}
		}},
		{"sessions end, and what a page left open asks for is refused", office{people: 20, form: true, open: never}, func(o *office) {
			// They sign in again each time.
			text := o.String()
			o.Reset()
			for line := range strings.Lines(text) {
				o.WriteString(line)
				if i := strings.Index(line, " 401 "); i >= 0 {
					client, _, _ := strings.Cut(line, " ")
					at, _ := time.Parse("02/Jan/2006:15:04:05 -0700", line[strings.Index(line, "[")+1:strings.Index(line, "]")])
					o.at(at.Sub(today)+25*time.Minute, client, "-", "POST /signin", 302, firefoxAgent)
				}
			}
		}},
	} {
		for seed := range uint64(2) {
			o := x.office
			o.r, o.last = rand.New(rand.NewPCG(seed, 4)), "GET /archive/export"
			o.visits()
			if x.more != nil {
				x.more(&o)
			}
			if kinds := kindsOf(o.scan(t), result.Low); slices.Contains(kinds, "endpoint_misconfigured") {
				t.Errorf("%s: found %v", x.name, kinds)
			}
		}
	}
}
