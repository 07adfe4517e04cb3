package privacy

import "testing"

func TestView(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a b", "a b"}, {"%40", "@"}, {"a%2540b%252540c", "a@b@c"}, {"100%", "100%"}, {"%4", "%4"}, {"%zz%25zz%", "%zz%zz%"}, {"%2525", "%"},
		{`\x40\X40`, `@\X40`}, {`\u0040\u00fc\ud83d\ude00`, "@ü😀"}, {`\ud83dx`, "\ufffdx"}, {`a\"b\\c\/d`, `a"b\c/d`}, {`\u00\x4\q\`, `\u00\x4\q\`}, {`CORP\jane`, `CORP\jane`},
	} {
		v := viewOf([]byte(tt.in))
		if string(v.text) != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, v.text, tt.want)
		}
		if got := v.source(len(v.text)); got != len(tt.in) {
			t.Errorf("%s: it ends at %d of %d", tt.in, got, len(tt.in))
		}
		last := 0
		for i := range v.text {
			at := v.source(i)
			if at < last || v.width(i) < 0 {
				t.Errorf("%s: byte %d stands at %d, %d bytes wide", tt.in, i, at, v.width(i))
			}
			last = at
		}
	}
	v := viewOf([]byte("x%2540%40@"))
	for i, want := range []int{1, 5, 3, 1} {
		if got := v.width(i); got != want {
			t.Errorf("byte %d is %d wide, want %d", i, got, want)
		}
	}
	if plain := plainView([]byte("%40")); plain.decoded() || string(plain.text) != "%40" || plain.source(1) != 1 || plain.width(0) != 1 {
		t.Error("a plain view decodes")
	}
}
