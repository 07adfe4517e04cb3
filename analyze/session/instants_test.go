package session

import (
	"slices"
	"testing"

	"logscan/analyze/timeline"
)

// TestOrderInstants moves a sign-in before the refusals of its second only where its form was
// filled in before.
func TestOrderInstants(t *testing.T) {
	const page, form, signIn = 0, 1, 2
	ev := &Evidence{State: &timeline.State{Endpoints: []timeline.Endpoint{
		page:   {Method: "GET", Template: "/account"},
		form:   {Method: "GET", Template: "/login"},
		signIn: {Method: "POST", Template: "/login"},
	}}, Roles: []Role{page: Guards, signIn: SignsIn}}
	event := func(second int64, endpoint uint32, o timeline.Outcome) timeline.Event {
		return timeline.Event{Time: second * 1000, Endpoint: endpoint, Outcome: o}
	}
	refused, entered := event(20, page, timeline.Unauthorized), event(20, signIn, timeline.Accepted)
	for name, tt := range map[string]struct {
		before []timeline.Event
		moves  bool
	}{
		"form":                  {[]timeline.Event{event(12, form, timeline.Accepted)}, true},
		"form of another day":   {[]timeline.Event{event(12-86400, form, timeline.Accepted)}, false},
		"program":               {[]timeline.Event{event(12, page, timeline.Accepted)}, false},
		"accepted after a form": {[]timeline.Event{event(12, form, timeline.Accepted), event(13, page, timeline.Accepted)}, false},
		"refused after a form":  {[]timeline.Event{event(12, form, timeline.Accepted), event(13, page, timeline.Unauthorized)}, false},
		"nothing":               {nil, false},
	} {
		a := &timeline.Actor{Events: append(slices.Clone(tt.before), refused, refused, entered)}
		(&sessionizer{Evidence: ev}).orderInstants(a)
		if got := a.Events[len(tt.before)] == entered; got != tt.moves {
			t.Errorf("%s: the sign-in comes first: %v, want %v", name, got, tt.moves)
		}
	}
}
