package session

import (
	"fmt"
	"testing"

	"logscan/analyze/timeline"
)

// comings returns the lines of people whose sessions are refused now and then, wherever
// they are, and begin again with the given lines.
func comings(people, times int, signIn ...string) (all []string) {
	for p := range people {
		for i := range times {
			at := i*4000 + p*37
			all = append(all, each(at, 45, 9, fmt.Sprintf("@ c%d - - GET /app/list 200", p), fmt.Sprintf("@ c%d - - GET /app/item 200", p))...)
			all = append(all, fmt.Sprintf("%d c%d - - GET /app/list 401", at+3000, p), fmt.Sprintf("%d c%d - - GET /app/item 401", at+3001, p))
			for n, line := range signIn {
				all = append(all, fmt.Sprintf("%d c%d - - %s", at+3010+n, p, line))
			}
			all = append(all, fmt.Sprintf("%d c%d - - GET /app/list 200", at+3030, p))
		}
	}
	return all
}

// roles returns the role of an endpoint.
func roles(ev *Evidence, method, template string) Role {
	for i := range ev.State.Endpoints {
		if e := &ev.State.Endpoints[i]; e.Method == method && e.Template == template {
			return ev.Roles[i]
		}
	}
	return 0
}

func TestLearnedSignIns(t *testing.T) {
	for name, test := range map[string]struct {
		lines            []string
		method, template string
		want, not        Role
	}{
		"token endpoint of any name": {comings(3, 4, "POST /v3/entrance 201"), "POST", "/v3/entrance", SignsIn | Tries, Guards | redirectsIn},
		"assertion consumer":         {comings(3, 4, "GET /begin 302", "POST /sso/consume 302"), "POST", "/sso/consume", redirectsIn | Tries, SignsIn},
		"callback":                   {comings(2, 6, "GET /begin 302", "GET /back 302"), "GET", "/back", redirectsIn, SignsIn},
		"ticket for a page":          {append(comings(2, 6, "GET /start 302"), each(1, 70, 40, "@ c1 - - GET /start 200")...), "GET", "/start", redirectsIn, SignsIn | Tries},
		"one person is enough":       {comings(1, 8, "POST /enter.do 200"), "POST", "/enter.do", SignsIn | Tries, 0},
		"page that one program fetches in turn": {
			each(0, 30, 40, "@ c1 - - GET /api/b 401", "@.1 c1 - - GET /api/a 200", "@.2 c1 - - GET /api/b 200", "@.3 c1 - - GET /api/a 401"),
			"GET", "/api/a", 0, SignsIn,
		},
		"page before the form": {comings(3, 4, "GET /door 200", "POST /door 302"), "GET", "/door", 0, SignsIn | redirectsIn},
		"page after the form":  {comings(3, 4, "POST /door 302", "GET /home 200"), "GET", "/home", 0, SignsIn},
		"asset":                {comings(3, 4, "GET /skin.css 200"), "GET", "/skin.css", 0, SignsIn},
		"start page of an application, whose users sign in elsewhere": {
			append(append(each(0, 60, 20, "@ c# - - GET /app/list 200", "@ c# - - GET /app/item 200"), each(9000, 60, 20, "@ c# - - GET /app/item 401", "@ c# - - GET /begin 200")...),
				each(9009, 60, 20, "@ c# - - GET /app/item 200")...),
			"GET", "/begin", 0, SignsIn,
		},
		"form that people send all day": {
			append(comings(3, 4, "POST /search 200", "POST /door 302"), each(10, 60, 60, "@ c0 - - POST /search 200", "@ c1 - - POST /search 200")...),
			"POST", "/search", 0, SignsIn,
		},
		"in vain": {
			append(comings(3, 1, "POST /ping 200"), each(20000, 9, 40, "@ c8 - - GET /app/list 401", "@ c8 - - POST /ping 200")...),
			"POST", "/ping", 0, SignsIn,
		},
		"form that shows itself again":   {comings(5, 5, "POST /login 200", "POST /login 302"), "POST", "/login", redirectsIn | Tries, SignsIn},
		"form that answers who signs in": {comings(5, 5, "POST /login 401", "POST /login 200"), "POST", "/login", SignsIn | Tries, 0},
		"form that redirects back":       {comings(5, 5, "POST /login 302", "POST /login 200"), "POST", "/login", SignsIn, 0},
		"too few":                        {comings(1, 3, "POST /enter 200"), "POST", "/enter", 0, SignsIn},
		"renewal by a program": {
			each(0, 900, 12, "@ c1 - - GET /app/a 200", "@.5 c1 - - GET /app/a 401", "@.8 c1 - - POST /keep 200", "@.9 c1 - - GET /app/a 200"),
			"POST", "/keep", SignsIn | Renews, Tries,
		},
		"renewals at the token endpoint": {
			append(each(0, 900, 12, "@ c1 - - GET /app/a 401", "@.3 c1 - - POST /oauth/token 200", "@.6 c1 - - GET /app/a 200"), "7 c2 - - GET /app/a 401"),
			"POST", "/oauth/token", Renews, Tries,
		},
	} {
		got := roles(correlate(t, test.lines...), test.method, test.template)
		if got&test.want != test.want || got&test.not != 0 {
			t.Errorf("%s: role %b, want %b without %b", name, got, test.want, test.not)
		}
	}
}

// TestLearnedCauses shows what refusals mean at routes that were learnt, and around
// sign-ins that the log does not hold.
func TestLearnedCauses(t *testing.T) {
	members := each(0, 30, 12, "@ c5 ida - GET /app/list 200", "@ c5 ida - GET /app/item 200") // protected by the user
	for name, test := range map[string]struct {
		lines []string
		want  map[Cause]int
	}{
		"mistyped at a learnt route": {
			append(comings(3, 4, "POST /v3/entrance 201"), "90000 c9 - - POST /v3/entrance 401"), map[Cause]int{SessionEnd: 24, LoginFailure: 1},
		},
		"page of a failed sign-in": {
			append(comings(3, 4, "POST /enter 302"), each(90000, 20, 5, "@ c9 - - POST /enter 302", "@ c9 - - GET /denied 401")...),
			map[Cause]int{SessionEnd: 24, LoginFailure: 5},
		},
		"start-up call to a renewal": {
			append(each(0, 60, 9, "@ v# - - GET / 200", "@ v# - - POST /auth/refresh 401"), members...), map[Cause]int{Anonymous: 9},
		},
		"page that tells of failed sign-ins": {
			append(append(each(900, 30, 20, "@ n# - - POST /gate 303", "@.5 n# - - GET /app/list 200"), each(900, 60, 5, "@ m# - - POST /gate 302", "@.2 m# - - GET /gate-closed 401")...), members...),
			map[Cause]int{LoginFailure: 5},
		},
		"broken page after a form": {
			append(append(each(900, 30, 20, "@ n# - - GET /app/list 200"), each(900, 60, 8, "@ n# - - POST /orders 302", "@.2 n# - - GET /orders-done 401")...), members...),
			map[Cause]int{LoginFailure: 0},
		},
		"renewal refused while the session lives": {
			append(each(1, 90, 4, "@ c5 - - PUT /user/rotate-token 401"), members...), map[Cause]int{TokenRenewal: 4},
		},
		"renewal refused at the end": {
			append([]string{"900 c5 - - POST /auth/refresh 401", "901 c5 - - GET /app/list 401"}, members...), map[Cause]int{SessionEnd: 2},
		},
		"signed in at another server": {comings(4, 3), map[Cause]int{SessionEnd: 24}},
		"strangers at a learnt page": {
			append(comings(3, 4, "GET /begin 302", "GET /back 302"), each(90000, 20, 5, "@ v# - - GET /begin 302", "@.5 v# - - GET /app/list 401")...),
			map[Cause]int{SessionEnd: 24, Anonymous: 5},
		},
		"nobody comes back": {append(each(600, 1, 3, "@ c5 - - GET /app/item 401"), members...), map[Cause]int{SessionEnd: 3}},
		"refused and accepted in turn": {
			append(each(400, 4, 30, "@ c5 - - GET /app/item 401", "@.9 c5 - - GET /app/item 401", "@.95 c5 - - GET /app/list 200", "@.97 c5 - - GET /app/item 200"), members...),
			map[Cause]int{SessionEnd: 0},
		},
		"route broken for a while": {
			append(append(each(360, 40, 20, "@ c5 ida - GET /app/item 401", "@.5 c5 ida - GET /app/list 200"), "1200 c5 ida - GET /app/item 200"), members...),
			map[Cause]int{SessionEnd: 0},
		},
	} {
		ev := correlate(t, test.lines...)
		got := map[Cause]int{}
		for i := range ev.Refusals.Len() {
			got[ev.Refusals.At(i).Cause]++
		}
		for cause, n := range test.want {
			if got[cause] != n {
				t.Errorf("%s: %d of cause %v, want %d: %v", name, got[cause], cause, n, causes(ev))
			}
		}
	}
}

// TestLearnedAges shows that sessions that begin at learnt routes have an age.
func TestLearnedAges(t *testing.T) {
	ev := correlate(t, comings(3, 4, "GET /begin 302", "GET /back 302")...)
	aged := 0
	for i := range ev.Refusals.Len() {
		if r := ev.Refusals.At(i); r.Fatal && r.Age() > 0 {
			aged++
		}
	}
	if aged != 9 { // all but the first ones of each person
		t.Errorf("%d deaths have an age, want 9", aged)
	}
}

func TestProtectedByVisits(t *testing.T) {
	visits := func(n int, lines ...string) []string { return each(0, 50, n, lines...) }
	member := []string{"@ m# - - GET /about 200", "@.2 m# - - POST /login 302", "@.4 m# - - GET /desk 200", "@.6 m# - - GET /desk/mail 200"}
	stranger := visits(30, "@ s# - - GET /about 200")
	refused := "9000 s1 - - GET /desk/files 401"
	for name, test := range map[string]struct {
		lines []string
		path  string
		want  bool
	}{
		"after the sign-in only":          {append(append(visits(20, member...), refused), stranger...), "/desk", true},
		"strangers, too":                  {append(append(visits(20, member...), refused), stranger...), "/about", false},
		"too few visits":                  {append(visits(9, member...), refused), "/desk", false},
		"one person, many visits":         {append(each(0, 900, 20, "@ m1 - - POST /login 302", "@.5 m1 - - GET /desk 200"), refused), "/desk", true},
		"accepted while others refuse it": {append(visits(20, append(member, "@.8 m# - - GET /desk/files 200", "@5 m# - - GET /desk/files 401", "@6 m# - - GET /desk 200", "@7 m# - - POST /login 302")...), refused), "/desk", false},
		"no refusal in the log":           {visits(20, member...), "/desk", false},
	} {
		if got := roles(correlate(t, test.lines...), "GET", test.path)&Guards != 0; got != test.want {
			t.Errorf("%s: protected %v", name, got)
		}
	}
}

func TestCompanions(t *testing.T) {
	at := func(address, agent uint32, ms int64) comeback {
		return comeback{timeline.Client{Address: address, Agent: agent}, ms}
	}
	c := companionsAt{companions: newCompanions([]comeback{at(1, 1, 100), at(1, 2, 300), at(1, 1, 500), at(2, 1, 300), at(3, 1, 1), at(3, 2, 2), at(3, 3, 3), at(3, 4, 4)})}
	for _, tt := range []struct {
		address, agent uint32
		after, until   int64
		want           bool
	}{
		{1, 1, 100, 400, true}, {1, 1, 100, 299, false}, {1, 1, 300, 400, false}, {1, 2, 300, 600, true},
		{2, 2, 0, 900, false}, // nobody else there
		{3, 1, 1, 900, false}, // too many clients to be one person
	} {
		if got := c.renewed(timeline.Client{Address: tt.address, Agent: tt.agent}, tt.after, tt.until); got != tt.want {
			t.Errorf("renewed(%d/%d, %d, %d) = %v", tt.address, tt.agent, tt.after, tt.until, got)
		}
	}
}

// TestEarlierRoles checks that what earlier runs have learnt counts.
func TestEarlierRoles(t *testing.T) {
	e := &timeline.Endpoint{Method: "POST", Template: "/door", Known: timeline.EarlierCounts{Accepted: 9, Unauthorized: 2}}
	if got := roleOf(e, 0); got != Guards {
		t.Errorf("role %b before anything is learnt", got)
	}
	if got := roleOf(e, SignsIn|Tries); got != SignsIn|Tries {
		t.Errorf("role %b of a learnt sign-in", got)
	}
	if got := roleOf(&timeline.Endpoint{Method: "POST", Template: "/token", SignIn: true, Known: e.Known}, Renews); got&Tries != 0 {
		t.Errorf("role %b of a learnt renewal", got)
	}
}
