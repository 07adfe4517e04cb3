package spill

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// entry is a record of a test.
type entry struct {
	key     uint32
	payload []byte
}

var entryCodec = Codec[entry]{
	Append: func(dst []byte, e *entry) []byte {
		dst = binary.LittleEndian.AppendUint32(dst, e.key)
		return append(binary.AppendUvarint(dst, uint64(len(e.payload))), e.payload...)
	},
	Read: func(e *entry, src []byte) []byte {
		e.key = binary.LittleEndian.Uint32(src)
		n, size := binary.Uvarint(src[4:])
		src = src[4+size:]
		e.payload = src[:n]
		return src[n:]
	},
	Compare: func(a, b *entry) int { return cmp.Compare(a.key, b.key) },
}

func space(t *testing.T) *Space {
	t.Helper()
	s := NewSpace(filepath.Join(t.TempDir(), "spill"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestFile(t *testing.T) {
	s := space(t)
	f, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var pieces [][]byte
	var places []Place
	for _, size := range []int{0, 1, 100, runPiece, 3 * maxKeptBuffer, 7} {
		piece := make([]byte, size)
		for i := range piece {
			piece[i] = byte(r.IntN(4))
		}
		p, err := f.Append(piece)
		if err != nil {
			t.Fatal(err)
		}
		pieces, places = append(pieces, piece), append(places, p)
	}
	var buf []byte
	for _, i := range r.Perm(len(pieces)) {
		got, err := f.Read(places[i], buf)
		if err != nil || !bytes.Equal(got, pieces[i]) {
			t.Errorf("piece %d of %d bytes: %d bytes, %v", i, len(pieces[i]), len(got), err)
		}
		buf = got
	}
	info, err := os.Stat(filepath.Join(s.dir, "0"))
	if err != nil || info.Size() != s.Written() {
		t.Errorf("Written() = %d, file: %v, %v", s.Written(), info, err)
	}
}

func TestSpaceClose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spill")
	s := NewSpace(dir)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory exists before the first file: %v", err)
	}
	for range 3 {
		if _, err := s.Create(); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range map[string]string{"directory": dir, "file": filepath.Join(dir, "2")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is accessible to others: %v, %v", name, info.Mode(), err)
		}
	}
	for range 2 { // a second Close does nothing
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory remains: %v", err)
	}
}

func TestSpaceExists(t *testing.T) {
	dir := t.TempDir() // it exists
	if _, err := NewSpace(dir).Create(); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing directory is used: %v", err)
	}
}

func TestCorruptFile(t *testing.T) {
	piece := bytes.Repeat([]byte("a line of a log\n"), 1000)
	for name, damage := range map[string]func(f *os.File) error{
		"truncated": func(f *os.File) error { return f.Truncate(10) },
		"changed":   func(f *os.File) error { _, err := f.WriteAt([]byte{0xff, 0xff, 0xff, 0xff, 0xff}, 0); return err },
		"zeros":     func(f *os.File) error { _, err := f.WriteAt(make([]byte, 16), 0); return err },
	} {
		f, err := space(t).Create()
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Append(piece)
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(f.f.(*os.File)); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Read(p, nil); err == nil {
			t.Errorf("%s: read %d bytes without an error", name, len(got))
		} else if !strings.Contains(err.Error(), "temporary file") {
			t.Errorf("%s: %v does not mention a temporary file", name, err)
		}
	}
}

// TestSorted compares any number of sorters, with and without files, with a sort in
// memory.
func TestSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, tt := range []struct {
		name                          string
		records, sorters, limit, keys int
	}{
		{"no records", 0, 3, 10, 10},
		{"in memory", 1000, 3, 1 << 30, 1000},
		{"on disk", 5000, 3, 100, 1 << 30},
		{"one run per record", 60, 1, 1, 1 << 30},
		{"some sorters are empty", 2, 5, 10, 10},
		{"few keys", 3000, 2, 64, 5},
		{"pieces of one large record", 40, 2, 7, 1 << 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := space(t)
			sorters := make([]*Sorter[entry], tt.sorters)
			for i := range sorters {
				sorters[i] = &Sorter[entry]{Codec: entryCodec, Space: s, Limit: tt.limit}
			}
			var want []entry
			for range tt.records {
				e := entry{uint32(r.IntN(tt.keys)), make([]byte, r.IntN(5))}
				if strings.HasPrefix(tt.name, "pieces") {
					e.payload = make([]byte, runPiece+r.IntN(runPiece))
				}
				for i := range e.payload {
					e.payload[i] = byte(e.key) // records of one key differ only in length
				}
				if err := sorters[r.IntN(len(sorters))].Add(e); err != nil {
					t.Fatal(err)
				}
				want = append(want, e)
			}
			sizes := func(list []entry) []int { // of the payloads, sorted
				var n []int
				for _, e := range list {
					n = append(n, len(e.payload))
				}
				slices.Sort(n)
				return n
			}
			slices.SortFunc(want, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
			for round := range 3 { // repeatable, also when merged
				if round == 2 {
					merged, err := Merged(sorters...)
					if err != nil {
						t.Fatal(err)
					}
					sorters = []*Sorter[entry]{merged}
				}
				var got []entry
				for e, err := range Sorted(sorters...) {
					if err != nil {
						t.Fatal(err)
					}
					for _, b := range e.payload {
						if b != byte(e.key) {
							t.Fatalf("record %d has the payload of record %d", e.key, b)
						}
					}
					got = append(got, entry{e.key, bytes.Clone(e.payload)})
				}
				if len(got) != len(want) {
					t.Fatalf("%d records, want %d", len(got), len(want))
				}
				for i := range got {
					if got[i].key != want[i].key {
						t.Fatalf("record %d is %d, want %d", i, got[i].key, want[i].key)
					}
				}
				if !slices.Equal(sizes(got), sizes(want)) {
					t.Error("payloads differ from those added")
				}
			}
			for range Sorted(sorters...) {
				break // an early end is allowed
			}
			if err := sorters[0].Drop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	lists := [][]entry{
		{{1, []byte("a")}, {3, []byte("a")}, {3, []byte("b")}},
		{},
		{{0, []byte("c")}, {1, []byte("c")}, {3, []byte("c")}, {9, []byte("c")}},
		{{1, []byte("d")}},
	}
	for n := range len(lists) + 1 {
		var sources []Source[entry]
		var want []string
		for _, l := range lists[:n] {
			sources = append(sources, FromSlice(l))
			for _, e := range l {
				want = append(want, string(rune('0'+e.key))+string(e.payload))
			}
		}
		slices.SortStableFunc(want, func(a, b string) int { return cmp.Compare(a[0], b[0]) })
		var got []string
		for e, err := range Merge(sources, entryCodec.Compare) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(rune('0'+e.key))+string(e.payload))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d sources: %v, want %v", n, got, want)
		}
	}
}

func TestMergeError(t *testing.T) {
	broken := errors.New("broken")
	for after := range 3 {
		left := after
		sources := []Source[entry]{
			FromSlice([]entry{{1, nil}, {2, nil}, {3, nil}, {4, nil}}),
			func() (*entry, error) {
				if left == 0 {
					return nil, broken
				}
				left--
				return &entry{key: 0}, nil
			},
		}
		n, last := 0, error(nil)
		for _, err := range Merge(sources, entryCodec.Compare) {
			n, last = n+1, err
		}
		if last != broken || n != after+1 {
			t.Errorf("error after %d records: yielded %d, the last with %v", after, n, last)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	s := space(t)
	w := &Sorter[entry]{Codec: entryCodec, Space: s, Limit: 1}
	if err := w.Add(entry{1, nil}); err != nil {
		t.Fatal(err)
	}
	w.file.f.(*os.File).Close() // the next write fails
	if err := w.Add(entry{2, nil}); err == nil {
		t.Error("no error of a failed write")
	}
	for _, err := range Sorted(w) {
		if err == nil {
			t.Error("no error of a failed read")
		}
	}
	w.file.temporary, _ = os.Open(os.DevNull) // for Close
}

// BenchmarkMerge measures the cost per record of merging many runs.
func BenchmarkMerge(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	lists := make([][]entry, 300)
	for i := range lists {
		for range 300 {
			lists[i] = append(lists[i], entry{key: r.Uint32()})
		}
		slices.SortFunc(lists[i], func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	}
	n := 0
	for b.Loop() {
		var sources []Source[entry]
		for _, l := range lists {
			sources = append(sources, FromSlice(l))
		}
		for range Merge(sources, entryCodec.Compare) {
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
}
