package analyze

import (
	"sync/atomic"

	"logscan/parse/source"
)

// Progress is the progress of a run. It is updated once per block, so that it costs
// nothing, and may be read concurrently.
type Progress struct {
	stored, refused atomic.Int64
	total           atomic.Int64 // -1 if unknown
	input           atomic.Pointer[string]
	phase           atomic.Pointer[Phase]
}

// Stage is the state of a Progress at one time.
type Stage struct {
	Phase        Phase
	Stored       int64  // bytes read, as stored
	Total        int64  // bytes to read, as stored; -1 if unknown
	Unauthorized int64  // 401s so far
	Input        string // the input read last
}

// Stage returns how far the run has come.
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

// Begin sets the phase. Run calls it; callers of Run call it for later phases.
func (p *Progress) Begin(phase Phase) { p.phase.Store(&phase) }

// begin sets the number of bytes to read.
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
