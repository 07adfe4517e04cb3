package fold

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// decoder reads a shard's log back. Its fields are what the last call of next
// read.
type decoder struct {
	page   []byte    // what is left of it
	actors []decoded // by number - 1

	flags byte
	hash  struct{ user, client uint64 }
}

// decoded is an actor as it stands at the event read last: its endpoint, way and
// refusal in the numbers of its worker, user and client in those that the caller
// made of their hashes.
type decoded struct {
	last     int64
	endpoint uint32
	ref, via uint32
	user     uint32
	client   Client
	place    uint32 // where its next event goes, or unwanted
}

// unwanted is the place of the events of an actor that is not visited.
const unwanted = ^uint32(0)

// decode puts the events of a shard of a worker where the places of its actors
// say.
func (s *State) decode(worker int, sh *shard, actors []decoded, events []Event) {
	endpoints, ranks, upstreams := s.endpointOf[worker], s.rankOf[worker], s.upstreamOf[worker]
	d := decoder{actors: actors}
	for _, page := range sh.pages {
		for len(page) > 0 {
			flags := page[0]
			size, a := readPlain(page, actors)
			if size > 0 {
				page = page[size:]
			} else {
				d.page = page
				a = d.next()
				page = d.page
				if a.place == unwanted {
					continue
				}
				if flags&flagNewUser != 0 {
					a.user = s.userOf.find(d.hash.user)[0]
				}
				if flags&flagMoved != 0 {
					c := s.clientOf.find(d.hash.client)
					a.client = Client{c[0], c[1]}
				}
			}
			if a.place == unwanted {
				continue
			}
			e := &events[a.place]
			a.place++
			*e = Event{
				Time: a.last, Endpoint: endpoints[a.endpoint], Outcome: Outcome(flags & flagOutcome),
				Client: a.client, Refusal: NoRefusal,
			}
			if a.via != 0 {
				e.Scheme = Scheme(a.via % uint32(numSchemes))
				if n := a.via / uint32(numSchemes); n != 0 {
					e.Upstream = uint16(upstreams[n-1] + 1)
				}
			}
			if flags&flagUser != 0 {
				e.User = a.user
			}
			switch {
			case worker == s.past:
				e.Refusal = EarlierEvent
			case e.Outcome == Unauthorized:
				e.Refusal = ranks[a.ref]
			}
		}
	}
}

// readPlain is decoder.next for an event without hashes and of few bytes, as nearly
// all are, that does not lie at the end of its page. It gives how many bytes the
// event takes, 0 for one that is left to next. It asks neither how long a number
// is nor whether it is there: what differs from event to event is what a
// processor guesses wrong.
func readPlain(page []byte, actors []decoded) (size int, a *decoded) {
	if len(page) < 1+wordBytes {
		return 0, nil
	}
	flags, word := page[0], binary.LittleEndian.Uint64(page[1:])
	ends := ^word & numberMore // the last byte of each number in the word
	n := shortNumber(word & (ends ^ (ends - 1)))
	time := bits.TrailingZeros64(ends) + 1
	if n&1 != 0 || flags&(flagNewUser|flagMoved) != 0 || Outcome(flags&flagOutcome) == Unauthorized || time > shortBits {
		return 0, nil
	}
	a = &actors[n>>1-1]
	// Time, endpoint and end are bits of the word: where the number begins, and
	// where the last one ends. Where one is not there, all bits of same are set.
	ends &= ends - 1
	same := -int64(flags >> 7)
	endTime := ends
	endpoint := bits.TrailingZeros64(ends) + 1
	endpoint += (time - endpoint) & int(same)
	ends &= (ends - 1) | uint64(same)
	samePath := -int64(flags >> 6 & 1)
	end := bits.TrailingZeros64(ends) + 1
	end += (endpoint - end) & int(samePath)
	if end > wordBits {
		return 0, nil
	}
	if a.place != unwanted {
		delta := number((word&(endTime^(endTime-1)))>>time) &^ uint64(same)
		a.last += int64(delta>>1) ^ -int64(delta&1)
		if n := shortNumber((word & (ends ^ (ends - 1))) >> endpoint); samePath == 0 {
			a.endpoint = n
		}
	}
	return 1 + end/8, a
}

const (
	wordBytes = 8
	wordBits  = 8 * wordBytes
	shortBits = 8 * 4 // of a short number
	// numberMore is set in the bytes of a number behind which another one follows.
	numberMore = 0x8080808080808080
)

// number gives the number (binary.Uvarint) whose bytes are those of a word that
// are not zero, the first the lowest.
func number(x uint64) uint64 {
	x &^= numberMore
	// Seven bits of each byte, then fourteen of two, and so on.
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	return x&0x000000000fffffff | x&0x0fffffff00000000>>4
}

// shortNumber is number for one of at most four bytes.
func shortNumber(x uint64) uint32 {
	y := uint32(x) &^ uint32(numberMore&math.MaxUint32)
	y = y&0x007f007f | y&0x7f007f00>>1
	return y&0x00003fff | y&0x3fff0000>>2
}

// next reads the next event and gives its actor. There must be one.
func (d *decoder) next() *decoded {
	d.flags = d.page[0]
	d.page = d.page[1:]
	n := d.number()
	a := &d.actors[n>>1-1]
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
		d.hash.user = d.word()
	}
	if d.flags&flagMoved != 0 {
		d.hash.client = d.word()
	}
	if Outcome(d.flags&flagOutcome) == Unauthorized {
		a.ref += d.number()
	}
	return a
}

func (d *decoder) word() uint64 {
	v := binary.LittleEndian.Uint64(d.page)
	d.page = d.page[8:]
	return v
}

func (d *decoder) number() uint32 {
	v, n := binary.Uvarint(d.page)
	d.page = d.page[n:]
	return uint32(v)
}
