package detect

import "testing"

func TestSay(t *testing.T) {
	got := Say("%d of %d, %s on %v and %.1f", 9187, int64(1403070), "8080", 12345, 2.5)
	if want := "9,187 of 1,403,070, 8080 on 12,345 and 2.5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBetween(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      string
	}{
		{1500, 1803, "between 25 min and 30.1 min"},
		{1797.1, 1800.2, "between 1,797.1 s and 1,800.2 s"}, // both are 30 min
		{28790, 28802, "between 28,790 s and 28,802 s"},     // both are 8 h
	} {
		if got := between(tt.low, tt.high); got != tt.want {
			t.Errorf("%v to %v: %q, want %q", tt.low, tt.high, got, tt.want)
		}
	}
}
