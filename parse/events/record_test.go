package events

import (
	"bytes"
	"testing"
)

// TestRecord checks that a record gives the event back, and that damaged ones are errors.
func TestRecord(t *testing.T) {
	for _, log := range Logs() {
		for _, sample := range log.Samples {
			var e, read Event
			if !log.Read([]byte(sample), &e) {
				t.Fatalf("%s: %s", log.Name, sample)
			}
			record := log.AppendRecord([]byte("x"), &e)[1:]
			name, err := read.ReadRecord(record)
			if err != nil || string(name) != log.Name {
				t.Fatalf("%s: %q, %v", log.Name, name, err)
			}
			if read.Time != e.Time || read.Local != e.Local || read.Outcome != e.Outcome || read.Status != e.Status {
				t.Errorf("%s: %+v, want %+v", sample, read, e)
			}
			want := e.recorded()
			for i, got := range read.recorded() {
				if got == &read.Message && e.Outcome != Failed {
					if len(*got) > 0 {
						t.Errorf("%s: the message is kept: %q", sample, *got)
					}
				} else if !bytes.Equal(*got, *want[i]) {
					t.Errorf("%s: field %d is %q, want %q", sample, i, *got, *want[i])
				}
			}
			for n := range record {
				if _, err := read.ReadRecord(record[:n]); err == nil {
					t.Fatalf("%s: the first %d bytes of its record are no error", log.Name, n)
				}
			}
		}
	}
	var e Event
	e.Time, e.Status = 1, -1
	record := Logs()[0].AppendRecord(nil, &e)
	if _, err := e.ReadRecord(record); err != nil || e.Status != -1 {
		t.Errorf("status %d, %v", e.Status, err)
	}
	e.Target = bytes.Repeat([]byte("x"), 70_000)
	if _, err := e.ReadRecord(Logs()[0].AppendRecord(nil, &e)); err != nil || len(e.Target) != 70_000 || len(e.Host) != 0 {
		t.Errorf("target of %d bytes, %v", len(e.Target), err)
	}
	record[0] = byte(Accepted) + 1
	if _, err := e.ReadRecord(record); err == nil {
		t.Error("an unknown outcome is no error")
	}
}
