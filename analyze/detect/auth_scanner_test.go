package detect

import (
	"fmt"
	"testing"
	"time"
)

// TestScansOfFewRoutes checks that a few protected routes, none of which is missing, show a
// scan if a tool asks for them, or a program that does not pause, and that neither an
// application which begins nor a crawler scans.
func TestScansOfFewRoutes(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	routes := []string{"/api/orders", "/api/items", "/app/home", "/app/mail", "/api/keys", "/api/roles", "/api/teams", "/api/hooks", "/api/export", "/api/audit"}
	tests := []struct {
		name, agent   string
		routes        int
		pause         time.Duration
		heads, starts bool // it asks by HEAD too; others of the same agent begin so
		findings      int
	}{
		{name: "tool", agent: "Mozilla/5.00 (Nikto/2.5.0)", routes: 5, pause: time.Minute, findings: 1},
		{name: "program", agent: "python-requests/2.32.3", routes: 10, findings: 1},
		{name: "browser's name", agent: firefox, routes: 10, heads: true, findings: 1},
		{name: "browser", agent: firefox, routes: 10},
		{name: "application", agent: "Shop/4.1 okhttp/4.12", routes: 10, starts: true},
		{name: "crawler", agent: "Wanderer/1.0", routes: 10, pause: time.Hour},
	}
	for _, test := range tests {
		w := newWorld(2)
		w.run(40)
		w.agents["203.0.113.5"] = test.agent
		scan := func(at time.Duration, address string) {
			for _, path := range routes[:test.routes] {
				if test.heads {
					w.add(at, "HEAD", path, "", "", address, "401")
				}
				w.add(at, "GET", path, "", "", address, "401")
				at += test.pause + 150*time.Millisecond
			}
		}
		scan(10*time.Hour, "203.0.113.5")
		for i := range 30 {
			address := fmt.Sprintf("198.51.100.%d", i)
			w.agents[address] = firefox
			if test.starts {
				w.agents[address] = test.agent
				scan(time.Duration(i)*40*time.Minute, address)
			}
			w.add(time.Duration(i)*40*time.Minute+20*time.Second, "GET", "/about", "", "", address, "200")
		}
		scans := 0
		_, findings := w.scan(t, 1)
		for _, f := range findings {
			if f.Kind == "auth_scanner" {
				scans++
			}
		}
		if scans != test.findings {
			t.Errorf("%s: found %+v", test.name, findings)
		}
	}
}
