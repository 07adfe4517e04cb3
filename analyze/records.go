package analyze

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// sessionRecord is a session as it is kept until it is told: there may be more
// of them than fit in memory. Times are Unix milliseconds, before where there is
// none.
type sessionRecord struct {
	start, lastAccepted, end         int64 // end: of the refusal that ended it
	longestGap                       int64 // milliseconds
	id                               [16]byte
	client                           timeline.Client
	site                             uint32 // index into sites
	user                             uint32 // plus one; 0 none
	requests, accepted, unauthorized uint32
	endRefusal                       uint32 // index of the refusal that ended it
	startSeen, named                 bool   // named: it has an id
	open                             bool   // nothing ended it before the end of the log
}

// sessionRecordSize and clientLinkSize are how many bytes of memory they take.
const (
	sessionRecordSize = 96
	clientLinkSize    = 12
)

// compareRecords orders sessions by start and id, and then by all that tells
// them apart. The numbers stand for names in their order. Very many sessions
// begin in one second, so what decides is looked at first and the rest seldom.
func compareRecords(a, b *sessionRecord) int {
	if a.start != b.start {
		return cmp.Compare(a.start, b.start)
	}
	if c := bytes.Compare(a.id[:], b.id[:]); c != 0 {
		return c
	}
	return cmp.Or(timeline.CompareClients(a.client, b.client),
		cmp.Compare(a.user, b.user), cmp.Compare(a.site, b.site),
		cmp.Compare(a.lastAccepted, b.lastAccepted), cmp.Compare(a.end, b.end), cmp.Compare(a.requests, b.requests),
		cmp.Compare(a.endRefusal, b.endRefusal))
}

var sessionCodec = spill.Codec[sessionRecord]{
	Append: func(dst []byte, s *sessionRecord) []byte {
		flags := byte(0)
		if s.startSeen {
			flags |= 1
		}
		if s.named {
			flags |= 2
		}
		if s.open {
			flags |= 4
		}
		dst = append(append(dst, flags), s.id[:]...)
		for _, t := range [...]int64{s.start, s.lastAccepted, s.end, s.longestGap} {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(t))
		}
		for _, n := range [...]uint32{s.client.Address, s.client.Agent, s.site, s.user, s.requests, s.accepted, s.unauthorized, s.endRefusal} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return dst
	},
	Read: func(s *sessionRecord, src []byte) []byte {
		s.startSeen, s.named, s.open = src[0]&1 != 0, src[0]&2 != 0, src[0]&4 != 0
		src = src[1+copy(s.id[:], src[1:]):]
		for _, t := range [...]*int64{&s.start, &s.lastAccepted, &s.end, &s.longestGap} {
			*t, src = int64(binary.LittleEndian.Uint64(src)), src[8:]
		}
		for _, n := range [...]*uint32{&s.client.Address, &s.client.Agent, &s.site, &s.user, &s.requests, &s.accepted, &s.unauthorized, &s.endRefusal} {
			*n, src = binary.LittleEndian.Uint32(src), src[4:]
		}
		return src
	},
	Compare: compareRecords,
	Key:     func(s *sessionRecord) uint64 { return uint64(s.start) ^ 1<<63 }, // negative ones first
}

// eachSession yields the sessions by start, as often as it is asked to.
func (c *correlation) eachSession() iter.Seq2[*sessionRecord, error] {
	return spill.Sorted(c.sessions...)
}
