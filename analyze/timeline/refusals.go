package timeline

import (
	"encoding/binary"
	"slices"

	"logscan/analyze/spill"
	"logscan/parse/field"
)

// refusalLog holds the 401s of a worker: a few facts, and the lines, compressed, so that
// their columns and the evidence of findings can be produced without reading the inputs
// again.
type refusalLog struct {
	lineLog
	facts []spill.Place // of the first 401s, in the worker's file
	pages [][]refusal   // of the next ones; all but the last have refusalPage
}

type refusal struct {
	time  int64  // Unix microseconds or parse.NoTime
	block uint32 // worker's number of the block
	line  uint32 // 0-based, in the block
	// number is that of its line in the log. It is not spilled, because nothing drops 401s.
	number uint32

	reason      uint16 // worker's number plus one; 0 for none
	credentials field.Credentials
	answeredBy  field.Answerer
	redirect    bool // see Refusal.redirect
}

const (
	// refusalPage is the number of 401s in a page.
	refusalPage = 512
	// factSize and refusalSize are the sizes of a refusal and a Refusal in memory, in bytes.
	factSize    = 32
	refusalSize = 40
	// factPages is the number of pages that are spilled as one piece.
	factPages = 64
)

// factsHeld returns how many bytes of memory the facts take.
func (r *refusalLog) factsHeld() int64 { return factSize * refusalPage * int64(len(r.pages)) }

// size returns approximately how many bytes of memory the log takes, but for batches.
func (r *refusalLog) size() int64 { return r.factsHeld() + r.lineLog.size() }

// add adds a 401 with its line and returns its number.
func (r *refusalLog) add(x refusal, line []byte) uint32 {
	x.number = r.lineLog.add(line)
	r.pages = appendPaged(r.pages, refusalPage, x)
	return x.number
}

// appendPaged appends x to the last page, or to a new one if that is full. Pages are not copied
// when there are more of them.
func appendPaged[T any](pages [][]T, full int, x T) [][]T {
	last := len(pages) - 1
	if last < 0 || len(pages[last]) == full {
		pages = append(pages, make([]T, 0, full))
		last++
	}
	pages[last] = append(pages[last], x)
	return pages
}

// spillFacts spills the facts of the 401s so far.
func (w *Worker) spillFacts() error {
	file, err := w.spillFile()
	if err != nil {
		return err
	}
	r := &w.refusals
	var buf []byte
	for pages := range slices.Chunk(r.pages, factPages) {
		buf = buf[:0]
		for _, page := range pages {
			for i := range page {
				buf = page[i].append(buf)
			}
		}
		place, err := file.Append(buf)
		if err != nil {
			return err
		}
		r.facts = append(r.facts, place)
	}
	r.pages = nil
	return nil
}

// encodedFact is the size of an encoded refusal in bytes.
const encodedFact = 21

func (x *refusal) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(x.time))
	dst = binary.LittleEndian.AppendUint32(dst, x.block)
	dst = binary.LittleEndian.AppendUint32(dst, x.line)
	dst = binary.LittleEndian.AppendUint16(dst, x.reason)
	return append(dst, byte(x.credentials), byte(x.answeredBy), spill.Flag(x.redirect))
}

func (x *refusal) read(src []byte) {
	*x = refusal{
		time: int64(binary.LittleEndian.Uint64(src)), block: binary.LittleEndian.Uint32(src[8:]), line: binary.LittleEndian.Uint32(src[12:]),
		reason: binary.LittleEndian.Uint16(src[16:]), credentials: field.Credentials(src[18]), answeredBy: field.Answerer(src[19]), redirect: src[20] == 1,
	}
}

// eachRefusal yields the facts of the worker's 401s by number. Each is valid until the
// next one.
func (w *Worker) eachRefusal(yield func(*refusal, error) bool) {
	var buf []byte
	var x refusal
	var err error
	for _, place := range w.refusals.facts {
		if buf, err = w.file.Read(place, buf); err != nil {
			yield(nil, err)
			return
		}
		for b := buf; len(b) > 0; b = b[encodedFact:] {
			if x.read(b); !yield(&x, nil) {
				return
			}
		}
	}
	for _, page := range w.refusals.pages {
		for i := range page {
			if !yield(&page[i], nil) {
				return
			}
		}
	}
}

// mergeRefusals sorts the 401s of all workers.
func (s *State) mergeRefusals(lineBase [][]int64) error {
	reasonOf := s.mergeReasons()
	s.refusalOf = make([][]uint32, len(s.workers))
	total := int64(0)
	for i, w := range s.workers {
		s.refusalOf[i] = make([]uint32, w.refusals.n)
		total += int64(w.refusals.n)
	}
	each := func(yield func(*Refusal, error) bool) {
		var x Refusal // of which sortTable keeps copies
		for i, w := range s.workers {
			number := uint32(0)
			for r, err := range w.eachRefusal {
				if err != nil {
					yield(nil, err)
					return
				}
				x = Refusal{
					Time: r.time, Line: lineBase[i][r.block] + int64(r.line) + 1, Input: w.blocks[r.block].input, Credentials: r.credentials,
					AnsweredBy: r.answeredBy, redirect: r.redirect, worker: uint16(i), number: number,
				}
				if r.reason != 0 {
					x.Reason = uint16(reasonOf[i][r.reason-1] + 1)
				}
				number++
				if !yield(&x, nil) {
					return
				}
			}
		}
	}
	table, err := sortTable(each, refusalCodec, s.workers[0], refusalSize, total)
	for _, w := range s.workers {
		w.refusals.facts, w.refusals.pages = nil, nil
	}
	if err != nil {
		return err
	}
	s.setRefusals(table)
	return table.Err()
}

// setRefusals sets Refusals and what is kept of them by number.
func (s *State) setRefusals(table *spill.Table[Refusal]) {
	s.Refusals, s.stated, s.redirects, s.Unstated = table, nil, false, true
	for i, r := range table.All() {
		s.redirects = s.redirects || r.redirect
		s.Unstated = s.Unstated && r.Reason == 0 && r.AnsweredBy == field.Unknown
		s.refusalOf[r.worker][r.number] = uint32(i)
		if r.Credentials != field.CredentialsUnknown {
			s.state(i, r.Credentials)
		}
	}
}

// state sets what Stated returns.
func (s *State) state(refusal int, c field.Credentials) {
	if s.stated == nil {
		s.stated = make([]field.Credentials, s.Refusals.Len())
	}
	s.stated[refusal] = c
}

// Stated returns what the line of a 401 states about its credentials. Unlike Refusals, it
// may be called in any order.
func (s *State) Stated(refusal uint32) field.Credentials {
	if s.stated == nil {
		return field.CredentialsUnknown
	}
	return s.stated[refusal]
}

var refusalCodec = spill.Codec[Refusal]{
	Append: func(dst []byte, r *Refusal) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Time))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(r.Line))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(r.Input))
		dst = binary.LittleEndian.AppendUint32(dst, r.number)
		dst = binary.LittleEndian.AppendUint32(dst, r.Message)
		dst = binary.LittleEndian.AppendUint16(dst, r.Reason)
		dst = binary.LittleEndian.AppendUint16(dst, r.worker)
		return append(dst, byte(r.Credentials), byte(r.AnsweredBy), spill.Flag(r.redirect))
	},
	Read: func(r *Refusal, src []byte) []byte {
		*r = Refusal{
			Time: int64(binary.LittleEndian.Uint64(src)), Line: int64(binary.LittleEndian.Uint64(src[8:])),
			Input: int32(binary.LittleEndian.Uint32(src[16:])), number: binary.LittleEndian.Uint32(src[20:]),
			Message: binary.LittleEndian.Uint32(src[24:]), Reason: binary.LittleEndian.Uint16(src[28:]), worker: binary.LittleEndian.Uint16(src[30:]),
			Credentials: field.Credentials(src[32]), AnsweredBy: field.Answerer(src[33]), redirect: src[34] == 1,
		}
		return src[35:]
	},
	Compare: compareRefusals,
}
