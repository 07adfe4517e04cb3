// Package document holds the JSON documents of an output directory as Go types:
// findings.json, manifest.json and rejects.ndjson.
//
// The types are plain data. Package wording makes findings from a result, package
// outdir reads documents back, and package report writes them.
package document

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"logscan/analyze/result"
	"logscan/parse"
)

// SchemaVersion is the version of the tables and JSON documents. It changes when a
// name or a meaning changes, not when one is added.
const SchemaVersion = 1

const (
	// ToolName identifies logscan in a manifest.
	ToolName = "logscan"
	// FindingsName is the file of the findings in an output directory.
	FindingsName = "findings.json"
	// ManifestName is the file of the manifest in an output directory.
	ManifestName = "manifest.json"
	// ReportName is the file of the report in an output directory.
	ReportName = "report.html"
)

// Stamp is a time in Unix microseconds, parse.NoTime if there is none. In JSON it
// is RFC 3339 in UTC, or null.
type Stamp int64

// MarshalJSON implements json.Marshaler. It never fails: years of more than four
// digits are written as they are.
func (s Stamp) MarshalJSON() ([]byte, error) {
	if s == parse.NoTime {
		return []byte("null"), nil
	}
	b := append([]byte(nil), '"')
	b = time.UnixMicro(int64(s)).UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = parse.NoTime
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return err
	}
	*s = Stamp(t.UnixMicro())
	return nil
}

// Finite returns x, or 0 if JSON cannot represent it.
func Finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// Write writes v to w as indented JSON, which people can read and diff.
func Write(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("BUG: a value that JSON cannot represent: %w", err)
	}
	_, err = w.Write(append(escapeUnprintable(indented(b)), '\n'))
	return err
}

// indented returns what json.Indent makes of the output of json.Marshal with two blanks. It
// need not check its input, so it takes a quarter of the time: a manifest can have a hundred
// thousand inputs.
func indented(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/2)
	depth := 0
	line := func() {
		out = append(out, '\n')
		for range depth {
			out = append(out, ' ', ' ')
		}
	}
	for i := 0; i < len(b); {
		start, c := i, b[i]
		switch i++; c {
		case '"':
			i += endOfString(b[i:])
			out = append(out, b[start:i]...)
		case '{', '[':
			if b[i] == c+2 { // it is empty
				i++
				out = append(out, c, c+2)
				continue
			}
			out = append(out, c)
			depth++
			line()
		case '}', ']':
			depth--
			line()
			out = append(out, c)
		case ',':
			out = append(out, c)
			line()
		case ':':
			out = append(out, c, ' ')
		default:
			out = append(out, c)
		}
	}
	return out
}

// endOfString returns the length of the rest of a JSON string, with its last quote.
func endOfString(b []byte) int {
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// Reject is a line of rejects.ndjson.
type Reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"` // 1-based
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

// WriteRejects writes up to result.MaxRejectedLines rejected lines, one JSON object
// per line.
func WriteRejects(w io.Writer, lines []result.RejectedLine) error {
	for i := range lines[:min(len(lines), result.MaxRejectedLines)] {
		l := &lines[i]
		b, err := json.Marshal(Reject{l.Path, l.Line, l.Reason, l.Raw})
		if err != nil {
			return err
		}
		if _, err := w.Write(append(escapeUnprintable(b), '\n')); err != nil {
			return err
		}
	}
	return nil
}

// isPlain reports whether all bytes are less than 0x7f, eight at a time.
func isPlain(b []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); (x|(x+ones))&high != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x7f })
}

// escapeUnprintable replaces DEL, C1 controls, bidirectional overrides and other
// invisible characters of a JSON text by \u escapes: the values stay the same, and
// the file is safe to show in a terminal. Such characters occur in strings only;
// encoding/json has already escaped those below U+0020.
func escapeUnprintable(b []byte) []byte {
	if isPlain(b) {
		return b // as nearly always: a manifest may have megabytes
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		plain := i
		for i < len(b) && b[i] < 0x7f {
			i++
		}
		if out = append(out, b[plain:i]...); i == len(b) {
			break
		}
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case strconv.IsPrint(r):
			out = append(out, b[i:i+size]...)
		case r > 0xffff:
			r -= 0x10000
			out = appendEscape(appendEscape(out, 0xd800+r>>10), 0xdc00+r&0x3ff)
		default:
			out = appendEscape(out, r)
		}
		i += size
	}
	return out
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
