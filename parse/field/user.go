package field

import (
	"bytes"
	"unicode/utf8"

	"logscan/parse/scan"
)

// UnescapeUser decodes the escapes of a user name that is logged without quotes.
// nginx and Apache escape it there too; other servers do not and log CORP\bob with
// one backslash. So only the escapes that those two write are decoded.
func UnescapeUser(s *scan.Scratch, b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	user := s.Grow(len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			switch next := b[i+1]; {
			case next == '\\' || next == '"':
				c = next
				i++
			case next == 'x':
				if x, ok := scan.HexDigits(b[i+2:], 2); ok && (x < ' ' || x >= 0x7f || x == '"' || x == '\\') {
					c = byte(x)
					i += 3
				}
			}
		}
		user = append(user, c)
	}
	if !utf8.Valid(user) {
		return b // it only looked like escapes
	}
	return s.Keep(user)
}
