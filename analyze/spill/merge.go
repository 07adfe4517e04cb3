package spill

import "iter"

// Merge yields the records of sorted sources in order; equal records in the order
// of the sources. It stops at the first error, which it yields.
func Merge[T any](sources []Source[T], compare func(a, b *T) int) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		if len(sources) == 0 {
			return
		}
		t := tournament[T]{compare: compare, heads: make([]*T, len(sources)), losers: make([]int, len(sources))}
		for i, next := range sources {
			x, err := next()
			if err != nil {
				yield(nil, err)
				return
			}
			t.heads[i] = x
		}
		first := t.play(1)
		for t.heads[first] != nil {
			if !yield(t.heads[first], nil) {
				return
			}
			x, err := sources[first]()
			if err != nil {
				yield(nil, err)
				return
			}
			t.heads[first] = x
			first = t.replay(first)
		}
	}
}

// tournament finds the source with the first record. It is a tree of losers
// (Knuth, The Art of Computer Programming 3, 5.4.1), which takes one comparison
// per level where a heap takes two. Source i is leaf len(heads) + i, the children
// of node n are 2n and 2n+1, and node 1 is the root.
type tournament[T any] struct {
	heads   []*T // the next record of each source; nil at its end
	losers  []int
	compare func(a, b *T) int
}

// play plays all games below a node and returns the winner.
func (t *tournament[T]) play(node int) int {
	if node >= len(t.heads) {
		return node - len(t.heads)
	}
	a, b := t.play(2*node), t.play(2*node+1)
	if t.before(b, a) {
		a, b = b, a
	}
	t.losers[node] = b
	return a
}

// replay plays the games of the last winner again, after its record has changed.
func (t *tournament[T]) replay(winner int) int {
	for node := (winner + len(t.heads)) / 2; node > 0; node /= 2 {
		if t.before(t.losers[node], winner) {
			t.losers[node], winner = winner, t.losers[node]
		}
	}
	return winner
}

func (t *tournament[T]) before(a, b int) bool {
	x, y := t.heads[a], t.heads[b]
	switch {
	case x == nil:
		return false
	case y == nil:
		return true
	}
	if c := t.compare(x, y); c != 0 {
		return c < 0
	}
	return a < b
}
