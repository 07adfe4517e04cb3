package analyze

import (
	"slices"
	"strings"

	"logscan/analyze/authevents"
	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/serverconf/rules"
	"logscan/parse/source"
)

// assembly makes the Result of a run from the outputs of its stages.
type assembly struct {
	*session.Evidence
	*detect.Explanation
	*clientOrder
	reader *reader
	lines  lineStore
	joined *authevents.Joined // nil if there are no events
	names  []string           // of the causes
	causes []int              // by finding: its cause, as an index of names
	excess session.Bits       // by refusal, see excessive
	users  []string           // by user: cleaned names; set by accountRows

	// Of findings, if a server's configuration is known; set by addEvidence and as needed.
	examples [][]example
	faulty   map[uint32]*rules.Fact // by endpoint: what closes it by mistake
	contrast map[routeOf]*rules.Answer
}

func newAssembly(ev *session.Evidence, ex *detect.Explanation, order *clientOrder, joined *authevents.Joined, lines lineStore, r *reader) *assembly {
	a := &assembly{Evidence: ev, Explanation: ex, clientOrder: order, joined: joined, lines: lines, reader: r, names: detect.CauseNames(), causes: make([]int, len(ex.Findings))}
	for i := range ex.Findings {
		a.causes[i] = slices.Index(a.names, ex.Findings[i].Kind)
	}
	a.excess = a.excessive()
	return a
}

// cause returns the cause of a refusal, as an index of names: that of its finding, or
// else the one it shows by itself, unless that is ordinary and there are too many of
// it.
func (a *assembly) cause(i int, r *session.Refusal) int {
	if f := a.Of[i]; f != 0 {
		return a.causes[f-1]
	}
	c := r.Cause
	if a.excess.Has(i) {
		c = session.Unexplained
	}
	return len(a.names) - int(session.NumCauses) + int(c)
}

// findingID returns the id of the finding that explains a refusal, "" for none.
func (a *assembly) findingID(i int) string {
	if f := a.Of[i]; f != 0 {
		return a.Findings[f-1].ID
	}
	return ""
}

// result returns the Result. read are the results of reading the inputs. The error
// is one of reading temporary files.
func (a *assembly) result(read []source.Result) (*result.Result, error) {
	s, r := a.State, a.reader
	res := &result.Result{
		Skips: map[string]int64{}, Rejects: map[string]int64{}, Causes: map[string]int64{},
		Statuses: r.options.Parse.Refusals, Findings: a.Findings, Undetectable: a.Undetectable,
		Since: micros(r.options.Parse.Since), Until: micros(r.options.Parse.Until),
	}
	a.addLedger(res, read)
	res.Formats = r.formatsRead(s)
	causes := make([]int64, len(a.names))
	for i, r := range a.Refusals.All() {
		causes[a.cause(i, r)]++
	}
	for i, name := range a.names {
		res.Causes[name] = causes[i]
	}
	res.Totals.Unexplained = res.Causes[session.Unexplained.String()]
	res.Totals.Findings = int64(result.CountFindings(a.Findings))
	shown := a.Refusals.Reader()
	res.Agreement = detect.Agreement(a.Evidence, func(i int) int { return a.cause(i, shown(i)) })
	res.RejectedLines = r.rejectedLines(s.Rejected)
	var failed error
	var explained map[timeline.Client]string
	a.Parallel(
		func() { failed = a.addEvidence() },
		func() { explained = a.clientsExplained() },
		func() { res.Timeline = a.timelineRows() },
		func() { res.Endpoints = a.endpointRows() },
		func() { res.Accounts = a.accountRows() },
		func() { res.Residual = a.residual(res.Formats) },
	)
	if failed != nil {
		return nil, failed
	}
	a.addConfiguration(res)
	res.Clients = a.clientRows(explained)
	res.Notes = append(append(res.Notes, overflowNotes(s)...), a.otherRefusals()...)
	res.Sessions = a.sessionRows()
	res.Upstreams = a.upstreamRows()
	res.Refusals = a.refusals()
	res.Unauthorized = a.unauthorizedRows()
	res.Requests = a.requestRows()
	res.AuthEvents = a.eventResult()
	res.Notes = append(res.Notes, a.eventNotes(res.AuthEvents)...)
	a.Release()
	return res, nil
}

// addLedger accounts for every line of every input.
func (a *assembly) addLedger(res *result.Result, read []source.Result) {
	t := &res.Totals
	t.FirstTime, t.LastTime = parse.NoTime, parse.NoTime
	res.Inputs = make([]result.Input, 0, len(a.State.Inputs))
	for i := range a.State.Inputs {
		in := a.input(res, i, &read[i])
		if in.Format == UnknownFormat && in.Lines > in.Skipped {
			in.Closest, in.UTF16 = Closest(&a.reader.chosen[i].Detection), a.reader.chosen[i].UTF16
			in.Proposed = a.reader.chosen[i].proposed
			note := result.Note{Kind: result.NoteUnknownFormat, Name: in.Path, N: in.Parsed, M: in.Lines, Match: in.Closest}
			if in.UTF16 {
				note.Text = "UTF-16"
			}
			res.Notes = append(res.Notes, note)
		}
		res.Inputs = append(res.Inputs, in)
		t.Bytes += in.Bytes
		t.Lines += in.Lines
		t.Parsed += in.Parsed
		t.Rejected += in.Rejected
		t.Skipped += in.Skipped
		t.Unauthorized += in.Unauthorized
		t.NoStatus += in.NoStatus
		t.Unread += in.Unread
		if in.FirstTime != parse.NoTime {
			if t.FirstTime == parse.NoTime || in.FirstTime < t.FirstTime {
				t.FirstTime = in.FirstTime
			}
			t.LastTime = max(t.LastTime, in.LastTime)
		}
	}
	if t.Parsed > 0 && len(a.State.Users) == 0 {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteNoUsers})
	}
	if t.Parsed > 0 && !a.State.Sessions {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteNoSessions})
	}
}

// input returns the ledger of an input, and adds its skipped and rejected lines to
// those of the result.
func (a *assembly) input(res *result.Result, i int, read *source.Result) result.Input {
	l, chosen := &a.State.Inputs[i], &a.reader.chosen[i]
	in := result.Input{
		Path: a.reader.inputs[i].Path, Format: chosen.name, Missing: chosen.missing(), Compression: read.Compression,
		Bytes: read.Bytes, Lines: l.Lines, Unauthorized: l.Unauthorized, NoStatus: l.NoStatus, Unread: l.Unread,
		Parsed: l.Verdicts[parse.Parsed], FirstTime: l.First, LastTime: l.Last,
	}
	in.BytesBefore, in.LinesBefore, in.BytesLeft = a.reader.inputs[i].Before()
	in.NoRequests = len(chosen.formats) > 0 && !chosen.formats[0].HasRequests() && in.Parsed == 0
	if read.Err != nil {
		in.Error = read.Err.Error()
	}
	for v := parse.Verdict(0); v < parse.NumVerdicts; v++ {
		switch n := l.Verdicts[v]; {
		case n == 0:
		case v.Skipped():
			in.Skipped += n
			res.Skips[v.String()] += n
		case v.Rejected():
			in.Rejected += n
			res.Rejects[v.String()] += n
		}
	}
	return in
}

// overflowNotes returns notes on names that exceed a limit and are summed up.
func overflowNotes(s *timeline.State) (notes []result.Note) {
	add := func(exceeded bool, n result.Note) {
		if exceeded {
			notes = append(notes, n)
		}
	}
	named := int64(len(s.Users))
	add(s.OtherUsers > 0, result.Note{Kind: result.NoteManyUsers, N: s.OtherUsers + named, M: named})
	add(s.OtherClients > 0, result.Note{Kind: result.NoteManyClients, N: s.OtherClients})
	add(s.HostsFolded, result.Note{Kind: result.NoteManyHosts})
	add(s.UpstreamsFolded, result.Note{Kind: result.NoteManyUpstreams})
	add(s.EndpointsFolded, result.Note{Kind: result.NoteManyRoutes})
	add(s.Grain > timeline.MinuteStep, result.Note{Kind: result.NoteCoarseTimeline, N: s.Grain})
	return notes
}

// listSkipped adds the inputs that were not read.
func listSkipped(res *result.Result, s skippedInputs) {
	for _, in := range s.early {
		res.Inputs = append(res.Inputs, result.Input{Path: in.Path, OutOfRange: true, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	for _, d := range s.same {
		res.Inputs = append(res.Inputs, result.Input{Path: d.Path, DuplicateOf: d.Of, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	for i := range s.done {
		in := result.Input{Path: s.done[i].Path, FirstTime: parse.NoTime, LastTime: parse.NoTime}
		in.BytesBefore, in.LinesBefore, in.BytesLeft = s.done[i].Before()
		res.Inputs = append(res.Inputs, in)
	}
	slices.SortStableFunc(res.Inputs, func(a, b result.Input) int { return strings.Compare(a.Path, b.Path) })
	if n := len(s.early); n > 0 {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteEarly, N: int64(n)})
	}
	if n := len(s.same); n > 0 {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteDuplicates, Name: s.same[0].Path, Text: s.same[0].Of, N: int64(n)})
	}
	if n := len(s.done); n > 0 {
		res.Notes = append(res.Notes, result.Note{Kind: result.NoteDone, N: int64(n)})
	}
}

// dropIdle drops the rows that have no request in this run, only in earlier ones.
func dropIdle(res *result.Result) {
	idle := func(c *result.Counts) bool { return c.Requests == 0 }
	// A 401 of this run may have the user of a session of an earlier run.
	referred := make([]bool, len(res.Accounts))
	for x := range res.Refusals {
		if x.Account >= 0 {
			referred[x.Account] = true
		}
	}
	var endpoints, accounts, upstreams []int
	res.Endpoints, endpoints = dropRows(res.Endpoints, func(i int) bool { return idle(&res.Endpoints[i].Counts) })
	res.Accounts, accounts = dropRows(res.Accounts, func(i int) bool { return idle(&res.Accounts[i].Counts) && !referred[i] })
	res.Upstreams, upstreams = dropRows(res.Upstreams, func(i int) bool { return idle(&res.Upstreams[i].Counts) })
	refusals := res.Refusals
	res.Refusals = func(yield func(result.Refusal) bool) {
		for x := range refusals {
			x.Endpoint = endpoints[x.Endpoint]
			if x.Account >= 0 {
				x.Account = accounts[x.Account]
			}
			if x.Upstream >= 0 {
				x.Upstream = upstreams[x.Upstream]
			}
			if !yield(x) {
				return
			}
		}
	}
}

// dropRows returns the rows that are not dropped, and by old index the new one, -1
// for a dropped row.
func dropRows[R any](rows []R, drop func(int) bool) (kept []R, index []int) {
	index = make([]int, len(rows))
	for i := range rows {
		if index[i] = -1; !drop(i) {
			index[i] = len(kept)
			kept = append(kept, rows[i])
		}
	}
	return kept, index
}
