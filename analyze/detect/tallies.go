package detect

import (
	"math"

	"logscan/analyze/session"
)

// tallies count by key and step the actors that were accepted and refused, for one
// goroutine. Each request may lead to another cell, so what is counted of acceptances is
// kept small: it should fit the processor's cache.
type tallies struct {
	from, width int64 // of the first step and of each, in milliseconds
	accepted    [][]acceptedCell
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
	t := tallies{from: d.From, width: d.Width, accepted: make([][]acceptedCell, keys), refused: make([][]refusedCell, keys)}
	all := make([]acceptedCell, keys*session.MaxSteps)
	for i := range t.accepted {
		t.accepted[i] = all[i*session.MaxSteps : (i+1)*session.MaxSteps]
	}
	return t
}

// offset returns the time of an acceptance as acceptedCell has it. Times that the steps
// do not hold count in the first or last one; their distance is limited.
func (t *tallies) offset(step int32, ms int64) uint32 {
	return uint32(min(max(ms-t.from-int64(step)*t.width, 0)+1, math.MaxUint32))
}

// noteAccepted notes the time of an acceptance.
func (t *tallies) noteAccepted(key, step int32, ms int64) {
	c := &t.accepted[key][step]
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
	cells := newCells(len(parts[0].accepted))
	for _, t := range parts {
		for key, sums := range cells {
			for step, x := range t.accepted[key] {
				c := &sums[step]
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
