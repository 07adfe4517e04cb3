package analyze

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"logscan/analyze/fresh"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/privacy"
	"logscan/parse/source"
)

// result makes the rows of everything that was found out.
func (c *correlation) result(r *reader, read []source.Result, findings []Finding) (*Result, error) {
	s := c.state
	res := &Result{
		Skips: map[string]int64{}, Rejects: map[string]int64{}, Causes: map[string]int64{},
		Findings: findings, Undetectable: c.undetectable,
		Since: micros(r.options.Parse.Since), Until: micros(r.options.Parse.Until),
	}
	c.ledger(res, r, read)
	res.Formats = c.formats(r)
	causes := make([]int64, len(CauseNames))
	for i := range c.facts {
		causes[c.facts[i].cause]++
	}
	for i, name := range CauseNames {
		res.Causes[name] = causes[i]
	}
	res.Totals.Unexplained = res.Causes[causeUnexplained.String()]
	res.Totals.Findings = int64(len(findings))
	mask := r.options.Parse.Privacy.NewMask()
	for _, x := range s.Rejected {
		l := RejectedLine{Path: r.inputs[x.Input].Path, Line: x.Line, Reason: x.Verdict.String()}
		if r.options.Parse.Privacy.Key == nil { // else it stays untold who is named in what cannot be read
			l.Raw = rawText(x.Raw, x.Session, mask)
		}
		res.RejectedLines = append(res.RejectedLines, l)
	}
	var shown error
	var explained map[timeline.Client]string
	c.together(
		func() { shown = c.showEvidence(r, res.Findings) },
		func() { explained = clientsExplained(c, findings) },
		func() { res.Timeline = c.timelineRows() },
		func() { res.Endpoints = c.endpointRows(findings) },
		func() { res.Accounts = c.accountRows(findings) },
	)
	if shown != nil {
		return nil, shown
	}
	res.Clients = c.clientRows(explained)
	res.Notes = append(res.Notes, c.crowdNotes()...)
	res.Sessions = c.sessionRows(findings)
	res.Upstreams = c.upstreamRows()
	res.Refusals = c.refusals()
	res.Unauthorized = c.unauthorizedRows(r, findings)
	// No row that is made later asks for these.
	c.clients, c.userClients, c.observed, c.guesses = nil, nil, nil, nil
	if c.keep == nil {
		c.state.Users = nil
	}
	return res, nil
}

// ledger accounts for every line of every input.
func (c *correlation) ledger(res *Result, r *reader, read []source.Result) {
	t := &res.Totals
	t.FirstTime, t.LastTime = parse.NoTime, parse.NoTime
	for i, l := range c.state.Inputs {
		in := Input{
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
	if t.Parsed > 0 && len(c.state.Users) == 0 {
		res.Notes = append(res.Notes, "No line names a user, so accounts that fail cannot be told: log $remote_user (nginx) or %u (Apache).")
	}
	if t.Parsed > 0 && !c.state.Sessions {
		res.Notes = append(res.Notes, "No line carries a session id, so sessions are told apart by address and user agent only: log the session cookie ($cookie_NAME in nginx, %{NAME}C in Apache) and name it with --field session=.")
	}
}

// disguised notes that users and addresses are pseudonyms.
func (res *Result) disguised(key *privacy.Key) {
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
func (res *Result) leave(left []source.Input) {
	if len(left) == 0 {
		return
	}
	for _, in := range left {
		res.Inputs = append(res.Inputs, Input{Path: in.Path, OutOfRange: true, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	res.sortInputs()
	res.Notes = append(res.Notes, say("Of the inputs %d were last changed before the range of time begins and were not read.", len(left)))
}

// leaveCopies lists the inputs that were not read because another one has the
// same content.
func (res *Result) leaveCopies(same []source.Duplicate) {
	if len(same) == 0 {
		return
	}
	for _, d := range same {
		res.Inputs = append(res.Inputs, Input{Path: d.Path, DuplicateOf: d.Of, FirstTime: parse.NoTime, LastTime: parse.NoTime})
	}
	res.sortInputs()
	text := fmt.Sprintf("%s has the same content as %s and was not read", same[0].Path, same[0].Of)
	switch n := len(same) - 1; n {
	case 0:
	case 1:
		text += "; nor was 1 other copy"
	default:
		text += say("; nor were %d other copies", n)
	}
	res.Notes = append(res.Notes, text+".")
}

// leaveCounted lists the inputs that were counted by earlier runs to their end.
func (res *Result) leaveCounted(done []source.Resumed) {
	if len(done) == 0 {
		return
	}
	for i := range done {
		in := Input{Path: done[i].Path, FirstTime: parse.NoTime, LastTime: parse.NoTime}
		in.BytesBefore, in.LinesBefore, in.BytesLeft = done[i].Before()
		res.Inputs = append(res.Inputs, in)
	}
	res.sortInputs()
	res.Notes = append(res.Notes, say("Of the inputs %d hold nothing that earlier runs had not counted.", len(done)))
}

// dropIdle drops the rows of what only earlier runs met.
func (res *Result) dropIdle() {
	idle := func(c *Counts) bool { return c.Requests == 0 }
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
	res.Refusals = func(yield func(Refusal) bool) {
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

func (res *Result) sortInputs() {
	slices.SortStableFunc(res.Inputs, func(a, b Input) int { return strings.Compare(a.Path, b.Path) })
}

// unexplainedNote says what is known of an input that no format explains.
func unexplainedNote(in *Input) string {
	s := say("No known format explains %s: %d of its %d lines could be read.", in.Path, in.Parsed, in.Lines)
	if in.UTF16 {
		return s + " It is text in UTF-16: convert it to UTF-8."
	}
	if in.Closest != "" {
		s += " The closest is " + in.Closest + "."
	}
	return s + " Give the format string of the server's configuration with --format."
}

// text makes a value of the log fit to leave: valid UTF-8 without credentials.
func text(b []byte) string {
	var scratch [256]byte
	if b = privacy.Redact(scratch[:0], b); utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// textOf is text for a string, which it gives back where nothing is to be changed.
func textOf(s string) string {
	if told := text([]byte(s)); told != s {
		return told
	}
	return s
}

// rawText makes a raw line fit to leave. The mask is that of the parser that read
// it last, nil where names stay.
func rawText(line, session []byte, mask *privacy.Mask) string {
	b := privacy.RedactLine(nil, line, session)
	if mask != nil {
		b = mask.Text(b)
	}
	return strings.ToValidUTF8(string(b[:min(len(b), MaxRawLine)]), "\uFFFD")
}

func counts(t *timeline.Tally) Counts {
	c := Counts{
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
func mostExplaining[K comparable](c *correlation, findings []Finding, key func(*fact) (K, bool)) map[K]string {
	type pair struct {
		key     K
		finding int32
	}
	n := map[pair]int{}
	for i := range c.facts {
		if f := &c.facts[i]; f.finding != 0 {
			if k, ok := key(f); ok {
				n[pair{k, f.finding}]++
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
		ids[k] = findings[p.finding-1].ID
	}
	return ids
}

func (c *correlation) endpointRows(findings []Finding) []Endpoint {
	ids := mostExplaining(c, findings, func(f *fact) (uint32, bool) { return f.endpoint, true })
	rows := make([]Endpoint, len(c.state.Endpoints))
	for i := range rows {
		e, f := &c.state.Endpoints[i], &c.endpoints[i]
		rows[i] = Endpoint{
			Host: textOf(e.Host), Method: e.Method, Template: textOf(e.Template),
			Counts: counts(&e.Tally), Actors: f.actors, RefusedActors: f.refusedActors, Protected: c.protected[i],
			FirstTime: e.First, LastTime: e.Last, FirstUnauthorized: e.FirstRefused, LastUnauthorized: e.LastRefused,
			FindingID: ids[uint32(i)],
		}
	}
	return rows
}

func (c *correlation) accountRows(findings []Finding) []Account {
	ids := mostExplaining(c, findings, func(f *fact) (uint32, bool) { return f.user, f.user != 0 })
	rows := make([]Account, 0, len(c.state.Users)+1)
	c.users = make([]string, 0, len(c.state.Users))
	add := func(u *timeline.Named, clients int64, finding string) {
		rows = append(rows, Account{
			User: textOf(u.Name), Counts: counts(&u.Tally), Clients: clients,
			FirstAccepted: u.FirstAccepted, LastAccepted: u.LastAccepted,
			FirstUnauthorized: u.FirstRefused, LastUnauthorized: u.LastRefused,
			FindingID: finding,
		})
	}
	for i := range c.state.Users {
		add(&c.state.Users[i], c.userClients[i], ids[uint32(i)+1])
		c.users = append(c.users, rows[i].User)
	}
	if c.state.OtherUsers > 0 {
		add(&c.state.OfOtherUsers, 0, "") // their clients are not known
	}
	return rows
}

// clientsExplained gives the finding that explains most 401s of each client.
func clientsExplained(c *correlation, findings []Finding) map[timeline.Client]string {
	return mostExplaining(c, findings, func(f *fact) (timeline.Client, bool) {
		return timeline.Client{Address: f.address, Agent: f.agent}, true
	})
}

// orderClients gives the clients their places in the table.
func (c *correlation) orderClients() {
	order := make([]timeline.Client, 0, len(c.clients))
	for cl := range c.clients {
		order = append(order, cl)
	}
	slices.SortFunc(order, timeline.CompareClients)
	c.clientOrder, c.clientFrom = order, make([]int32, len(c.state.Addresses)+1)
	for _, cl := range order {
		c.clientFrom[cl.Address+1]++
	}
	for i := range c.state.Addresses {
		c.clientFrom[i+1] += c.clientFrom[i]
	}
	c.addresses, c.agents = textsOf(c.state.Addresses), textsOf(c.state.Agents)
}

// clientRows makes the rows of the clients, which orderClients has put in order;
// explained gives the findings of those that have one.
func (c *correlation) clientRows(explained map[timeline.Client]string) []Client {
	rows := fresh.List[Client](len(c.clientOrder))
	c.inParts(len(rows), func(from, to int) {
		for i := from; i < to; i++ {
			cl := c.clientOrder[i]
			f := c.clients[cl]
			rows[i] = Client{
				Address: c.addresses[cl.Address], UserAgent: c.agents[cl.Agent],
				Counts: counts(&f.tally), Users: f.users, Sessions: f.sessions, RefusedEndpoints: f.refusedEndpoints,
				FirstTime: f.tally.First, LastTime: f.tally.Last, LastAccepted: f.tally.LastAccepted,
				FindingID: explained[cl],
			}
		}
	})
	return rows
}

// clientRow gives the place of a client's row, -1 where it has none. Those of one
// address, which are few, lie side by side.
func (c *correlation) clientRow(cl timeline.Client) int {
	from, to := int(c.clientFrom[cl.Address]), int(c.clientFrom[cl.Address+1])
	i, ok := slices.BinarySearchFunc(c.clientOrder[from:to], cl, timeline.CompareClients)
	if !ok {
		return -1
	}
	return from + i
}

func (c *correlation) upstreamRows() []Upstream {
	rows := make([]Upstream, len(c.state.Upstreams))
	for i := range rows {
		u := &c.state.Upstreams[i]
		rows[i] = Upstream{Name: textOf(u.Name), Counts: counts(&u.Tally)}
	}
	return rows
}

// refusals gives the 401s by the places of their rows; orderClients has been called.
func (c *correlation) refusals() iter.Seq[Refusal] {
	return func(yield func(Refusal) bool) {
		for i := range c.facts {
			f := &c.facts[i]
			if f.actor == 0 {
				continue // it has no time
			}
			x := Refusal{
				Time: c.state.Refusals[i].Time, Endpoint: int(f.endpoint), Account: int(f.user) - 1,
				Client:   c.clientRow(timeline.Client{Address: f.address, Agent: f.agent}),
				Upstream: int(f.upstream) - 1, Cause: int(f.cause), Finding: int(f.finding) - 1,
			}
			if !yield(x) {
				return
			}
		}
	}
}

func (c *correlation) timelineRows() []Minute {
	type key struct {
		time int64
		host string
	}
	rows := make([]Minute, len(c.state.Minutes))
	place := make(map[key]int, len(rows))
	for i, m := range c.state.Minutes {
		t := timeline.Tally{N: m.N}
		rows[i] = Minute{Time: m.Time, Host: textOf(m.Host), Counts: counts(&t), Causes: make([]int64, len(CauseNames))}
		place[key{m.Time, m.Host}] = i
	}
	var last key // 401s come by time: it is mostly the next one's too
	var row *Minute
	for i := range c.facts {
		f := &c.facts[i]
		if f.actor == 0 {
			continue // it has no time
		}
		k := key{c.state.Step(c.state.Refusals[i].Time), c.state.Endpoints[f.endpoint].Host}
		if k != last || row == nil {
			n, ok := place[k]
			if !ok {
				continue
			}
			last, row = k, &rows[n]
		}
		row.Causes[f.cause]++
	}
	return rows
}

// reread gives a function that parses the kept line of a 401 again, and tells by
// which parser. What it gives is valid until the next call.
func (c *correlation) reread(r *reader) func(rank int, e *parse.Entry) ([]byte, *parse.Parser, error) {
	line := c.state.Lines()
	parsers := map[string]*parse.Parser{}
	return func(rank int, e *parse.Entry) ([]byte, *parse.Parser, error) {
		x := &c.state.Refusals[rank]
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

func (c *correlation) unauthorizedRows(r *reader, findings []Finding) Pieces[Unauthorized] {
	templates := make([]string, len(c.state.Endpoints))
	for i := range templates {
		templates[i] = textOf(c.state.Endpoints[i].Template)
	}
	return Pieces[Unauthorized]{len(c.state.Refusals), func() func(from, to int) iter.Seq2[*Unauthorized, error] {
		read := c.reread(r)
		told := newTold()
		return func(from, to int) iter.Seq2[*Unauthorized, error] {
			return func(yield func(*Unauthorized, error) bool) {
				var e parse.Entry
				var row Unauthorized
				for rank := from; rank < to; rank++ {
					x, f := &c.state.Refusals[rank], &c.facts[rank]
					if _, _, err := read(rank, &e); err != nil {
						yield(nil, err)
						return
					}
					row = Unauthorized{
						Time: x.Time, Method: told.text(e.Method), Path: told.text(e.Path), Query: told.text(e.Query),
						Scheme: told.text(e.Scheme), Status: e.Status, BodySize: e.BodySize, Duration: e.Duration,
						Host: told.text(e.Host), Referrer: told.text(e.Referrer), Client: told.text(e.Client), Peer: told.text(e.Peer),
						UserAgent: told.text(e.UserAgent), User: told.text(e.User), Upstream: told.text(e.Upstream),
						LogPath: r.inputs[x.Input].Path, LogLine: x.Line,
						Cause: f.cause.String(), Reason: told.text(e.Reason), AnsweredBy: e.AnsweredBy.String(),
						TokenExpiry: e.TokenExpiry,
					}
					if len(e.Session) > 0 {
						row.SessionID = privacy.SessionHash(e.Session)
					}
					if f.actor != 0 {
						row.Template = templates[f.endpoint]
					}
					if f.finding != 0 {
						row.FindingID = findings[f.finding-1].ID
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
func (c *correlation) showEvidence(r *reader, findings []Finding) error {
	type wanted struct {
		rank    uint32
		finding int
	}
	var all []wanted
	for i := range findings {
		for _, rank := range findings[i].evidence {
			all = append(all, wanted{rank, i})
		}
	}
	slices.SortFunc(all, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.rank, b.rank), a.finding-b.finding) })
	read := c.reread(r)
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
		x := &c.state.Refusals[w.rank]
		f := &findings[w.finding]
		f.Evidence = append(f.Evidence, Evidence{Path: r.inputs[x.Input].Path, Line: x.Line, Raw: rawText(raw, session, mask)})
	}
	return nil
}
