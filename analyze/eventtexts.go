package analyze

import (
	"bytes"
	"math"
	"sync"

	"logscan/analyze/result"
	"logscan/parse/events"
)

// eventTexts holds the texts of the rows of messages. They are numbered when the records are
// read to join them: a text that many messages repeat is redacted once, and no record is read
// again for its row. It is safe for concurrent use.
type eventTexts struct {
	rows   []numberedTexts // by message, of the first ones
	mu     sync.Mutex
	tables []*textTable
}

const (
	// maxNumbered is the maximum number of messages whose texts are numbered: 32 MiB of
	// numbers. The records of others are read again.
	maxNumbered = 1 << 20
	// maxTableTexts and maxTableBytes bound a table of texts, of which each worker has one.
	// The records of messages with other texts are read again.
	maxTableTexts = 128 << 10
	maxTableBytes = 8 << 20
)

// numberedTexts are what the row of a message has of its record, but for what
// authevents.Event holds.
type numberedTexts struct {
	numbers [rowTexts]uint32
	status  int32
	table   uint16 // number of the table plus one; 0 for none: the texts are not numbered
}

// rowTexts is the number of texts that messages have rows of.
const rowTexts = 6

// rowTexts returns the texts that numberedTexts holds.
func (m *message) rowTexts() [rowTexts]*string {
	return [...]*string{&m.Code, &m.Method, &m.Path, &m.Host, &m.Client, &m.User}
}

func newEventTexts(messages int) *eventTexts {
	return &eventTexts{rows: make([]numberedTexts, min(messages, maxNumbered))}
}

// newTable returns a table for one goroutine.
func (t *eventTexts) newTable() *textTable {
	x := &textTable{of: t, numbers: map[string]uint32{}, texts: []string{""}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tables = append(t.tables, x); len(t.tables) <= math.MaxUint16 {
		x.number = uint16(len(t.tables))
	}
	return x
}

// read sets what the row of a message has of its record. It reports false if the record must
// be read.
func (t *eventTexts) read(message int, m *message) bool {
	if message >= len(t.rows) || t.rows[message].table == 0 {
		return false
	}
	x := &t.rows[message]
	texts := t.tables[x.table-1].texts
	for i, s := range m.rowTexts() {
		*s = texts[x.numbers[i]]
	}
	m.Status = x.status
	return true
}

// textTable numbers texts.
type textTable struct {
	of      *eventTexts
	number  uint16            // plus one; 0 for none
	numbers map[string]uint32 // by the text in the record
	texts   []string          // by number: as rows have it
	bytes   int               // of both
	cleaner result.Cleaner
	last    [rowTexts]lastText // of the last record: most of its texts come again
}

type lastText struct {
	text   []byte
	number uint32
}

// add numbers the texts of a message, if there is room.
func (t *textTable) add(message int, e *events.Event) {
	if t.number == 0 || message >= len(t.of.rows) {
		return
	}
	path, _, _ := bytes.Cut(e.Target, []byte("?"))
	x := numberedTexts{status: e.Status, table: t.number}
	for i, text := range [rowTexts][]byte{e.Code, e.Method, path, e.Host, e.Client, e.User} {
		if len(text) == 0 {
			continue
		}
		last := &t.last[i]
		if string(last.text) != string(text) {
			n, ok := t.numberOf(text)
			if !ok {
				return
			}
			last.text, last.number = append(last.text[:0], text...), n
		}
		x.numbers[i] = last.number
	}
	t.of.rows[message] = x
}

// numberOf returns the number of a text. It reports false if the table is full.
func (t *textTable) numberOf(text []byte) (n uint32, ok bool) {
	if n, ok := t.numbers[string(text)]; ok {
		return n, true
	}
	if len(t.texts) > maxTableTexts || t.bytes+2*len(text) > maxTableBytes {
		return 0, false
	}
	n = uint32(len(t.texts))
	raw, clean := string(text), t.cleaner.Clean(text)
	if clean == raw {
		raw = clean
	}
	t.numbers[raw] = n
	t.texts, t.bytes = append(t.texts, clean), t.bytes+len(raw)+len(clean)
	return n, true
}
