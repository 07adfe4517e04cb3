package timeline

import (
	"bytes"

	"logscan/parse/privacy"
)

// A URL template is the path with the parts that vary from request to request
// replaced by what they are: /users/4711/orders becomes /users/{id}/orders.
// Every segment is judged by itself, so the template of a path never depends
// on the paths seen before; where many siblings remain, collapse folds them.
//
// The idea of a fixed-depth tree with placeholders is Drain's (He et al.,
// ICWS 2017); the rules are our own, for URLs.

const (
	// maxDepth is how many segments of a path a template keeps. Deeper paths
	// are files in trees, not endpoints.
	maxDepth = 10
	// maxSegment is the longest segment in bytes that is kept as it is.
	maxSegment = 48
)

// appendTemplate appends the template of path to dst. Path parameters (from a
// ';' on, such as ;jsessionid=…) are dropped: they name no endpoint, and may be
// credentials.
//
// One pass over the bytes sums up each segment; what stays as it is, mostly all
// but the ids, is copied in runs.
func appendTemplate(dst, path []byte) []byte {
	copied := 0 // bytes of path that are in dst
	start := 0  // of the segment at hand
	depth := 0
	var sum uint64
	for i := 0; ; i++ {
		if i < len(path) && path[i] != '/' {
			sum += byteSums[path[i]]
			continue
		}
		if i > start {
			if depth++; depth > maxDepth {
				dst = append(dst, path[copied:start]...)
				return append(dst, "{rest}"...)
			}
			if !plain(sum, i-start) {
				dst = append(dst, path[copied:start]...)
				if sum == uint64(i-start) { // digits alone
					dst = append(dst, "{id}"...)
				} else {
					dst = appendSegment(dst, path[start:i])
				}
				copied = i
				if i < len(path) && len(dst) > 0 && dst[len(dst)-1] == '/' {
					copied++ // nothing is left of the segment, nor its slash
				}
			}
		} else if i > 0 && i < len(path) { // "//" is "/" to most servers
			dst = append(dst, path[copied:i]...)
			copied = i + 1
		}
		if i == len(path) {
			return append(dst, path[copied:]...)
		}
		start, sum = i+1, 0
	}
}

// byteSums add up, over the bytes of a segment, how many digits (bits 0 to 15),
// dashes (16 to 31) and bytes that need a closer look (32 and up) are in it.
var byteSums = func() (t [256]uint64) {
	for c := range t {
		switch k := classOf(byte(c)); {
		case k == cDigit:
			t[c] = 1
		case k == cDash:
			t[c] = 1 << 16
		case k == cAt, k == cStrange, c == ';':
			t[c] = 1 << 32
		}
	}
	return t
}()

// plain tells whether a segment of n bytes is a word that stays as it is: the
// common case.
func plain(sum uint64, n int) bool {
	return sum&0xffff == 0 && sum < 4<<16 && n <= maxSegment
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

// appendSegment appends what stands for a segment that is not plain.
func appendSegment(dst, seg []byte) []byte {
	if i := bytes.IndexByte(seg, ';'); i >= 0 {
		seg = seg[:i]
	}
	n := len(seg)
	digits := digitRun(seg)
	if n == digits && n > 0 {
		return append(dst, "{id}"...)
	}
	var seen uint16
	dashes, hex := 0, 0
	for _, c := range seg {
		k := byteClass[c]
		seen |= k
		if k&(cHexLetter|cDigit) != 0 {
			hex++
		} else if k == cDash {
			dashes++
		}
	}
	switch letters := seen & (cLower | cUpper); {
	case seen&cStrange != 0:
		return append(dst, "{text}"...)
	case seen&cAt != 0 && seen&cDot != 0:
		return append(dst, "{email}"...)
	case n == 36 && dashes == 4 && hex == 32 && seg[8] == '-' && seg[13] == '-' && seg[18] == '-' && seg[23] == '-':
		return append(dst, "{uuid}"...)
	case n == 10 && digits == 8 && dashes == 2 && seg[4] == '-' && seg[7] == '-':
		return append(dst, "{date}"...)
	case n == hex && n >= 12 && digits >= 2:
		return append(dst, "{hash}"...)
	case dashes > 0 && hex >= 16 && n >= 21 && pseudonymous(seg):
		return appendPseudonymous(dst, seg)
	case n >= 20 && letters == cLower|cUpper && digits > 0 && seen&^(cDigit|cHexLetter|cLower|cUpper|cDash|cWord) == 0:
		return append(dst, "{token}"...)
	case dashes >= 4 || n > maxSegment, dashes == 3 && seg[n-1]-'0' <= 9: // a title, perhaps with its number
		if dot := bytes.LastIndexByte(seg, '.'); dot > 0 && n-dot <= 6 && dashes >= 4 && digitRun(seg[dot:]) == 0 {
			return append(append(dst, "{slug}"...), seg[dot:]...)
		}
		return append(dst, "{slug}"...)
	case digits == 0:
		return append(dst, seg...)
	}
	return appendNumbered(dst, seg)
}

// pseudonymous tells whether a pseudonym stands in a segment.
func pseudonymous(seg []byte) bool {
	_, _, what := privacy.FindPseudonym(seg)
	return what != ""
}

// appendPseudonymous appends seg with what its pseudonyms are: whose path it is
// names no endpoint.
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

// digitRun counts the digits in b.
func digitRun(b []byte) (n int) {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// appendNumbered appends seg with its numbers replaced by {id}: runs of three
// digits and more, and shorter ones that follow a separator and end the word
// (page-2, item_7.html). Versions and names such as v1, oauth2 and utf8 stay.
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
		ends := end == len(seg) || seg[end] == '.' && digitRun(seg[end:]) == 0 // not a version such as 3.6.0
		if end-i >= 3 || afterSeparator && ends {
			dst = append(dst, "{id}"...)
		} else {
			dst = append(dst, seg[i:end]...)
		}
		i = end
	}
	return dst
}

// method gives the method's canonical bytes: itself where it is registered
// (RFC 9110, RFC 5789, WebDAV's RFC 4918 and 3253), "_OTHER" where it is not,
// as OpenTelemetry's http.request.method does, so that hostile lines cannot
// make endpoints without end.
func method(m []byte) []byte {
	switch string(m) {
	case "", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
		"MERGE", "CHECKOUT", "MKACTIVITY", "VERSION-CONTROL", "QUERY", "PURGE":
		return m
	}
	return otherMethod
}

var otherMethod = []byte("_OTHER")

// signInWords are what the last segments of sign-in and token routes are
// called by the common frameworks and identity providers.
var signInWords = [][]byte{
	[]byte("login"), []byte("log-in"), []byte("log_in"), []byte("signin"), []byte("sign-in"), []byte("sign_in"),
	[]byte("logon"), []byte("authenticate"), []byte("auth"), []byte("token"), []byte("session"), []byte("sessions"),
	[]byte("j_security_check"), []byte("wp-login.php"), []byte("login.php"), []byte("refresh"), []byte("acs"),
}

// signIn tells whether a POST to a template is an attempt to sign in or to get
// or renew a token.
func signIn(meth, template []byte) bool {
	if string(meth) != "POST" {
		return false
	}
	return lastSegmentIn(template, signInWords)
}

// signOutWords are what sign-out routes are called.
var signOutWords = [][]byte{
	[]byte("logout"), []byte("log-out"), []byte("log_out"), []byte("signout"), []byte("sign-out"), []byte("sign_out"),
	[]byte("logoff"), []byte("logout.php"), []byte("revoke"),
}

// signOut tells whether a template is a route that ends a session.
func signOut(template []byte) bool { return lastSegmentIn(template, signOutWords) }

func lastSegmentIn(template []byte, words [][]byte) bool {
	template = bytes.TrimRight(template, "/")
	last := template[bytes.LastIndexByte(template, '/')+1:]
	for _, w := range words {
		if bytes.EqualFold(last, w) {
			return true
		}
	}
	return false
}
