package analyze

import (
	"encoding/hex"
	"iter"

	"logscan/analyze/result"
	"logscan/analyze/session"
	"logscan/analyze/timeline"
	"logscan/parse"
)

// sessionRows yields what is told of the sessions.
func (c *assembly) sessionRows() iter.Seq2[*result.Session, error] {
	sites := result.CleanAll(c.Sites)
	return func(yield func(*result.Session, error) bool) {
		var row result.Session
		for s, err := range c.EachSession() {
			if err != nil {
				yield(nil, err)
				return
			}
			row = result.Session{
				Address: c.addresses[s.Client.Address], UserAgent: c.agents[s.Client.Agent], Host: sites[s.Site],
				Start: s.Start * 1000, LastAccepted: microseconds(s.LastAccepted), End: microseconds(s.End),
				Requests: int64(s.Requests), Accepted: int64(s.Accepted), Unauthorized: int64(s.Unauthorized),
				LongestGap: s.LongestGap * 1000, StartSeen: s.StartSeen, Open: s.Open,
			}
			if s.Named {
				row.ID = hex.EncodeToString(s.ID[:])
			}
			if s.User != 0 {
				row.User = c.users[s.User-1]
			}
			switch {
			case s.EndRefusal == timeline.EarlierEvent:
				row.EndCause = session.SessionEnd.String() // which an earlier run told
			case s.EndRefusal != timeline.NoRefusal:
				row.EndCause = c.names[c.cause(int(s.EndRefusal))]
				if n := c.Of[s.EndRefusal]; n != 0 {
					row.FindingID = c.Findings[n-1].ID
				}
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// microseconds gives a time of a record as a Result has it.
func microseconds(ms int64) int64 {
	if ms == session.LongAgo {
		return parse.NoTime
	}
	return ms * 1000
}
