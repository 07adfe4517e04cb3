package session

import (
	"testing"
)

// TestSignInOfInstant checks that a page which is requested in the second of a sign-in after a
// pause belongs to the session that it begins, whatever the routes are called.
func TestSignInOfInstant(t *testing.T) {
	for _, page := range []string{"/account", "/zone"} { // before and after the form in the order of names
		lines := each(0, 30, 4, "@ c1 - - GET "+page+" 200")
		lines = append([]string{"0 c1 - - POST /login 302"}, append(lines, "80000 c1 - - POST /login 302", "80000 c1 - - GET "+page+" 200", "80030 c1 - - GET "+page+" 200",
			"5 c9 - - GET "+page+" 401", "900 c9 - - GET "+page+" 401")...)
		n := 0
		for s, err := range correlate(t, lines...).EachSession() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; s.LongestGap > 60_000 || s.LastAccepted-s.Start > 120_000 {
				t.Errorf("%s: a session from %d to %d, idle for %d ms", page, s.Start, s.LastAccepted, s.LongestGap)
			}
		}
		if n != 2 {
			t.Errorf("%s: %d sessions, want 2", page, n)
		}
	}
}
