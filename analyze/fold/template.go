package fold

import "bytes"

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
func appendTemplate(dst, path []byte) []byte {
	if len(path) == 0 {
		return dst
	}
	depth := 0
	for len(path) > 0 {
		if path[0] == '/' {
			dst = append(dst, '/')
			path = path[1:]
			if len(path) > 0 && path[0] == '/' { // "//" is "/" to most servers
				dst = dst[:len(dst)-1]
			}
			continue
		}
		end := bytes.IndexByte(path, '/')
		if end < 0 {
			end = len(path)
		}
		if depth++; depth > maxDepth {
			return append(dst, "{rest}"...)
		}
		dst = appendSegment(dst, path[:end])
		path = path[end:]
	}
	return dst
}

// Byte classes, for one pass over a segment.
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
		switch {
		case c >= '0' && c <= '9':
			t[c] = cDigit
		case c >= 'a' && c <= 'f':
			t[c] = cLower | cHexLetter
		case c >= 'g' && c <= 'z':
			t[c] = cLower
		case c >= 'A' && c <= 'F':
			t[c] = cUpper | cHexLetter
		case c >= 'G' && c <= 'Z':
			t[c] = cUpper
		case c == '-':
			t[c] = cDash
		case c == '.':
			t[c] = cDot
		case c == '@':
			t[c] = cAt
		case c <= ' ' || c >= 0x7f || c == '%' || c == '"' || c == '<' || c == '>' || c == '\'' || c == '{' || c == '}':
			t[c] = cStrange
		default:
			t[c] = cWord
		}
	}
	return t
}()

func appendSegment(dst, seg []byte) []byte {
	if i := bytes.IndexByte(seg, ';'); i >= 0 {
		seg = seg[:i]
	}
	var seen uint16
	digits, dashes, hex := 0, 0, 0
	for _, c := range seg {
		k := byteClass[c]
		seen |= k
		switch {
		case k&cDigit != 0:
			digits++
			hex++
		case k&cHexLetter != 0:
			hex++
		case k == cDash:
			dashes++
		}
	}
	n := len(seg)
	letters := seen & (cLower | cUpper)
	switch {
	case seen&(cDigit|cStrange|cAt) == 0 && dashes < 4 && n <= maxSegment:
		return append(dst, seg...) // the common case: a plain word
	case n == digits:
		return append(dst, "{id}"...)
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
	case n >= 20 && letters == cLower|cUpper && digits > 0 && seen&^(cDigit|cHexLetter|cLower|cUpper|cDash|cWord) == 0:
		return append(dst, "{token}"...)
	case dashes >= 4 || n > maxSegment:
		if dot := bytes.LastIndexByte(seg, '.'); dot > 0 && n-dot <= 6 && dashes >= 4 && digitRun(seg[dot:]) == 0 {
			return append(append(dst, "{slug}"...), seg[dot:]...)
		}
		return append(dst, "{slug}"...)
	case digits == 0:
		return append(dst, seg...)
	}
	return appendNumbered(dst, seg)
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
