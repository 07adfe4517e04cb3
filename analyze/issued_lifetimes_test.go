package analyze

import (
	"fmt"
	"testing"
	"time"

	"logscan/analyze/detect"
)

// TestIssuedLifetimes checks that a route whose own credentials time out, while the sessions go on
// elsewhere, is told from sessions that time out and from refusals at random.
func TestIssuedLifetimes(t *testing.T) {
	const lifetime = 5 * time.Minute
	for _, c := range []struct {
		name           string
		random         bool // the age of the ticket does not matter: every seventh part is refused
		ends           bool // all routes refuse the session then, until it signs in
		handed, begins string
		want           bool
	}{
		{name: "a ticket for uploads", handed: "POST /api/tickets", begins: "POST /login", want: true},
		{name: "a page that hands it out", handed: "GET /studio/new", begins: "POST /login", want: true},
		{name: "refused at random", random: true, handed: "POST /api/tickets", begins: "POST /login"},
		{name: "the session times out", ends: true, handed: "POST /session/start", begins: "POST /session/start"},
	} {
		var w written
		refused := 0
		for i := range 24 {
			client, agent := fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("Browser/%d", i%5)
			at := time.Duration(i) * 17 * time.Minute
			w.at(at, client, "-", c.begins, 302, agent)
			at += 4 * time.Second
			work := func(status int) {
				w.at(at, client, "-", fmt.Sprintf("GET /studio/%s", []string{"drafts", "plans", "people"}[(i+int(at.Seconds()))%3]), status, agent)
				at += 5 * time.Second
			}
			work(200)
			fetch := func() time.Duration {
				w.at(at, client, "-", c.handed, 200, agent)
				at += 2 * time.Second
				return at
			}
			given := fetch()
			for part := range 60 + i {
				ok := at-given <= lifetime
				if c.random {
					ok = (part*5+i)%7 != 0
				}
				if ok {
					w.at(at, client, "-", fmt.Sprintf("PUT /parts/%d", part), 200, agent)
				} else {
					for range 2 {
						refused++
						w.at(at, client, "-", fmt.Sprintf("PUT /parts/%d", part), 401, agent)
						at += 3 * time.Second
						if c.ends {
							work(401)
						} else {
							work(200)
						}
					}
					if !c.random {
						given = fetch()
					}
					w.at(at, client, "-", fmt.Sprintf("PUT /parts/%d", part), 200, agent)
				}
				at += 7 * time.Second
				if part%4 == 0 {
					work(200)
				}
			}
		}
		for i := range 6 { // strangers
			w.at(time.Duration(i)*97*time.Minute, "192.0.2.9", "-", "GET /studio/drafts", 401, "bot")
		}
		found := false
		for _, f := range w.run(t).Findings {
			details, ok := f.Details.(*detect.Expiry)
			if !ok || details.IssuedBy == "" {
				continue
			}
			found = true
			if f.Subject.Endpoint() != "PUT /parts/{id}" || details.IssuedBy != c.handed || f.Unauthorized != int64(refused) ||
				float64(details.Low) > lifetime.Seconds() || float64(details.High) < lifetime.Seconds() {
				t.Errorf("%s: %+v by %s explains %d of %d refusals, with a lifetime from %v to %v s", c.name, f.Subject, details.IssuedBy, f.Unauthorized, refused, details.Low, details.High)
			}
		}
		if found != c.want {
			t.Errorf("%s: found %v, want %v", c.name, found, c.want)
		}
	}
}
