package session

import (
	"fmt"
	"strings"
	"testing"
)

// TestNonces checks that a program whose credentials are good for some minutes, and are asked
// for anew then, is challenged; one that is refused at random is not, though it repeats what
// was refused.
func TestNonces(t *testing.T) {
	for name, c := range map[string]struct {
		refused func(i, since int) bool
		want    bool
	}{
		"after five minutes": {func(_, since int) bool { return since >= 300 }, true},
		"at random":          {func(i, _ int) bool { return i*i%23 < 3 }, false},
	} {
		var lines []string
		last := -1000
		for i := range 240 {
			at := i * 47
			if c.refused(i, at-last) {
				last = at
				lines = append(lines, fmt.Sprintf("%d 192.0.2.7 anna - GET /docs/%d 401", at, i%7))
			}
			lines = append(lines, fmt.Sprintf("%d.2 192.0.2.7 anna - GET /docs/%d 200", at, i%7))
		}
		got := causes(correlate(t, lines...))
		if strings.Count(got, "challenge") == strings.Count(got, " ")+1 != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
