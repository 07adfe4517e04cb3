package timeline

import "encoding/binary"

// An encoded event is six bytes: its outcome, whether the line names a user, the
// actor's number less one, the endpoint, and the milliseconds since the actor's
// last event, zigzag. Nobody has to ask where one of them ends, which is what a
// processor guesses wrong. What few events need stands behind, and flags say what.
const (
	eventLen = 6

	outcomeBits  = 3 // from bit 0 on
	userBit      = 1 << 3
	moreBit      = 1 << 4 // flags follow
	actorAt      = 5
	actorBits    = 11
	endpointAt   = actorAt + actorBits
	endpointBits = 12
	sinceAt      = endpointAt + endpointBits
	sinceBits    = 8*eventLen - sinceAt
)

// The flags, and how many bytes each of them adds, in this order.
const (
	moreUser     = 1 << iota // another user than the one named last: the hash of its name, 8 bytes
	moreClient               // another client than before: its hash, 8 bytes
	moreWay                  // another way than before: 4 bytes
	moreRefusal              // the difference of the number of the refusal: 2 bytes
	moreRefusals             // that difference, which is too large: 4 bytes
	moreActor                // the actor's number less one, which is too large: 4 bytes
	moreEndpoint             // the endpoint, which is too large: 4 bytes
	moreSince                // the time, which is too long: 8 bytes
)

const (
	// maxEvent is the most bytes of an event.
	maxEvent = eventLen + 1 + 3*8 + 4*4
	// eventSlack is how many bytes behind an event may be written or read.
	eventSlack = 8
)

// append adds an event of a to the log. user is 0 or a number plus one, and name
// the hash of its name; via is a way; moved says that a.client is not the client
// of the event before.
func (s *shard) append(a *actor, ms int64, o Outcome, endpoint, user uint32, name uint64, via uint32, moved bool, ref uint32) {
	if len(s.page)-int(s.used) < maxEvent+eventSlack {
		s.turn()
	}
	number := uint64(a.number - 1)
	since := uint64((ms-a.last)<<1 ^ (ms-a.last)>>63)
	a.last = ms
	a.events++
	word := uint64(o)
	if user != 0 {
		word |= userBit
	}
	if o == Unauthorized || moved || via != a.via || user != 0 && user != a.user ||
		number>>actorBits|uint64(endpoint)>>endpointBits|since>>sinceBits != 0 {
		s.appendMore(word, a, number, endpoint, since, user, name, via, moved, ref)
		return
	}
	word |= number<<actorAt | uint64(endpoint)<<endpointAt | since<<sinceAt
	binary.LittleEndian.PutUint64(s.page[s.used:], word)
	s.used += eventLen
}

// appendMore is append of an event that has more than six bytes.
func (s *shard) appendMore(word uint64, a *actor, number uint64, endpoint uint32, since uint64, user uint32, name uint64, via uint32, moved bool, ref uint32) {
	b := s.page[s.used+eventLen+1 : s.used+eventLen+1]
	flags := byte(0)
	if user != 0 && user != a.user {
		flags |= moreUser
		b = binary.LittleEndian.AppendUint64(b, name)
		a.user = user
	}
	if moved {
		flags |= moreClient
		b = binary.LittleEndian.AppendUint64(b, a.client)
	}
	if via != a.via {
		flags |= moreWay
		b = binary.LittleEndian.AppendUint32(b, via)
		a.via = via
	}
	if Outcome(word&(1<<outcomeBits-1)) == Unauthorized {
		if n := ref - a.ref; n>>16 == 0 {
			flags |= moreRefusal
			b = binary.LittleEndian.AppendUint16(b, uint16(n))
		} else {
			flags |= moreRefusals
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		a.ref = ref
	}
	if number>>actorBits == 0 {
		word |= number << actorAt
	} else {
		flags |= moreActor
		b = binary.LittleEndian.AppendUint32(b, uint32(number))
	}
	if endpoint>>endpointBits == 0 {
		word |= uint64(endpoint) << endpointAt
	} else {
		flags |= moreEndpoint
		b = binary.LittleEndian.AppendUint32(b, endpoint)
	}
	if since>>sinceBits == 0 {
		word |= since << sinceAt
	} else {
		flags |= moreSince
		b = binary.LittleEndian.AppendUint64(b, since)
	}
	binary.LittleEndian.PutUint32(s.page[s.used:], uint32(word|moreBit))
	binary.LittleEndian.PutUint16(s.page[s.used+4:], uint16(word>>32))
	s.page[s.used+eventLen] = flags
	s.used += eventLen + 1 + uint32(len(b))
}

// decoded is an actor as it stands at the event read last: its way and refusal in
// the numbers of its worker, user and client in those of the state.
type decoded struct {
	last   int64
	ref    uint32
	via    uint32
	user   uint32
	client Client
	place  uint32 // where its next event goes, or unwanted
}

// unwanted is the place of the events of an actor that is not visited.
const unwanted = ^uint32(0)

// decode puts the events of a shard of a worker, whose log is closed, where the
// places of its actors say.
func (s *State) decode(worker int, sh *shard, actors []decoded, events []Event) {
	endpoints, ranks, upstreams := s.endpointOf[worker], s.rankOf[worker], s.upstreamOf[worker]
	for _, page := range sh.pages {
		for b := page[:len(page)+eventSlack]; len(b) > eventSlack; {
			word := binary.LittleEndian.Uint64(b)
			number, endpoint, since := uint32(word>>actorAt&(1<<actorBits-1)), uint32(word>>endpointAt&(1<<endpointBits-1)), word>>sinceAt&(1<<sinceBits-1)
			b = b[eventLen:]
			var a *decoded
			if word&moreBit == 0 {
				a = &actors[number]
			} else {
				a, endpoint, since, b = s.readMore(actors, number, endpoint, since, b)
			}
			if a.place == unwanted {
				continue
			}
			a.last += int64(since>>1) ^ -int64(since&1)
			e := &events[a.place]
			a.place++
			*e = Event{
				Time: a.last, Endpoint: endpoints[endpoint], Outcome: Outcome(word & (1<<outcomeBits - 1)),
				Client: a.client, Refusal: NoRefusal,
			}
			if a.via != 0 {
				e.Scheme = Scheme(a.via % uint32(numSchemes))
				if n := a.via / uint32(numSchemes); n != 0 {
					e.Upstream = uint16(upstreams[n-1] + 1)
				}
			}
			if word&userBit != 0 {
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

// readMore reads what stands behind the six bytes of an event: whose event it is,
// its endpoint and time, and what follows it.
func (s *State) readMore(actors []decoded, number, endpoint uint32, since uint64, b []byte) (*decoded, uint32, uint64, []byte) {
	flags := b[0]
	b = b[1:]
	long := func() (x uint64) {
		x, b = binary.LittleEndian.Uint64(b), b[8:]
		return x
	}
	short := func() (x uint32) {
		x, b = binary.LittleEndian.Uint32(b), b[4:]
		return x
	}
	var user, client uint64
	var way, refused uint32
	if flags&moreUser != 0 {
		user = long()
	}
	if flags&moreClient != 0 {
		client = long()
	}
	if flags&moreWay != 0 {
		way = short()
	}
	if flags&moreRefusal != 0 {
		refused, b = uint32(binary.LittleEndian.Uint16(b)), b[2:]
	}
	if flags&moreRefusals != 0 {
		refused = short()
	}
	if flags&moreActor != 0 {
		number = short()
	}
	if flags&moreEndpoint != 0 {
		endpoint = short()
	}
	if flags&moreSince != 0 {
		since = long()
	}
	a := &actors[number]
	if a.place == unwanted {
		return a, endpoint, since, b
	}
	if flags&moreUser != 0 {
		a.user = s.userOf.find(user)[0]
	}
	if flags&moreClient != 0 {
		c := s.clientOf.find(client)
		a.client = Client{c[0], c[1]}
	}
	if flags&moreWay != 0 {
		a.via = way
	}
	a.ref += refused
	return a, endpoint, since, b
}
