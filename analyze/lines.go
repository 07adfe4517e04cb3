package analyze

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"logscan/analyze/authevents"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/privacy"
)

// lineStore reads what is kept of the lines of refusals and messages. Each of its methods
// returns a function for one goroutine.
type lineStore interface {
	// refusals returns a function that sets the columns of a refusal's row that its line
	// holds, and returns the text of the line as evidence if it is wanted.
	refusals() func(refusal int, row *result.Unauthorized, wanted bool) (text string, err error)
	// messages returns a function that returns what outputs hold of a message, until the
	// next call, and its text as evidence if it is wanted.
	messages() func(message int, wanted bool) (*message, error)
	requestKeys(authevents.Keyer) func(refusal int, k *authevents.RequestKeys) error
	eventKeys(authevents.Keyer) func(message int, k *authevents.EventKeys) error
	// messageRows returns a function that sets the columns of a message's row that its line
	// holds, and clears the others.
	messageRows() func(message int, row *result.AuthEvent) error
}

// lineStore returns that of a state.
func (r *reader) lineStore(s *timeline.State) lineStore {
	if r.recorded {
		return &recordedLines{s}
	}
	return newParsedLines(r, s)
}

// message is an event of an error log or identity provider, without credentials and, with
// a key, with pseudonyms in place of names.
type message struct {
	Code, Method, Path, Host, Client, User string
	Said, Route                            string // the message of the log, and the template of the path; only of failures
	Text                                   string // the line as evidence
	Outcome                                events.Outcome
	Status                                 int32
	// Sender is a hash of the client of a failure. Request is one of the connection, the
	// request line and the client; 0 if the connection is not logged.
	Sender, Request uint64
}

// lineParser parses lines that were kept. It belongs to one goroutine.
type lineParser struct {
	*reader
	parsers map[string]*parse.Parser
	parser  *parse.Parser // of input; nil before the first line of the block
	input   int
	block   []byte // that the lines of refusals are parts of
	texts   *textCache
	mask    *privacy.Mask // for messages; nil for none
	keyer   authevents.Keyer
	entry   parse.Entry
	keys    parse.Keys
	record  events.Record // of a message
	said    events.Event  // that of record
	message message
	raw     []byte                   // the text of a refusal as evidence
	cleaned events.ByTexts[[]string] // texts of records as outputs have them, by number; empty until they are needed
}

func (r *reader) newLineParser(keyer authevents.Keyer) *lineParser {
	return &lineParser{
		reader: r, parsers: map[string]*parse.Parser{}, texts: newTextCache(), mask: r.options.Parse.Privacy.NewMask(), keyer: keyer,
	}
}

// parsed returns the parser of a line of an input, and an error if it did not parse.
func (p *lineParser) parsed(input int, read func(*parse.Parser) parse.Verdict) (*parse.Parser, error) {
	parser := p.parserOf(input)
	if v := read(parser); v != parse.Parsed {
		return nil, fmt.Errorf("BUG: a line of %s was parsed and now is %s", p.inputs[input].Path, v)
	}
	return parser, nil
}

// began sets the block that the next lines of refusals are parts of.
func (p *lineParser) began(block []byte) { p.block, p.parser = block, nil }

// parserOf returns the parser of the lines of an input. The next line is that of the last
// one as a rule.
func (p *lineParser) parserOf(input int) *parse.Parser {
	if p.parser == nil || p.input != input {
		p.parser, p.input = p.reader.parser(p.parsers, input), input
		p.parser.Block(p.block)
	} else {
		p.parser.Directive(nil)
	}
	return p.parser
}

// refusal sets the columns that the line of a refusal holds, and returns its text as
// evidence if it is wanted, until the next call.
func (p *lineParser) refusal(input int, line []byte, row *result.Unauthorized, wanted bool) (text []byte, err error) {
	e, texts := &p.entry, p.texts
	var known *privacy.Line
	parser, err := p.parsed(input, func(x *parse.Parser) (v parse.Verdict) {
		if !wanted {
			return x.Parse(line, e)
		}
		v, known = x.ParseLocated(line, e)
		return v
	})
	if err != nil {
		return nil, err
	}
	*row = requestRow(texts, e)
	if len(e.Session) > 0 {
		row.SessionID = privacy.SessionHash(e.Session)
	}
	if !wanted {
		return nil, nil
	}
	p.raw = rawText(p.raw, parse.Kept(line), known, parser.Mask())
	return p.raw, nil
}

// requestKeys sets the keys of the line of a refusal. The reader is one that withKeys
// returns.
func (p *lineParser) requestKeys(input int, line []byte, k *authevents.RequestKeys) error {
	_, err := p.parsed(input, func(x *parse.Parser) parse.Verdict { return x.ParseKeys(line, &p.entry, &p.keys) })
	if err == nil {
		p.keyer.Request(k, &p.entry, &p.keys)
	}
	return err
}

// eventKeys sets the keys of a message of which the record is given.
func (p *lineParser) eventKeys(texts *events.Texts, record []byte, k *authevents.EventKeys) error {
	err := texts.Read(record, &p.record)
	if err == nil {
		p.keyer.Record(k, &p.record)
	}
	return err
}

// setRow sets the columns of a row that a message holds, and clears the others.
func (m *message) setRow(row *result.AuthEvent) {
	*row = result.AuthEvent{Code: m.Code, Status: m.Status, Method: m.Method, Host: m.Host, Client: m.Client, User: m.User, Path: m.Path}
}

// row is setRow of the message of a record.
func (p *lineParser) row(texts *events.Texts, record []byte, row *result.AuthEvent) error {
	if p.mask != nil { // it depends on all texts of the line
		m, err := p.read(texts, record)
		if err == nil {
			m.setRow(row)
		}
		return err
	}
	r := &p.record
	if err := texts.Read(record, r); err != nil {
		return err
	}
	clean := p.cleaned.Of(texts, func(most int) *[]string { return new(make([]string, most+1)) })
	once := func(field int) string { return events.Once(*clean, r, field, p.texts, (*textCache).clean) }
	*row = result.AuthEvent{
		Code: once(events.TextCode), Status: r.Status, Method: once(events.TextMethod), Host: once(events.TextHost),
		Client: once(events.TextClient), User: once(events.TextUser), Path: p.texts.clean(pathOf(r.Text(events.TextTarget))),
	}
	return nil
}

// pathOf returns the path of a target.
func pathOf(target []byte) []byte {
	path, _, _ := bytes.Cut(target, []byte("?"))
	return path
}

// read returns what outputs hold of a message, until the next call.
func (p *lineParser) read(records *events.Texts, record []byte) (*message, error) {
	if err := records.Read(record, &p.record); err != nil {
		return nil, err
	}
	texts, mask, e := p.texts, p.mask, &p.said
	p.record.Event(e)
	path, user, client, said := pathOf(e.Target), e.User, e.Client, e.Message
	m := &p.message
	*m = message{Outcome: e.Outcome, Status: e.Status, Code: texts.clean(e.Code), Method: texts.clean(e.Method), Host: texts.clean(e.Host)}
	failed := e.Outcome == events.Failed
	if failed && len(client) > 0 {
		m.Sender = p.keyer.Hash(client)
	}
	if failed && len(e.Connection) > 0 {
		m.Request = p.keyer.Hash(bytes.Join([][]byte{e.Connection, e.Method, e.Target, client}, []byte{0}))
	}
	if mask != nil {
		mask.Line(e.User, e.Client, nil, e.Session, e.Host, nil)
		path = mask.Text(path)
		user, client = mask.User(user), mask.Address(client)
		said = mask.Text(said)
	}
	if failed { // only then the configuration may show why
		m.Said, m.Route = texts.clean(said), result.Clean(timeline.Template(path))
	}
	m.Path, m.Client, m.User = texts.clean(path), texts.clean(client), texts.clean(user)
	return m, nil
}

// show adds the line of the message that was read last, as evidence.
func (p *lineParser) show(line []byte) {
	if len(line) > 0 {
		p.message.Text = eventText(line, &p.said, p.mask)
	}
}

// lineAgain reads the line of the message that was read last from its input. It returns nil if
// another line is there now: a file may be cut off or written anew at any time.
func (p *lineParser) lineAgain(m *timeline.Message) []byte {
	input := int(m.Input)
	line, err := p.inputs[input].LineAt(m.At)
	if err != nil || !p.saysTheSame(input, line) {
		p.changed.Store(input, nil)
		return nil
	}
	return line
}

// saysTheSame reports whether a line is about the event of the message that was read last.
func (p *lineParser) saysTheSame(input int, line []byte) bool {
	parser := p.parserOf(input)
	if parser.Parse(line, &p.entry) != parse.SkipErrorLog {
		return false
	}
	e, log := parser.Event()
	return log != nil && p.said.Same(e)
}

// rejected returns the text of a rejected line. With pseudonyms it is left out: who is named
// in a line that cannot be parsed is unknown.
func (p *lineParser) rejected(x *timeline.Rejected) string {
	if p.options.Parse.Privacy.Key != nil {
		return ""
	}
	known := p.parserOf(x.Input).Locate(x.Raw, x.Verdict)
	known.Session = x.Session
	return string(rawText(nil, x.Raw, known, p.mask))
}

// rawText returns a raw line without credentials, as valid UTF-8 of at most
// result.MaxRawLine bytes, in the memory of buffer if there is room. The mask is that of the
// parser that parsed it last; nil leaves names as they are.
func rawText(buffer, line []byte, known *privacy.Line, mask *privacy.Mask) []byte {
	b := privacy.RedactLine(buffer[:0], line, known)
	if mask != nil {
		b = append(b[:0], mask.Text(b)...) // the mask's memory is for one line
	}
	if b = b[:min(len(b), result.MaxRawLine)]; utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// eventText returns the raw line of an event like rawText. With pseudonyms, the text of a
// line that names no user is left out: it may name one that was not recognised.
func eventText(raw []byte, e *events.Event, mask *privacy.Mask) string {
	if mask != nil {
		if mask.Key != nil && len(e.User) == 0 {
			return ""
		}
		mask.Line(e.User, e.Client, nil, e.Session, e.Host, nil)
	}
	return string(rawText(nil, raw, &privacy.Line{Session: e.Session, Unread: []privacy.Span{{Start: 0, End: len(raw)}}}, mask))
}

// parsedLines is the lineStore of a State that holds the lines themselves.
type parsedLines struct {
	reader   *reader
	state    *timeline.State
	newKeyer func() authevents.Keyer
	keyed    func() (*reader, error)
}

func newParsedLines(r *reader, s *timeline.State) *parsedLines {
	return &parsedLines{reader: r, state: s, newKeyer: authevents.NewKeyer(false), keyed: sync.OnceValues(r.withKeys)}
}

func (l *parsedLines) refusals() func(int, *result.Unauthorized, bool) (string, error) {
	p, fact := l.reader.newLineParser(authevents.Keyer{}), l.state.Refusals.Reader()
	line := l.state.Lines(p.began)
	return func(refusal int, row *result.Unauthorized, wanted bool) (string, error) {
		x := fact(refusal)
		raw, err := line(x)
		if err != nil {
			return "", err
		}
		text, err := p.refusal(int(x.Input), raw, row, wanted)
		return string(text), err
	}
}

func (l *parsedLines) messages() func(int, bool) (*message, error) {
	record, line, p := l.state.MessageRecords(), l.state.MessageLines(), l.reader.newLineParser(l.newKeyer())
	return func(message int, wanted bool) (*message, error) {
		m := l.state.Messages.At(message)
		kept, err := record(m)
		if err != nil {
			return nil, err
		}
		x, err := p.read(l.state.MessageTexts(m), kept)
		if err != nil || !wanted {
			return x, err
		}
		if m.At >= 0 {
			p.show(p.lineAgain(m))
			return x, nil
		}
		text, err := line(m)
		p.show(text)
		return x, err
	}
}

func (l *parsedLines) messageRows() func(int, *result.AuthEvent) error {
	record, p := l.state.MessageRecords(), l.reader.newLineParser(l.newKeyer())
	return func(message int, row *result.AuthEvent) error {
		m := l.state.Messages.At(message)
		kept, err := record(m)
		if err != nil {
			return err
		}
		return p.row(l.state.MessageTexts(m), kept, row)
	}
}

func (l *parsedLines) requestKeys(keyer authevents.Keyer) func(int, *authevents.RequestKeys) error {
	keyed, err := l.keyed()
	if err != nil {
		return func(int, *authevents.RequestKeys) error { return err }
	}
	p, fact := keyed.newLineParser(keyer), l.state.Refusals.Reader()
	line := l.state.Lines(p.began)
	return func(refusal int, k *authevents.RequestKeys) error {
		x := fact(refusal)
		raw, err := line(x)
		if err != nil {
			return err
		}
		return p.requestKeys(int(x.Input), raw, k)
	}
}

func (l *parsedLines) eventKeys(keyer authevents.Keyer) func(int, *authevents.EventKeys) error {
	record, p := l.state.MessageRecords(), l.reader.newLineParser(keyer)
	return func(message int, k *authevents.EventKeys) error {
		m := l.state.Messages.At(message)
		kept, err := record(m)
		if err != nil {
			return err
		}
		return p.eventKeys(l.state.MessageTexts(m), kept, k)
	}
}

// withKeys returns a reader that only parses stored lines, with what identifies their
// requests, and with the names that are logged: they are compared, and not kept.
func (r *reader) withKeys() (*reader, error) {
	keyed := &reader{options: r.options, inputs: r.inputs, chosen: slices.Clone(r.chosen)}
	keyed.options.Parse.Privacy = privacy.Options{}
	made := map[*parse.Format]*parse.Format{}
	for i := range keyed.chosen {
		d := &keyed.chosen[i]
		d.formats = slices.Clone(d.formats)
		for n, f := range d.formats {
			if made[f] == nil {
				with, err := f.WithKeys()
				if err != nil {
					return nil, err
				}
				made[f] = with
			}
			d.formats[n] = made[f]
		}
	}
	return keyed, nil
}
