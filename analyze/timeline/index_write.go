package timeline

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"logscan/analyze/spill"
	"logscan/parse"
)

// indexWriter encodes the index of a part: all that is not in pieces of its file. It is
// the counterpart of indexReader.
type indexWriter struct{ b []byte }

func (x *indexWriter) uvarint(n uint64) { x.b = binary.AppendUvarint(x.b, n) }
func (x *indexWriter) varint(n int64)   { x.b = binary.AppendVarint(x.b, n) }
func (x *indexWriter) length(n int)     { x.uvarint(uint64(n)) }
func (x *indexWriter) flag(set bool)    { x.b = append(x.b, spill.Flag(set)) }
func (x *indexWriter) text(s string)    { x.b = appendBytes(x.b, s) }

func (x *indexWriter) texts(list []string) {
	x.length(len(list))
	for _, s := range list {
		x.text(s)
	}
}

func (x *indexWriter) place(p spill.Place) { x.b = spill.AppendPlace(x.b, p) }

func (x *indexWriter) places(list []spill.Place) {
	x.length(len(list))
	for _, p := range list {
		x.place(p)
	}
}

func (x *indexWriter) batches(list []batch) {
	x.length(len(list))
	for i := range list {
		x.uvarint(uint64(list[i].first))
		x.place(list[i].place)
	}
}

func (x *indexWriter) tally(t *Tally) {
	for _, n := range t.N {
		x.varint(n)
	}
	x.varint(t.Bare)
	x.varint(t.Tickets)
	for _, p := range t.times() {
		x.varint(*p)
	}
}

// hostNumbers returns the numbers of sorted names.
func hostNumbers(hosts []string) map[string]uint32 {
	numbers := make(map[string]uint32, len(hosts))
	for i, h := range hosts {
		numbers[h] = uint32(i)
	}
	return numbers
}

func (x *indexWriter) endpoints(list []Endpoint, c *collapse, hosts []string) {
	numbers := hostNumbers(hosts)
	x.length(len(list))
	for i := range list {
		e := &list[i]
		x.uvarint(uint64(numbers[e.Host]))
		x.text(e.Method)
		x.text(e.Template)
		x.tally(&e.Tally)
	}
	x.uvarint(uint64(c.detail))
	x.texts(slices.Sorted(maps.Keys(c.nodes)))
}

func (x *indexWriter) minutes(grain int64, list []Minute, hosts []string) {
	numbers := hostNumbers(hosts)
	x.length(slices.Index(grains[:], grain/MinuteStep))
	x.length(len(list))
	for i := range list {
		m := &list[i]
		x.varint(m.Time / MinuteStep)
		x.uvarint(uint64(numbers[m.Host]))
		for _, n := range m.N {
			x.varint(n)
		}
	}
}

// sealedLedger is the ledger of an input that a part has lines of.
type sealedLedger struct {
	input int
	Ledger
}

func (x *indexWriter) ledgers(list []Ledger, inputOf func(int) int) {
	n := 0
	for i := range list {
		if list[i] != emptyLedger {
			n++
		}
	}
	x.length(n)
	for i := range list {
		if l := &list[i]; *l != emptyLedger {
			x.length(inputOf(i))
			for _, n := range l.counts() {
				x.varint(*n)
			}
		}
	}
}

// counts returns the numbers of a ledger.
func (l *Ledger) counts() (all [7 + parse.NumVerdicts]*int64) {
	list := append(all[:0], &l.Lines, &l.Bytes, &l.Unauthorized, &l.NoStatus, &l.Unread, &l.First, &l.Last)
	for v := range l.Verdicts {
		list = append(list, &l.Verdicts[v])
	}
	return [len(all)]*int64(list)
}

func (x *indexWriter) blocks(list []blockRef, inputOf func(int) int) {
	x.length(len(list))
	for _, b := range list {
		x.uvarint(uint64(inputOf(int(b.input))))
		x.uvarint(uint64(b.seq))
		x.uvarint(uint64(b.lines))
	}
}

func (x *indexWriter) segments(b *bundler) {
	x.places(b.bundles)
	for i := range b.segments {
		g := &b.segments[i]
		x.uvarint(uint64(g.actors))
		switch {
		case g.actors == 0:
		case g.bundle > 0:
			for _, n := range [...]uint32{g.bundle, g.tableSize, g.logSize} {
				x.uvarint(uint64(n))
			}
		default:
			x.uvarint(0)
			x.place(g.table)
			x.places(g.logs)
		}
	}
}

// compareBlocks orders blocks by input and place.
func compareBlocks(a, b blockRef) int {
	return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.seq, b.seq))
}
