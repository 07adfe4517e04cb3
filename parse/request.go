package parse

import (
	"bytes"

	"logscan/parse/field"
	"logscan/parse/scan"
)

// splitLine stores the parts of a request line as servers write it.
func splitLine(e *Entry, b []byte) {
	if len(b) > 1 && b[0] == '-' && b[1] == ' ' {
		splitDashes(e, b)
	} else {
		splitRequest(e, b)
	}
}

// splitDashes stores the parts of a request whose method the server does not know:
// "- - -", "- - HTTP/1.1", "- http://example.org:80- -".
func splitDashes(e *Entry, b []byte) {
	if i := bytes.LastIndexByte(b, ' '); bytes.HasPrefix(b[i+1:], httpSlash) {
		e.Protocol, b = b[i+1:], b[:i]
	}
	if b = bytes.Trim(b, "- "); len(b) > 0 {
		splitTarget(e, b)
	}
}

// splitRequest stores the parts of a request line: METHOD target PROTOCOL. The
// method stays empty if it is none, such as TLS bytes or a lone word. The target may
// contain spaces, and HTTP/0.9 has no protocol. Logstash's pattern for access logs calls the
// target a request.
func splitRequest(e *Entry, b []byte) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 && len(b) > 0 && b[0] == '/' {
		splitTarget(e, b)
		return
	}
	if i <= 0 || !isToken(b[:i]) {
		return
	}
	e.Method = b[:i]
	target := b[i+1:]
	if j := len(target) - len(" HTTP/1.1"); j >= 0 && target[j] == ' ' && scan.HasPrefix(target[j+1:], httpSlash) {
		e.Protocol, target = target[j+1:], target[:j]
	} else if j := bytes.LastIndexByte(target, ' '); j >= 0 && scan.HasPrefix(target[j+1:], httpSlash) {
		e.Protocol = target[j+1:]
		target = target[:j]
	}
	splitTarget(e, target)
}

// isToken reports whether the bytes of b can be those of a method (RFC 9110, section
// 5.6.2).
func isToken(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '/' || c == '{' || c == '<' {
			return false
		}
	}
	return true
}

// splitTarget stores the parts of a request target in origin form, or in absolute
// form with scheme and host (RFC 9112, section 3.2).
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
				// A format may compose a URL from variables. A missing target is then a
				// dash, in which no host ends.
				if n := len(host) - 1; n > 0 && host[n] == '-' {
					host = host[:n]
				} else {
					e.Path = slash
				}
			}
			if len(e.Host) == 0 {
				e.Host = field.WithoutPort(host)
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
