package privacy

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
	inCredential = classOf(func(c byte) bool { return inToken[c] || contains("+/~=%", c) })
	// inName holds the bytes of a parameter's, cookie's or JSON key's name.
	inName = classOf(func(c byte) bool { return isAlnum(c) || contains("_-.[]$", c) })
	// inUserName also holds the bytes of UTF-8 sequences.
	inUserName = classOf(func(c byte) bool { return inName[c] || c >= 0x80 })
	// inWord holds letters, digits and the bytes of UTF-8 sequences.
	inWord = classOf(func(c byte) bool { return isAlnum(c) || c >= 0x80 })
	// separator holds the bytes that stand between values.
	separator = classOf(func(c byte) bool { return contains(" \t\"'/?&=;:,()[]{}<>", c) })
)

func classOf(holds func(byte) bool) (class [256]bool) {
	for c := range class {
		class[c] = holds(byte(c))
	}
	return class
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// isLowerHex reports whether c is a lower-case hexadecimal digit.
func isLowerHex(c byte) bool { return isDigit(c) || c-'a' <= 5 }

func isHex(c byte) bool { return isLowerHex(c) || c-'A' <= 5 }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
