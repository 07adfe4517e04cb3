package session

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"logscan/analyze/spill"
	"logscan/analyze/timeline"
)

// Record is a session. Sessions are spilled, because there may be more of them than
// fit in memory.
type Record struct {
	Start, LastAccepted int64 // LastAccepted is LongAgo for none
	End                 int64 // when a refusal ended it; LongAgo if none did
	LongestGap          int64 // the longest silence it survived, milliseconds
	ID                  timeline.SessionSum
	Client              timeline.Client
	Site                uint32 // index into Evidence.Sites
	User                uint32 // index into State.Users plus one; 0 for none
	Requests            uint32
	Accepted            uint32
	Unauthorized        uint32
	EndRefusal          uint32 // the refusal that ended it, timeline.NoRefusal or timeline.EarlierEvent
	StartSeen           bool   // Start is its sign-in
	Named               bool   // it has a session id, whose hash is ID
	Open                bool   // nothing ended it before the end of the log
}

// recordSize is the size of a Record in memory, in bytes.
const recordSize = 96

// compareRecords orders sessions by start, id and then all other fields. Names are
// compared by their numbers, which are in the order of the names. Very many
// sessions begin in one second, so the fields that decide come first.
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

var recordCodec = spill.Codec[Record]{
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
	Key:     func(s *Record) uint64 { return uint64(s.Start) ^ 1<<63 }, // negative times first
}
