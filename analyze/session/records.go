package session

import (
	"bytes"
	"cmp"

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
	Door                uint8  // the door at which it began, 0 if unknown or the only one; see doors
	StartSeen           bool   // Start is its sign-in
	Renewed             bool   // that is a renewal, before which nothing was accepted: it had begun before the log
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
		cmp.Compare(a.EndRefusal, b.EndRefusal), cmp.Compare(a.Accepted, b.Accepted), cmp.Compare(a.Unauthorized, b.Unauthorized),
		cmp.Compare(a.LongestGap, b.LongestGap), cmp.Compare(a.Door, b.Door), cmp.Compare(flags(a.StartSeen, a.Renewed, a.Named, a.Open), flags(b.StartSeen, b.Renewed, b.Named, b.Open)))
}

// flags returns a number by which flags are ordered.
func flags(list ...bool) (n int) {
	for i, is := range list {
		if is {
			n |= 1 << i
		}
	}
	return n
}

var recordCodec = spill.FixedCodec(compareRecords)
