package session

import (
	"slices"
	"testing"
)

// TestNamelessChallenges checks that a client that repeats what was refused, and is
// accepted each time, answers challenges, although the log names no users and its
// connections carry further requests; one that is refused again now and then does not.
func TestNamelessChallenges(t *testing.T) {
	lines := func(answer string) []string {
		return each(0, 300, 10, "@ c1 - - PROPFIND /files/a 401", answer, "@.9 c1 - - PUT /files/b 201", "@.95 c1 - - GET /files/c 200")
	}
	for name, test := range map[string]struct {
		lines []string
		want  Cause
	}{
		"answered by 207":               {lines("@.3 c1 - - PROPFIND /files/a 207"), Challenge},
		"answered by 423, with cookies": {each(0, 300, 10, "@ c1 - s1 LOCK /files/a 401", "@.3 c1 - s1 LOCK /files/a 423", "@.9 c1 - s1 GET /files/c 200"), Challenge},
		"registry without the image": {
			append(each(0, 300, 6, "@ c1 ida - GET /v2/lib/manifests/1 200", "@.1 c1 - - GET /v2/ 401", "@.3 c1 ida - GET /oauth/token 200", "@.6 c1 - - GET /v2/gone/manifests/1 404"),
				"1800 c1 ida - GET /v2/lib/manifests/1 200"), Challenge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			ev := correlate(t, test.lines...)
			for i := range ev.Refusals.Len() {
				if c := ev.Refusals.At(i).Cause; c != test.want {
					t.Fatalf("refusal %d: %v", i, c)
				}
			}
		})
	}
	broken := append(lines("@.3 c1 - - PROPFIND /files/a 207"), each(100, 300, 10, "@ c1 - - GET /files/gone 401", "@.2 c1 - - GET /files/gone 401")...)
	ev := correlate(t, broken...)
	for i := range ev.Refusals.Len() {
		r := ev.Refusals.At(i)
		if route := ev.State.Endpoints[r.Endpoint].Template; (r.Cause == Challenge) != (route == "/files/a") {
			t.Errorf("beside a route that refuses everybody, a refusal on %s: %v", route, r.Cause)
		}
	}
	random := append(lines("@.3 c1 - - PROPFIND /files/a 401"), each(3000, 60, 20, "@ c1 - - PROPFIND /files/a 200")...)
	ev = correlate(t, random...)
	for i := range ev.Refusals.Len() {
		if r := ev.Refusals.At(i); r.Cause == Challenge && !r.SignIn && r.Back && r.Alive {
			t.Error("a refusal of a session that lives on is a challenge")
		}
	}
}

// TestSharedClients checks that the sessions of several people behind one address and
// browser do not count as those of one.
func TestSharedClients(t *testing.T) {
	alone := append(each(0, 700, 6, "@ c1 ida - GET /desk 200", "@.5 c1 ida - GET /mail 200"), "9000 c9 - - GET /desk 401", "9001 c9 - - GET /mail 401")
	office := append(each(0, 700, 6, "@ c1 ida - GET /desk 200", "@.5 c1 ben - GET /mail 200"), alone[12:]...)
	nameless := each(0, 700, 6, "@ c1 - - POST /login 302", "@.5 c1 - - GET /desk 200", "@.8 c1 - - POST /login 302", "@.9 c1 - - GET /mail 200")
	nameless = append(nameless, alone[12:]...)
	federated := each(0, 700, 6, "@ c1 - - GET /back?code=a&state=b 302", "@.5 c1 - - GET /desk 200", "@.8 c1 - - GET /back?code=c&state=d 302", "@.9 c1 - - GET /mail 200")
	federated = append(federated, alone[12:]...)
	for name, test := range map[string]struct {
		lines []string
		want  bool
	}{
		"one person": {alone, false}, "two people": {office, true}, "two people without names": {nameless, true}, "two people of a provider": {federated, true},
	} {
		t.Run(name, func(t *testing.T) {
			ev := correlate(t, append(slices.Clone(test.lines), "9100 c1 - - GET /desk 401")...)
			for i := range ev.Refusals.Len() {
				if r := ev.Refusals.At(i); ev.State.Addresses[r.Address] == "c1" && r.Shared != test.want {
					t.Errorf("shared: %v", r.Shared)
				}
			}
		})
	}
}
