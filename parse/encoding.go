package parse

import "bytes"

// byteOrderMark begins a text of some Windows programs that is UTF-8, and where
// files were put together, a line.
const byteOrderMark = "\xef\xbb\xbf"

// utf16Units is how many characters of a sample tell that it is UTF-16 where no
// byte order mark does.
const utf16Units = 32

// isUTF16 tells whether text is in UTF-16, as PowerShell writes what it is
// given: a byte order mark says so, or every second byte is NUL, as it is of
// what logs hold.
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
