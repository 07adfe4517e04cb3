package analyze

import (
	"fmt"
	"iter"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/privacy"
)

// lines returns a function that parses the stored line of a refusal again, and
// returns it with its parser. Both are valid until the next call.
func (a *assembly) lines() func(refusal int, e *parse.Entry) ([]byte, *parse.Parser, error) {
	line, r := a.State.Lines(), a.reader
	parsers := map[string]*parse.Parser{}
	return func(refusal int, e *parse.Entry) ([]byte, *parse.Parser, error) {
		x := &a.State.Refusals[refusal]
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

// unauthorizedRows returns the rows of all refusals.
func (a *assembly) unauthorizedRows() result.Pieces[result.Unauthorized] {
	templates := make([]string, len(a.State.Endpoints))
	for i := range templates {
		templates[i] = result.Clean(a.State.Endpoints[i].Template)
	}
	reader := func() func(from, to int) iter.Seq2[*result.Unauthorized, error] {
		read := a.lines()
		var last [numTexts]lastText
		return func(from, to int) iter.Seq2[*result.Unauthorized, error] {
			return func(yield func(*result.Unauthorized, error) bool) {
				var e parse.Entry
				var row result.Unauthorized
				for i := from; i < to; i++ {
					if _, _, err := read(i, &e); err != nil {
						yield(nil, err)
						return
					}
					x := &a.State.Refusals[i]
					row = result.Unauthorized{
						Time: x.Time, Status: e.Status, BodySize: e.BodySize, Duration: e.Duration,
						LogPath: a.reader.inputs[x.Input].Path, LogLine: x.Line,
						Cause: a.names[a.cause(i)], AnsweredBy: e.AnsweredBy.String(),
						TokenExpiry: e.TokenExpiry, FindingID: a.findingID(i),
					}
					for n, t := range [numTexts]struct {
						text *string
						raw  []byte
					}{
						{&row.Method, e.Method}, {&row.Path, e.Path}, {&row.Query, e.Query}, {&row.Scheme, e.Scheme},
						{&row.Host, e.Host}, {&row.Referrer, e.Referrer}, {&row.Client, e.Client}, {&row.Peer, e.Peer},
						{&row.UserAgent, e.UserAgent}, {&row.User, e.User}, {&row.Upstream, e.Upstream}, {&row.Reason, e.Reason},
					} {
						*t.text = last[n].clean(t.raw)
					}
					if len(e.Session) > 0 {
						row.SessionID = privacy.SessionHash(e.Session)
					}
					if r := &a.Refusals[i]; r.Actor != 0 {
						row.Template = templates[r.Endpoint]
					}
					if !yield(&row, nil) {
						return
					}
				}
			}
		}
	}
	return result.Pieces[result.Unauthorized]{Len: len(a.State.Refusals), Reader: reader}
}

// numTexts is the number of columns that hold text of the log.
const numTexts = 12

// lastText is the last value of a column: neighbouring refusals often repeat it.
type lastText struct{ raw, text string }

// clean is result.CleanBytes.
func (l *lastText) clean(b []byte) string {
	if l.raw != string(b) {
		l.raw = string(b)
		l.text = result.CleanBytes(b)
	}
	return l.text
}

// rejectedLines returns the sample of rejected lines. With pseudonyms their text is
// left out: who is named in a line that cannot be parsed is unknown.
func (r *reader) rejectedLines(rejected []timeline.Rejected) (lines []result.RejectedLine) {
	privacy := &r.options.Parse.Privacy
	mask := privacy.NewMask()
	for i := range rejected {
		x := &rejected[i]
		l := result.RejectedLine{Path: r.inputs[x.Input].Path, Line: x.Line, Reason: x.Verdict.String()}
		if privacy.Key == nil {
			l.Raw = rawText(x.Raw, x.Session, mask)
		}
		lines = append(lines, l)
	}
	return lines
}

// rawText returns a raw line without credentials, as valid UTF-8 of at most
// result.MaxRawLine bytes. The mask is that of the parser that parsed it last; nil
// leaves names as they are.
func rawText(line, session []byte, mask *privacy.Mask) string {
	b := privacy.RedactLine(nil, line, session)
	if mask != nil {
		b = mask.Text(b)
	}
	return strings.ToValidUTF8(string(b[:min(len(b), result.MaxRawLine)]), "\uFFFD")
}
