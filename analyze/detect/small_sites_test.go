package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
)

// editors adds a small site without users and sessions in its log: a few people who sign
// in once and work all day, and strangers who read public pages. open answers requests of
// the editors.
func (w *world) editors(n int, open func(at time.Duration, path string) string) {
	for i := range n {
		address := fmt.Sprintf("198.51.100.%d", i)
		at := 8*time.Hour + w.minutes(60)
		w.add(at, "GET", "/enter", "", "", address, "200")
		w.add(at+5*time.Second, "POST", "/login", "", "", address, "302")
		for at += 7 * time.Second; at < 17*time.Hour; at += time.Duration(20+w.r.IntN(240)) * time.Second {
			method, path := "POST", "/admin/calls"
			switch w.r.IntN(4) {
			case 0:
				method, path = "GET", "/rest/v2/types"
			case 1:
				path = "/rest/v2/drafts"
			case 2:
				method, path = "GET", "/rest/v2/authors"
			}
			w.add(at, method, path, "", "", address, open(at, path))
		}
	}
	for i := range 60 {
		address, at := fmt.Sprintf("203.0.113.%d", i), w.minutes(1400)
		for range 4 {
			w.add(at, "GET", []string{"/", "/blog", "/about"}[w.r.IntN(3)], "", "", address, "200")
			at += 9 * time.Second
		}
	}
}

// TestRoutesClosedAtSmallSite checks that routes which refuse everybody from one time on
// are one finding, and no outage: the same people go on with another request that changes
// something, which strangers never make.
func TestRoutesClosedAtSmallSite(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(seed)
		w.editors(8, func(at time.Duration, path string) string {
			if at > 13*time.Hour && path != "/admin/calls" {
				return "401"
			}
			return "200"
		})
		_, findings := w.scan(t, 1)
		f := want(t, findings, "endpoint_misconfigured")[0]
		if f.Subject.Route != "/rest/v2/" || f.Onset/1e6/3600%24 != 13 {
			t.Errorf("seed %d: found %+v since %v", seed, f.Subject, result.Time(f.Onset))
		}
	}
}

// TestHostsFaultIsOneFinding checks that preflights which are refused on all routes of a
// host since one time are one finding, also if the people are accepted elsewhere meanwhile.
func TestHostsFaultIsOneFinding(t *testing.T) {
	for _, signedIn := range []bool{false, true} {
		w := newWorld(4)
		for i := range 30 {
			address := fmt.Sprintf("198.51.100.%d", i)
			w.agents[address] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
			if signedIn {
				w.add(7*time.Hour, "GET", "/v2/me", "", "", address, "401")
				w.add(7*time.Hour+20*time.Second, "POST", "/login", "", "", address, "200")
			}
			for at := 7*time.Hour + w.minutes(60); at < 17*time.Hour; at += w.minutes(40) {
				path, status := []string{"/v2/items", "/v2/profile", "/v2/basket"}[w.r.IntN(3)], "204"
				if at > 12*time.Hour {
					status = "401"
				}
				w.add(at, "OPTIONS", path, "", "", address, status)
				if status == "204" {
					w.add(at, "GET", path, "", "", address, "200")
				}
				if signedIn {
					w.add(at+2*time.Second, "GET", "/v2/me", "", "", address, "200")
				}
			}
		}
		_, findings := w.scan(t, 1)
		if f := want(t, findings, "cors_preflight")[0]; f.Fold == nil || f.Fold.Members != 3 || f.Fold.By != result.FoldedByHost {
			t.Errorf("signed in %v: found %+v %+v", signedIn, f.Subject, f.Fold)
		}
	}
}

// TestManifestOfOpenPages checks that a manifest which nobody gets is found where no
// route is known to be protected, and that an icon is not which those are refused who get
// no page either.
func TestManifestOfOpenPages(t *testing.T) {
	for _, open := range []bool{true, false} {
		w := newWorld(6)
		for i := range 40 {
			address, page := fmt.Sprintf("198.51.100.%d", i), "200"
			if !open {
				page = "401"
			}
			for range 3 {
				at := w.minutes(1400)
				w.add(at, "GET", "/start", "", "", address, page)
				w.add(at+time.Second, "GET", "/site.webmanifest", "", "", address, "401")
			}
		}
		_, findings := w.scan(t, 1)
		if found := len(findings) == 1 && findings[0].Kind == "uncredentialed_asset"; found != open {
			t.Errorf("open %v: found %+v", open, findings)
		}
	}
}

// TestLinksOverHTTP checks that links over http are found that members follow at a time
// when nothing shows that they are signed in, and not if visits over https begin with a
// refusal as well.
func TestLinksOverHTTP(t *testing.T) {
	for _, ends := range []bool{false, true} {
		w := newWorld(8)
		visit := func(at time.Duration, address, scheme, status string) {
			w.add(at, "GET", "/account", "", "", address, status)
			w.requests[len(w.requests)-1].scheme = scheme
		}
		for i := range 30 {
			address := fmt.Sprintf("198.51.100.%d", i)
			for range 3 {
				at := w.minutes(1200)
				visit(at, address, "http", "401")
				at += 3 * time.Hour
				if ends {
					visit(at, address, "https", "401")
				}
				for range 4 {
					at += 30 * time.Second
					visit(at, address, "https", "200")
				}
			}
		}
		_, findings := w.scan(t, 1)
		if found := len(findings) == 1 && findings[0].Kind == "insecure_scheme"; found == ends {
			t.Errorf("ends %v: found %+v", ends, findings)
		}
	}
}

// TestVersionRefusedFromTheStart checks that a version of a program which one route refuses
// all day is found at a site that refuses nothing else, and that versions of a robot are
// not.
func TestVersionRefusedFromTheStart(t *testing.T) {
	for _, everywhere := range []bool{true, false} {
		w := newWorld(12)
		for i := range 45 {
			address, version := fmt.Sprintf("198.51.100.%d", i), i%3
			w.agents[address] = fmt.Sprintf("DeskSync/3.%d.0 (Windows 11)", version)
			for at := 7*time.Hour + w.minutes(60); at < 19*time.Hour; at += w.minutes(30) {
				if everywhere {
					w.add(at, "GET", "/sync/delta", "", "", address, "200")
				}
				status := "201"
				if version == 1 {
					status = "401"
				}
				w.add(at+time.Second, "POST", "/sync/upload", "", "", address, status)
			}
		}
		_, findings := w.scan(t, 1)
		found := len(findings) == 1 && findings[0].Kind == "client_software_failure" && findings[0].Subject.UserAgent == "DeskSync/3.1.0"
		if found != everywhere {
			t.Errorf("accepted elsewhere %v: found %+v", everywhere, findings)
		}
	}
}

// TestPermissionOfFew checks that a route which refuses three of seven users whenever they ask
// is found, and one that refuses users now and then is not one of permissions.
func TestPermissionOfFew(t *testing.T) {
	for _, always := range []bool{true, false} {
		w := newWorld(3)
		w.users = true
		for i := range 7 {
			user, address, at := fmt.Sprint("clerk", i), fmt.Sprintf("10.0.0.%d", i), 8*time.Hour+w.minutes(240)
			w.add(at, "POST", "/login", user, "", address, "302")
			for k := range 24 {
				at += time.Minute + w.minutes(2)
				path, status := fmt.Sprintf("/wiki/page%d", k%3), "200"
				if k%4 == 3 {
					path = "/finance"
					if always && i < 3 || !always && w.r.IntN(7) < 3 {
						status = "401"
					}
				}
				w.add(at, "GET", path, user, "", address, status)
			}
		}
		_, findings := w.scan(t, 1)
		found := slices.ContainsFunc(findings, func(f result.Finding) bool {
			return f.Kind == "permission_denied_as_401" && f.Subject.Route == "/finance" && f.Unauthorized == 18
		})
		if found != always {
			t.Errorf("always refused %v: found %v of %+v", always, found, findings)
		}
	}
}

// TestVisitorsOfCampaign checks that a crowd that opens a public page whose calls require a
// session is no alarm where newcomers are refused at any time, and that it is one elsewhere.
func TestVisitorsOfCampaign(t *testing.T) {
	for _, usual := range []bool{true, false} {
		w := newWorld(21)
		w.sessionIDs = true
		n := 0
		visit := func(at time.Duration, member, ask bool) {
			address, id := fmt.Sprintf("198.51.%d.%d", n/250, n%250), ""
			if n++; member {
				id = fmt.Sprintf("s%d", n)
			}
			w.add(at, "GET", "/", "", "", address, "200")
			for k := range time.Duration(3) {
				switch {
				case member:
					w.add(at+k*time.Minute, "GET", "/api/me", "", id, address, "200")
				case ask && k == 0:
					w.add(at+time.Second, "GET", "/api/me", "", "", address, "401")
				}
				w.add(at+k*time.Minute+2*time.Second, "GET", "/garden", "", "", address, "200")
			}
		}
		for i := range 300 {
			visit(w.minutes(1400), i%2 == 0, usual)
		}
		for range 700 {
			visit(10*time.Hour+w.minutes(60), false, true)
		}
		_, findings := w.scan(t, 1)
		if alarm := len(findings) > 0 && findings[0].Kind == "unauthorized_spike" && findings[0].Severity >= result.Medium; alarm == usual {
			t.Errorf("usual %v: found %+v", usual, findings)
		}
	}
}
