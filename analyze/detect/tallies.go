package detect

import (
	"math"

	"logscan/analyze/session"
)

// tallies count by key and step the actors that were accepted and refused, for one
// goroutine. Each request may lead to another cell, so what is counted of acceptances is
// kept small: it should fit the processor's cache. The cells of a step lie side by side,
// because one request counts for several keys.
type tallies struct {
	from, width int64 // of the first step and of each, in milliseconds
	keys        int
	accepted    []acceptedCell  // by step, then by key
	refused     [][]refusedCell // by key; nil for keys that refused nobody
}

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
	return tallies{from: d.From, width: d.Width, keys: keys, accepted: make([]acceptedCell, keys*session.MaxSteps), refused: make([][]refusedCell, keys)}
}

// acceptedAt returns the acceptances of a key in a step.
func (t *tallies) acceptedAt(key, step int32) *acceptedCell {
	return &t.accepted[int(step)*t.keys+int(key)]
}

// offset returns the time of an acceptance as acceptedCell has it. Times that the steps
// do not hold count in the first or last one; their distance is limited.
func (t *tallies) offset(step int32, ms int64) uint32 {
	return uint32(min(max(ms-t.from-int64(step)*t.width, 0)+1, math.MaxUint32))
}

// noteAccepted notes the time of an acceptance.
func (t *tallies) noteAccepted(key, step int32, ms int64) {
	c := t.acceptedAt(key, step)
	c.last = max(c.last, t.offset(step, ms))
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

// sumTallies adds up tallies of the same keys.
func sumTallies(parts []*tallies) [][]cell {
	cells := newCells(parts[0].keys)
	for _, t := range parts {
		for key, sums := range cells {
			for step := range sums {
				c, x := &sums[step], t.acceptedAt(int32(key), int32(step))
				c.accepted += int32(x.actors)
				if x.last > 0 {
					c.lastAccepted = max(c.lastAccepted, t.from+int64(step)*t.width+int64(x.last)-1)
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
