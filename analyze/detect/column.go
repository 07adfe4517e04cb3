package detect

import "slices"

// column holds a number for each refusal, in two bytes where those of neighbours are near
// each other, else in four.
type column struct {
	parts []columnPart
	next  []uint32 // numbers that are not in a part yet
}

// columnPart is the numbers of columnLength refusals.
type columnPart struct {
	least uint32
	near  []uint16 // by how much each is greater than least
	far   []uint32 // the numbers themselves, if near is nil
}

const columnLength = 1 << 8

// add adds the number of the next refusal.
func (c *column) add(x uint32) {
	if c.next = append(c.next, x); len(c.next) == columnLength {
		c.end()
	}
}

// end must be called after the last number was added.
func (c *column) end() {
	if len(c.next) == 0 {
		return
	}
	p := columnPart{least: slices.Min(c.next)}
	if slices.Max(c.next)-p.least < 1<<16 {
		p.near = make([]uint16, len(c.next))
		for i, x := range c.next {
			p.near[i] = uint16(x - p.least)
		}
	} else {
		p.far = slices.Clone(c.next)
	}
	c.parts, c.next = append(c.parts, p), c.next[:0]
}

// at returns the number of a refusal.
func (c *column) at(i uint32) uint32 {
	p := &c.parts[i/columnLength]
	if p.near == nil {
		return p.far[i%columnLength]
	}
	return p.least + uint32(p.near[i%columnLength])
}
