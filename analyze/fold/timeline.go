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

// actor is one actor's part of the state in one worker: what must be known to
// append an event. It is one cache line, and lies in the hash table itself: the
// one place a request has to touch that its neighbours did not.
type actor struct {
	key      actorKey
	last     int64  // Unix milliseconds of the event appended last
	client   uint64 // hash of the client of that event
	number   uint32 // in the order of appearance, plus one; 0 is an empty slot
	events   uint32
	user     uint32 // worker's number plus one of the user seen last
	endpoint uint32 // of the event appended last
	ref      uint32 // refusal appended last
	via      uint32 // way of the event appended last
	_        [2]uint32
}

// A shard holds actors and a log of their events: each is a few bytes behind
// those of whichever actor came before, so that writing is sequential, and a
// full shard is ready to be written to disk. Timelines are put together when
// the run has ended.
type shard struct {
	slots    []actor // open addressing by key.lo; the length is a power of two
	actors   uint32
	sessions map[uint32][]byte // session ids by number; the others are clients
	pages    [][]byte
	ids      arena
}

const (
	// logPage is the size of a page of the log in bytes: 64 shards start with
	// 512 KiB.
	logPage = 8 << 10
	// maxEvent is the most bytes of an event: a flag byte and eight numbers.
	maxEvent = 1 + 6*binary.MaxVarintLen32 + 2*binary.MaxVarintLen64
)

func (s *shard) init() {
	s.slots = make([]actor, 16)
	s.sessions = map[uint32][]byte{}
}

// actor gives the actor of a key, a new one if it was never met. The pointer is
// valid until the next call.
func (s *shard) actor(k actorKey) *actor {
	mask := uint64(len(s.slots) - 1)
	for i := k.lo & mask; ; i = (i + 1) & mask {
		a := &s.slots[i]
		if a.key == k && a.number != 0 {
			return a
		}
		if a.number == 0 {
			if int(s.actors)*4 >= len(s.slots)*3 {
				s.grow()
				return s.actor(k)
			}
			s.actors++
			a.key, a.number = k, s.actors
			return a
		}
	}
}

func (s *shard) grow() {
	slots := make([]actor, 2*len(s.slots))
	mask := uint64(len(slots) - 1)
	for n := range s.slots {
		a := &s.slots[n]
		if a.number == 0 {
			continue
		}
		i := a.key.lo & mask
		for slots[i].number != 0 {
			i = (i + 1) & mask
		}
		slots[i] = *a
	}
	s.slots = slots
}

// An encoded event is a flag byte, twice the actor's number, with one more when
// the event came another way than the one before, then that way, and what the
// flags announce.
const (
	flagOutcome  = 7      // bits 0 to 2: the outcome
	flagUser     = 1 << 3 // the line names a user: the one named last, or
	flagNewUser  = 1 << 4 // another one: its number follows
	flagMoved    = 1 << 5 // another client than before: address and agent follow
	flagSamePath = 1 << 6 // the same endpoint as before; else its number follows
	flagSameTime = 1 << 7 // the same millisecond; else the difference follows, zigzag
	// An unauthorized event ends with the difference of its refusal number.
)

// append adds an event of a to the log. user is 0 or a number plus one, via is a
// way, moved is zero or the client's address and agent, each plus one.
func (s *shard) append(a *actor, ms int64, o Outcome, endpoint, user, via uint32, moved [2]uint32, ref uint32) {
	n := len(s.pages) - 1
	if n < 0 || cap(s.pages[n])-len(s.pages[n]) < maxEvent {
		s.pages = append(s.pages, make([]byte, 0, logPage))
		n++
	}
	b := s.pages[n]
	at := len(b)
	b = append(b, byte(o))
	if via == a.via {
		b = binary.AppendUvarint(b, uint64(a.number)<<1)
	} else {
		b = binary.AppendUvarint(b, uint64(a.number)<<1|1)
		b = binary.AppendUvarint(b, uint64(via))
		a.via = via
	}
	if ms == a.last {
		b[at] |= flagSameTime
	} else {
		b = binary.AppendVarint(b, ms-a.last)
	}
	if endpoint == a.endpoint && a.events > 0 {
		b[at] |= flagSamePath
	} else {
		b = binary.AppendUvarint(b, uint64(endpoint))
	}
	if user != 0 {
		b[at] |= flagUser
		if user != a.user {
			b[at] |= flagNewUser
			b = binary.AppendUvarint(b, uint64(user))
			a.user = user
		}
	}
	if moved[0] != 0 {
		b[at] |= flagMoved
		b = binary.AppendUvarint(b, uint64(moved[0]-1))
		b = binary.AppendUvarint(b, uint64(moved[1]-1))
	}
	if o == Unauthorized {
		b = binary.AppendUvarint(b, uint64(ref-a.ref))
		a.ref = ref
	}
	s.pages[n] = b
	a.last, a.endpoint = ms, endpoint
	a.events++
}

// decoder reads a shard's log back. Its fields are what the last call of next
// read.
type decoder struct {
	pages  [][]byte
	page   []byte
	actors []decoded // by number - 1

	flags byte
	actor uint32 // number - 1
}

// decoded is an actor as it stands at the event read last, in the numbers of
// its worker.
type decoded struct {
	last           int64
	endpoint, user uint32
	address, agent uint32
	ref, via       uint32
}

func (s *shard) decoder() *decoder {
	return &decoder{pages: s.pages, actors: make([]decoded, s.actors)}
}

// next reads the next event and gives its actor, nil at the end.
func (d *decoder) next() *decoded {
	for len(d.page) == 0 {
		if len(d.pages) == 0 {
			return nil
		}
		d.page, d.pages = d.pages[0], d.pages[1:]
	}
	d.flags = d.page[0]
	d.page = d.page[1:]
	n := d.number()
	d.actor = n>>1 - 1
	a := &d.actors[d.actor]
	if n&1 != 0 {
		a.via = d.number()
	}
	if d.flags&flagSameTime == 0 {
		delta, n := binary.Varint(d.page)
		d.page = d.page[n:]
		a.last += delta
	}
	if d.flags&flagSamePath == 0 {
		a.endpoint = d.number()
	}
	if d.flags&flagNewUser != 0 {
		a.user = d.number()
	}
	if d.flags&flagMoved != 0 {
		a.address, a.agent = d.number(), d.number()
	}
	if Outcome(d.flags&flagOutcome) == Unauthorized {
		a.ref += d.number()
	}
	return a
}

func (d *decoder) number() uint32 {
	if len(d.page) > 0 && d.page[0] < 0x80 { // mostly
		v := d.page[0]
		d.page = d.page[1:]
		return uint32(v)
	}
	return d.longNumber()
}

func (d *decoder) longNumber() uint32 {
	v, n := binary.Uvarint(d.page)
	d.page = d.page[n:]
	return uint32(v)
}
