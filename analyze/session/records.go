package session

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
type Record struct {
	Start, LastAccepted, End         int64 // end: of the refusal that ended it
	LongestGap                       int64 // milliseconds
	ID                               [16]byte
	Client                           timeline.Client
	Site                             uint32 // index into sites
	User                             uint32 // plus one; 0 none
	Requests, Accepted, Unauthorized uint32
	EndRefusal                       uint32 // index of the refusal that ended it
	StartSeen, Named                 bool   // named: it has an id
	Open                             bool   // nothing ended it before the end of the log
}

// sessionRecordSize and clientLinkSize are how many bytes of memory they take.
const (
	sessionRecordSize = 96
	clientLinkSize    = 12
)

// compareRecords orders sessions by start and id, and then by all that tells
// them apart. The numbers stand for names in their order. Very many sessions
// begin in one second, so what decides is looked at first and the rest seldom.
func compareRecords(a, b *Record) int {
	if a.Start != b.Start {
		return cmp.Compare(a.Start, b.Start)
	}
	if c := bytes.Compare(a.ID[:], b.ID[:]); c != 0 {
		return c
	}
	return cmp.Or(timeline.CompareClients(a.Client, b.Client),
		cmp.Compare(a.User, b.User), cmp.Compare(a.Site, b.Site),
		cmp.Compare(a.LastAccepted, b.LastAccepted), cmp.Compare(a.End, b.End), cmp.Compare(a.Requests, b.Requests),
		cmp.Compare(a.EndRefusal, b.EndRefusal))
}

var sessionCodec = spill.Codec[Record]{
	Append: func(dst []byte, s *Record) []byte {
		flags := byte(0)
		if s.StartSeen {
			flags |= 1
		}
		if s.Named {
			flags |= 2
		}
		if s.Open {
			flags |= 4
		}
		dst = append(append(dst, flags), s.ID[:]...)
		for _, t := range [...]int64{s.Start, s.LastAccepted, s.End, s.LongestGap} {
			dst = binary.LittleEndian.AppendUint64(dst, uint64(t))
		}
		for _, n := range [...]uint32{s.Client.Address, s.Client.Agent, s.Site, s.User, s.Requests, s.Accepted, s.Unauthorized, s.EndRefusal} {
			dst = binary.LittleEndian.AppendUint32(dst, n)
		}
		return dst
	},
	Read: func(s *Record, src []byte) []byte {
		s.StartSeen, s.Named, s.Open = src[0]&1 != 0, src[0]&2 != 0, src[0]&4 != 0
		src = src[1+copy(s.ID[:], src[1:]):]
		for _, t := range [...]*int64{&s.Start, &s.LastAccepted, &s.End, &s.LongestGap} {
			*t, src = int64(binary.LittleEndian.Uint64(src)), src[8:]
		}
		for _, n := range [...]*uint32{&s.Client.Address, &s.Client.Agent, &s.Site, &s.User, &s.Requests, &s.Accepted, &s.Unauthorized, &s.EndRefusal} {
			*n, src = binary.LittleEndian.Uint32(src), src[4:]
		}
		return src
	},
	Compare: compareRecords,
	Key:     func(s *Record) uint64 { return uint64(s.Start) ^ 1<<63 }, // negative ones first
}

// eachSession yields the sessions by start, as often as it is asked to.
func (c *Evidence) EachSession() iter.Seq2[*Record, error] {
	return spill.Sorted(c.sessions...)
}
