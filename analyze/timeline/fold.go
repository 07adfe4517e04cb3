// Package timeline keeps what must be known of every request, in little memory and
// in any order.
//
// In: blocks of lines and a parser. Out: a State, made by Merge from the
// workers' parts. Folding and merging are associative and commutative: which
// worker met which line, and when, leaves no trace in the State. Judging what
// it means is package analyze's work.
//
// A Worker is owned by one goroutine and locks nothing. What it keeps of a
// request is counters and, in the timeline of the request's actor, a few bytes;
// of a 401 also the line itself, compressed.
package timeline

import (
	"bytes"

	"github.com/zeebo/xxh3"
	"golang.org/x/sys/cpu"

	"logscan/analyze/spill"
	"logscan/parse"
	"logscan/parse/scan"
	"logscan/parse/source"
)

// Outcome is what came of a request, as far as it matters for authentication.
type Outcome uint8

// The outcomes.
const (
	Accepted     Outcome = iota // 2xx and 304
	Redirected                  // 3xx but 304
	Unauthorized                // 401
	Forbidden                   // 403
	NotFound                    // 404 and 410
	ClientError                 // the other 4xx
	ServerError                 // 5xx
	Other                       // 1xx, 000, none
	NumOutcomes
)

func outcome(status int32) Outcome {
	switch {
	case status == 401:
		return Unauthorized
	case status >= 200 && status < 300, status == 304:
		return Accepted
	case status >= 300 && status < 400:
		return Redirected
	case status == 403:
		return Forbidden
	case status == 404, status == 410:
		return NotFound
	case status >= 400 && status < 500:
		return ClientError
	case status >= 500 && status < 600:
		return ServerError
	}
	return Other
}

// Scheme is how a request came, as far as the log says.
type Scheme uint8

// The schemes.
const (
	UnknownScheme Scheme = iota
	HTTP
	HTTPS
	numSchemes
)

func scheme(s []byte) Scheme {
	switch string(s) {
	case "https":
		return HTTPS
	case "http":
		return HTTP
	}
	return UnknownScheme
}

// Tally counts requests by outcome and remembers when.
type Tally struct {
	N           [NumOutcomes]int64
	Bare        int64 // of the accepted ones, those with neither user nor session
	First, Last int64 // Unix microseconds; parse.NoTime when none had a time
	FirstAccepted, LastAccepted,
	FirstRefused, LastRefused int64
}

func newTally() Tally {
	const no = parse.NoTime
	return Tally{First: no, Last: no, FirstAccepted: no, LastAccepted: no, FirstRefused: no, LastRefused: no}
}

// Add counts a request; at is in Unix microseconds or parse.NoTime.
func (t *Tally) Add(o Outcome, at int64) {
	t.N[o]++
	if at == parse.NoTime {
		return
	}
	widen(&t.First, &t.Last, at)
	switch o {
	case Accepted:
		widen(&t.FirstAccepted, &t.LastAccepted, at)
	case Unauthorized:
		widen(&t.FirstRefused, &t.LastRefused, at)
	}
}

// widen makes [first, last] hold at.
func widen(first, last *int64, at int64) {
	if *first == parse.NoTime || at < *first {
		*first = at
	}
	if at > *last { // NoTime is the least number
		*last = at
	}
}

// Merge adds the counts of u.
func (t *Tally) Merge(u *Tally) {
	for i := range t.N {
		t.N[i] += u.N[i]
	}
	t.Bare += u.Bare
	mergeSpan(&t.First, &t.Last, u.First, u.Last)
	mergeSpan(&t.FirstAccepted, &t.LastAccepted, u.FirstAccepted, u.LastAccepted)
	mergeSpan(&t.FirstRefused, &t.LastRefused, u.FirstRefused, u.LastRefused)
}

func mergeSpan(first, last *int64, f, l int64) {
	if f != parse.NoTime {
		widen(first, last, f)
		widen(first, last, l)
	}
}

// Ledger accounts for the lines of one input.
type Ledger struct {
	Lines        int64
	Bytes        int64 // terminators included
	Verdicts     [parse.NumVerdicts]int64
	Unauthorized int64
	First, Last  int64 // Unix microseconds, of parsed lines
}

var emptyLedger = Ledger{First: parse.NoTime, Last: parse.NoTime}

// Sizes.
const (
	// Shards is into how many parts the actors are cut by their hash. It
	// bounds what has to be in memory at once when shards are put together.
	Shards = 1 << ShardBits
	// ShardBits is how many bits of the hash that takes.
	ShardBits = 8
	// pathCacheSize is how many paths each worker remembers the endpoint of.
	// A power of two; 16 bytes each, so that they stay in the L2 cache.
	pathCacheSize = 8192
	// keepRejected is how many rejected lines are kept for the user.
	keepRejected = 1000
	// keepRaw is how many bytes of a rejected line are kept.
	keepRaw = 4 << 10
)

// Worker is one goroutine's part of the state.
type Worker struct {
	// Workers are made one after the other, and what one of them writes for
	// each line must not share a cache line with what another reads: that cost
	// a third of the speed of two workers.
	_ cpu.CacheLinePad

	seed    uint64
	ledgers []Ledger // of blocks that are done
	ledger  Ledger   // of the block at hand
	// linesBefore is how many lines of each input were folded by an earlier run;
	// nil for none.
	linesBefore []int64
	blocks      []blockRef

	hosts, upstreams crowd
	endpoints        endpointTable
	upstreamTally    []Tally
	schemes          bool // any line says the scheme
	sessions         bool // any line has a session id

	lastHost uint32
	paths    *[pathCacheSize]cachedPath
	template []byte // scratch
	part            // what is written to disk when it has grown too large
	spilled  []*spilled
	earlier  *Earlier // sessions to look out for; nil for none
	met      []metSession
	past     *past // of a worker that Recall made, else nil
	limit    int64 // bytes of memory that part may take; 0 for no limit
	space    *spill.Space
	file     *spill.File // of the space, for all parts and the lines of 401s; nil before the first
	err      error       // why it could not be written

	minutes  minuteTable
	refusals refusalLog
	rejected []rejectedLine

	entry parse.Entry

	_ cpu.CacheLinePad
}

type blockRef struct {
	input int32
	lines int32
	seq   int64
}

type cachedPath struct {
	hash     uint64
	endpoint uint32
}

type rejectedLine struct {
	input   int32
	verdict parse.Verdict
	seq     int64
	line    int64 // 0-based, in its block
	block   uint32
	raw     []byte
	session []byte // the session id, where it was read before the line was rejected
}

// NewWorker makes an empty part. All workers of a run share the seed, which
// should be drawn at random, and the number of inputs.
func NewWorker(seed uint64, inputs int) *Worker {
	w := &Worker{
		seed:      seed,
		ledgers:   make([]Ledger, inputs),
		hosts:     newHosts(seed),
		upstreams: newUpstreams(seed),
		endpoints: endpointTable{names: newDict(seed)},
		minutes:   newMinuteTable(maxMinutes),
	}
	w.lastHost = w.hosts.number(nil)
	for i := range w.ledgers {
		w.ledgers[i] = emptyLedger
	}
	w.ledger = emptyLedger
	w.part.init(seed)
	return w
}

// Limit bounds how many bytes of memory the worker uses for what grows with
// actors, users and sign-ins: beyond, it is written to files of the space.
func (w *Worker) Limit(bytes int64, space *spill.Space) { w.limit, w.space = bytes, space }

// Err says why something could not be written to disk: then the worker is of no
// use any more.
func (w *Worker) Err() error { return w.err }

// Refused gives how many 401s of an input were folded so far.
func (w *Worker) Refused(input int) int64 { return w.ledgers[input].Unauthorized }

// Block folds the lines of b, which p parses. It keeps nothing of b.
func (w *Worker) Block(b *source.Block, p *parse.Parser) {
	l := &w.ledger
	defer func() {
		w.ledgers[b.Input].merge(l)
		*l = emptyLedger
	}()
	block := uint32(len(w.blocks))
	w.blocks = append(w.blocks, blockRef{input: int32(b.Input), seq: b.Seq})
	if b.TooLong {
		l.Lines++
		l.Bytes += b.LineSize
		l.Verdicts[parse.RejectTooLong]++
		w.reject(b, block, 0, b.Data, nil, parse.RejectTooLong)
		w.blocks[block].lines = 1
		return
	}
	l.Bytes += int64(len(b.Data))
	p.Lines(b.Data)
	n := int64(0)
	for ; ; n++ {
		line, v, more := p.Next(&w.entry)
		if !more {
			break
		}
		l.Verdicts[v]++
		switch {
		case v == parse.Parsed:
			w.fold(l, &w.entry, p.Line(line), block, n)
		case v.Rejected():
			w.reject(b, block, n, line, w.entry.Session, v)
		}
	}
	l.Lines += n
	w.blocks[block].lines = int32(n)
	w.bound()
}

// bound writes what grows to disk when it takes too much memory. What is known
// of 401s beside their lines stays: it leaves less for the part, but for half.
func (w *Worker) bound() {
	if w.limit <= 0 || w.err != nil {
		return
	}
	if w.refusals.held > w.limit/8 {
		w.err = w.spillLines()
	}
	if w.err == nil && w.part.size() > max(w.limit-w.refusals.size(), w.limit/2) {
		w.err = w.spill()
	}
}

// Entry folds an entry that is no line of a block, as a block of its own: for
// callers that have requests from elsewhere. Seq orders them within the input.
func (w *Worker) Entry(input int, seq int64, e *parse.Entry, line []byte) {
	l := &w.ledger
	defer func() {
		w.ledgers[input].merge(l)
		*l = emptyLedger
	}()
	l.Lines++
	l.Bytes += int64(len(line)) + 1
	l.Verdicts[parse.Parsed]++
	w.blocks = append(w.blocks, blockRef{input: int32(input), lines: 1, seq: seq})
	w.fold(l, e, line, uint32(len(w.blocks)-1), 0)
	w.bound()
}

// fold takes in one request: line n, 0-based, of a block of the worker.
//
// The actor comes first: its cache line is the one that is often far away, and
// the processor goes on with the rest while it waits.
func (w *Worker) fold(l *Ledger, e *parse.Entry, line []byte, block uint32, n int64) {
	at := e.Time
	var s *shard
	var a *actor
	var client uint64
	if at != parse.NoTime { // else it is counted, but has no place on a timeline
		s, a, client = w.actor(e)
	}
	o := outcome(e.Status)
	host := w.host(e.Host)
	endpoint := w.endpoint(host, e, o)
	user, name := uint32(0), uint64(0)
	if len(e.User) > 0 {
		user, name = w.users.number(e.User)
	}
	login := w.endpoints.count(endpoint, o, at, user == 0 && len(e.Session) == 0)
	if user != 0 {
		w.users.tally[user-1].Add(o, at)
	}
	via := uint32(scheme(e.Scheme))
	w.schemes = w.schemes || via != 0
	if len(e.Upstream) > 0 {
		n := w.upstream(e.Upstream)
		w.upstreamTally[n].Add(o, at)
		via += (n + 1) * uint32(numSchemes)
	}
	var ref uint32
	if o == Unauthorized {
		l.Unauthorized++
		ref = w.refusals.add(at, block, uint32(n), line, e.Expired())
	}
	if a == nil {
		return
	}
	widen(&l.First, &l.Last, at)
	w.minutes.add(floorDiv(at, 60e6), host, o)
	ms := floorDiv(at, 1000)
	moved := a.client != client || a.events == 0
	if moved {
		w.clients.leave(a)
		a.client, a.since = client, a.events
		a.place = w.clients.number(client, e.Client, e.UserAgent)
	}
	if o == Unauthorized {
		w.clients.list[a.place].refused++
	}
	s.append(a, ms, o, endpoint, user, name, via, moved, ref)
	if (o == Accepted || o == Redirected) && login {
		w.signIns = append(w.signIns, SignIn{client, ms})
	}
}

// actor gives whose request it is, with the shard and the hash of the client.
func (w *Worker) actor(e *parse.Entry) (s *shard, a *actor, client uint64) {
	address := xxh3.HashSeed(e.Client, w.seed)
	agent := xxh3.HashSeed(e.UserAgent, w.seed+1)
	client = clientHash(address, agent)
	key := actorKey{address, agent}
	if len(e.Session) > 0 {
		h := xxh3.Hash128Seed(e.Session, w.seed)
		key = actorKey{h.Hi, h.Lo}
	}
	s = &w.shards[key.shard()]
	a = s.actor(key)
	if a.events == 0 && len(e.Session) > 0 {
		s.name(a, e.Session)
		w.sessions = true
		if w.earlier != nil {
			w.meet(key, e.Session)
		}
	}
	return s, a, client
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (w *Worker) host(h []byte) uint32 {
	if !bytes.Equal(w.hosts.key[w.lastHost], h) {
		w.lastHost = w.hosts.number(h)
	}
	return w.lastHost
}

func (w *Worker) upstream(u []byte) uint32 {
	n := w.upstreams.number(u)
	if int(n) == len(w.upstreamTally) {
		w.upstreamTally = append(w.upstreamTally, newTally())
	}
	return n
}

// notFound stands for every path that was answered 404 or 410: it names no
// endpoint, and scanners make them up without end.
var notFound = []byte("{not_found}")

func (w *Worker) endpoint(host uint32, e *parse.Entry, o Outcome) uint32 {
	if o == NotFound {
		return w.endpoints.number(host, method(e.Method), notFound)
	}
	h := shapeHash(e.Path, w.seed^methodKey(e.Method)*0x9e3779b97f4a7c15^uint64(host)*0xc2b2ae3d27d4eb4f)
	if w.paths == nil { // a small log is left to one worker
		w.paths = (*[pathCacheSize]cachedPath)(make([]cachedPath, pathCacheSize))
	}
	c := &w.paths[h%pathCacheSize]
	if c.hash != h || h == 0 || c.endpoint < w.endpoints.base {
		w.template = appendTemplate(w.template[:0], e.Path)
		c.hash, c.endpoint = h, w.endpoints.number(host, method(e.Method), w.template)
	}
	return c.endpoint
}

// methodKey is another number for every method that method tells apart.
func methodKey(m []byte) uint64 {
	if len(m) >= 8 {
		// Of those there are, no two begin with the same eight bytes; of those
		// that are made up, any.
		if m = method(m); len(m) >= 8 {
			return scan.LoadWord(m)
		}
	}
	return scan.LoadWord(m) | uint64(len(m))<<56 // which no letter is
}

func (w *Worker) reject(b *source.Block, block uint32, n int64, line, session []byte, v parse.Verdict) {
	// Kept are the first keepRejected by input and place, whichever worker
	// meets them when: so twice as many, cut back to the first ones when full.
	if len(w.rejected) >= 2*keepRejected {
		w.rejected = firstRejected(w.rejected)
	}
	w.rejected = append(w.rejected, rejectedLine{
		input: int32(b.Input), verdict: v, seq: b.Seq, line: n, block: block,
		raw: bytes.Clone(line[:min(len(line), keepRaw)]), session: bytes.Clone(session),
	})
}
