package session

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"logscan/analyze/timeline"
	"logscan/parse/source"
)

// Carryover is what earlier runs left for this one: which content they counted, how
// far, and how the sessions stood when their logs ended. With it a run counts
// only what is new, and goes on with the sessions.
//
// Kept are, of every actor, the events of the last hours (see saveEvents), so
// that lines which come late find their place among them, and how its session
// stood before those; endpoints with what was counted of them, so that what is
// protected stays so. It holds names, addresses and user agents, and of session
// ids their sums.
type Carryover struct {
	ledger  *source.Ledger
	to      int64 // where the logs ended, Unix milliseconds; before where there were none
	earlier *timeline.Earlier
	minutes map[int64]int64 // events that were kept, by Unix minute; known once they are read
	actors  int
	open    func() (io.ReadCloser, error)
}

// NewCarryover is the past of a first run.
func NewCarryover() *Carryover { return &Carryover{ledger: source.NewLedger(nil), to: LongAgo} }

// ErrCarryover says that what was kept cannot be read.
var ErrCarryover = errors.New("what earlier runs kept is damaged")

// LoadCarryover reads what Result.Save wrote. It is opened again when the run needs
// the events, which are not kept in memory.
func LoadCarryover(open func() (io.ReadCloser, error)) (*Carryover, error) {
	p := &Carryover{open: open}
	r, err := p.begin()
	if err != nil {
		return nil, err
	}
	defer r.close()
	return p, nil
}

// begin reads all but the actors, which are what r gives next.
func (p *Carryover) begin() (r *carryReader, err error) {
	if r, err = newCarryReader(p.open); err != nil {
		return nil, err
	}
	p.to = r.varint()
	contents := make([]source.Counted, 0, 64)
	for range r.times() {
		var c source.Counted
		c.Size, c.Lines, c.Left, c.Missed = r.varint(), r.varint(), r.varint(), int(r.varint())
		if min(c.Size, c.Lines, c.Left, int64(c.Missed)) < 0 {
			r.fail()
		}
		r.bytes(c.Head[:])
		r.bytes(c.Tail[:])
		r.bytes(c.LeftSum[:])
		r.bytes(c.Stored[:])
		contents = append(contents, c)
	}
	e := &timeline.Earlier{}
	for i := range r.sparse() {
		e.Endpoints = append(e.Endpoints, make([]timeline.EarlierEndpoint, i+1-len(e.Endpoints))...)
		x := &e.Endpoints[i]
		x.Host, x.Method, x.Template = r.text(), r.text(), r.text()
		x.Known = timeline.Known{Accepted: r.varint(), Bare: r.varint(), Unauthorized: r.varint(), Last: r.varint()}
	}
	for _, list := range []*[]string{&e.Users, &e.Upstreams, &e.Addresses, &e.Agents} {
		for i := range r.sparse() {
			*list = append(*list, make([]string, i+1-len(*list))...)
			(*list)[i] = r.text()
		}
	}
	for range r.times() {
		c := timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
		e.Clients = append(e.Clients, c)
	}
	for range r.times() {
		var sum timeline.SessionSum
		r.bytes(sum[:])
		e.Sessions = append(e.Sessions, sum)
	}
	if !slices.IsSortedFunc(e.Sessions, compareSums) {
		r.fail()
	}
	p.actors = r.count(maxListed)
	if r.err != nil {
		r.close()
		return nil, r.err
	}
	p.ledger, p.earlier = source.NewLedger(contents), e
	e.Actors = p.eachActor
	return r, nil
}

const (
	// maxListed bounds what a list may claim to have before it is read.
	maxListed = 1 << 26
	// maxNumbered bounds the numbers of names: a run tells fewer apart.
	maxNumbered = 1 << 20
)

func compareSums(a, b timeline.SessionSum) int { return bytes.Compare(a[:], b[:]) }

// eachActor yields the actors, whose memory is used again.
func (p *Carryover) eachActor(yield func(*timeline.EarlierActor, error) bool) {
	q := Carryover{open: p.open}
	r, err := q.begin()
	if err != nil {
		yield(nil, err)
		return
	}
	defer r.close()
	p.minutes = map[int64]int64{}
	var a timeline.EarlierActor
	e := q.earlier
	for range q.actors {
		a = timeline.EarlierActor{Named: r.varint() != 0, Before: a.Before[:0], Events: a.Events[:0]}
		if a.Named {
			r.bytes(a.Session[:])
			if _, ok := slices.BinarySearchFunc(e.Sessions, a.Session, compareSums); !ok {
				r.fail()
			}
		} else {
			a.Client = timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
		}
		a.Before = r.piece(a.Before)
		x := timeline.Event{Time: r.varint(), Refusal: timeline.NoRefusal}
		for range r.times() {
			x.Time += r.varint()
			kind := r.uvarint()
			x.Outcome, x.Scheme = timeline.Outcome(kind&7), timeline.Scheme(kind>>3&3)
			if kind&eventElsewhere != 0 {
				x.Endpoint = r.index(len(e.Endpoints))
				x.Upstream = uint16(r.index(len(e.Upstreams) + 1))
			}
			if kind&eventOther != 0 {
				x.User = r.index(len(e.Users) + 1)
				x.Client = timeline.Client{Address: r.index(len(e.Addresses)), Agent: r.index(len(e.Agents))}
			}
			if x.Scheme > timeline.HTTPS || r.err != nil {
				r.fail()
				break
			}
			a.Events = append(a.Events, x)
			p.minutes[floorDiv(x.Time, 60_000)]++
		}
		if r.err != nil {
			yield(nil, r.err)
			return
		}
		if !yield(&a, nil) {
			return
		}
	}
}

// Flags of an event beside its outcome (3 bits) and scheme (2 bits).
const (
	eventElsewhere = 1 << 5 // endpoint and upstream follow: not those of the event before
	eventOther     = 1 << 6 // user and client follow
)

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// carryReader reads numbers and texts. After an error it gives zeros, and what a
// number counts or names is always within bounds.
type carryReader struct {
	r   *bufio.Reader
	src io.Closer
	z   *zstd.Decoder
	err error
}

func newCarryReader(open func() (io.ReadCloser, error)) (*carryReader, error) {
	src, err := open()
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	return &carryReader{r: bufio.NewReaderSize(z, 64<<10), src: src, z: z}, nil
}

func (r *carryReader) close() {
	r.z.Close()
	r.src.Close() // it was only read
}

func (r *carryReader) fail() {
	if r.err == nil {
		r.err = ErrCarryover
	}
}

func (r *carryReader) keep(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%w: %w", ErrCarryover, err)
	}
}

func (r *carryReader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.r)
	r.keep(err)
	return n
}

func (r *carryReader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

// count reads a number that must not be more than most.
func (r *carryReader) count(most int) int {
	n := r.uvarint()
	if n > uint64(most) {
		r.fail()
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// index reads a number below n; 0 after an error.
func (r *carryReader) index(n int) uint32 {
	i := r.uvarint()
	if i >= uint64(n) {
		r.fail()
		return 0
	}
	return uint32(i)
}

func (r *carryReader) bytes(dst []byte) {
	if r.err == nil {
		_, err := io.ReadFull(r.r, dst)
		r.keep(err)
	}
}

// piece reads bytes behind their length, into dst where they fit.
func (r *carryReader) piece(dst []byte) []byte {
	for left := r.count(maxPiece); left > 0 && r.err == nil; {
		n := min(left, 64<<10) // what it claims may not be there
		at := len(dst)
		dst = slices.Grow(dst, n)[:at+n]
		r.bytes(dst[at:])
		left -= n
	}
	return dst
}

// maxPiece is the most bytes of a name or of what is kept of a session.
const maxPiece = 16 << 20

func (r *carryReader) text() string { return string(r.piece(nil)) }

// times reads how long a list is and yields so often, until an error.
func (r *carryReader) times() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range r.count(maxListed) {
			if r.err != nil || !yield(i) {
				return
			}
		}
	}
}

// sparse yields the indexes of a list of which some are written, ascending.
func (r *carryReader) sparse() func(yield func(int) bool) {
	return func(yield func(int) bool) {
		at := -1
		for range r.times() {
			if at += 1 + r.count(maxNumbered); at > maxNumbered {
				r.fail()
			}
			if r.err != nil || !yield(at) {
				return
			}
		}
	}
}

// carryWriter is the opposite of carryReader.
type carryWriter struct {
	w       *bufio.Writer
	scratch []byte
}

// bytes writes b. What is wrong with writing Flush tells.
func (w *carryWriter) bytes(b []byte) { _, _ = w.w.Write(b) }

func (w *carryWriter) varints(all ...int64) {
	w.scratch = w.scratch[:0]
	for _, n := range all {
		w.scratch = binary.AppendVarint(w.scratch, n)
	}
	w.bytes(w.scratch)
}

func (w *carryWriter) count(n int) {
	w.scratch = binary.AppendUvarint(w.scratch[:0], uint64(n))
	w.bytes(w.scratch)
}

func (w *carryWriter) texts(all ...string) {
	for _, s := range all {
		w.count(len(s))
		w.bytes([]byte(s))
	}
}

// sparse writes the indexes below n that are used, and of each what one writes.
func (w *carryWriter) sparse(n int, used func(int) bool, one func(int)) {
	count := 0
	for i := range n {
		if used(i) {
			count++
		}
	}
	w.count(count)
	last := -1
	for i := range n {
		if used(i) {
			w.count(i - last - 1)
			last = i
			one(i)
		}
	}
}

// Save writes the state that LoadCarryover reads: the contents in ledger and how
// sessions stand. The evidence must have been made with a Carryover.
func (c *Evidence) Save(dst io.Writer, ledger *source.Ledger) error {
	k := c.saver
	z, err := zstd.NewWriter(dst, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	w := &carryWriter{w: bufio.NewWriterSize(z, 64<<10)}
	s := k.State
	w.varints(k.to)
	w.count(len(ledger.Contents()))
	for _, c := range ledger.Contents() {
		w.varints(c.Size, c.Lines, c.Left, int64(c.Missed))
		for _, sum := range [][32]byte{c.Head, c.Tail, c.LeftSum, c.Stored} {
			w.bytes(sum[:])
		}
	}
	used := k.used()
	known := k.known()
	w.sparse(len(s.Endpoints), func(i int) bool { return used.endpoints[i] || known[i] != (timeline.Known{}) }, func(i int) {
		e, x := &s.Endpoints[i], &known[i]
		w.texts(e.Host, e.Method, e.Template)
		w.varints(x.Accepted, x.Bare, x.Unauthorized, x.Last)
	})
	w.sparse(len(s.Users), used.users.has, func(i int) { w.texts(s.Users[i].Name) })
	w.sparse(len(s.Upstreams), used.upstreams.has, func(i int) { w.texts(s.Upstreams[i].Name) })
	w.sparse(len(s.Addresses), used.addresses.has, func(i int) { w.texts(s.Addresses[i]) })
	w.sparse(len(s.Agents), used.agents.has, func(i int) { w.texts(s.Agents[i]) })
	w.count(len(used.clients))
	for _, c := range used.clients {
		w.count(int(c.Address))
		w.count(int(c.Agent))
	}
	var sums []timeline.SessionSum
	actors := 0
	for a, err := range k.actors() {
		if err != nil {
			return errors.Join(err, z.Close())
		}
		if actors++; a.named {
			sums = append(sums, a.id)
		}
	}
	slices.SortFunc(sums, compareSums)
	w.count(len(sums))
	for _, sum := range sums {
		w.bytes(sum[:])
	}
	w.count(actors)
	for a, err := range k.actors() {
		if err != nil {
			return errors.Join(err, z.Close())
		}
		if a.named {
			w.varints(1)
			w.bytes(a.id[:])
		} else {
			w.varints(0)
			w.count(int(a.client.Address))
			w.count(int(a.client.Agent))
		}
		w.bytes(a.data)
	}
	return errors.Join(w.w.Flush(), z.Close())
}

// savedActor is an actor as it is written: data is what stood before its events,
// and them.
type savedActor struct {
	seen   int64 // its last event, Unix milliseconds
	id     timeline.SessionSum
	named  bool // by id, else by client
	client timeline.Client
	data   []byte
}

// compareSaved orders those first that were seen last.
func compareSaved(a, b *savedActor) int {
	if a.seen != b.seen {
		return cmp.Compare(b.seen, a.seen)
	}
	if a.named != b.named {
		if a.named {
			return -1
		}
		return 1
	}
	return cmp.Or(compareSums(a.id, b.id), timeline.CompareClients(a.client, b.client))
}

// Ledger returns which contents earlier runs read, and how far.
func (p *Carryover) Ledger() *source.Ledger { return p.ledger }

// Earlier returns what is known of the timelines of earlier runs, nil for
// nothing. It may be called on a nil Carryover.
func (p *Carryover) Earlier() *timeline.Earlier {
	if p == nil {
		return nil
	}
	return p.earlier
}
