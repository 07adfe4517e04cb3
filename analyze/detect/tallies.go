package detect

import (
	"math"

	"logscan/analyze/session"
)

// tallies count by key and step the actors that were accepted and refused, for one
// goroutine. Each request leads to another cell of acceptances, which is rarely in the
// processor's cache. So acceptances are noted in order, by blocks of steps, and those of a
// block are added together: then the processor waits for many cells at once. The cells of
// a step lie side by side, because one request counts for several keys.
type tallies struct {
	from, width int64 // of the first step and of each, in milliseconds
	keys        int
	accepted    []acceptedCell               // by step, then by key, without those of pending; nil if there are none
	pending     [tallyBlocks][]notedAccepted // by block of steps
	refused     [][]refusedCell              // by key; nil for keys that refused nobody
}

const (
	// blockSteps is the number of steps of a block, and tallyBlocks the number of blocks:
	// their ends, to which acceptances are added, fit the first cache, and the pages of
	// memory of a block fit the buffer for their addresses.
	blockSteps  = 64
	tallyBlocks = session.MaxSteps / blockSteps
	// maxPending is the number of acceptances of a block that are added together.
	maxPending = 1024
)

// notedAccepted is an acceptance that is to be added to a cell.
type notedAccepted struct {
	cell uint32 // index in accepted, and isNewActor
	last uint32 // as in acceptedCell
}

// isNewActor is the bit of notedAccepted.cell that says that the actor counts. Indexes are
// smaller: there are at most a few thousand keys.
const isNewActor = 1 << 31

// acceptedCell is the acceptances of a key in a step.
type acceptedCell struct {
	actors uint32
	last   uint32 // the last one, in milliseconds after the step began, plus one; 0 for none
}

// refusedCell is the refusals of a key in a step.
type refusedCell struct {
	actors uint32
	first  int64 // the first one, Unix milliseconds
}

func (d *Diagnosis) newTallies(keys int) tallies {
	return tallies{from: d.From, width: d.Width, keys: keys, refused: make([][]refusedCell, keys)}
}

// acceptedAt returns the acceptances of a key in a step, when all have been added.
func (t *tallies) acceptedAt(key, step int32) acceptedCell {
	if t.accepted == nil {
		return acceptedCell{}
	}
	return t.accepted[int(step)*t.keys+int(key)]
}

// start returns when a step begins, in Unix milliseconds.
func (t *tallies) start(step int) int64 { return t.from + int64(step)*t.width }

// offset returns the time of an acceptance as acceptedCell has it. Times that the steps
// do not hold count in the first or last one; their distance is limited.
func (t *tallies) offset(step int32, ms int64) uint32 {
	return uint32(min(max(ms-t.from-int64(step)*t.width, 0)+1, math.MaxUint32))
}

// noteAccepted notes an acceptance: its time, and an actor if it is new.
func (t *tallies) noteAccepted(key, step int32, ms int64, isNew bool) {
	t.note(key, step, t.offset(step, ms), isNew)
}

// note notes an acceptance at a time as acceptedCell has it, 0 for none.
func (t *tallies) note(key, step int32, last uint32, isNew bool) {
	n := notedAccepted{uint32(int(step)*t.keys + int(key)), last}
	if isNew {
		n.cell |= isNewActor
	}
	block := &t.pending[uint32(step)/blockSteps]
	if len(*block) == cap(*block) {
		t.addPending(block)
	}
	*block = append(*block, n)
}

// addPending adds the acceptances of a block to their cells, and makes room for others.
func (t *tallies) addPending(block *[]notedAccepted) {
	if *block == nil {
		*block = make([]notedAccepted, 0, maxPending)
		return
	}
	if t.accepted == nil {
		t.accepted = make([]acceptedCell, t.keys*session.MaxSteps)
	}
	for _, n := range *block {
		c := &t.accepted[n.cell&^isNewActor]
		c.actors += n.cell >> 31
		c.last = max(c.last, n.last)
	}
	*block = (*block)[:0]
}

// finish adds what is pending.
func (t *tallies) finish() {
	for i := range t.pending {
		if len(t.pending[i]) > 0 {
			t.addPending(&t.pending[i])
		}
		t.pending[i] = nil
	}
}

// addRefused notes the time of a refusal, and counts its actor if it is new.
func (t *tallies) addRefused(key, step int32, ms int64, isNew bool) {
	if t.refused[key] == nil {
		t.refused[key] = make([]refusedCell, session.MaxSteps)
	}
	c := &t.refused[key][step]
	if c.actors == 0 || ms < c.first {
		c.first = ms
	}
	if isNew {
		c.actors++
	}
}

// accept adds acceptances of a step that starts at a time, in Unix milliseconds.
func (c *cell) accept(x acceptedCell, start int64) {
	c.accepted += int32(x.actors)
	if x.last > 0 {
		c.lastAccepted = max(c.lastAccepted, start+int64(x.last)-1)
	}
}

// collect returns what of returns for each of some parts.
func collect[P, T any](parts []P, of func(P) T) []T {
	all := make([]T, len(parts))
	for i, p := range parts {
		all[i] = of(p)
	}
	return all
}

// sumTallies adds up tallies of the same keys.
func sumTallies(parts []*tallies) [][]cell {
	cells := newCells(parts[0].keys)
	for _, t := range parts {
		t.finish()
		for key, sums := range cells {
			if t.accepted != nil {
				for step := range sums {
					sums[step].accept(t.acceptedAt(int32(key), int32(step)), t.start(step))
				}
			}
			for step, x := range t.refused[key] {
				if x.actors > 0 {
					c := &sums[step]
					c.refused += int32(x.actors)
					c.firstRefused = min(c.firstRefused, x.first)
				}
			}
		}
	}
	return cells
}
