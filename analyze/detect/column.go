package detect

// column holds a number for each refusal, in two bytes where those of neighbours are near
// each other, else in four.
type column []columnPart

// columnPart is the numbers of columnLength refusals.
type columnPart struct {
	least uint32
	near  []uint16 // by how much each is greater than least
	far   []uint32 // the numbers themselves, if near is nil
}

const columnLength = 1 << 8

// columnOf returns the column of n numbers, of which next returns one after the other.
func columnOf(n int, next func(i int) uint32) column {
	c := make(column, 0, (n+columnLength-1)/columnLength)
	var part [columnLength]uint32
	for from := 0; from < n; from += columnLength {
		list := part[:min(columnLength, n-from)]
		least, most := ^uint32(0), uint32(0)
		for i := range list {
			list[i] = next(from + i)
			least, most = min(least, list[i]), max(most, list[i])
		}
		p := columnPart{least: least}
		if most-least < 1<<16 {
			p.near = make([]uint16, len(list))
			for i, x := range list {
				p.near[i] = uint16(x - least)
			}
		} else {
			p.far = append([]uint32(nil), list...)
		}
		c = append(c, p)
	}
	return c
}

// at returns the number of a refusal.
func (c column) at(i uint32) uint32 {
	p := &c[i/columnLength]
	if p.near == nil {
		return p.far[i%columnLength]
	}
	return p.least + uint32(p.near[i%columnLength])
}
