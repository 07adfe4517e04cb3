// Package view decodes texts of logs, so that what is looked for in them is found
// however it was encoded.
//
// In: any text. Out: the same without percent-encoding and escapes, and where
// each byte of it stands in the text.
package view

import (
	"bytes"
	"encoding/hex"
	"unicode/utf16"
	"unicode/utf8"
)

// View is a text as it is meant: percent-encoding, however often it was applied,
// and the escapes of logs and of JSON are decoded. Whoever finds something in it
// knows where that stands in the text itself. The zero value is empty.
type View struct {
	Text []byte  // aliases the source where nothing is encoded
	at   []int32 // where each byte of text begins in the source, and the end; nil where they are the same
}

// Encoded tells whether there may be anything to decode in b.
func Encoded(b []byte) bool { return bytes.IndexByte(b, '%') >= 0 || bytes.IndexByte(b, '\\') >= 0 }

// Plain gives the view of b as it stands, whatever is encoded in it.
func Plain(b []byte) View { return View{Text: b} }

// Of gives the view of b.
func Of(b []byte) View { return In(nil, nil, b) }

// In gives the view of b in the memory of text and at, where it fits.
func In(text []byte, at []int32, b []byte) View {
	if !Encoded(b) {
		return Plain(b)
	}
	if cap(text) < len(b) || cap(at) <= len(b) {
		text, at = make([]byte, 0, len(b)), make([]int32, 0, len(b)+1)
	}
	text, at = text[:0], at[:0]
	for i := 0; i < len(b); {
		n := 1
		was := len(text)
		switch b[i] {
		case '%':
			var c byte
			c, n = percent(b[i:])
			text = append(text, c)
		case '\\':
			text, n = escape(text, b[i:])
		default:
			text = append(text, b[i])
		}
		for range len(text) - was {
			at = append(at, int32(i))
		}
		i += n
	}
	return View{text, append(at, int32(len(b)))}
}

// Decoded tells whether anything was.
func (v *View) Decoded() bool { return v.at != nil }

// Source gives where the byte i of the view, or its end, stands in the text.
func (v *View) Source(i int) int {
	if v.at == nil {
		return i
	}
	return int(v.at[i])
}

// Width is how many bytes of the text the byte i of the view takes: 1 where it
// is not encoded, and the more the more often it was.
func (v *View) Width(i int) int {
	if v.at == nil {
		return 1
	}
	return int(v.at[i+1] - v.at[i])
}

// percent decodes what b begins with: %40, %2540, %252540. A % that encodes
// nothing is itself.
func percent(b []byte) (c byte, n int) {
	var decoded [1]byte
	c, n = '%', 1
	for i := 1; i+2 <= len(b); i += 2 {
		if _, err := hex.Decode(decoded[:], b[i:i+2]); err != nil {
			break
		}
		if c, n = decoded[0], i+2; c != '%' {
			break
		}
	}
	return c, n
}

// escape appends what the escape at the beginning of b means: \x40, \u0040, \",
// \\ and \/. Other backslashes are themselves.
func escape(dst, b []byte) (text []byte, n int) {
	if len(b) < 2 {
		return append(dst, b[0]), 1
	}
	switch b[1] {
	case '"', '\\', '/':
		return append(dst, b[1]), 2
	case 'x':
		if r, ok := hexRune(b[2:], 2); ok {
			return append(dst, byte(r)), 4
		}
	case 'u':
		r, ok := hexRune(b[2:], 4)
		if !ok {
			break
		}
		if utf16.IsSurrogate(r) && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := hexRune(b[8:], 4); ok {
				return utf8.AppendRune(dst, utf16.DecodeRune(r, low)), 12
			}
		}
		return utf8.AppendRune(dst, r), 6
	}
	return append(dst, b[0]), 1
}

// hexRune reads n hexadecimal digits.
func hexRune(b []byte, n int) (r rune, ok bool) {
	var decoded [2]byte
	if len(b) < n {
		return 0, false
	}
	if _, err := hex.Decode(decoded[:n/2], b[:n]); err != nil {
		return 0, false
	}
	for _, c := range decoded[:n/2] {
		r = r<<8 | rune(c)
	}
	return r, true
}
