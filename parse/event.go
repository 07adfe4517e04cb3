package parse

import "logscan/parse/events"

// Event returns the event that the last line was, if Parse has skipped it as
// SkipErrorLog, and the log whose line it is; nil if no log of events has read it. It is
// valid until the next line, and returned once.
func (p *Parser) Event() (*events.Event, *events.Log) {
	log := p.eventLog
	p.eventLog = nil
	return &p.event, log
}
