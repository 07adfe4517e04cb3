package view

import "testing"

func TestView(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a b", "a b"}, {"%40", "@"}, {"a%2540b%252540c", "a@b@c"}, {"100%", "100%"}, {"%4", "%4"}, {"%zz%25zz%", "%zz%zz%"}, {"%2525", "%"},
		{`\x40\X40`, `@\X40`}, {`\u0040\u00fc\ud83d\ude00`, "@ü😀"}, {`\ud83dx`, "\ufffdx"}, {`a\"b\\c\/d`, `a"b\c/d`}, {`\u00\x4\q\`, `\u00\x4\q\`}, {`CORP\jane`, `CORP\jane`},
	} {
		v := Of([]byte(tt.in))
		if string(v.Text) != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, v.Text, tt.want)
		}
		if got := v.Source(len(v.Text)); got != len(tt.in) {
			t.Errorf("%s: it ends at %d of %d", tt.in, got, len(tt.in))
		}
		last := 0
		for i := range v.Text {
			at := v.Source(i)
			if at < last || v.Width(i) < 0 {
				t.Errorf("%s: byte %d stands at %d, %d bytes wide", tt.in, i, at, v.Width(i))
			}
			last = at
		}
	}
	v := Of([]byte("x%2540%40@"))
	for i, want := range []int{1, 5, 3, 1} {
		if got := v.Width(i); got != want {
			t.Errorf("byte %d is %d wide, want %d", i, got, want)
		}
	}
	if plain := Plain([]byte("%40")); plain.Decoded() || string(plain.Text) != "%40" || plain.Source(1) != 1 || plain.Width(0) != 1 {
		t.Error("a plain view decodes")
	}
}
