package parse

import (
	"encoding/binary"
	"strconv"
	"testing"
)

// The formats that nearly all logs have are read in one go.
func TestPrefix(t *testing.T) {
	for name, steps := range map[string]int{
		"combined": 8, "main": 8, "combinedio": 9, "combined-ident": 9, "common": 7, "ingress-nginx": 8,
		"combined-and-more": 8, "traefik-clf": 8, "vhost_combined": 11, "vhost_main": 9, "vhost_combined_portless": 10, "vhost_common": 9,
	} {
		f, ok := Lookup(name)
		if !ok {
			t.Fatalf("no format %s", name)
		}
		if got := f.programs[0].prefix.steps; got != steps {
			t.Errorf("%s: %d steps in one go, want %d", name, got, steps)
		}
	}
	// Where the user says what the fields are, they are not what they seem.
	f, _ := Lookup("combined")
	f, err := f.WithFields(map[string]string{"session": "remote_user"})
	if err != nil || f.programs[0].prefix.steps != 0 {
		t.Errorf("%v, %d steps in one go", err, f.programs[0].prefix.steps)
	}
}

func TestDigits(t *testing.T) {
	word := func(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s + "\x00\xff /:.x/:")[:8]) }
	for _, s := range []string{"", "0", "7", "10", "042", "1234", "98765", "123456", "1234567", "12345678", "0000001"} {
		value, n := digitsOf(word(s))
		want, _ := strconv.ParseInt("0"+s, 10, 64)
		if value != want || n != len(s) {
			t.Errorf("digitsOf(%q) = %d, %d", s, value, n)
		}
	}
	for c := range 256 {
		for at := range 16 {
			b := []byte("1.2.3.4.5.6.7.8.")
			b[at] = byte(c)
			want := at
			if c >= '0' && c <= '9' || c == '.' {
				want = 16
			}
			if got := dottedLen((*[16]byte)(b)); got != want {
				t.Fatalf("dottedLen(%q) = %d, want %d", b, got, want)
			}
		}
	}
}
