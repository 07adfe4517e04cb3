package stats

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestExcursions checks that a run with a greater share is found wherever it lies and
// however much of the series it takes, and that there is none in a constant share.
func TestExcursions(t *testing.T) {
	const n = 400
	for _, x := range []struct{ from, to int }{{200, 201}, {200, 210}, {0, 100}, {300, n}, {100, 220}, {20, 380}, {0, 0}} {
		t.Run(fmt.Sprint(x), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(x.to)))
			cells := make([]Cell, n)
			for i := range cells {
				share := 0.03
				if i >= x.from && i < x.to {
					share = 0.7
				}
				for range 20 {
					cells[i].Add(r.Float64() < share)
				}
			}
			found := Excursions(cells)
			switch {
			case x.to == 0 && len(found) > 0:
				t.Errorf("found %+v in a constant share", found[0])
			case x.to > 0 && (len(found) == 0 || max(found[0].From-x.from, x.from-found[0].From) > 1 || max(found[0].To-x.to, x.to-found[0].To) > 1):
				t.Errorf("found %+v", found)
			}
		})
	}
	if found := Excursions(nil); found != nil {
		t.Errorf("found %+v in nothing", found)
	}
}
