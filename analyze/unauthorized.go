package analyze

import (
	"cmp"
	"hash/maphash"
	"iter"

	"logscan/analyze/authevents"
	"logscan/analyze/result"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// unauthorizedRows returns the rows of all refusals.
func (a *assembly) unauthorizedRows() result.Pieces[result.Unauthorized] {
	templates := make([]string, len(a.State.Endpoints))
	for i := range templates {
		templates[i] = result.Clean(a.State.Endpoints[i].Template)
	}
	reader := func() func(from, to int) iter.Seq2[*result.Unauthorized, error] {
		read, stated := a.lines.refusals(), a.statedReasons()
		return func(from, to int) iter.Seq2[*result.Unauthorized, error] {
			return func(yield func(*result.Unauthorized, error) bool) {
				var row result.Unauthorized
				line, shows := a.State.Refusals.Reader(), a.Refusals.Reader()
				for i := from; i < to; i++ {
					if _, err := read(i, &row, false); err != nil {
						yield(nil, err)
						return
					}
					x, r := line(i), shows(i)
					row.Time, row.Refused = x.Time, true
					row.LogPath, row.LogLine = a.reader.inputs[x.Input].Path, x.Line
					row.Cause, row.AnsweredBy, row.FindingID = a.names[a.cause(i, r)], x.AnsweredBy.String(), a.findingID(i)
					if x.Message != 0 {
						row.Reason = stated(x.Reason - 1)
					}
					if r.Actor != 0 {
						row.Template = templates[r.Endpoint]
					}
					if !yield(&row, nil) {
						return
					}
				}
				if err := cmp.Or(a.State.Refusals.Err(), a.Refusals.Err()); err != nil {
					yield(nil, err)
				}
			}
		}
	}
	return result.Pieces[result.Unauthorized]{Len: a.State.Refusals.Len(), Reader: reader}
}

// statedReasons returns a function that returns a reason by its index, cleaned once.
func (a *assembly) statedReasons() func(reason uint16) string {
	clean := make([]string, len(a.State.Reasons))
	return func(reason uint16) string {
		if text := a.State.Reasons[reason].Text; clean[reason] == "" && text != "" {
			clean[reason] = result.Clean(text)
		}
		return clean[reason]
	}
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
	slots   []cachedText // nil before the first use
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

func newTextCache() *textCache { return &textCache{seed: maphash.MakeSeed()} }

// slot returns the slot of a text.
func (c *textCache) slot(b []byte) *cachedText {
	if c.slots == nil {
		c.slots = make([]cachedText, textCacheSize)
	}
	return &c.slots[maphash.Bytes(c.seed, b)%textCacheSize]
}

// clean is result.CleanBytes.
func (c *textCache) clean(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case len(b) > maxCachedText:
		return c.cleaner.Clean(b)
	}
	s := c.slot(b)
	if s.raw != string(b) {
		s.text = c.cleaner.Clean(b)
		if s.raw = s.text; s.text != string(b) {
			s.raw = string(b)
		}
	}
	return s.text
}

// keep returns b as a string.
func (c *textCache) keep(b []byte) string {
	if len(b) == 0 || len(b) > maxCachedText {
		return string(b)
	}
	s := c.slot(b)
	if s.text != string(b) {
		s.text = string(b)
	}
	return s.text
}

// rejectedLines returns the sample of rejected lines.
func (r *reader) rejectedLines(rejected []timeline.Rejected) (lines []result.RejectedLine) {
	p := r.newLineParser(authevents.Keyer{})
	for i := range rejected {
		x := &rejected[i]
		l := result.RejectedLine{Path: r.inputs[x.Input].Path, Line: x.Line, Reason: x.Verdict.String(), Raw: string(x.Raw)}
		if !r.recorded { // else the task that read it has redacted it
			l.Raw = p.rejected(x)
		}
		lines = append(lines, l)
	}
	return lines
}
