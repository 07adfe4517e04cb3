package events

import (
	"bytes"
	"fmt"
	"testing"
)

// TestRecord checks that a record gives the event back, and that damaged ones are errors.
func TestRecord(t *testing.T) {
	var texts Texts
	var kept Record
	for _, log := range Logs() {
		for _, sample := range log.Samples {
			var e, read Event
			if !log.Read([]byte(sample), &e) {
				t.Fatalf("%s: %s", log.Name, sample)
			}
			record := texts.AppendRecord([]byte("x"), log, &e)[1:]
			if err := texts.Read(record, &kept); err != nil || kept.Log != log.Name {
				t.Fatalf("%s: %s, %v", log.Name, kept.Log, err)
			}
			kept.Event(&read)
			if read.Time != e.Time || read.Local != e.Local || read.Outcome != e.Outcome || read.Status != e.Status {
				t.Errorf("%s: %+v, want %+v", sample, read, e)
			}
			want := e.recorded()
			for i, got := range read.recorded() {
				if i == textMessage && e.Outcome != Failed {
					if len(*got) > 0 {
						t.Errorf("%s: the message is kept: %q", sample, *got)
					}
				} else if !bytes.Equal(*got, *want[i]) || i < repeatedTexts && !bytes.Equal(kept.Text(i), *want[i]) {
					t.Errorf("%s: field %d is %q, want %q", sample, i, *got, *want[i])
				}
			}
			for n := range record {
				if err := texts.Read(record[:n], &kept); err == nil {
					t.Fatalf("%s: the first %d bytes of its record are no error", log.Name, n)
				}
			}
			if err := new(Texts).Read(record, &kept); err == nil {
				t.Errorf("%s: a record of other texts is no error", log.Name)
			}
		}
	}
}

// TestRecordTexts checks which texts are kept once, and that records have the others.
func TestRecordTexts(t *testing.T) {
	var texts Texts
	var kept Record
	log := Logs()[0]
	read := func(e *Event) Event {
		t.Helper()
		if err := texts.Read(texts.AppendRecord(nil, log, e), &kept); err != nil {
			t.Fatal(err)
		}
		var got Event
		kept.Event(&got)
		if string(kept.Text(TextUser)) != string(e.User) {
			t.Errorf("user of %d bytes, want %d", len(kept.Text(TextUser)), len(e.User))
		}
		return got
	}
	if e := read(&Event{Time: 1, Status: -1}); e.Status != -1 || e.Time != 1 || e.User != nil {
		t.Errorf("%+v", e)
	}
	read(&Event{User: []byte("/a"), Session: []byte("s"), Host: []byte("a.example")})
	if kept.Numbers[TextUser] != 1 || kept.Numbers[TextHost] != 2 || len(texts.all) != 2 {
		t.Errorf("numbers %v of %d", kept.Numbers, len(texts.all))
	}
	read(&Event{User: []byte("a.example"), Host: []byte("/a")})
	if kept.Numbers[TextUser] != 2 || kept.Numbers[TextHost] != 1 || len(texts.all) != 2 {
		t.Errorf("numbers %v of %d", kept.Numbers, len(texts.all))
	}
	long := bytes.Repeat([]byte("x"), maxTextBytes/2+1)
	for n, user := range [][]byte{long, long[1:], []byte("/a")} {
		if e := read(&Event{User: user}); !bytes.Equal(e.User, user) || (kept.Numbers[TextUser] == 0) != (n == 1) {
			t.Errorf("user of %d bytes, number %d", len(e.User), kept.Numbers[TextUser])
		}
	}
	for i := range 2 * textSlots { // slots are taken again and again
		if user := fmt.Sprint("/", i%(textSlots+1)); string(read(&Event{User: []byte(user)}).User) != user {
			t.Fatal(user)
		}
	}
	record := texts.AppendRecord(nil, log, &Event{})
	record[0] = byte(Accepted) + 1
	if err := texts.Read(record, &kept); err == nil {
		t.Error("an unknown outcome is no error")
	}
}
