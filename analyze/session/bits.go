package session

import "math/bits"

// Bits is a set of numbers. It grows as they are added.
type Bits []uint64

// Add adds a number.
func (b *Bits) Add(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

// Merge adds the numbers of another set.
func (b *Bits) Merge(other Bits) {
	for len(*b) < len(other) {
		*b = append(*b, 0)
	}
	for i, word := range other {
		(*b)[i] |= word
	}
}

// Remove removes the numbers of another set.
func (b Bits) Remove(other Bits) {
	for i, word := range other[:min(len(b), len(other))] {
		b[i] &^= word
	}
}

// Each yields the numbers in ascending order.
func (b Bits) Each(yield func(int) bool) {
	for n, word := range b {
		for ; word != 0; word &= word - 1 {
			if !yield(64*n + bits.TrailingZeros64(word)) {
				return
			}
		}
	}
}

// Has reports whether a number is in the set.
func (b Bits) Has(i int) bool { return i/64 < len(b) && b[i/64]>>(i%64)&1 != 0 }

// Len returns how many numbers are in the set.
func (b Bits) Len() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}
