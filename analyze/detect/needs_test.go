package detect

import (
	"slices"
	"strings"
	"testing"

	"logscan/analyze/timeline"
)

// TestCatalogue checks that the rows are complete, in the order of CauseNames, and need
// only fields that heldFields reports.
func TestCatalogue(t *testing.T) {
	last, known := -1, heldFields(&timeline.State{Endpoints: make([]timeline.Endpoint, 1)})
	for _, d := range Catalogue() {
		place := slices.Index(CauseNames(), d.Name)
		if place <= last {
			t.Errorf("%s: not in CauseNames, or out of order", d.Name)
		}
		last = place
		if d.Label == "" || d.Meaning == "" || d.Category == "" || len(d.Needs) == 0 || d.inspect == nil {
			t.Errorf("%s: incomplete row", d.Name)
		}
		for _, need := range d.Needs {
			if _, ok := known[need]; !ok {
				t.Errorf("%s needs %s, which heldFields does not report", d.Name, need)
			}
		}
	}
}

func TestDetectable(t *testing.T) {
	all := []Kind{
		{Name: "plain", Needs: []string{needTime, needStatus, needMethod, needPath, needClient}},
		{Name: "sessions", Needs: []string{needTime, needSession}},
		{Name: "backends", Needs: []string{needUpstream, needScheme}},
		{Name: "accounts", Needs: []string{needUser, needAgent, needHost}},
	}
	e := timeline.Endpoint{Method: "GET", Template: "/"}
	e.N[timeline.Unauthorized] = 1
	state := timeline.State{Endpoints: []timeline.Endpoint{e}, Minutes: make([]timeline.Minute, 1), Addresses: []string{"192.0.2.1"}, Agents: []string{""}}
	full := state
	full.Sessions, full.Schemes, full.Agents = true, true, []string{"curl/8"}
	full.Users, full.Upstreams = make([]timeline.NamedTally, 1), make([]timeline.NamedTally, 1)
	full.Endpoints = []timeline.Endpoint{e, {Host: "h"}}
	for _, tt := range []struct {
		state *timeline.State
		able  string
		not   string
	}{
		{&state, "plain", "sessions: session_id; backends: upstream_address url_scheme; accounts: user_name user_agent_original server_address"},
		{&full, "plain sessions backends accounts", ""},
		{&timeline.State{}, "", ""},
	} {
		list, not := detectable(all, tt.state)
		var kinds, missing []string
		for _, d := range list {
			kinds = append(kinds, d.Name)
		}
		for _, u := range not {
			missing = append(missing, u.Kind+": "+strings.Join(u.Missing, " "))
		}
		if got := strings.Join(kinds, " "); got != tt.able {
			t.Errorf("kinds: %q, want %q", got, tt.able)
		}
		if got := strings.Join(missing, "; "); got != tt.not {
			t.Errorf("undetectable: %q, want %q", got, tt.not)
		}
	}
}
