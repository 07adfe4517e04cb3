package parse

import "bytes"

// byteOrderMark begins UTF-8 text of some Windows programs, and a line where files
// were concatenated.
const byteOrderMark = "\xef\xbb\xbf"

// utf16Units is how many characters of a sample are examined for UTF-16 without a
// byte order mark.
const utf16Units = 32

// isUTF16 reports whether text is UTF-16, as PowerShell writes it: it has a byte
// order mark, or every second byte is NUL, as for most characters in logs.
func isUTF16(text []byte) bool {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return true
	}
	text = text[:min(len(text), 2*utf16Units)]
	if len(text) < 4 {
		return false
	}
	little, big := true, true
	for i, b := range text {
		if (b == 0) != (i%2 == 1) {
			little = false
		}
		if (b == 0) != (i%2 == 0) {
			big = false
		}
	}
	return little || big
}
