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

// The flags. Each announces a hash of 8 bytes, in this order. Then follow, as
// uvarints, scheme and upstream; the refusal number less the last one; and the
// higher bits of the actor's number, the endpoint and the time.
const (
	moreUser   = 1 << iota // the user has changed: hash of the name
	moreClient             // the client has changed: its hash
)

const (
	// maxEvent is more than the maximum size of an event in bytes.
	maxEvent = 64
	// eventSlack is how many bytes behind an event may be written or read.
	eventSlack = 8
)

// record is an event before it is encoded, in the numbers of the worker.
type record struct {
	ms        int64  // Unix milliseconds
	userHash  uint64 // of the user's name
	endpoint  uint32
	user      uint32 // number plus one, or 0
	via       uint32 // scheme + numSchemes * (number of the upstream plus one, or 0) + server<<serverAt
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
	word := uint64(r.outcome) | number&(1<<actorBits-1)<<actorAt |
		uint64(r.endpoint)&(1<<endpointBits-1)<<endpointAt | since&(1<<sinceBits-1)<<sinceAt
	if r.user != 0 {
		word |= userBit
	}
	if r.outcome == Unauthorized || r.newClient || r.via != a.via || r.user != 0 && r.user != a.user ||
		number>>actorBits|uint64(r.endpoint)>>endpointBits|since>>sinceBits != 0 {
		s.appendMore(a, r, word, since)
		return
	}
	binary.LittleEndian.PutUint64(s.page[s.used:], word)
	s.used += eventLen
}

// appendMore appends an event that needs more than six bytes.
func (s *shard) appendMore(a *actor, r *record, word, since uint64) {
	b := binary.LittleEndian.AppendUint64(s.page[s.used:s.used], word|moreBit)[:eventLen+1]
	flags := &b[eventLen] // 0
	if r.user != 0 && r.user != a.user {
		*flags |= moreUser
		b = binary.LittleEndian.AppendUint64(b, r.userHash)
		a.user = r.user
	}
	if r.newClient {
		*flags |= moreClient
		b = binary.LittleEndian.AppendUint64(b, a.client)
	}
	refusals := uint32(0)
	if r.outcome == Unauthorized {
		refusals, a.refusal, a.refused = r.refusal-a.refusal, r.refusal, true
	}
	a.via = r.via
	for _, x := range [...]uint64{
		uint64(r.via), uint64(refusals), uint64(a.number-1) >> actorBits, uint64(r.endpoint) >> endpointBits, since >> sinceBits,
	} {
		b = binary.AppendUvarint(b, x)
	}
	s.used += uint32(len(b))
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

// The next of actors whose events are not wanted, and of long ones; see longActor.
const (
	skipped = ^uint32(0)
	isLong  = skipped - 1
)

// decode decodes the events of closed shards, one of each part, into m.events, at the
// indexes that m.actors say, and into the long actors of m.
func (s *State) decode(shards []*shard, m *Scratch) error {
	if len(m.events) == 0 && len(m.building) == 0 {
		return nil
	}
	actors := m.actors
	for p, sh := range shards {
		for page, err := range sh.log {
			if err != nil {
				return err
			}
			s.decodePage(m.origins[p].worker, page, actors[:sh.actors], m)
		}
		actors = actors[sh.actors:]
	}
	return nil
}

// decodePage decodes a page of the log of a worker's shard. actors are those of the
// shard, by number.
func (s *State) decodePage(worker int, page []byte, actors []decoded, m *Scratch) {
	endpoints, refusals, upstreams := s.endpointOf[worker], s.refusalOf[worker], s.upstreamOf[worker]
	events := m.events
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
		var e *Event
		switch {
		case a.next < isLong:
			e = &events[a.next]
			a.next++
		case a.next == skipped:
			continue
		default:
			e = m.building[a].next(m)
		}
		a.last += int64(since>>1) ^ -int64(since&1)
		*e = Event{
			Time: a.last, Endpoint: endpoints[endpoint], Outcome: Outcome(word & (1<<outcomeBits - 1)),
			Client: a.client, Refusal: NoRefusal,
		}
		if a.via != 0 {
			way := a.via & (1<<serverAt - 1)
			e.Origin = newOrigin(Scheme(way%uint32(numSchemes)), a.via>>serverAt)
			if n := way / uint32(numSchemes); n != 0 {
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
			if e.Refusal = refusals[a.refusal]; e.Refusal == NoRefusal {
				e.Outcome = Redirected // it led elsewhere than to signing in
			}
		}
	}
}

// readMore decodes what follows the six bytes of an event. It returns the actor,
// the endpoint, the time since the last event, and the rest of b.
func (s *State) readMore(actors []decoded, number, endpoint uint32, since uint64, b []byte) (*decoded, uint32, uint64, []byte) {
	var x extension
	b = x.read(b)
	a := &actors[number|uint32(x.numbers[2])<<actorBits]
	if a.next != skipped {
		if x.flags&moreUser != 0 {
			a.user = s.userOf[x.user]
		}
		if x.flags&moreClient != 0 {
			a.client = s.clientOfHash(x.client)
		}
		if a.via = uint32(x.numbers[0]); s.oneServer {
			a.via &= 1<<serverAt - 1 // 0 as a rule, which the next events need not take apart
		}
		a.refusal += uint32(x.numbers[1])
	}
	return a, endpoint | uint32(x.numbers[3])<<endpointBits, since | x.numbers[4]<<sinceBits, b
}

// extension is what follows the six bytes of an event.
type extension struct {
	flags        byte
	user, client uint64    // hashes
	numbers      [5]uint64 // via; refusal less the last one; higher bits of the actor's number, the endpoint and the time
}

// read decodes an extension and returns the rest of b.
func (x *extension) read(b []byte) []byte {
	x.flags, b = b[0], b[1:]
	if x.flags&moreUser != 0 {
		x.user, b = binary.LittleEndian.Uint64(b), b[8:]
	}
	if x.flags&moreClient != 0 {
		x.client, b = binary.LittleEndian.Uint64(b), b[8:]
	}
	for i := range x.numbers {
		n, size := binary.Uvarint(b)
		x.numbers[i], b = n, b[size:]
	}
	return b
}
