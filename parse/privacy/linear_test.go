package privacy

import (
	"bytes"
	"testing"
	"time"
)

// TestLongTexts checks that long lines made to be slow take a moment only.
func TestLongTexts(t *testing.T) {
	const size = 256 << 10
	for _, part := range []string{"user=", "user%3D", "@", "a@b.", "1.", "1.2.3.4", "::", "a:", "%", "%25", `\u00`, `\`, `"user":`, `"user":"`, `\"user\":\"`, "%22user%22:%22", "jane", "ja", "aaaa."} {
		m := Options{Key: testKey(t)}.NewMask()
		m.Line([]byte("janejanejanejanejanejane"), []byte("aaaaaaaaaaaaaaaaaaaa"), nil, nil, nil, nil)
		text := bytes.Repeat([]byte(part), size/len(part))
		from := time.Now()
		m.Text(text)
		if took := time.Since(from); took > 3*time.Second {
			t.Errorf("%s: %v", part, took)
		}
	}
}
