package timeline

import (
	"bytes"

	"logscan/parse/privacy"
)

// A URL template is a path with placeholders for the parts that vary from request
// to request: /users/4711/orders becomes /users/{id}/orders. The placeholder for a
// segment depends on that segment alone, so the template of a path does not depend
// on other paths. If too many siblings remain, they are collapsed; see collapse.
//
// The fixed-depth tree with placeholders is that of Drain (He et al., ICWS 2017);
// the rules are specific to URLs.

const (
	// maxDepth is the maximum number of segments of a template. Deeper paths are
	// files in trees, not endpoints.
	maxDepth = 10
	// maxSegment is the maximum length in bytes of a segment that is kept.
	maxSegment = 48
)

// appendTemplate appends the template of path to dst. It drops path parameters,
// which begin with ';' (such as ;jsessionid=…): they do not identify an endpoint,
// and may be credentials.
func appendTemplate(dst, path []byte) []byte {
	depth := 0
	for start := 0; start <= len(path); {
		seg := path[start:]
		if end := bytes.IndexByte(seg, '/'); end >= 0 {
			seg = seg[:end]
		}
		if start > 0 && (len(dst) == 0 || dst[len(dst)-1] != '/') { // most servers treat "//" as "/"
			dst = append(dst, '/')
		}
		if len(seg) > 0 {
			if depth++; depth > maxDepth {
				return append(dst, "{rest}"...)
			}
			dst = appendSegment(dst, seg)
		}
		start += len(seg) + 1
	}
	return dst
}

// Byte classes.
const (
	cDigit = 1 << iota
	cHexLetter
	cLower
	cUpper
	cDash    // -
	cWord    // _ ~ and other unreserved
	cDot     // .
	cAt      // @
	cStrange // % and everything outside printable ASCII
)

var byteClass = func() (t [256]uint16) {
	for c := range t {
		t[c] = classOf(byte(c))
	}
	return t
}()

// The sums of byteCounts: bytes that are digits, hexadecimal digits and dashes.
const (
	countBits = 21
	aDigit    = 1
	aHex      = 1 << countBits
	aDash     = 1 << (2 * countBits)
)

var byteCounts = func() (t [256]uint64) {
	for c, class := range byteClass {
		switch {
		case class == cDigit:
			t[c] = aDigit + aHex
		case class&cHexLetter != 0:
			t[c] = aHex
		case class == cDash:
			t[c] = aDash
		}
	}
	return t
}()

func classOf(c byte) uint16 {
	switch {
	case c >= '0' && c <= '9':
		return cDigit
	case c >= 'a' && c <= 'f':
		return cLower | cHexLetter
	case c >= 'g' && c <= 'z':
		return cLower
	case c >= 'A' && c <= 'F':
		return cUpper | cHexLetter
	case c >= 'G' && c <= 'Z':
		return cUpper
	case c == '-':
		return cDash
	case c == '.':
		return cDot
	case c == '@':
		return cAt
	case c <= ' ', c >= 0x7f, c == '%', c == '"', c == '<', c == '>', c == '\'', c == '{', c == '}':
		return cStrange
	}
	return cWord
}

// appendSegment appends the placeholder for a segment, or the segment itself.
func appendSegment(dst, seg []byte) []byte {
	if i := bytes.IndexByte(seg, ';'); i >= 0 {
		seg = seg[:i]
	}
	n := len(seg)
	var seen uint16
	counts := uint64(0)
	for _, c := range seg {
		seen |= byteClass[c]
		counts += byteCounts[c]
	}
	const most = 1<<countBits - 1
	digits, hex, dashes := int(counts&most), int(counts>>countBits&most), int(counts>>(2*countBits))
	switch letters := seen & (cLower | cUpper); {
	case seen == cDigit:
		return append(dst, "{id}"...)
	case seen&cStrange != 0:
		return append(dst, "{text}"...)
	case seen&cAt != 0 && seen&cDot != 0:
		return append(dst, "{email}"...)
	case n == 36 && dashes == 4 && hex == 32 && seg[8] == '-' && seg[13] == '-' && seg[18] == '-' && seg[23] == '-':
		return append(dst, "{uuid}"...)
	case n == 10 && digits == 8 && dashes == 2 && seg[4] == '-' && seg[7] == '-':
		return append(dst, "{date}"...)
	case isTimestamp(seg, digits):
		return append(dst, "{time}"...)
	case n == hex && n >= 12 && digits >= 2:
		return append(dst, "{hash}"...)
	case dashes > 0 && hex >= 16 && n >= 21 && pseudonymous(seg):
		return appendPseudonymous(dst, seg)
	case n >= 20 && letters == cLower|cUpper && digits > 0 && seen&^(cDigit|cHexLetter|cLower|cUpper|cDash|cWord) == 0:
		return append(dst, "{token}"...)
	case dashes >= 4 || n > maxSegment, dashes == 3 && seg[n-1]-'0' <= 9: // a title, perhaps with a number
		if dot := bytes.LastIndexByte(seg, '.'); dot > 0 && n-dot <= 6 && dashes >= 4 && countDigits(seg[dot:]) == 0 {
			return append(append(dst, "{slug}"...), seg[dot:]...)
		}
		return append(dst, "{slug}"...)
	case digits == 0:
		return append(dst, seg...)
	}
	return appendNumbered(dst, seg)
}

// isTimestamp reports whether a segment with that many digits is a date and a time, as
// RFC 3339 has them (2026-03-09T14:05:00.250Z), with or without seconds and a zone.
func isTimestamp(seg []byte, digits int) bool {
	const least, most = len("2026-03-09T14:05"), len("2026-03-09T14:05:00.123456789+01:00")
	n := len(seg)
	return n >= least && n <= most && digits >= 12 && n-digits <= 8 &&
		seg[4] == '-' && seg[7] == '-' && (seg[10] == 'T' || seg[10] == 't' || seg[10] == '_')
}

// pseudonymous reports whether a segment contains a pseudonym.
func pseudonymous(seg []byte) bool {
	_, _, what := privacy.FindPseudonym(seg)
	return what != ""
}

// appendPseudonymous appends seg with placeholders for its pseudonyms: whose path
// it is does not identify an endpoint.
func appendPseudonymous(dst, seg []byte) []byte {
	for {
		start, end, what := privacy.FindPseudonym(seg)
		dst = append(dst, seg[:start]...)
		if what == "" {
			return append(dst, seg...)
		}
		dst = append(dst, what...)
		seg = seg[end:]
	}
}

// countDigits returns the number of digits in b.
func countDigits(b []byte) (n int) {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// appendNumbered appends seg with {id} for its numbers: runs of three or more
// digits, and shorter ones that follow a separator and end the word (page-2,
// item_7.html). Versions and names such as v1, oauth2 and utf8 are kept.
func appendNumbered(dst, seg []byte) []byte {
	for i := 0; i < len(seg); {
		c := seg[i]
		if c < '0' || c > '9' {
			dst = append(dst, c)
			i++
			continue
		}
		end := i
		for end < len(seg) && seg[end] >= '0' && seg[end] <= '9' {
			end++
		}
		afterSeparator := i > 0 && (seg[i-1] == '-' || seg[i-1] == '_' || seg[i-1] == '=' || seg[i-1] == ':' || seg[i-1] == ',')
		ends := end == len(seg) || seg[end] == '.' && countDigits(seg[end:]) == 0 // not a version such as 3.6.0
		if end-i >= 3 || afterSeparator && ends {
			dst = append(dst, "{id}"...)
		} else {
			dst = append(dst, seg[i:end]...)
		}
		i = end
	}
	return dst
}

// Template returns the template of a path, as endpoints have it unless a log has too many
// of them.
func Template(path []byte) string {
	if len(path) == 0 {
		return ""
	}
	return string(appendTemplate(nil, path))
}
