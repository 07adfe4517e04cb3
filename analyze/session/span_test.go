package session

import (
	"reflect"
	"testing"
)

func TestSpan(t *testing.T) {
	const day = 24 * 3_600_000
	for _, c := range []struct{ ms, want int64 }{
		{-1, -1}, {0, 0}, {1, 1}, {24 * day, 24 * day}, {25*day + 1, 25 * day}, {365*day + 999, 365 * day}, {-5, -1},
		{Never, (1<<31 - 2) * 1000},
	} {
		if got := spanOf(c.ms).ms(); got != c.want {
			t.Errorf("%d: %d, want %d", c.ms, got, c.want)
		}
	}
}

// There is one for each 401 of the log.
func TestRefusalSize(t *testing.T) {
	if n := reflect.TypeFor[Refusal]().Size(); n > 72 {
		t.Errorf("a Refusal has %d bytes", n)
	}
}
