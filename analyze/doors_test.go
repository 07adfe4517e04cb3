package analyze

import (
	"fmt"
	"testing"
	"time"
)

// TestClosedDoor checks that failures at a sign-in where nobody gets in any more are no
// mistyped passwords, though people sign in elsewhere all the time; people who mistype, and
// get in, are.
func TestClosedDoor(t *testing.T) {
	for _, c := range []struct {
		name   string
		closed bool
	}{{"one tenant's is closed", true}, {"people mistype", false}} {
		var w written
		for i := range 150 {
			at, client, tenant := time.Duration(i)*6*time.Minute, fmt.Sprintf("203.0.113.%d", i), []string{"acme", "bolt", "cora"}[i%3]
			for k := 0; tenant == "acme" && (c.closed && i > 18 && k < 2 || !c.closed && i%9 == 0 && k < 1); k++ {
				w.at(at+time.Duration(k)*4*time.Second, client, "-", "POST /sso/acme/acs", 401, "Firefox")
			}
			if !c.closed || tenant != "acme" || i <= 18 {
				w.at(at+10*time.Second, client, "-", "POST /sso/"+tenant+"/acs", 302, "Firefox")
				for k := range 4 {
					w.at(at+time.Duration(12+20*k)*time.Second, client, "-", fmt.Sprintf("GET /app/%s", []string{"plans", "team"}[k%2]), 200, "Firefox")
				}
			}
		}
		res := w.run(t)
		explained := res.Totals.Unauthorized - res.Totals.Unexplained
		if len(res.Findings) > 0 || c.closed && explained > 0 || !c.closed && res.Totals.Unexplained > 0 {
			t.Errorf("%s: %d of %d are unexplained, findings %v", c.name, res.Totals.Unexplained, res.Totals.Unauthorized, res.Findings)
		}
	}
}

// TestSessionsLeft checks that ends of sessions whose owners do not come back, though they had
// been there minutes before, are no ordinary ones.
func TestSessionsLeft(t *testing.T) {
	for _, back := range []bool{false, true} {
		var w written
		for i := range 60 {
			at, client := time.Duration(i)*15*time.Minute, fmt.Sprintf("203.0.113.%d", i)
			w.at(at, client, "-", "POST /login", 302, "Uploader/1.0")
			for k := range 4 {
				w.at(at+time.Duration(2+k)*time.Second, client, "-", fmt.Sprintf("PUT /uploads/%d", k), 201, "Uploader/1.0")
			}
			at += time.Duration(6+6*(i%7)) * time.Minute
			if i%3 > 0 { // others outlive such silences
				w.at(at, client, "-", "PUT /uploads/9", 201, "Uploader/1.0")
				continue
			}
			w.at(at, client, "-", "PUT /uploads/9", 401, "Uploader/1.0")
			if back {
				w.at(at+20*time.Second, client, "-", "POST /login", 302, "Uploader/1.0")
				w.at(at+22*time.Second, client, "-", "PUT /uploads/9", 201, "Uploader/1.0")
			}
		}
		res := w.run(t)
		for _, f := range res.Findings {
			t.Errorf("back %v: got %s", back, f.Kind)
		}
		if back != (res.Totals.Unexplained == 0) {
			t.Errorf("back %v: %d of %d are unexplained, %v", back, res.Totals.Unexplained, res.Totals.Unauthorized, res.Causes)
		}
	}
}

// TestFailuresRise checks that failures in hours in which a third of the people fails, and gets
// in at the next try, are no mistyped passwords, and that those of a day on which some do all
// the time are.
func TestFailuresRise(t *testing.T) {
	for _, rises := range []bool{true, false} {
		var w written
		for i := range 300 {
			at, client := time.Duration(i)*4*time.Minute, fmt.Sprintf("203.0.113.%d", i)
			if rises && i > 100 && i < 200 && i%3 == 0 || i%25 == 0 || !rises && i%12 == 0 {
				w.at(at, client, "-", "POST /login", 401, "Firefox")
			}
			w.at(at+15*time.Second, client, "-", "POST /login", 302, "Firefox")
			for k := range 3 {
				w.at(at+time.Duration(17+20*k)*time.Second, client, "-", fmt.Sprintf("GET /app/%s", []string{"plans", "team"}[k%2]), 200, "Firefox")
			}
		}
		res := w.run(t)
		if got := res.Totals.Unexplained; rises && got < 30 || !rises && got > 0 {
			t.Errorf("rises %v: %d of %d are unexplained", rises, got, res.Totals.Unauthorized)
		}
	}
}
