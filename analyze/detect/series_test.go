package detect

import (
	"math/rand/v2"
	"testing"

	"logscan/analyze/session"
)

// TestBriefSpan checks that a few minutes in which a small site refuses everybody are found,
// and that chance is not.
func TestBriefSpan(t *testing.T) {
	for _, outage := range []bool{true, false} {
		r := rand.New(rand.NewPCG(4, 4))
		cells := make([]cell, session.MaxSteps)
		for range 170 {
			cells[r.IntN(len(cells))].accepted++
		}
		for i := range cells[780:810] {
			cells[780+i].accepted = 0
		}
		for range 6 {
			at := r.IntN(len(cells))
			if outage {
				at = 780 + r.IntN(30)
			}
			cells[at].refused++
		}
		s, ok := briefSpan(cells, outageShare)
		if found := ok && s.Hits >= outageActors; found != outage || found && (s.from < 770 || s.to > 820 || !s.accepted) {
			t.Errorf("outage %v: %v %+v", outage, ok, s)
		}
	}
}
