package detect

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"logscan/analyze/session"
	"logscan/analyze/spill"
)

// TestActorsInRanges checks that actors are counted alike at once and a few at a time.
func TestActorsInRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	refusals := make([]session.Refusal, 2000)
	for i := range refusals {
		refusals[i] = session.Refusal{Actor: r.Uint32N(300) << 23, Endpoint: r.Uint32N(3), Good: r.IntN(4) > 0}
	}
	d := &Diagnosis{Evidence: &session.Evidence{Refusals: spill.TableOf(refusals)}}
	none := int32(-1)
	s := &scopes{list: make([]scope, 2), of: [][scopesOfEndpoint]int32{
		{0, 1, none, none, none, none}, {1, none, none, none, none, none}, {none, none, none, none, none, none},
	}}
	good := func(_ int, r *session.Refusal) bool { return r.Good }
	all, one := s.actors(d, math.MaxInt, good)
	few, several := s.actors(d, 50, good)
	if !slices.Equal(all, few) || all[0] < 200 || all[1] <= all[0] {
		t.Errorf("%d actors at once, %d a few at a time", all, few)
	}
	if len(one) != 1 || len(several) < 10 || several[len(several)-1] != math.MaxUint32 || !slices.IsSorted(several) {
		t.Errorf("ranges end at %d, and at %d", one, several)
	}
}
