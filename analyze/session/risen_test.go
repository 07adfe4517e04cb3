package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRisenChallenges checks that what is challenged in the midst of use is no handshake if it
// is so for the same clients far more often than before.
func TestRisenChallenges(t *testing.T) {
	const later = 10_000
	// clients returns the lines of several clients, whose name replaces !.
	clients := func(first, n int, lines ...string) (all []string) {
		for i := range n {
			for _, l := range lines {
				all = append(all, strings.ReplaceAll(l, "!", fmt.Sprint("c", first+i)))
			}
		}
		return all
	}
	const accepted, refused, repeated = "@ ! - - POST /graphql 200", "@ ! - - POST /graphql 401", "@.4 ! - - POST /graphql 200"
	// day returns the lines of clients that ask every 10 seconds and renew their tokens after some.
	day := func(from, first, n, renewal int) (all []string) {
		for i := 0; i < 6_000; i += 10 {
			answers := []string{accepted}
			if i%renewal == renewal-10 {
				answers = []string{refused, repeated}
			}
			all = append(all, each(from+i, 1, 1, answers...)...)
		}
		return clients(first, n, all...)
	}
	for name, x := range map[string]struct {
		then []string
		want Cause // of most of the challenges of then
	}{
		"as before":              {day(later, 1, 12, 1500), Challenge},
		"all the time":           {day(later, 1, 12, 40), Unexplained},
		"of one client":          {append(day(later, 1, 1, 40), day(later, 2, 11, 1500)...), Challenge},
		"of others, who are new": {append(day(later, 1, 12, 1500), day(later, 20, 12, 40)...), Challenge},
		"of all after a restart": {append(day(later, 1, 12, 1500), clients(1, 12, each(later+500, 1, 1, refused, repeated)...)...), Challenge},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]int{}
			for _, cause := range strings.Fields(causes(correlate(t, slices.Concat(day(0, 1, 12, 1500), x.then)...)))[48:] {
				got[cause]++
			}
			if all := got[Challenge.String()] + got[Unexplained.String()]; 2*got[x.want.String()] <= all {
				t.Errorf("%v", got)
			}
		})
	}
}
