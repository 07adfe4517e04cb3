package timeline

import "encoding/binary"

// An encoded event has six bytes: the outcome, whether the line names a user, the
// actor's number less one, the endpoint, and the milliseconds since the actor's
// last event, zigzag-encoded. The fixed size spares the decoder unpredictable
// branches. What few events need follows the six bytes, after a byte of flags.
const (
	eventLen = 6

	outcomeBits  = 3 // from bit 0
	userBit      = 1 << 3
	moreBit      = 1 << 4 // flags follow
	actorAt      = 5
	actorBits    = 11
	endpointAt   = actorAt + actorBits
	endpointBits = 12
	sinceAt      = endpointAt + endpointBits
	sinceBits    = 8*eventLen - sinceAt
)

// The flags. Each announces a field, in this order.
const (
	moreUser     = 1 << iota // the user has changed: hash of the name, 8 bytes
	moreClient               // the client has changed: its hash, 8 bytes
	moreVia                  // scheme or upstream have changed: 4 bytes
	moreRefusal              // refusal number less the last one: 2 bytes
	moreRefusals             // the same: 4 bytes
	moreActor                // the actor's number less one does not fit: 4 bytes
	moreEndpoint             // the endpoint does not fit: 4 bytes
	moreSince                // the time does not fit: 8 bytes
)

const (
	// maxEvent is the maximum size of an event in bytes.
	maxEvent = eventLen + 1 + 3*8 + 4*4
	// eventSlack is how many bytes behind an event may be written or read.
	eventSlack = 8
)

// record is an event before it is encoded, in the numbers of the worker.
type record struct {
	ms        int64  // Unix milliseconds
	userHash  uint64 // of the user's name
	endpoint  uint32
	user      uint32 // number plus one, or 0
	via       uint32 // scheme + numSchemes * (number of the upstream plus one, or 0)
	refusal   uint32 // of a 401
	outcome   Outcome
	newClient bool // actor.client is not the client of the last event
}

// append appends an event of a to the log.
func (s *shard) append(a *actor, r *record) {
	if len(s.page)-int(s.used) < maxEvent+eventSlack {
		s.newPage()
	}
	number := uint64(a.number - 1)
	since := uint64((r.ms-a.last)<<1 ^ (r.ms-a.last)>>63)
	a.last = r.ms
	a.events++
	word := uint64(r.outcome)
	if r.user != 0 {
		word |= userBit
	}
	if r.outcome == Unauthorized || r.newClient || r.via != a.via || r.user != 0 && r.user != a.user ||
		number>>actorBits|uint64(r.endpoint)>>endpointBits|since>>sinceBits != 0 {
		s.appendMore(a, r, word, since)
		return
	}
	word |= number<<actorAt | uint64(r.endpoint)<<endpointAt | since<<sinceAt
	binary.LittleEndian.PutUint64(s.page[s.used:], word)
	s.used += eventLen
}

// appendMore appends an event that needs more than six bytes.
func (s *shard) appendMore(a *actor, r *record, word, since uint64) {
	b := s.page[s.used+eventLen+1 : s.used+eventLen+1]
	flags := byte(0)
	if r.user != 0 && r.user != a.user {
		flags |= moreUser
		b = binary.LittleEndian.AppendUint64(b, r.userHash)
		a.user = r.user
	}
	if r.newClient {
		flags |= moreClient
		b = binary.LittleEndian.AppendUint64(b, a.client)
	}
	if r.via != a.via {
		flags |= moreVia
		b = binary.LittleEndian.AppendUint32(b, r.via)
		a.via = r.via
	}
	if r.outcome == Unauthorized {
		if n := r.refusal - a.refusal; n>>16 == 0 {
			flags |= moreRefusal
			b = binary.LittleEndian.AppendUint16(b, uint16(n))
		} else {
			flags |= moreRefusals
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		a.refusal = r.refusal
	}
	if number := a.number - 1; number>>actorBits == 0 {
		word |= uint64(number) << actorAt
	} else {
		flags |= moreActor
		b = binary.LittleEndian.AppendUint32(b, number)
	}
	if r.endpoint>>endpointBits == 0 {
		word |= uint64(r.endpoint) << endpointAt
	} else {
		flags |= moreEndpoint
		b = binary.LittleEndian.AppendUint32(b, r.endpoint)
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

// decoded is the state of an actor while its events are decoded: via and refusal
// in the numbers of its worker, user and client in those of the State.
type decoded struct {
	last    int64
	refusal uint32
	via     uint32
	user    uint32
	client  Client
	next    uint32 // index of its next event in the output, or skipped
}

// skipped is the next of an actor whose events are not wanted.
const skipped = ^uint32(0)

// decode decodes the events of a closed shard of a worker into events, at the
// indexes that actors, by number, say.
func (s *State) decode(worker int, sh *shard, actors []decoded, events []Event) {
	endpoints, refusals, upstreams := s.endpointOf[worker], s.refusalOf[worker], s.upstreamOf[worker]
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
			if a.next == skipped {
				continue
			}
			a.last += int64(since>>1) ^ -int64(since&1)
			e := &events[a.next]
			a.next++
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
			case worker == s.recalled:
				e.Refusal = EarlierEvent
			case e.Outcome == Unauthorized:
				e.Refusal = refusals[a.refusal]
			}
		}
	}
}

// readMore decodes what follows the six bytes of an event. It returns the actor,
// the endpoint, the time since the last event, and the rest of b.
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
	var via, refusals uint32
	if flags&moreUser != 0 {
		user = long()
	}
	if flags&moreClient != 0 {
		client = long()
	}
	if flags&moreVia != 0 {
		via = short()
	}
	if flags&moreRefusal != 0 {
		refusals, b = uint32(binary.LittleEndian.Uint16(b)), b[2:]
	}
	if flags&moreRefusals != 0 {
		refusals = short()
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
	if a.next == skipped {
		return a, endpoint, since, b
	}
	if flags&moreUser != 0 {
		a.user = s.userOf[user]
	}
	if flags&moreClient != 0 {
		a.client = s.clientOfHash(client)
	}
	if flags&moreVia != 0 {
		a.via = via
	}
	a.refusal += refusals
	return a, endpoint, since, b
}
