package detect

import (
	"encoding/binary"
	"slices"
)

// column holds a number for each refusal, in two bytes where those of neighbours are near
// each other, else in three or four.
type column struct {
	parts []columnPart
	next  []uint32 // numbers that are not in a part yet
}

// columnPart is the numbers of columnLength refusals.
type columnPart struct {
	least uint32
	width int    // bytes of a number
	data  []byte // by how much each is greater than least
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
	p := columnPart{least: slices.Min(c.next), width: 2}
	for most := slices.Max(c.next) - p.least; p.width < 4 && most>>(8*p.width) > 0; {
		p.width++
	}
	p.data = make([]byte, 0, p.width*len(c.next))
	var b [4]byte
	for _, x := range c.next {
		binary.LittleEndian.PutUint32(b[:], x-p.least)
		p.data = append(p.data, b[:p.width]...)
	}
	c.parts, c.next = append(c.parts, p), c.next[:0]
}

// at returns the number of a refusal.
func (c *column) at(i uint32) uint32 {
	p := &c.parts[i/columnLength]
	b := p.data[int(i%columnLength)*p.width:]
	n := uint32(binary.LittleEndian.Uint16(b))
	if p.width > 2 {
		n |= uint32(b[2]) << 16
	}
	if p.width > 3 {
		n |= uint32(b[3]) << 24
	}
	return p.least + n
}
