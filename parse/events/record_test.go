package events

import (
	"bytes"
	"fmt"
	"testing"
)

// TestRecord checks that a record gives the event back, and that damaged ones are errors.
func TestRecord(t *testing.T) {
	var texts Texts
	var numbers Numbers
	for _, log := range Logs() {
		for _, sample := range log.Samples {
			var e, read Event
			if !log.Read([]byte(sample), &e) {
				t.Fatalf("%s: %s", log.Name, sample)
			}
			record := texts.AppendRecord([]byte("x"), log, &e)[1:]
			if found, err := texts.ReadRecord(record, &read, &numbers); err != nil || found != log.Name {
				t.Fatalf("%s: %s, %v", log.Name, found, err)
			}
			if read.Time != e.Time || read.Local != e.Local || read.Outcome != e.Outcome || read.Status != e.Status {
				t.Errorf("%s: %+v, want %+v", sample, read, e)
			}
			want := e.recorded()
			for i, got := range read.recorded() {
				if i == TextMessage && e.Outcome != Failed {
					if len(*got) > 0 {
						t.Errorf("%s: the message is kept: %q", sample, *got)
					}
				} else if !bytes.Equal(*got, *want[i]) {
					t.Errorf("%s: field %d is %q, want %q", sample, i, *got, *want[i])
				}
			}
			for n := range record {
				if _, err := texts.ReadRecord(record[:n], &read, &numbers); err == nil {
					t.Fatalf("%s: the first %d bytes of its record are no error", log.Name, n)
				}
			}
			if _, err := new(Texts).ReadRecord(record, &read, &numbers); err == nil {
				t.Errorf("%s: a record of other texts is no error", log.Name)
			}
		}
	}
}

// TestRecordTexts checks which texts are kept once, and that records have the others.
func TestRecordTexts(t *testing.T) {
	var texts Texts
	var numbers Numbers
	log := Logs()[0]
	read := func(e *Event) Event {
		t.Helper()
		var got Event
		if _, err := texts.ReadRecord(texts.AppendRecord(nil, log, e), &got, &numbers); err != nil {
			t.Fatal(err)
		}
		return got
	}
	if e := read(&Event{Time: 1, Status: -1}); e.Status != -1 || e.Time != 1 || e.Target != nil {
		t.Errorf("%+v", e)
	}
	read(&Event{Target: []byte("/a"), Session: []byte("s"), Host: []byte("a.example")})
	if numbers[TextTarget] != 1 || numbers[TextHost] != 2 || numbers[TextSession] != 0 || texts.Len() != 2 {
		t.Errorf("numbers %v of %d", numbers, texts.Len())
	}
	read(&Event{Target: []byte("a.example"), Host: []byte("/a")})
	if numbers[TextTarget] != 2 || numbers[TextHost] != 1 || texts.Len() != 2 {
		t.Errorf("numbers %v of %d", numbers, texts.Len())
	}
	long := bytes.Repeat([]byte("x"), maxTextBytes/2+1)
	for n, target := range [][]byte{long, long[1:], []byte("/a")} {
		if e := read(&Event{Target: target}); !bytes.Equal(e.Target, target) || (numbers[TextTarget] == 0) != (n == 1) {
			t.Errorf("target of %d bytes, number %d", len(e.Target), numbers[TextTarget])
		}
	}
	for i := range 2 * textSlots { // slots are taken again and again
		if target := fmt.Sprint("/", i%(textSlots+1)); string(read(&Event{Target: []byte(target)}).Target) != target {
			t.Fatal(target)
		}
	}
	record := texts.AppendRecord(nil, log, &Event{})
	record[0] = byte(Accepted) + 1
	if _, err := texts.ReadRecord(record, &Event{}, &numbers); err == nil {
		t.Error("an unknown outcome is no error")
	}
}
