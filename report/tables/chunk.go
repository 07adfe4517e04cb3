package tables

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/metadata"
	"github.com/klauspost/compress/zstd"
)

// The library that makes the metadata of files can write columns as well, but allocates and
// hashes for every value; here a value that comes again costs a comparison or a lookup, and a
// column half the time.

const (
	// pageRows is the number of rows in a page, and pageSize how many bytes a page of values
	// has that are not in a dictionary. Small pages are compressed while rows are still being
	// made, and engines can skip them.
	pageRows = 5 * batchRows
	pageSize = 64 << 10
	// maxDictionary is the size of a dictionary in bytes from which the texts of a column are
	// no longer numbered: most are new.
	maxDictionary = 1 << 20
	// maxStatistic is the size in bytes of a text above which it is no minimum or maximum in
	// the statistics, as in other writers.
	maxStatistic = 4096
)

// chunk is a column of a row group while it is made: complete pages, compressed, and the rows
// of the next one.
type chunk struct {
	column *Column

	// The next page.
	rows            int
	levels, repeats []int16
	indexes         []int32 // of texts that are in the dictionary
	integers        []int64 // of a rising column
	plain           []byte  // other values
	booleans        int     // number of those in plain, as bits

	dictionary dictionary
	scratch    []byte
	compressed []byte // scratch

	first    []byte // the page of the dictionary; empty for none
	pages    []byte
	numbered int32 // pages whose values are in the dictionary
	others   int32
	size     int   // of all pages and their headers before compression, in bytes
	values   int64 // in pages, with nulls
	nulls    int64
	stats    statistics
}

// dictionary numbers texts in the order of their first appearance.
type dictionary struct {
	texts []string // by number
	size  int      // in bytes, encoded
	full  bool

	seed  maphash.Seed
	slots []slot // a power of two, at least twice as many as texts
}

// slot is the place of a text in a hash table. The hash is kept, so that most other texts are
// not looked at and the table grows without hashing again.
type slot struct {
	hash   uint32
	number uint32 // plus one; 0 for an empty slot
}

// find returns the number of a text, the next one if it is new.
func (d *dictionary) find(s string) int32 {
	if 2*len(d.texts) >= len(d.slots) {
		d.grow()
	}
	hash := uint32(maphash.String(d.seed, s))
	x := d.slot(hash, s)
	if x.number == 0 {
		if valid := validText(s); valid != s {
			return d.find(valid)
		}
		d.texts, d.size = append(d.texts, s), d.size+textLength+len(s)
		*x = slot{hash, uint32(len(d.texts))}
	}
	return int32(x.number) - 1
}

// slot returns the slot of a text, or the empty one where it belongs.
func (d *dictionary) slot(hash uint32, s string) *slot {
	for i := hash; ; i++ {
		x := &d.slots[i&uint32(len(d.slots)-1)]
		if x.number == 0 || x.hash == hash && d.texts[x.number-1] == s {
			return x
		}
	}
}

// grow makes room for more texts.
func (d *dictionary) grow() {
	const few = 64
	if d.slots == nil {
		d.seed = maphash.MakeSeed()
	}
	old := d.slots
	d.slots = make([]slot, max(few, 2*len(old)))
	for _, x := range old {
		if x.number != 0 {
			*d.slot(x.hash, d.texts[x.number-1]) = x
		}
	}
}

// reset empties the chunk for the next row group.
func (c *chunk) reset() {
	*c = chunk{
		column: c.column, levels: c.levels[:0], repeats: c.repeats[:0], indexes: c.indexes[:0], integers: c.integers[:0], plain: c.plain[:0],
		scratch: c.scratch, compressed: c.compressed, first: c.first[:0], pages: c.pages[:0],
	}
}

// add adds rows, and ends the page if it is large.
func (c *chunk) add(b *columnBuffer, rows int) {
	if c.column.Nullable || c.column.Type == List {
		c.levels = append(c.levels, b.levels...)
	}
	c.repeats = append(c.repeats, b.repeats...)
	c.rows += rows
	switch c.column.Type {
	case Text, JSON, List:
		c.addTexts(b.texts)
	case Integer, Time:
		c.stats.addIntegers(b.integers)
		if c.column.Rising {
			c.integers = append(c.integers, b.integers...)
			break
		}
		for _, n := range b.integers {
			c.plain = binary.LittleEndian.AppendUint64(c.plain, uint64(n))
		}
	case Real:
		c.stats.addReals(b.reals)
		for _, x := range b.reals {
			c.plain = binary.LittleEndian.AppendUint64(c.plain, math.Float64bits(x))
		}
	case Boolean:
		c.addBooleans(b.booleans)
	}
	if c.rows >= pageRows || len(c.plain)+len(c.integers)*8 >= pageSize {
		c.endPage()
	}
}

func (c *chunk) addTexts(texts []string) {
	d := &c.dictionary
	if d.full {
		for _, s := range texts {
			s = validText(s)
			c.stats.addText(s)
			c.plain = appendPlain(c.plain, s)
		}
		return
	}
	last, n := "", int32(-1)
	for _, s := range texts {
		if s != last || n < 0 {
			last, n = s, d.find(s)
		}
		c.indexes = append(c.indexes, n)
	}
	if d.size >= maxDictionary {
		c.endPage() // the next one has no dictionary
		d.full, d.slots = true, nil
	}
}

func (c *chunk) addBooleans(list []bool) {
	for _, x := range list {
		if c.booleans%8 == 0 {
			c.plain = append(c.plain, 0)
		}
		n := int64(0)
		if x {
			c.plain[len(c.plain)-1] |= 1 << (c.booleans % 8)
			n = 1
		}
		c.stats.addIntegers([]int64{n})
		c.booleans++
	}
}

// endPage completes the page.
func (c *chunk) endPage() {
	if c.rows == 0 {
		return
	}
	entries, nulls := c.rows, 0
	if c.levels != nil {
		entries = len(c.levels)
		for _, level := range c.levels {
			nulls += int(1 - level)
		}
	}
	page := c.scratch[:0]
	if c.column.Type == List {
		page = appendHybrid(page, c.repeats, 1)
	}
	repeats := len(page)
	if c.levels != nil {
		page = appendHybrid(page, c.levels, 1)
	}
	levels := len(page) - repeats
	encoding := parquet.Encodings.Plain
	switch {
	case c.column.textual() && !c.dictionary.full:
		width := bits.Len(uint(max(len(c.dictionary.texts)-1, min(len(c.dictionary.texts), 1))))
		page = appendHybrid(append(page, byte(width)), c.indexes, width)
		encoding = parquet.Encodings.RLEDict
	case c.column.Rising:
		page = appendDeltas(page, c.integers)
		encoding = parquet.Encodings.DeltaBinaryPacked
	default:
		page = append(page, c.plain...)
	}
	c.pages = c.appendPage(c.pages, page, levels+repeats, dataPage, entries, nulls, c.rows, int(encoding), levels, repeats)
	c.scratch = page
	if encoding == parquet.Encodings.RLEDict {
		c.numbered++
	} else {
		c.others++
	}
	c.values, c.nulls = c.values+int64(entries), c.nulls+int64(nulls)
	c.rows, c.booleans = 0, 0
	c.levels, c.repeats, c.indexes, c.integers, c.plain = c.levels[:0], c.repeats[:0], c.indexes[:0], c.integers[:0], c.plain[:0]
}

// end completes the last page and the dictionary.
func (c *chunk) end() {
	c.endPage()
	if !c.column.textual() {
		return
	}
	page := c.scratch[:0]
	for _, s := range c.dictionary.texts {
		c.stats.addText(s)
		page = appendPlain(page, s)
	}
	c.first = c.appendPage(c.first, page, 0, dictionaryPage, len(c.dictionary.texts), int(parquet.Encodings.Plain))
	c.scratch = page
}

// textLength is the size of the length before a text, in bytes.
const textLength = 4

// appendPlain appends a text in the encoding PLAIN.
func appendPlain(dst []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// pageType is a type of page, and the field of the page's header that only this type has.
type pageType struct{ number, field int }

var (
	dictionaryPage = pageType{2, 7}
	dataPage       = pageType{3, 8} // of version 2
)

// appendPage appends a page with its header. The first bytes of the page, as many as levels
// take, are not compressed. fields are those of the header of its type.
func (c *chunk) appendPage(dst, page []byte, levels int, kind pageType, fields ...int) []byte {
	c.compressed = encoder().EncodeAll(page[levels:], c.compressed[:0])
	start := len(dst)
	dst = appendFields(dst, kind.number, len(page), levels+len(c.compressed))
	dst = append(dst, byte(kind.field-3)<<4|0x0c) // a struct, and the distance to the field before
	dst = appendFields(dst, fields...)
	dst = append(dst, 0, 0) // the ends of both structs
	c.size += len(dst) - start + len(page)
	return append(append(dst, page[:levels]...), c.compressed...)
}

// appendFields appends the first fields of a struct, which are integers, in Thrift's compact
// protocol.
func appendFields(dst []byte, fields ...int) []byte {
	for _, n := range fields {
		dst = appendZigzag(append(dst, 0x15), n) // an integer of 32 bits, one after the field before
	}
	return dst
}

// encoder returns the encoder of all pages, which is safe for concurrent use.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return e
})

// describe sets the metadata of the chunk, which begins at an offset of the file.
func (c *chunk) describe(b *metadata.ColumnChunkMetaDataBuilder, offset int64) error {
	info := metadata.ChunkMetaInfo{
		NumValues: c.values, IndexPageOffset: -1, DataPageOffset: offset + int64(len(c.first)),
		CompressedSize: int64(len(c.first) + len(c.pages)), UncompressedSize: int64(c.size),
	}
	counts := metadata.EncodingStats{DataEncodingStats: map[parquet.Encoding]int32{}}
	hasDictionary := len(c.first) > 0
	if hasDictionary {
		info.DictPageOffset = offset
		counts.DictEncodingStats = map[parquet.Encoding]int32{parquet.Encodings.Plain: 1}
	}
	if c.numbered > 0 {
		counts.DataEncodingStats[parquet.Encodings.RLEDict] = c.numbered
	}
	if c.others > 0 {
		encoding := parquet.Encodings.Plain
		if c.column.Rising {
			encoding = parquet.Encodings.DeltaBinaryPacked
		}
		counts.DataEncodingStats[encoding] = c.others
	}
	stats := c.stats.encoded(c.column)
	stats.HasNullCount, stats.NullCount = true, c.nulls
	b.SetStats(stats)
	if err := b.Finish(info, hasDictionary, hasDictionary && c.others > 0, counts, nil); err != nil {
		return err
	}
	list := b.Contents().MetaData.EncodingStats // the library lists them in no order
	sort.Slice(list, func(i, j int) bool {      // the dictionary first, as in the file
		return cmp.Or(cmp.Compare(list[j].PageType, list[i].PageType), cmp.Compare(list[j].Encoding, list[i].Encoding)) < 0
	})
	return nil
}

// statistics are the least and the greatest values of a chunk.
type statistics struct {
	any                       bool
	leastInteger, mostInteger int64 // also of booleans
	leastReal, mostReal       float64
	leastText, mostText       string
}

func (s *statistics) addIntegers(list []int64) {
	if len(list) == 0 {
		return
	}
	least, most := slices.Min(list), slices.Max(list)
	if s.any {
		least, most = min(least, s.leastInteger), max(most, s.mostInteger)
	}
	s.any, s.leastInteger, s.mostInteger = true, least, most
}

func (s *statistics) addReals(list []float64) {
	for _, x := range list {
		if math.IsNaN(x) {
			continue
		}
		if !s.any {
			s.leastReal, s.mostReal = x, x
		}
		s.any, s.leastReal, s.mostReal = true, min(s.leastReal, x), max(s.mostReal, x)
	}
}

func (s *statistics) addText(text string) {
	if !s.any || text < s.leastText {
		s.leastText = text
	}
	if !s.any || text > s.mostText {
		s.mostText = text
	}
	s.any = true
}

// encoded returns the statistics as metadata have them.
func (s *statistics) encoded(c *Column) (e metadata.EncodedStatistics) {
	if !s.any {
		return e
	}
	word := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	e.Signed = !c.textual()
	switch c.Type {
	case Integer, Time:
		e.SetMin(word(uint64(s.leastInteger))).SetMax(word(uint64(s.mostInteger)))
	case Boolean:
		e.SetMin([]byte{byte(s.leastInteger)}).SetMax([]byte{byte(s.mostInteger)})
	case Real:
		least, most := s.leastReal, s.mostReal
		if least == 0 { // zeros are equal, whatever their sign
			least = math.Copysign(0, -1)
		}
		if most == 0 {
			most = 0
		}
		e.SetMin(word(math.Float64bits(least))).SetMax(word(math.Float64bits(most)))
	default:
		e.SetMin([]byte(s.leastText)).SetMax([]byte(s.mostText))
		e.ApplyStatSizeLimits(maxStatistic)
	}
	return e
}

// validText returns s as valid UTF-8: readers reject a file for one bad byte.
func validText(s string) string {
	if utf8.ValidString(s) { // nearly always, and ToValidUTF8 decodes every rune
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
