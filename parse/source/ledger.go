package source

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
)

const (
	// tailSize is how many bytes before the end of what was counted are compared
	// when content is met again: a few dozen lines, which no other content has
	// at the same offset behind the same beginning.
	tailSize = 4 << 10
	// forgetRuns is after how many runs content that is not given any more is
	// forgotten: a year of nights, two weeks of hours. It is counted in runs, so
	// that neither a clock nor an absurd date in a log makes it forget.
	forgetRuns = 366
	// maxContents bounds a ledger, at 200 bytes each: those that were given last
	// stay.
	maxContents = 1 << 16
)

// Counted is content that was counted, as it is known again: by its
// decompressed bytes, whatever the file is called then and however it is stored.
// A beginning and the bytes before Size tell that it goes on from there.
type Counted struct {
	Size  int64             // decompressed bytes that were counted, from the first on
	Lines int64             // in them
	Head  [sha256.Size]byte // SHA-256 of the first min(Size, 64 KiB) bytes
	Tail  [sha256.Size]byte // SHA-256 of the last min(Size, 4 KiB) bytes before Size
	// Left is how many bytes of a line without its end followed and were not
	// counted, LeftSum their SHA-256: when they are still the same in the next
	// run, the line is what it will be.
	Left    int64
	LeftSum [sha256.Size]byte
	// Stored is a sum of the compressed file whose content it was to its end, and
	// zero where there was none: while that is the same it is not decoded again.
	Stored [sha256.Size]byte
	Missed int // runs since it was given last
}

func (c *Counted) headSize() int { return int(min(c.Size, headSize)) }

// Ledger is what earlier runs counted. The zero value is nothing. Many
// goroutines may ask it.
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

// NewLedger makes the ledger of contents.
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
	for n := range sizes {
		l.sizes = append(l.sizes, n)
	}
	slices.Sort(l.sizes)
	return l
}

// Contents gives what was counted, in an order that depends on it alone. It is
// not to be changed.
func (l *Ledger) Contents() []Counted { return l.contents }

func compareCounted(a, b Counted) int {
	return cmp.Or(bytes.Compare(a.Head[:], b.Head[:]), cmp.Compare(a.Size, b.Size), bytes.Compare(a.Tail[:], b.Tail[:]),
		cmp.Compare(a.Left, b.Left), bytes.Compare(a.LeftSum[:], b.LeftSum[:]), bytes.Compare(a.Stored[:], b.Stored[:]),
		cmp.Compare(a.Lines, b.Lines), cmp.Compare(a.Missed, b.Missed))
}

// candidates gives the contents that begin as head does, which is the first
// headSize bytes of an input or all of it, in ascending order of their size.
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

// partial gives the content of which nothing was counted because it was nothing
// but a line without its end, which is line; -1 where there is none.
func (l *Ledger) partial(line []byte) int {
	sum := sha256.Sum256(line)
	return slices.IndexFunc(l.contents, func(c Counted) bool {
		return c.Size == 0 && c.Left == int64(len(line)) && c.LeftSum == sum
	})
}

// Next gives what was counted when a run has counted now: content of which more
// was counted than before, and what was met again, takes the place of what was
// known; met tells which contents that is.
func (l *Ledger) Next(now []Counted, met map[int]bool) *Ledger {
	next := slices.Clone(now)
	for i, c := range l.contents {
		if met[i] {
			continue
		}
		if c.Missed++; c.Missed <= forgetRuns {
			next = append(next, c)
		}
	}
	slices.SortFunc(next, compareCounted)
	next = slices.CompactFunc(next, func(a, b Counted) bool { return a.same(&b) })
	if len(next) > maxContents {
		slices.SortStableFunc(next, func(a, b Counted) int { return cmp.Compare(a.Missed, b.Missed) })
		next = next[:maxContents]
	}
	return NewLedger(next)
}

// same tells whether both are the same content; of those compareCounted brings
// the one that was given last first.
func (c *Counted) same(d *Counted) bool {
	e := *d
	e.Missed = c.Missed
	return *c == e
}
