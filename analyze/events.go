package analyze

import (
	"cmp"
	"context"
	"iter"
	"path"
	"runtime"
	"slices"

	"logscan/analyze/authevents"
	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse/events"
	"logscan/parse/field"
)

// joinEvents finds the refusals that events of error logs and identity providers are
// about, and makes what they state that of the refusals. It returns nil if there are no
// events. failures are those that are about no refusal.
func (r *reader) joinEvents(ctx context.Context, s *timeline.State, lines lineStore) (joined *authevents.Joined, failures []detect.Failure, err error) {
	if s.Messages.Len() == 0 {
		return nil, nil, nil
	}
	joined, err = authevents.Join(ctx, &authevents.Input{
		State: s, Workers: r.options.Workers, Timezone: r.options.Parse.Timezone,
		Since: micros(r.options.Parse.Since), Until: micros(r.options.Parse.Until),
		Statuses: r.options.Parse.Refusals, Pseudonyms: r.options.PseudonymKey != "", Memory: r.options.Memory,
		LogOf:       func(input int) string { return serverName(r.inputs[input].Path) },
		DirectoryOf: func(input int) string { return path.Dir(r.inputs[input].Path) },
		Requests:    lines.requestKeys, Events: lines.eventKeys,
	})
	if err != nil {
		return nil, nil, err
	}
	err = s.Restate(joined.Reasons, joined.Statement)
	if err != nil {
		return nil, nil, err
	}
	runtime.GC() // what joining has used is used again, which takes less time than memory never touched
	failures, err = failuresOf(s, joined, lines)
	return joined, failures, err
}

// eventResult returns the events of the result; nil if there are none.
func (a *assembly) eventResult() *result.AuthEvents {
	if a.joined == nil {
		return nil
	}
	res := &result.AuthEvents{Dropped: a.State.MessagesDropped}
	for _, s := range a.joined.Sources {
		if s.Events > 0 {
			res.Sources = append(res.Sources, result.EventSource{
				Kind: s.Kind, Name: result.Clean(s.Name), Events: s.Events, Matched: s.Matched, Ambiguous: s.Ambiguous, Unmatched: s.Unmatched, Offset: s.Offset,
			})
		}
	}
	order := make([]int32, 0, len(a.joined.Events))
	for i := range a.joined.Events {
		if !a.joined.Events[i].Outside {
			order = append(order, int32(i))
		}
	}
	byTime := func(x, y int32) int { return cmp.Compare(a.joined.Events[x].Time, a.joined.Events[y].Time) }
	if !slices.IsSortedFunc(order, byTime) { // those of one log are
		slices.SortStableFunc(order, byTime)
	}
	reasons := slices.Clone(a.joined.Reasons)
	for i, reason := range reasons {
		if !field.IsReason(reason) {
			reasons[i] = result.Clean(reason)
		}
	}
	res.Rows = result.Pieces[result.AuthEvent]{Len: len(order), Reader: func() func(from, to int) iter.Seq2[*result.AuthEvent, error] {
		row := a.eventRow(reasons)
		return func(from, to int) iter.Seq2[*result.AuthEvent, error] {
			return func(yield func(*result.AuthEvent, error) bool) {
				for _, i := range order[from:to] {
					x, err := row(int(i))
					if !yield(x, err) || err != nil {
						return
					}
				}
			}
		}
	}}
	return res
}

// eventRow returns a function that returns the row of an event, which is valid until the
// next call. reasons are those that events state, cleaned.
func (a *assembly) eventRow(reasons []string) func(message int) (*result.AuthEvent, error) {
	read := a.lines.messageRows()
	var row result.AuthEvent
	return func(message int) (*result.AuthEvent, error) {
		if err := read(message, &row); err != nil {
			return nil, err
		}
		m, x := a.State.Messages.At(message), &a.joined.Events[message]
		row.Time, row.Kind, row.Outcome, row.Reason = x.Time, a.joined.Sources[x.Source].Kind, outcomeNames[x.Outcome], reasons[x.Reason]
		row.LogPath, row.LogLine, row.Key, row.MatchedLine = a.reader.inputs[m.Input].Path, m.Line, x.Match.String(), -1
		switch {
		case x.Refusal >= 0:
			refusal := a.State.Refusals.At(int(x.Refusal))
			row.Join, row.MatchedPath, row.MatchedLine = "matched", a.reader.inputs[refusal.Input].Path, refusal.Line
			row.FindingID = a.findingID(int(x.Refusal))
		case x.Ambiguous:
			row.Join = "ambiguous"
		case x.Wanted:
			row.Join = "unmatched"
		}
		return &row, nil
	}
}

// outcomeNames are the values of auth_outcome.
var outcomeNames = [...]string{events.Other: "other", events.Refused: "refused", events.Failed: "failed", events.Accepted: "accepted"}

// eventNotes returns the notes on events.
func (a *assembly) eventNotes(e *result.AuthEvents) (notes []result.Note) {
	if e == nil {
		return nil
	}
	for _, s := range e.Sources {
		if s.Offset != 0 {
			notes = append(notes, result.Note{Kind: result.NoteClockOffset, Name: s.Name, Text: s.Kind, N: s.Offset})
		}
	}
	for i := range a.reader.inputs {
		if _, changed := a.reader.changed.Load(i); changed {
			notes = append(notes, result.Note{Kind: result.NoteInput, Name: a.reader.inputs[i].Path, Text: "it was changed during the run: evidence from it is shown without the text of some lines"})
		}
	}
	if e.Dropped > 0 {
		notes = append(notes, result.Note{Kind: result.NoteManyEvents, N: e.Dropped})
	}
	if a.reader.options.Carryover != nil {
		notes = append(notes, result.Note{Kind: result.NoteEventsOfRun})
	}
	return notes
}
