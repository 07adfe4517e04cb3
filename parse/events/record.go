package events

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math/bits"
	"slices"
)

// A record is an event as it is kept between the reading of its line and the joining: what
// is joined, and what outputs hold. Texts that come again are kept once, in the Texts of the
// records: a record has their numbers. It is a tenth of the line, and read in a tenth of the
// time that parsing the line again would take.

// errRecord is the error for a record that was damaged.
var errRecord = errors.New("BUG: the record of an event is damaged")

// The texts of a record, in the order of Event.recorded.
const (
	TextReason = iota
	TextCode
	TextClient
	TextUser
	TextMethod
	TextHost
	repeatedTexts // number of those before: they come again, and are kept once if there is room
)

// The other texts are in the record itself: most are those of few events, and a session id is
// a credential.
const (
	TextTarget = repeatedTexts + iota
	textMessage
	TextPort
	TextConnection
	TextRequestID
	TextSession
	recordTexts // number of all texts
)

// recorded returns the fields that records hold as texts.
func (e *Event) recorded() [recordTexts]*[]byte {
	return [...]*[]byte{
		&e.Reason, &e.Code, &e.Client, &e.User, &e.Method, &e.Host, &e.Target, &e.Message, &e.Port, &e.Connection, &e.RequestID, &e.Session,
	}
}

// Same reports whether two events have the same records, but for their messages.
func (e *Event) Same(as *Event) bool {
	a, b := e.recorded(), as.recorded()
	for i := range a {
		if i != textMessage && !bytes.Equal(*a[i], *b[i]) {
			return false
		}
	}
	return e.Time == as.Time && e.Status == as.Status && e.Outcome == as.Outcome && e.Local == as.Local
}

// Texts holds texts of records. It belongs to one goroutine until all records are made. The
// zero value is empty.
type Texts struct {
	logs  []string // their names
	all   [][]byte // by number - 1
	chunk []byte   // memory for the next texts
	size  int      // of the texts, in bytes

	seed  maphash.Seed
	slots []uint16              // by hash: the number of a text that has it; nil before the first
	last  [repeatedTexts]uint16 // of the last record: most of its texts come again
}

const (
	// textSlots is the number of slots. A text whose slot another one has taken is kept again.
	// It is a power of two.
	textSlots = 32 << 10
	// maxTexts and maxTextBytes bound the texts. Records have others themselves.
	maxTexts     = 64<<10 - 1 // a number has 16 bits
	maxTextBytes = 4 << 20
	// textChunk is the number of bytes that are allocated together.
	textChunk = 32 << 10
)

// Size returns approximately how many bytes of memory t takes.
func (t *Texts) Size() int { return t.size + 24*cap(t.all) + 2*len(t.slots) }

// number returns the number of a text, 0 if there is no room for it. field is its field in
// records.
func (t *Texts) number(field int, text []byte) uint16 {
	last := &t.last[field]
	if *last != 0 && bytes.Equal(t.all[*last-1], text) {
		return *last
	}
	if t.slots == nil {
		t.seed, t.slots = maphash.MakeSeed(), make([]uint16, textSlots)
	}
	slot := &t.slots[maphash.Bytes(t.seed, text)%textSlots]
	if *slot == 0 || !bytes.Equal(t.all[*slot-1], text) {
		if len(t.all) == maxTexts || t.size+len(text) > maxTextBytes {
			return 0
		}
		if cap(t.chunk)-len(t.chunk) < len(text) {
			t.chunk = make([]byte, 0, max(textChunk, len(text)))
		}
		from := len(t.chunk)
		t.chunk = append(t.chunk, text...)
		t.all, t.size = append(t.all, t.chunk[from:len(t.chunk):len(t.chunk)]), t.size+len(text)
		*slot = uint16(len(t.all))
	}
	*last = *slot
	return *slot
}

// logNumber returns the index of a log in logs.
func (t *Texts) logNumber(log *Log) byte {
	i := slices.Index(t.logs, log.Name)
	if i < 0 {
		i = len(t.logs)
		t.logs = append(t.logs, log.Name)
	}
	return byte(i)
}

// The layout of a record: outcome and flag, log, time, status, the numbers of the repeated
// texts, 0 for none, and which texts, as bits, follow with their lengths: those that are not
// repeated, and those that there was no room for.
const (
	recordLog     = 1
	recordTime    = recordLog + 1
	recordStatus  = recordTime + 8
	recordNumbers = recordStatus + 4
	recordMask    = recordNumbers + 2*repeatedTexts
	recordHead    = recordMask + 2
	localFlag     = 0x80
)

// AppendRecord appends the record of an event of a log. It lacks Service and Resolution, and
// the messages of all but failures.
func (t *Texts) AppendRecord(dst []byte, log *Log, e *Event) []byte {
	var head [recordHead]byte
	if head[0] = byte(e.Outcome); e.Local {
		head[0] |= localFlag
	}
	head[recordLog] = t.logNumber(log)
	binary.LittleEndian.PutUint64(head[recordTime:], uint64(e.Time))
	binary.LittleEndian.PutUint32(head[recordStatus:], uint32(e.Status))
	fields, own := e.recorded(), uint16(0)
	for i, field := range fields[:repeatedTexts] {
		if text := *field; len(text) > 0 {
			n := t.number(i, text)
			if n == 0 {
				own |= 1 << i
			}
			binary.LittleEndian.PutUint16(head[recordNumbers+2*i:], n)
		}
	}
	for i := repeatedTexts; i < recordTexts; i++ {
		if len(*fields[i]) > 0 && (i != textMessage || e.Outcome == Failed) {
			own |= 1 << i
		}
	}
	binary.LittleEndian.PutUint16(head[recordMask:], own)
	dst = append(dst, head[:]...)
	for ; own != 0; own &= own - 1 {
		text := *fields[bits.TrailingZeros16(own)]
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return dst
}

// Record is what AppendRecord appended, decoded as far as most need it.
type Record struct {
	Log     string // its name
	Time    int64
	Status  int32
	Outcome Outcome
	Local   bool
	// Numbers are those of the repeated texts in the Texts, from 1; 0 for a text that is in
	// the record itself, or missing.
	Numbers [repeatedTexts]uint16

	Texts *Texts // that the numbers are of

	own   uint16              // the texts, as bits, that are in the record itself
	texts [recordTexts][]byte // those; nil for others
}

// Read decodes what AppendRecord appended into r, which aliases src and t.
func (t *Texts) Read(src []byte, r *Record) error {
	if len(src) < recordHead || Outcome(src[0]&^localFlag) > Accepted || int(src[recordLog]) >= len(t.logs) {
		return errRecord
	}
	r.Log, r.Outcome, r.Local = t.logs[src[recordLog]], Outcome(src[0]&^localFlag), src[0]&localFlag != 0
	r.Time, r.Status = int64(binary.LittleEndian.Uint64(src[recordTime:])), int32(binary.LittleEndian.Uint32(src[recordStatus:]))
	for i := range r.Numbers {
		n := binary.LittleEndian.Uint16(src[recordNumbers+2*i:])
		if r.Numbers[i] = n; int(n) > len(t.all) {
			return errRecord
		}
	}
	for own := r.own; own != 0; own &= own - 1 { // of the last record
		r.texts[bits.TrailingZeros16(own)] = nil
	}
	r.Texts, r.own = t, binary.LittleEndian.Uint16(src[recordMask:])
	if r.own >= 1<<recordTexts {
		r.own = 0
		return errRecord
	}
	rest, valid := src[recordHead:], true
	for own := r.own; own != 0 && valid; own &= own - 1 {
		r.texts[bits.TrailingZeros16(own)], rest, valid = cutText(rest)
	}
	if !valid {
		return errRecord
	}
	return nil
}

// cutText cuts a text off that follows its length.
func cutText(src []byte) (text, rest []byte, valid bool) {
	size, width := binary.Uvarint(src)
	if width <= 0 || size > uint64(len(src)-width) {
		return nil, nil, false
	}
	end := width + int(size)
	return src[width:end:end], src[end:], true
}

// Text returns a text, by its field.
func (r *Record) Text(field int) []byte {
	if field < repeatedTexts && r.Numbers[field] != 0 {
		return r.Texts.all[r.Numbers[field]-1]
	}
	return r.texts[field]
}

// Event sets e to the event of the record.
func (r *Record) Event(e *Event) {
	e.Time, e.Status, e.Outcome, e.Local = r.Time, r.Status, r.Outcome, r.Local
	e.clearTexts()
	for i, field := range e.recorded() {
		*field = r.Text(i)
	}
}

// Once returns what a method of maker makes of a text of a record, made once for all records
// that have its number. known holds it by number, zeros before. The method has its receiver
// apart, because memory is allocated for one that is bound.
func Once[T comparable, M any](known []T, r *Record, field int, maker M, made func(M, []byte) T) T {
	n := r.Numbers[field]
	if n == 0 {
		return made(maker, r.Text(field))
	}
	var none T
	if known[n] == none {
		known[n] = made(maker, r.Text(field)) // most come again: the text is not even looked at
	}
	return known[n]
}

// ByTexts holds something of the texts of records, such as what each of them means, made once
// for each Texts. It belongs to one goroutine; the zero value is empty.
type ByTexts[T any] struct {
	all  map[*Texts]*T
	last *T
	of   *Texts // that last is of
}

// Of returns what belongs to t. It is made by a function of the greatest number of a text.
func (b *ByTexts[T]) Of(t *Texts, made func(most int) *T) *T {
	if b.of == t && b.last != nil {
		return b.last
	}
	x := b.all[t]
	if x == nil {
		if b.all == nil {
			b.all = map[*Texts]*T{}
		}
		x = made(len(t.all))
		b.all[t] = x
	}
	b.last, b.of = x, t
	return x
}
