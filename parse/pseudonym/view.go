package pseudonym

import (
	"bytes"
	"encoding/hex"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text as it is meant: percent-encoding, however often it was applied,
// and the escapes of logs and of JSON are decoded. Whoever finds something in it
// knows where that stands in the text itself.
type view struct {
	text []byte
	at   []int32 // where each byte of text begins in the source, and the end; nil where they are the same
}

// see makes v the view of b, which it aliases where nothing is encoded.
func (v *view) see(b []byte) {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '\\') < 0 {
		v.text, v.at = b, nil
		return
	}
	text, at := make([]byte, 0, len(b)), make([]int32, 0, len(b)+1)
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
	v.text, v.at = text, append(at, int32(len(b)))
}

// source gives where the byte i of the view stands in the text.
func (v *view) source(i int) int {
	if v.at == nil {
		return i
	}
	return int(v.at[i])
}

// width is how many bytes of the text the byte i of the view takes: 1 where it
// is not encoded.
func (v *view) width(i int) int {
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
