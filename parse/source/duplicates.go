package source

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"logscan/parse/source/compress"

	"github.com/zeebo/xxh3"
)

const (
	// headSize is how many bytes of content are compared before all of it is.
	headSize = 64 << 10
	// minDuplicate is the minimum size of a copy in bytes: two servers may well log the
	// same two lines.
	minDuplicate = 256
)

// Duplicate is an input with the content of an earlier one.
type Duplicate struct {
	Input
	Of string // path of the input that is kept
}

// fingerprint is what inputs are compared by.
type fingerprint struct {
	head  xxh3.Uint128 // of the first headSize bytes; decides whether the rest is read
	full  [sha256.Size]byte
	size  int64 // bytes read
	known bool  // head is set
	// whole means that everything was read without an error, and full and size are set.
	// What cannot be read is a copy of nothing.
	whole bool
}

// fingerprintOf reads r to its end. An input that is taken for a copy is not read, and
// attackers write into logs, so the sum is cryptographic.
func (c *contents) fingerprintOf(r io.Reader) fingerprint {
	head, all := peek(r, c.scratch())
	p := headFingerprint(head, all.err)
	if !p.known {
		return p
	}
	sum := sha256.New()
	sum.Write(head) // never fails; head's memory is reused from here on
	p.size, p.whole = int64(len(head)), true
	if all.err == nil {
		n, err := io.CopyBuffer(struct{ io.Writer }{sum}, struct{ io.Reader }{r}, c.scratch())
		p.size, p.whole = p.size+n, err == nil
	}
	sum.Sum(p.full[:0])
	return p
}

// headFingerprint returns the fingerprint of the first headSize bytes. err is why there are
// no more of them, or nil if there may be.
func headFingerprint(head []byte, err error) fingerprint {
	if err != nil && err != io.EOF {
		return fingerprint{}
	}
	return fingerprint{known: true, head: xxh3.Hash128(head)}
}

// Distinct removes inputs whose decompressed content is that of another, such as
// access.log.1 and access.log.1.gz, and keeps the first. Standard input, pipes,
// what cannot be read to its end and what is shorter than 256 bytes are never copies.
//
// It reads the beginning of every input, and all of those whose beginning is that of
// another.
func Distinct(ctx context.Context, inputs []Input, workers int) (kept []Input, same []Duplicate, err error) {
	prints := make([]fingerprint, len(inputs))
	if len(inputs) > 1 {
		err = forEach(ctx, AtOnce(inputs, workers), len(inputs), func(ctx context.Context, c *contents, i int) error {
			prints[i] = c.fingerprint(ctx, inputs[i], false)
			return ctx.Err()
		})
	}
	if err == nil {
		undecided := undecided(prints)
		err = forEach(ctx, AtOnce(inputs, workers), len(undecided), func(ctx context.Context, c *contents, n int) error {
			i := undecided[n]
			prints[i] = c.fingerprint(ctx, inputs[i], true)
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
	first := make(map[content]string, len(inputs))
	kept = make([]Input, 0, len(inputs))
	for i, in := range inputs {
		p := &prints[i]
		key := content{p.full, p.size}
		comparable := p.whole && p.size >= minDuplicate
		if of, ok := first[key]; ok && comparable {
			same = append(same, Duplicate{in, of})
			continue
		}
		if comparable {
			first[key] = in.Path
		}
		kept = append(kept, in)
	}
	return kept, same, nil
}

// undecided returns the indexes of the inputs that must be read to the end to decide
// whether they are copies: those whose beginning another has, too.
func undecided(prints []fingerprint) []int {
	count := map[xxh3.Uint128]int{}
	for _, p := range prints {
		if p.known {
			count[p.head]++
		}
	}
	var all []int
	for i, p := range prints {
		if p.known && !p.whole && count[p.head] > 1 {
			all = append(all, i)
		}
	}
	return all
}

// fingerprint returns the fingerprint of an input: of all its content if full is set, else
// of its beginning.
func (c *contents) fingerprint(ctx context.Context, in Input, full bool) fingerprint {
	if in.reader != nil || in.settled != nil {
		return fingerprint{}
	}
	if in.sequential() {
		return in.member.print
	}
	if in.begins.known && !full {
		return in.begins
	}
	if in.pipe() {
		return fingerprint{}
	}
	f, err := in.open(0)
	if err != nil {
		return fingerprint{}
	}
	defer f.close()
	// A range reports a file that shrinks.
	src := io.Reader(f.ranged(0))
	if f.compression != compress.None || in.layered() {
		src = c.decoded(ctx, in, f)
	}
	if full {
		return c.fingerprintOf(src)
	}
	head, all := peek(src, c.scratch())
	return headFingerprint(head, all.err)
}
