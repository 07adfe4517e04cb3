package session

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestRenewedAtOnce checks that what a program renews at once ends no session, whether or not
// it repeats the request, and that a token which a person fetches later does.
func TestRenewedAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		refused []string // lines with @ for the time and # for the client
		later   string   // request with which the client signs in, if it does not at once
	}{
		"and repeats the request":          {[]string{"@ c# - - GET /app/list 401", "@.4 c# - - POST /oauth/token 200", "@.8 c# - - GET /app/list 200"}, ""},
		"and waits for the next click":     {[]string{"@ c# - - GET /app/list 401", "@.4 c# - - POST /oauth/token 200"}, ""},
		"before the last refusal":          {[]string{"@ c# - - GET /app/list 401", "@.4 c# - - POST /oauth/token 200", "@.5 c# - - GET /app/item 401"}, ""},
		"by hand, at a form":               {[]string{"@ c# - - GET /app/list 401", "@.9 c# - - GET /app/item 401"}, "POST /login 302"},
		"a person who types, at the token": {[]string{"@ c# - - GET /app/list 401"}, "POST /oauth/token 200"},
	} {
		var lines []string
		for p := range 6 {
			for visit := range 3 {
				at := 1000 + visit*5000 + p*31
				lines = append(lines, each(at, 40, 20, fmt.Sprintf("@ c%d - - GET /app/list 200", p), fmt.Sprintf("@.2 c%d - - GET /app/item 200", p))...)
				for _, line := range test.refused {
					lines = append(lines, each(at+3000, 1, 1, strings.ReplaceAll(line, "#", strconv.Itoa(p)))...)
				}
				if test.later != "" {
					lines = append(lines, fmt.Sprintf("%d c%d - - %s", at+3020, p, test.later))
				}
				lines = append(lines, fmt.Sprintf("%d c%d - - GET /app/list 200", at+3060, p), fmt.Sprintf("%d c%d - - GET /app/item 200", at+3061, p))
			}
		}
		ev := correlate(t, lines...)
		fatal := 0
		for i := range ev.Refusals.Len() {
			r := ev.Refusals.At(i)
			if r.Fatal {
				fatal++
			}
			if r.Cause != SessionEnd {
				t.Errorf("%s: cause %v", name, r.Cause)
			}
		}
		if want := map[bool]int{true: 18}[test.later != ""]; fatal != want {
			t.Errorf("%s: %d sessions ended, want %d", name, fatal, want)
		}
	}
}

// TestRacedRenewals checks that of two renewals with one session id at once the refused one is
// a race, in whatever order they are logged and whether the id is used afterwards, and that the
// renewal of an old session is none.
func TestRacedRenewals(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		raced bool
	}{
		"the second is refused":           {"5 c - id POST /oauth/token 200;5.1 c - id POST /oauth/token 401;5.5 c - id GET /app/list 200", true},
		"the first is refused":            {"5 c - id POST /oauth/token 401;5 c - id POST /oauth/token 200;5.5 c - id GET /app/list 200", true},
		"a new id comes with the renewal": {"1 c - id GET /app/list 200;5 c - id POST /oauth/token 200;5.3 c - id POST /oauth/token 401", true},
		"a session from before":           {"5 c - id POST /oauth/token 401;9 c - new POST /login 302;9.3 c - new GET /app/list 200", false},
		"somebody signs in again":         {"5 c - id POST /oauth/token 401;5 c - id POST /login 302;9.3 c - id GET /app/list 200", false},
	} {
		var lines []string
		for i := range 9 { // renewals follow what is refused
			at := 100 + 60*i
			lines = append(lines, fmt.Sprintf("%d d - s%d GET /app/list 401", at, i), fmt.Sprintf("%d.2 d - s%d POST /oauth/token 200", at, i), fmt.Sprintf("%d.4 d - s%d GET /app/list 200", at, i))
		}
		ev := correlate(t, append(strings.Split(c.lines, ";"), lines...)...)
		raced := false
		for i := range ev.Refusals.Len() {
			raced = raced || ev.Refusals.At(i).Raced
		}
		if raced != c.raced {
			t.Errorf("%s: raced %v", name, raced)
		}
	}
}
