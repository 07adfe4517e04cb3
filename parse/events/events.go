// Package events reads the logs that lie beside access logs and say why a request was
// refused: error logs of servers, logs of applications and proxies, and event logs of
// identity providers.
//
// In: a line. Out: an Event, or that the line belongs to no log of a kind. It does not
// find the request that an event belongs to.
package events

// Log is a kind of log without requests. It is immutable.
type Log struct {
	Name    string
	Doc     string   // what writes it, in a line
	Samples []string // lines of it
	// Provider reports whether it is of an identity provider, whose own requests are others than
	// those that its users are refused.
	Provider bool

	// read reads a line into an event that states nothing yet. It reports false if the
	// line is not one of the log: what it has stored then does not count.
	read func(line []byte, e *Event) bool
}

// Read reads a line into e. It reports false if the line is not one of the log.
func (l *Log) Read(line []byte, e *Event) bool {
	e.Reset()
	if !l.read(line, e) {
		e.Reset()
		return false
	}
	return true
}

// Logs returns the kinds that are known, most specific first.
func Logs() []*Log {
	list := servers()
	list = append(list, gateways()...)
	list = append(list, checks()...)
	list = append(list, frameworks()...)
	for _, l := range providers() {
		l.Provider = true
		list = append(list, l)
	}
	return append(list, applications()...)
}

// shaped reports whether a line begins as a shape says: 0 is a digit,
// A and a are letters, anything else is itself.
func shaped(line []byte, shape string) bool {
	if len(line) < len(shape) {
		return false
	}
	for i := range len(shape) {
		c := line[i]
		ok := c == shape[i]
		switch shape[i] {
		case '0':
			ok = c-'0' <= 9
		case 'A':
			ok = c-'A' <= 25
		case 'a':
			ok = c-'a' <= 25
		}
		if !ok {
			return false
		}
	}
	return true
}

// letters reports whether b is the name of a level or of a module and a level.
func letters(b []byte) bool {
	for _, c := range b {
		if c|0x20-'a' > 25 && c-'0' > 9 && c != '_' && c != ':' && c != '-' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 40
}
