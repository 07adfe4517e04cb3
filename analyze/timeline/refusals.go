package timeline

import (
	"bytes"
	"slices"

	"github.com/klauspost/compress/s2"

	"logscan/analyze/spill"
	"logscan/parse/field"
)

// refusalLog holds the lines of the 401s of a worker, compressed, so that their
// columns and the evidence of findings can be produced without reading the inputs
// again.
type refusalLog struct {
	pages   [][]refusal // by number / refusalPage
	batches []batch
	open    []byte // the current batch
	encoded []byte // scratch
	onDisk  int    // number of batches, from the first on, that are in the worker's file
	held    int64  // bytes of the other batches
}

// batch is a number of lines that are compressed together.
type batch struct {
	data  []byte      // compressed; nil if spilled
	place spill.Place // in the worker's file
}

type refusal struct {
	time  int64  // Unix microseconds or parse.NoTime
	block uint32 // worker's number of the block
	line  uint32 // 0-based, in the block
	batch uint32
	off   uint32 // of the line, in the decompressed batch
	size  uint32

	credentials field.Credentials
	answeredBy  field.Answerer
	redirect    bool   // see Refusal.redirect
	reason      uint16 // worker's number plus one; 0 for none
}

const (
	// refusalBatch is the size of a batch in bytes, before compression.
	refusalBatch = 256 << 10
	// refusalPage is the number of 401s in a page.
	refusalPage = 512
)

// size returns approximately how many bytes of memory the log takes that cannot
// be spilled.
func (r *refusalLog) size() int64 {
	const refusal = 32
	return refusal*refusalPage*int64(len(r.pages)) + int64(cap(r.open)+cap(r.encoded))
}

// len returns the number of 401s.
func (r *refusalLog) len() int {
	n := len(r.pages)
	if n == 0 {
		return 0
	}
	return (n-1)*refusalPage + len(r.pages[n-1])
}

// at returns a 401 by its number.
func (r *refusalLog) at(n uint32) *refusal { return &r.pages[n/refusalPage][n%refusalPage] }

// add adds a 401 with its line and returns its number.
func (r *refusalLog) add(x refusal, line []byte) uint32 {
	if len(r.open)+len(line) > refusalBatch && len(r.open) > 0 {
		r.encoded = s2.Encode(r.encoded[:cap(r.encoded)], r.open)
		r.batches = append(r.batches, batch{data: bytes.Clone(r.encoded)})
		r.held += int64(len(r.encoded))
		r.open = r.open[:0]
	}
	if r.open == nil {
		r.open = make([]byte, 0, refusalBatch)
	}
	n := uint32(r.len())
	if n%refusalPage == 0 {
		r.pages = append(r.pages, make([]refusal, 0, refusalPage))
	}
	x.batch, x.off, x.size = uint32(len(r.batches)), uint32(len(r.open)), uint32(len(line))
	page := &r.pages[n/refusalPage]
	*page = append(*page, x)
	r.open = append(r.open, line...)
	return n
}

// spillLines spills the complete batches of lines of a log of the worker.
func (w *Worker) spillLines(r *refusalLog) error {
	file, err := w.spillFile()
	if err != nil {
		return err
	}
	for ; r.onDisk < len(r.batches); r.onDisk++ {
		b := &r.batches[r.onDisk]
		if b.place, err = file.Append(b.data); err != nil {
			return err
		}
		b.data = nil
	}
	r.held = 0
	return nil
}

// mergeRefusals sorts the 401s of all workers.
func (s *State) mergeRefusals(lineBase [][]int64) {
	reasonOf := s.mergeReasons()
	s.refusalOf = make([][]uint32, len(s.workers))
	for i, w := range s.workers {
		n := w.refusals.len()
		s.refusalOf[i] = make([]uint32, n)
		s.Refusals = slices.Grow(s.Refusals, n)
		for j := range uint32(n) {
			r := w.refusals.at(j)
			x := Refusal{
				Time: r.time, Line: lineBase[i][r.block] + int64(r.line) + 1, Input: w.blocks[r.block].input, Credentials: r.credentials,
				AnsweredBy: r.answeredBy, redirect: r.redirect, worker: uint32(i), number: j,
			}
			if r.reason != 0 {
				x.Reason = uint16(reasonOf[i][r.reason-1] + 1)
			}
			s.Refusals = append(s.Refusals, x)
		}
	}
	sorter := runSorter[Refusal]{compare: compareRefusals}
	sorter.sort(s.Refusals)
	for i := range s.Refusals {
		r := &s.Refusals[i]
		s.refusalOf[r.worker][r.number] = uint32(i)
	}
}
