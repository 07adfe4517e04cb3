package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"logscan/parse/source/compress"

	"github.com/zeebo/xxh3"
)

const (
	// headSize is how many bytes of content are compared before all of it is.
	headSize = 64 << 10
	// minDuplicate is how many bytes of content must be the same to be a copy:
	// two servers may well log the same two lines.
	minDuplicate = 256
)

// Duplicate is an input whose content is that of an earlier one.
type Duplicate struct {
	Input
	Of string // path of the one that is kept
}

// fingerprint is what content is compared by.
type fingerprint struct {
	head xxh3.Uint128 // of its first headSize bytes: whether it is worth to read on
	full [sha256.Size]byte
	size int64 // bytes that were read
	// total is how many there are, 0 where that is not known before all is read.
	total int64
	known bool // that there is a head
	// whole says that all was read without an error. What cannot be read is the
	// same as nothing.
	whole bool
}

// printOf reads r to its end. A log that is taken for a copy is not read, and
// logs are written by attackers: the sum is cryptographic.
func (c *contents) printOf(r io.Reader) fingerprint {
	head, all := peek(r, c.scratch())
	p := printOfHead(head, all.err)
	if p.whole || !p.known {
		return p
	}
	sum := sha256.New()
	sum.Write(head) // never fails; from here on its memory is free
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, c.scratch())
	p.size, p.whole = p.size+n, err == nil
	sum.Sum(p.full[:0])
	return p
}

// printOfHead is what is known by the first headSize bytes, where err is why
// there are no more of them; nil where there may be.
func printOfHead(head []byte, err error) fingerprint {
	p := fingerprint{size: int64(len(head))}
	if err == nil || err == io.EOF {
		p.known, p.head = true, xxh3.Hash128(head)
	}
	if err == io.EOF {
		p.whole, p.full = true, sha256.Sum256(head)
	}
	return p
}

// Distinct leaves out inputs whose decompressed content is that of another,
// such as access.log.1 and access.log.1.gz. Of those that are the same the
// first by path is kept. Standard input, pipes and what cannot be read to its
// end are never the same as anything, and neither is what is shorter than 256
// bytes.
//
// The beginning of every input is read for that, and all of it only where the
// beginning of another is the same and its size may be.
func Distinct(ctx context.Context, inputs []Input, workers int) (kept []Input, same []Duplicate, err error) {
	prints := make([]fingerprint, len(inputs))
	if len(inputs) > 1 {
		err = each(ctx, workers, len(inputs), func(ctx context.Context, c *contents, i int) error {
			prints[i] = c.print(ctx, inputs[i], false)
			return ctx.Err()
		})
	}
	if err == nil {
		alike := alike(prints)
		err = each(ctx, workers, len(alike), func(ctx context.Context, c *contents, n int) error {
			i := alike[n]
			prints[i] = c.print(ctx, inputs[i], true)
			return ctx.Err()
		})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compare inputs: %w", err)
	}
	type content struct {
		full [sha256.Size]byte
		size int64
	}
	first := map[content]string{}
	order := make([]int, len(inputs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return byPath(inputs[a], inputs[b]) })
	copies := map[int]bool{}
	for _, i := range order {
		p := &prints[i]
		if !p.whole || p.size < minDuplicate {
			continue
		}
		key := content{p.full, p.size}
		if of, ok := first[key]; ok {
			same = append(same, Duplicate{inputs[i], of})
			copies[i] = true
		} else {
			first[key] = inputs[i].Path
		}
	}
	for i, in := range inputs {
		if !copies[i] {
			kept = append(kept, in)
		}
	}
	return kept, same, nil
}

// alike gives the inputs that have to be read to tell whether they are the
// same as another one.
func alike(prints []fingerprint) []int {
	type beginning struct {
		head xxh3.Uint128
		size int64 // of all, 0 where it is not known
	}
	sizes := map[beginning]int{}
	counted := map[xxh3.Uint128]int{}
	for _, p := range prints {
		if p.known && p.size >= minDuplicate {
			counted[p.head]++
			sizes[beginning{p.head, p.total}]++
		}
	}
	var all []int
	for i, p := range prints {
		if !p.known || p.size < minDuplicate || p.whole {
			continue
		}
		// Whose size is known can only be the same as what has that size or one
		// that is not known.
		others := counted[p.head]
		if p.total > 0 {
			others = sizes[beginning{p.head, p.total}] + sizes[beginning{p.head, 0}]
		}
		if others > 1 {
			all = append(all, i)
		}
	}
	return all
}

// print gives what an input is compared by, of all of it or, where that does
// not cost more, of its beginning.
func (c *contents) print(ctx context.Context, in Input, full bool) fingerprint {
	if in.reader != nil || in.told != nil || in.pipe() {
		return fingerprint{}
	}
	if in.sequential() {
		return in.member.print
	}
	f, err := in.open(0)
	if err != nil {
		return fingerprint{}
	}
	defer f.file.Close() // it is only read
	// It tells where the file becomes shorter.
	src := io.Reader(f.ranged(0))
	if f.compression != compress.None || in.layered() {
		src = c.decoded(ctx, in, f)
	}
	if full {
		return c.printOf(src)
	}
	head, all := peek(src, c.scratch())
	p := printOfHead(head, all.err)
	if f.compression == compress.None && !in.layered() {
		p.total = f.size
	}
	return p
}
