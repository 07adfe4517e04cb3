package spill

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

type record struct{ key, rest uint64 }

var recordCodec = Codec[record]{
	Append: func(dst []byte, x *record) []byte {
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, x.key), x.rest)
	},
	Read: func(x *record, src []byte) []byte {
		x.key, x.rest = binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
		return src[16:]
	},
	Compare: func(a, b *record) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.rest, b.rest)) },
	Key:     func(x *record) uint64 { return x.key },
}

// Records come in order, in memory and from disk, however many have one key.
func TestSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 100, 5000} {
		for _, limit := range []int{0, 300} {
			sorters := []*Sorter[record]{{Codec: recordCodec}, {Codec: recordCodec}}
			if limit > 0 {
				space := NewSpace(filepath.Join(t.TempDir(), "spill"))
				defer space.Close()
				for _, s := range sorters {
					s.Space, s.Limit = space, limit
				}
			}
			var want []record
			for i := range n {
				x := record{r.Uint64N(uint64(n)/3 + 1), r.Uint64N(5)}
				want = append(want, x)
				if err := sorters[i%2].Add(x); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortFunc(want, func(a, b record) int { return recordCodec.Compare(&a, &b) })
			for range 2 { // it may be asked again
				var got []record
				for x, err := range Sorted(sorters...) {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, *x)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d records, at most %d in memory: not in order", n, limit)
				}
			}
		}
	}
}
