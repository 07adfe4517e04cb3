package timeline

import (
	"cmp"
	"encoding/binary"
	"slices"

	"logscan/analyze/spill"
	"logscan/parse"
	auth "logscan/parse/events"
	"logscan/parse/source"
)

// maxMessages is the maximum number of messages that are kept: those of a log are
// about as many as its refusals, and each takes some 100 bytes until it is joined.
const maxMessages = 4 << 20

// messageLog holds the lines of error logs and of identity providers that are about
// authentication.
type messageLog struct {
	lineLog                // of the records of events
	lines   lineLog        // of the same numbers; empty ones of lines that can be read again
	pages   [][]messageRef // all but the last have messagePage
	texts   auth.Texts
	record  []byte // scratch
	dropped int64
	limit   int // maximum number of messages; 0 for maxMessages
}

// messageRef is where a message stands, and the number of its record.
type messageRef struct {
	block, line, number uint32
	at                  uint32 // in the block, in bytes, plus one; 0 if its line is in messageLog.lines
}

// messagePage is the number of messages in a page.
const messagePage = 1 << 10

// Message is a line that holds no request, but an event of authentication.
type Message struct {
	Line  int64 // 1-based
	At    int64 // its offset in the input, from which its line is read again; -1 if MessageLines returns it
	Input int32

	worker, number uint32
}

// message keeps a skipped line if it is an event of authentication. The first ones by
// input and position are wanted, whichever worker reads them when: a worker collects
// twice as many before it drops those that come later.
func (w *Worker) message(p *parse.Parser, line []byte, b *source.Block, block uint32, n int64) {
	m := &w.messages
	e, log := p.Event()
	if log == nil || e.Outcome == auth.Other {
		return
	}
	m.record = m.texts.AppendRecord(m.record[:0], log, e)
	x := messageRef{block: block, line: uint32(n), number: m.lineLog.add(m.record)}
	kept := parse.Kept(p.Line(line))
	if b.Again && len(kept) == len(line) && &kept[0] == &line[0] {
		x.at, kept = uint32(cap(b.Data)-cap(line))+1, nil // both end where their array does
	}
	m.lines.add(kept)
	m.add(x)
	if limit := m.most(); m.kept() >= 2*limit {
		m.keep(limit, w.blocks)
	}
}

// add adds a message whose record is in the log.
func (m *messageLog) add(x messageRef) { m.pages = appendPaged(m.pages, messagePage, x) }

// size returns approximately how many bytes of memory the log takes, but for batches.
func (m *messageLog) size() int64 {
	const page = 16 * messagePage
	return page*int64(len(m.pages)) + m.lineLog.size() + m.lines.size() + int64(m.texts.Size())
}

// kept returns the number of messages that have not been dropped.
func (m *messageLog) kept() int {
	n := len(m.pages)
	if n == 0 {
		return 0
	}
	return (n-1)*messagePage + len(m.pages[n-1])
}

func (m *messageLog) most() int { return cmp.Or(m.limit, maxMessages) }

// keep keeps the first n messages by input and position.
func (m *messageLog) keep(n int, blocks []blockRef) {
	all := slices.Concat(m.pages...)
	slices.SortFunc(all, func(a, b messageRef) int {
		x, y := &blocks[a.block], &blocks[b.block]
		return cmp.Or(cmp.Compare(x.input, y.input), cmp.Compare(x.seq, y.seq), cmp.Compare(a.line, b.line))
	})
	m.dropped += int64(len(all) - n)
	m.pages = nil
	for _, x := range all[:n] {
		m.add(x)
	}
}

// messageSize is the size of a Message in memory, in bytes.
const messageSize = 32

var messageCodec = spill.Codec[Message]{
	Append: func(dst []byte, m *Message) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(m.Line))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(m.At))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(m.Input))
		dst = binary.LittleEndian.AppendUint32(dst, m.worker)
		return binary.LittleEndian.AppendUint32(dst, m.number)
	},
	Read: func(m *Message, src []byte) []byte {
		*m = Message{
			Line: int64(binary.LittleEndian.Uint64(src)), At: int64(binary.LittleEndian.Uint64(src[8:])),
			Input: int32(binary.LittleEndian.Uint32(src[16:])), worker: binary.LittleEndian.Uint32(src[20:]), number: binary.LittleEndian.Uint32(src[24:]),
		}
		return src[28:]
	},
	Compare: func(a, b *Message) int { return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.Line, b.Line)) },
}

// mergeMessages sets Messages.
func (s *State) mergeMessages(lineBase [][]int64) (err error) {
	n, most := 0, s.workers[0].messages.most()
	for _, w := range s.workers {
		n += w.messages.kept()
		s.MessagesDropped += w.messages.dropped
	}
	each := func(yield func(*Message, error) bool) {
		var x Message // of which sortTable keeps copies
		for i, w := range s.workers {
			for _, page := range w.messages.pages {
				for _, m := range page {
					b := &w.blocks[m.block]
					x = Message{Line: lineBase[i][m.block] + int64(m.line) + 1, At: -1, Input: b.input, worker: uint32(i), number: m.number}
					if m.at != 0 {
						x.At = b.seq + int64(m.at) - 1
					}
					if !yield(&x, nil) {
						return
					}
				}
			}
			w.messages.pages = nil
		}
	}
	s.Messages, err = sortTable(each, messageCodec, s.workers[0], messageSize, int64(n))
	if err == nil && n > most {
		s.MessagesDropped += int64(n - most)
		s.Messages.Truncate(most)
	}
	return err
}
