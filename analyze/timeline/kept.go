package timeline

import "encoding/binary"

// An encoded event of a gatheredShard has five bytes: the outcome, whether the line names a
// user, the endpoint, and the milliseconds since the last event. What few events need follows,
// after a byte of flags. All numbers are those of the State.
const (
	keptLen  = 5
	keptUser = 1 << outcomeBits
	keptMore = 1 << (outcomeBits + 1) // flags follow

	keptEndpointAt   = outcomeBits + 2
	keptEndpointBits = 13
	keptSinceAt      = keptEndpointAt + keptEndpointBits
	keptSinceBits    = 8*keptLen - keptSinceAt
)

// The flags of an event. What they announce follows as uvarints, in this order.
const (
	keptNewUser   = 1 << iota // the user has changed
	keptNewClient             // the client has changed: its address and agent
	keptNewWay                // so has the way: upstream and origin
	keptRefusal               // the refusal less the last one
	keptEarlier               // it is an EarlierEvent: nothing follows
	keptHigh                  // the higher bits of the endpoint and the time
)

// keptState is what an encoded event leaves out if it is as in the last one.
type keptState struct {
	user, refusal uint32
	client        Client
	upstream      uint16
	origin        Origin
}

// appendKept appends the events of an actor.
func appendKept(dst []byte, events []Event) []byte {
	var k keptState // of the last event that has more than five bytes
	time := int64(0)
	for i := range events {
		e := &events[i]
		since := uint64(e.Time - time)
		time = e.Time
		word := uint64(e.Outcome) | uint64(e.Endpoint)&(1<<keptEndpointBits-1)<<keptEndpointAt | since&(1<<keptSinceBits-1)<<keptSinceAt
		if e.User != 0 {
			word |= keptUser
		}
		if e.Refusal != NoRefusal || e.User != 0 && e.User != k.user || e.Client != k.client || e.Upstream != k.upstream || e.Origin != k.origin ||
			uint64(e.Endpoint)>>keptEndpointBits|since>>keptSinceBits != 0 {
			dst = binary.LittleEndian.AppendUint64(dst, word|keptMore)[:len(dst)+keptLen]
			dst = k.appendMore(dst, e, since)
			continue
		}
		dst = binary.LittleEndian.AppendUint64(dst, word)[:len(dst)+keptLen]
	}
	return dst
}

// appendMore appends the flags of an event and what they announce.
func (k *keptState) appendMore(dst []byte, e *Event, since uint64) []byte {
	var flags byte
	if e.User != 0 && e.User != k.user {
		flags |= keptNewUser
	}
	if e.Client != k.client {
		flags |= keptNewClient
	}
	if e.Upstream != k.upstream || e.Origin != k.origin {
		flags |= keptNewWay
	}
	switch e.Refusal {
	case NoRefusal:
	case EarlierEvent:
		flags |= keptEarlier
	default:
		flags |= keptRefusal
	}
	if uint64(e.Endpoint)>>keptEndpointBits|since>>keptSinceBits != 0 {
		flags |= keptHigh
	}
	dst = append(dst, flags)
	if flags&keptNewUser != 0 {
		k.user = e.User
		dst = binary.AppendUvarint(dst, uint64(e.User))
	}
	if flags&keptNewClient != 0 {
		k.client = e.Client
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(e.Client.Address)), uint64(e.Client.Agent))
	}
	if flags&keptNewWay != 0 {
		k.upstream, k.origin = e.Upstream, e.Origin
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(e.Upstream)), uint64(e.Origin))
	}
	if flags&keptRefusal != 0 {
		dst = binary.AppendUvarint(dst, uint64(e.Refusal-k.refusal))
		k.refusal = e.Refusal
	}
	if flags&keptHigh != 0 {
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(e.Endpoint)>>keptEndpointBits), since>>keptSinceBits)
	}
	return dst
}

// readKept decodes as many events as there is room for.
func readKept(b []byte, events []Event) {
	var k keptState // of the last event that has more than five bytes
	time := int64(0)
	for i := range events {
		word := binary.LittleEndian.Uint64(b)
		b = b[keptLen:]
		e := &events[i]
		e.Endpoint, e.Refusal, e.Outcome = uint32(word>>keptEndpointAt&(1<<keptEndpointBits-1)), NoRefusal, Outcome(word&(1<<outcomeBits-1))
		since := word >> keptSinceAt & (1<<keptSinceBits - 1)
		if word&keptMore != 0 {
			var high [2]uint64
			e.Refusal, high, b = k.readMore(b)
			e.Endpoint |= uint32(high[0]) << keptEndpointBits
			since |= high[1] << keptSinceBits
		}
		time += int64(since)
		e.Time, e.Client, e.Upstream, e.Origin, e.User = time, k.client, k.upstream, k.origin, 0
		if word&keptUser != 0 {
			e.User = k.user
		}
	}
}

// readMore decodes the flags of an event and what follows them: its refusal, and the higher
// bits of its endpoint and time. It returns the rest of b.
func (k *keptState) readMore(b []byte) (refusal uint32, high [2]uint64, rest []byte) {
	flags := b[0]
	b = b[1:]
	next := func() uint64 {
		n, size := binary.Uvarint(b)
		b = b[size:]
		return n
	}
	if flags&keptNewUser != 0 {
		k.user = uint32(next())
	}
	if flags&keptNewClient != 0 {
		k.client = Client{Address: uint32(next()), Agent: uint32(next())}
	}
	if flags&keptNewWay != 0 {
		k.upstream, k.origin = uint16(next()), Origin(next())
	}
	refusal = NoRefusal
	if flags&keptEarlier != 0 {
		refusal = EarlierEvent
	}
	if flags&keptRefusal != 0 {
		k.refusal += uint32(next())
		refusal = k.refusal
	}
	if flags&keptHigh != 0 {
		high = [2]uint64{next(), next()}
	}
	return refusal, high, b
}
