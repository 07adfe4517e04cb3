package analyze

import (
	"reflect"
	"testing"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
)

func TestOverflowNotes(t *testing.T) {
	const minute, hour = timeline.MinuteStep, 60 * timeline.MinuteStep
	for _, tt := range []struct {
		name  string
		state timeline.State
		want  []result.Note
	}{
		{"no limit is exceeded", timeline.State{Grain: minute, Users: make([]timeline.NamedTally, 3)}, nil},
		{"users", timeline.State{Grain: minute, Users: make([]timeline.NamedTally, 1500), OtherUsers: 2_000_000},
			[]result.Note{{Kind: result.NoteManyUsers, N: 2_001_500, M: 1500}}},
		{"clients", timeline.State{Grain: minute, OtherClients: 12_345}, []result.Note{{Kind: result.NoteManyClients, N: 12_345}}},
		{"all else", timeline.State{Grain: hour, HostsFolded: true, UpstreamsFolded: true, EndpointsFolded: true},
			[]result.Note{{Kind: result.NoteManyHosts}, {Kind: result.NoteManyUpstreams}, {Kind: result.NoteManyRoutes}, {Kind: result.NoteCoarseTimeline, N: hour}}},
	} {
		if got := overflowNotes(&tt.state); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
