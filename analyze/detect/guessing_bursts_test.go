package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestGuessingBursts is about some clients that guess a few times each, at the same time, and about
// what looks like them.
func TestGuessingBursts(t *testing.T) {
	tools := []string{"python-requests/2.32.3", "Go-http-client/1.1", "curl/8.5.0", "Java/17.0.9", "okhttp/4.12.0", "libwww-perl/6.67"}
	tool := func(i int) string { return tools[i%len(tools)] }
	browser := func(i int) string {
		return fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", 120+i%9, 120+i%9)
	}
	app := func(i int) string { return fmt.Sprintf("AcmeApp/5.%d (iOS 17.6)", i) }
	many := func(int) int { return 7 }
	for name, x := range map[string]struct {
		agent  func(i int) string
		n      int // clients
		tries  func(i int) int
		from   time.Duration
		pause  time.Duration // at most, between tries
		form   bool          // is loaded before each try
		pages  int           // that are loaded before
		people string        // software of some of those who sign in, in place of browsers
		want   bool
	}{
		"tools":                           {agent: tool, n: 12, tries: many, from: 12 * time.Hour, pause: 20 * time.Second, want: true},
		"tools that load the form":        {agent: tool, n: 12, tries: many, from: 12 * time.Hour, pause: 20 * time.Second, form: true, want: true},
		"tools at night":                  {agent: tool, n: 12, tries: many, from: 2 * time.Hour, pause: 20 * time.Second, form: true, want: true},
		"browsers that load the form":     {agent: browser, n: 12, tries: many, from: 12 * time.Hour, pause: 20 * time.Second, form: true, want: true},
		"browsers when nobody else comes": {agent: browser, n: 12, tries: many, from: 2 * time.Hour, pause: 20 * time.Second, form: true},
		"people whom a part of a site fails, some of whom go on": {agent: browser, n: 60, tries: func(i int) int {
			if i%3 == 0 {
				return 7
			}
			return 2 + i%3
		}, from: 12 * time.Hour, pause: 20 * time.Second, form: true, pages: 4},
		"devices that go on":              {agent: tool, n: 12, tries: func(int) int { return 20 }, from: time.Hour, pause: 40 * time.Minute},
		"the application of those inside": {agent: app, n: 12, tries: many, from: 12 * time.Hour, pause: 20 * time.Second, people: "AcmeApp/4.0 (iOS 17.6)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(2)
			for i := range 80 { // people, who sign in by day
				address, at := fmt.Sprintf("198.51.100.%d", i), 8*time.Hour+time.Duration(i)*6*time.Minute
				if x.people != "" && i%4 == 0 {
					w.agents[address] = x.people
				}
				w.add(at, "GET", "/login", "", "", address, "200")
				w.add(at+9*time.Second, "POST", "/login", "", "", address, "302")
				w.visit(at+10*time.Second, address)
			}
			for i := range x.n {
				address, at := fmt.Sprintf("203.%d.113.7", i), x.from+w.minutes(30)
				w.agents[address] = x.agent(i)
				for range x.pages {
					w.add(at-9*time.Second, "GET", "/help", "", "", address, "200")
				}
				for range x.tries(i) {
					if x.form {
						w.add(at, "GET", "/login", "", "", address, "200")
					}
					at += time.Second + time.Duration(w.r.Int64N(int64(x.pause)))
					if at < 24*time.Hour {
						w.add(at, "POST", "/login", "", "", address, "401")
					}
				}
			}
			_, findings := w.scan(t, 1)
			found := false
			for _, f := range findings {
				if f.Category == string(AttackCategory) {
					found = true
					if a, ok := f.Details.(*Attack); !ok || a.Addresses != x.n || f.Subject.Type != "site" {
						t.Errorf("found %s of %+v: %+v", f.Kind, f.Subject, f.Details)
					}
				}
			}
			if found != x.want {
				t.Errorf("found %+v", findings)
			}
		})
	}
}
