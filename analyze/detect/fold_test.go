package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// foldWorld makes findings, each with refusals of its own from one address.
type foldWorld struct {
	d        *Diagnosis
	all      []*candidate
	lines    []timeline.Refusal
	refusals []session.Refusal
}

func newFoldWorld() *foldWorld {
	ev := &session.Evidence{State: &timeline.State{Endpoints: []timeline.Endpoint{{}}}, To: 86_400_000, Width: 60_000}
	return &foldWorld{d: &Diagnosis{Evidence: ev}}
}

// add adds a finding that explains n refusals from an address. Its onset is in seconds
// since the day began, NoTime for none.
func (w *foldWorld) add(kind string, s result.Subject, onset int64, n int, address string) *candidate {
	c := candidate{}
	c.Kind, c.Subject, c.Severity, c.Onset = kind, s, result.Medium, parse.NoTime
	k, _ := KindOf(kind)
	c.Category, c.Details = string(k.Category), k.Details()
	if onset != parse.NoTime {
		c.Onset = onset * 1e6
	}
	c.ID = findingID(kind, s)
	at := uint32(len(w.d.State.Addresses))
	w.d.State.Addresses = append(w.d.State.Addresses, address)
	for range n {
		c.claims = append(c.claims, uint32(len(w.refusals)))
		w.refusals = append(w.refusals, session.Refusal{Actor: at + 1, Address: at})
		w.lines = append(w.lines, timeline.Refusal{Time: max(c.Onset, 0)})
	}
	c.pack()
	w.d.Refusals = spill.TableOf(w.refusals)
	w.d.State.Refusals = spill.TableOf(w.lines)
	w.all = append(w.all, &c)
	return &c
}

// failing adds an account that was last accepted some seconds before its onset.
func (w *foldWorld) failing(user string, onset, before int64) {
	c := w.add("account_failure", result.Subject{Type: "account", User: user}, onset, 10, "192.0.2.1")
	c.Details = &FailingAccount{LastAccepted: result.Time((onset - before) * 1e6), FirstRefused: result.Time(onset * 1e6)}
}

func (w *foldWorld) told() []unit {
	return w.d.fold(w.all, func(string) *result.Muted { return nil })
}

func client(address string) result.Subject {
	return result.Subject{Type: "client", ClientAddress: address}
}

func TestFold(t *testing.T) {
	route := func(host, route string) result.Subject {
		return result.Subject{Type: "endpoint", Host: host, Method: "GET", Route: route}
	}
	for _, x := range []struct {
		name string
		make func(w *foldWorld)
		want []string // subject, members and reason of what is told
	}{
		{"one finding stays as it is", func(w *foldWorld) {
			w.add("brute_force", client("2001:db8::1"), 100, 30, "2001:db8::1")
		}, []string{"2001:db8::1"}},
		{"two addresses of a /64", func(w *foldWorld) {
			w.add("brute_force", client("2001:db8::1"), 100, 30, "2001:db8::1")
			w.add("brute_force", client("2001:db8::ffff:2"), 90, 40, "2001:db8::ffff:2")
		}, []string{"2001:db8::/64 2 network"}},
		{"two neighbouring /64", func(w *foldWorld) {
			w.add("brute_force", client("2001:db8:0:1::1"), 100, 30, "2001:db8:0:1::1")
			w.add("brute_force", client("2001:db8:0:2::1"), 90, 40, "2001:db8:0:2::1")
		}, []string{"2001:db8:0:2::1", "2001:db8:0:1::1"}},
		{"two addresses of a /24 are two customers", func(w *foldWorld) {
			w.add("auth_scanner", client("198.51.100.1"), 100, 30, "198.51.100.1")
			w.add("auth_scanner", client("198.51.100.2"), 90, 40, "198.51.100.2")
		}, []string{"198.51.100.2", "198.51.100.1"}},
		{"three addresses of a /24, one as IPv6", func(w *foldWorld) {
			for i, a := range []string{"198.51.100.1", "198.51.100.2", "::ffff:198.51.100.3"} {
				w.add("auth_scanner", client(a), int64(i), 30, a)
			}
		}, []string{"198.51.100.0/24 3 network"}},
		{"kinds stay apart", func(w *foldWorld) {
			w.add("brute_force", client("2001:db8::1"), 100, 30, "2001:db8::1")
			w.add("auth_scanner", client("2001:db8::2"), 90, 40, "2001:db8::2")
		}, []string{"2001:db8::2", "2001:db8::1"}},
		{"pseudonyms have no network", func(w *foldWorld) {
			for _, a := range []string{"addr-01", "addr-02", "addr-03"} {
				w.add("brute_force", client(a), 100, 30, a)
			}
		}, []string{"addr-01", "addr-02", "addr-03"}},
		{"monitors with different programs stay apart", func(w *foldWorld) {
			for i, agent := range []string{"check/1", "check/1", "ping/2"} {
				s := client(fmt.Sprintf("2001:db8::%d", i+1))
				s.UserAgent = agent
				w.add("unauthenticated_probe", s, parse.NoTime, 30, s.ClientAddress)
			}
		}, []string{"check/1 at 2001:db8::/64 2 network", "ping/2 at 2001:db8::3"}},
		{"accounts under one attack", func(w *foldWorld) {
			for i, user := range []string{"ann", "bob", "cyd"} {
				w.add("distributed_guessing", result.Subject{Type: "account", User: user}, int64(i), 30, fmt.Sprintf("2001:db8::%d", i))
			}
			w.add("distributed_guessing", result.Subject{Type: "account", User: "dan"}, 9, 20, "203.0.113.9")
		}, []string{"2001:db8::/64 3 attack", "dan"}},
		{"accounts that are locked at once", func(w *foldWorld) {
			for i := range 5 {
				w.failing(fmt.Sprintf("u%d", i), 36_000+int64(20*i), 300)
			}
			w.failing("other", 70_000, 300)
		}, []string{"192.0.2.0/24 5 onset", "other"}},
		{"accounts that fail at times of their own", func(w *foldWorld) {
			for i := range 4 {
				w.failing(fmt.Sprintf("u%d", i), 10_000*int64(i+1), 300)
			}
		}, []string{"u0", "u1", "u2", "u3"}},
		{"accounts of which nobody knows when they began to fail", func(w *foldWorld) {
			for i := range 4 {
				w.failing(fmt.Sprintf("u%d", i), 40_000+int64(i), 20_000)
			}
		}, []string{"u0", "u1", "u2", "u3"}},
		{"routes below a prefix, since one time", func(w *foldWorld) {
			for _, r := range []string{"/api/v2/a", "/api/v2/b/{id}", "/api/v2/c"} {
				w.add("endpoint_misconfigured", route("www", r), 50_000, 20, "192.0.2.7")
			}
			w.add("endpoint_misconfigured", route("other", "/api/v2/a"), 50_000, 10, "192.0.2.7")
		}, []string{"GET www/api/v2/ 3 onset", "GET other/api/v2/a"}},
		{"two integrations with different onsets", func(w *foldWorld) {
			for i, at := range []int64{30_000, 60_000} {
				s := result.Subject{Type: "client", ClientAddress: fmt.Sprintf("10.0.0.%d", i+1), UserAgent: "sync/1"}
				c := w.add("integration_failure", s, at, 20, s.ClientAddress)
				c.Details = &FailingIntegration{LastAccepted: result.Time((at - 60) * 1e6), FirstRefused: result.Time(at * 1e6)}
			}
		}, []string{"sync/1 at 10.0.0.1", "sync/1 at 10.0.0.2"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newFoldWorld()
			x.make(w)
			var got []string
			told := w.told()
			for i := range told {
				u := &told[i]
				s := u.Subject.Name()
				if u.Fold != nil {
					s += fmt.Sprintf(" %d %s", u.Fold.Members, u.Fold.By)
				}
				got = append(got, s)
			}
			slices.Sort(got)
			slices.Sort(x.want)
			if !slices.Equal(got, x.want) {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

// TestFoldMany checks that many findings are one, but not those of attacks that succeeded.
func TestFoldMany(t *testing.T) {
	w := newFoldWorld()
	for i := range foldMany + 10 {
		a := fmt.Sprintf("10.%d.0.1", i)
		c := w.add("brute_force", client(a), int64(i), 30+i, a)
		if i < 2 {
			c.Severity = result.Critical
			c.Details = &Attack{Successes: 1, Compromised: []string{"ann"}, FirstSuccess: 5}
		}
	}
	told := w.told()
	if len(told) != 3 || told[0].Fold != nil || told[2].Fold == nil || told[2].Fold.Members != foldMany+8 {
		t.Fatalf("%d findings", len(told))
	}
	if n := told[2].packed.n; n < 30*(foldMany+8) || !slices.IsSorted(slices.Collect(told[2].packed.each)) {
		t.Errorf("%d refusals, or not in their order", n)
	}
}

// TestFoldBreakIn checks that a fold says who got in.
func TestFoldBreakIn(t *testing.T) {
	w := newFoldWorld()
	for i := range 3 {
		a := fmt.Sprintf("2001:db8::%d", i+1)
		c := w.add("brute_force", client(a), int64(i), 30, a)
		if i > 0 {
			c.Severity = result.Critical
			c.Details = &Attack{Successes: 1, Compromised: []string{fmt.Sprint("user", i)}, FirstSuccess: result.Time(10 - i)}
		}
	}
	told := w.told()
	b, ok := told[0].Fold.BreakIn(&told[0].Subject)
	slices.Sort(b.Accounts)
	if len(told) != 1 || !ok || told[0].Severity != result.Critical || !slices.Equal(b.Accounts, []string{"user1", "user2"}) || b.At != 8 {
		t.Errorf("%d findings, %+v %v", len(told), b, ok)
	}
}

// TestFoldLimit checks that findings beyond the limit are summed up by kind, and that
// the findings of a rare kind are told nevertheless.
func TestFoldLimit(t *testing.T) {
	w := newFoldWorld()
	const many = 3 * result.MaxFindings
	for i := range many {
		host := fmt.Sprintf("h%d.example.org", i)
		w.add("session_expiry", result.Subject{Type: "session_policy", Host: host}, parse.NoTime, 10, "192.0.2.1")
	}
	c := w.add("account_failure", result.Subject{Type: "account", User: "rare"}, 5, 4, "192.0.2.1")
	c.Severity = result.Low
	muted := w.add("insecure_scheme", result.Subject{Type: "site", Host: "muted"}, 5, 4, "192.0.2.1")
	muted.Muted = &result.Muted{}
	told := w.told()
	rest := told[len(told)-1]
	if len(told) != result.MaxFindings+2 || !rest.Rest() || rest.Count() != many+1-result.MaxFindings || rest.packed.n != 10*rest.Count() {
		t.Errorf("%d told, the last for %d", len(told), rest.Count())
	}
	for _, kind := range []string{"account_failure", "insecure_scheme"} {
		if !slices.ContainsFunc(told, func(u unit) bool { return u.Kind == kind && u.Fold == nil }) {
			t.Errorf("%s is not told", kind)
		}
	}
}

// TestFoldIDs checks that the id of a fold does not depend on its members.
func TestFoldIDs(t *testing.T) {
	id := func(addresses ...string) string {
		w := newFoldWorld()
		for i, a := range addresses {
			w.add("brute_force", client(a), int64(i), 30, a)
		}
		return w.told()[0].ID
	}
	if a, b := id("2001:db8::1", "2001:db8::2"), id("2001:db8::7", "2001:db8::8", "2001:db8::9"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := id("2001:db8::1", "2001:db8::2"), id("2001:db8:0:1::1", "2001:db8:0:1::2"); a == b {
		t.Error("networks have the same id")
	}
}

// TestFoldedAttacks checks that attacks from one network are one finding with all their
// refusals, and that the trouble of others stands beside it.
func TestFoldedAttacks(t *testing.T) {
	for _, x := range []struct {
		name, kind string
		subject    result.Subject
		add        func(w *world, i int)
	}{
		{"addresses of a /24 guess at accounts that the log does not name", "brute_force", client("203.0.113.0/24"), func(w *world, i int) {
			at := 9*time.Hour + w.minutes(300)
			for range 60 {
				w.add(at, "POST", "/login", "", "", fmt.Sprintf("203.0.113.%d", i+1), "401")
				at += time.Duration(1+w.r.IntN(4)) * time.Second
			}
		}},
		{"a /24 guesses at each account from many addresses", "distributed_guessing", result.Subject{Type: "account", ClientAddress: "203.0.113.0/24"}, func(w *world, i int) {
			for j := range 25 {
				w.add(9*time.Hour+w.minutes(300), "POST", "/login", fmt.Sprintf("user%d", i), "", fmt.Sprintf("203.0.113.%d", (25*i+j)%250), "401")
			}
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			w := everyday(3)
			for i := range 12 {
				x.add(w, i)
			}
			_, findings := w.scan(t, 2)
			network, _ := networkOf(x.subject.ClientAddress)
			w.expect(t, findings, []expectation{{x.kind, x.subject, result.Medium, func(r request) bool {
				p, ok := networkOf(r.address)
				return ok && p == network
			}, nil}})
			if f := findings[0].Fold; f == nil || f.Members < 10 || len(f.Names) > result.MaxMembers {
				t.Errorf("it sums up %+v", f)
			}
		})
	}
}

// TestAttackersTogether checks that attackers that begin and end together are one attack, and
// that others are not: two of them, those of another time or size, and those of the whole day.
func TestAttackersTogether(t *testing.T) {
	for _, c := range []struct {
		name               string
		attackers, apart   int // apart: seconds between their beginnings
		from, until, small int // seconds; tries of the last one, 0 for as many as others
		want               int // findings
	}{
		{"a shared list", 4, 20, 36000, 37800, 0, 1},
		{"two", 2, 20, 36000, 37800, 0, 2},
		{"one after the other", 4, 900, 36000, 37800, 0, 4},
		{"all day", 4, 1, 0, 86390, 0, 4},
		{"one is small", 4, 20, 36000, 37800, 8, 2},
	} {
		w := newFoldWorld()
		for i := range c.attackers {
			address, tries := fmt.Sprintf("203.%d.113.9", i), 60
			if c.small > 0 && i == c.attackers-1 {
				tries = c.small
			}
			x := w.add("password_spraying", result.Subject{Type: "client", ClientAddress: address}, int64(c.from+i*c.apart), tries, address)
			x.FirstSeen, x.LastSeen = x.Onset, x.Onset+int64(c.until-c.from)*1e6
		}
		if told := w.told(); len(told) != c.want {
			t.Errorf("%s: %d findings, want %d", c.name, len(told), c.want)
		}
	}
}
