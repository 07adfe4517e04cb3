package result

import (
	"strings"
	"unicode/utf8"

	"logscan/parse/privacy"
)

// text makes a value of the log fit to leave: valid UTF-8 without credentials.
func CleanBytes(b []byte) string {
	var scratch [256]byte
	if b = privacy.Redact(scratch[:0], b); utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// textOf is text for a string, which it gives back where nothing is to be changed.
func Clean(s string) string {
	if told := CleanBytes([]byte(s)); told != s {
		return told
	}
	return s
}

// textsOf makes names fit to leave.
func CleanAll(names []string) []string {
	told := make([]string, len(names))
	for i, n := range names {
		told[i] = Clean(n)
	}
	return told
}
