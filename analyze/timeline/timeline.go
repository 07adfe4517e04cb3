package timeline

import (
	"encoding/binary"
)

// Actors are sharded by the hash of what names them: the session id where the
// log has one, the client's address and user agent where it has not. A seeded
// 128-bit hash stands for the name: two actors are taken for one with a chance
// of 2^-64 for four billion of them.
type actorKey struct{ hi, lo uint64 }

// mix gives a hash of both halves of a key: many clients have one user agent.
// Its highest bits say the shard, its lowest where an actor lies there.
func (k actorKey) mix() uint64 { return k.hi ^ k.lo*0x9e3779b97f4a7c15 }

func (k actorKey) shard() uint64 { return k.mix() >> (64 - ShardBits) }

// actor is one actor's part of the state in one worker: what must be known to
// append an event. It is one cache line, and lies in the hash table itself: the
// one place a request has to touch that its neighbours did not.
type actor struct {
	key    actorKey
	last   int64  // Unix milliseconds of the event appended last
	client uint64 // hash of the client of that event
	number uint32 // in the order of appearance, plus one; 0 is an empty slot
	events uint32
	user   uint32 // worker's number plus one of the user seen last
	ref    uint32 // refusal appended last
	via    uint32 // way of the event appended last
	place  uint32 // of the client of that event in the worker's table
	since  uint32 // how many events there were before that client's
}

// A shard holds actors and a log of their events: each is a few bytes behind
// those of whichever actor came before, so that writing is sequential, and a
// full shard is ready to be written to disk. Timelines are put together when
// the run has ended.
type shard struct {
	slots  []actor // open addressing by key.mix; the length is a power of two
	actors uint32
	used   uint32   // bytes of page that hold events
	page   []byte   // the page of the log that is being filled, as long as it can be
	pages  [][]byte // those that are full
	// Session ids, each behind its length, and where they lie by the actor's
	// number - 1, plus one; clients have none.
	ids  []byte
	idAt []uint32

	spare *spare // of the part
}

const (
	// logPage is the size of a page of the log in bytes, but for the first ones:
	// each of them is twice as large as the one before, so that a small log takes
	// little.
	logPage    = 8 << 10
	smallPages = 3
)

func (s *shard) init(spare *spare) { s.slots, s.spare = make([]actor, 4), spare }

// name notes the session id of an actor that is new.
func (s *shard) name(a *actor, session []byte) {
	if n := int(a.number) - len(s.idAt); n > 0 {
		s.idAt = append(s.idAt, make([]uint32, n)...)
	}
	s.idAt[a.number-1] = uint32(len(s.ids)) + 1
	s.ids = appendBytes(s.ids, session)
}

// session gives the session id of an actor by its number - 1; nil for a client.
func (s *shard) session(n uint32) []byte {
	if int(n) >= len(s.idAt) || s.idAt[n] == 0 {
		return nil
	}
	id, _ := cutBytes(s.ids[s.idAt[n]-1:])
	return id
}

// size is about how many bytes of memory the shard takes.
func (s *shard) size() int64 {
	const slot = 64
	pages := len(s.page)
	for n := range min(len(s.pages), smallPages) {
		pages += pageSize(n)
	}
	pages += max(len(s.pages)-smallPages, 0) * logPage
	return int64(len(s.slots))*slot + int64(pages) + int64(cap(s.ids)) + 4*int64(cap(s.idAt))
}

// turn begins a new page.
func (s *shard) turn() {
	s.end()
	s.page = s.spare.page(pageSize(len(s.pages)))
}

// end closes the log: all of it is in the pages then, behind each of which at
// least eventSlack bytes may be read.
func (s *shard) end() {
	if s.used > 0 {
		s.pages = append(s.pages, s.page[:s.used])
	}
	s.page, s.used = nil, 0
}

// pageSize gives the size of page n of a log.
func pageSize(n int) int { return logPage >> max(smallPages-n, 0) }

// appendBytes appends b behind its length.
func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// cutBytes takes what appendBytes appended off src. It aliases src.
func cutBytes(src []byte) (b, rest []byte) {
	size, n := binary.Uvarint(src)
	src = src[n:]
	return src[:size:size], src[size:]
}

// actor gives the actor of a key, a new one if it was never met. The pointer is
// valid until the next call.
func (s *shard) actor(k actorKey) *actor {
	mask := uint64(len(s.slots) - 1)
	for i := k.mix() & mask; ; i = (i + 1) & mask {
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
		i := a.key.mix() & mask
		for slots[i].number != 0 {
			i = (i + 1) & mask
		}
		slots[i] = *a
	}
	s.slots = slots
}
