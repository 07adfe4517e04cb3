package report

import (
	"fmt"
	"math/bits"
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

// dictionary numbers the texts of a column of a row group as the Parquet library
// does, by first appearance. The library hashes every value; the values of
// neighbouring rows repeat, and most are the very same string, which is seen at
// a glance. The file is the same, byte by byte.
type dictionary struct {
	ids    map[string]int32
	values []parquet.ByteArray // by number
	stamps []uint32            // by number: the batch that had it last
	batch  uint32
	near   []nearText // by nearPlace
	off    bool       // most texts are new: they are left to the library
	// Scratch.
	numbers []int32
	seen    []parquet.ByteArray // the distinct values of a batch
	levels  []int16
	list    []parquet.ByteArray
}

// nearText is the text that fell last into a place that a few of its bytes give.
type nearText struct {
	text   string
	number int32
}

const (
	nearTexts = 1 << 10 // at most; there is a power of two
	// someNew is the share of new texts in a batch from which on the library is
	// given them all: it takes numbers only in runs between new texts.
	someNew = 1.0 / 16
	// mostNew is the share from which on to number them is for nothing.
	mostNew = 1.0 / 4
)

// newDictionary gives one for rows that come in batches of up to so many.
func newDictionary(rows int) *dictionary {
	places := min(1<<bits.Len(uint(rows)), nearTexts)
	return &dictionary{ids: map[string]int32{}, near: make([]nearText, places)}
}

// numberedEncoder is what a dictionary encoder of the library offers.
type numberedEncoder interface {
	NumEntries() int
	Put([]parquet.ByteArray)
	PutIndices(arrow.Array) error
}

// write writes the texts of a batch of rows. Those of a nullable column have
// levels; levels is nil for another one.
func (d *dictionary) write(w *file.ByteArrayColumnChunkWriter, texts []string, levels []int16, rows int) error {
	encoder, ok := w.CurrentEncoder().(numberedEncoder)
	known := len(d.values)
	if ok && !d.off && known != encoder.NumEntries() {
		return fmt.Errorf("BUG: %d texts are numbered, %d written", known, encoder.NumEntries())
	}
	// Without a dictionary there were too many different ones.
	if !ok || d.off || !d.number(texts) {
		*d = dictionary{off: true, list: d.list}
		_, err := w.WriteBatch(d.copied(texts), levels, nil)
		return err
	}
	if err := d.put(encoder, known); err != nil {
		return err
	}
	if s, ok := w.PageStatistics().(*metadata.ByteArrayStatistics); ok {
		s.Update(d.seen, 0)
	}
	if levels == nil { // how many there are is all that is read of them
		if cap(d.levels) < rows {
			d.levels = make([]int16, batchRows)
		}
		levels = d.levels[:rows]
	}
	// The values are in the encoder: this counts the rows, and ends the page or
	// the dictionary where it has become large.
	_, err := w.WriteBatch(nil, levels, nil)
	return err
}

// number fills d.numbers and d.seen. It gives up where most texts are new.
func (d *dictionary) number(texts []string) bool {
	most := len(d.values) + int(mostNew*batchRows)
	d.batch++
	d.numbers, d.seen = d.numbers[:0], d.seen[:0]
	for _, s := range texts {
		near := &d.near[nearPlace(s)&uint32(len(d.near)-1)]
		if near.text != s || s == "" {
			if *near = (nearText{s, d.find(s)}); len(d.values) > most {
				return false
			}
		}
		n := near.number
		d.numbers = append(d.numbers, n)
		if d.stamps[n] != d.batch {
			d.stamps[n] = d.batch
			d.seen = append(d.seen, d.values[n])
		}
	}
	return true
}

// nearPlace mixes a few bytes of a text. Texts that fall together cost a look
// into the map, no more.
func nearPlace(s string) uint32 {
	h := uint32(len(s))
	if n := len(s); n >= 4 {
		h += uint32(s[n-1]) | uint32(s[n-2])<<8 | uint32(s[n-3])<<16 | uint32(s[n-4])<<24
		h = h*0x9e3779b1 + (uint32(s[n/2]) | uint32(s[n/4])<<8 | uint32(s[n/2+n/4])<<16)
	} else if n > 0 {
		h += uint32(s[0])<<8 | uint32(s[n-1])<<16
	}
	return h * 0x9e3779b1 >> 22
}

// find gives the number of a text, the next one where it is new.
func (d *dictionary) find(s string) int32 {
	s = valid(s)
	n, ok := d.ids[s]
	if !ok {
		n = int32(len(d.values))
		d.ids[s] = n
		d.values, d.stamps = append(d.values, parquet.ByteArray(s)), append(d.stamps, 0)
	}
	return n
}

// put gives the encoder the values of a batch; it knows the first ones.
func (d *dictionary) put(encoder numberedEncoder, known int) error {
	if float64(len(d.values)-known) > someNew*float64(len(d.numbers)) {
		d.list = slices.Grow(d.list[:0], len(d.numbers))
		for _, n := range d.numbers {
			d.list = append(d.list, d.values[n])
		}
		encoder.Put(d.list)
		return nil
	}
	from := 0 // of those that it has not been given
	for i, n := range d.numbers {
		if int(n) < known {
			continue
		}
		if err := putNumbers(encoder, d.numbers[from:i]); err != nil {
			return err
		}
		encoder.Put(d.values[n : n+1])
		known++
		from = i + 1
	}
	return putNumbers(encoder, d.numbers[from:])
}

func putNumbers(encoder numberedEncoder, numbers []int32) error {
	if len(numbers) == 0 {
		return nil
	}
	bytes := memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(numbers))
	data := array.NewData(arrow.PrimitiveTypes.Int32, len(numbers), []*memory.Buffer{nil, bytes}, nil, 0, 0)
	return encoder.PutIndices(array.NewInt32Data(data))
}

// copied gives texts as the library wants them, until the next call. Its
// statistics go on referring to the bytes of their minimum and maximum.
func (d *dictionary) copied(texts []string) []parquet.ByteArray {
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	bytes := make([]byte, 0, size)
	d.list = slices.Grow(d.list[:0], len(texts))
	for _, s := range texts {
		from := len(bytes)
		bytes = append(bytes, valid(s)...)
		d.list = append(d.list, bytes[from:len(bytes):len(bytes)])
	}
	return d.list
}

// valid gives s as valid UTF-8: readers refuse a file for one bad byte.
func valid(s string) string {
	if utf8.ValidString(s) { // mostly: ToValidUTF8 looks at every rune
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
