package analyze

import (
	"hash/maphash"
)

// told remembers what text made of values. Those of neighbouring 401s repeat:
// the same routes, clients and user agents are refused again and again.
type told struct {
	seed  maphash.Seed
	slots []toldSlot
}

// toldSlot is what was told of one value: the last one that fell into the slot.
type toldSlot struct{ logged, told string }

const (
	// toldSlots is a power of two: 512 KiB, about as much as a core keeps near.
	toldSlots = 16 << 10
	// toldLongest in bytes is a longer value than those that repeat. With it the
	// memory that strangers can fill is bounded.
	toldLongest = 512
)

func newTold() *told {
	return &told{maphash.MakeSeed(), make([]toldSlot, toldSlots)}
}

// text gives text(b).
func (t *told) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > toldLongest {
		return text(b)
	}
	s := &t.slots[maphash.Bytes(t.seed, b)%toldSlots]
	if s.logged != string(b) {
		s.told = text(b)
		if s.logged = s.told; s.told != string(b) {
			s.logged = string(b)
		}
	}
	return s.told
}
