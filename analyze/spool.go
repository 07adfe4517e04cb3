package analyze

import (
	"cmp"
	"slices"
	"sort"

	"logscan/analyze/spill"
	"logscan/parse/source"
)

// spool keeps the blocks that are read, compressed, in temporary files: the rows of all
// requests are made from them once the causes are known. Inputs cannot be read again:
// they may be streams, and files grow or are renamed.
type spool struct {
	space   *spill.Space
	workers []spoolPart
	blocks  []spooledBlock // of all workers, in the order of the rows; set by sort
}

// spoolPart is what one worker has read. The padding of timeline.Worker is not needed: it
// changes once a block.
type spoolPart struct {
	file   *spill.File // nil before the first block
	blocks []spooledBlock
}

// spooledBlock is a source.Block.
type spooledBlock struct {
	input, lines, requests int
	seq                    int64
	directive              []byte
	file                   *spill.File
	place                  spill.Place

	firstLine int64 // 0-based number in the input; set by sort
	firstRow  int   // set by sort
}

func newSpool(space *spill.Space, workers int) *spool {
	return &spool{space: space, workers: make([]spoolPart, workers)}
}

// add keeps a block that a worker has read.
func (s *spool) add(worker int, b *source.Block, lines, requests int64) error {
	w := &s.workers[worker]
	x := spooledBlock{input: b.Input, seq: b.Seq, lines: int(lines), requests: int(requests)}
	if requests > 0 {
		if w.file == nil {
			var err error
			if w.file, err = s.space.Create(); err != nil {
				return err
			}
		}
		var err error
		if x.place, err = w.file.Append(b.Data); err != nil {
			return err
		}
		x.file, x.directive = w.file, b.Directive
	}
	w.blocks = append(w.blocks, x)
	return nil
}

// sort puts the blocks of all workers in order. before returns how many lines of an input
// earlier runs have read.
func (s *spool) sort(before func(input int) int64) (rows int) {
	for i := range s.workers {
		s.blocks = append(s.blocks, s.workers[i].blocks...)
	}
	slices.SortFunc(s.blocks, func(a, b spooledBlock) int { return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.seq, b.seq)) })
	line := int64(0)
	for i := range s.blocks {
		b := &s.blocks[i]
		if i == 0 || b.input != s.blocks[i-1].input {
			line = before(b.input)
		}
		b.firstLine, b.firstRow = line, rows
		line += int64(b.lines)
		rows += b.requests
	}
	s.blocks = slices.DeleteFunc(s.blocks, func(b spooledBlock) bool { return b.requests == 0 })
	return rows
}

// from returns the blocks from the one with a row on.
func (s *spool) from(row int) []spooledBlock {
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].firstRow > row })
	return s.blocks[i-1:]
}
