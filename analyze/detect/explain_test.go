package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/spill"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// fixedClaims returns a kind that proposes, for each subject, those of its claims that
// no finding explains yet, if they are at least least 401s. Like real kinds, it tests
// only what is left.
func fixedClaims(kind string, least int, subjects map[result.Subject][]uint32) Kind {
	return Kind{Name: kind, inspect: func(c *Diagnosis, _ observer) ([]candidate, error) {
		var found []candidate
		for s, claims := range subjects {
			open := slices.DeleteFunc(slices.Clone(claims), func(i uint32) bool { return !c.open(int(i)) })
			if len(open) >= least {
				title := strings.Join([]string{kind, s.Host, s.Route, s.User, s.ClientAddress, s.Upstream}, " ")
				found = append(found, candidate{Finding: result.Finding{Subject: s, Text: result.Text{Title: title}, Confidence: 0.9, Onset: parse.NoTime}, claims: open})
			}
		}
		return found, nil
	}}
}

// sequence returns the numbers in [from, to).
func sequence(from, to uint32) (list []uint32) {
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

func TestExplain(t *testing.T) {
	account := func(n int) result.Subject { return result.Subject{Type: "account", User: fmt.Sprint("user", n)} }
	client := func(n int) result.Subject {
		return result.Subject{Type: "client", ClientAddress: fmt.Sprint("10.0.0.", n)}
	}
	route := func(n int) result.Subject {
		return result.Subject{Type: "endpoint", Host: "h", Method: "GET", Route: fmt.Sprint("/", n)}
	}
	backend := result.Subject{Type: "upstream", Upstream: "10.8.0.1:80"}

	routesOfBackend, accountsOfSpray := map[result.Subject][]uint32{}, map[result.Subject][]uint32{}
	for n := range 40 {
		routesOfBackend[route(n)] = sequence(uint32(20*n), uint32(20*n+20))
	}
	for n := range 150 {
		accountsOfSpray[account(n)] = sequence(uint32(3*n), uint32(3*n+3))
	}
	for _, tt := range []struct {
		name      string
		detectors []Kind
		want      map[string]int // 401s by kind and subject
		absorbed  int            // by the first finding
	}{
		{"a bad backend is not forty bad routes", []Kind{
			fixedClaims("endpoint_misconfigured", 5, routesOfBackend),
			fixedClaims("upstream_misconfigured", 5, map[result.Subject][]uint32{backend: sequence(0, 800)}),
		}, map[string]int{"upstream_misconfigured     10.8.0.1:80": 800}, 40},
		{"an expired integration key is not a bad route", []Kind{
			fixedClaims("endpoint_misconfigured", 5, map[result.Subject][]uint32{route(1): sequence(0, 300)}),
			fixedClaims("integration_failure", 5, map[result.Subject][]uint32{client(1): sequence(0, 320)}),
		}, map[string]int{"integration_failure    10.0.0.1 ": 320}, 1},
		{"a client that tries all accounts is not so many failing accounts", []Kind{
			fixedClaims("account_failure", 3, accountsOfSpray),
			fixedClaims("password_spraying", 15, map[result.Subject][]uint32{client(1): sequence(0, 450)}),
		}, map[string]int{"password_spraying    10.0.0.1 ": 450}, 150},
		{"two troubles that share a few 401s both stand", []Kind{
			fixedClaims("endpoint_misconfigured", 5, map[result.Subject][]uint32{route(1): sequence(0, 300)}),
			fixedClaims("session_expiry", 8, map[result.Subject][]uint32{{Type: "session_policy", Host: "h"}: sequence(280, 700)}),
		}, map[string]int{"endpoint_misconfigured h /1   ": 280, "session_expiry h    ": 420}, 0},
		{"the rest of a proposal is tested again and is too small", []Kind{
			fixedClaims("endpoint_misconfigured", 5, map[result.Subject][]uint32{route(1): sequence(0, 23)}),
			fixedClaims("session_expiry", 8, map[result.Subject][]uint32{{Type: "session_policy", Host: "h"}: sequence(3, 700)}),
		}, map[string]int{"session_expiry h    ": 697}, 1},
		{"nothing", []Kind{fixedClaims("session_expiry", 8, nil)}, map[string]int{}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 { // the order of proposals is that of a map
				c := newDiagnosis(&session.Evidence{Workers: 2, State: &timeline.State{Endpoints: make([]timeline.Endpoint, 100)}, Refusals: spill.TableOf(make([]session.Refusal, 800))})
				c.closed = nil // all are open
				found, err := c.explain(tt.detectors)
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]int{}
				for place, f := range found {
					got[f.Title] = f.packed.n
					for i := range f.packed.each {
						if c.finding[i] != int32(place+1) {
							t.Fatalf("401 %d belongs to finding %d, want %d", i, c.finding[i], place+1)
						}
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Fatalf("got %v, want %v", got, tt.want)
				}
				absorbed := 0
				if len(found) > 0 {
					absorbed = found[0].AbsorbedCount
				}
				if absorbed != tt.absorbed {
					t.Errorf("the first finding absorbs %d others, want %d", absorbed, tt.absorbed)
				}
			}
		})
	}
}

// TestExplainIsBounded checks that many overlapping proposals cost a bounded number of
// inspections.
func TestExplainIsBounded(t *testing.T) {
	const n = 3000
	inspections := 0
	subjects := map[result.Subject][]uint32{}
	for i := range uint32(n) {
		subjects[result.Subject{Type: "client", ClientAddress: fmt.Sprint(i)}] = sequence(i, i+20)
	}
	d := fixedClaims("brute_force", 5, subjects)
	inner := d.inspect
	d.inspect = func(c *Diagnosis, seen observer) ([]candidate, error) { inspections++; return inner(c, seen) }
	c := newDiagnosis(&session.Evidence{Workers: 2, State: &timeline.State{}, Refusals: spill.TableOf(make([]session.Refusal, n+20))})
	c.closed = nil // all are open
	found, err := c.explain([]Kind{d})
	if err != nil || len(found) == 0 {
		t.Fatal(len(found), err)
	}
	if most := maxInspections + 2*maxRounds; inspections > most {
		t.Errorf("%d inspections, want at most %d", inspections, most)
	}
}

func TestOfNobody(t *testing.T) {
	for _, tt := range []struct {
		others  int64
		subject result.Subject
		want    bool
	}{
		{0, result.Subject{ClientAddress: timeline.OtherName}, false}, // a client whose logged address is that name
		{1, result.Subject{ClientAddress: timeline.OtherName}, true},
		{1, result.Subject{UserAgent: timeline.OtherName}, true},
		{1, result.Subject{ClientAddress: "192.0.2.7"}, false},
		{1, result.Subject{User: timeline.OtherName}, false},
	} {
		if got := ofNobody(&timeline.State{OtherClients: tt.others}, &tt.subject); got != tt.want {
			t.Errorf("%+v with %d others: %v", tt.subject, tt.others, got)
		}
	}
}
