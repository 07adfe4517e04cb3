package detect

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
)

// fieldApp adds clients of three versions of an application, who make visits of a few calls
// to many routes. call says whether a call of a version is refused, at a time since the
// visit began.
func (w *world) fieldApp(agent func(version int) string, refused func(version int, since time.Duration) bool) {
	routes := []string{"orders", "stock", "routes", "depots", "tours", "photos", "notes", "claims"}
	for i := range 45 {
		version := i % 3
		address, session := fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("field%d", i)
		w.agents[address] = agent(version)
		w.add(6*time.Hour, "POST", "/login", "", session, address, "200")
		for begin := 6*time.Hour + w.minutes(60); begin < 20*time.Hour; begin += time.Hour + w.minutes(90) {
			for at := time.Duration(0); at < 40*time.Minute; at += time.Duration(20+w.r.IntN(200)) * time.Second {
				path := "/api/field/" + routes[w.r.IntN(len(routes))]
				if refused(version, at) {
					w.add(begin+at, "GET", path, "", "", address, "401")
				} else {
					w.add(begin+at, "GET", path, fmt.Sprintf("f%d", i), session, address, "200")
				}
			}
		}
	}
}

// TestVersionBesideOthers is about versions of an application that are refused on all routes
// more than the others, though on none of them by itself.
func TestVersionBesideOthers(t *testing.T) {
	app := func(version int) string { return fmt.Sprintf("FieldApp/7.%d.0 (Android 14; Scale/2.0)", version) }
	browser := func(version int) string {
		return fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/12%d.0.0.0 Safari/537.36", version)
	}
	for name, x := range map[string]struct {
		agent   func(version int) string
		refused func(w *world, version int, since time.Duration) bool
		want    string
	}{
		"forgets its credentials now and then": {app, func(w *world, version int, _ time.Duration) bool {
			return w.r.IntN(100) < []int{1, 25, 2}[version]
		}, "FieldApp/7.1.0"},
		"does not renew its token": {app, func(_ *world, version int, since time.Duration) bool {
			return version == 2 && since > 15*time.Minute
		}, "FieldApp/7.2.0"},
		"the same in a browser": {browser, func(w *world, version int, _ time.Duration) bool {
			return w.r.IntN(100) < []int{1, 1, 30}[version]
		}, "Chrome/122.0.0.0"},
		"all versions alike": {app, func(w *world, _ int, _ time.Duration) bool { return w.r.IntN(100) < 3 }, ""},
		"a little more":      {app, func(w *world, version int, _ time.Duration) bool { return w.r.IntN(1000) < []int{10, 20, 14}[version] }, ""},
	} {
		for seed := range trials.Seeds(1) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				t.Parallel()
				w := everyday(seed)
				w.fieldApp(x.agent, func(version int, since time.Duration) bool { return x.refused(w, version, since) })
				_, findings := w.scan(t, 1)
				var found []result.Finding
				for _, f := range findings {
					switch f.Kind {
					case "client_software_failure":
						found = append(found, f)
					case "intermittent_refusal":
						if x.want != "" {
							t.Errorf("all clients are blamed: %+v", f.Details)
						}
					}
				}
				switch {
				case x.want == "" && len(found) > 0:
					t.Errorf("found %+v %+v", found[0].Subject, found[0].Details)
				case x.want != "" && (len(found) != 1 || found[0].Subject.UserAgent != x.want):
					t.Errorf("found %d versions, want %s: %+v", len(found), x.want, findings)
				case x.want != "":
					if d := found[0].Details.(*FailingSoftware); !d.Everywhere || d.RouteCount < softwareRoutes || d.OthersShare >= d.RefusedLow {
						t.Errorf("details %+v", d)
					}
				}
			})
		}
	}
}

// TestVersionOfStrangers checks that visitors of one browser version who only see pages that
// require an account do not make that version fail.
func TestVersionOfStrangers(t *testing.T) {
	w := everyday(1)
	for i := range 60 {
		address := fmt.Sprintf("203.0.113.%d", i)
		w.agents[address] = fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1%02d.0.0.0 Safari/537.36", 19+i%3)
		for range 6 {
			at, path, session, status := 8*time.Hour+w.minutes(600), []string{"/app/home", "/app/mail", "/api/orders", "/api/items"}[w.r.IntN(4)], "", "401"
			if i%3 > 0 {
				session, status = fmt.Sprintf("known%d", i), "200"
			}
			w.add(at, "GET", path, "", session, address, status)
		}
	}
	_, findings := w.scan(t, 1)
	for _, f := range findings {
		if f.Kind == "client_software_failure" {
			t.Errorf("found %+v", f.Subject)
		}
	}
}
