package analyze

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"

	"logscan/analyze/authevents"
	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/events"
	"logscan/parse/privacy"
)

// joinEvents finds the refusals that events of error logs and identity providers are
// about, and makes what they state that of the refusals. It returns nil if there are no
// events. failures are those that are about no refusal.
func (r *reader) joinEvents(ctx context.Context, s *timeline.State) (joined *authevents.Joined, failures []detect.Failure, err error) {
	if len(s.Messages) == 0 {
		return nil, nil, nil
	}
	keyed, err := r.withKeys()
	if err != nil {
		return nil, nil, err
	}
	joined, err = authevents.Join(ctx, &authevents.Input{
		State: s, Workers: r.options.Workers, Timezone: r.options.Parse.Timezone,
		Since: micros(r.options.Parse.Since), Until: micros(r.options.Parse.Until),
		Statuses: r.options.Parse.Refusals, Pseudonyms: r.options.Parse.Privacy.Key != nil,
		LogOf:       func(input int) string { return serverName(r.inputs[input].Path) },
		DirectoryOf: func(input int) string { return path.Dir(r.inputs[input].Path) },
		Requests: func() func(int, *parse.Entry, *parse.Keys) error {
			read := keyed.stored(s)
			return func(i int, e *parse.Entry, k *parse.Keys) error {
				_, _, err := read(i, func(p *parse.Parser, line []byte) parse.Verdict { return p.ParseKeys(line, e, k) })
				return err
			}
		},
		Events: func() func(int) (*events.Event, *events.Log, error) {
			read := keyed.messages(s)
			return func(i int) (*events.Event, *events.Log, error) {
				_, e, log, err := read(i)
				return e, log, err
			}
		},
	})
	if err != nil {
		return nil, nil, err
	}
	s.Restate(joined.Statements)
	failures, err = r.failures(s, joined)
	return joined, failures, err
}

// withKeys returns a reader that only parses stored lines, with what identifies their
// requests, and with the names that are logged: they are compared, and not kept.
func (r *reader) withKeys() (*reader, error) {
	keyed := &reader{options: r.options, inputs: r.inputs, chosen: slices.Clone(r.chosen)}
	keyed.options.Parse.Privacy = privacy.Options{}
	made := map[*parse.Format]*parse.Format{}
	for i := range keyed.chosen {
		d := &keyed.chosen[i]
		d.formats = slices.Clone(d.formats)
		for n, f := range d.formats {
			if made[f] == nil {
				with, err := f.WithKeys()
				if err != nil {
					return nil, err
				}
				made[f] = with
			}
			d.formats[n] = made[f]
		}
	}
	return keyed, nil
}

// messageReader returns a stored line of a message with what it says and its log. All are
// valid until the next call.
type messageReader func(message int) ([]byte, *events.Event, *events.Log, error)

// messages returns a function that reads the stored lines of messages again.
func (r *reader) messages(s *timeline.State) messageReader {
	line := s.MessageLines()
	parsers := map[string]*parse.Parser{}
	var request parse.Entry
	return func(message int) ([]byte, *events.Event, *events.Log, error) {
		m := &s.Messages[message]
		raw, err := line(m)
		if err != nil {
			return nil, nil, nil, err
		}
		p := r.parser(parsers, int(m.Input))
		v := p.Parse(raw, &request)
		e, log := p.Event()
		if log == nil {
			return nil, nil, nil, fmt.Errorf("BUG: line %d of %s was an event and now is %s", m.Line, r.inputs[m.Input].Path, v)
		}
		return parse.Kept(raw), e, log, nil
	}
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
	order := make([]int, 0, len(a.joined.Events))
	for i := range a.joined.Events {
		if !a.joined.Events[i].Outside {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(a.joined.Events[x].Time, a.joined.Events[y].Time) })
	res.Rows = result.Pieces[result.AuthEvent]{Len: len(order), Reader: func() func(from, to int) iter.Seq2[*result.AuthEvent, error] {
		row := a.eventRow()
		return func(from, to int) iter.Seq2[*result.AuthEvent, error] {
			return func(yield func(*result.AuthEvent, error) bool) {
				for _, i := range order[from:to] {
					x, err := row(i)
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
// next call.
func (a *assembly) eventRow() func(message int) (*result.AuthEvent, error) {
	read := a.reader.messages(a.State)
	mask := a.reader.options.Parse.Privacy.NewMask()
	texts := newTextCache()
	var row result.AuthEvent
	return func(message int) (*result.AuthEvent, error) {
		_, e, log, err := read(message)
		if err != nil {
			return nil, err
		}
		m, x := &a.State.Messages[message], &a.joined.Events[message]
		path, _, _ := bytes.Cut(e.Target, []byte("?"))
		user, client := e.User, e.Client
		if mask != nil {
			mask.Line(e.User, e.Client, nil, e.Session, e.Host, nil)
			path = mask.Text(path)
			if mask.Key != nil && len(user) > 0 {
				user = mask.User(user)
			}
			if mask.Key != nil && len(client) > 0 {
				client = mask.Address(client)
			}
		}
		row = result.AuthEvent{
			Time: x.Time, Kind: log.Name, Code: texts.clean(e.Code), Outcome: outcomeNames[e.Outcome], Reason: result.Clean(x.Reason), Status: e.Status,
			Method: texts.clean(e.Method), Path: texts.clean(path), Host: texts.clean(e.Host), Client: texts.clean(client),
			User: texts.clean(user), LogPath: a.reader.inputs[m.Input].Path, LogLine: m.Line, Key: x.Match.String(), MatchedLine: -1,
		}
		switch {
		case x.Refusal >= 0:
			refusal := a.State.Refusals.At(int(x.Refusal))
			row.Join, row.MatchedPath, row.MatchedLine = "matched", a.reader.inputs[refusal.Input].Path, refusal.Line
			row.FindingID = a.findingID(x.Refusal)
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
	if e.Dropped > 0 {
		notes = append(notes, result.Note{Kind: result.NoteManyEvents, N: e.Dropped})
	}
	if a.reader.options.Carryover != nil {
		notes = append(notes, result.Note{Kind: result.NoteEventsOfRun})
	}
	return notes
}
