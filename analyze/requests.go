package analyze

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/privacy"
)

// lineOf locates a refusal by its line.
type lineOf struct {
	input   int32
	refusal int32
	line    int64
}

func compareLines(a, b lineOf) int {
	return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.line, b.line))
}

// refusalLines returns the refusals by input and line.
func (a *assembly) refusalLines() []lineOf {
	all := make([]lineOf, a.State.Refusals.Len())
	for i, x := range a.State.Refusals.All() {
		all[i] = lineOf{x.Input, int32(i), x.Line}
	}
	slices.SortFunc(all, compareLines)
	return all
}

// requestRows returns the rows of all requests, by input and line; nil if they were not
// asked for.
func (a *assembly) requestRows() *result.Pieces[result.Unauthorized] {
	blocks := a.reader.spool
	if blocks == nil {
		return nil
	}
	rows := blocks.sort(func(input int) int64 {
		_, lines, _ := a.reader.inputs[input].Before()
		return lines
	})
	refusals := a.refusalLines()
	return &result.Pieces[result.Unauthorized]{Len: rows, Reader: func() func(from, to int) iter.Seq2[*result.Unauthorized, error] {
		r := &requestReader{assembly: a, blocks: blocks, refusals: refusals, parsers: map[string]*parse.Parser{}, rows: newRowMaker(a.State)}
		return r.read
	}}
}

// requestReader makes rows from the spooled blocks. It belongs to one goroutine.
type requestReader struct {
	*assembly
	blocks   *spool
	refusals []lineOf
	parsers  map[string]*parse.Parser
	rows     rowMaker
	data     []byte
}

// read yields the rows in [from, to).
func (r *requestReader) read(from, to int) iter.Seq2[*result.Unauthorized, error] {
	return func(yield func(*result.Unauthorized, error) bool) {
		for _, b := range r.blocks.from(from) {
			if b.firstRow >= to {
				return
			}
			if !r.block(&b, from-b.firstRow, to-b.firstRow, yield) {
				return
			}
		}
	}
}

// block yields the rows in [from, to) of a block, as numbered in the block.
func (r *requestReader) block(b *spooledBlock, from, to int, yield func(*result.Unauthorized, error) bool) bool {
	var err error
	if r.data, err = b.file.Read(b.place, r.data); err != nil {
		return yield(nil, err)
	}
	refusals := r.refusals
	i, _ := slices.BinarySearchFunc(refusals, lineOf{input: int32(b.input), line: b.firstLine + 1}, compareLines)
	refusals = refusals[i:]
	p := r.reader.parser(r.parsers, b.input)
	p.Directive(b.directive)
	p.Lines(r.data)
	path := r.reader.inputs[b.input].Path
	var e parse.Entry
	var row result.Unauthorized
	request := 0
	for line := b.firstLine + 1; request < to; line++ {
		_, v, more := p.Next(&e)
		if !more {
			break
		}
		if v != parse.Parsed {
			continue
		}
		here := len(refusals) > 0 && refusals[0] == lineOf{int32(b.input), refusals[0].refusal, line}
		if request >= from {
			r.rows.fill(&row, &e)
			row.LogPath, row.LogLine = path, line
			if here {
				r.refused(&row, int(refusals[0].refusal))
			}
			if !yield(&row, nil) {
				return false
			}
		}
		if here {
			refusals = refusals[1:]
		}
		request++
	}
	return true
}

// refused adds to a row what is known of its refusal.
func (r *requestReader) refused(row *result.Unauthorized, refusal int) {
	x := r.State.Refusals.At(refusal)
	row.Refused, row.Cause, row.FindingID = true, r.names[r.cause(refusal, r.Refusals.At(refusal))], r.findingID(refusal)
	if x.Message != 0 {
		row.Reason = result.Clean(r.State.Reasons[x.Reason-1].Text)
	}
}

// rowMaker makes rows of requests. It belongs to one goroutine.
type rowMaker struct {
	state     *timeline.State
	texts     *textCache
	templates memo // by host, method, path and whether it was found
	sessions  memo // by id
	key       []byte
}

func newRowMaker(s *timeline.State) rowMaker {
	return rowMaker{state: s, texts: newTextCache(), templates: newMemo(), sessions: newMemo()}
}

// fill sets row to the request of a line.
func (m *rowMaker) fill(row *result.Unauthorized, e *parse.Entry) {
	*row = requestRow(m.texts, e)
	row.AnsweredBy = e.AnsweredBy.String()
	m.key = append(append(append(append(append(m.key[:0], e.Host...), 0), e.Method...), 0), e.Path...)
	m.key = append(m.key, byte(e.Status), byte(e.Status>>8))
	row.Template = m.templates.get(m.key, func() string {
		return result.Clean(m.state.Template(e.Host, e.Method, e.Path, e.Status))
	})
	if len(e.Session) > 0 {
		row.SessionID = m.sessions.get(e.Session, func() string { return privacy.SessionHash(e.Session) })
	}
}

// memo holds what was made of recent keys.
type memo struct {
	seed  maphash.Seed
	slots []memoized
}

type memoized struct{ key, value string }

func newMemo() memo { return memo{maphash.MakeSeed(), make([]memoized, textCacheSize)} }

// get returns the value of a key, made by calc unless a recent key was the same.
func (m *memo) get(key []byte, calc func() string) string {
	if len(key) > maxCachedText {
		return calc()
	}
	s := &m.slots[maphash.Bytes(m.seed, key)%textCacheSize]
	if s.key != string(key) {
		s.key, s.value = string(key), calc()
	}
	return s.value
}
