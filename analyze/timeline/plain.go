package timeline

import (
	"cmp"
	"encoding/binary"
	"iter"

	"logscan/analyze/spill"
)

// plainEvent is an event with all that identifies it, before it is encoded anew. Its
// numbers are those of the part that is written.
type plainEvent struct {
	key          actorKey
	ms           int64
	user, client uint64 // hashes; user is 0 for none
	endpoint     uint32
	via          uint32
	refusal      uint32
	outcome      Outcome
}

// plainSize is the size of an encoded plainEvent in bytes.
const plainSize = 5*8 + 3*4 + 1

var plainCodec = spill.Codec[plainEvent]{
	Append: func(dst []byte, e *plainEvent) []byte {
		for _, n := range [...]uint64{e.key.hi, e.key.lo, uint64(e.ms), e.user, e.client} {
			dst = binary.LittleEndian.AppendUint64(dst, n)
		}
		for _, n := range [...]uint32{e.endpoint, e.via, e.refusal} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return append(dst, byte(e.outcome))
	},
	Read: func(e *plainEvent, src []byte) []byte {
		long := func(i int) uint64 { return binary.LittleEndian.Uint64(src[8*i:]) }
		short := func(i int) uint32 { return binary.LittleEndian.Uint32(src[40+4*i:]) }
		*e = plainEvent{
			key: actorKey{long(0), long(1)}, ms: int64(long(2)), user: long(3), client: long(4),
			endpoint: short(0), via: short(1), refusal: short(2), outcome: Outcome(src[plainSize-1]),
		}
		return src[plainSize:]
	},
	// The order is total.
	Compare: func(a, b *plainEvent) int {
		if a.key != b.key {
			return compareKeys(a.key, b.key)
		}
		return compareMoments(a, b)
	},
}

// compareMoments orders the events of an actor. It is near compareEvents, so that little is
// left to sort.
func compareMoments(a, b *plainEvent) int {
	if a.ms != b.ms {
		return cmp.Compare(a.ms, b.ms)
	}
	if refused := a.outcome == Unauthorized; refused != (b.outcome == Unauthorized) {
		if refused {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.outcome, b.outcome), cmp.Compare(a.user, b.user),
		cmp.Compare(a.client, b.client), cmp.Compare(a.via, b.via), cmp.Compare(a.refusal, b.refusal))
}

// risingMoments is runSorter.rising for the events of an actor; see risingEvents.
func risingMoments(list []plainEvent, i int) int {
	for ; i < len(list); i++ {
		x, y := &list[i-1], &list[i]
		if x.ms < y.ms {
			continue
		}
		if x.ms > y.ms || y.outcome == Unauthorized {
			return i
		}
		if x.outcome != Unauthorized && x.endpoint >= y.endpoint && (x.endpoint != y.endpoint || *x != *y) {
			return i
		}
	}
	return len(list)
}

// plainActor is the state of an actor while its events are decoded.
type plainActor struct {
	key          actorKey
	last         int64
	user, client uint64
	via, refusal uint32
	next         uint32 // index of its next event in plainSink.events
}

// plainSink takes decoded events: a list in which each actor has its place or, if they are
// too many for one, a sorter.
type plainSink struct {
	events []plainEvent
	sorter *spill.Sorter[plainEvent]
}

// plainPage decodes a page of the log of a worker's shard. actors are those of the shard,
// by number.
func (s *State) plainPage(worker int, page []byte, actors []plainActor, to plainSink) error {
	endpoints, refusals, upstreams := s.endpointOf[worker], s.refusalOf[worker], s.upstreamOf[worker]
	var x extension
	for b := page[:len(page)+eventSlack]; len(b) > eventSlack; {
		word := binary.LittleEndian.Uint64(b)
		number, endpoint, since := uint32(word>>actorAt&(1<<actorBits-1)), uint32(word>>endpointAt&(1<<endpointBits-1)), word>>sinceAt&(1<<sinceBits-1)
		b = b[eventLen:]
		a := &actors[number]
		if word&moreBit != 0 {
			b = x.read(b)
			a = &actors[number|uint32(x.numbers[2])<<actorBits]
			if x.flags&moreUser != 0 {
				a.user = x.user
			}
			if x.flags&moreClient != 0 {
				a.client = x.client
			}
			a.via = uint32(x.numbers[0])
			a.refusal += uint32(x.numbers[1])
			endpoint |= uint32(x.numbers[3]) << endpointBits
			since |= x.numbers[4] << sinceBits
		}
		a.last += int64(since>>1) ^ -int64(since&1)
		e := plainEvent{
			key: a.key, ms: a.last, client: a.client, endpoint: endpoints[endpoint], via: a.via, outcome: Outcome(word & (1<<outcomeBits - 1)),
		}
		if word&userBit != 0 {
			e.user = a.user
		}
		if way := a.via & (1<<serverAt - 1); way >= uint32(numSchemes) {
			upstream := upstreams[way/uint32(numSchemes)-1] + 1
			e.via = a.via&^(1<<serverAt-1) | way%uint32(numSchemes) + upstream*uint32(numSchemes)
		}
		if e.outcome == Unauthorized {
			if e.refusal = refusals[a.refusal]; e.refusal == NoRefusal {
				e.outcome, e.refusal = Redirected, 0 // see decodePage
			}
		}
		if to.sorter == nil {
			to.events[a.next] = e
			a.next++
		} else if err := to.sorter.Add(e); err != nil {
			return err
		}
	}
	return nil
}

// pull is iter.Pull2 for records: next returns nil at the end.
func pull[T any](records iter.Seq2[*T, error]) (next func() (*T, error), stop func()) {
	pulled, stop := iter.Pull2(records)
	return func() (*T, error) {
		x, err, ok := pulled()
		if !ok || err != nil {
			return nil, err
		}
		return x, nil
	}, stop
}
