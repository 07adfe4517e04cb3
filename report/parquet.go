package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/compress"
	"github.com/apache/arrow/go/v16/parquet/file"
	"github.com/apache/arrow/go/v16/parquet/metadata"
	"github.com/apache/arrow/go/v16/parquet/schema"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

const (
	// rowGroupRows is how many rows make a row group. Engines read a group as
	// one piece of work, and skip it by its statistics; what is held in memory
	// is one group, encoded and compressed.
	rowGroupRows = 128 << 10
	// pageSize is how many bytes of a column are compressed together. With
	// small pages that is done while rows are still being made; the file grows
	// by half a percent over pages of a megabyte.
	pageSize = 64 << 10
	// batchRows is how many rows are turned into columns at a time, and how
	// often a run that is called off is noticed.
	batchRows = 4 << 10
)

// The keys of the metadata in every file.
const (
	keySchemaVersion = "logscan.schema_version"
	keyVersion       = "logscan.version"
	keyTable         = "logscan.table"
	keyECS           = "logscan.ecs"  // JSON object: our column names to ECS's
	keyOCSF          = "logscan.ocsf" // JSON object: our column names to OCSF's
)

// writeTable writes a table as Parquet. The rows are made once, by makeRows; the
// first error among them is returned.
func writeTable[R any](ctx context.Context, j *job, w io.Writer, t *Table, columns []column[R], makeRows func(context.Context, *batches[R]) error) error {
	useOneEncoder.Do(registerEncoder)
	version := strings.ToValidUTF8(j.run().Version, "\uFFFD")
	kept := &keptError{w: w}
	out := file.NewParquetWriter(kept, parquetSchema(t), file.WithWriterProps(properties(t, version)), file.WithWriteMetadata(keyValues(t, version)))
	p := &tableWriter{out: out, columns: t.Columns, texts: make([][]parquet.ByteArray, len(columns))}
	made := newBatches(columns)
	g, inGroup := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer made.end()
		return makeRows(inGroup, made)
	})
	g.Go(func() error {
		return made.each(inGroup, func(b *batch) error { return errors.Join(p.write(b), kept.err) })
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if err := errors.Join(p.endGroup(), kept.err); err != nil {
		return err
	}
	var foot bytes.Buffer
	kept.w = &foot
	if err := errors.Join(out.FlushWithFooter(), kept.err); err != nil {
		return err
	}
	footer, err := ordered(foot.Bytes())
	if err != nil {
		return err
	}
	if _, err := w.Write(footer); err != nil {
		return err
	}
	kept.n += int64(len(footer) - foot.Len())
	j.wrote(t.Name, tableSize{Rows: p.rows, Bytes: kept.n})
	return nil
}

// tableWriter writes batches into row groups.
type tableWriter struct {
	out       *file.Writer
	group     file.BufferedRowGroupWriter // open one, or nil
	groupRows int
	columns   []Column
	texts     [][]parquet.ByteArray // by column: reused for each batch
	rows      int64
}

// write writes a batch. Columns have nothing in common until their group ends:
// they are written side by side, unless rows are few.
func (p *tableWriter) write(b *batch) error {
	if p.group == nil {
		p.group = p.out.AppendBufferedRowGroup()
	}
	const few = 256
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range b.columns {
		w, err := p.group.Column(i)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		write := func() error {
			if err := p.writeColumn(w, i, b); err != nil {
				return fmt.Errorf("column %s: %w", p.columns[i].Name, err)
			}
			return nil
		}
		if b.rows > few {
			g.Go(write)
		} else if err := write(); err != nil {
			return err
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	p.groupRows += b.rows
	p.rows += int64(b.rows)
	if p.groupRows >= rowGroupRows {
		return p.endGroup()
	}
	return nil
}

func (p *tableWriter) endGroup() error {
	if p.group == nil {
		return nil
	}
	err := p.group.Close()
	p.group, p.groupRows = nil, 0
	return err
}

// writeColumn writes the values of a column of a batch.
func (p *tableWriter) writeColumn(w file.ColumnChunkWriter, column int, batch *batch) error {
	b := &batch.columns[column]
	levels := b.levels
	if !p.columns[column].Nullable {
		levels = nil
	}
	var err error
	switch w := w.(type) {
	case *file.ByteArrayColumnChunkWriter:
		p.texts[column] = byteArrays(p.texts[column], b.texts)
		_, err = w.WriteBatch(p.texts[column], levels, nil)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(b.integers, levels, nil)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(b.reals, levels, nil)
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(b.booleans, levels, nil)
	default:
		panic(fmt.Sprintf("BUG: no column is written by a %T", w))
	}
	return err
}

// byteArrays returns texts as valid UTF-8 in the form the library takes, in the
// memory of list. The bytes are copied, because the library's statistics keep
// referring to their minimum and maximum; readers refuse a file for one bad byte.
func byteArrays(list []parquet.ByteArray, texts []string) []parquet.ByteArray {
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	copied := make([]byte, 0, size)
	list = slices.Grow(list[:0], len(texts))
	for _, s := range texts {
		if !utf8.ValidString(s) { // rare, and ToValidUTF8 looks at every rune
			s = strings.ToValidUTF8(s, "\uFFFD")
		}
		from := len(copied)
		copied = append(copied, s...)
		list = append(list, copied[from:len(copied):len(copied)])
	}
	return list
}

// parquetSchema is the schema of a table in Parquet.
func parquetSchema(t *Table) *schema.GroupNode {
	const noID, noLength = -1, -1
	fields := make(schema.FieldList, len(t.Columns))
	for i, c := range t.Columns {
		repetition := parquet.Repetitions.Required
		if c.Nullable {
			repetition = parquet.Repetitions.Optional
		}
		logical, physical := schema.LogicalType(schema.NoLogicalType{}), parquet.Types.Int64
		switch c.Type {
		case Text:
			logical, physical = schema.StringLogicalType{}, parquet.Types.ByteArray
		case Real:
			physical = parquet.Types.Double
		case Time:
			logical = schema.NewTimestampLogicalType(true, schema.TimeUnitMicros)
		case Boolean:
			physical = parquet.Types.Boolean
		}
		fields[i] = schema.Must(schema.NewPrimitiveNodeLogical(c.Name, repetition, logical, physical, noLength, noID))
	}
	return schema.MustGroup(schema.NewGroupNode(t.Name, parquet.Repetitions.Required, fields, noID))
}

// properties are how the columns of a table are encoded: texts by dictionary,
// falling back to plain where there are too many different ones, numbers plain
// (zstd packs them as well as a dictionary does, and scans are quicker).
func properties(t *Table, version string) *parquet.WriterProperties {
	p := []parquet.WriterProperty{
		parquet.WithRootName(t.Name),
		parquet.WithCreatedBy("logscan version " + version),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithDictionaryDefault(false),
		parquet.WithStats(true),
		parquet.WithDataPageSize(pageSize),
		// With pages of version 1 the library copies all levels of a column for
		// every eight rows: half of the time of writing.
		parquet.WithDataPageVersion(parquet.DataPageV2),
		parquet.WithMaxRowGroupLength(rowGroupRows),
		parquet.WithBatchSize(batchRows),
	}
	for _, c := range t.Columns {
		if c.Type == Text {
			p = append(p, parquet.WithDictionaryFor(c.Name, true), parquet.WithCompressionFor(c.Name, compress.Codecs.Zstd),
				parquet.WithStatsFor(c.Name, true))
		}
	}
	return parquet.NewWriterProperties(p...)
}

// keyValues are the metadata of a table's file.
func keyValues(t *Table, version string) metadata.KeyValueMetadata {
	ecs, ocsf := map[string]string{}, map[string]string{}
	for _, c := range t.Columns {
		if c.ECS != "" {
			ecs[c.Name] = c.ECS
		}
		if c.OCSF != "" {
			ocsf[c.Name] = c.OCSF
		}
	}
	kv := metadata.NewKeyValueMetadata()
	for _, pair := range [][2]string{
		{keySchemaVersion, strconv.Itoa(SchemaVersion)}, {keyVersion, version}, {keyTable, t.Name},
		{keyECS, object(ecs)}, {keyOCSF, object(ocsf)},
	} {
		if err := kv.Append(pair[0], pair[1]); err != nil {
			panic("BUG: metadata is no valid UTF-8: " + err.Error())
		}
	}
	return kv
}

func object(m map[string]string) string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return string(b)
}

// ordered gives what the library wrote at the end of a file with the encodings of
// each column in order. The library lists them in the order of a map, where a
// column fell back from its dictionary: the file would differ from run to run.
func ordered(foot []byte) ([]byte, error) {
	const trailer = 4 + len("PAR1") // the metadata's length, and the magic
	if len(foot) < trailer {
		return nil, fmt.Errorf("BUG: a footer of %d bytes", len(foot))
	}
	meta, err := metadata.NewFileMetaData(foot[:len(foot)-trailer], nil)
	if err != nil {
		return nil, fmt.Errorf("BUG: read back the footer: %w", err)
	}
	for _, group := range meta.RowGroups {
		for _, column := range group.Columns {
			s := column.MetaData.EncodingStats
			sort.Slice(s, func(i, j int) bool {
				// The dictionary comes first, as it does in the file.
				return cmp.Or(cmp.Compare(s[j].PageType, s[i].PageType), cmp.Compare(s[j].Encoding, s[i].Encoding)) < 0
			})
		}
	}
	var b bytes.Buffer
	if _, err := meta.WriteTo(&b, nil); err != nil {
		return nil, fmt.Errorf("BUG: write the footer: %w", err)
	}
	return append(binary.LittleEndian.AppendUint32(b.Bytes(), uint32(b.Len())), "PAR1"...), nil
}

// keptError counts what is written and keeps the first error. The Parquet
// writer panics on some errors and forgets others, so it is told of none.
type keptError struct {
	w   io.Writer
	n   int64
	err error
}

func (k *keptError) Write(b []byte) (int, error) {
	if k.err == nil {
		var n int
		n, k.err = k.w.Write(b)
		k.n += int64(n)
	}
	return len(b), nil
}

// useOneEncoder guards the registry of codecs, which the Parquet library keeps
// for the whole process.
var useOneEncoder sync.Once

// registerEncoder makes the Parquet library use one zstd encoder. Left alone
// it makes a new one for each page, which takes 3 MB and a millisecond: half a
// second for the tables of the smallest log.
func registerEncoder() {
	usual, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		panic("BUG: no zstd in the Parquet library: " + err.Error())
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	compress.RegisterCodec(compress.Codecs.Zstd, oneEncoder{usual, encoder})
}

// oneEncoder compresses with one encoder, which many goroutines may use.
type oneEncoder struct {
	compress.Codec
	encoder *zstd.Encoder
}

// Encode compresses src into dst, which is grown as needed.
func (e oneEncoder) Encode(dst, src []byte) []byte { return e.encoder.EncodeAll(src, dst[:0]) }

// EncodeLevel does the same: there is one level.
func (e oneEncoder) EncodeLevel(dst, src []byte, _ int) []byte { return e.Encode(dst, src) }
