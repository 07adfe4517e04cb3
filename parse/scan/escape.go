package scan

import "unicode/utf8"

// AppendUnescaped appends b to dst with its backslash escapes decoded, of all
// dialects: nginx's \xHH, Apache's \" \\ \n \t \b \r \v and \xHH, JSON's \/ and
// \uXXXX with surrogate pairs, and \xHH in JSON strings, which Apache writes.
// Anything else stays as it is. It never appends more than len(b) bytes.
func AppendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' || i+1 == len(b) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c := b[i]; c {
		case '"', '\\', '/':
			dst = append(dst, c)
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'v':
			dst = append(dst, '\v')
		case 'x':
			if n, ok := HexDigits(b[i+1:], 2); ok {
				dst = append(dst, byte(n))
				i += 2
				continue
			}
			dst = append(dst, '\\', c)
		case 'u':
			n, ok := HexDigits(b[i+1:], 4)
			if !ok {
				dst = append(dst, '\\', c)
				continue
			}
			i += 4
			r := rune(n)
			if r >= 0xd800 && r < 0xdc00 && i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
				if low, ok := HexDigits(b[i+3:], 4); ok && low >= 0xdc00 && low < 0xe000 {
					r = (r-0xd800)<<10 + rune(low) - 0xdc00 + 0x10000
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r) // a lone surrogate becomes U+FFFD
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

// AppendHashUnescaped appends b to dst with HAProxy's escapes #XX decoded.
// https://docs.haproxy.org/3.0/configuration.html#8.6
func AppendHashUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '#' {
			if n, ok := HexDigits(b[i+1:], 2); ok {
				dst = append(dst, byte(n))
				i += 2
				continue
			}
		}
		dst = append(dst, b[i])
	}
	return dst
}

// HexDigits returns the value of the n hexadecimal digits that b begins with.
func HexDigits(b []byte, n int) (x uint32, ok bool) {
	if len(b) < n {
		return 0, false
	}
	for _, c := range b[:n] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		x = x<<4 | uint32(c)
	}
	return x, true
}
