package analyze

import (
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
	"logscan/parse/privacy"
)

// lines returns a function that parses the stored line of a refusal again, and
// returns it, perhaps with the directive before it, with its parser. Both are valid until
// the next call.
func (a *assembly) lines() func(refusal int, e *parse.Entry) ([]byte, *parse.Parser, error) {
	read := a.reader.stored(a.State)
	return func(refusal int, e *parse.Entry) ([]byte, *parse.Parser, error) {
		return read(refusal, func(p *parse.Parser, line []byte) parse.Verdict { return p.Parse(line, e) })
	}
}

// stored returns a function that passes the stored line of a refusal, with a parser of
// its input, to a function that parses it.
func (r *reader) stored(s *timeline.State) func(refusal int, parsed func(*parse.Parser, []byte) parse.Verdict) ([]byte, *parse.Parser, error) {
	line := s.Lines()
	parsers := map[string]*parse.Parser{}
	return func(refusal int, parsed func(*parse.Parser, []byte) parse.Verdict) ([]byte, *parse.Parser, error) {
		x := s.Refusals.At(refusal)
		raw, err := line(x)
		if err != nil {
			return nil, nil, err
		}
		p := r.parser(parsers, int(x.Input))
		if v := parsed(p, raw); v != parse.Parsed {
			return nil, nil, fmt.Errorf("BUG: line %d of %s was parsed and now is %s", x.Line, r.inputs[x.Input].Path, v)
		}
		return raw, p, nil
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
		texts := newTextCache()
		return func(from, to int) iter.Seq2[*result.Unauthorized, error] {
			return func(yield func(*result.Unauthorized, error) bool) {
				var e parse.Entry
				var row result.Unauthorized
				for i := from; i < to; i++ {
					if _, _, err := read(i, &e); err != nil {
						yield(nil, err)
						return
					}
					x := a.State.Refusals.At(i)
					row = requestRow(texts, &e)
					row.Time, row.Refused = x.Time, true
					row.LogPath, row.LogLine = a.reader.inputs[x.Input].Path, x.Line
					row.Cause, row.AnsweredBy, row.FindingID = a.names[a.cause(i)], x.AnsweredBy.String(), a.findingID(i)
					if x.Message != 0 {
						row.Reason = result.Clean(a.State.Reasons[x.Reason-1].Text)
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
				if err := a.State.Refusals.Err(); err != nil {
					yield(nil, err)
				}
			}
		}
	}
	return result.Pieces[result.Unauthorized]{Len: a.State.Refusals.Len(), Reader: reader}
}

// requestRow returns the row of a request, without its session, template and line.
func requestRow(texts *textCache, e *parse.Entry) result.Unauthorized {
	return result.Unauthorized{
		Time: e.Time, Status: e.Status, BodySize: e.BodySize, Duration: e.Duration,
		Method: texts.clean(e.Method), Path: texts.clean(e.Path), Query: texts.clean(e.Query), Scheme: texts.clean(e.Scheme),
		Host: texts.clean(e.Host), Referrer: texts.clean(e.Referrer), Client: texts.clean(e.Client), Peer: texts.clean(e.Peer),
		UserAgent: texts.clean(e.UserAgent), User: texts.clean(e.User), Upstream: texts.clean(e.Upstream), Reason: texts.clean(e.Reason),
		TokenExpiry: e.TokenExpiry,
	}
}

// textCache holds the cleaned texts of recent values: neighbouring refusals repeat
// routes, clients and user agents.
type textCache struct {
	seed    maphash.Seed
	slots   []cachedText
	cleaner result.Cleaner
}

type cachedText struct{ raw, text string }

const (
	// textCacheSize is the number of slots: with their texts, about what fits in the
	// cache of a core.
	textCacheSize = 8 << 10
	// maxCachedText bounds the memory of the cache. Longer values rarely repeat.
	maxCachedText = 512 // bytes
)

func newTextCache() *textCache {
	return &textCache{seed: maphash.MakeSeed(), slots: make([]cachedText, textCacheSize)}
}

// clean is result.CleanBytes.
func (c *textCache) clean(b []byte) string {
	if len(b) == 0 || len(b) > maxCachedText {
		return c.cleaner.Clean(b)
	}
	s := &c.slots[maphash.Bytes(c.seed, b)%textCacheSize]
	if s.raw != string(b) {
		s.text = c.cleaner.Clean(b)
		if s.raw = s.text; s.text != string(b) {
			s.raw = string(b)
		}
	}
	return s.text
}

// rejectedLines returns the sample of rejected lines. With pseudonyms their text is
// left out: who is named in a line that cannot be parsed is unknown.
func (r *reader) rejectedLines(rejected []timeline.Rejected) (lines []result.RejectedLine) {
	options := &r.options.Parse.Privacy
	mask := options.NewMask()
	parsers := map[string]*parse.Parser{}
	for i := range rejected {
		x := &rejected[i]
		l := result.RejectedLine{Path: r.inputs[x.Input].Path, Line: x.Line, Reason: x.Verdict.String()}
		if options.Key == nil {
			known := r.parser(parsers, x.Input).Locate(x.Raw, x.Verdict)
			known.Session = x.Session
			l.Raw = rawText(x.Raw, known, mask)
		}
		lines = append(lines, l)
	}
	return lines
}

// rawText returns a raw line without credentials, as valid UTF-8 of at most
// result.MaxRawLine bytes. The mask is that of the parser that parsed it last; nil
// leaves names as they are.
func rawText(line []byte, known *privacy.Line, mask *privacy.Mask) string {
	b := privacy.RedactLine(nil, line, known)
	if mask != nil {
		b = mask.Text(b)
	}
	return strings.ToValidUTF8(string(b[:min(len(b), result.MaxRawLine)]), "\uFFFD")
}
