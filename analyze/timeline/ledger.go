package timeline

import (
	"bytes"
	"cmp"
	"slices"

	"logscan/parse"
	"logscan/parse/source"
)

// Ledger accounts for the lines of one input.
type Ledger struct {
	Lines        int64
	Bytes        int64 // including line terminators
	Verdicts     [parse.NumVerdicts]int64
	Unauthorized int64
	NoStatus     int64 // parsed lines without a status
	Unread       int64 // rejected lines, and lines without a status, that look like refusals
	First, Last  int64 // Unix microseconds, of parsed lines; parse.NoTime for none
}

var emptyLedger = Ledger{First: parse.NoTime, Last: parse.NoTime}

func (l *Ledger) merge(m *Ledger) {
	l.Lines += m.Lines
	l.Bytes += m.Bytes
	l.Unauthorized += m.Unauthorized
	l.NoStatus += m.NoStatus
	l.Unread += m.Unread
	for v, n := range m.Verdicts {
		l.Verdicts[v] += n
	}
	mergeSpan(&l.First, &l.Last, m.First, m.Last)
}

// blockRef is a block that a worker has read.
type blockRef struct {
	input int32
	lines uint32
	seq   int64 // position among the blocks of the input
}

// lineBases returns, by worker and block, the number of lines of the input before
// the block.
func (s *State) lineBases() [][]int64 {
	type place struct {
		blockRef
		base *int64
	}
	var all []place
	bases := make([][]int64, len(s.workers))
	for i, w := range s.workers {
		bases[i] = make([]int64, len(w.blocks))
		for j, b := range w.blocks {
			all = append(all, place{b, &bases[i][j]})
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.seq, b.seq)) })
	lines := make([]int64, len(s.Inputs))
	copy(lines, s.workers[0].linesBefore)
	for _, p := range all {
		*p.base = lines[p.input]
		lines[p.input] += int64(p.lines)
	}
	return bases
}

const (
	// maxRejected is the number of rejected lines in a State.
	maxRejected = 1000
	// maxRejectedLine is the number of bytes kept of a rejected line.
	maxRejectedLine = 4 << 10
)

// Rejected is a line that was rejected.
type Rejected struct {
	Input   int
	Line    int64 // 1-based
	Verdict parse.Verdict
	Raw     []byte // as logged, not redacted; at most 4 KiB
	Session []byte // session id parsed before the line was rejected, or nil

	seq   int64  // of the block, until Line is known
	block uint32 // worker's number of the block
}

// reject keeps a copy of a rejected line of b. The first maxRejected lines by
// input and position are wanted, whichever worker reads them when: a worker
// collects twice as many before it drops those that come later.
func (w *Worker) reject(b *source.Block, r Rejected) {
	if len(w.rejected) >= 2*maxRejected {
		w.rejected = firstRejected(w.rejected)
	}
	r.Input, r.seq = b.Input, b.Seq
	r.Raw, r.Session = bytes.Clone(r.Raw[:min(len(r.Raw), maxRejectedLine)]), bytes.Clone(r.Session)
	w.rejected = append(w.rejected, r)
}

func firstRejected(list []Rejected) []Rejected {
	slices.SortFunc(list, func(a, b Rejected) int {
		return cmp.Or(cmp.Compare(a.Input, b.Input), cmp.Compare(a.seq, b.seq), cmp.Compare(a.Line, b.Line))
	})
	return list[:min(len(list), maxRejected)]
}

func (s *State) mergeRejected(lineBase [][]int64) {
	for i, w := range s.workers {
		for _, r := range w.rejected {
			r.Line += lineBase[i][r.block]
			r.seq, r.block = 0, 0 // the line number is enough to order them now
			s.Rejected = append(s.Rejected, r)
		}
	}
	s.Rejected = firstRejected(s.Rejected)
}
