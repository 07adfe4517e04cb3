package spill

import (
	"encoding/binary"
	"os"
	"path/filepath"
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
		if table.Len() != n || table.Err() != nil {
			t.Errorf("%d records, %v", table.Len(), table.Err())
		}
	}
	if len(onDisk.kept) != kept {
		t.Errorf("%d pages in memory, want %d", len(onDisk.kept), kept)
	}
	if err := file.f.(*os.File).Close(); err != nil {
		t.Fatal(err)
	}
	for at := range n / tablePage {
		onDisk.At(at * tablePage)
	}
	if onDisk.Err() == nil {
		t.Error("no error of a file that cannot be read")
	}
	if (*Table[int])(nil).Len() != 0 {
		t.Error("a nil table is not empty")
	}
}
