package events

import (
	"encoding/binary"
	"errors"
)

// A record is an event as it is kept between the reading of its line and the joining: what
// is joined, and what outputs hold. It is shorter than what the line says, and read in a
// tenth of the time that parsing the line again would take.

// errRecord is the error for a record that was damaged.
var errRecord = errors.New("BUG: the record of an event is damaged")

// recorded returns the fields that records hold as texts.
func (e *Event) recorded() [12]*[]byte {
	return [...]*[]byte{
		&e.Reason, &e.Code, &e.Message, &e.Client, &e.Port, &e.User, &e.Method, &e.Target, &e.Host, &e.Connection, &e.RequestID, &e.Session,
	}
}

// AppendRecord appends the record of an event of the log. It lacks Service and Resolution,
// and the messages of all but failures.
func (l *Log) AppendRecord(dst []byte, e *Event) []byte {
	dst = append(dst, byte(e.Outcome), flag(e.Local))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Time))
	dst = binary.AppendUvarint(dst, uint64(uint32(e.Status)))
	dst = append(binary.AppendUvarint(dst, uint64(len(l.Name))), l.Name...)
	for _, text := range e.recorded() {
		b := *text
		if text == &e.Message && e.Outcome != Failed {
			b = nil
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ReadRecord reads what AppendRecord appended into e, whose fields alias src. It returns
// the name of the log.
func (e *Event) ReadRecord(src []byte) (log []byte, err error) {
	const fixed = 1 + 1 + 8
	if len(src) < fixed {
		return nil, errRecord
	}
	e.Service, e.Resolution = nil, 0
	e.Outcome, e.Local, e.Time = Outcome(src[0]), src[1] == 1, int64(binary.LittleEndian.Uint64(src[2:]))
	status, n := binary.Uvarint(src[fixed:])
	if n <= 0 || e.Outcome > Accepted {
		return nil, errRecord
	}
	e.Status = int32(uint32(status))
	if log, src, err = cutText(src[fixed+n:]); err != nil {
		return nil, err
	}
	for _, text := range e.recorded() {
		if *text, src, err = cutText(src); err != nil {
			return nil, err
		}
	}
	return log, nil
}

// cutText returns the text at the beginning of src, which follows its length, and the rest.
func cutText(src []byte) (text, rest []byte, err error) {
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) {
		return nil, nil, errRecord
	}
	end := n + int(size)
	return src[n:end:end], src[end:], nil
}
