package parse

import (
	"fmt"
	"testing"
)

// trialServer is a trial row of the table of formats. A real one goes into the
// table, before formats that are less specific; its samples are then tested and
// fuzzed like those of all others. Native is the server's own format string.
func trialServer() *Format {
	return &Format{
		Name: "trial", Doc: "Trial server, default access log",
		Native:  `$time_iso8601 $remote_addr $remote_user "$request" $status $body_bytes_sent`,
		Samples: []string{`2026-03-09T14:05:00Z 192.0.2.1 ann "GET /orders?page=2 HTTP/1.1" 401 12`},
	}
}

func ExampleFormat() {
	f := trialServer()
	if err := f.compile(); err != nil { // done by Formats for the rows of the table
		panic(err)
	}
	var e Entry
	verdict := f.NewParser().Parse([]byte(f.Samples[0]), &e)
	fmt.Println(verdict == Parsed, e.Status, string(e.Client), string(e.User), string(e.Path), string(e.Query))
	// Output: true 401 192.0.2.1 ann /orders page=2
}

// TestTrialFormat checks that the format is detected beside those of the table.
func TestTrialFormat(t *testing.T) {
	f := trialServer()
	if err := f.compile(); err != nil {
		t.Fatal(err)
	}
	d := Detect([]byte(f.Samples[0]+"\n"), append([]*Format{f}, Formats()...))
	if d.Format == nil || d.Format.Name != f.Name {
		t.Errorf("detected %+v, want %s", d.Format, f.Name)
	}
}
