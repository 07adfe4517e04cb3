package timeline

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"logscan/analyze/spill"
)

const (
	// shardBits is the number of bits of an actor's hash that select its shard.
	shardBits = 8
	// Shards is the number of shards of the actors. It bounds how much of the
	// timelines has to be in memory at once when they are visited.
	Shards = 1 << shardBits
)

// actorKey identifies an actor by a seeded 128-bit hash: of the session id if the
// log has one, else of the client's address and user agent. The chance that two
// of four billion actors collide is 2^-64.
type actorKey struct{ hi, lo uint64 }

func sessionKey(id []byte, seed uint64) actorKey {
	h := xxh3.Hash128Seed(id, seed)
	return actorKey{h.Hi, h.Lo}
}

func clientKey(address, agent []byte, seed uint64) actorKey {
	return actorKey{xxh3.HashSeed(address, seed), xxh3.HashSeed(agent, seed+1)}
}

// mix returns a hash of both halves of the key, because many clients share a user
// agent. Its highest bits select the shard, its lowest the slot there.
func (k actorKey) mix() uint64 { return k.hi ^ k.lo*0x9e3779b97f4a7c15 }

func (k actorKey) shard() uint64 { return k.mix() >> (64 - shardBits) }

// actor is what a worker must know of an actor to append an event. It is one
// cache line and is stored in the hash table itself: the only memory that a
// request touches and its neighbours probably did not.
type actor struct {
	key          actorKey
	last         int64  // time of the last event, Unix milliseconds
	client       uint64 // hash of the client of the last event
	number       uint32 // in order of appearance, plus one; 0 for an empty slot
	events       uint32
	user         uint32 // number plus one of the last user
	refusal      uint32 // number of the last refusal
	via          uint32 // of the last event; see record
	clientNumber uint32 // of the client of the last event
	counted      uint32 // events before the first one of that client
	refused      bool   // there is a 401 among its events
}

// shard holds actors and a log of their events. The events of all actors are
// appended to one log, so that writes are sequential and a shard can be spilled
// as it is; State.Shard sorts them by actor.
type shard struct {
	slots  []actor // open addressing by key.mix; the length is a power of two
	actors uint32
	used   uint32        // bytes of page that hold events
	page   []byte        // the current page of the log
	pages  [][]byte      // the full pages
	disk   []spill.Place // what follows them in file
	file   *spill.File
	held   int64 // bytes of all pages
	// Labels of actors (see setLabel), each preceded by its length, and by the
	// actor's number - 1 the position of its label plus one.
	labels  []byte
	labelAt []uint32
}

const (
	// logPage is the size of a page of the log in bytes. The first smallPages
	// pages are smaller and double in size, to suit small logs.
	logPage    = 8 << 10
	smallPages = 3
)

func (s *shard) init() { s.slots = make([]actor, 4) }

// setLabel sets the label of a new actor: the session id, or the encoding of an
// EarlierActor. Clients have none.
func (s *shard) setLabel(a *actor, label []byte) {
	if n := int(a.number) - len(s.labelAt); n > 0 {
		s.labelAt = append(s.labelAt, make([]uint32, n)...)
	}
	s.labelAt[a.number-1] = uint32(len(s.labels)) + 1
	s.labels = appendBytes(s.labels, label)
}

// label returns the label of an actor by its number - 1; nil for none.
func (s *shard) label(n uint32) []byte {
	if int(n) >= len(s.labelAt) || s.labelAt[n] == 0 {
		return nil
	}
	id, _ := cutBytes(s.labels[s.labelAt[n]-1:])
	return id
}

// size returns approximately how many bytes of memory the shard takes.
func (s *shard) size() int64 {
	const slot = 64
	return int64(len(s.slots))*slot + s.held + int64(cap(s.labels)) + 4*int64(cap(s.labelAt))
}

func (s *shard) newPage() {
	s.close()
	s.page = make([]byte, logPage>>max(smallPages-len(s.pages), 0))
	s.held += int64(len(s.page))
}

// close moves the current page to the full ones. At least eventSlack bytes behind
// the end of each page may be read.
func (s *shard) close() {
	if s.used > 0 {
		s.pages = append(s.pages, s.page[:s.used])
	}
	s.page, s.used = nil, 0
}

// log yields the pages of a closed shard. Each is valid until the next one.
func (s *shard) log(yield func(page []byte, err error) bool) {
	for _, page := range s.pages {
		if !yield(page, nil) {
			return
		}
	}
	var buf []byte
	for _, place := range s.disk {
		page, err := s.file.Read(place, buf)
		if err != nil {
			yield(nil, err)
			return
		}
		if buf = page; !yield(page[:len(page)-eventSlack], nil) {
			return
		}
	}
}

// actor returns the actor of a key and adds it if it is new. The pointer is valid
// until the next call.
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
	clear(slots) // a fresh page that is read first is mapped twice
	mask := uint64(len(slots) - 1)
	for a := range s.each {
		i := a.key.mix() & mask
		for slots[i].number != 0 {
			i = (i + 1) & mask
		}
		slots[i] = *a
	}
	s.slots = slots
}

// each yields the actors.
func (s *shard) each(yield func(*actor) bool) {
	for n := range s.slots {
		if a := &s.slots[n]; a.number != 0 && !yield(a) {
			return
		}
	}
}

// appendBytes appends b to dst, preceded by its length.
func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// cutBytes returns the bytes that appendBytes wrote at the beginning of src, which
// it aliases, and the rest of src.
func cutBytes(src []byte) (b, rest []byte) {
	b = cutPart(src)
	return b[:len(b):len(b)], src[cap(src)-cap(b)+len(b):]
}

// cutPart is cutBytes without the rest: what follows b in src is within its capacity.
func cutPart(src []byte) []byte {
	size, n := uint64(src[0]), 1
	if size >= 0x80 {
		size, n = binary.Uvarint(src)
	}
	return src[n:][:size]
}
