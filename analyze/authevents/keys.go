package authevents

import (
	"bytes"
	"hash/maphash"
	"math"
	"math/bits"
	"net/netip"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/field"
)

// Texts are compared by keyed hashes, 0 for an empty text.

// texts are the texts of a line that say who sent which request.
type texts struct {
	client, user, host uint64
	// request is the method and the target; path is the path of the target, decoded.
	request, path uint64
}

// labels are what few logs have besides.
type labels struct{ connection, session, port uint64 }

// eventLabels and requestLabels are those of an event and of a refusal.
type eventLabels struct {
	labels
	id uint64
}

type requestLabels struct {
	labels
	peer    uint64
	ordinal int64 // on its connection
	ids     [maxIDs]uint64
}

// EventKeys is what an event is joined by.
type EventKeys struct {
	texts
	eventLabels
	time    int64  // Unix microseconds; parse.NoTime for none
	kind    string // name of the log
	reason  string
	status  int32
	outcome events.Outcome
	local   bool // the time has no offset from UTC
}

// RequestKeys is what a refusal is joined by.
type RequestKeys struct {
	texts
	requestLabels
	time     int64
	duration int64 // microseconds, at most maxDuration
	status   int32
	posts    bool // the method is POST, by which forms and credentials are sent
}

const (
	// maxIDs is the number of ids of a request that are compared: its own and a trace's.
	maxIDs = 2
	// maxDuration bounds how far from the time of a request an event is looked for.
	maxDuration = 60_000_000 // microseconds
)

// Keyer makes the keys of events and refusals. It belongs to one goroutine.
type Keyer struct {
	// Hash returns a keyed hash of a text, the same for all that is joined.
	Hash func(text []byte) uint64
	// Pseudonyms reports whether names are pseudonyms in outputs. A reason that is no
	// word of the vocabulary, and may hold a name, is then replaced by that of its class.
	Pseudonyms bool

	unlabelled bool // labels are left out: no refusal has any

	recent   *recent // nil before the first
	recorded events.ByTexts[recorded]
}

// recent are texts of the lines before. Most come again, and are compared in less time than
// hashed or copied.
type recent struct {
	method, host hashed
	reasons      [recentSlots]string
}

// hashed is a text and its hash.
type hashed struct {
	text []byte
	hash uint64
}

// set replaces the text.
func (h *hashed) set(b []byte, hash uint64) { h.text, h.hash = append(h.text[:0], b...), hash }

// last returns the texts of the lines before.
func (x *Keyer) last() *recent {
	if x.recent == nil {
		x.recent = new(recent)
	}
	return x.recent
}

// NewKeyer returns a function that returns keyers with one random key.
func NewKeyer(pseudonyms bool) func() Keyer {
	seed := maphash.MakeSeed()
	return func() Keyer {
		return Keyer{Hash: func(b []byte) uint64 { return maphash.Bytes(seed, b) }, Pseudonyms: pseudonyms}
	}
}

func (x *Keyer) hash(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return max(1, x.Hash(b))
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
func (x *Keyer) address(b []byte) uint64 {
	if bytes.IndexByte(b, ':') < 0 { // not of IPv6
		return x.hash(b)
	}
	if a, err := netip.ParseAddr(string(bytes.Trim(b, "[]"))); err == nil && a.Is6() {
		return x.hash(a.Unmap().WithZone("").AppendTo(nil))
	}
	return x.hash(b)
}

func (x *Keyer) host(b []byte) uint64 {
	h := &x.last().host
	if string(b) == string(h.text) {
		return h.hash
	}
	h.set(b, x.lower(field.WithoutPort(b)))
	return h.hash
}

// lower returns the hash of a text in lower case: hosts, and names of users, which identity
// providers write so, whatever people have typed.
func (x *Keyer) lower(b []byte) uint64 {
	if slices.ContainsFunc(b, func(c byte) bool { return c-'A' <= 'Z'-'A' || c >= utf8.RuneSelf }) {
		b = bytes.ToLower(b)
	}
	return x.hash(b)
}

func (x *Keyer) method(b []byte) uint64 {
	h := &x.last().method
	if string(b) != string(h.text) {
		h.set(b, x.hash(b))
	}
	return h.hash
}

// target is the hashes of the target of a request.
type target struct{ path, whole uint64 }

// target returns the hashes of a target.
func (x *Keyer) target(b []byte) target {
	path, query, _ := bytes.Cut(b, []byte("?"))
	return x.targetOf(path, query)
}

func (x *Keyer) targetOf(path, query []byte) (t target) {
	if len(path) == 0 {
		return target{}
	}
	t.path = x.hash(path)
	t.whole = mix(t.path, x.hash(query)+1)
	if bytes.IndexByte(path, '%') >= 0 {
		if decoded, err := url.PathUnescape(string(path)); err == nil {
			t.path = x.hash([]byte(decoded))
		}
	}
	return t
}

// setRequest sets the hashes of the request line.
func (t *texts) setRequest(method uint64, of target) {
	t.path, t.request = of.path, mix(method, of.whole)
}

// Record sets the keys of the event of a record.
func (x *Keyer) Record(k *EventKeys, r *events.Record) {
	known := x.recorded.Of(r.Texts, newRecorded)
	k.time, k.kind, k.outcome, k.status, k.local, k.reason = r.Time, r.Log, r.Outcome, r.Status, r.Local, x.reason(r.Text(events.TextReason))
	k.texts = texts{
		client: events.Once(known.clients, r, events.TextClient, x, (*Keyer).address), user: events.Once(known.users, r, events.TextUser, x, (*Keyer).lower),
		host: x.host(r.Text(events.TextHost)),
	}
	if k.eventLabels = (eventLabels{id: x.hash(r.Text(events.TextRequestID))}); !x.unlabelled {
		k.labels = labels{connection: x.hash(r.Text(events.TextConnection)), session: x.hash(r.Text(events.TextSession)), port: x.hash(r.Text(events.TextPort))}
	}
	k.setRequest(x.method(r.Text(events.TextMethod)), x.target(r.Text(events.TextTarget)))
}

// recorded are the hashes of the texts of records by number; zeros until they are needed.
type recorded struct{ clients, users []uint64 }

func newRecorded(most int) *recorded {
	return &recorded{make([]uint64, most+1), make([]uint64, most+1)}
}

// reason returns the reason of an event as outputs may have it.
func (x *Keyer) reason(b []byte) string {
	b = b[:min(len(b), field.LongestReason)]
	reason := &x.last().reasons[recentSlot(b)]
	if *reason != string(b) {
		*reason = string(b)
	}
	if x.Pseudonyms && !field.IsReason(*reason) {
		return field.ClassOf(*reason).Word()
	}
	return *reason
}

// Request sets the keys of a refusal.
func (x *Keyer) Request(r *RequestKeys, e *parse.Entry, k *parse.Keys) {
	*r = RequestKeys{
		time: e.Time, duration: min(max(e.Duration, 0), maxDuration), status: e.Status, posts: string(e.Method) == "POST",
		texts: texts{client: x.address(e.Client), user: x.lower(e.User), host: x.host(e.Host)},
		requestLabels: requestLabels{
			labels: labels{connection: x.hash(k.Connection), session: x.hash(e.Session), port: x.hash(k.Port)}, peer: x.address(e.Peer),
		},
	}
	r.setRequest(x.method(e.Method), x.targetOf(e.Path, e.Query))
	for n, id := range k.IDs[:min(len(k.IDs), maxIDs)] {
		r.ids[n] = x.hash(id)
	}
	r.ordinal, _ = field.Integer(k.Ordinal)
	if r.peer == r.client {
		r.peer = 0
	}
}

// setEvent sets event i. names numbers its texts.
func (j *joiner) setEvent(i int, k *EventKeys, names *recentNames) {
	e := &j.events[i]
	kind, reason := names.of(k.kind), names.of(k.reason)
	*e = Event{
		Time: k.time, Reason: reason.number, Source: int32(kind.number), Refusal: -1, Outcome: k.outcome,
		status: int16(min(k.status, math.MaxInt16)), class: reason.class, local: k.local, hasID: k.id != 0,
	}
	switch {
	case k.time == 0 || k.time == parse.NoTime:
		e.Time = parse.NoTime
	case k.local && j.Timezone != nil:
		t := time.UnixMicro(k.time).UTC()
		e.Time = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), j.Timezone).UnixMicro()
	}
	refuses := k.status == 0 || k.status == 401 || slices.Contains(j.Statuses, k.status)
	e.Wanted = e.Time != parse.NoTime && refuses && (e.Outcome == events.Refused || e.Outcome == events.Failed)
}
