package result

import (
	"strings"
	"unicode/utf8"

	"logscan/parse/privacy"
)

// CleanBytes returns a value of the log as a Result holds it: valid UTF-8 without
// credentials.
func CleanBytes(b []byte) string {
	var scratch [256]byte
	if b = privacy.Redact(scratch[:0], b); utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// Clean is CleanBytes for a string. It returns s itself if nothing changes.
func Clean(s string) string {
	if clean := CleanBytes([]byte(s)); clean != s {
		return clean
	}
	return s
}

// CleanAll returns the cleaned names.
func CleanAll(names []string) []string {
	clean := make([]string, len(names))
	for i, n := range names {
		clean[i] = Clean(n)
	}
	return clean
}
