package parse

import (
	"strings"
	"testing"
)

// Run with: go test ./parse -run XX -bench Detect
func BenchmarkDetect(b *testing.B) {
	for name, line := range map[string]string{
		"combined": combinedLine, "json": jsonLine, "prose": strings.Repeat("It was a dark and stormy night; ", 5),
		"syslog": "<190>Mar  9 14:05:00 web nginx: " + combinedLine,
	} {
		sample := []byte(strings.Repeat(line+"\n", detectLines))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Detect(sample, Formats())
			}
		})
	}
}

// BenchmarkSmallFile measures what a file costs before its lines are read.
func BenchmarkSmallFile(b *testing.B) {
	sample := []byte(strings.Repeat(combinedLine+"\n", 20))
	for b.Loop() {
		Survey(sample, Detect(sample, Formats()).Format)
	}
}
