package tables

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v16/arrow"
	"github.com/apache/arrow/go/v16/arrow/array"
	"github.com/apache/arrow/go/v16/arrow/memory"
	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/file"
	"github.com/apache/arrow/go/v16/parquet/metadata"
)

// dictionary numbers the texts of a column of a row group in the order of their first
// appearance, as the Parquet library's encoder does, and writes the same bytes. The
// library allocates and hashes for every value; here the values of neighbouring rows,
// which mostly repeat, cost one comparison or lookup.
type dictionary struct {
	numbers map[string]int32
	values  []parquet.ByteArray // by number
	batches []uint32            // by number: the batch that had the value last
	batch   uint32

	indexes []int32             // scratch: the numbers of a batch
	seen    []parquet.ByteArray // scratch: the distinct values of a batch
	list    []parquet.ByteArray // scratch
}

// mostNew is the share of new texts in a batch from which a dictionary is not worth the time
// to look them up: plain texts, compressed, take about as much room.
const mostNew = 1.0 / 8

// numberedEncoder is the part of the library's dictionary encoder that is used here.
type numberedEncoder interface {
	Put([]parquet.ByteArray)
	PutIndices(arrow.Array) error
}

// write writes the texts of a batch of rows, each as many times as times says. levels has one
// value for each row, and is nil if the column is not nullable.
func (d *dictionary) write(w *file.ByteArrayColumnChunkWriter, texts []string, times []int, levels []int16) error {
	encoder, ok := w.CurrentEncoder().(numberedEncoder) // not after too many distinct values
	known := len(d.values)
	if ok && !d.number(texts, times) {
		w.FallbackToPlain()
		ok = false
	}
	if !ok {
		*d = dictionary{list: byteArrays(d.list, texts, times)}
		_, err := w.WriteBatch(d.list, levels, nil)
		return err
	}
	from := 0 // first index that the encoder does not have
	for i, n := range d.indexes {
		if int(n) < known {
			continue
		}
		if err := putIndexes(encoder, d.indexes[from:i]); err != nil {
			return err
		}
		encoder.Put(d.values[n : n+1])
		known, from = known+1, i+1
	}
	if err := putIndexes(encoder, d.indexes[from:]); err != nil {
		return err
	}
	if s, ok := w.PageStatistics().(*metadata.ByteArrayStatistics); ok {
		s.Update(d.seen, 0)
	}
	// The encoder has the values: this counts the rows, and ends the page or the
	// dictionary if it has become large.
	if levels == nil {
		levels = make([]int16, len(d.indexes))
	}
	_, err := w.WriteBatch(nil, levels, nil)
	return err
}

// number fills d.indexes and d.seen. It reports false if many texts are new.
func (d *dictionary) number(texts []string, times []int) bool {
	if d.numbers == nil {
		d.numbers = map[string]int32{}
	}
	rows := 0
	for _, n := range times {
		rows += n
	}
	limit := len(d.values) + max(int(mostNew*float64(rows)), 1)
	d.batch++
	d.indexes, d.seen = slices.Grow(d.indexes[:0], rows), d.seen[:0]
	for i, s := range texts {
		n := d.find(s)
		if len(d.values) > limit {
			return false
		}
		if d.batches[n] != d.batch {
			d.batches[n] = d.batch
			d.seen = append(d.seen, d.values[n])
		}
		for range times[i] {
			d.indexes = append(d.indexes, n)
		}
	}
	return true
}

// find returns the number of a text, the next one if it is new.
func (d *dictionary) find(s string) int32 {
	n, ok := d.numbers[s]
	if ok {
		return n
	}
	s = validText(s)
	if n, ok = d.numbers[s]; !ok {
		n = int32(len(d.values))
		d.numbers[s] = n
		d.values, d.batches = append(d.values, parquet.ByteArray(s)), append(d.batches, 0)
	}
	return n
}

func putIndexes(encoder numberedEncoder, indexes []int32) error {
	if len(indexes) == 0 {
		return nil
	}
	b := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(indexes))
	return encoder.PutIndices(array.NewInt32Data(array.NewData(arrow.PrimitiveTypes.Int32, len(indexes), []*memory.Buffer{nil, b}, nil, 0, 0)))
}

// byteArrays returns texts as valid UTF-8 in the type of the library, reusing list. times, if
// it is not nil, is how often each comes. The bytes are copied because the library's
// statistics keep references to the minimum and maximum.
func byteArrays(list []parquet.ByteArray, texts []string, times []int) []parquet.ByteArray {
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	copied := make([]byte, 0, size)
	list = slices.Grow(list[:0], len(texts))
	for i, s := range texts {
		from := len(copied)
		copied = append(copied, validText(s)...)
		list = append(list, copied[from:len(copied):len(copied)])
		for n := 1; times != nil && n < times[i]; n++ {
			list = append(list, list[len(list)-1])
		}
	}
	return list
}

// validText returns s as valid UTF-8: readers reject a file for one bad byte.
func validText(s string) string {
	if utf8.ValidString(s) { // nearly always, and ToValidUTF8 decodes every rune
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
