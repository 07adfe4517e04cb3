package tables

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
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/compress"
	"github.com/apache/arrow/go/v16/parquet/file"
	"github.com/apache/arrow/go/v16/parquet/metadata"
	"github.com/apache/arrow/go/v16/parquet/schema"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"logscan/report/document"
)

const (
	// rowGroupRows is the number of rows in a row group. Engines read or skip a
	// group as a unit; one group is held in memory, encoded and compressed.
	rowGroupRows = 128 << 10
	// pageSize is how many bytes of a column are compressed together. Small pages
	// are compressed while rows are still being made; the file is half a percent
	// larger than with pages of a megabyte.
	pageSize = 64 << 10
	// batchRows is the number of rows in a batch, and how often cancellation is
	// noticed.
	batchRows = 4 << 10
	// stepRows is the number of rows that are added to a batch at once. It divides
	// batchRows.
	stepRows = 16
	// batchBytes and rowGroupBytes bound the texts of a batch and of a row group, in
	// bytes: a line may have a megabyte. Rows of ordinary lines hardly ever reach them.
	batchBytes    = 4 << 20
	rowGroupBytes = 64 << 20
)

// Keys of the metadata in every file.
const (
	KeySchemaVersion = "logscan.schema_version"
	KeyVersion       = "logscan.version"
	KeyTable         = "logscan.table"
	KeyECS           = "logscan.ecs"  // JSON object: our column names to those of ECS
	KeyOCSF          = "logscan.ocsf" // JSON object: our column names to those of OCSF
)

// parquetFile writes a table as a Parquet file.
type parquetFile struct {
	columns      []Column
	sink         *errorKeeper
	out          *file.Writer
	group        file.BufferedRowGroupWriter // open row group, or nil
	groupRows    int
	groupBytes   int
	rows         int64
	dictionaries []dictionary // by column, of the open row group
}

func newParquetFile(t *Table, version string, w io.Writer) *parquetFile {
	useOneEncoder.Do(registerEncoder)
	version = strings.ToValidUTF8(version, "\uFFFD")
	sink := &errorKeeper{w: w}
	out := file.NewParquetWriter(sink, parquetSchema(t), file.WithWriterProps(properties(t, version)), file.WithWriteMetadata(keyValues(t, version)))
	return &parquetFile{columns: t.Columns, sink: sink, out: out, dictionaries: make([]dictionary, len(t.Columns))}
}

// writeAll runs makeRows, which makes the batches that each passes on, and writes
// them. It returns the first error of either.
func (p *parquetFile) writeAll(ctx context.Context, each func(context.Context, func(*batch) error) error, makeRows func(context.Context) error) (document.TableSize, error) {
	g, inGroup := errgroup.WithContext(ctx)
	g.Go(func() error { return makeRows(inGroup) })
	g.Go(func() error {
		return each(inGroup, func(b *batch) error { return errors.Join(p.write(b), p.sink.err) })
	})
	if err := g.Wait(); err != nil {
		return document.TableSize{}, err
	}
	if err := errors.Join(p.endGroup(), p.sink.err); err != nil {
		return document.TableSize{}, err
	}
	size := p.sink.n
	w := p.sink.w
	var foot bytes.Buffer
	p.sink.w = &foot
	if err := errors.Join(p.out.FlushWithFooter(), p.sink.err); err != nil {
		return document.TableSize{}, err
	}
	footer, err := ordered(foot.Bytes())
	if err != nil {
		return document.TableSize{}, err
	}
	if _, err := w.Write(footer); err != nil {
		return document.TableSize{}, err
	}
	return document.TableSize{Rows: p.rows, Bytes: size + int64(len(footer))}, nil
}

// write writes a batch. Columns of a group are independent, so they are written in
// parallel unless there are few rows.
func (p *parquetFile) write(b *batch) error {
	if p.group == nil {
		p.group = p.out.AppendBufferedRowGroup()
		clear(p.dictionaries)
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
	p.groupBytes += b.bytes
	p.rows += int64(b.rows)
	if p.groupRows >= rowGroupRows || p.groupBytes >= rowGroupBytes {
		return p.endGroup()
	}
	return nil
}

func (p *parquetFile) endGroup() error {
	if p.group == nil {
		return nil
	}
	err := p.group.Close()
	p.group, p.groupRows, p.groupBytes = nil, 0, 0
	return err
}

// writeColumn writes the values of one column of a batch.
func (p *parquetFile) writeColumn(w file.ColumnChunkWriter, column int, batch *batch) error {
	b := &batch.columns[column]
	levels := b.levels
	if c := &p.columns[column]; !c.Nullable && c.Type != List {
		levels = nil
	}
	var err error
	switch w := w.(type) {
	case *file.ByteArrayColumnChunkWriter:
		if p.columns[column].Type == List {
			_, err = w.WriteBatch(byteArrays(nil, b.texts, nil), levels, b.repeats)
			break
		}
		err = p.dictionaries[column].write(w, b.texts, b.times, levels)
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

// parquetSchema returns the Parquet schema of a table.
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
		case JSON:
			logical, physical = schema.JSONLogicalType{}, parquet.Types.ByteArray
		case List:
			logical, physical = schema.StringLogicalType{}, parquet.Types.ByteArray
		}
		fields[i] = schema.Must(schema.NewPrimitiveNodeLogical(c.Name, repetition, logical, physical, noLength, noID))
		if c.Type == List {
			fields[i] = schema.MustGroup(schema.ListOf(fields[i], repetition, noID))
		}
	}
	return schema.MustGroup(schema.NewGroupNode(t.Name, parquet.Repetitions.Required, fields, noID))
}

// properties returns how the columns of a table are encoded: texts by dictionary,
// or plain where many are distinct (dictionary.write), and numbers plain (zstd packs
// them as well as a dictionary does, and scans are faster), or as differences if they rise.
func properties(t *Table, version string) *parquet.WriterProperties {
	p := []parquet.WriterProperty{
		parquet.WithRootName(t.Name),
		parquet.WithCreatedBy("logscan version " + version),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithDictionaryDefault(false),
		parquet.WithStats(true),
		parquet.WithDataPageSize(pageSize),
		// With version 1 pages the library copies all levels of a column for every
		// eight rows, which is half of the writing time.
		parquet.WithDataPageVersion(parquet.DataPageV2),
		parquet.WithMaxRowGroupLength(rowGroupRows),
		parquet.WithBatchSize(batchRows),
	}
	for _, c := range t.Columns {
		if c.Rising {
			p = append(p, parquet.WithEncodingFor(c.Name, parquet.Encodings.DeltaBinaryPacked))
		}
		if c.textual() {
			path := c.path()
			p = append(p, parquet.WithDictionaryFor(path, true), parquet.WithCompressionFor(path, compress.Codecs.Zstd),
				parquet.WithStatsFor(path, true))
		}
	}
	return parquet.NewWriterProperties(p...)
}

// keyValues returns the metadata of a table's file.
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
		{KeySchemaVersion, strconv.Itoa(document.SchemaVersion)}, {KeyVersion, version}, {KeyTable, t.Name},
		{KeyECS, object(ecs)}, {KeyOCSF, object(ocsf)},
	} {
		if err := kv.Append(pair[0], pair[1]); err != nil {
			panic("BUG: metadata is not valid UTF-8: " + err.Error())
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

// ordered returns the footer that the library wrote, with the encodings of each
// column sorted. If a column fell back from its dictionary, the library lists them in
// map order, and the file would differ from run to run.
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
				// The dictionary first, as in the file.
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

// errorKeeper counts the bytes written and keeps the first error. It reports success
// to the Parquet writer, which panics on some errors and drops others.
type errorKeeper struct {
	w   io.Writer
	n   int64
	err error
}

func (k *errorKeeper) Write(b []byte) (int, error) {
	if k.err == nil {
		var n int
		n, k.err = k.w.Write(b)
		k.n += int64(n)
	}
	return len(b), nil
}

// useOneEncoder guards the Parquet library's registry of codecs, which is global to
// the process.
var useOneEncoder sync.Once

// registerEncoder makes the Parquet library use one zstd encoder. By default it
// creates one per page, which takes 3 MB and a millisecond: half a second for the
// tables of the smallest log.
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

// oneEncoder compresses with one encoder, which is safe for concurrent use.
type oneEncoder struct {
	compress.Codec
	encoder *zstd.Encoder
}

// Encode compresses src into dst, growing it as needed.
func (e oneEncoder) Encode(dst, src []byte) []byte { return e.encoder.EncodeAll(src, dst[:0]) }

// EncodeLevel ignores the level: the encoder has one.
func (e oneEncoder) EncodeLevel(dst, src []byte, _ int) []byte { return e.Encode(dst, src) }
