package timeline

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"logscan/analyze/spill"
	"logscan/parse"
)

// ErrIndex is the error for the index of a part that cannot be read.
var ErrIndex = errors.New("the index of the part is damaged")

// OpenPart returns a worker with what WritePart has written to a file, which must stay open
// while the worker, or a State made of it, is used. inputs is the number of inputs of the
// run, and seed that of its workers. The worker is for Merge and WritePart only.
func OpenPart(index []byte, file *spill.File, seed uint64, inputs int) (*Worker, error) {
	x := &indexReader{b: index, file: file}
	if x.uvarint() != uint64(inputs) {
		return nil, ErrIndex
	}
	w := newWorker(seed, inputs)
	w.sealed, w.file = true, file
	w.schemes, w.sessions = x.flag(), x.flag()
	x.bounded(&w.hosts)
	x.endpoints(&w.endpoints, len(w.hosts.names))
	x.minutes(&w.minutes, len(w.hosts.names))
	x.bounded(&w.upstreams)
	w.upstreamTally = make([]Tally, len(w.upstreams.names))
	for i := range w.upstreamTally {
		x.tally(&w.upstreamTally[i])
	}
	x.bounded(&w.reasons)
	for i := range w.statuses {
		w.statuses[i] = x.varint()
	}
	x.ledgers(w)
	x.blocks(w)
	x.rejected(w)
	x.refusals(w)
	x.messages(w)
	d := &spilled{}
	d.users, d.clients, d.signIns = x.run(), x.run(), x.run()
	x.segments(&d.shards)
	w.spilled = []*spilled{d}
	if x.failed || len(x.b) > 0 {
		return nil, ErrIndex
	}
	return w, nil
}

// indexReader decodes the index of a part. After an error it returns zeros and empty lists.
// Numbers that count or refer to something are always within bounds, and a list never has
// more elements than the rest of the index has bytes.
type indexReader struct {
	b      []byte
	file   *spill.File
	failed bool
}

func (x *indexReader) fail() { x.failed, x.b = true, nil }

func (x *indexReader) uvarint() uint64 {
	n, size := binary.Uvarint(x.b)
	if size <= 0 {
		x.fail()
		return 0
	}
	x.b = x.b[size:]
	return n
}

func (x *indexReader) varint() int64 {
	n, size := binary.Varint(x.b)
	if size <= 0 {
		x.fail()
		return 0
	}
	x.b = x.b[size:]
	return n
}

// below returns a number below a limit.
func (x *indexReader) below(limit int) int {
	n := x.uvarint()
	if n >= uint64(max(limit, 0)) {
		x.fail()
		return 0
	}
	return int(n)
}

// length returns the length of a list, whose elements have at least size bytes.
func (x *indexReader) length(size int) int { return x.below(len(x.b)/size + 1) }

func (x *indexReader) flag() bool { return x.below(2) == 1 }

// text returns bytes that alias the index.
func (x *indexReader) text() []byte {
	n := x.length(1)
	if n > len(x.b) {
		x.fail()
		return nil
	}
	s := x.b[:n:n]
	x.b = x.b[n:]
	return s
}

// bounded reads a table of names, no two of which are equal.
func (x *indexReader) bounded(t *boundedNames) {
	t.grouped, t.overflowed = x.flag(), x.flag()
	most := 2*t.limit + 1 // names, groups and OtherName
	n := x.length(1)
	if n > most {
		x.fail()
		return
	}
	for i := range n {
		if int(t.dict.number(x.text())) != i {
			x.fail()
		}
	}
}

func (x *indexReader) place() spill.Place {
	off, stored, size := x.uvarint(), x.uvarint(), x.uvarint()
	p, ok := x.file.NewPlace(off, stored, size)
	if !ok {
		x.fail()
	}
	return p
}

// placeSize is the least size of a place in bytes.
const placeSize = 3

func (x *indexReader) places() []spill.Place {
	list := make([]spill.Place, x.length(placeSize))
	for i := range list {
		list[i] = x.place()
	}
	return list
}

func (x *indexReader) run() *spill.Run { return spill.NewRun(x.file, x.places()) }

func (x *indexReader) tally(t *Tally) {
	for i := range t.N {
		t.N[i] = x.varint()
	}
	t.Bare = x.varint()
	t.Tickets = x.varint()
	for _, p := range t.times() {
		*p = x.varint()
	}
}

func (x *indexReader) endpoints(t *endpointTable, hosts int) {
	const least = 3 + int(NumOutcomes) + 7 // bytes
	n := x.length(least)
	t.tally = make([]Tally, n)
	for i := range n {
		key := binary.LittleEndian.AppendUint32(nil, uint32(x.below(hosts)))
		method := x.text()
		if slices.Contains(method, 0) {
			x.fail()
		}
		key = append(append(key, method...), 0)
		key = append(key, x.text()...)
		x.tally(&t.tally[i])
		if int(t.names.number(key)) != i {
			x.fail()
			return
		}
	}
	t.collapse.detail = detail(x.below(int(noPath) + 1))
	t.collapse.nodes = map[string]struct{}{}
	for range x.length(1) {
		node := x.text()
		if len(node) < 5 || binary.LittleEndian.Uint32(node) >= uint32(hosts) || slices.Index(node[4:], 0) < 0 {
			x.fail()
			return
		}
		t.collapse.nodes[string(node)] = struct{}{}
	}
}

func (x *indexReader) minutes(t *minuteTable, hosts int) {
	t.grain = x.below(len(grains))
	for range x.length(2 + int(NumOutcomes)) {
		step := x.varint()
		if step <= -minuteBias || step >= minuteBias {
			x.fail()
			return
		}
		k := newMinuteKey(step, uint32(x.below(hosts)))
		if t.counts[k] != nil {
			x.fail()
			return
		}
		var n [NumOutcomes]int64
		for i := range n {
			n[i] = x.varint()
		}
		t.counts[k] = &n
	}
}

func (x *indexReader) ledgers(w *Worker) {
	last := -1
	for range x.length(1 + len((&Ledger{}).counts())) {
		l := sealedLedger{input: x.below(w.inputs)}
		if l.input <= last {
			x.fail()
			return
		}
		last = l.input
		for _, n := range l.counts() {
			*n = x.varint()
		}
		w.sealedLedgers = append(w.sealedLedgers, l)
	}
}

func (x *indexReader) blocks(w *Worker) {
	w.blocks = make([]blockRef, x.length(3))
	for i := range w.blocks {
		b := &w.blocks[i]
		b.input, b.seq, b.lines = int32(x.below(w.inputs)), int64(x.uvarint()&math.MaxInt64), uint32(x.below(math.MaxUint32+1))
	}
	if !slices.IsSortedFunc(w.blocks, compareBlocks) {
		x.fail()
	}
}

// line returns a block and a line in it.
func (x *indexReader) line(w *Worker) (block, line uint32) {
	block = uint32(x.below(len(w.blocks)))
	if x.failed {
		return 0, 0
	}
	return block, uint32(x.below(int(w.blocks[block].lines)))
}

func (x *indexReader) rejected(w *Worker) {
	w.rejected = make([]Rejected, x.length(4))
	for i := range w.rejected {
		r := &w.rejected[i]
		var line uint32
		if r.block, line = x.line(w); x.failed {
			return
		}
		b := &w.blocks[r.block]
		r.Input, r.seq, r.Line = int(b.input), b.seq, int64(line)+1
		r.Verdict = parse.Verdict(x.below(int(parse.NumVerdicts)))
		r.Raw = slices.Clone(x.text())
	}
}

// maxRecords is the maximum number of 401s in a part, and of the events: numbers have 32
// bits.
const maxRecords = math.MaxUint32 - 2

func (x *indexReader) refusals(w *Worker) {
	n := x.below(maxRecords)
	w.refusals.n, w.refusals.facts = uint32(n), x.places()
	x.batches(&w.refusals.lineLog, n)
}

func (x *indexReader) messages(w *Worker) {
	m := &w.messages
	m.dropped = int64(x.uvarint() & math.MaxInt64)
	n := x.length(2)
	for i := range n {
		block, line := x.line(w)
		m.add(messageRef{block: block, line: line, number: uint32(i)})
	}
	m.n = uint32(n)
	x.batches(&m.lineLog, n)
}

// batches reads the batches of n records.
func (x *indexReader) batches(r *lineLog, n int) {
	r.batches = make([]batch, x.length(1+placeSize))
	for i := range r.batches {
		b := &r.batches[i]
		b.first = uint32(x.below(n))
		b.place = x.place()
		if i == 0 && b.first != 0 || i > 0 && b.first <= r.batches[i-1].first {
			x.fail()
		}
	}
	if (len(r.batches) == 0) != (n == 0) {
		x.fail()
	}
	r.onDisk, r.first = len(r.batches), uint32(n)
}

func (x *indexReader) segments(list *[Shards]segment) {
	of := &bundles{places: x.places()}
	last, at := 0, uint64(0)
	for i := range list {
		g := &list[i]
		if g.actors = uint32(x.below(math.MaxUint32 + 1)); g.actors == 0 {
			continue
		}
		n := x.below(len(of.places) + 1)
		if n == 0 {
			g.table, g.logs = x.place(), x.places()
			continue
		}
		if n != last {
			last, at = n, 0
		}
		g.bundles, g.bundle, g.at = of, uint32(n), at
		g.tableSize, g.logSize = uint32(x.below(math.MaxUint32+1)), uint32(x.below(bundleSize))
		at += uint64(g.tableSize) + uint64(g.logSize) + eventSlack
	}
}
