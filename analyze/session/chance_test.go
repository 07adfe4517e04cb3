package session

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestChanceChallenges checks that requests that are refused by chance, and repeated with success,
// are no handshakes, and that those of programs with habits are.
func TestChanceChallenges(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	// visits returns the lines of clients that come again after a pause, and ask a few times each. refusals
	// returns how often a request is refused before it is accepted.
	visits := func(refusals func(client, request int) int) (lines []string) {
		for client := range 12 {
			at := 0.0
			for range 40 {
				at += 400
				for request := range 6 {
					at += 5
					for range refusals(client, request) {
						lines = append(lines, fmt.Sprintf("%.1f c%d - - POST /rpc 401", at, client))
						at += 0.3
					}
					lines = append(lines, fmt.Sprintf("%.1f c%d - - POST /rpc 200", at, client))
				}
			}
		}
		return lines
	}
	chance := func(share float64) (n int) {
		for r.Float64() < share {
			n++
		}
		return n
	}
	first := func(request, legs int) int {
		if request == 0 {
			return legs
		}
		return 0
	}
	for name, x := range map[string]struct {
		refusals func(client, request int) int
		want     Cause // of most
	}{
		"one process of three":     {func(int, int) int { return chance(1. / 3) }, Unexplained},
		"on each connection":       {func(_, request int) int { return first(request, 1) }, Challenge},
		"each time, some of them":  {func(client, _ int) int { return client % 2 }, Challenge},
		"after some of the pauses": {func(_, request int) int { return first(request, min(1, chance(0.4))) }, Challenge},
		"two legs at any time":     {func(_, request int) int { return first(request, 2) + 2*min(1, chance(0.1)) }, Challenge},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]int{}
			for _, cause := range strings.Fields(causes(correlate(t, visits(x.refusals)...))) {
				got[cause]++
			}
			if all := got[Challenge.String()] + got[Unexplained.String()]; 10*got[x.want.String()] < 9*all {
				t.Errorf("%v", got)
			}
		})
	}
}
