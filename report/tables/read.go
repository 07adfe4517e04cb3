package tables

import (
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/file"

	"logscan/analyze/result"
)

// EndpointsName is the file of the endpoints in an output directory.
const EndpointsName = "endpoints.parquet"

// maxEndpointRows is the most rows that are read: a run has fewer.
const maxEndpointRows = 10_000_000

// ReadEndpoints reads the routes of the table of endpoints at path with their numbers of
// requests; the other columns are not read.
func ReadEndpoints(path string) (list []result.Endpoint, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := file.NewParquetReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if r.NumRows() > maxEndpointRows {
		return nil, fmt.Errorf("%s has more than %d rows", path, maxEndpointRows)
	}
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		rows := make([]result.Endpoint, group.NumRows())
		for name, text := range map[string]func(*result.Endpoint) *string{
			"server_address":      func(e *result.Endpoint) *string { return &e.Host },
			"http_request_method": func(e *result.Endpoint) *string { return &e.Method },
			"url_template":        func(e *result.Endpoint) *string { return &e.Template },
		} {
			if err := columnInto(group, name, "is no text", func(i int, v parquet.ByteArray) { *text(&rows[i]) = string(v) }); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		for name, number := range map[string]func(*result.Endpoint) *int64{
			"requests":     func(e *result.Endpoint) *int64 { return &e.Requests },
			"unauthorized": func(e *result.Endpoint) *int64 { return &e.Unauthorized },
		} {
			if err := columnInto(group, name, "holds no integers", func(i int, n int64) { *number(&rows[i]) = n }); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		list = append(list, rows...)
	}
	return list, nil
}

// columnInto passes the values of a column that are not null to set, with their rows. other
// says what the column is if it does not hold such values.
func columnInto[V any](group *file.RowGroupReader, name, other string, set func(int, V)) error {
	i := group.MetaData().Schema.ColumnIndexByName(name)
	if i < 0 {
		return fmt.Errorf("there is no column %s", name)
	}
	column, err := group.Column(i)
	if err != nil {
		return err
	}
	c, ok := column.(interface {
		ReadBatch(n int64, values []V, definitionLevels, repetitionLevels []int16) (int64, int, error)
	})
	if !ok {
		return fmt.Errorf("column %s %s", name, other)
	}
	return readAll(int(group.NumRows()), column.Descriptor().MaxDefinitionLevel(), c.ReadBatch, set)
}

// readAll reads n rows of a column in batches; present is the level of a value that is not
// null.
func readAll[V any](n int, present int16, read func(int64, []V, []int16, []int16) (int64, int, error), set func(int, V)) error {
	values, levels := make([]V, batchRows), make([]int16, batchRows)
	for row := 0; row < n; {
		rows, _, err := read(min(batchRows, int64(n-row)), values, levels, nil)
		if err != nil {
			return err
		}
		if rows == 0 {
			return fmt.Errorf("%d of %d rows are missing", n-row, n)
		}
		next := 0
		for i := range int(rows) {
			if present == 0 || levels[i] == present {
				set(row+i, values[next])
				next++
			}
		}
		row += int(rows)
	}
	return nil
}
