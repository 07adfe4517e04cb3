package analyze

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"logscan/analyze/detect"
	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/pseudonym"
	"logscan/parse/redact"
	"logscan/parse/source"
)

// assembly makes the Result of a run from what its stages put out.
type assembly struct {
	*session.Evidence
	*detect.Explanation
	*clientOrder
	reader *reader
	names  []string // of the causes
	causes []int    // by finding: its cause, as an index of names
	users  []string // by user: names fit to leave; made by accountRows
}

func newAssembly(ev *session.Evidence, ex *detect.Explanation, order *clientOrder, r *reader) *assembly {
	a := &assembly{Evidence: ev, Explanation: ex, clientOrder: order, reader: r, names: detect.CauseNames(), causes: make([]int, len(ex.Findings))}
	for i := range ex.Findings {
		a.causes[i] = slices.Index(a.names, ex.Findings[i].Kind)
	}
	return a
}

// cause returns the cause of a refusal, as an index of names: that of its
// finding, or else the one it shows by itself.
func (c *assembly) cause(i int) int {
	if f := c.Of[i]; f != 0 {
		return c.causes[f-1]
	}
	return len(c.names) - int(session.NumCauses) + int(c.Refusals[i].Cause)
}

// result makes the rows of everything that was found out.
func (c *assembly) result(read []source.Result) (*result.Result, error) {
	s, r := c.State, c.reader
	res := &result.Result{
		Skips: map[string]int64{}, Rejects: map[string]int64{}, Causes: map[string]int64{},
		Findings: c.Findings, Undetectable: c.Undetectable,
		Since: micros(r.options.Parse.Since), Until: micros(r.options.Parse.Until),
	}
	c.ledger(res, read)
	res.Formats = r.formatsRead(s)
	causes := make([]int64, len(c.names))
	for i := range c.Refusals {
		causes[c.cause(i)]++
	}
	for i, name := range c.names {
		res.Causes[name] = causes[i]
	}
	res.Totals.Unexplained = res.Causes[session.Unexplained.String()]
	res.Totals.Findings = int64(len(c.Findings))
	mask := r.options.Parse.Privacy.NewMask()
	for _, x := range s.Rejected {
		l := result.RejectedLine{Path: r.inputs[x.Input].Path, Line: x.Line, Reason: x.Verdict.String()}
		if r.options.Parse.Privacy.Key == nil { // else it stays untold who is named in what cannot be read
			l.Raw = rawText(x.Raw, x.Session, mask)
		}
		res.RejectedLines = append(res.RejectedLines, l)
	}
	var shown error
	var explained map[timeline.Client]string
	c.Parallel(
		func() { shown = c.showEvidence() },
		func() { explained = clientsExplained(c) },
		func() { res.Timeline = c.timelineRows() },
		func() { res.Endpoints = c.endpointRows() },
		func() { res.Accounts = c.accountRows() },
	)
	if shown != nil {
		return nil, shown
	}
	res.Clients = c.clientRows(explained)
	res.Notes = append(res.Notes, crowdNotes(s)...)
	res.Sessions = c.sessionRows()
	res.Upstreams = c.upstreamRows()
	res.Refusals = c.refusals()
	res.Unauthorized = c.unauthorizedRows()
	// No row that is made later asks for these.
	c.Release()
	return res, nil
}

// ledger accounts for every line of every input.
func (c *assembly) ledger(res *result.Result, read []source.Result) {
	r := c.reader
	t := &res.Totals
	t.FirstTime, t.LastTime = parse.NoTime, parse.NoTime
	for i, l := range c.State.Inputs {
		in := result.Input{
			Path: r.inputs[i].Path, Format: r.chosen[i].name, Missing: r.chosen[i].missing(), Compression: read[i].Compression,
			Bytes: read[i].Bytes, Lines: l.Lines, Unauthorized: l.Unauthorized,
			Parsed: l.Verdicts[parse.Parsed], FirstTime: l.First, LastTime: l.Last,
		}
		in.BytesBefore, in.LinesBefore, in.BytesLeft = r.inputs[i].Before()
		if err := read[i].Err; err != nil {
			in.Error = err.Error()
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
		if in.Format == UnknownFormat && in.Lines > in.Skipped {
			in.Closest, in.UTF16 = Closest(&r.chosen[i].Detection), r.chosen[i].UTF16
			res.Notes = append(res.Notes, unexplainedNote(&in))
		}
		res.Inputs = append(res.Inputs, in)
		t.Bytes += in.Bytes
		t.Lines += in.Lines
		t.Parsed += in.Parsed
		t.Rejected += in.Rejected
		t.Skipped += in.Skipped
		t.Unauthorized += in.Unauthorized
		if l.First != parse.NoTime {
			if t.FirstTime == parse.NoTime || l.First < t.FirstTime {
				t.FirstTime = l.First
			}
			t.LastTime = max(t.LastTime, l.Last)
		}
	}
	if t.Parsed > 0 && len(c.State.Users) == 0 {
		res.Notes = append(res.Notes, "No line names a user, so accounts that fail cannot be told: log $remote_user (nginx) or %u (Apache).")
	}
	if t.Parsed > 0 && !c.State.Sessions {
		res.Notes = append(res.Notes, "No line carries a session id, so sessions are told apart by address and user agent only: log the session cookie ($cookie_NAME in nginx, %{NAME}C in Apache) and name it with --field session=.")
	}
}

// disguised notes that users and addresses are pseudonyms.
func disguised(res *result.Result, key *pseudonym.Key) {
	res.PseudonymKey = key.ID()
	note := "Users and addresses are pseudonyms, made with the key " + key.ID() + "."
	if len(res.RejectedLines) > 0 {
		note += " The text of lines that could not be read is left out: nobody can tell who is named in it."
	}
	res.Notes = append(res.Notes, note)
}

// otherKeyNote says why a baseline is of no use.
const otherKeyNote = "The findings are not compared with the baseline: only one of the two has pseudonyms, or their keys differ, so users and addresses cannot be known again."

// leave lists the inputs that were not read.
func leave(res *result.Result, left []source.Input) {
	if len(left) == 0 {
		return
	}
	for _, in := range left {
		res.Inputs = append(res.Inputs, result.Input{Path: in.Path, OutOfRange: true, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	sortInputs(res)
	res.Notes = append(res.Notes, detect.Say("Of the inputs %d were last changed before the range of time begins and were not read.", len(left)))
}

// leaveCopies lists the inputs that were not read because another one has the
// same content.
func leaveCopies(res *result.Result, same []source.Duplicate) {
	if len(same) == 0 {
		return
	}
	for _, d := range same {
		res.Inputs = append(res.Inputs, result.Input{Path: d.Path, DuplicateOf: d.Of, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	sortInputs(res)
	text := fmt.Sprintf("%s has the same content as %s and was not read", same[0].Path, same[0].Of)
	switch n := len(same) - 1; n {
	case 0:
	case 1:
		text += "; nor was 1 other copy"
	default:
		text += detect.Say("; nor were %d other copies", n)
	}
	res.Notes = append(res.Notes, text+".")
}

// leaveCounted lists the inputs that were counted by earlier runs to their end.
func leaveCounted(res *result.Result, done []source.Resumed) {
	if len(done) == 0 {
		return
	}
	for i := range done {
		in := result.Input{Path: done[i].Path, FirstTime: parse.NoTime, LastTime: parse.NoTime}
		in.BytesBefore, in.LinesBefore, in.BytesLeft = done[i].Before()
		res.Inputs = append(res.Inputs, in)
	}
	sortInputs(res)
	res.Notes = append(res.Notes, detect.Say("Of the inputs %d hold nothing that earlier runs had not counted.", len(done)))
}

// dropIdle drops the rows of what only earlier runs met.
func dropIdle(res *result.Result) {
	idle := func(c *result.Counts) bool { return c.Requests == 0 }
	// A user that a session named before may be that of a 401 of this run.
	meant := make([]bool, len(res.Accounts))
	for x := range res.Refusals {
		if x.Account >= 0 {
			meant[x.Account] = true
		}
	}
	var endpoints, accounts, upstreams []int
	res.Endpoints, endpoints = dropRows(res.Endpoints, func(i int) bool { return idle(&res.Endpoints[i].Counts) })
	res.Accounts, accounts = dropRows(res.Accounts, func(i int) bool { return idle(&res.Accounts[i].Counts) && !meant[i] })
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

// dropRows drops rows and gives the places of those that stay, by their old
// ones.
func dropRows[R any](rows []R, drop func(int) bool) (kept []R, place []int) {
	place = make([]int, len(rows))
	for i := range rows {
		if place[i] = -1; !drop(i) {
			place[i] = len(kept)
			kept = append(kept, rows[i])
		}
	}
	return kept, place
}

func sortInputs(res *result.Result) {
	slices.SortStableFunc(res.Inputs, func(a, b result.Input) int { return strings.Compare(a.Path, b.Path) })
}

// unexplainedNote says what is known of an input that no format explains.
func unexplainedNote(in *result.Input) string {
	s := detect.Say("No known format explains %s: %d of its %d lines could be read.", in.Path, in.Parsed, in.Lines)
	if in.UTF16 {
		return s + " It is text in UTF-16: convert it to UTF-8."
	}
	if in.Closest != "" {
		s += " The closest is " + in.Closest + "."
	}
	return s + " Give the format string of the server's configuration with --format."
}

// rawText makes a raw line fit to leave. The mask is that of the parser that read
// it last, nil where names stay.
func rawText(line, session []byte, mask *pseudonym.Mask) string {
	b := redact.AppendLine(nil, line, session)
	if mask != nil {
		b = mask.Text(b)
	}
	return strings.ToValidUTF8(string(b[:min(len(b), result.MaxRawLine)]), "\uFFFD")
}

func counts(t *timeline.Tally) result.Counts {
	c := result.Counts{
		Accepted: t.N[timeline.Accepted], Redirected: t.N[timeline.Redirected], Unauthorized: t.N[timeline.Unauthorized],
		Forbidden: t.N[timeline.Forbidden], NotFound: t.N[timeline.NotFound], ClientErrors: t.N[timeline.ClientError],
		ServerErrors: t.N[timeline.ServerError], Other: t.N[timeline.Other],
	}
	for _, n := range t.N {
		c.Requests += n
	}
	return c
}

// mostExplaining gives, for each key of the facts, the id of the finding that
// explains most of its 401s.
func mostExplaining[K comparable](c *assembly, key func(*session.Refusal) (K, bool)) map[K]string {
	type pair struct {
		key     K
		finding int32
	}
	n := map[pair]int{}
	for i := range c.Refusals {
		if found := c.Of[i]; found != 0 {
			if k, ok := key(&c.Refusals[i]); ok {
				n[pair{k, found}]++
			}
		}
	}
	best := map[K]pair{}
	for p, count := range n {
		b, ok := best[p.key]
		if !ok || count > n[b] || count == n[b] && p.finding < b.finding {
			best[p.key] = p
		}
	}
	ids := make(map[K]string, len(best))
	for k, p := range best {
		ids[k] = c.Findings[p.finding-1].ID
	}
	return ids
}

func (c *assembly) endpointRows() []result.Endpoint {
	ids := mostExplaining(c, func(f *session.Refusal) (uint32, bool) { return f.Endpoint, true })
	rows := make([]result.Endpoint, len(c.State.Endpoints))
	for i := range rows {
		e, f := &c.State.Endpoints[i], &c.Endpoints[i]
		rows[i] = result.Endpoint{
			Host: result.Clean(e.Host), Method: e.Method, Template: result.Clean(e.Template),
			Counts: counts(&e.Tally), Actors: f.Actors, RefusedActors: f.RefusedActors, Protected: c.Protected[i],
			FirstTime: e.First, LastTime: e.Last, FirstUnauthorized: e.FirstRefused, LastUnauthorized: e.LastRefused,
			FindingID: ids[uint32(i)],
		}
	}
	return rows
}

func (c *assembly) accountRows() []result.Account {
	ids := mostExplaining(c, func(f *session.Refusal) (uint32, bool) { return f.User, f.User != 0 })
	rows := make([]result.Account, 0, len(c.State.Users)+1)
	c.users = make([]string, 0, len(c.State.Users))
	add := func(u *timeline.Named, clients int64, finding string) {
		rows = append(rows, result.Account{
			User: result.Clean(u.Name), Counts: counts(&u.Tally), Clients: clients,
			FirstAccepted: u.FirstAccepted, LastAccepted: u.LastAccepted,
			FirstUnauthorized: u.FirstRefused, LastUnauthorized: u.LastRefused,
			FindingID: finding,
		})
	}
	for i := range c.State.Users {
		add(&c.State.Users[i], c.UserClients[i], ids[uint32(i)+1])
		c.users = append(c.users, rows[i].User)
	}
	if c.State.OtherUsers > 0 {
		add(&c.State.OfOtherUsers, 0, "") // their clients are not known
	}
	return rows
}

// clientsExplained gives the finding that explains most 401s of each client.
func clientsExplained(c *assembly) map[timeline.Client]string {
	return mostExplaining(c, func(f *session.Refusal) (timeline.Client, bool) {
		return timeline.Client{Address: f.Address, Agent: f.Agent}, true
	})
}

// clientOrder is the order of the clients in the table of clients.
type clientOrder struct {
	order             []timeline.Client
	from              []int32  // by address: where its clients begin in order
	addresses, agents []string // fit to leave, by index
}

// orderClients sorts the clients. It reads what no later stage changes.
func orderClients(ev *session.Evidence) *clientOrder {
	order := make([]timeline.Client, 0, len(ev.Clients))
	for cl := range ev.Clients {
		order = append(order, cl)
	}
	slices.SortFunc(order, timeline.CompareClients)
	from := make([]int32, len(ev.State.Addresses)+1)
	for _, cl := range order {
		from[cl.Address+1]++
	}
	for i := range ev.State.Addresses {
		from[i+1] += from[i]
	}
	return &clientOrder{order, from, result.CleanAll(ev.State.Addresses), result.CleanAll(ev.State.Agents)}
}

// row returns the place of a client's row, -1 where it has none. The clients of
// one address, which are few, lie side by side.
func (o *clientOrder) row(cl timeline.Client) int {
	from, to := int(o.from[cl.Address]), int(o.from[cl.Address+1])
	i, ok := slices.BinarySearchFunc(o.order[from:to], cl, timeline.CompareClients)
	if !ok {
		return -1
	}
	return from + i
}

// clientRows makes the rows of the clients, which orderClients has put in order;
// explained gives the findings of those that have one.
func (c *assembly) clientRows(explained map[timeline.Client]string) []result.Client {
	rows := make([]result.Client, len(c.order))
	c.InParts(len(rows), func(from, to int) {
		for i := from; i < to; i++ {
			cl := c.order[i]
			f := c.Clients[cl]
			rows[i] = result.Client{
				Address: c.addresses[cl.Address], UserAgent: c.agents[cl.Agent],
				Counts: counts(&f.Tally), Users: f.Users, Sessions: f.Sessions, RefusedEndpoints: f.RefusedEndpoints,
				FirstTime: f.Tally.First, LastTime: f.Tally.Last, LastAccepted: f.Tally.LastAccepted,
				FindingID: explained[cl],
			}
		}
	})
	return rows
}

func (c *assembly) upstreamRows() []result.Upstream {
	rows := make([]result.Upstream, len(c.State.Upstreams))
	for i := range rows {
		u := &c.State.Upstreams[i]
		rows[i] = result.Upstream{Name: result.Clean(u.Name), Counts: counts(&u.Tally)}
	}
	return rows
}

// refusals gives the 401s by the places of their rows; orderClients has been called.
func (c *assembly) refusals() iter.Seq[result.Refusal] {
	return func(yield func(result.Refusal) bool) {
		for i := range c.Refusals {
			f := &c.Refusals[i]
			if f.Actor == 0 {
				continue // it has no time
			}
			x := result.Refusal{
				Time: c.State.Refusals[i].Time, Endpoint: int(f.Endpoint), Account: int(f.User) - 1,
				Client:   c.row(timeline.Client{Address: f.Address, Agent: f.Agent}),
				Upstream: int(f.Upstream) - 1, Cause: c.cause(i), Finding: int(c.Of[i]) - 1,
			}
			if !yield(x) {
				return
			}
		}
	}
}

func (c *assembly) timelineRows() []result.Minute {
	type key struct {
		time int64
		host string
	}
	rows := make([]result.Minute, len(c.State.Minutes))
	place := make(map[key]int, len(rows))
	for i, m := range c.State.Minutes {
		t := timeline.Tally{N: m.N}
		rows[i] = result.Minute{Time: m.Time, Host: result.Clean(m.Host), Counts: counts(&t), Causes: make([]int64, len(c.names))}
		place[key{m.Time, m.Host}] = i
	}
	var last key // 401s come by time: it is mostly the next one's too
	var row *result.Minute
	for i := range c.Refusals {
		f := &c.Refusals[i]
		if f.Actor == 0 {
			continue // it has no time
		}
		k := key{c.State.Step(c.State.Refusals[i].Time), c.State.Endpoints[f.Endpoint].Host}
		if k != last || row == nil {
			n, ok := place[k]
			if !ok {
				continue
			}
			last, row = k, &rows[n]
		}
		row.Causes[c.cause(i)]++
	}
	return rows
}

// reread gives a function that parses the kept line of a 401 again, and tells by
// which parser. What it gives is valid until the next call.
func (c *assembly) reread() func(rank int, e *parse.Entry) ([]byte, *parse.Parser, error) {
	line, r := c.State.Lines(), c.reader
	parsers := map[string]*parse.Parser{}
	return func(rank int, e *parse.Entry) ([]byte, *parse.Parser, error) {
		x := &c.State.Refusals[rank]
		raw, err := line(x)
		if err != nil {
			return nil, nil, err
		}
		p := r.parser(parsers, int(x.Input))
		if v := p.Parse(raw, e); v != parse.Parsed {
			return nil, nil, fmt.Errorf("BUG: line %d of %s was parsed and now is %s", x.Line, r.inputs[x.Input].Path, v)
		}
		return parse.Kept(raw), p, nil
	}
}

func (c *assembly) unauthorizedRows() result.Pieces[result.Unauthorized] {
	templates := make([]string, len(c.State.Endpoints))
	for i := range templates {
		templates[i] = result.Clean(c.State.Endpoints[i].Template)
	}
	return result.Pieces[result.Unauthorized]{Len: len(c.State.Refusals), Reader: func() func(from, to int) iter.Seq2[*result.Unauthorized, error] {
		read := c.reread()
		return func(from, to int) iter.Seq2[*result.Unauthorized, error] {
			return func(yield func(*result.Unauthorized, error) bool) {
				var e parse.Entry
				var row result.Unauthorized
				for rank := from; rank < to; rank++ {
					x, f := &c.State.Refusals[rank], &c.Refusals[rank]
					if _, _, err := read(rank, &e); err != nil {
						yield(nil, err)
						return
					}
					row = result.Unauthorized{
						Time: x.Time, Method: result.CleanBytes(e.Method), Path: result.CleanBytes(e.Path), Query: result.CleanBytes(e.Query),
						Scheme: result.CleanBytes(e.Scheme), Status: e.Status, BodySize: e.BodySize, Duration: e.Duration,
						Host: result.CleanBytes(e.Host), Referrer: result.CleanBytes(e.Referrer), Client: result.CleanBytes(e.Client), Peer: result.CleanBytes(e.Peer),
						UserAgent: result.CleanBytes(e.UserAgent), User: result.CleanBytes(e.User), Upstream: result.CleanBytes(e.Upstream),
						LogPath: c.reader.inputs[x.Input].Path, LogLine: x.Line,
						Cause: c.names[c.cause(rank)], Reason: result.CleanBytes(e.Reason), AnsweredBy: e.AnsweredBy.String(),
						TokenExpiry: e.TokenExpiry,
					}
					if len(e.Session) > 0 {
						row.SessionID = redact.SessionHash(e.Session)
					}
					if f.Actor != 0 {
						row.Template = templates[f.Endpoint]
					}
					if n := c.Of[rank]; n != 0 {
						row.FindingID = c.Findings[n-1].ID
					}
					if !yield(&row, nil) {
						return
					}
				}
			}
		}
	}}
}

// showEvidence fills in the sample lines of the findings.
func (c *assembly) showEvidence() error {
	type wanted struct {
		rank    uint32
		finding int
	}
	var all []wanted
	for i, sample := range c.Samples {
		for _, rank := range sample {
			all = append(all, wanted{rank, i})
		}
	}
	slices.SortFunc(all, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.rank, b.rank), a.finding-b.finding) })
	read := c.reread()
	var e parse.Entry
	for _, w := range all {
		raw, p, err := read(int(w.rank), &e)
		if err != nil {
			return err
		}
		session, mask := e.Session, p.Mask()
		if mask != nil {
			session = mask.LoggedSession()
		}
		x := &c.State.Refusals[w.rank]
		f := &c.Findings[w.finding]
		f.Evidence = append(f.Evidence, result.Evidence{Path: c.reader.inputs[x.Input].Path, Line: x.Line, Raw: rawText(raw, session, mask)})
	}
	return nil
}

// compare notes in a result what has changed since an earlier run.
func compareBaseline(res *result.Result, before *result.Snapshot) {
	changes, resolved := result.Compare(before, res.Snapshot())
	for i := range changes {
		res.Findings[i].Change = &changes[i]
	}
	res.Resolved = resolved
}
