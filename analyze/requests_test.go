package analyze

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logscan/analyze/result"
	"logscan/analyze/spill"
	"logscan/fixtures"
	"logscan/parse"
)

// requestsOf runs logs and returns the result with the rows of all requests.
func requestsOf(t *testing.T, o Options) (*result.Result, []result.Unauthorized) {
	t.Helper()
	o.Requests = spill.NewSpace(filepath.Join(t.TempDir(), "spool"))
	t.Cleanup(func() { _ = o.Requests.Close() })
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res, allRows(t, res.Requests, 1000)
}

// allRows reads rows in pieces, the last first.
func allRows(t *testing.T, p *result.Pieces[result.Unauthorized], size int) []result.Unauthorized {
	t.Helper()
	rows := make([]result.Unauthorized, 0, p.Len)
	read := p.Reader()
	for from := (p.Len - 1) / size * size; from >= 0; from -= size {
		var piece []result.Unauthorized
		for row, err := range read(from, min(from+size, p.Len)) {
			if err != nil {
				t.Fatal(err)
			}
			piece = append(piece, *row)
		}
		rows = slices.Insert(rows, 0, piece...)
	}
	return rows
}

// TestRequests checks that the rows of all requests add up to the other tables, hold the
// rows of the refusals, and do not depend on the number of workers.
func TestRequests(t *testing.T) {
	for _, format := range []string{"combined", "json"} {
		_, paths := simulate(t, fixtures.Options{Scenario: "mixed", Format: format, Lines: 12_000, Seed: 5, Servers: 2})
		var first []result.Unauthorized
		for _, workers := range []int{1, 3} {
			o := options(t, paths...)
			o.Workers = workers
			res, rows := requestsOf(t, o)
			if first == nil {
				first = rows
			} else if !slices.Equal(rows, first) {
				t.Errorf("%s: the rows depend on the number of workers", format)
			}
			checkRequests(t, res, rows)
		}
	}
}

func checkRequests(t *testing.T, res *result.Result, rows []result.Unauthorized) {
	t.Helper()
	type line struct {
		path string
		n    int64
	}
	type endpoint struct{ host, method, template string }
	refused := map[line]result.Unauthorized{}
	for _, row := range allRows(t, &res.Unauthorized, 1000) {
		refused[line{row.LogPath, row.LogLine}] = row
	}
	requests := map[endpoint]int64{}
	for i := range rows {
		row := &rows[i]
		if i > 0 && (row.LogPath < rows[i-1].LogPath || row.LogPath == rows[i-1].LogPath && row.LogLine <= rows[i-1].LogLine) {
			t.Fatalf("row %d is out of order", i)
		}
		requests[endpoint{row.Host, row.Method, row.Template}]++
		at := line{row.LogPath, row.LogLine}
		if want, ok := refused[at]; ok {
			if *row != want {
				t.Fatalf("line %v: row %+v, want that of the refusal %+v", at, *row, want)
			}
			delete(refused, at)
		} else if row.Refused || row.Cause != "" || row.FindingID != "" {
			t.Fatalf("line %v is not refused, and its row is %+v", at, *row)
		}
	}
	if int64(len(rows)) != res.Totals.Parsed || len(refused) > 0 {
		t.Errorf("%d rows of %d requests; %d refusals have none", len(rows), res.Totals.Parsed, len(refused))
	}
	for i := range res.Endpoints {
		e := &res.Endpoints[i]
		k := endpoint{e.Host, e.Method, e.Template}
		if requests[k] != e.Requests {
			t.Errorf("%v has %d rows, want %d", k, requests[k], e.Requests)
		}
		delete(requests, k)
	}
	if len(requests) > 0 {
		t.Errorf("rows of unknown endpoints: %v", requests)
	}
}

// TestRequestsOfManyNames checks that templates of rows are those of endpoints where
// names were grouped, beside rejected lines and redirects that are refusals.
func TestRequestsOfManyNames(t *testing.T) {
	var log strings.Builder
	at := time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC)
	for i := range 3000 {
		line := func(client int, method, path string, status int) {
			at = at.Add(time.Second)
			fmt.Fprintf(&log, `%s 192.0.2.%d - - [%s] "%s %s HTTP/1.1" %d 1 "-" "Firefox"`+"\n",
				fmt.Sprintf("h%d.example.org", i%1500), client, at.Format("02/Jan/2006:15:04:05 -0700"), method, path, status)
		}
		line(i%9, "GET", fmt.Sprintf("/wiki/%c%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), []int{200, 404, 401}[i%3])
		line(i%9, "WEIRD", "/api", 302)
		line(i%9, "GET", "/login", 200)
		if i%100 == 0 {
			log.WriteString("junk\n\n")
		}
	}
	path := filepath.Join(t.TempDir(), "a.log")
	writeLog(t, path, log.String(), time.Time{})
	o := options(t, path)
	o.Parse.Refusals = []int32{302}
	var err error
	if o.Format, err = parse.Compile(`$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"`); err != nil {
		t.Fatal(err)
	}
	o.Workers = 2
	res, rows := requestsOf(t, o)
	if res.Totals.Unauthorized < 3000 || res.Totals.Rejected == 0 {
		t.Fatalf("%d refusals, %d rejected lines", res.Totals.Unauthorized, res.Totals.Rejected)
	}
	for i := range rows {
		rows[i].Method = method(rows[i].Method)
		rows[i].Host = "" // hosts in rows are as logged
	}
	counts := map[string]int64{}
	for i := range rows {
		counts[rows[i].Method+" "+rows[i].Template]++
	}
	want := map[string]int64{}
	for i := range res.Endpoints {
		want[res.Endpoints[i].Method+" "+res.Endpoints[i].Template] += res.Endpoints[i].Requests
	}
	for k, n := range want {
		if counts[k] != n {
			t.Errorf("%s has %d rows, want %d", k, counts[k], n)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("%d methods and templates, want %d", len(counts), len(want))
	}
}

// method returns a method as endpoints have it.
func method(m string) string {
	if m == "WEIRD" {
		return "_OTHER"
	}
	return m
}
