package wrap

import "bytes"

// caddyConsole reads what Caddy's console encoder makes of an entry: time,
// level, logger and message, then the entry's fields as JSON, with tabs between
// them. The level may be in colour.
// https://caddyserver.com/docs/caddyfile/directives/log#console
func caddyConsole(line []byte) (t Text, ok bool) {
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
	return Text{Start: len(line) - len(rest), End: len(line), Stamp: stamp}, true
}

var tab = []byte("\t")
