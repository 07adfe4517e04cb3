package analyze

import (
	"strings"
	"testing"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
)

func TestCrowdNotes(t *testing.T) {
	const minute, hour = timeline.MinuteStep, 60 * timeline.MinuteStep
	for _, tt := range []struct {
		name  string
		state timeline.State
		want  []string // a part of each note
	}{
		{"nothing is told together", timeline.State{Grain: minute, Users: make([]timeline.NamedTally, 3)}, nil},
		{"users", timeline.State{Grain: minute, Users: make([]timeline.NamedTally, 1500), OtherUsers: 2_000_000},
			[]string{"The logs name 2,001,500 users. The 1,500 with most 401s are told by name, the others together as {other}."}},
		{"clients", timeline.State{Grain: minute, OtherClients: 12_345}, []string{"12,345, beside those with most 401s"}},
		{"all else", timeline.State{Grain: hour, HostsFolded: true, UpstreamsFolded: true, EndpointsFolded: true},
			[]string{"{name}.example.com", "more upstreams", "more routes", "in steps of an hour"}},
		{"days", timeline.State{Grain: 24 * hour}, []string{"steps of a day"}},
		{"years", timeline.State{Grain: 365 * 24 * hour}, []string{"steps of a year"}},
		{"all of time", timeline.State{Grain: 1 << 36 * minute}, []string{"steps of all time"}},
	} {
		notes := crowdNotes(&tt.state)
		if len(notes) != len(tt.want) {
			t.Errorf("%s: %q", tt.name, notes)
			continue
		}
		for i, part := range tt.want {
			if !strings.Contains(notes[i], part) {
				t.Errorf("%s: %q, want %q in it", tt.name, notes[i], part)
			}
		}
	}
}

func TestOfNobody(t *testing.T) {
	for _, tt := range []struct {
		others  int64
		subject result.Subject
		want    bool
	}{
		{0, result.Subject{ClientAddress: timeline.OtherName}, false}, // somebody is called so
		{1, result.Subject{ClientAddress: timeline.OtherName}, true},
		{1, result.Subject{UserAgent: timeline.OtherName}, true},
		{1, result.Subject{ClientAddress: "192.0.2.7"}, false},
		{1, result.Subject{User: timeline.OtherName}, false},
	} {
		c := detect.Diagnosis{Evidence: &session.Evidence{State: &timeline.State{OtherClients: tt.others}}}
		if got := c.OfNobody(&tt.subject); got != tt.want {
			t.Errorf("%+v with %d others: %v", tt.subject, tt.others, got)
		}
	}
}
