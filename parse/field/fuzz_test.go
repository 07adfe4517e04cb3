package field

import "testing"

// FuzzMayHoldSecrets checks that a query in which there may be no session id has none, and
// likewise for tokens.
func FuzzMayHoldSecrets(f *testing.F) {
	for _, s := range []string{"sid=1", "a=1&sessionid=abcdef012345", "jwt=eyJhbGciOiJub25lIn0.e30.", "JSESSIONID=1A2B3C4D5E6F", "cftoken=0123456789", "a=b&c=d&e=f&g=h", "oscsid=%41bcdefghij"} {
		f.Add([]byte(s), []byte("&x=1"))
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		query := append(before[:len(before):len(before)], after...)
		session, token := MayHoldSecrets(query)
		if id := QuerySession(query); !session && len(id) > 0 {
			t.Errorf("%q holds session %q", query, id)
		}
		if found := FindToken(query); !token && found != nil {
			t.Errorf("%q holds token %q", query, found)
		}
	})
}
