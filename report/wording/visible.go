package wording

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Visible returns s with characters that act or are invisible made visible: control
// characters, bidirectional overrides, zero-width and other invisible characters
// become ‹U+202E›, a byte that is not UTF-8 becomes ‹FF›. Log text can then neither
// move a cursor nor pretend to be something else. Markup is not escaped.
func Visible(s string) string {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "‹%02X›", s[i])
		case strconv.IsPrint(r):
			b.WriteString(s[i : i+size])
		default:
			fmt.Fprintf(&b, "‹U+%04X›", r)
		}
		i += size
	}
	return b.String()
}

// Clip returns the visible text of s, cut to n characters. An ellipsis marks the cut.
func Clip(s string, n int) string {
	// A character has at most 4 bytes: more of s than that is never shown.
	cut := len(s) > 4*n
	if cut {
		s = s[:4*n]
	}
	s = Visible(s)
	if !cut && utf8.RuneCountInString(s) <= n {
		return s
	}
	end := 0
	for i := 0; i < n-1 && end < len(s); i++ {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end] + "…"
}
