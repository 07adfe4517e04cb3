package detect

import (
	"encoding/binary"
	"sort"
)

// ascending is an ascending list of refusals, in a few bytes for each: those of a site may
// be all refusals of a log.
type ascending struct {
	n      int
	chunks []ascendingChunk
	last   uint32 // the greatest
}

// ascendingChunk holds up to chunkLength refusals.
type ascendingChunk struct {
	first uint32
	data  []byte // by how much each of the others is greater than the one before
	n     int
}

// chunkLength is the number of refusals of a chunk: enough that a chunk costs little, and
// few enough that one is found without reading many.
const chunkLength = 1 << 10

// add adds a refusal, which is greater than all others.
func (l *ascending) add(i uint32) {
	last := len(l.chunks) - 1
	if last < 0 || l.chunks[last].n == chunkLength {
		l.chunks = append(l.chunks, ascendingChunk{first: i, n: 1})
	} else {
		c := &l.chunks[last]
		c.data = binary.AppendUvarint(c.data, uint64(i-l.last))
		c.n++
	}
	l.last = i
	l.n++
}

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
			more, n := binary.Uvarint(rest)
			rest = rest[n:]
			if i += uint32(more); !yield(i) {
				return
			}
		}
	}
}

// between returns the refusals from the first for which from is true until the first for
// which to is true. Both are true for all greater ones, too.
func (l *ascending) between(from, to func(refusal uint32) bool) (list []uint32) {
	chunk := sort.Search(len(l.chunks), func(n int) bool { return from(l.chunks[n].first) })
	l.from(max(chunk-1, 0), func(i uint32) bool {
		if to(i) {
			return false
		}
		if len(list) > 0 || from(i) {
			list = append(list, i)
		}
		return true
	})
	return list
}
