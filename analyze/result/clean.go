package result

import (
	"strings"
	"unicode/utf8"

	"logscan/parse/privacy"
)

// Cleaner cleans values one after another. It reuses a buffer, which each value would
// otherwise allocate. The zero value is ready for use.
type Cleaner struct{ buffer []byte }

// Clean is CleanBytes.
func (c *Cleaner) Clean(b []byte) string {
	c.buffer = privacy.Redact(c.buffer[:0], b)
	if utf8.Valid(c.buffer) {
		return string(c.buffer)
	}
	return strings.ToValidUTF8(string(c.buffer), "\uFFFD")
}

// CleanBytes returns a value of the log as a Result holds it: valid UTF-8 without
// credentials.
func CleanBytes(b []byte) string {
	var c Cleaner
	return c.Clean(b)
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
