package parse

import "bytes"

// splitRequest takes a request line apart: METHOD target PROTOCOL. What is no
// request line – TLS bytes, a lone word, nothing – leaves the method empty; the
// target may hold spaces, and HTTP/0.9 has no protocol.
func splitRequest(e *Entry, b []byte) {
	i := bytes.IndexByte(b, ' ')
	if i <= 0 || !isToken(b[:i]) {
		return
	}
	e.Method = b[:i]
	target := b[i+1:]
	if j := len(target) - len(" HTTP/1.1"); j >= 0 && target[j] == ' ' && hasPrefix(target[j+1:], httpSlash) {
		e.Protocol, target = target[j+1:], target[:j]
	} else if j := bytes.LastIndexByte(target, ' '); j >= 0 && hasPrefix(target[j+1:], httpSlash) {
		e.Protocol = target[j+1:]
		target = target[:j]
	}
	splitTarget(e, target)
}

// isToken tells whether b is a method's name as far as its bytes go (RFC 9110,
// section 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '/' || c == '{' || c == '<' {
			return false
		}
	}
	return true
}

// splitTarget takes a request target apart: origin form, or absolute form with
// scheme and host (RFC 9112, section 3.2).
func splitTarget(e *Entry, b []byte) {
	if len(b) > 0 && b[0] != '/' {
		if i := bytes.Index(b, []byte("://")); i > 0 && i <= 5 {
			e.Scheme = b[:i]
			rest := b[i+3:]
			j := bytes.IndexAny(rest, "/?")
			if j < 0 {
				j = len(rest)
			}
			host := rest[:j]
			if at := bytes.LastIndexByte(host, '@'); at >= 0 {
				host = host[at+1:]
			}
			b = rest[j:]
			if len(b) == 0 {
				// A format can put a URL together of which there is no target: no
				// host ends in the dash for it.
				if n := len(host) - 1; n > 0 && host[n] == '-' {
					host = host[:n]
				} else {
					e.Path = slash
				}
			}
			if len(e.Host) == 0 {
				e.Host = withoutPort(host)
			}
			if len(b) == 0 {
				return
			}
		}
	}
	if i := bytes.IndexByte(b, '?'); i >= 0 {
		e.Path, e.Query = b[:i], b[i+1:]
		return
	}
	e.Path = b
}

var (
	slash     = []byte("/")
	httpSlash = []byte("HTTP/")
)
