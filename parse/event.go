package parse

import "logscan/parse/events"

// Event reads a line that Parse has skipped as SkipErrorLog into e, and returns the
// log whose line it is, nil if no format of the parser reads it. Byte fields of e are
// valid until the next call.
func (p *Parser) Event(line []byte, e *events.Event) *events.Log {
	for _, f := range p.formats {
		if f.kind != kindEvents {
			continue
		}
		if text := f.text(line); f.events.Is(text) && f.events.Read(text, e) {
			return f.events
		}
	}
	return nil
}
