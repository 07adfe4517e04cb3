package detect

import (
	"cmp"
	"encoding/binary"
	"slices"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// try is a try of credentials.
type try struct {
	time      int64  // Unix milliseconds
	refusal   uint32 // index of the refusal, timeline.NoRefusal when accepted
	user      uint32 // named on the line, plus one; 0 none
	address   uint32
	agent     uint32
	endpoint  uint32
	challenge uint32 // refusal of the same request without credentials just before, or timeline.NoRefusal
}

func (t *try) failed() bool { return t.refusal != timeline.NoRefusal }

func compareTries(a, b try) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.refusal, b.refusal), cmp.Compare(a.user, b.user),
		cmp.Compare(a.address, b.address), cmp.Compare(a.agent, b.agent), cmp.Compare(a.endpoint, b.endpoint))
}

// groupedTry is a try that belongs to a group: an origin, a tool, a host. There may be as
// many as 401s, so they are sorted on disk, and groups are looked at one after the other.
type groupedTry struct {
	group uint32
	try
}

// groupedSize is the size of a groupedTry in memory, in bytes.
const groupedSize = 40

var groupedCodec = spill.Codec[groupedTry]{
	Append: func(dst []byte, t *groupedTry) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(t.time))
		for _, x := range [...]uint32{t.group, t.refusal, t.user, t.address, t.agent, t.endpoint, t.challenge} {
			dst = binary.LittleEndian.AppendUint32(dst, x)
		}
		return dst
	},
	Read: func(t *groupedTry, src []byte) []byte {
		b := (*[36]byte)(src)
		number := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
		*t = groupedTry{number(8), try{int64(binary.LittleEndian.Uint64(b[:])), number(12), number(16), number(20), number(24), number(28), number(32)}}
		return src[len(b):]
	},
	Compare: func(a, b *groupedTry) int {
		if a.group != b.group {
			return cmp.Compare(a.group, b.group)
		}
		return compareTries(a.try, b.try)
	},
}

// newTries returns a sorter of tries for one of several goroutines.
func (d *Diagnosis) newTries(goroutines int) *spill.Sorter[groupedTry] {
	m := d.Memory()
	return &spill.Sorter[groupedTry]{Codec: groupedCodec, Space: m.Space, Limit: m.Records(goroutines, groupedSize)}
}

// eachGroup calls do for each group with its tries by time, which are valid until do returns
// and must not be changed. sizeOf returns about how many tries a group has, so that their list
// is not copied when it grows.
func eachGroup(tries *spill.Sorter[groupedTry], sizeOf func(group uint32) int, do func(group int, list []try)) error {
	var list []try
	group := uint32(0)
	for t, err := range spill.Sorted(tries) {
		if err != nil {
			return err
		}
		if t.group != group && len(list) > 0 {
			do(int(group), list)
			list = list[:0]
		}
		if group = t.group; len(list) == 0 && sizeOf(group) > cap(list) {
			list = make([]try, 0, sizeOf(group))
		}
		list = append(list, t.try)
	}
	if len(list) > 0 {
		do(int(group), list)
	}
	return nil
}

// eachOrigin is eachGroup of the tries of each origin, by its place.
func (o *guessObserver) eachOrigin(do func(place int, list []try)) error {
	if o.err != nil {
		return o.err
	}
	return eachGroup(o.tries, func(place uint32) int { return o.origins[place].failed }, do)
}

// strangers returns the tries without those that a finding explains, those of users
// at home (an owner who mistypes is not guessing), and the failures of an outage. Where most
// failures name nobody, those at home may have mistyped: what they did right counts. The
// list must not be changed.
func (o *guessObserver) strangers(list []try) []try {
	failed, nameless := 0, 0
	for i := range list {
		if t := &list[i]; t.failed() {
			failed++
			if t.user == 0 {
				nameless++
			}
		}
	}
	return but(list, func(t *try) bool {
		return t.failed() && (!o.d.open(int(t.refusal)) || o.d.inOutage(int(t.refusal))) ||
			(t.failed() || 2*nameless <= failed) && o.atHome(t.user, t.address, t.time)
	})
}

// failuresOf returns the failures among tries. The list must not be changed.
func failuresOf(list []try) []try {
	return but(list, func(t *try) bool { return !t.failed() })
}

// but returns a list without the elements that are dropped: the same list if there are none,
// as for nearly all addresses of a large attack, and nearly all accounts.
func but[T any](list []T, drop func(*T) bool) []T {
	for i := range list {
		if !drop(&list[i]) {
			continue
		}
		kept := slices.Clone(list[:i])
		for j := i + 1; j < len(list); j++ {
			if !drop(&list[j]) {
				kept = append(kept, list[j])
			}
		}
		return kept
	}
	return list
}
