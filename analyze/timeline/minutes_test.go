package timeline

import (
	"slices"
	"testing"
)

func TestMinuteSteps(t *testing.T) {
	const most = 500
	for _, tt := range []struct {
		name   string
		minute func(i int) int64
		n      int
		grain  int64
	}{
		{"the maximum", func(i int) int64 { return int64(i) }, most, 1},
		{"one more", func(i int) int64 { return int64(i) }, most + 1, 60},
		{"an hour each", func(i int) int64 { return int64(i) * 60 }, most + 1, 24 * 60},
		{"before 1970", func(i int) int64 { return -int64(i) * 24 * 60 }, most + 1, 365 * 24 * 60},
		{"a year each", func(i int) int64 { return int64(i) * 366 * 24 * 60 }, most + 1, 1 << 36},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, workers := range []int{1, 3} {
				s := &State{}
				for range workers {
					s.workers = append(s.workers, &Worker{minutes: newMinuteTable(most)})
				}
				for i := range tt.n {
					s.workers[i%workers].minutes.add(tt.minute(i)*MinuteStep, 0, Accepted)
				}
				s.mergeMinutes([]string{""}, slices.Repeat([][]uint32{{0}}, workers))
				sum := int64(0)
				for i, m := range s.Minutes {
					sum += m.N[Accepted]
					if i > 0 && m.Time <= s.Minutes[i-1].Time {
						t.Fatalf("step %d is not after step %d", i, i-1)
					}
				}
				if s.Grain != tt.grain*60e6 || sum != int64(tt.n) || len(s.Minutes) > most {
					t.Errorf("%d workers: %d steps of %d minutes with %d requests, want steps of %d minutes with %d",
						workers, len(s.Minutes), s.Grain/60e6, sum, tt.grain, tt.n)
				}
			}
		})
	}
}
