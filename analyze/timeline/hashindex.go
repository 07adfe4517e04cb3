package timeline

// hashIndex maps 64-bit hashes to pairs of numbers. It is an open-addressing
// table; the length is a power of two.
type hashIndex struct {
	slots   []hashSlot
	missing [2]uint32 // value of all other hashes
}

type hashSlot struct {
	hash   uint64
	first  uint32 // plus one; 0 for an empty slot
	second uint32
}

// newHashIndex returns an index for n hashes.
func newHashIndex(n int) hashIndex {
	size := minSlots
	for size*3 < n*4 {
		size *= 2
	}
	return hashIndex{slots: make([]hashSlot, size)}
}

func (x *hashIndex) put(hash uint64, a, b uint32) {
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i].first != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = hashSlot{hash, a + 1, b}
}

func (x *hashIndex) find(hash uint64) [2]uint32 {
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; x.slots[i].first != 0; i = (i + 1) & mask {
		if x.slots[i].hash == hash {
			return [2]uint32{x.slots[i].first - 1, x.slots[i].second}
		}
	}
	return x.missing
}
