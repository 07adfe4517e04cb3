// Package tables writes the tables of a run as Parquet files.
//
// Tables lists every table with every column. Rows are taken from the result and
// turned into batches of columns, in parallel where the result allows it, and each
// batch is encoded while the next ones are made.
package tables

import (
	"context"
	"io"
	"iter"

	"logscan/analyze/result"
	"logscan/report/document"
	"logscan/report/wording"
)

// Table is a table of the output.
type Table struct {
	Name, Doc string
	Columns   []Column
	write     func(context.Context, io.Writer, Source) (document.TableSize, error)
}

// Source is what tables are made from.
type Source struct {
	Report  *wording.Report
	Version string // of logscan, for the metadata
	// Advanced is called repeatedly with the share of the table of 401s that has
	// been made, from 0 to 1. It may be nil.
	Advanced func(share float64)
}

// Write writes the table to w as Parquet and returns its size.
func (t *Table) Write(ctx context.Context, w io.Writer, s Source) (document.TableSize, error) {
	return t.write(ctx, w, s)
}

// newTable returns a table of columns whose rows come one after the other.
func newTable[R any](name, doc string, rows func(*wording.Report) iter.Seq2[*R, error], columns []column[R]) Table {
	return tableOf(name, doc, columns, func(ctx context.Context, s Source, b *batches[R]) error {
		return b.makeAll(ctx, rows(s.Report))
	})
}

// newPiecedTable returns a table of columns whose rows can be made in parallel.
func newPiecedTable[R any](name, doc string, rows func(*wording.Report) *result.Pieces[R], columns []column[R]) Table {
	return tableOf(name, doc, columns, func(ctx context.Context, s Source, b *batches[R]) error {
		return b.makePieces(ctx, rows(s.Report), s.Advanced)
	})
}

func tableOf[R any](name, doc string, columns []column[R], makeRows func(context.Context, Source, *batches[R]) error) Table {
	t := Table{Name: name, Doc: doc}
	for i := range columns {
		t.Columns = append(t.Columns, columns[i].Column)
	}
	t.write = func(ctx context.Context, w io.Writer, s Source) (document.TableSize, error) {
		b := newBatches(columns)
		p := newParquetFile(&t, s.Version, w)
		return p.writeAll(ctx, b.each, func(ctx context.Context) error {
			defer b.end()
			return makeRows(ctx, s, b)
		})
	}
	return t
}

// each yields rows that are in memory.
func each[R any](rows []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}
