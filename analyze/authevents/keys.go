package authevents

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/field"
)

// Texts are compared by seeded hashes, 0 for an empty text.

// texts are the texts of a line that say who sent which request.
type texts struct {
	client, user, host, connection, session, port uint64
	// request is the method and the target; path is the path of the target, decoded.
	request, path uint64
	directory     uint64 // of the log
}

// event is an event while it is joined.
type event struct {
	texts
	time    int64 // Unix microseconds, corrected by an offset; parse.NoTime for none
	logged  int64 // the same, not corrected
	id      uint64
	log     *events.Log
	reason  string
	class   field.ReasonClass // of reason
	meaning uint64            // hash of outcome, reason and user
	source  int
	refusal int // index, -1 for none
	status  int32
	outcome events.Outcome
	local   bool // the time has no offset from UTC
	wants   bool // a refusal is looked for
	follows bool // the line of its request follows in its own log
	first   int  // index plus one of the first event about that line; 0 for itself

	match     Match
	ambiguous bool
}

// request is a refusal while events are joined.
type request struct {
	texts
	time     int64
	duration int64 // microseconds, at most maxDuration
	ordinal  int64 // on its connection
	peer     uint64
	ids      [maxIDs]uint64
	status   int32
	names    bool // its log names users
	taken    bool // by an event of the kind that is being joined
}

const (
	// maxIDs is the number of ids of a request that are compared: its own and a trace's.
	maxIDs = 2
	// maxDuration bounds how far from the time of a request an event is looked for.
	maxDuration = 60_000_000 // microseconds
)

func (j *joiner) hash(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return max(1, maphash.Bytes(j.seed, b))
}

// mix returns the hash of several hashes, 0 if one of them is 0.
func mix(parts ...uint64) uint64 {
	h := uint64(len(parts))
	for _, p := range parts {
		if p == 0 {
			return 0
		}
		h = (bits.RotateLeft64(h, 29) ^ p) * 0x9e3779b97f4a7c15
	}
	return max(1, h^h>>32)
}

// address returns the hash of an address, which may be spelled in several ways.
func (j *joiner) address(b []byte) uint64 {
	if a, err := netip.ParseAddr(string(bytes.Trim(b, "[]"))); err == nil && a.Is6() {
		return j.hash(a.Unmap().WithZone("").AppendTo(nil))
	}
	return j.hash(b)
}

func (j *joiner) host(b []byte) uint64 {
	return j.hash(bytes.ToLower(field.WithoutPort(b)))
}

// setRequest sets the hashes of the request line.
func (t *texts) setRequest(j *joiner, method, path, query []byte) {
	if len(path) == 0 {
		return
	}
	if len(method) > 0 {
		t.request = mix(j.hash(method), j.hash(path), j.hash(query)+1)
	}
	if bytes.IndexByte(path, '%') >= 0 {
		if decoded, err := url.PathUnescape(string(path)); err == nil {
			path = []byte(decoded)
		}
	}
	t.path = j.hash(path)
}

func (j *joiner) newEvent(i int, log *events.Log, e *events.Event) event {
	path, query, _ := bytes.Cut(e.Target, []byte("?"))
	x := event{
		time: e.Time, id: j.hash(e.RequestID), log: log, outcome: e.Outcome, status: e.Status, local: e.Local, reason: j.reason(e.Reason), refusal: -1,
		texts: texts{
			client: j.address(e.Client), user: j.hash(e.User), host: j.host(e.Host), connection: j.hash(e.Connection), session: j.hash(e.Session),
			port: j.hash(e.Port), directory: j.directories[j.State.Messages[i].Input],
		},
	}
	x.setRequest(j, e.Method, path, query)
	x.class = field.ClassOf(x.reason)
	x.meaning = mix(uint64(e.Outcome)+1, j.hash([]byte(x.reason))+1, x.user+1)
	switch {
	case e.Time == 0 || e.Time == parse.NoTime:
		x.time = parse.NoTime
	case e.Local && j.Timezone != nil:
		t := time.UnixMicro(e.Time).UTC()
		x.time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), j.Timezone).UnixMicro()
	}
	x.logged = x.time
	refuses := e.Status == 0 || e.Status == 401 || slices.Contains(j.Statuses, e.Status)
	x.wants = x.time != parse.NoTime && refuses && (e.Outcome == events.Refused || e.Outcome == events.Failed)
	return x
}

// reason returns the reason of an event as outputs may have it.
func (j *joiner) reason(b []byte) string {
	reason := string(b[:min(len(b), field.LongestReason)])
	if j.Pseudonyms && !field.IsReason(reason) {
		return field.ClassOf(reason).Word()
	}
	return reason
}

func (j *joiner) newRequest(i int, e *parse.Entry, k *parse.Keys) request {
	x := request{
		time: e.Time, duration: min(max(e.Duration, 0), maxDuration), peer: j.address(e.Peer), status: e.Status,
		texts: texts{
			client: j.address(e.Client), user: j.hash(e.User), host: j.host(e.Host), connection: j.hash(k.Connection), session: j.hash(e.Session),
			port: j.hash(k.Port), directory: j.directories[j.State.Refusals.At(i).Input],
		},
	}
	x.setRequest(j, e.Method, e.Path, e.Query)
	for n, id := range k.IDs[:min(len(k.IDs), maxIDs)] {
		x.ids[n] = j.hash(id)
	}
	x.ordinal, _ = field.Integer(k.Ordinal)
	if x.peer == x.client {
		x.peer = 0
	}
	return x
}
