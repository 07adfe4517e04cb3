package timeline

import (
	"slices"

	"golang.org/x/sys/cpu"

	"logscan/analyze/spill"
	"logscan/parse"
	"logscan/parse/scan"
	"logscan/parse/source"
)

// pathCacheSize is the number of paths whose endpoint a worker caches. It is a
// power of two; at 16 bytes each, the cache fits into an L2 cache.
const pathCacheSize = 8192

// Worker reduces the lines that one goroutine reads.
type Worker struct {
	// Workers are allocated one after the other. Without padding, fields that one
	// of them writes for each line share a cache line with fields that another
	// reads, which cost two workers a third of their speed.
	_ cpu.CacheLinePad

	seed        uint64
	inputs      int      // of the run
	ledgers     []Ledger // of complete blocks, by input
	ledger      Ledger   // of the current block: in the padded struct, unlike ledgers
	linesBefore []int64  // by input: lines that an earlier run has read
	servers     []string // see SetServers
	serverOf    []uint8
	server      uint32 // of the current block, for record.via
	blocks      []blockRef

	hosts, upstreams boundedNames
	endpoints        endpointTable
	upstreamTally    []Tally
	schemes          bool // a line has a scheme
	sessions         bool // a line has a session id

	lastHost uint32
	paths    *[pathCacheSize / 2][2]cachedPath // by hash; of two the one that was found last comes first
	template []byte                            // scratch

	part               // what is spilled when it exceeds the limit
	spilled []*spilled // earlier parts
	limit   int64      // memory of the part in bytes; 0 for no limit
	space   *spill.Space
	file    *spill.File // in space, for all parts and the lines of 401s; nil before the first write
	err     error       // the first error of writing to file

	sealed        bool           // it was read from a part; see OpenPart
	sealedLedgers []sealedLedger // of a part, by input

	earlier  *Earlier // sessions to recognise; nil for none
	resumed  []resumedSession
	recalled *recalledRun // of a worker that NewEarlierWorker returned, else nil

	outcomes outcomes
	statuses [Statuses]int64 // lines by status
	reasons  boundedNames    // of 401s

	minutes  minuteTable
	refusals refusalLog
	messages messageLog // of error logs
	rejected []Rejected

	entry parse.Entry

	_ cpu.CacheLinePad
}

type cachedPath struct {
	hash     uint64
	endpoint uint32
}

// is reports whether c is the path of a hash, and its endpoint at least base.
func (c *cachedPath) is(hash uint64, base uint32) bool {
	return c.hash == hash && c.endpoint >= base && hash != 0
}

// NewWorker returns an empty worker. All workers of a run have the same number of
// inputs and the same seed, which should be random: hashes that are seeded with
// it cannot be made to collide by the senders of requests.
func NewWorker(seed uint64, inputs int) *Worker {
	w := newWorker(seed, inputs)
	w.ledgers = slices.Repeat([]Ledger{emptyLedger}, inputs)
	w.outcomes = newOutcomes(nil)
	w.lastHost = w.hosts.number(nil)
	return w
}

// newWorker returns a worker that is not ready to read lines.
func newWorker(seed uint64, inputs int) *Worker {
	w := &Worker{
		seed:      seed,
		inputs:    inputs,
		hosts:     newHosts(),
		upstreams: newUpstreams(),
		endpoints: endpointTable{names: newDict()},
		minutes:   newMinuteTable(maxMinutes),
		reasons:   newReasons(),
	}
	w.messages.plain = true
	w.part.init()
	return w
}

// Limit sets how many bytes of memory the worker uses for data that grows with
// the number of actors, users and sign-ins. Beyond, it spills to files in space.
func (w *Worker) Limit(bytes int64, space *spill.Space) { w.limit, w.space = bytes, space }

// Refuse sets which statuses beside 401 count as refusals: redirects only if they lead
// to a page for signing in.
func (w *Worker) Refuse(statuses []int32) { w.outcomes = newOutcomes(statuses) }

// Err returns the first error of writing to disk. The worker must not be used
// after an error.
func (w *Worker) Err() error { return w.err }

// Unauthorized returns the number of 401s of an input so far.
func (w *Worker) Unauthorized(input int) int64 { return w.ledgers[input].Unauthorized }

// Counted returns the number of lines of an input so far, and how many are requests.
func (w *Worker) Counted(input int) (lines, requests int64) {
	return w.ledgers[input].Lines, w.ledgers[input].Verdicts[parse.Parsed]
}

// Block adds the lines of b, which p parses. It does not retain b.
func (w *Worker) Block(b *source.Block, p *parse.Parser) {
	l := &w.ledger
	*l = emptyLedger
	defer w.ledgers[b.Input].merge(l)
	w.enter(b.Input)
	block := uint32(len(w.blocks))
	w.blocks = append(w.blocks, blockRef{input: int32(b.Input), seq: b.Seq})
	if b.TooLong {
		l.Lines++
		l.Bytes += b.LineSize
		l.Verdicts[parse.RejectTooLong]++
		w.reject(b, Rejected{block: block, Line: 1, Raw: b.Data, Verdict: parse.RejectTooLong})
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
			w.add(l, &w.entry, p.Line(line), block, n)
		case v == parse.SkipErrorLog:
			w.message(p, line, b, block, n)
		case v.Rejected():
			w.unread(l, line)
			w.reject(b, Rejected{block: block, Line: n + 1, Raw: line, Session: w.entry.Session, Verdict: v})
		}
	}
	l.Lines += n
	w.blocks[block].lines = uint32(n)
	w.enforceLimit()
}

// Entry adds a block of one line, which has been parsed already. Only tests need it.
func (w *Worker) Entry(input int, seq int64, e *parse.Entry, line []byte) {
	l := &w.ledgers[input]
	l.Lines++
	l.Bytes += int64(len(line)) + 1
	l.Verdicts[parse.Parsed]++
	w.enter(input)
	w.blocks = append(w.blocks, blockRef{input: int32(input), lines: 1, seq: seq})
	w.add(l, e, line, uint32(len(w.blocks)-1), 0)
	w.enforceLimit()
}

// unread counts a line whose status is unknown if a word of it is the status of a refusal, as
// in lines of another format.
func (w *Worker) unread(l *Ledger, line []byte) {
	start := 0 // of the current word
	for i := 0; i <= len(line); i++ {
		if i < len(line) && inWord(line[i]) {
			continue
		}
		if i-start == 3 && w.refuses(line[start:i]) {
			l.Unread++
			return
		}
		start = i + 1
	}
}

// inWord reports whether c belongs to a word, path, address or number with a point.
func inWord(c byte) bool {
	return c-'0' < 10 || (c|0x20)-'a' < 26 || c >= 0x80 || c == '.' || c == '_' || c == '-' || c == '/' || c == '%'
}

// refuses reports whether three bytes are the status of a refusal.
func (w *Worker) refuses(b []byte) bool {
	status := 0
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
		status = 10*status + int(c-'0')
	}
	return status < Statuses && w.outcomes[status] == Unauthorized
}

// enforceLimit spills the lines of 401s and of events, the facts of 401s, and the part,
// once they exceed their shares of the limit.
func (w *Worker) enforceLimit() {
	if w.limit <= 0 || w.err != nil {
		return
	}
	for _, log := range []*lineLog{&w.refusals.lineLog, &w.messages.lineLog, &w.messages.lines} {
		if log.held > w.limit/8 && w.err == nil {
			w.err = w.spillLines(log)
		}
	}
	if w.err == nil && w.refusals.factsHeld() > max(w.limit/8, factSize*refusalPage) {
		w.err = w.spillFacts()
	}
	if w.err == nil && w.part.size() > max(w.limit-w.refusals.size()-w.messages.size(), w.limit/2) {
		w.err = w.spillPart()
	}
}

// add adds the request of line n, 0-based, of a block of the worker.
//
// It looks up the actor first: the cache line of the actor is the one most likely
// to be missing, and the processor can load it while it does the rest.
func (w *Worker) add(l *Ledger, e *parse.Entry, line []byte, block uint32, n int64) {
	at := e.Time
	var s *shard
	var a *actor
	var client uint64
	if at != parse.NoTime { // requests without a time are counted, but are in no timeline
		s, a, client = w.actor(e)
	}
	status := e.Status
	if uint32(status) >= Statuses {
		status = 0
	}
	if status == 0 {
		l.NoStatus++
		w.unread(l, line)
	}
	w.statuses[status]++
	o := w.outcomes[status]
	event := o // outcome in the timeline
	if o == mayRefuse {
		o, event = Redirected, Unauthorized
	}
	host := w.host(e.Host)
	r := record{outcome: event, endpoint: w.endpoint(host, e, o), via: uint32(scheme(e.Scheme))}
	if len(e.User) > 0 {
		likely := uint32(0)
		if a != nil {
			likely = a.user
		}
		r.user, r.userHash = w.users.number(e.User, likely, w.seed)
	}
	signIn := w.endpoints.count(r.endpoint, o, at, r.user == 0 && len(e.Session) == 0)
	if o == Redirected && bringsTicket(e.Query) {
		w.endpoints.countTicket(r.endpoint)
		signIn = true
	}
	if r.user != 0 {
		w.users.list[r.user-1].Add(o, at)
	}
	w.schemes = w.schemes || r.via != 0
	r.via += w.server
	if len(e.Upstream) > 0 {
		u := w.upstream(e.Upstream)
		w.upstreamTally[u].Add(o, at)
		r.via += (u + 1) * uint32(numSchemes)
	}
	if event == Unauthorized {
		if o == Unauthorized {
			l.Unauthorized++
		}
		x := refusal{
			time: at, block: block, line: uint32(n), credentials: e.Credentials(), answeredBy: e.AnsweredBy, redirect: o != event,
		}
		if len(e.Reason) > 0 {
			x.reason = uint16(w.reasons.number(e.Reason) + 1)
		}
		r.refusal = w.refusals.add(x, line)
	}
	if a == nil {
		return
	}
	widen(&l.First, &l.Last, at)
	w.minutes.add(at, host, o)
	r.ms = FloorDiv(at, 1000)
	if r.newClient = a.client != client || a.events == 0; r.newClient {
		w.clients.countRequests(a)
		a.client, a.counted = client, a.events
		a.clientNumber = w.clients.number(client, e.Client, e.UserAgent)
	}
	if o == Unauthorized {
		w.clients.list[a.clientNumber].refused++
	}
	if o == ClientError && undecided(e.Status) {
		r.outcome = Other
	}
	s.append(a, &r)
	if signIn && (o == Accepted || o == Redirected) {
		w.signIns = append(w.signIns, newSignIn(client, r.ms, false))
	}
}

// actor returns the actor of a request, its shard, and the hash of the client.
func (w *Worker) actor(e *parse.Entry) (s *shard, a *actor, client uint64) {
	key := clientKey(e.Client, e.UserAgent, w.seed)
	client = key.clientHash()
	if len(e.Session) > 0 {
		key = sessionKey(e.Session, w.seed)
	}
	s = &w.shards[key.shard()]
	a = s.actor(key)
	if a.events == 0 && len(e.Session) > 0 {
		s.setLabel(a, e.Session)
		w.sessions = true
		if w.earlier != nil {
			w.noteResumed(key, e.Session)
		}
	}
	return s, a, client
}

func (w *Worker) host(h []byte) uint32 {
	if w.hosts.names[w.lastHost] != string(h) {
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

// notFound replaces the template of every path that was answered 404 or 410: such
// a path names no endpoint, and scanners invent any number of them.
var notFound = []byte("{not_found}")

// endpoint returns the number of the endpoint of a request.
func (w *Worker) endpoint(host uint32, e *parse.Entry, o Outcome) uint32 {
	if o == NotFound {
		return w.endpoints.number(host, method(e.Method), notFound)
	}
	h := shapeHash(e.Path, w.seed^methodKey(e.Method)*0x9e3779b97f4a7c15^uint64(host)*0xc2b2ae3d27d4eb4f)
	if w.paths == nil { // on demand: of a small log, most workers read nothing
		w.paths = new([pathCacheSize / 2][2]cachedPath)
	}
	c := &w.paths[h%(pathCacheSize/2)]
	if base := w.endpoints.base; !c[0].is(h, base) {
		if c[0], c[1] = c[1], c[0]; !c[0].is(h, base) {
			w.template = appendTemplate(w.template[:0], e.Path)
			c[0] = cachedPath{h, w.endpoints.number(host, method(e.Method), w.template)}
		}
	}
	return c[0].endpoint
}

// methodKey returns a distinct key for each HTTP method that method recognises.
func methodKey(m []byte) uint64 {
	if len(m) >= 8 {
		m = method(m) // registered methods differ in their first seven bytes
	}
	return scan.LoadWord(m) | uint64(len(m))<<56
}
