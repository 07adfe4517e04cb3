package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v16/parquet/file"
)

// A column that is numbered here has the bytes that the library gives it, from
// the first value to the last statistics.
func TestDictionaryEqualsLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	few := func() string {
		return []string{"GET", "POST", "", "/a/b", "/a/c", "Mozilla/5.0 (X11; Linux)", "\xff\xfe", "z\xff"}[r.IntN(8)]
	}
	some := func() string { return fmt.Sprintf("user-%d", int(r.ExpFloat64()*3000)) }
	many := func() string { return fmt.Sprintf("/a/rather/long/path/that/is/never/the/same/%d", r.Uint64()) }
	mixed := func() string {
		if r.IntN(100) == 0 {
			return many()
		}
		return few()
	}
	for name, next := range map[string]func() string{
		"few": few, "some": some, "many": many, "mixed": mixed, "one": func() string { return "-" },
	} {
		for _, nullable := range []bool{false, true} {
			table := Table{Name: "t", Columns: []Column{{Name: "c", Type: Text, Nullable: nullable}}}
			var batches []*batch
			for _, rows := range []int{batchRows, batchRows, 1, batchRows, 77} {
				b := &batch{columns: make([]columnBuffer, 1), rows: rows}
				c := &b.columns[0]
				for range rows {
					s := next()
					if present := !nullable || s != ""; present {
						c.texts, c.levels = append(c.texts, s), append(c.levels, 1)
					} else {
						c.levels = append(c.levels, 0)
					}
				}
				if !nullable {
					c.levels = nil
				}
				batches = append(batches, b)
			}
			written := func(write func(w *file.ByteArrayColumnChunkWriter, d *dictionary, b *batch) error) []byte {
				var out bytes.Buffer
				useOneEncoder.Do(registerEncoder)
				f := file.NewParquetWriter(&out, parquetSchema(&table), file.WithWriterProps(properties(&table, "test")))
				for range 2 {
					group, d := f.AppendBufferedRowGroup(), newDictionary(batches[0].rows)
					for _, b := range batches {
						w, err := group.Column(0)
						if err != nil {
							t.Fatal(err)
						}
						if err := write(w.(*file.ByteArrayColumnChunkWriter), d, b); err != nil {
							t.Fatal(err)
						}
					}
					if err := group.Close(); err != nil {
						t.Fatal(err)
					}
				}
				body := out.Len()
				if err := f.FlushWithFooter(); err != nil {
					t.Fatal(err)
				}
				foot, err := ordered(out.Bytes()[body:])
				if err != nil {
					t.Fatal(err)
				}
				return append(out.Bytes()[:body:body], foot...)
			}
			got := written(func(w *file.ByteArrayColumnChunkWriter, d *dictionary, b *batch) error {
				return d.write(w, b.columns[0].texts, b.columns[0].levels, b.rows)
			})
			want := written(func(w *file.ByteArrayColumnChunkWriter, _ *dictionary, b *batch) error {
				_, err := w.WriteBatch(new(dictionary).copied(b.columns[0].texts), b.columns[0].levels, nil)
				return err
			})
			if !bytes.Equal(got, want) {
				t.Errorf("%s, nullable %v: %d bytes are not the library's %d", name, nullable, len(got), len(want))
			}
		}
	}
}
