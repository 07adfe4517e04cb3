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
