package analyze

import (
	"fmt"
	"strings"
	"testing"
)

// TestTold asks for more values than are remembered, each several times, and
// compares with text.
func TestTold(t *testing.T) {
	values := []string{"", "GET", "/a?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "password=hunter2", "\xff\xfe", strings.Repeat("x", toldLongest+1)}
	for i := range 2 * toldSlots {
		values = append(values, fmt.Sprintf("/api/v1/items/%d", i))
	}
	cached := newTold()
	for range 2 {
		for _, v := range values {
			for range 2 {
				if got, want := cached.text([]byte(v)), text([]byte(v)); got != want {
					t.Fatalf("told %q of %q, text tells %q", got, v, want)
				}
			}
		}
	}
}
