package tables

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/compress"
	"github.com/apache/arrow/go/v16/parquet/metadata"
	"github.com/apache/arrow/go/v16/parquet/schema"
	"golang.org/x/sync/errgroup"

	"logscan/report/document"
)

const (
	// rowGroupRows is the number of rows in a row group. Engines read or skip a
	// group as a unit; one group is held in memory, encoded and compressed.
	rowGroupRows = 128 << 10
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
	w          io.Writer
	written    int64 // bytes
	footer     *metadata.FileMetaDataBuilder
	chunks     []chunk // of the open row group, by column
	groupRows  int
	groupBytes int
	groups     int16
	rows       int64
}

const magic = "PAR1" // at both ends of a file

func newParquetFile(t *Table, version string, w io.Writer) *parquetFile {
	version = strings.ToValidUTF8(version, "\uFFFD")
	p := &parquetFile{
		w: w, chunks: make([]chunk, len(t.Columns)),
		footer: metadata.NewFileMetadataBuilder(schema.NewSchema(parquetSchema(t)), properties(t, version), keyValues(t, version)),
	}
	for i := range p.chunks {
		p.chunks[i].column = &t.Columns[i]
	}
	return p
}

// writeAll runs makeRows, which makes the batches that each passes on, and writes
// them. It returns the first error of either.
func (p *parquetFile) writeAll(ctx context.Context, each func(context.Context, func(*batch) error) error, makeRows func(context.Context) error) (document.TableSize, error) {
	if err := p.put([]byte(magic)); err != nil {
		return document.TableSize{}, err
	}
	g, inGroup := errgroup.WithContext(ctx)
	g.Go(func() error { return makeRows(inGroup) })
	g.Go(func() error { return each(inGroup, p.write) })
	if err := g.Wait(); err != nil {
		return document.TableSize{}, err
	}
	if err := p.end(); err != nil {
		return document.TableSize{}, err
	}
	return document.TableSize{Rows: p.rows, Bytes: p.written}, nil
}

// put writes bytes to the file.
func (p *parquetFile) put(b []byte) error {
	n, err := p.w.Write(b)
	p.written += int64(n)
	return err
}

// eachChunk calls do with the number of each column: in parallel if there are many rows,
// because the columns of a group are independent.
func (p *parquetFile) eachChunk(rows int, do func(i int)) {
	const few = 256
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range p.chunks {
		if rows <= few {
			do(i)
			continue
		}
		g.Go(func() error {
			do(i)
			return nil
		})
	}
	_ = g.Wait() // nothing can fail
}

// write writes a batch.
func (p *parquetFile) write(b *batch) error {
	p.eachChunk(b.rows, func(i int) { p.chunks[i].add(&b.columns[i], b.rows) })
	p.groupRows += b.rows
	p.groupBytes += b.bytes
	p.rows += int64(b.rows)
	if p.groupRows >= rowGroupRows || p.groupBytes >= rowGroupBytes {
		return p.endGroup()
	}
	return nil
}

// endGroup writes the open row group.
func (p *parquetFile) endGroup() error {
	if p.groupRows == 0 {
		return nil
	}
	p.eachChunk(p.groupRows, func(i int) { p.chunks[i].end() })
	group := p.footer.AppendRowGroup()
	group.SetNumRows(p.groupRows)
	size := 0
	for i := range p.chunks {
		c := &p.chunks[i]
		if err := c.describe(group.NextColumnChunk(), p.written); err != nil {
			return err
		}
		if err := p.put(c.first); err != nil {
			return err
		}
		if err := p.put(c.pages); err != nil {
			return err
		}
		size += c.size
		c.reset()
	}
	err := group.Finish(int64(size), p.groups)
	p.groups++
	p.groupRows, p.groupBytes = 0, 0
	return err
}

// end writes the last row group and the footer.
func (p *parquetFile) end() error {
	if err := p.endGroup(); err != nil {
		return err
	}
	meta, err := p.footer.Finish()
	if err != nil {
		return fmt.Errorf("BUG: make the footer: %w", err)
	}
	var b bytes.Buffer
	if _, err := meta.WriteTo(&b, nil); err != nil {
		return fmt.Errorf("BUG: make the footer: %w", err)
	}
	return p.put(append(binary.LittleEndian.AppendUint32(b.Bytes(), uint32(b.Len())), magic...))
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

// properties returns what the footer says of how the columns are encoded: see chunk.
func properties(t *Table, version string) *parquet.WriterProperties {
	p := []parquet.WriterProperty{parquet.WithCreatedBy("logscan version " + version), parquet.WithCompression(compress.Codecs.Zstd)}
	for _, c := range t.Columns {
		if c.Rising {
			p = append(p, parquet.WithEncodingFor(c.Name, parquet.Encodings.DeltaBinaryPacked))
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
