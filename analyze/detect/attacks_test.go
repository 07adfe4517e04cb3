package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/fixtures/trials"
)

// everyday returns a site with ordinary users, to which a test adds others. The log
// names users where they sign in, as with Basic authentication or an application that
// passes the name to its web server.
func everyday(seed uint64) *world {
	w := newWorld(seed)
	w.sessionIDs, w.users = true, true
	w.run(50)
	return w
}

// minutes returns a random duration of less than n minutes.
func (w *world) minutes(n int) time.Duration {
	return time.Duration(w.r.Int64N(int64(n) * int64(time.Minute)))
}

// expectation is a finding that a test expects.
type expectation struct {
	kind     string
	subject  result.Subject
	severity result.Severity
	claims   func(request) bool // the 401s that it should explain
	entered  []string           // accounts that an attack opened
}

func TestAttacks(t *testing.T) {
	from := func(address string) func(request) bool {
		return func(r request) bool { return r.address == address }
	}
	inNetwork := func(network string) func(request) bool {
		p, _ := networkOf(network)
		return func(r request) bool {
			q, ok := networkOf(r.address)
			return ok && p == q
		}
	}
	client := func(address string) result.Subject { return result.Subject{Type: "client", ClientAddress: address} }
	for i, x := range []struct {
		name string
		add  func(w *world)
		want []expectation
	}{
		{"fast guesses at one account", func(w *world) {
			at := 9*time.Hour + w.minutes(60)
			for range 60 {
				w.add(at, "POST", "/login", "root", "", "203.0.113.5", "401")
				at += time.Duration(1+w.r.IntN(4)) * time.Second
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"slow guesses at three accounts, by many user agents", func(w *world) {
			for i := range 90 {
				w.add(time.Duration(i)*9*time.Minute+w.minutes(5), "GET", "/report", fmt.Sprintf("user%d", i%3), "", "203.0.113.5", "401")
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"guesses by a client that asks without credentials first", func(w *world) {
			at := 9*time.Hour + w.minutes(60)
			for range 60 {
				w.add(at, "GET", "/app/mail", "", "", "203.0.113.5", "401")
				w.add(at+time.Second, "GET", "/app/mail", "admin", "", "203.0.113.5", "401")
				at += time.Duration(4+w.r.IntN(9)) * time.Second
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"guesses of which the log does not name the accounts", func(w *world) {
			for i := range 90 {
				w.add(9*time.Hour+time.Duration(i)*9*time.Second, "POST", "/login", "", "", "203.0.113.5", "401")
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"a flood of requests of one page that nobody is known to sign in at", func(w *world) {
			for i := range 240 {
				w.add(9*time.Hour+time.Duration(i)*1100*time.Millisecond, "GET", "/admin/", "", "", "203.0.113.5", "401")
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"a browser that asks all morning where others answer a challenge", func(w *world) {
			w.add(8*time.Hour, "GET", "/manage", "", "", "198.51.100.4", "401")
			w.add(8*time.Hour+6*time.Second, "GET", "/manage", "", "", "198.51.100.4", "200")
			w.agents["203.0.113.5"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
			for i := range 200 {
				w.add(9*time.Hour+time.Duration(i)*time.Minute, "GET", "/manage", "", "", "203.0.113.5", "401")
			}
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"guesses that succeed", func(w *world) {
			at := 9*time.Hour + w.minutes(60)
			for range 80 {
				w.add(at, "POST", "/login", "user7", "", "203.0.113.5", "401")
				at += 3 * time.Second
			}
			w.add(at, "POST", "/login", "user7", "", "203.0.113.5", "302")
		}, []expectation{{"brute_force", client("203.0.113.5"), result.Critical, from("203.0.113.5"), []string{"user7"}}}},
		{"guesses from an office that hundreds work in", func(w *world) {
			w.office(200, "198.51.100.9")
			at := 11 * time.Hour
			for range 60 {
				w.add(at, "POST", "/login", "root", "", "198.51.100.9", "401")
				at += 2 * time.Second
			}
		}, []expectation{{"brute_force", client("198.51.100.9"), result.Medium, func(r request) bool { return r.user == "root" }, nil}}},
		{"one account from many addresses", func(w *world) {
			for i := range 40 {
				for range 1 + w.r.IntN(3) {
					w.add(6*time.Hour+w.minutes(600), "POST", "/login", "user9", "", fmt.Sprintf("203.0.113.%d", i), "401")
				}
			}
		}, []expectation{{"distributed_guessing", result.Subject{Type: "account", User: "user9"}, result.Medium,
			func(r request) bool { return r.user == "user9" && r.address[:6] == "203.0." }, nil}}},
		{"guesses at accounts whose owners have left", func(w *world) {
			for i := range 2 {
				user := fmt.Sprintf("early%d", i)
				w.add(6*time.Hour, "POST", "/login", user, "", "198.51.100.20", "302")
				for n := range 20 {
					w.add(6*time.Hour+time.Duration(n)*time.Minute, "GET", "/app/home", user, "e"+user, "198.51.100.20", "200")
				}
			}
			for i := range 60 {
				w.add(12*time.Hour+time.Duration(i)*4*time.Second, "POST", "/login", "early0", "", "203.0.113.5", "401")
			}
			for i := range 40 {
				w.add(9*time.Hour+w.minutes(600), "POST", "/login", "early1", "", fmt.Sprintf("203.0.114.%d", i), "401")
			}
		}, []expectation{
			{"brute_force", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil},
			{"distributed_guessing", result.Subject{Type: "account", User: "early1"}, result.Medium,
				func(r request) bool { return r.user == "early1" }, nil},
		}},
		{"a few tries at each of many accounts", func(w *world) {
			for round := range 3 {
				for i := range 50 {
					w.add(time.Duration(6+2*round)*time.Hour+w.minutes(60), "POST", "/login", fmt.Sprintf("user%d", i), "", "203.0.113.5", "401")
				}
			}
		}, []expectation{{"password_spraying", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"one password at each account of the site, fast", func(w *world) {
			for i := range 40 {
				at := 6*time.Hour + time.Duration(i)*2*time.Second
				w.add(at, "GET", "/app/mail", "", "", "203.0.113.5", "401")
				w.add(at+time.Second, "GET", "/app/mail", fmt.Sprintf("user%d", i), "", "203.0.113.5", "401")
			}
		}, []expectation{{"password_spraying", client("203.0.113.5"), result.Medium, from("203.0.113.5"), nil}}},
		{"stolen passwords, of which two work", func(w *world) {
			at := 9*time.Hour + w.minutes(60)
			for i := range 120 {
				status := "401"
				if i == 40 || i == 77 {
					status = "302"
				}
				w.add(at, "POST", "/login", fmt.Sprintf("leaked%d@example.com", i), "", "203.0.113.5", status)
				at += time.Duration(2+w.r.IntN(9)) * time.Second
			}
		}, []expectation{{"credential_stuffing", client("203.0.113.5"), result.Critical, from("203.0.113.5"),
			[]string{"leaked40@example.com", "leaked77@example.com"}}}},
		{"stolen passwords from many addresses", func(w *world) {
			at := 9*time.Hour + w.minutes(60)
			for i := range 160 {
				w.add(at, "POST", "/login", fmt.Sprintf("leaked%d@example.com", i), "", fmt.Sprintf("203.0.113.%d", i%20), "401")
				at += time.Duration(2+w.r.IntN(9)) * time.Second
			}
		}, []expectation{{"credential_stuffing", result.Subject{Type: "site", Host: "www.example.org"}, result.Medium,
			func(r request) bool { return r.address[:6] == "203.0." }, nil}}},
		{"each address of a /64 guesses at an account", func(w *world) {
			for i := range 12 {
				at := 9*time.Hour + w.minutes(300)
				for range 30 {
					w.add(at, "POST", "/login", fmt.Sprintf("user%d", i), "", fmt.Sprintf("2001:db8:5:6:%x::1", i+1), "401")
					at += time.Duration(1+w.r.IntN(4)) * time.Second
				}
			}
		}, []expectation{{"brute_force", client("2001:db8:5:6::/64"), result.Medium, inNetwork("2001:db8:5:6::/64"), nil}}},
		{"stolen passwords, each from another address of a /64", func(w *world) {
			for i := range 400 {
				w.add(9*time.Hour+time.Duration(i)*4*time.Second+w.minutes(1), "POST", "/login", fmt.Sprintf("leaked%d", i), "", fmt.Sprintf("2001:db8:5:6:%x::%x", w.r.IntN(65536), i), "401")
			}
		}, []expectation{{"credential_stuffing", client("2001:db8:5:6::/64"), result.Medium, inNetwork("2001:db8:5:6::/64"), nil}}},
		{"stolen passwords, two from each address of a /24, of which one works", func(w *world) {
			for i := range 300 {
				status := "401"
				if i == 150 {
					status = "302"
				}
				w.add(9*time.Hour+time.Duration(i)*10*time.Second+w.minutes(1), "POST", "/login", fmt.Sprintf("leaked%d", i), "", fmt.Sprintf("203.0.113.%d", i%150), status)
			}
		}, []expectation{{"credential_stuffing", client("203.0.113.0/24"), result.Critical, inNetwork("203.0.113.0/24"), []string{"leaked150"}}}},
	} {
		if testing.Short() && i > 0 {
			break // the others run the same code
		}
		for seed := range trials.Seeds(3) {
			t.Run(fmt.Sprintf("%s/%d", x.name, seed), func(t *testing.T) {
				t.Parallel()
				w := everyday(seed)
				x.add(w)
				_, findings := w.scan(t, 2)
				w.expect(t, findings, x.want)
			})
		}
	}
}

// expect checks that the findings of medium severity or above are exactly these, and
// that they explain the right refusals.
func (w *world) expect(t *testing.T, findings []result.Finding, all []expectation) {
	t.Helper()
	kinds := make([]string, len(all))
	for i := range all {
		kinds[i] = all[i].kind
	}
	for i, f := range want(t, findings, kinds...) {
		x := all[i]
		own := int64(0)
		for _, r := range w.requests {
			if r.status == "401" && x.claims(r) {
				own++
			}
		}
		if f.Subject != x.subject || f.Severity < x.severity || x.severity == result.Critical && f.Severity != result.Critical {
			t.Errorf("found %v %+v, want %v %+v", f.Severity, f.Subject, x.severity, x.subject)
		}
		if f.Unauthorized < own*95/100 || f.Unauthorized > own+own/20 {
			t.Errorf("%s explains %d 401s, want %d", f.Kind, f.Unauthorized, own)
		}
		if a, ok := f.Details.(*Attack); ok && !slices.Equal(a.Compromised, x.entered) {
			t.Errorf("%s: compromised accounts %v, want %v", f.Kind, a.Compromised, x.entered)
		}
	}
}

// TestLockedAccountInSmallLog checks that a log of a few hundred lines shows a locked
// account, even if its owner also tries from another device.
func TestLockedAccountInSmallLog(t *testing.T) {
	w := newWorld(5)
	w.sessionIDs, w.users = true, true
	w.run(10)
	own := func(at time.Duration, address, status string) {
		w.add(at, "POST", "/login", "kim", "", address, status)
	}
	for i := range 3 {
		at := time.Duration(7+i) * time.Hour
		own(at, "198.51.100.30", "302")
		w.add(at+time.Minute, "GET", "/app/home", "kim", fmt.Sprintf("kim%d", i), "198.51.100.30", "200")
	}
	for i := range 4 {
		own(11*time.Hour+time.Duration(i)*90*time.Second+w.minutes(1), "198.51.100.30", "401")
	}
	own(11*time.Hour+40*time.Minute, "203.0.113.77", "401")
	_, findings := w.scan(t, 1)
	f := want(t, findings, "account_failure")[0]
	if f.Subject.User != "kim" || f.Unauthorized != 5 {
		t.Errorf("found %+v with %d 401s", f.Subject, f.Unauthorized)
	}
}

// office adds people who share an address and a browser. They mistype as others do,
// and some give up.
func (w *world) office(people int, address string) {
	w.subscribers(people, func() string { return address })
}

// subscribers adds people like those of an office, each visit from an address that next
// returns.
func (w *world) subscribers(people int, next func() string) {
	for i := range people {
		user := fmt.Sprintf("clerk%d", i)
		at := 7*time.Hour + w.minutes(180)
		for range 3 {
			address := next()
			wrong := 0
			if w.r.IntN(4) == 0 {
				wrong = 1 + w.r.IntN(4)
			}
			for range wrong {
				w.add(at, "POST", "/login", user, "", address, "401")
				at += time.Duration(4+w.r.IntN(15)) * time.Second
			}
			if wrong > 2 && w.r.IntN(3) == 0 {
				break
			}
			session := fmt.Sprintf("o%d-%d", i, at)
			w.add(at, "POST", "/login", user, "", address, "302")
			for range 20 {
				at += w.minutes(4)
				w.add(at, "GET", "/app/home", user, session, address, "200")
			}
			at += w.minutes(90)
		}
	}
}

// TestNoAttack checks that many people at one address, and owners who mistype, are not
// reported as attacks.
func TestNoAttack(t *testing.T) {
	for i, x := range []struct {
		name string
		add  func(w *world)
	}{
		{"an office behind one address", func(w *world) { w.office(300, "198.51.100.9") }},
		{"subscribers of a carrier, with an address for each visit", func(w *world) {
			w.subscribers(300, func() string { return fmt.Sprintf("198.51.100.%d", w.r.IntN(250)) })
		}},
		{"a household, with an address for each visit", func(w *world) {
			w.subscribers(6, func() string { return fmt.Sprintf("2001:db8:7:8::%x", w.r.IntN(65536)) })
		}},
		{"a forgotten password", func(w *world) {
			at := 9 * time.Hour
			for range 14 {
				w.add(at, "POST", "/login", "user400", "", "198.51.100.7", "401")
				at += time.Duration(6+w.r.IntN(30)) * time.Second
			}
			w.add(at, "POST", "/login", "user400", "", "198.51.100.7", "302")
		}},
		{"an account that is locked", func(w *world) {
			w.add(7*time.Hour, "POST", "/login", "", "", "198.51.100.6", "302")
			for i := range 20 {
				w.add(7*time.Hour+time.Duration(i)*time.Minute, "GET", "/app/home", "", "", "198.51.100.6", "200")
			}
			at := 12 * time.Hour
			for range 32 {
				w.add(at, "POST", "/login", "", "", "198.51.100.6", "401")
				at += time.Duration(8+w.r.IntN(30)) * time.Second
			}
		}},
		{"a kiosk", func(w *world) {
			at := 8 * time.Hour
			for i := range 120 {
				for range w.r.IntN(4) {
					w.add(at, "POST", "/login", fmt.Sprintf("guest%d", i), "", "198.51.100.8", "401")
					at += time.Duration(4+w.r.IntN(9)) * time.Second
				}
				w.add(at, "POST", "/login", fmt.Sprintf("guest%d", i), "", "198.51.100.8", "302")
				w.add(at+time.Second, "GET", "/app/home", fmt.Sprintf("guest%d", i), fmt.Sprintf("k%d", i), "198.51.100.8", "200")
				at += time.Minute
				w.add(at, "POST", "/logout", fmt.Sprintf("guest%d", i), fmt.Sprintf("k%d", i), "198.51.100.8", "302")
				at += 10 * time.Second
			}
		}},
		{"an owner on the move", func(w *world) {
			for i := range 30 {
				address, at := fmt.Sprintf("198.51.100.%d", i), 7*time.Hour+time.Duration(i)*20*time.Minute
				w.add(at, "POST", "/login", "user500", "", address, "401")
				w.add(at+9*time.Second, "POST", "/login", "user500", "", address, "302")
				w.add(at+11*time.Second, "GET", "/app/home", "user500", fmt.Sprintf("m%d", i), address, "200")
			}
		}},
	} {
		if testing.Short() && i > 0 {
			break // the others run the same code
		}
		for _, named := range []bool{true, false} {
			for seed := range trials.Seeds(3) {
				t.Run(fmt.Sprintf("%s/named %v/%d", x.name, named, seed), func(t *testing.T) {
					t.Parallel()
					w := newWorld(seed)
					w.sessionIDs, w.users = named, named
					w.run(60)
					x.add(w)
					_, findings := w.scan(t, 1)
					want(t, findings)
				})
			}
		}
	}
}

// TestFormOfAnOffice checks that people behind one address who mistype all day are no attack if
// the log names users only where they are accepted.
func TestFormOfAnOffice(t *testing.T) {
	w := everyday(5)
	for i := range 25 {
		user, at := fmt.Sprintf("clerk%d", i), 7*time.Hour+w.minutes(120)
		for at < 18*time.Hour {
			if w.r.IntN(4) == 0 {
				w.add(at, "POST", "/login", "", "", "203.0.113.9", "401")
				at += time.Duration(4+w.r.IntN(15)) * time.Second
			}
			w.add(at, "POST", "/login", user, "", "203.0.113.9", "302")
			w.add(at+time.Second, "GET", "/account", user, "", "203.0.113.9", "200")
			at += 20*time.Minute + w.minutes(20)
		}
	}
	w.add(6*time.Hour, "POST", "/login", "", "", "203.0.113.9", "401") // before anybody is known there
	_, findings := w.scan(t, 2)
	want(t, findings)
}
