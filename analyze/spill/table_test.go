package spill

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A table returns what was added, in any order and to several goroutines, and keeps a
// bounded number of pages in memory.
func TestTable(t *testing.T) {
	codec := Codec[uint64]{
		Append: func(dst []byte, x *uint64) []byte { return binary.LittleEndian.AppendUint64(dst, *x) },
		Read: func(x *uint64, src []byte) []byte {
			*x = binary.LittleEndian.Uint64(src)
			return src[8:]
		},
	}
	space := NewSpace(filepath.Join(t.TempDir(), "space"))
	defer space.Close()
	file, err := space.Create()
	if err != nil {
		t.Fatal(err)
	}
	const kept = 2 * leastPages
	const n = 3*kept*tablePage + 5
	list := make([]uint64, n)
	onDisk := NewTable(codec, file, kept*tablePage)
	for i := range list {
		list[i] = uint64(i) * 7
		if err := onDisk.Append(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := onDisk.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []*Table[uint64]{onDisk, TableOf(list)} {
		var g sync.WaitGroup
		for _, step := range []int{1, n - tablePage/10, tablePage*5 + 3} {
			g.Go(func() {
				for i, at := 0, 0; i < 2000; i, at = i+1, (at+step)%n {
					if got := *table.At(at); got != uint64(at)*7 {
						t.Errorf("record %d is %d", at, got)
						return
					}
				}
			})
		}
		g.Wait()
		next := 0
		for i, got := range table.All() {
			if i != next || *got != uint64(i)*7 {
				t.Fatalf("record %d is %d, want record %d", i, *got, next)
			}
			next++
		}
		third := func(i int) bool { return i%3 == 2 }
		next = 2
		for i, got := range table.Those(third) {
			if i != next || *got != uint64(i)*7 {
				t.Fatalf("record %d is %d, want record %d", i, *got, next)
			}
			next += 3
		}
		if next < n {
			t.Errorf("record %d is missing", next)
		}
		jumps := []uint32{0, 1, 63, 64, 2000, 2001, 7, n - 1}
		for i, got := range table.Of(slices.Values(jumps)) {
			if i != jumps[0] || *got != uint64(i)*7 {
				t.Fatalf("record %d is %d, want record %d", i, *got, jumps[0])
			}
			jumps = jumps[1:]
		}
		if err := table.Change(space, func(i int, x *uint64) { *x += uint64(i) }); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, n - 1, tablePage} {
			if got := *table.At(i); got != uint64(i)*8 {
				t.Errorf("changed record %d is %d", i, got)
			}
		}
		table.Truncate(n - 1)
		last := 0
		for i := range table.All() {
			last = i
		}
		if last != n-2 || table.Len() != n-1 || table.Err() != nil {
			t.Errorf("%d records, %v", table.Len(), table.Err())
		}
	}
	if len(onDisk.kept) != kept {
		t.Errorf("%d pages in memory, want %d", len(onDisk.kept), kept)
	}
	if err := onDisk.file.f.(*os.File).Close(); err != nil {
		t.Fatal(err)
	}
	for at := range n / tablePage {
		onDisk.At(at * tablePage)
	}
	for i, x := range onDisk.All() {
		if *x != 0 {
			t.Fatalf("record %d is %d without a file", i, *x)
		}
	}
	if onDisk.Err() == nil {
		t.Error("no error of a file that cannot be read")
	}
	for range (*Table[int])(nil).All() {
		t.Error("a nil table is not empty")
	}
}
