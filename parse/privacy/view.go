package privacy

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a fully decoded text: percent-encoding, however often it was applied, the
// escapes of logs and of JSON, and the references of HTML are removed. It maps each decoded byte back to its place in
// the source. The zero value is empty.
type view struct {
	text []byte  // decoded; aliases the source if nothing is encoded
	at   []int32 // offset in the source of each byte of text and of its end; nil if they are equal
}

// encoded reports whether b may hold anything to decode.
func encoded(b []byte) bool {
	return bytes.IndexByte(b, '%') >= 0 || bytes.IndexByte(b, '\\') >= 0 || hasReference(b)
}

// hasReference reports whether b holds a reference of HTML that is decoded. Many lines hold
// an ampersand in a query and semicolons elsewhere.
func hasReference(b []byte) bool {
	if bytes.IndexByte(b, '&') < 0 {
		return false
	}
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], ';')
		if n < 0 {
			return false
		}
		i += n
		if c, from := reference(b[:i+1]); from >= 0 && c != '&' {
			return true
		}
	}
}

// plainView returns the view of b with nothing decoded.
func plainView(b []byte) view { return view{text: b} }

// viewOf returns the view of b.
func viewOf(b []byte) view {
	if !encoded(b) {
		return plainView(b)
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
		if last := len(text) - 1; last >= 0 && text[last] == ';' {
			if c, from := reference(text); from >= 0 && c != '&' { // &amp; separates parameters as & does
				text, at = append(text[:from], c), at[:from+1]
			}
		}
		i += n
	}
	return view{text, append(at, int32(len(b)))}
}

// decoded reports whether anything was decoded.
func (v *view) decoded() bool { return v.at != nil }

// source returns the offset in the source of byte i of the view, or of its end.
func (v *view) source(i int) int {
	if v.at == nil {
		return i
	}
	return int(v.at[i])
}

// width returns how many bytes of the source byte i of the view takes: 1 if it is not
// encoded, more the more often it was.
func (v *view) width(i int) int {
	if v.at == nil {
		return 1
	}
	return int(v.at[i+1] - v.at[i])
}

// percent decodes the percent-encoded byte that b begins with: %40, %2540, %252540. A %
// that encodes nothing stands for itself.
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

// escape appends the meaning of the escape that b begins with: \x40, \u0040, \", \\ and \/.
// Other backslashes stand for themselves.
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

// longestReference is the longest reference in bytes that is decoded: &#x00022; and a few
// times "amp;" if it was encoded more often.
const longestReference = 32

// references are the names of the characters that structure a text.
var references = map[string]byte{"quot": '"', "apos": '\'', "amp": '&', "lt": '<', "gt": '>', "equals": '=', "colon": ':'}

// reference returns the character of the HTML reference that b ends with, and where that
// begins: &quot;, &#34;, &#x22; and &amp;quot;. from is -1 if there is none.
// https://html.spec.whatwg.org/multipage/named-characters.html
func reference(b []byte) (c byte, from int) {
	least := max(0, len(b)-longestReference)
	from = bytes.LastIndexByte(b[least:], '&')
	if from < 0 {
		return 0, -1
	}
	from += least
	name := b[from+1 : len(b)-1]
	for bytes.HasPrefix(name, []byte("amp;")) {
		name = name[len("amp;"):]
	}
	if c = references[string(name)]; c != 0 {
		return c, from
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, -1
	}
	digits, base := string(name[1:]), 10
	if digits[0]|0x20 == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 7)
	if err != nil || n < ' ' {
		return 0, -1
	}
	return byte(n), from
}

// hexRune parses n hexadecimal digits.
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
