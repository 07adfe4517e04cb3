package carrier

import "bytes"

// caddyConsole locates the JSON in a line of Caddy's console encoder: time, level,
// logger, message and the other fields as JSON, separated by tabs. The level may
// be coloured.
// https://caddyserver.com/docs/caddyfile/directives/log#console
func caddyConsole(line []byte) (t text, ok bool) {
	stamp, rest, ok := bytes.Cut(line, tab)
	if !ok || len(stamp) < 19 || stamp[4] != '/' || stamp[7] != '/' || stamp[10] != ' ' || stamp[13] != ':' {
		return t, false
	}
	for range 3 {
		if _, rest, ok = bytes.Cut(rest, tab); !ok {
			return t, false
		}
	}
	if len(rest) == 0 || rest[0] != '{' {
		return t, false
	}
	return text{start: len(line) - len(rest), end: len(line), stamp: stamp}, true
}

var tab = []byte("\t")
