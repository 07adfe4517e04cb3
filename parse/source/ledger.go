package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
)

const (
	// tailSize is how many bytes before the end of counted content are compared to
	// recognise it: a few dozen lines, which no other content has at the same offset behind
	// the same beginning.
	tailSize = 4 << 10
	// forgetRuns is how many runs an entry is kept that no input matches: a year of nightly
	// runs, two weeks of hourly ones. Runs are counted so that neither the clock nor an
	// absurd date in a log removes entries.
	forgetRuns = 366
	// maxContents bounds a ledger, at 200 bytes an entry. The entries matched last stay.
	maxContents = 1 << 16
)

// Counted identifies content that an earlier run has counted by its decompressed bytes,
// whatever the file is called and however it is stored. An input with the same beginning
// and the same bytes before Size continues it.
type Counted struct {
	Size  int64             // decompressed bytes counted, from the beginning
	Lines int64             // in them
	Head  [sha256.Size]byte // SHA-256 of the first min(Size, 64 KiB) bytes
	Tail  [sha256.Size]byte // SHA-256 of the last min(Size, 4 KiB) bytes before Size
	// Left is how many bytes of a line without its end followed and were not counted;
	// LeftSum is their SHA-256. If they are still the same in the next run, the line is
	// complete and counted then.
	Left    int64
	LeftSum [sha256.Size]byte
	// Stored is a sum of the compressed file that held this content to its end, or zero.
	// While it is the same the file is not decoded again.
	Stored [sha256.Size]byte
	Missed int // runs since an input matched it
}

func (c *Counted) headSize() int { return int(min(c.Size, headSize)) }

// Ledger is what earlier runs have counted. The zero value is empty. It is safe for
// concurrent reads.
type Ledger struct {
	contents []Counted // in the order of compareCounted
	byHead   map[headKey][]int
	byStored map[[sha256.Size]byte]int
	sizes    []int // of heads, ascending
}

type headKey struct {
	size int
	sum  [sha256.Size]byte
}

// NewLedger returns the ledger of contents, which it takes over.
func NewLedger(contents []Counted) *Ledger {
	l := &Ledger{contents: contents, byHead: map[headKey][]int{}, byStored: map[[sha256.Size]byte]int{}}
	slices.SortFunc(l.contents, compareCounted)
	sizes := map[int]bool{}
	for i := range contents {
		c := &contents[i]
		if c.Stored != ([sha256.Size]byte{}) {
			l.byStored[c.Stored] = i
		}
		if c.Size == 0 {
			continue // it has no head; see partial
		}
		k := headKey{c.headSize(), c.Head}
		l.byHead[k] = append(l.byHead[k], i)
		sizes[k.size] = true
	}
	l.sizes = slices.Sorted(maps.Keys(sizes))
	return l
}

// Contents returns the entries in an order that depends on them alone. The caller must not
// change them.
func (l *Ledger) Contents() []Counted { return l.contents }

func compareCounted(a, b Counted) int {
	return cmp.Or(bytes.Compare(a.Head[:], b.Head[:]), cmp.Compare(a.Size, b.Size), bytes.Compare(a.Tail[:], b.Tail[:]),
		cmp.Compare(a.Left, b.Left), bytes.Compare(a.LeftSum[:], b.LeftSum[:]), bytes.Compare(a.Stored[:], b.Stored[:]),
		cmp.Compare(a.Lines, b.Lines), cmp.Compare(a.Missed, b.Missed))
}

// candidates returns the indexes of the contents that begin like head, in ascending order
// of their size. head is the first headSize bytes of an input, or all of it.
func (l *Ledger) candidates(head []byte) []int {
	var found []int
	sum, at := sha256.New(), 0
	for _, size := range l.sizes {
		if size > len(head) {
			break
		}
		sum.Write(head[at:size]) // never fails
		at = size
		k := headKey{size: size}
		sum.Sum(k.sum[:0])
		found = append(found, l.byHead[k]...)
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(l.contents[a].Size, l.contents[b].Size), a-b)
	})
	return found
}

// partial returns the index of the content that consists of nothing but the given line
// without its end, or -1.
func (l *Ledger) partial(line []byte) int {
	sum := sha256.Sum256(line)
	return slices.IndexFunc(l.contents, func(c Counted) bool {
		return c.Size == 0 && c.Left == int64(len(line)) && c.LeftSum == sum
	})
}

// Next returns the ledger after a run that has counted now. matched holds the indexes of
// the entries that now replaces.
func (l *Ledger) Next(now []Counted, matched map[int]bool) *Ledger {
	next := slices.Clone(now)
	for i, c := range l.contents {
		if matched[i] {
			continue
		}
		if c.Missed++; c.Missed <= forgetRuns {
			next = append(next, c)
		}
	}
	slices.SortFunc(next, compareCounted)
	next = slices.CompactFunc(next, func(a, b Counted) bool { // the one that was matched last stays
		b.Missed = a.Missed
		return a == b
	})
	if len(next) > maxContents {
		slices.SortStableFunc(next, func(a, b Counted) int { return cmp.Compare(a.Missed, b.Missed) })
		next = next[:maxContents]
	}
	return NewLedger(next)
}
