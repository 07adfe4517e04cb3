package analyze

import (
	"encoding/binary"
	"encoding/hex"
	"errors"

	"logscan/analyze/authevents"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse/events"
)

// errRecord is the error for a record of a part that cannot be decoded.
var errRecord = errors.New("a record of the part is damaged")

// Records are what a part holds in place of lines: what outputs may have of them, and keyed
// hashes by which events are joined. Neither session ids nor other credentials are in them,
// nor, with a key of pseudonyms, names.

// recordMaker makes the records of the lines of a task.
type recordMaker struct {
	lines *lineParser
	keyed *lineParser // nil if no log of events is read
	row   result.Unauthorized
}

// newRecorder returns what makes the records of lines. newKeyer is nil if none of the
// inputs of the plan holds events.
func (r *reader) newRecorder(keyer authevents.Keyer, events bool) (*timeline.Recorder, error) {
	m := &recordMaker{lines: r.newLineParser(keyer)}
	if events {
		keyed, err := r.withKeys()
		if err != nil {
			return nil, err
		}
		m.keyed = keyed.newLineParser(keyer)
	}
	return &timeline.Recorder{
		Refusal: m.refusal, Message: m.message,
		Rejected: func(x *timeline.Rejected) { x.Raw = []byte(m.lines.rejected(x)) },
	}, nil
}

// texts returns the texts of a row that are recorded.
func texts(r *result.Unauthorized) [12]*string {
	return [...]*string{
		&r.Method, &r.Path, &r.Query, &r.Scheme, &r.Host, &r.Referrer, &r.Client, &r.Peer, &r.UserAgent, &r.User, &r.Upstream, &r.Reason,
	}
}

func (m *recordMaker) refusal(dst []byte, input int, line []byte) ([]byte, error) {
	row := &m.row
	text, err := m.lines.refusal(input, line, row, true)
	if err != nil {
		return dst, err
	}
	for _, n := range [...]int64{int64(row.Status), row.BodySize, row.Duration, row.TokenExpiry} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, s := range texts(row) {
		dst = appendText(dst, *s)
	}
	dst = appendText(appendText(dst, row.SessionID), text)
	if m.keyed == nil {
		return dst, nil
	}
	var k authevents.RequestKeys
	if err := m.keyed.requestKeys(input, line, &k); err != nil {
		return dst, err
	}
	return k.AppendTo(dst), nil
}

// texts returns the texts of a message that are recorded.
func (m *message) texts() [9]*string {
	return [...]*string{&m.Code, &m.Method, &m.Path, &m.Route, &m.Host, &m.Client, &m.User, &m.Said, &m.Text}
}

func (m *recordMaker) message(dst []byte, texts *events.Texts, kept, line []byte) ([]byte, error) {
	if m.keyed == nil {
		return dst, errors.New("BUG: an event, and no input of the plan has events")
	}
	x, err := m.lines.read(texts, kept)
	if err != nil {
		return dst, err
	}
	m.lines.show(line)
	for _, n := range [...]int64{int64(x.Outcome), int64(x.Status), int64(x.Sender), int64(x.Request)} {
		dst = binary.AppendVarint(dst, n)
	}
	for _, s := range x.texts() {
		dst = appendText(dst, *s)
	}
	var k authevents.EventKeys
	if err := m.lines.eventKeys(texts, kept, &k); err != nil {
		return dst, err
	}
	return k.AppendTo(dst), nil
}

func appendText[T string | []byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// recordReader decodes a record. After an error it returns zeros.
type recordReader struct {
	b      []byte
	failed bool
}

func (r *recordReader) number() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *recordReader) text() []byte {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(len(r.b)-size) {
		r.failed, r.b = true, nil
		return nil
	}
	s := r.b[size : size+int(n)]
	r.b = r.b[size+int(n):]
	return s
}

func (r *recordReader) err() error {
	if r.failed {
		return errRecord
	}
	return nil
}

// recordedLines is the lineStore of a State that holds records.
type recordedLines struct{ state *timeline.State }

// refusal decodes the record of a refusal, and returns what follows the row. The text of
// the line is set if it is wanted.
func readRefusal(record []byte, row *result.Unauthorized, cache *textCache, text *string) (rest []byte, err error) {
	r := recordReader{b: record}
	*row = result.Unauthorized{Status: int32(r.number()), BodySize: r.number(), Duration: r.number(), TokenExpiry: r.number()}
	for _, s := range texts(row) {
		*s = cache.keep(r.text())
	}
	row.SessionID = string(r.text())
	if t := r.text(); text != nil {
		*text = string(t)
	}
	if n := len(row.SessionID); n != 0 && n != hex.EncodedLen(len(timeline.SessionSum{})) {
		return nil, errRecord
	}
	return r.b, r.err()
}

func (l *recordedLines) refusals() func(int, *result.Unauthorized, bool) (string, error) {
	line, fact, cache := l.state.Lines(nil), l.state.Refusals.Reader(), newTextCache()
	return func(refusal int, row *result.Unauthorized, wanted bool) (text string, err error) {
		record, err := line(fact(refusal))
		if err != nil {
			return "", err
		}
		to := &text
		if !wanted {
			to = nil
		}
		_, err = readRefusal(record, row, cache, to)
		return text, err
	}
}

func (l *recordedLines) requestKeys(authevents.Keyer) func(int, *authevents.RequestKeys) error {
	line, fact, cache := l.state.Lines(nil), l.state.Refusals.Reader(), newTextCache()
	var row result.Unauthorized
	return func(refusal int, k *authevents.RequestKeys) error {
		record, err := line(fact(refusal))
		if err != nil {
			return err
		}
		rest, err := readRefusal(record, &row, cache, nil)
		if err != nil {
			return err
		}
		_, err = k.Read(rest)
		return err
	}
}

// readMessage decodes the record of a message, and returns what follows it.
func readMessage(record []byte, m *message, cache *textCache) (rest []byte, err error) {
	r := recordReader{b: record}
	*m = message{Outcome: events.Outcome(r.number()), Status: int32(r.number()), Sender: uint64(r.number()), Request: uint64(r.number())}
	for _, s := range m.texts() {
		*s = cache.keep(r.text())
	}
	if int(m.Outcome) >= len(outcomeNames) {
		return nil, errRecord
	}
	return r.b, r.err()
}

func (l *recordedLines) messages() func(int, bool) (*message, error) {
	read, cache := l.state.MessageRecords(), newTextCache()
	var m message
	return func(i int, _ bool) (*message, error) {
		record, err := read(l.state.Messages.At(i))
		if err == nil {
			_, err = readMessage(record, &m, cache)
		}
		return &m, err
	}
}

func (l *recordedLines) messageRows() func(int, *result.AuthEvent) error {
	read := l.messages()
	return func(message int, row *result.AuthEvent) error {
		m, err := read(message, false)
		if err == nil {
			m.setRow(row)
		}
		return err
	}
}

func (l *recordedLines) eventKeys(authevents.Keyer) func(int, *authevents.EventKeys) error {
	read, cache := l.state.MessageRecords(), newTextCache()
	var m message
	return func(i int, k *authevents.EventKeys) error {
		record, err := read(l.state.Messages.At(i))
		if err != nil {
			return err
		}
		rest, err := readMessage(record, &m, cache)
		if err == nil {
			_, err = k.Read(rest)
		}
		return err
	}
}
