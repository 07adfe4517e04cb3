package privacy

import "strings"

// Classes of bytes. The scanning loops consult them for nearly every byte of a
// text, so they are tables.
var (
	// base64URL holds the alphabet of base64url, which the parts of a JSON Web
	// Token and most keys of services are written in.
	base64URL = classOf(func(c byte) bool { return isAlnum(c) || c == '-' || c == '_' })
	// inToken also holds the dots within a token. Neither the name of an
	// authentication scheme nor a service key starts behind such a byte.
	inToken = classOf(func(c byte) bool { return base64URL[c] || c == '.' })
	// inCredential also holds what base64 and percent-encoding add.
	inCredential = classOf(func(c byte) bool { return inToken[c] || strings.IndexByte("+/~=%", c) >= 0 })
	// inName holds the bytes of a parameter's, cookie's or JSON key's name.
	inName = classOf(func(c byte) bool { return isAlnum(c) || strings.IndexByte("_-.[]$", c) >= 0 })
	// inUserName also holds the bytes of UTF-8 sequences.
	inUserName = classOf(func(c byte) bool { return inName[c] || c >= 0x80 })
	// inWord holds letters, digits and the bytes of UTF-8 sequences.
	inWord = classOf(func(c byte) bool { return isAlnum(c) || c >= 0x80 })
	// upper holds the capitals.
	upper = classOf(func(c byte) bool { return c-'A' <= 'Z'-'A' })
	// separator holds the bytes that stand between values.
	separator = classOf(func(c byte) bool { return strings.IndexByte(" \t\"'/?&=;:,()[]{}<>", c) >= 0 })
)

func classOf(holds func(byte) bool) (class [256]bool) {
	for c := range class {
		class[c] = holds(byte(c))
	}
	return class
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// isLowerHex reports whether c is a lower-case hexadecimal digit.
func isLowerHex(c byte) bool { return isDigit(c) || c-'a' <= 5 }

func isHex(c byte) bool { return isLowerHex(c) || c-'A' <= 5 }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
