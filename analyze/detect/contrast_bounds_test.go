package detect

import (
	"math/rand/v2"
	"testing"

	"logscan/analyze/stats"
)

// TestPossibleContrasts checks on random series that a key which has a contrast may have one,
// and that most others may not.
func TestPossibleContrasts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	contrasts, possible, all := 0, 0, 0
	for range 800 {
		steps := []int{30, 200, 1024}[r.IntN(3)]
		o := &contrastObserver{steps: steps, keys: make([]contrastKey, 1+r.IntN(200)), accepted: newVisits(1, steps)}
		s := &contrastSeries{o: o, refused: newVisits(1, steps), refusals: make([]ascending, 1)}
		s.share = []float64{contrastLower, outageShare}[r.IntN(2)]
		from, visits, usual := r.IntN(steps), 30*r.Float64(), 0.1*r.Float64()
		to, inside := from+1+r.IntN(min(steps-from, 40)), r.Float64()
		for i := range steps {
			share := usual
			if i >= from && i < to {
				share = inside
			}
			if r.IntN(20) == 0 { // dispersion
				share = min(1, 3*share)
			}
			for range int(visits * r.ExpFloat64()) {
				if r.Float64() < share {
					s.refused[0][i]++
					s.refusals[0].add(uint32(s.refusals[0].n))
				} else {
					o.accepted[0][i]++
				}
			}
		}
		cells, found := s.cells(0), false
		for _, x := range stats.Excursions(cells) {
			c := contrast{Excursion: x}
			found = found || s.passes(&c, cells, x.Outside.Smoothed()) && c.lower >= contrastLower && c.share() >= s.share
		}
		may := s.possible(0)
		if found && !may {
			t.Fatalf("a series of %d steps has a contrast that is not possible: refused %v, accepted %v", steps, s.refused[0], o.accepted[0])
		}
		all++
		if found {
			contrasts++
		}
		if may {
			possible++
		}
	}
	if contrasts < all/10 || possible > contrasts+all/3 {
		t.Errorf("of %d series %d have contrasts, and %d may have one", all, contrasts, possible)
	}
}
