package analyze

import (
	"sync/atomic"

	"logscan/parse/source"
)

// Progress is how far a run has come, for those who watch it. It is counted by
// the block, so watching costs nothing.
type Progress struct {
	stored, refused atomic.Int64
	total           atomic.Int64 // -1 where it is not known
	input           atomic.Pointer[string]
	phase           atomic.Pointer[Phase]
}

// Stage is what Progress tells at one time.
type Stage struct {
	Phase        Phase
	Stored       int64  // bytes read, as they are stored
	Total        int64  // of so many, -1 where it is not known
	Unauthorized int64  // 401s so far
	Input        string // the one that was read last
}

// Stage gives how far the run has come.
func (p *Progress) Stage() Stage {
	s := Stage{Stored: p.stored.Load(), Total: p.total.Load(), Unauthorized: p.refused.Load()}
	if x := p.input.Load(); x != nil {
		s.Input = *x
	}
	if x := p.phase.Load(); x != nil {
		s.Phase = *x
	}
	return s
}

// Begin notes that a phase begins: Run does, and who does something after it.
func (p *Progress) Begin(phase Phase) { p.phase.Store(&phase) }

// begin notes what is to be read.
func (p *Progress) begin(inputs []source.Input) {
	total, all := source.StoredSize(inputs)
	if !all {
		total = -1
	}
	p.total.Store(total)
}

// Took implements source.Watcher.
func (r *reader) Took(input int, stored int64) {
	if p := r.options.Progress; p != nil {
		p.stored.Add(stored)
		p.input.Store(&r.inputs[input].Path)
	}
}
