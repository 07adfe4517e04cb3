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
	TextMessage
	TextClient
	TextPort
	TextUser
	TextMethod
	TextTarget
	TextHost
	TextConnection
	TextRequestID
	TextSession
	RecordTexts // number of texts
)

// recorded returns the fields that records hold as texts.
func (e *Event) recorded() [RecordTexts]*[]byte {
	return [...]*[]byte{
		&e.Reason, &e.Code, &e.Message, &e.Client, &e.Port, &e.User, &e.Method, &e.Target, &e.Host, &e.Connection, &e.RequestID, &e.Session,
	}
}

// keptOnce are the texts, as bits, that come again. Others are in the record itself: most are
// those of one event, and a session id is a credential.
const keptOnce = 1<<TextReason | 1<<TextCode | 1<<TextClient | 1<<TextUser | 1<<TextMethod | 1<<TextTarget | 1<<TextHost

// Numbers are the numbers of the texts of a record in its Texts, from 1; 0 for a text that is
// in the record itself, or missing.
type Numbers [RecordTexts]uint32

// Texts holds texts of records. It belongs to one goroutine until all records are made. The
// zero value is empty.
type Texts struct {
	logs  []string // their names
	all   [][]byte // by number - 1
	chunk []byte   // memory for the next texts
	size  int      // of the texts, in bytes

	seed  maphash.Seed
	slots []uint32            // by hash: the number of a text that has it; nil before the first
	last  [RecordTexts]uint32 // of the last record: most of its texts come again
}

const (
	// textSlots is the number of slots. A text whose slot another one has taken is kept again.
	// It is a power of two.
	textSlots = 32 << 10
	// maxTexts and maxTextBytes bound the texts. Records have others themselves.
	maxTexts     = 128 << 10
	maxTextBytes = 4 << 20
	// textChunk is the number of bytes that are allocated together.
	textChunk = 32 << 10
)

// Len returns the number of texts.
func (t *Texts) Len() int { return len(t.all) }

// Size returns approximately how many bytes of memory t takes.
func (t *Texts) Size() int { return t.size + 24*cap(t.all) + 4*len(t.slots) }

// number returns the number of a text, 0 if there is no room for it. field is its field in
// records.
func (t *Texts) number(field int, text []byte) uint32 {
	last := &t.last[field]
	if *last != 0 && bytes.Equal(t.all[*last-1], text) {
		return *last
	}
	if t.slots == nil {
		t.seed, t.slots = maphash.MakeSeed(), make([]uint32, textSlots)
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
		*slot = uint32(len(t.all))
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

// The layout of a record: outcome and flag, log, time, status, which texts there are, and for
// each its number, or, if that is 0 or the field is not one of keptOnce, its length and itself.
const (
	recordLog    = 1
	recordTime   = recordLog + 1
	recordStatus = recordTime + 8
	recordMask   = recordStatus + 4
	recordHead   = recordMask + 2
	recordNumber = 4 // size of a number
	localFlag    = 0x80
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
	start, mask := len(dst), uint16(0)
	dst = append(dst, head[:]...)
	for i, field := range e.recorded() {
		text := *field
		if len(text) == 0 || i == TextMessage && e.Outcome != Failed {
			continue
		}
		mask |= 1 << i
		if keptOnce>>i&1 != 0 {
			n := t.number(i, text)
			if dst = binary.LittleEndian.AppendUint32(dst, n); n != 0 {
				continue
			}
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	binary.LittleEndian.PutUint16(dst[start+recordMask:], mask)
	return dst
}

// ReadRecord reads what AppendRecord appended into e, whose fields alias src and t, and the
// numbers of its texts. It returns the name of the log. e and numbers are zero, or hold the
// last record that was read.
func (t *Texts) ReadRecord(src []byte, e *Event, numbers *Numbers) (log string, err error) {
	if len(src) < recordHead || Outcome(src[0]&^localFlag) > Accepted || int(src[recordLog]) >= len(t.logs) {
		return "", errRecord
	}
	e.Outcome, e.Local = Outcome(src[0]&^localFlag), src[0]&localFlag != 0
	e.Time, e.Status = int64(binary.LittleEndian.Uint64(src[recordTime:])), int32(binary.LittleEndian.Uint32(src[recordStatus:]))
	mask, rest := binary.LittleEndian.Uint16(src[recordMask:]), src[recordHead:]
	fields := e.recorded()
	if mask >= 1<<RecordTexts {
		return "", errRecord
	}
	for old := e.present &^ mask; old != 0; old &= old - 1 {
		i := bits.TrailingZeros16(old)
		*fields[i], numbers[i] = nil, 0
	}
	for e.present = mask; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros16(mask)
		n := uint32(0)
		if keptOnce>>i&1 != 0 {
			if len(rest) < recordNumber {
				return "", errRecord
			}
			n, rest = binary.LittleEndian.Uint32(rest), rest[recordNumber:]
		}
		if numbers[i] = n; n != 0 {
			if uint64(n) > uint64(len(t.all)) {
				return "", errRecord
			}
			*fields[i] = t.all[n-1]
			continue
		}
		size, width := binary.Uvarint(rest)
		if width <= 0 || size > uint64(len(rest)-width) {
			return "", errRecord
		}
		end := width + int(size)
		*fields[i], rest = rest[width:end:end], rest[end:]
	}
	return t.logs[src[recordLog]], nil
}
