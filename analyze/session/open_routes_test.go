package session

import "testing"

// TestTickets checks that a callback is known by the ticket that it takes, although most people
// come to sign in by themselves.
func TestTickets(t *testing.T) {
	visits := func(callback string) []string {
		return append(comings(3, 2, "GET "+callback+" 302"), each(9000, 90, 60, "@ c0 - - GET "+callback+" 302", "@.2 c0 - - GET /app/list 200")...)
	}
	for callback, want := range map[string]Role{"/back?code=a1&state=b2": redirectsIn | Tries, "/back?ticket=ST-12-x": redirectsIn | Tries, "/back?code=a1": 0, "/back": 0} {
		if got := roles(correlate(t, visits(callback)...), "GET", "/back") &^ denies; got != want {
			t.Errorf("%s: role %b, want %b", callback, got, want)
		}
	}
}

// TestOpenPages checks that a start page that was refused once is not protected, as people see it
// before they sign in, and that a route of the application is, which is refused as rarely.
func TestOpenPages(t *testing.T) {
	visits := func(user string) []string {
		return append(each(0, 300, 30, "@ c# - - GET / 200", "@.5 c# - - GET /api/list 401", "@.7 c# - - POST /login 302", "@.8 c# "+user+" - GET /api/list 200", "@.9 c# "+user+" - GET /api/rare 200"),
			"9100 c1 - - GET / 401", "9200 c2 - - GET /api/rare 401")
	}
	for _, user := range []string{"-", "ida"} {
		ev := correlate(t, visits(user)...)
		for path, want := range map[string]bool{"/": false, "/api/list": true, "/api/rare": true} {
			if got := roles(ev, "GET", path)&Guards != 0; got != want {
				t.Errorf("user %s: %s is protected: %v", user, path, got)
			}
		}
	}
}

// TestSignInThatGivesID checks that a sign-in that gave a session id begins no session without
// one, which would outlive all others.
func TestSignInThatGivesID(t *testing.T) {
	day := each(0, 600, 12, "@ c# - - POST /login 302", "@.1 c# - s# GET /app/list 200", "@.5 c# - s# GET /app/list 200", "@.9 c# - s# GET /app/list 401")
	day = append(day, each(9000, 600, 12, "@ c# - - GET /home 200")...)
	ev := correlate(t, append(day, "20000 c1 - - GET /home 401")...)
	if n := ev.Lifetimes["files.example.net"].SeenAge.CountsAbove()(3_600_000); n != 0 {
		t.Errorf("%d requests survived an hour", n)
	}
}
