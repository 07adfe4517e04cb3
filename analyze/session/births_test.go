package session

import (
	"fmt"
	"testing"
)

// arrivals returns the lines of people who come by themselves, sign in with the given
// lines and have a new session each time: $ stands for its id, % for that of a visitor's
// session before. The last lines are refusals, so that there is something to learn for.
func arrivals(people, times int, signIn ...string) (all []string) {
	for p := range people {
		for i := range times {
			at, client := i*1500+p*61, fmt.Sprintf("c%d", p)
			for n, line := range signIn {
				all = append(all, fmt.Sprintf("%d.%d %s %s", at, 2+n, client, ids(line, p, i)))
			}
			for n := range 9 {
				all = append(all, fmt.Sprintf("%d %s %s", at+1+40*n, client, ids("- $ GET /app/list 200", p, i)), fmt.Sprintf("%d.5 %s %s", at+1+40*n, client, ids("- $ POST /app/save 204", p, i)))
			}
			all = append(all, fmt.Sprintf("%d %s %s", at+900, client, ids("- $ GET /app/list 401", p, i)))
		}
	}
	return all
}

func ids(line string, person, i int) string {
	var b []byte
	for _, c := range []byte(line) {
		switch c {
		case '$':
			b = fmt.Appendf(b, "s%dx%d", person, i)
		case '%':
			b = fmt.Appendf(b, "v%dx%d", person, i)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func TestSignInsByBirth(t *testing.T) {
	for name, test := range map[string]struct {
		lines            []string
		method, template string
		want, not        Role
	}{
		"form":                                {arrivals(4, 6, "- - GET /enter 200", "- - POST /enter 302"), "POST", "/enter", redirectsIn | Tries, SignsIn},
		"first request of the session itself": {arrivals(4, 6, "- $ POST /start 204"), "POST", "/start", 0, SignsIn | Tries},
		"id that changes at the sign-in":      {arrivals(4, 6, "- % GET /shop 200", "- % POST /door 302"), "POST", "/door", redirectsIn | Tries, Renews},
		"user named on the line":              {arrivals(4, 6, "ida - POST /door 201"), "POST", "/door", SignsIn | Tries, Renews},
		"callback":                            {arrivals(4, 6, "- - GET /begin 302", "- - GET /back 302"), "GET", "/back", redirectsIn, SignsIn},
		"way to an identity provider":         {arrivals(4, 6, "- - GET /begin 302", "- - GET /back 302"), "GET", "/begin", 0, redirectsIn},
		"page of the form":                    {arrivals(4, 6, "- - GET /enter 200", "- - POST /enter 302"), "GET", "/enter", 0, SignsIn | redirectsIn},
		"call of the first page":              {arrivals(4, 6, "- - POST /enter 302"), "POST", "/app/save", 0, SignsIn | Tries},
		"beacon sent all day": {
			append(arrivals(4, 6, "- - POST /beacon 204"), each(5, 50, 150, "@ c1 - - POST /beacon 204", "@ c2 - - POST /beacon 204")...),
			"POST", "/beacon", 0, SignsIn,
		},
		"sign-in at another host": {arrivals(4, 6), "POST", "/app/save", 0, SignsIn | Tries},
		"too few":                 {arrivals(1, 6, "- - POST /enter 302"), "POST", "/enter", 0, redirectsIn},
		"ids of single requests": {
			append(each(0, 40, 40, "@ c1 - a# GET /app/list 200", "@.5 c1 - b# POST /app/save 200", "@.9 c1 - c# GET /app/list 200"), "9 c2 - - GET /app/list 401"),
			"POST", "/app/save", 0, SignsIn,
		},
		"renewal of a token in time": {
			append(each(0, 300, 24, "@ c1 - t# GET /app/list 200", "@.4 c1 - t# GET /app/item 200", "@ c1 - t# GET /app/item 200", "299@ c1 - - GET /x 200"), renewals(24)...),
			"POST", "/keep", 0, SignsIn | Renews | Tries,
		},
	} {
		got := roles(correlate(t, test.lines...), test.method, test.template)
		if got&test.want != test.want || got&test.not != 0 {
			t.Errorf("%s: role %b, want %b without %b", name, got, test.want, test.not)
		}
	}
}

// renewals returns the renewals of tokens t0, t1, and so on, shortly before each of
// them is used for 300 seconds, and the requests that show what is protected.
func renewals(n int) (all []string) {
	for i := range n {
		at := i * 300
		if i > 0 {
			all = append(all, fmt.Sprintf("%d.5 c1 - t%d GET /app/list 200", at-2, i-1), fmt.Sprintf("%d.5 c1 - - POST /keep 200", at-1))
		}
		all = append(all, fmt.Sprintf("%d c9 - - GET /app/list 401", at+77), fmt.Sprintf("%d c9 - - GET /app/item 401", at+79))
	}
	return all
}

// TestFormsOfPages shows that a page which tells of failed sign-ins stands for the form
// that redirects to it.
func TestFormsOfPages(t *testing.T) {
	lines := append(arrivals(4, 6, "- - POST /enter 303"), each(90000, 20, 5, "@ c9 - - POST /enter 302", "@.2 c9 - - GET /denied 401")...)
	ev := correlate(t, lines...)
	number := func(method, template string) uint32 {
		for i := range ev.State.Endpoints {
			if e := &ev.State.Endpoints[i]; e.Method == method && e.Template == template {
				return uint32(i)
			}
		}
		t.Fatal("no endpoint", method, template)
		return 0
	}
	if got, want := ev.Form(number("GET", "/denied")), number("POST", "/enter"); got != want {
		t.Errorf("the page is that of endpoint %d, want %d", got, want)
	}
	if list := number("GET", "/app/list"); ev.Form(list) != list {
		t.Errorf("a route that refuses by itself is that of endpoint %d", ev.Form(list))
	}
	failed := 0
	for i := range ev.Refusals.Len() {
		if ev.Refusals.At(i).SignIn {
			failed++
		}
	}
	if failed != 5 {
		t.Errorf("%d failed sign-ins, want 5", failed)
	}
}
