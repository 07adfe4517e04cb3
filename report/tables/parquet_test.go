package tables

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v16/parquet"
	"github.com/apache/arrow/go/v16/parquet/file"
	"github.com/apache/arrow/go/v16/parquet/metadata"

	"logscan/analyze/result"
	"logscan/parse"
	"logscan/report/reporttest"
	"logscan/report/wording"
)

// readTable reads a Parquet file. A row maps columns to values, without nulls.
func readTable(t *testing.T, data []byte) (*file.Reader, []map[string]any) {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	rows := make([]map[string]any, 0, r.NumRows())
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		from := len(rows)
		for range group.NumRows() {
			rows = append(rows, map[string]any{})
		}
		for i := range r.MetaData().Schema.NumColumns() {
			column, err := group.Column(i)
			if err != nil {
				t.Fatal(err)
			}
			name := column.Descriptor().Name()
			n := int(group.NumRows())
			if c, ok := column.(*file.ByteArrayColumnChunkReader); ok && column.Descriptor().MaxRepetitionLevel() > 0 {
				readLists(t, c, strings.TrimSuffix(column.Descriptor().Path(), ".list.element"), rows[from:])
				continue
			}
			var values []any
			levels := make([]int16, n)
			switch c := column.(type) {
			case *file.ByteArrayColumnChunkReader:
				values = readColumn(t, n, levels, c.ReadBatch, func(v parquet.ByteArray) any { return string(v) })
			case *file.Int64ColumnChunkReader:
				values = readColumn(t, n, levels, c.ReadBatch, func(v int64) any { return v })
			case *file.Float64ColumnChunkReader:
				values = readColumn(t, n, levels, c.ReadBatch, func(v float64) any { return v })
			case *file.BooleanColumnChunkReader:
				values = readColumn(t, n, levels, c.ReadBatch, func(v bool) any { return v })
			default:
				t.Fatalf("column %s is a %T", name, c)
			}
			present := column.Descriptor().MaxDefinitionLevel()
			for k := range n {
				if levels[k] == present {
					rows[from+k][name] = values[0]
					values = values[1:]
				}
			}
			if len(values) > 0 {
				t.Errorf("column %s has %d values too many", name, len(values))
			}
		}
	}
	return r, rows
}

// readLists reads a column of lists of texts. Each text ends with a line end.
func readLists(t *testing.T, c *file.ByteArrayColumnChunkReader, name string, rows []map[string]any) {
	t.Helper()
	const most = 1 << 16
	values, levels, repeats := make([]parquet.ByteArray, most), make([]int16, most), make([]int16, most)
	row, value := -1, 0
	for c.HasNext() {
		n, _, err := c.ReadBatch(most, values, levels, repeats)
		if err != nil {
			t.Fatal(err)
		}
		value = 0
		for i := range int(n) {
			if repeats[i] == 0 {
				row++
				rows[row][name] = ""
			}
			if levels[i] > 0 {
				rows[row][name] = rows[row][name].(string) + string(values[value]) + "\n"
				value++
			}
		}
	}
	if row != len(rows)-1 {
		t.Errorf("column %s has %d lists, want %d", name, row+1, len(rows))
	}
}

// readColumn reads n rows of a column; levels are 1 where there is a value in a
// nullable column.
func readColumn[V any](t *testing.T, n int, levels []int16, read func(int64, []V, []int16, []int16) (int64, int, error), convert func(V) any) []any {
	t.Helper()
	var all []any
	buffer := make([]V, n)
	for done := 0; done < n; {
		rows, values, err := read(int64(n-done), buffer, levels[done:], nil)
		if err != nil {
			t.Fatal(err)
		}
		if rows == 0 {
			t.Fatalf("%d of %d rows can be read", done, n)
		}
		for _, v := range buffer[:values] {
			all = append(all, convert(v))
		}
		done += int(rows)
	}
	return all
}

// encode returns a table of a result as Parquet.
func encode(t *testing.T, table Table, res *result.Result) []byte {
	t.Helper()
	var b bytes.Buffer
	size, err := table.Write(t.Context(), &b, Source{Report: wording.Describe(res), Version: "v0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	if size.Bytes != int64(b.Len()) {
		t.Errorf("table %s: size %d bytes, want %d", table.Name, size.Bytes, b.Len())
	}
	return b.Bytes()
}

func tableNamed(t *testing.T, name string) Table {
	t.Helper()
	for _, table := range Tables() {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("no table %s", name)
	return Table{}
}

func TestTablesReadBack(t *testing.T) {
	res := reporttest.Result()
	want := map[string][]map[string]any{ // some columns of some rows; nil is null
		"unauthorized": {{
			"timestamp": reporttest.At(0, 0, 0), "http_request_method": "GET", "url_path": "/orders/0", "url_template": "/orders/{id}", "url_scheme": nil,
			"http_response_status_code": int64(401), "http_response_body_size": int64(90), "http_server_request_duration": 0.0015,
			"server_address": "shop.example", "client_address": "192.0.2.1", "network_peer_address": nil, "user_name": nil, "session_id": nil,
			"log_file_path": "web1/access.log", "log_line": int64(1), "auth_cause": "login_failure", "auth_reason": nil, "finding_id": nil,
		}},
		"requests": {{"timestamp": reporttest.At(0, 0, 0), "url_path": "/orders/0", "auth_refused": false, "auth_cause": "login_failure", "log_line": int64(1)}},
		"sessions": {{
			"session_id": "5f2b6c", "user_name": "alice", "start_time": reporttest.At(8, 0, 0), "end_time": reporttest.At(9, 31, 0), "requests": int64(60),
			"longest_gap_seconds": 1700.5, "start_seen": true, "end_cause": "session_expiry", "finding_id": "session_expiry-112233445566",
		}, {"session_id": nil, "user_name": nil, "end_time": nil, "longest_gap_seconds": 0.0, "start_seen": false, "end_cause": nil}},
		"endpoints": {{
			"server_address": "api.example", "http_request_method": "GET", "url_template": "/v2/orders/{id}", "requests": int64(23_007), "accepted": int64(18_204),
			"redirected": int64(0), "unauthorized": int64(4_800), "forbidden": int64(0), "not_found": int64(3), "client_errors": int64(0),
			"server_errors": int64(0), "other": int64(0), "actors": int64(900), "refused_actors": int64(312), "protected": true,
			"first_time": reporttest.At(0, 0, 1), "last_time": reporttest.At(23, 59, 0), "first_unauthorized_time": reporttest.At(14, 5, 12), "last_unauthorized_time": reporttest.At(23, 59, 41),
		}},
		"accounts": {{"user_name": "bob", "clients": int64(2), "first_accepted_time": reporttest.At(1, 0, 0), "last_accepted_time": reporttest.At(9, 58, 0)},
			{"user_name": "mallory", "first_accepted_time": nil, "last_accepted_time": nil, "first_unauthorized_time": reporttest.At(3, 0, 0), "finding_id": nil}},
		"clients":  {{"users": int64(1), "sessions": int64(2), "refused_endpoints": int64(1)}, {"client_address": "2001:db8::7", "user_agent_original": nil, "last_accepted_time": nil}},
		"timeline": {{"timestamp": reporttest.At(0, 0, 0), "server_address": "shop.example", "unauthorized": int64(2), "unauthorized_login_failure": int64(1), "unauthorized_unexplained": int64(1)}},
		"findings": {{
			"id": "endpoint_misconfigured-0a1b2c3d4e5f", "severity": "high", "confidence": 0.98, "subject_type": "endpoint", "url_template": "/v2/orders/{id}",
			"user_name": nil, "onset": reporttest.At(14, 5, 12), "actors": int64(312),
			"remediation": strings.Join(reporttest.Result().Findings[0].Remediation, "\n") + "\n",
		}, {"kind": "session_expiry", "onset": nil, "details": `{"bic_difference":null,"hosts":["shop.example","invoice` + "\u202egpj.exe\u2066\u200b\ufeff" + `\u2028\u2029"],"nothing":null,` +
			`"policy":"idle","quantiles":[1,null,2.5],"sessions":1204,"timeout_high":1818,"timeout_low":1788,"timeout_seconds":1800.4}`},
			{}, {"confidence": 0.0, "first_seen": nil}},
		"inputs": {{"log_file_path": "web1/access.log", "compression": "none", "lines": int64(60_000), "error": nil},
			{"error": "unexpected end of gzip data at byte 1204224", "rejected": int64(42)}, {"first_time": nil}},
		"auth_events": {{"timestamp": reporttest.At(10, 0, 0), "auth_source": "nginx-error", "auth_outcome": "refused", "http_response_status_code": nil, "log_line": int64(1), "join_key": "request", "matched_log_line": nil},
			{"http_response_status_code": int64(401), "matched_log_line": int64(0)}},
	}
	for _, table := range Tables() {
		t.Run(table.Name, func(t *testing.T) {
			data := encode(t, table, res)
			r, rows := readTable(t, data)
			if s := r.MetaData().Schema; s.NumColumns() != len(table.Columns) {
				t.Errorf("%d columns, want %d", s.NumColumns(), len(table.Columns))
			}
			expect := want[table.Name]
			if len(expect) == 0 || len(rows) < len(expect) {
				t.Fatalf("%d rows; %d are to be compared", len(rows), len(expect))
			}
			for i := range expect {
				for name, v := range expect[i] {
					if rows[i][name] != v {
						t.Errorf("row %d: %s is %v, want %v", i, name, rows[i][name], v)
					}
				}
			}
			// Columns that are not nullable have a value in every row.
			for i := range rows {
				for _, c := range table.Columns {
					if _, ok := rows[i][c.Name]; !ok && !c.Nullable {
						t.Fatalf("row %d has no %s", i, c.Name)
					}
				}
			}
			if again := encode(t, table, reporttest.Result()); !bytes.Equal(data, again) {
				t.Error("encoding the same rows again gives other bytes")
			}
		})
	}
}

func TestHostileTextReadsBack(t *testing.T) {
	_, rows := readTable(t, encode(t, tableNamed(t, "unauthorized"), reporttest.Result()))
	rows = rows[len(rows)-len(reporttest.Hostile):]
	for i, s := range reporttest.Hostile {
		want := strings.ToValidUTF8(s, "\uFFFD")
		for _, c := range []string{"http_request_method", "url_path", "url_query", "url_template", "url_scheme", "server_address", "http_request_referrer",
			"client_address", "network_peer_address", "user_agent_original", "user_name", "session_id", "upstream_address", "log_file_path", "auth_reason"} {
			if rows[i][c] != want {
				t.Errorf("%s is %q, want %q", c, rows[i][c], want)
			}
		}
		if rows[i]["http_response_body_size"] != nil || rows[i]["http_server_request_duration"] != nil {
			t.Errorf("row %d has a size or a duration that was not logged: %v", i, rows[i])
		}
	}
}

func TestEmptyTables(t *testing.T) {
	for _, table := range Tables() {
		r, rows := readTable(t, encode(t, table, reporttest.Empty()))
		if len(rows) != 0 || r.MetaData().Schema.NumColumns() != len(table.Columns) {
			t.Errorf("table %s has %d rows of %d columns", table.Name, len(rows), r.MetaData().Schema.NumColumns())
		}
	}
}

// many returns n distinct rows. Some texts are too many for a dictionary, from the beginning
// or later.
func many(n int) result.Pieces[result.Unauthorized] {
	return reporttest.PiecesOf(n, func(i int) (result.Unauthorized, error) {
		r := result.Unauthorized{
			Time: reporttest.At(0, 0, 0) + int64(i), Method: "GET", Path: fmt.Sprintf("/a/rather/long/path/that/is/never/the/same/%d", i), Status: 401,
			BodySize: int64(i % 500), Duration: -1, UserAgent: fmt.Sprintf("agent %d", i%40), LogPath: "a", LogLine: int64(i + 1), Cause: "unexplained",
		}
		if i%3 == 0 {
			r.User = fmt.Sprintf("user-%d", i)
		}
		if i >= batchRows { // a column that begins with a dictionary and goes on without
			r.Query = fmt.Sprintf("page=%d", i)
		}
		return r, nil
	})
}

func TestRowGroups(t *testing.T) {
	const n = rowGroupRows + 3*batchRows + 7
	res := reporttest.Empty()
	res.Unauthorized = many(n)
	table := tableNamed(t, "unauthorized")
	data := encode(t, table, res)
	r, rows := readTable(t, data)
	if r.NumRowGroups() != 2 || r.RowGroup(0).NumRows() != rowGroupRows || len(rows) != n {
		t.Fatalf("%d row groups, the first of %d rows, %d rows in all", r.NumRowGroups(), r.RowGroup(0).NumRows(), len(rows))
	}
	i := 0
	rowsWanted := many(n)
	for want := range rowsWanted.Reader()(0, rowsWanted.Len) {
		got := rows[i]
		if got["timestamp"] != want.Time || got["url_path"] != want.Path || got["user_agent_original"] != want.UserAgent || got["log_line"] != want.LogLine ||
			want.Query != "" && got["url_query"] != want.Query || (want.User == "") != (got["user_name"] == nil) || want.User != "" && got["user_name"] != want.User {
			t.Fatalf("row %d is %v, want %+v", i, got, want)
		}
		i++
	}
	// Engines skip row groups by their statistics.
	for g := range 2 {
		chunk, err := r.RowGroup(g).MetaData().ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		s, err := chunk.Statistics()
		if err != nil || s == nil || !s.HasMinMax() {
			t.Fatalf("row group %d has no statistics (%v)", g, err)
		}
		least, most := s.(*metadata.Int64Statistics).Min(), s.(*metadata.Int64Statistics).Max()
		first, last := g*rowGroupRows, min((g+1)*rowGroupRows, n)-1
		if least != reporttest.At(0, 0, 0)+int64(first) || most != reporttest.At(0, 0, 0)+int64(last) {
			t.Errorf("row group %d: times from %d to %d", g, least, most)
		}
	}
	chunk, err := r.RowGroup(0).MetaData().ColumnChunk(2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := chunk.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	// The least and greatest text are in early batches: their bytes must not have been
	// reused.
	if got := string(s.(*metadata.ByteArrayStatistics).Max()); got != "/a/rather/long/path/that/is/never/the/same/99999" {
		t.Errorf("greatest path is %q", got)
	}
	if got := string(s.(*metadata.ByteArrayStatistics).Min()); got != "/a/rather/long/path/that/is/never/the/same/0" {
		t.Errorf("least path is %q", got)
	}
}

func TestFileMetadata(t *testing.T) {
	for _, table := range Tables() {
		r, _ := readTable(t, encode(t, table, reporttest.Result()))
		kv := r.MetaData().KeyValueMetadata()
		for key, want := range map[string]string{KeySchemaVersion: "1", KeyVersion: "v0.1.0", KeyTable: table.Name} {
			if got := kv.FindValue(key); got == nil || *got != want {
				t.Errorf("%s: %s is %v, want %s", table.Name, key, got, want)
			}
		}
		for _, key := range []string{KeyECS, KeyOCSF} {
			var names map[string]string
			if err := json.Unmarshal([]byte(*kv.FindValue(key)), &names); err != nil {
				t.Errorf("%s: %s: %v", table.Name, key, err)
			}
			for name := range names {
				if s := r.MetaData().Schema; s.ColumnIndexByName(name) < 0 && s.ColumnIndexByName(name+".list.element") < 0 {
					t.Errorf("%s: %s names a column %s", table.Name, key, name)
				}
			}
		}
		if got := r.MetaData().GetCreatedBy(); got != "logscan version v0.1.0" {
			t.Errorf("%s was created by %q", table.Name, got)
		}
	}
}

func TestTableReportsWriteErrors(t *testing.T) {
	table := tableNamed(t, "unauthorized")
	whole := len(encode(t, table, reporttest.Result()))
	for _, left := range []int{0, 3, 4, 100, whole / 2, whole - 1} {
		s := Source{Report: wording.Describe(reporttest.Result()), Version: "v0.1.0"}
		if _, err := table.Write(t.Context(), &reporttest.FailingWriter{Left: left}, s); !errors.Is(err, reporttest.ErrFull) {
			t.Errorf("after %d bytes: got %v, want %v", left, err, reporttest.ErrFull)
		}
	}
}

func FuzzTextColumn(f *testing.F) {
	for _, s := range reporttest.Hostile {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		res := reporttest.Empty()
		res.Accounts = []result.Account{{User: a, FirstAccepted: parse.NoTime}, {User: b}, {User: a + b}}
		_, rows := readTable(t, encode(t, tableNamed(t, "accounts"), res))
		for i, s := range []string{a, b, a + b} {
			want := any(strings.ToValidUTF8(s, "\uFFFD"))
			if s == "" {
				want = nil
			}
			if rows[i]["user_name"] != want {
				t.Errorf("%q was read back as %q", s, rows[i]["user_name"])
			}
		}
	})
}

// Rows a second of the only table that grows with the log:
//
//	go test ./report/tables -run ^$ -bench Unauthorized -benchtime 1s -count 3
func BenchmarkUnauthorized(b *testing.B) {
	const n = rowGroupRows
	res := reporttest.Empty()
	res.Unauthorized = many(n)
	table := unauthorizedTable()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Write(b.Context(), io.Discard, Source{Report: wording.Describe(res)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestFooterIsInOrder gives the encodings of columns that fell back from their
// dictionaries in both orders: the library lists them in no order.
func TestFooterIsInOrder(t *testing.T) {
	res := reporttest.Empty()
	res.Unauthorized = many(8 * batchRows)
	r, _ := readTable(t, encode(t, tableNamed(t, "unauthorized"), res))
	meta := r.MetaData()
	foot := func() []byte {
		var b bytes.Buffer
		if _, err := meta.WriteTo(&b, nil); err != nil {
			t.Fatal(err)
		}
		return append(binary.LittleEndian.AppendUint32(b.Bytes(), uint32(b.Len())), "PAR1"...)
	}
	want := foot()
	several := 0
	for _, column := range meta.RowGroups[0].Columns {
		if s := column.MetaData.EncodingStats; len(s) > 2 { // the dictionary's, and two of data
			several++
			if s[0].PageType.String() != "DICTIONARY_PAGE" || s[1].Encoding < s[2].Encoding {
				t.Errorf("the encodings of %s are written as %v", column.MetaData.PathInSchema, s)
			}
		}
		slices.Reverse(column.MetaData.EncodingStats)
	}
	if several == 0 {
		t.Fatal("no column has two encodings: more rows are needed")
	}
	got, err := ordered(foot())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the order of a column's encodings is seen in the file")
	}
	if _, err := ordered([]byte("PAR1")); err == nil {
		t.Error("a cut footer is written")
	}
}

// TestLists checks lists that are empty, and more of them than a batch holds.
func TestLists(t *testing.T) {
	type row = []string
	rows := make([]row, 2*batchRows+3)
	for i := range rows {
		for n := range i % 3 {
			rows[i] = append(rows[i], fmt.Sprintf("step %d of %d", n, i))
		}
	}
	table := newTable("lists", "", func(*wording.Report) iter.Seq2[*row, error] { return each(rows) },
		[]column[row]{list("steps", "", func(r *row) []string { return *r }), integer("n", "", "", func(r *row) int64 { return int64(len(*r)) })})
	_, got := readTable(t, encode(t, table, reporttest.Empty()))
	for i, r := range rows {
		want := ""
		for _, s := range r {
			want += s + "\n"
		}
		if got[i]["steps"] != want || got[i]["n"] != int64(len(r)) {
			t.Fatalf("row %d is %v, want %q", i, got[i], want)
		}
	}
}

// TestColumnsReadBack writes columns of every type with runs, nulls and extremes.
func TestColumnsReadBack(t *testing.T) {
	type row struct {
		n    int64
		x    float64
		text string
		has  bool
	}
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]row, 16*batchRows+5)
	for i := range rows {
		x := &rows[i]
		switch run := i / 1000; run % 4 { // constant, rising by little, by bits of any number, extremes
		case 0:
			*x = row{7, 0.5, "same", run%8 == 0}
		case 1:
			*x = row{rows[i-1].n + int64(r.IntN(50)), float64(i), fmt.Sprint(i % 9), true}
		case 2:
			*x = row{int64(r.Uint64() >> r.IntN(64)), -float64(i), fmt.Sprint("t", r.IntN(3000)), i%3 == 0}
		default:
			*x = row{[]int64{math.MinInt64, math.MaxInt64, 0, -1}[i%4], math.Inf(1 - i%2*2), strings.Repeat("x", i%200), i%2 == 0}
		}
	}
	number := func(r *row) (int64, bool) { return r.n, r.has }
	table := newTable("columns", "", func(*wording.Report) iter.Seq2[*row, error] { return each(rows) }, []column[row]{
		integer("all", "", "", func(r *row) int64 { return r.n }), integer("rising", "", "", func(r *row) int64 { return r.n }).rising(),
		{Column: Column{Name: "some", Type: Integer, Nullable: true}, integer: number},
		{Column: Column{Name: "some_rising", Type: Integer, Nullable: true, Rising: true}, integer: number},
		{Column: Column{Name: "real", Type: Real, Nullable: true}, real: func(r *row) (float64, bool) { return r.x, r.has }},
		boolean("has", "", func(r *row) bool { return r.has }),
		text("text", "", func(r *row) string { return r.text }), text("optional", "", func(r *row) string { return r.text }).optional(),
		text("none", "", func(*row) string { return "" }).optional(),
	})
	_, got := readTable(t, encode(t, table, reporttest.Empty()))
	for i, x := range rows {
		want := map[string]any{"all": x.n, "rising": x.n, "has": x.has, "text": x.text}
		if x.has {
			want["some"], want["some_rising"], want["real"] = x.n, x.n, x.x
		}
		if x.text != "" {
			want["optional"] = x.text
		}
		if !maps.Equal(got[i], want) {
			t.Fatalf("row %d is %v, want %v", i, got[i], want)
		}
	}
}
