package detect

import (
	"encoding/binary"
	"iter"
	"slices"
	"sort"
)

// ascending is an ascending list of refusals, in a few bytes for each: those of a site, or
// what a finding explains, may be all refusals of a log.
type ascending struct {
	n      int
	chunks []ascendingChunk
	last   uint32 // the greatest
}

// ascendingChunk holds up to chunkLength refusals.
type ascendingChunk struct {
	first uint32
	n     uint32
	data  []byte // by how much each of the others is greater than the one before
}

// chunkLength is the number of refusals of a chunk: enough that a chunk costs little, and
// few enough that one is found without reading many. Only the last chunk has fewer.
const chunkLength = 1 << 10

// ascendingOf returns the list of refusals that are sorted.
func ascendingOf(sorted iter.Seq[uint32]) (l ascending) {
	for i := range sorted {
		l.add(i)
	}
	if last := len(l.chunks) - 1; last >= 0 {
		l.chunks = slices.Clip(l.chunks)
		l.chunks[last].data = slices.Clip(l.chunks[last].data)
	}
	return l
}

// add adds a refusal, which is greater than all others.
func (l *ascending) add(i uint32) {
	last := len(l.chunks) - 1
	if last < 0 || l.chunks[last].n == chunkLength {
		c := ascendingChunk{first: i, n: 1}
		if last >= 0 { // as long as the one before
			c.data = make([]byte, 0, len(l.chunks[last].data))
		}
		l.chunks = append(l.chunks, c)
	} else {
		c := &l.chunks[last]
		c.data = binary.AppendUvarint(c.data, uint64(i-l.last))
		c.n++
	}
	l.last = i
	l.n++
}

// first returns the least refusal of a list that is not empty.
func (l *ascending) first() uint32 { return l.chunks[0].first }

// each yields the refusals.
func (l *ascending) each(yield func(uint32) bool) { l.from(0, yield) }

// from yields the refusals of the chunks from one on.
func (l *ascending) from(chunk int, yield func(uint32) bool) {
	for _, c := range l.chunks[chunk:] {
		i := c.first
		if !yield(i) {
			return
		}
		for rest := c.data; len(rest) > 0; {
			more, n := uint64(rest[0]), 1
			if more >= 1<<7 {
				more, n = binary.Uvarint(rest)
			}
			rest = rest[n:]
			if i += uint32(more); !yield(i) {
				return
			}
		}
	}
}

// between yields the refusals from the first for which from is true until the first for
// which to is true. Both are true for all greater ones, too.
func (l *ascending) between(from, to func(refusal uint32) bool) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		chunk := sort.Search(len(l.chunks), func(n int) bool { return from(l.chunks[n].first) })
		begun := false
		l.from(max(chunk-1, 0), func(i uint32) bool {
			if to(i) {
				return false
			}
			begun = begun || from(i)
			return !begun || yield(i)
		})
	}
}

// slice returns the refusals from one place of the list to another.
func (l *ascending) slice(from, to int) ascending {
	return ascendingOf(func(yield func(uint32) bool) {
		chunk := from / chunkLength
		at := chunk * chunkLength
		l.from(chunk, func(i uint32) bool {
			at++
			return at <= from || at <= to && yield(i)
		})
	})
}

// spread returns up to n refusals, the first and others evenly spaced.
func (l *ascending) spread(n int) []uint32 {
	if l.n <= n {
		return slices.Collect(l.each)
	}
	picked := make([]uint32, n)
	for i := range picked {
		place := i * l.n / n
		at := place / chunkLength * chunkLength
		for x := range func(yield func(uint32) bool) { l.from(place/chunkLength, yield) } {
			if at == place {
				picked[i] = x
				break
			}
			at++
		}
	}
	return picked
}
