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

// TestLongTextsAreRedactedInTime checks the same for Redact and RedactLine.
func TestLongTextsAreRedactedInTime(t *testing.T) {
	const size = 128 << 10
	const limit = 5 * time.Second // on a machine with other work
	parts := []string{
		"code=", "code:", `"code":`, `"code":[`, `"key":{`, `"code":"`, `code="`, "code='", "code=%22", "token=", `token="`, "token='", `"token":`, `"token":"`, `"token":[`, `"token":{`, "token: ", "cookie: ", "cookie=a; ",
		`"value":`, `"name":"`, `"value":"name":"`, `{"name":"cookie","value":`, `"cookie",`, `"a",`, "=>", "a=>", "<code>", "<code", ">", "<password>", "<password ", "<a", "Bearer ", "bearer+", "Digest user=", "Digest ", "Hawk a=b, ", `Hawk a="`,
		"Hawk a=b,c=d,", "a b", "--token ", "--", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "/reset/", "/reset/a1b2c3d4", "/", "//a:", "://a:", "://a:b/", "(S(", "/(S(", "1:AA", "123456:", "123456:A", "eyJ", "sk-", "xoxb-",
		`\"`, `\\"`, "%22", "%2522", `\x22`, `\u0022`, `""`, "''", `'"`, "a=b; ", "a=b;", ";a=b", "; ", "#", "#a", "#a=", "a1", "A1b2", "aB", "@", "{", "[", "&", "\t", "\n", " ",
	}
	for _, part := range parts {
		text := bytes.Repeat([]byte(part), size/len(part))
		from := time.Now()
		Redact(nil, text)
		RedactLine(nil, text, &Line{Session: []byte("aaaa"), Values: [][]byte{[]byte("a=b;")}, Unread: []Span{{0, len(text)}}})
		if took := time.Since(from); took > limit {
			t.Errorf("%s: %v", part, took)
		}
	}
	// Quotes that are escaped more and more deeply, so that none closes another.
	var deep []byte
	for n := 0; len(deep) < size; n++ {
		deep = append(append(append(deep, "token=%"...), bytes.Repeat([]byte("25"), n)...), "22"...)
	}
	from := time.Now()
	if Redact(nil, deep); time.Since(from) > limit {
		t.Errorf("escaped quotes: %v", time.Since(from))
	}
}
