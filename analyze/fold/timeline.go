package fold

import (
	"encoding/binary"
)

// Actors are sharded by the hash of what names them: the session id where the
// log has one, the client's address and user agent where it has not. A seeded
// 128-bit hash stands for the name: two actors are taken for one with a chance
// of 2^-64 for four billion of them.
type actorKey struct{ hi, lo uint64 }

func (k actorKey) shard() uint64 { return (k.hi ^ k.lo*0x9e3779b97f4a7c15) >> 58 }

// actor is one actor's part of the state in one worker.
type actor struct {
	key        actorKey
	last       int64  // Unix milliseconds of the event appended last
	client     uint64 // hash of the client of that event
	session    []byte // in the shard's arena; nil for a client without session
	user       uint32 // worker's number plus one of the user seen last
	endpoint   uint32 // of the event appended last
	ref        uint32 // refusal appended last
	events     uint32
	head, tail uint32 // first and last chunk
	pos        uint16 // write position in the last chunk
	class      uint8  // size class of the last chunk
}

// A shard holds actors and their timelines. A timeline is a string of encoded
// events in a list of chunks that double in size: an actor of three events
// takes 32 bytes beside its entry, one of a million hardly more than its events.
type shard struct {
	slots  []uint64 // upper half: of the key's hash; lower half: actor + 1; 0 is empty
	actors []actor
	pages  [][]byte
	used   int // bytes of the last page
	ids    arena
}

const (
	pageBits  = 14 // a page of chunks is 16 KiB: 64 shards start with 1 MiB
	pageSize  = 1 << pageBits
	chunkBits = 5 // the first chunk of an actor is 32 bytes, next pointer included
	chunkNext = 4 // bytes of the pointer to the next chunk
	lastClass = 3 // up to 256 bytes
)

func (s *shard) init() {
	s.slots = make([]uint64, 64)
	s.used = pageSize // no page yet
}

// tag is the upper half of a slot. Most slots that are looked at in vain are
// told by it, without a look at the actor, which would miss the cache.
func (k actorKey) tag() uint64 { return k.hi &^ (1<<32 - 1) }

func (s *shard) actor(k actorKey) *actor {
	mask := uint64(len(s.slots) - 1)
	tag := k.tag()
	for i := k.lo & mask; ; i = (i + 1) & mask {
		slot := s.slots[i]
		if slot == 0 {
			s.actors = append(s.actors, actor{key: k})
			s.slots[i] = tag | uint64(len(s.actors))
			if len(s.actors)*4 > len(s.slots)*3 {
				s.grow()
			}
			return &s.actors[len(s.actors)-1]
		}
		if slot&^(1<<32-1) == tag {
			if a := &s.actors[uint32(slot)-1]; a.key == k {
				return a
			}
		}
	}
}

func (s *shard) grow() {
	slots := make([]uint64, 2*len(s.slots))
	mask := uint64(len(slots) - 1)
	for n := range s.actors {
		k := s.actors[n].key
		i := k.lo & mask
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = k.tag() | uint64(n+1)
	}
	s.slots = slots
}

// An encoded event is a flag byte, then what the flags announce.
const (
	flagOutcome  = 7      // bits 0 to 2: the outcome
	flagUser     = 1 << 3 // the line names a user: the one named last, or
	flagNewUser  = 1 << 4 // another one: its number follows
	flagMoved    = 1 << 5 // another client than before: address and agent follow
	flagSamePath = 1 << 6 // the same endpoint as before; else its number follows
	flagSameTime = 1 << 7 // the same millisecond; else the difference follows, zigzag
	// An unauthorized event ends with the difference of its refusal number.
)

// append adds an event to a's timeline. user is 0 or a number plus one, moved
// is zero or the client's address and agent, each plus one.
func (s *shard) append(a *actor, ms int64, o Outcome, endpoint, user uint32, moved [2]uint32, ref uint32) {
	var buf [48]byte
	b := append(buf[:0], byte(o))
	if ms == a.last {
		b[0] |= flagSameTime
	} else {
		b = binary.AppendVarint(b, ms-a.last)
	}
	if endpoint == a.endpoint && a.events > 0 {
		b[0] |= flagSamePath
	} else {
		b = binary.AppendUvarint(b, uint64(endpoint))
	}
	if user != 0 {
		b[0] |= flagUser
		if user != a.user {
			b[0] |= flagNewUser
			b = binary.AppendUvarint(b, uint64(user))
			a.user = user
		}
	}
	if moved[0] != 0 {
		b[0] |= flagMoved
		b = binary.AppendUvarint(b, uint64(moved[0]-1))
		b = binary.AppendUvarint(b, uint64(moved[1]-1))
	}
	if o == Unauthorized {
		b = binary.AppendUvarint(b, uint64(ref-a.ref))
		a.ref = ref
	}
	a.last, a.endpoint = ms, endpoint
	a.events++
	s.write(a, b)
}

func (s *shard) write(a *actor, b []byte) {
	if a.events == 1 {
		a.head = s.chunk(0)
		a.tail, a.class, a.pos = a.head, 0, chunkNext
	}
	for {
		page := s.pages[a.tail>>pageBits]
		off := int(a.tail & (pageSize - 1))
		n := copy(page[off+int(a.pos):off+chunkSize(a.class)], b)
		a.pos += uint16(n)
		if n == len(b) {
			return
		}
		b = b[n:]
		if a.class < lastClass {
			a.class++
		}
		next := s.chunk(a.class)
		binary.LittleEndian.PutUint32(page[off:], next)
		a.tail, a.pos = next, chunkNext
	}
}

func chunkSize(class uint8) int { return 1 << (chunkBits + class) }

// chunk gives the place of a new chunk: page number and offset in one number.
func (s *shard) chunk(class uint8) uint32 {
	n := chunkSize(class)
	if s.used+n > pageSize {
		s.pages = append(s.pages, make([]byte, pageSize))
		s.used = 0
	}
	at := uint32(len(s.pages)-1)<<pageBits | uint32(s.used)
	s.used += n
	return at
}

// timeline appends the encoded events of a to dst.
func (s *shard) timeline(dst []byte, a *actor) []byte {
	at, class := a.head, uint8(0)
	for {
		page := s.pages[at>>pageBits]
		off := int(at & (pageSize - 1))
		if at == a.tail {
			return append(dst, page[off+chunkNext:off+int(a.pos)]...)
		}
		dst = append(dst, page[off+chunkNext:off+chunkSize(class)]...)
		at = binary.LittleEndian.Uint32(page[off:])
		if class < lastClass {
			class++
		}
	}
}
