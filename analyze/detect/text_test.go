package detect

import "testing"

func TestSay(t *testing.T) {
	got := Say("%d of %d, %s on %v and %.1f", 9187, int64(1403070), "8080", 12345, 2.5)
	if want := "9,187 of 1,403,070, 8080 on 12,345 and 2.5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
